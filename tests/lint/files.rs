//! Which files are looked at: as git lists them, and nothing that was named passes unread. `resolve` agrees.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::process::Output;

use super::support::git::Repository;
use super::{lint, lint_stdin, recmode, repository, role, stderr, stdout};

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn resolve(folder: &std::path::Path, args: &[&str]) -> Output {
    recmode(folder).args(["resolve", "--roles"]).args(args).output().expect("recmode runs")
}

const HCL: &str = "resource \"teleport_role\" \"x\" {\n  version = \"v7\"\n  metadata = { name = \"x\" }\n  spec = { options = { record_session = { ssh = \"strict\" } } }\n}\n";

#[test]
fn what_git_tracks_is_not_ignored() {
    let Some(repository) = Repository::new() else { return };
    repository.role("roles/db.yaml", "db", "strict");
    repository.role("gen/web.yaml", "web", "strict");
    repository.write(".recmode.yaml", "version: 1\nrequire:\n- {roles: ['*'], kinds: [ssh], mode: strict}\n");
    repository.commit();
    assert_eq!(code(&repository.run(&["lint"])), Some(0));
    repository.role("roles/db.yaml", "db", "Best_effort");
    repository.role("gen/web.yaml", "web", "best_effort");
    repository.role("gen/untracked.yaml", "untracked", "none");
    repository.write(".gitignore", "roles/db.yaml\ngen/\n");
    for args in [&["lint"][..], &["lint", "."], &["lint", "roles", "gen"]] {
        let output = repository.run(args);
        assert_eq!(code(&output), Some(1), "{args:?} {}{}", stdout(&output), stderr(&output));
        let text = stdout(&output);
        assert!(text.contains("roles/db.yaml") && text.contains(" in 2 roles in 2 files"), "{text}");
    }
    repository.run(&["lint", "--fix"]);
    let fixed = fs::read_to_string(repository.path().join("roles/db.yaml")).expect("a file");
    assert!(fixed.contains("best_effort"), "--fix sees it too: {fixed}");
    let modes = resolve(repository.path(), &[".", "--kind", "ssh", "--format", "mode"]);
    assert_eq!((code(&modes), stdout(&modes).as_str()), (Some(0), "best_effort\n"));
}

#[test]
fn where_git_refuses_everything_is_read_and_the_reason_is_given() {
    let wrong = role("wrong", &["default: on"]);
    let files =
        [(".gitignore", "build/\n"), ("build/a.yaml", &*wrong), ("b.yaml", &role("b", &["default: strict"]))];
    let folder = repository(&files);
    assert_eq!(code(&lint(folder.path(), &[])), Some(0), "what git ignores is left out");
    fs::remove_file(folder.path().join(".git/HEAD")).expect("removed");
    let broken = lint(folder.path(), &[]);
    assert_eq!(code(&broken), Some(1));
    let reason = "no .gitignore is honoured and everything is read, since git can't list the files here: git: not a git repository";
    assert!(stderr(&broken).contains(reason), "{}", stderr(&broken));
    fs::write(folder.path().join(".git/HEAD"), "ref: refs/heads/main\n").expect("a file");
    let mut without = recmode(folder.path());
    let without = without.arg("lint").env("PATH", folder.path()).output().expect("recmode runs");
    assert_eq!(code(&without), Some(1));
    assert!(stderr(&without).contains("git can't be run: "), "{}", stderr(&without));
    let error = resolve(folder.path(), &[".", "--kind", "ssh", "--format", "mode"]);
    assert_eq!(code(&error), Some(0), "{}", stderr(&error));
}

#[test]
fn a_checkout_of_another_user_is_read_as_a_whole() {
    if !nix::unistd::geteuid().is_root() {
        assert!(std::env::var_os("RECMODE_TEST_NO_SKIP").is_none(), "root is needed");
        eprintln!("skipped: root is needed");
        return;
    }
    let Some(repository) = Repository::new() else { return };
    repository.role("roles/db.yaml", "db", "strict");
    repository.role("gen/web.yaml", "web", "none");
    repository.write(".gitignore", "gen/\n");
    assert_eq!(code(&repository.run(&["lint"])), Some(0));
    repository.chown(65534);
    let output = repository.run(&["lint"]);
    assert_eq!(code(&output), Some(1), "{}", stdout(&output));
    assert!(stderr(&output).contains("dubious ownership"), "{}", stderr(&output));
}

#[test]
fn a_repository_in_a_repository_has_its_own_list() {
    let Some(repository) = Repository::new() else { return };
    repository.role("roles/db.yaml", "db", "strict");
    repository.write(".gitignore", "*.gen.yaml\n");
    repository.git(&["init", "-q", "nested"]);
    repository.role("nested/seen.gen.yaml", "seen", "none");
    repository.role("nested/ignored.yaml", "ignored", "none");
    repository.write("nested/.gitignore", "ignored.yaml\n");
    let text = stdout(&repository.run(&["lint"]));
    assert!(text.contains("nested/seen.gen.yaml") && !text.contains("ignored.yaml"), "{text}");
}

#[test]
fn hcl_is_read_where_its_name_shows_it_and_is_trouble_elsewhere() {
    let folder = repository(&[("roles.txt", HCL), ("x.tf.tmpl", HCL), ("x.hcl", HCL), ("x.yaml", HCL)]);
    let path = folder.path();
    let named = lint_stdin(path, &["--stdin-name", "x.tf", "-"], HCL);
    assert_eq!((code(&named), stdout(&named).contains("in 1 role in 1 file")), (Some(0), true));
    for args in [&["-"][..], &["--stdin-name", "x.yaml", "-"]] {
        let output = lint_stdin(path, args, HCL);
        assert_eq!(code(&output), Some(2), "{args:?} {}", stdout(&output));
        assert!(stderr(&output).contains("this is Terraform's language"), "{}", stderr(&output));
    }
    for (file, expected) in [("roles.txt", 2), ("x.yaml", 2), ("x.tf.tmpl", 0), ("x.hcl", 0)] {
        let output = lint(path, &[file]);
        assert_eq!(code(&output), Some(expected), "{file} {}{}", stdout(&output), stderr(&output));
        assert_eq!(code(&resolve(path, &[file])), Some(expected), "{file}");
    }
    let text = HCL.replace("x\" {", "x\" {\n  note = \"a: b\" # c: d");
    assert_eq!(code(&lint_stdin(path, &["-"], &text)), Some(2), "also where it is not well-formed YAML");
}

#[test]
fn tofu_is_read_in_folders() {
    let json = "{\"resource\": {\"teleport_role\": {\"y\": {\"metadata\": {\"name\": \"y\"}, \"spec\": {\"options\": {\"record_session\": {\"ssh\": \"strict\"}}}}}}}";
    let folder = repository(&[("x.tofu", HCL), ("y.tofu.json", json)]);
    let output = lint(folder.path(), &[]);
    assert!(stdout(&output).contains(" in 2 roles in 2 files"), "{}", stdout(&output));
    assert_eq!(code(&resolve(folder.path(), &[".", "--role", "x", "--role", "y"])), Some(0));
}

#[test]
fn json_with_comments_is_trouble_where_it_is_named_and_a_finding_where_it_may_be_a_role() {
    let commented = "{ // the role\n  \"kind\": \"role\", \"metadata\": {\"name\": \"a\"},\n  \"spec\": {\"options\": {\"record_session\": {\"ssh\": \"best_effort\"}}}\n}\n";
    let fine = role("fine", &["default: strict"]);
    let settings = "{\n  // of an editor\n  \"tabs\": true\n}\n";
    let folder =
        repository(&[("fine.yaml", &fine), ("roles/a.json", commented), ("tsconfig.json", settings)]);
    let path = folder.path();
    for args in [&["roles/a.json"][..], &["tsconfig.json"]] {
        let output = lint(path, args);
        assert_eq!(code(&output), Some(2), "{args:?} {}", stdout(&output));
        assert!(stderr(&output).contains("this comment keeps the document"), "{}", stderr(&output));
        assert_eq!(code(&resolve(path, args)), Some(2));
    }
    for text in [commented, &format!("// at the top\n{}", commented.replace(" // the role", ""))] {
        assert_eq!(code(&lint_stdin(path, &["-"], text)), Some(2), "{text}");
    }
    let searched = lint(path, &["."]);
    assert_eq!(code(&searched), Some(1), "{}{}", stdout(&searched), stderr(&searched));
    assert!(stdout(&searched).contains("roles/a.json:1:3") && !stdout(&searched).contains("tsconfig"));
    fs::remove_file(path.join("roles/a.json")).expect("removed");
    assert_eq!(code(&lint(path, &["."])), Some(0));
    assert_eq!(code(&resolve(path, &["."])), Some(0));
}

#[test]
fn text_and_pointers_are_no_role_files() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";
    let folder = repository(&[
        ("fine.yaml", &role("fine", &["default: strict"])),
        ("notes.txt", "all of this\nis text\n"),
        ("roles/lfs.yaml", pointer),
    ]);
    for (file, message) in [("notes.txt", "this is plain text"), ("roles/lfs.yaml", "a pointer of Git LFS")] {
        let output = lint(folder.path(), &[file]);
        assert_eq!(code(&output), Some(2), "{file} {}", stdout(&output));
        assert!(stderr(&output).contains(message), "{}", stderr(&output));
        assert_eq!(code(&resolve(folder.path(), &[file])), Some(2));
    }
    let searched = lint(folder.path(), &["."]);
    assert_eq!(code(&searched), Some(1), "what is behind it may be a role: {}", stderr(&searched));
    assert!(stdout(&searched).contains("roles/lfs.yaml:1:1"), "{}", stdout(&searched));
}

#[test]
fn links_to_nothing_are_trouble() {
    for (link, target) in [("roles/a.yaml", "nowhere.yaml"), ("more", "vendor/roles"), (".recmode.yaml", "x")]
    {
        let folder = repository(&[("roles/fine.yaml", &role("fine", &["default: strict"]))]);
        symlink(target, folder.path().join(link)).expect("a link");
        let output = lint(folder.path(), &[]);
        assert_eq!(code(&output), Some(2), "{link} {}", stdout(&output));
        assert!(stderr(&output).contains(link), "{}", stderr(&output));
    }
}

#[test]
fn a_submodule_that_is_not_checked_out_is_trouble() {
    let (Some(inner), Some(outer)) = (Repository::new(), Repository::new()) else { return };
    inner.role("x.yaml", "x", "strict");
    inner.commit();
    outer.role("roles/db.yaml", "db", "strict");
    let url = inner.path().to_str().expect("UTF-8");
    outer.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "sub"]);
    outer.commit();
    let checked_out = outer.run(&["lint"]);
    assert!(stdout(&checked_out).contains(" in 2 roles in 2 files"), "{}", stdout(&checked_out));
    outer.git(&["submodule", "deinit", "-q", "-f", "sub"]);
    for args in [&["lint"][..], &["lint", "sub"], &["resolve", "--roles", "."]] {
        let output = outer.run(args);
        assert_eq!(code(&output), Some(2), "{args:?} {}", stdout(&output));
        assert!(stderr(&output).contains("a submodule that is not checked out"), "{}", stderr(&output));
    }
    assert_eq!(code(&outer.run(&["lint", "roles"])), Some(0));
}

#[test]
fn a_sparse_checkout_says_how_much_it_leaves_out() {
    let Some(repository) = Repository::new() else { return };
    repository.role("roles/db.yaml", "db", "strict");
    repository.role("other/web.yaml", "web", "none");
    repository.commit();
    repository.git(&["sparse-checkout", "set", "roles"]);
    let output = repository.run(&["lint"]);
    assert_eq!(code(&output), Some(0), "{}", stdout(&output));
    assert!(
        stderr(&output).contains("1 role file here is not read, since this sparse"),
        "{}",
        stderr(&output)
    );
    assert_eq!(stderr(&repository.run(&["lint", "roles"])), "");
    // What is left out could be a role that breaks a requirement.
    let config = "version: 1\nrequire: [{roles: [db], kinds: [ssh], mode: strict}]\n";
    fs::write(repository.path().join(".recmode.yaml"), config).expect("a file");
    let output = repository.run(&["lint"]);
    assert_eq!(code(&output), Some(1));
    let said = "a requirement can't be proved: this checkout is sparse and lacks a file";
    assert!(stdout(&output).contains(said), "{}", stdout(&output));
    assert_eq!(code(&repository.run(&["lint", "roles"])), Some(0), "all of it is here");
}

#[test]
fn a_folder_without_a_role_is_trouble_unless_that_is_allowed() {
    let user = "kind: user\nmetadata: {name: u}\nspec: {roles: [a]}\n";
    let folder = repository(&[
        ("roles/a.yaml", &role("a", &["default: strict"])),
        ("empty/README.md", "nothing"),
        ("foreign/x.yaml", "kind: Deployment\n"),
        ("templates/x.yaml", "a: {{ .Values.x }}\n"),
        ("users/u.yaml", user),
    ]);
    for args in
        [&["empty"][..], &["foreign"], &["templates"], &["users"], &["roles", "empty"], &["roles", "foreign"]]
    {
        let output = lint(folder.path(), args);
        assert_eq!(code(&output), Some(2), "{args:?} {}", stdout(&output));
        assert!(stderr(&output).contains("no role"), "{args:?} {}", stderr(&output));
        let allowed = lint(folder.path(), &[&["--allow-empty"], args].concat());
        assert_eq!((code(&allowed), stderr(&allowed)), (Some(0), String::new()), "{args:?}");
    }
    assert_eq!(code(&lint(folder.path(), &["roles", "users"])), Some(0));
    assert_eq!(code(&lint(folder.path(), &["--exit-zero", "empty"])), Some(2), "it could not be judged");
    assert_eq!(code(&lint(folder.path(), &["--allow-empty", "nowhere"])), Some(2), "no such path");
    assert_eq!(code(&lint(folder.path(), &["roles", "nowhere/*.yaml"])), Some(2));
}

#[test]
fn a_name_for_standard_input_needs_it() {
    let folder = repository(&[("a.yaml", &role("a", &["default: strict"]))]);
    for args in [
        &["lint", "--stdin-name", "x.tf", "a.yaml"][..],
        &["resolve", "--stdin-name", "x.tf", "--roles", "a.yaml"],
    ] {
        let output = recmode(folder.path()).args(args).output().expect("recmode runs");
        assert_eq!((code(&output), stdout(&output)), (Some(2), String::new()), "{args:?}");
        assert!(stderr(&output).contains("no path is -"), "{}", stderr(&output));
    }
}

#[test]
fn the_configuration_may_end_in_yml() {
    let loose = role("a", &["ssh: best_effort"]);
    let config = "version: 1\nrequire:\n- {roles: ['*'], kinds: [ssh], mode: strict}\n";
    for name in [".recmode.yml", ".github/recmode.yml"] {
        let folder = repository(&[("roles/a.yaml", &loose), (name, config)]);
        let output = lint(folder.path(), &["-A", "implicit-best-effort"]);
        assert_eq!(code(&output), Some(1), "{name} {}", stdout(&output));
        let both = folder.path().join(name.replace(".yml", ".yaml"));
        fs::write(both, "version: 1\n").expect("a file");
        let output = lint(folder.path(), &[]);
        assert_eq!(code(&output), Some(2), "{name}");
        assert!(stderr(&output).contains("which of them holds is unclear"), "{}", stderr(&output));
    }
}

#[test]
fn names_that_are_not_utf_8_stay_apart() {
    let folder = repository(&[]);
    let text = role("a", &["default: Strict"]);
    for name in [b"\xfe.yaml", b"\xff.yaml"] {
        let path = folder.path().join(std::ffi::OsStr::from_bytes(name));
        fs::write(path, text.replace("name: a", &format!("name: r{}", name[0]))).expect("a file");
    }
    let output = lint(folder.path(), &["--fix"]);
    assert_eq!(code(&output), Some(0), "{}", stdout(&output));
    for name in [b"\xfe.yaml", b"\xff.yaml"] {
        let fixed =
            fs::read_to_string(folder.path().join(std::ffi::OsStr::from_bytes(name))).expect("a file");
        assert!(
            fixed.contains("default: strict") && fixed.contains(&format!("name: r{}", name[0])),
            "{fixed}"
        );
    }
}

#[test]
fn links_within_what_is_searched_are_followed_and_others_are_trouble() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    for (name, text) in [
        ("roles/..2026/a.yaml", role("a", &["default: strict"])),
        ("shared/b.yaml", role("b", &["default: strict"])),
    ] {
        let file = path.join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, text).expect("a file");
    }
    // A ConfigMap as Kubernetes mounts it.
    symlink("..2026", path.join("roles/..data")).expect("a link");
    symlink("..data/a.yaml", path.join("roles/a.yaml")).expect("a link");
    assert_eq!(code(&lint(path, &["roles"])), Some(0));
    assert_eq!(code(&resolve(path, &["roles"])), Some(0));
    for link in ["roles/b.yaml", "roles/b"] {
        let target = if link.ends_with("yaml") { "../shared/b.yaml" } else { "../shared" };
        symlink(target, path.join(link)).expect("a link");
        let output = lint(path, &["roles"]);
        assert_eq!(code(&output), Some(2), "{}", stdout(&output));
        assert!(
            stderr(&output).contains(&format!("{link}: is a link that leads out")),
            "{}",
            stderr(&output)
        );
        assert_eq!(code(&resolve(path, &["roles"])), Some(2));
        assert_eq!(code(&lint(path, &["roles", "shared"])), Some(0), "both are searched");
        if link.ends_with("yaml") {
            assert_eq!(code(&lint(path, &[link])), Some(0), "it is named");
        }
        fs::remove_file(path.join(link)).expect("removed");
    }
}

#[test]
fn record_runs_no_git_and_reads_what_is_there() {
    let folder =
        repository(&[("roles/a.yaml", &role("a", &["default: strict"])), (".gitignore", "roles/\n")]);
    let marker = folder.path().join("bin/ran");
    fs::create_dir(folder.path().join("bin")).expect("a folder");
    let git = folder.path().join("bin/git");
    fs::write(&git, format!("#!/bin/sh\n: >'{}'\n", marker.display())).expect("a program");
    fs::set_permissions(&git, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("set");
    let path = format!("{}:{}", folder.path().join("bin").display(), std::env::var("PATH").expect("a path"));
    let run =
        |args: &[&str]| recmode(folder.path()).args(args).env("PATH", &path).output().expect("recmode runs");
    let recorded = run(&["record", "--roles", ".", "--kind", "ssh", "-o", "x.cast", "--", "true"]);
    assert_eq!(code(&recorded), Some(0), "{}", stderr(&recorded));
    assert!(!marker.exists());
    run(&["lint", "."]);
    assert!(marker.exists(), "the test sees a git that runs");
}
