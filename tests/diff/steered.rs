//! `recmode diff --base` on repositories whose files or settings try to steer git, and on clones that do not hold
//! everything: the answer is right, or exit 2 with a hint.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Output;

use super::support::git::Repository;
use super::{stderr, stdout};

/// A repository with a role that the last commit loosened.
fn loosened() -> Option<Repository> {
    let repository = Repository::new()?;
    repository.role("roles/prod.yaml", "prod", "strict");
    repository.role("other/dev.yaml", "dev", "strict");
    repository.commit();
    repository.role("roles/prod.yaml", "prod", "best_effort");
    repository.commit();
    Some(repository)
}

fn is_loosened(output: &Output) {
    assert_eq!(output.status.code(), Some(1), "{}{}", stdout(output), stderr(output));
    assert!(stdout(output).ends_with(": 1 loosened.\n"), "{}", stdout(output));
}

/// Exit 2 with this on standard error, and nothing on standard output.
fn is_unanswered(output: &Output, hint: &str) {
    assert_eq!((output.status.code(), stdout(output).as_str()), (Some(2), ""), "{}", stderr(output));
    assert!(stderr(output).contains(hint), "{}", stderr(output));
}

/// A clone of the repository with these options.
fn clone(repository: &Repository, options: &[&str]) -> Repository {
    repository.git(&["config", "uploadpack.allowFilter", "true"]);
    let clone = Repository::new().expect("git is there");
    fs::remove_dir_all(clone.path().join(".git")).expect("removed");
    let url = format!("file://{}", repository.path().display());
    let here = clone.path().to_str().expect("UTF-8").to_owned();
    clone.git(&[&["clone", "-q"], options, &[url.as_str(), here.as_str()]].concat());
    clone
}

#[test]
fn a_bare_repository_among_the_roles_is_not_taken_for_the_repository() {
    let Some(repository) = loosened() else { return };
    repository.git(&["clone", "-q", "--bare", ".", "roles/bare"]);
    fs::copy(repository.path().join("roles/bare/HEAD"), repository.path().join("roles/HEAD"))
        .expect("copied");
    for name in ["objects", "refs"] {
        fs::create_dir(repository.path().join("roles").join(name)).expect("a folder");
    }
    is_loosened(&repository.diff(&["--base", "HEAD~1", "roles"]));
    for folder in ["roles", "roles/bare"] {
        let mut command = repository.recmode();
        command.current_dir(repository.path().join(folder)).args(["diff", "--base", "HEAD~1"]);
        let output = command.output().expect("recmode runs");
        if folder == "roles" {
            is_loosened(&output);
        } else {
            is_unanswered(&output, "no role in .");
        }
    }
}

#[test]
fn no_program_that_the_configuration_or_the_files_name_is_run() {
    let Some(repository) = loosened() else { return };
    let owned = repository.path().join(".git/owned");
    let program = repository.path().join(".git/program");
    fs::write(&program, format!("#!/bin/sh\necho x >>'{}'\ncat\n", owned.display())).expect("a program");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("set");
    let program = program.to_str().expect("UTF-8");
    repository.write(".gitattributes", "*.yaml filter=x diff=x\n");
    repository.commit();
    for hook in ["post-index-change", "reference-transaction", "post-checkout", "fsmonitor-watchman"] {
        fs::create_dir_all(repository.path().join(".git/hooks")).expect("a folder");
        symlink(program, repository.path().join(".git/hooks").join(hook)).expect("a link");
    }
    for name in ["core.fsmonitor", "filter.x.clean", "filter.x.smudge", "filter.x.process", "diff.x.textconv"]
    {
        repository.git(&["config", name, program]);
    }
    repository.git(&["config", "core.pager", program]);
    // The test would prove nothing if none of these ran.
    repository.git(&["status"]);
    assert!(owned.exists(), "git itself runs the program");
    fs::remove_file(&owned).expect("removed");
    is_loosened(&repository.diff(&["--base", "HEAD~2"]));
    for args in [&["lint"][..], &["resolve", "--roles", "."], &["diff", "--base", "HEAD", "roles"]] {
        let output = repository.run(args);
        assert_ne!(output.status.code(), Some(2), "{}", stderr(&output));
    }
    assert!(!owned.exists());
}

#[test]
fn no_variable_of_gits_points_elsewhere() {
    let Some(repository) = loosened() else { return };
    let trace = repository.path().join("trace");
    let mut command = repository.recmode();
    for name in ["GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_INDEX_FILE"] {
        command.env(name, "/nonexistent");
    }
    command.env("GIT_TRACE", &trace).env("GIT_CONFIG_COUNT", "1");
    command.env("GIT_CONFIG_KEY_0", "core.worktree").env("GIT_CONFIG_VALUE_0", "/nonexistent");
    is_loosened(&command.args(["diff", "--base", "HEAD~1"]).output().expect("recmode runs"));
    assert!(!trace.exists());
}

#[test]
fn a_repository_of_another_user_is_not_compared() {
    if !nix::unistd::geteuid().is_root() {
        assert!(std::env::var_os("RECMODE_TEST_NO_SKIP").is_none(), "root is needed");
        eprintln!("skipped: root is needed");
        return;
    }
    let Some(repository) = loosened() else { return };
    repository.chown(65534);
    is_unanswered(&repository.diff(&["--base", "HEAD~1"]), "dubious ownership");
}

#[test]
fn a_shallow_clone_answers_or_hints() {
    let Some(origin) = loosened() else { return };
    let shallow = clone(&origin, &["--depth=1"]);
    is_unanswered(&shallow.diff(&["--base", "HEAD~1"]), "git fetch --deepen");
    shallow.git(&["fetch", "-q", "--deepen=1"]);
    is_loosened(&shallow.diff(&["--base", "HEAD~1"]));
}

#[test]
fn a_partial_clone_answers_or_hints_and_nothing_is_fetched() {
    let Some(origin) = loosened() else { return };
    for filter in ["--filter=blob:none", "--filter=tree:0"] {
        let partial = clone(&origin, &[filter]);
        for setting in ["protocol.allow", "protocol.file.allow"] {
            partial.git(&["config", setting, "always"]);
        }
        let objects = || partial.git(&["count-objects", "-v"]);
        let before = objects();
        is_unanswered(&partial.diff(&["--base", "HEAD~1"]), "git fetch --refetch --no-filter");
        let same = partial.diff(&["--base", "HEAD", "--fail-on", "any"]);
        assert_eq!(same.status.code(), Some(0), "what is here is enough: {}", stderr(&same));
        assert_eq!(objects(), before);
        partial.git(&["fetch", "-q", "--refetch", "--no-filter"]);
        is_loosened(&partial.diff(&["--base", "HEAD~1"]));
    }
}

#[test]
fn what_a_sparse_checkout_leaves_out_is_compared_as_the_index_has_it() {
    let Some(origin) = loosened() else { return };
    let sparse = clone(&origin, &["--sparse"]);
    sparse.git(&["sparse-checkout", "set", "other"]);
    assert!(!sparse.path().join("roles").exists());
    is_loosened(&sparse.diff(&["--base", "HEAD~1"]));
    is_loosened(&sparse.diff(&["--base", "HEAD~1", "roles"]));
    for args in [&[][..], &["roles"], &["other"]] {
        let same = sparse.diff(&[&["--base", "HEAD", "--fail-on", "any"], args].concat());
        assert_eq!(same.status.code(), Some(0), "{args:?} {}{}", stdout(&same), stderr(&same));
    }
    let both = clone(&origin, &["--sparse", "--filter=blob:none"]);
    is_unanswered(&both.diff(&["--base", "HEAD"]), "git fetch --refetch --no-filter");
}

#[test]
fn a_linked_worktree_is_a_working_tree() {
    let Some(repository) = loosened() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let linked = folder.path().join("linked");
    repository.git(&["worktree", "add", "-q", linked.to_str().expect("UTF-8"), "HEAD"]);
    let mut command = repository.recmode();
    let output = command.current_dir(&linked).args(["diff", "--base", "HEAD~1"]).output();
    is_loosened(&output.expect("recmode runs"));
}

#[test]
fn submodules_are_left_out_on_both_sides_and_named() {
    let (Some(inner), Some(repository)) = (loosened(), loosened()) else { return };
    let url = inner.path().to_str().expect("UTF-8");
    repository.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "roles/sub"]);
    let note = "roles/sub: a submodule, which is not compared\n";
    // Only the working tree has it, then both, then only the revision.
    let before = repository.diff(&["--base", "HEAD~1", "roles"]);
    is_loosened(&before);
    assert_eq!(stderr(&before), format!("recmode: {note}"));
    repository.commit();
    let both = repository.diff(&["--base", "HEAD~2", "roles"]);
    is_loosened(&both);
    assert_eq!(stderr(&both), format!("recmode: {note}"));
    repository.git(&["submodule", "deinit", "-q", "-f", "roles/sub"]);
    let same = repository.diff(&["--base", "HEAD", "--fail-on", "any"]);
    assert_eq!((same.status.code(), stderr(&same)), (Some(0), format!("recmode: HEAD:{note}")));
    repository.git(&["rm", "-q", "-f", "roles/sub"]);
    repository.role("roles/sub/x.yaml", "x", "best_effort");
    let after = repository.diff(&["--base", "HEAD", "--fail-on", "any"]);
    assert_eq!((after.status.code(), stderr(&after)), (Some(0), format!("recmode: HEAD:{note}")));
    is_unanswered(&repository.diff(&["--base", "HEAD", "roles/sub"]), "a submodule, which is not compared");
}

#[test]
fn a_submodule_that_is_named_is_a_repository_of_its_own() {
    let (Some(inner), Some(repository)) = (loosened(), loosened()) else { return };
    let url = inner.path().to_str().expect("UTF-8");
    repository.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "sub"]);
    is_loosened(&repository.diff(&["--base", "HEAD~1", "sub"]));
}

#[test]
fn a_role_that_moves_is_neither_new_nor_gone() {
    let Some(repository) = Repository::new() else { return };
    repository.role("roles/old.yaml", "prod", "strict");
    repository.role("roles/other.yaml", "other", "strict");
    repository.commit();
    repository.role("elsewhere/new.yaml", "prod", "best_effort");
    fs::remove_file(repository.path().join("roles/old.yaml")).expect("removed");
    for paths in [&[][..], &["elsewhere"], &["elsewhere/new.yaml"], &["roles"], &["roles/old.yaml"]] {
        is_loosened(&repository.diff(&[&["--base", "HEAD"], paths].concat()));
    }
    repository.commit();
    is_loosened(&repository.diff(&["--base", "HEAD~1", "elsewhere"]));
    let other = repository.diff(&["--base", "HEAD~1", "--fail-on", "any", "roles/other.yaml"]);
    assert_eq!(other.status.code(), Some(0), "{}", stdout(&other));
}

#[test]
fn a_base_that_is_invalid_can_be_repaired_and_not_loosened() {
    let Some(repository) = Repository::new() else { return };
    repository.role("roles/prod.yaml", "prod", "Strict");
    repository.role("roles/same.yaml", "same", "strict");
    repository.write("roles/torn.yaml", "kind: role\nmetadata: {name: torn\n");
    repository.role("roles/twice.yaml", "same", "strict");
    symlink("nowhere", repository.path().join("roles/link.yaml")).expect("a link");
    repository.commit();
    let not_repaired = repository.diff(&["--base", "HEAD"]);
    assert_eq!(not_repaired.status.code(), Some(2), "the new side has to be valid");

    for name in ["roles/twice.yaml", "roles/link.yaml"] {
        fs::remove_file(repository.path().join(name)).expect("removed");
    }
    let whole = "kind: role\nmetadata: {name: torn}\nspec: {options: {record_session: {default: strict}}}\n";
    repository.write("roles/torn.yaml", whole);
    repository.role("roles/prod.yaml", "prod", "strict");
    let repaired = repository.diff(&["--base", "HEAD"]);
    assert_eq!(repaired.status.code(), Some(0), "{}{}", stdout(&repaired), stderr(&repaired));
    for place in
        ["HEAD:roles/prod.yaml:3:40: warning", "HEAD:roles/torn.yaml:", "HEAD:roles/link.yaml: warning"]
    {
        assert!(stderr(&repaired).contains(place), "{place}: {}", stderr(&repaired));
    }
    assert!(stderr(&repaired).contains("recmode: HEAD has 4 errors"), "{}", stderr(&repaired));

    repository.role("roles/prod.yaml", "prod", "best_effort");
    may_be_loosened(&repository.diff(&["--base", "HEAD", "roles/prod.yaml"]));
    repository.role("roles/prod.yaml", "prod", "strict");
    repository.write("roles/torn.yaml", &whole.replace("strict", "best_effort"));
    may_be_loosened(&repository.diff(&["--base", "HEAD", "roles/torn.yaml"]));
}

/// What the base's values were is unknown.
fn may_be_loosened(output: &Output) {
    assert_eq!(output.status.code(), Some(1), "{}{}", stdout(output), stderr(output));
    assert!(stdout(output).contains("may be loosened"), "{}", stdout(output));
}

#[test]
fn a_link_out_of_the_repository_is_not_followed() {
    let Some(repository) = loosened() else { return };
    let outside = tempfile::tempdir().expect("a folder");
    let role = "kind: role\nmetadata: {name: out}\nspec: {options: {record_session: {ssh: strict}}}\n";
    fs::write(outside.path().join("out.yaml"), role).expect("a file");
    for (target, link) in
        [(outside.path().join("out.yaml"), "roles/out.yaml"), (outside.path().into(), "roles/out")]
    {
        let link = repository.path().join(link);
        symlink(&target, &link).expect("a link");
        for args in [
            &["lint"][..],
            &["resolve", "--roles", "roles"],
            &["diff", "--base", "HEAD"],
            &["diff", "roles", "roles"],
        ] {
            let output = repository.run(args);
            assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stdout(&output));
            assert!(stderr(&output).contains("leads out of what is searched"), "{}", stderr(&output));
        }
        fs::remove_file(link).expect("removed");
    }
}

#[test]
fn the_new_side_is_called_the_working_tree() {
    let Some(repository) = loosened() else { return };
    let output = repository.diff(&["--base", "HEAD"]);
    assert_eq!(stdout(&output), "No change in session recording from HEAD to the working tree.\n");
    let output = repository.diff(&["--base", "HEAD", "roles", "other"]);
    assert_eq!(
        stdout(&output),
        "No change in session recording from HEAD to the working tree (roles other).\n"
    );
}
