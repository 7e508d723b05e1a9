//! `recmode diff --base`: the old side from git.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

use super::support::git::Repository;
use super::{all, recmode, stderr, stdout};

#[test]
fn the_old_side_is_read_from_git_and_nothing_is_checked_out() {
    let Some(repository) = Repository::new() else { return };
    repository.role("roles/prod.yaml", "prod", "strict");
    repository.role("elsewhere/other.yaml", "other", "strict");
    repository.commit();
    repository.role("roles/prod.yaml", "prod", "best_effort");
    repository.role("elsewhere/other.yaml", "other", "best_effort");
    let status = repository.git(&["status", "--porcelain"]);
    insta::assert_snapshot!(all(&repository.diff(&["--base", "HEAD", "roles"])));
    let here = repository.diff(&["--base", "main"]);
    assert!(stdout(&here).ends_with("From main to the working tree: 2 loosened.\n"), "{}", stdout(&here));
    let file = repository.diff(&["--base", "main", "roles/prod.yaml"]);
    assert!(stdout(&file).ends_with(": 1 loosened.\n"), "{}", stdout(&file));
    assert_eq!(repository.git(&["status", "--porcelain"]), status);
}

#[test]
fn it_is_the_repository_of_the_path_that_counts() {
    let Some(repository) = Repository::new() else { return };
    repository.role("roles/prod.yaml", "prod", "strict");
    repository.commit();
    repository.role("roles/prod.yaml", "prod", "best_effort");
    let path = repository.path().join("roles");
    let output = recmode()
        .current_dir("/")
        .args(["diff", "--base", "HEAD", path.to_str().expect("UTF-8")])
        .env("GIT_DIR", "/nonexistent")
        .env("GIT_WORK_TREE", "/nonexistent")
        .output()
        .expect("recmode runs");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stdout(&output).contains("HEAD:roles/prod.yaml") || stdout(&output).contains("loosened"));
}

#[test]
fn odd_file_names_are_read() {
    let Some(repository) = Repository::new() else { return };
    let names: [&[u8]; 6] = [
        b"a b.yaml",
        b"line\nbreak.yaml",
        b"tab\t\"quote\".yaml",
        b"-n.yaml",
        b"\xff.yaml",
        "für.yml".as_bytes(),
    ];
    for (n, name) in names.iter().enumerate() {
        repository.role(std::ffi::OsStr::from_bytes(name), &format!("r{n}"), "strict");
    }
    repository.commit();
    let same = repository.diff(&["--base", "HEAD", "--fail-on", "any"]);
    assert_eq!(same.status.code(), Some(0), "{}{}", stdout(&same), stderr(&same));
    for (n, name) in names.iter().enumerate() {
        repository.role(std::ffi::OsStr::from_bytes(name), &format!("r{n}"), "best_effort");
    }
    let output = repository.diff(&["--base", "HEAD"]);
    assert!(stdout(&output).ends_with(": 6 loosened.\n"), "{}", stdout(&output));
    assert!(!stdout(&output).contains("line\nbreak"));
}

#[test]
fn a_revision_is_never_an_option() {
    let Some(repository) = Repository::new() else { return };
    repository.role("r.yaml", "r", "strict");
    repository.commit();
    for rev in [
        "--help",
        "-h",
        "--output=owned",
        "--all",
        "nonexistent",
        "HEAD:r.yaml",
        "HEAD..main",
        "",
        "\x1b[31m",
    ] {
        let output = repository.diff(&["--base", rev]);
        assert_eq!((output.status.code(), stdout(&output)), (Some(2), String::new()), "{rev:?}");
        let said = stderr(&output);
        assert!(said.starts_with("recmode: --base ") && !said.contains('\x1b'), "{said}");
    }
    assert!(!repository.path().join("owned").exists());
}

#[test]
fn links_are_followed_within_the_revision() {
    let Some(repository) = Repository::new() else { return };
    repository.role("shared/base.yaml", "base", "strict");
    repository.role("shared/folder/deep.yaml", "deep", "strict");
    fs::write(repository.path().join("README"), "x").expect("a file");
    fs::create_dir(repository.path().join("roles")).expect("a folder");
    symlink("../shared/base.yaml", repository.path().join("roles/base.yaml")).expect("a link");
    symlink("../shared/folder", repository.path().join("roles/linked")).expect("a link");
    symlink("../README", repository.path().join("roles/no-role-file")).expect("a link");
    repository.commit();
    let same = repository.diff(&["--base", "HEAD", "--fail-on", "any", "roles"]);
    assert_eq!(same.status.code(), Some(0), "{}{}", stdout(&same), stderr(&same));
    let whole = repository.diff(&["--base", "HEAD", "--fail-on", "any", "."]);
    assert_eq!(whole.status.code(), Some(0), "each file once: {}{}", stdout(&whole), stderr(&whole));

    symlink("/etc/passwd", repository.path().join("roles/out.yaml")).expect("a link");
    repository.commit();
    let output = repository.diff(&["--base", "HEAD", "roles"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("leads out of the revision"), "{}", stderr(&output));
}

#[test]
fn before_there_were_roles_everything_is_new() {
    let Some(repository) = Repository::new() else { return };
    fs::write(repository.path().join("README"), "x").expect("a file");
    repository.commit();
    repository.role("roles/prod.yaml", "prod", "best_effort");
    repository.role("roles/.hidden/no.yaml", "hidden", "best_effort");
    let output = repository.diff(&["--base", "HEAD", "roles"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        stdout(&output).ends_with("From HEAD to the working tree (roles): 1 new.\n"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn what_is_gone_is_gone_and_no_error() {
    let Some(repository) = Repository::new() else { return };
    repository.role("roles/prod.yaml", "prod", "strict");
    repository.role("roles/deep/dev.yaml", "dev", "strict");
    fs::write(repository.path().join("README"), "x").expect("a file");
    repository.commit();
    let gone = |args: &[&str], count| {
        let output = repository.diff(&[&["--base", "HEAD", "--fail-on", "any"], args].concat());
        assert_eq!(output.status.code(), Some(1), "{args:?} {}", stderr(&output));
        assert!(stdout(&output).ends_with(&format!(": {count} gone.\n")), "{args:?} {}", stdout(&output));
    };
    fs::remove_dir_all(repository.path().join("roles/deep")).expect("removed");
    gone(&["roles/deep/dev.yaml"], 1);
    gone(&["roles/deep/"], 1);
    gone(&["./roles/./deep", "roles"], 1);
    fs::remove_file(repository.path().join("roles/prod.yaml")).expect("removed");
    gone(&["roles"], 2);
    gone(&[], 2);
    fs::remove_dir(repository.path().join("roles")).expect("removed");
    gone(&["roles"], 2);
    for never in ["rolse", "roles/x.yaml", "roles/../roles", "README/x"] {
        let output = repository.diff(&["--base", "HEAD", never]);
        assert_eq!(output.status.code(), Some(2), "{never}: {}", stdout(&output));
    }
}

#[test]
fn a_path_that_holds_no_file_on_either_side_is_trouble() {
    let Some(repository) = Repository::new() else { return };
    repository.role("roles/prod.yaml", "prod", "strict");
    repository.commit();
    repository.write("docs/README.md", "x");
    let output = repository.diff(&["--base", "HEAD", "roles", "docs"]);
    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
    assert!(stderr(&output).contains("docs: no role in this folder"), "{}", stderr(&output));
}

#[test]
fn no_role_on_either_side_is_no_answer() {
    let Some(repository) = Repository::new() else { return };
    fs::write(repository.path().join("README"), "x").expect("a file");
    repository.commit();
    let output = repository.diff(&["--base", "HEAD"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stderr(&output), "recmode: no role in ., neither now nor at HEAD\n");
}

#[test]
fn what_git_ignores_is_not_compared_unless_it_is_named() {
    let Some(repository) = Repository::new() else { return };
    repository.role("roles/prod.yaml", "prod", "strict");
    repository.role("roles/tracked.gen.yaml", "tracked", "strict");
    repository.commit();
    fs::write(repository.path().join(".gitignore"), "build/\n*.gen.yaml\n").expect("a file");
    repository.commit();
    repository.role("build/deep/a.yaml", "a", "strict");
    repository.role("roles/b.gen.yaml", "b", "strict");
    fs::write(repository.path().join("build/chart.yaml"), "{{ if }}\n").expect("a file");
    symlink("nowhere", repository.path().join("build/link.yaml")).expect("a link");
    for args in [&[][..], &["."], &["roles"], &["roles/prod.yaml", "roles"]] {
        let output = repository.diff(&[&["--base", "HEAD", "--fail-on", "any"], args].concat());
        assert_eq!(output.status.code(), Some(0), "{args:?} {}{}", stdout(&output), stderr(&output));
    }
    for named in ["build/deep", "build/deep/a.yaml", "roles/b.gen.yaml"] {
        let output = repository.diff(&["--base", "HEAD", "--fail-on", "any", named]);
        assert!(stdout(&output).ends_with(": 1 new.\n"), "{named} {}{}", stdout(&output), stderr(&output));
    }
    let below = repository.diff(&["--base", "HEAD", "--fail-on", "any", "build"]);
    assert_eq!(below.status.code(), Some(2), "what is named is read: {}", stdout(&below));
    fs::write(repository.path().join("roles/tracked.gen.yaml"), "").expect("a file");
    let output = repository.diff(&["--base", "HEAD"]);
    assert!(stdout(&output).ends_with(": 1 gone.\n"), "{}", stdout(&output));
}

#[test]
fn errors_of_the_old_side_have_their_places() {
    let Some(repository) = Repository::new() else { return };
    repository.role("r.yaml", "r", "Strict");
    repository.commit();
    repository.role("r.yaml", "r", "strict");
    insta::assert_snapshot!(all(&repository.diff(&["--base", "HEAD"])));
}

#[test]
fn outside_of_a_repository_is_trouble() {
    if Repository::new().is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = recmode();
    command.current_dir(&folder).args(["diff", "--base", "HEAD"]).env("GIT_CEILING_DIRECTORIES", "/");
    let output = command.output().expect("recmode runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("not a git repository"), "{}", stderr(&output));
}

#[test]
fn the_locals_of_a_revision_are_those_of_its_own_files() {
    let Some(repository) = Repository::new() else { return };
    let write = |name: &str, text: &str| {
        let path = repository.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    let role = "resource \"teleport_role\" \"a\" {\n  metadata = { name = \"a\" }\n  spec     = { options = { record_session = { ssh = local.mode } } }\n}\n";
    write("m/role.tf", role);
    write("m/locals.tf", "locals {\n  mode = \"strict\"\n}\n");
    repository.commit();
    write("m/locals.tf", "locals {\n  mode = \"best_effort\"\n}\n");
    let output = repository.diff(&["--base", "HEAD"]);
    assert_eq!(output.status.code(), Some(1), "{}", all(&output));
    assert!(
        stdout(&output).contains("strict") && stdout(&output).contains("best_effort"),
        "{}",
        all(&output)
    );
}

#[test]
fn roles_in_strings_are_compared_and_what_is_not_read_is_a_warning_on_each_side() {
    let Some(repository) = Repository::new() else { return };
    let map = |mode: &str| {
        format!(
            "kind: ConfigMap\ndata:\n  r: |\n    kind: role\n    metadata: {{name: a}}\n    spec: {{options: {{record_session: {{ssh: {mode}}}}}}}\n"
        )
    };
    let user = "kind: user\nmetadata: {name: u}\nspec: {roles: [a]}\n";
    fs::write(repository.path().join("user.yaml"), user).expect("a file");
    fs::write(repository.path().join("map.yaml"), map("strict")).expect("a file");
    fs::write(repository.path().join("r.tpl"), "kind: role\n").expect("a file");
    repository.commit();
    fs::write(repository.path().join("map.yaml"), map("best_effort")).expect("a file");
    let output = recmode().current_dir(repository.path()).args(["diff", "--base", "HEAD"]).output();
    let output = output.expect("recmode runs");
    assert_eq!(output.status.code(), Some(1), "{}", all(&output));
    assert!(stdout(&output).contains("map.yaml:6:44"), "{}", stdout(&output));
    let warnings: Vec<_> = stderr(&output)
        .lines()
        .filter_map(|line| line.split_once(": warning: this looks like a role and is not read: "))
        .map(|(place, _)| place.to_owned())
        .collect();
    assert_eq!(warnings, ["HEAD:r.tpl:1:7", "./r.tpl:1:7"], "{}", stderr(&output));
}
