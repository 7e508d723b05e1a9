//! `--fix`: what it changes, what it leaves alone, and that it never loosens.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use super::{all, lint, lint_stdin, read, repository, role, stderr, stdout};

/// What `--fix` makes of a file.
fn fixed(text: &str) -> String {
    let folder = repository(&[("a.yaml", text)]);
    lint(folder.path(), &["--fix", "-q"]);
    read(&folder, "a.yaml")
}

#[test]
fn slips_are_mended_and_every_other_byte_stays() {
    let text = "# Ours.\r\nkind: role\r\nversion: v7\r\nmetadata: {name: \"a\"}   \r\nspec:\r\n  options:\r\n    record_session:\r\n      default:   'Strict'  # agreed\r\n      SSH: strcit\r\n      db: \"best-effort\"\r\n\r\n\r\n";
    let expected = text.replace("'Strict'", "'strict'").replace("SSH", "ssh").replace("strcit", "strict");
    assert_eq!(fixed(text), expected, "db: best_effort would beat the default, so it is left");
    let json = "[{\"kind\":\"role\",\"metadata\":{\"name\":\"a\"},\"spec\":{\"options\":{\"record_session\":{\"ssh\":\"STRICT\"}}}}]";
    let folder = repository(&[("a.json", json)]);
    lint(folder.path(), &["--fix"]);
    assert_eq!(read(&folder, "a.json"), json.replace("STRICT", "strict"));
}

#[test]
fn best_effort_is_mended_where_it_loosens_nothing_that_was_read() {
    let slip = role("a", &["ssh: best-effort"]);
    assert_eq!(fixed(&slip), slip.replace("best-effort", "best_effort"));
    let with_strict = format!("{slip}---\n{}", role("b", &["default: strict"]));
    assert_eq!(fixed(&with_strict), with_strict);
}

#[test]
fn what_may_be_mended_is_mended_among_much_that_may_not() {
    let roles: Vec<_> = (0..40)
        .map(|n| {
            // Best effort is refused beside a strict default, a slip of strict is not.
            let k8s = if n % 4 == 0 { "k8s: Strict" } else { "k8s: Best-Effort" };
            role(&format!("r{n}"), &["default: strict", k8s, "db: strict"])
        })
        .collect();
    let text = roles.join("---\n");
    assert_eq!(fixed(&text), text.replace("Strict", "strict"));
    let loose: Vec<_> = (0..40).map(|n| role(&format!("r{n}"), &["ssh: best-effort"])).collect();
    let text = loose.join("---\n");
    assert_eq!(fixed(&text), text.replace("best-effort", "best_effort"));
    // What is made strict at the same time is not loosened by what is made loose.
    let both = format!("{}---\n{}", role("a", &["default: Strict"]), role("b", &["ssh: best-effort"]));
    assert_eq!(fixed(&both), both.replace("Strict", "strict"));
}

#[test]
fn no_mode_is_ever_chosen() {
    for value in ["strict|best_effort", "true", "record", "sync", "", "[strict]", "none"] {
        let text = role("a", &[&format!("default: {value}")]);
        assert_eq!(fixed(&text), text);
    }
    let text = role("a", &["kubernetes: strict", "all: strict", "mode: strict"]);
    assert_eq!(fixed(&text), text, "another word is no slip");
}

#[test]
fn a_misplaced_one_moves_only_where_there_is_room_and_nothing_is_loosened() {
    let head = "kind: role\nmetadata: {name: a}\nspec:\n";
    let moved = |body: &str| fixed(&format!("{head}{body}")).strip_prefix(head).expect("the head").to_owned();
    assert_eq!(
        moved("  allow:\n    logins: [a]\n    record_session:\n      default: strict\n"),
        "  options:\n    record_session:\n      default: strict\n  allow:\n    logins: [a]\n"
    );
    for left_alone in [
        "  options:\n    record_session: {ssh: strict}\n  record_session:\n    default: strict\n",
        "  options: {} extra\n  record_session:\n    default: strict\n",
        "  allow: {record_session: {default: strict # mine\n    }}\n",
    ] {
        assert_eq!(moved(left_alone), left_alone);
    }
    assert_eq!(
        moved("  options: {} # none\n  record_session:\n    default: strict\n"),
        "  options: # none\n    record_session:\n      default: strict\n"
    );
    let loosening =
        format!("{head}  record_session:\n    ssh: best_effort\n---\n{}", role("b", &["default: strict"]));
    assert_eq!(fixed(&loosening), loosening);
    let recording_off = format!("{head}  record_session:\n    default: strict\n    desktop: false\n");
    assert_eq!(fixed(&recording_off), recording_off);
}

#[test]
fn a_comment_above_what_is_emptied_goes_along() {
    let text = "kind: role\nmetadata: {name: a}\nspec:\n  allow:\n    logins: [a]\n    # Ours.\n    options:\n      # Always.\n      record_session:\n        default: strict\n  deny: {}\n";
    let expected = "kind: role\nmetadata: {name: a}\nspec:\n  options:\n    # Ours.\n    # Always.\n    record_session:\n      default: strict\n  allow:\n    logins: [a]\n  deny: {}\n";
    assert_eq!(fixed(text), expected);
}

#[test]
fn in_braces_it_moves_too_and_every_other_byte_stays() {
    let head = "kind: role\nmetadata: {name: a}\n";
    for (before, after) in [
        (
            "spec: {allow: {logins: [it's, \"a}b\"], record_session: {default: strict}, x: 1}, deny: {}}\n",
            "spec: {options: {record_session: {default: strict}}, allow: {logins: [it's, \"a}b\"], x: 1}, deny: {}}\n",
        ),
        (
            "spec:\n  allow: {record_session: {default: strict}}   # none\n  options:\n    # why\n    x: 1\n",
            "spec:\n  allow: {}   # none\n  options:\n    record_session: {default: strict}\n    # why\n    x: 1\n",
        ),
        (
            "spec: {record_session: {default: strict}}\r\n",
            "spec: {options: {record_session: {default: strict}}}\r\n",
        ),
        (
            "spec: {allow: {a: 1, record_session: {default: strict}}, options: { }}\n",
            "spec: {allow: {a: 1}, options: {record_session: {default: strict}}}\n",
        ),
    ] {
        assert_eq!(fixed(&format!("{head}{before}")), format!("{head}{after}"));
    }
}

#[test]
fn json_stays_json() {
    let minified =
        r#"[{"kind":"role","metadata":{"name":"a"},"spec":{"record_session":{"default":"strict"}}}]"#;
    let pretty = "{\n  \"kind\": \"role\",\n  \"metadata\": {\"name\": \"b\"},\n  \"spec\": {\n    \"allow\": {\n      \"logins\": [\"x\"],\n      \"record_session\": {\n        \"default\": \"strict\"\n      }\n    },\n    \"options\": {\n      \"forward_agent\": true\n    }\n  }\n}\n";
    let folder = repository(&[("a.json", minified), ("b.json", pretty)]);
    let output = lint(folder.path(), &["--fix"]);
    assert_eq!(output.status.code(), Some(0), "{}", all(&output));
    assert_eq!(
        read(&folder, "a.json"),
        r#"[{"kind":"role","metadata":{"name":"a"},"spec":{"options":{"record_session":{"default":"strict"}}}}]"#
    );
    let moved = pretty.replace(
        "[\"x\"],\n      \"record_session\": {\n        \"default\": \"strict\"\n      }\n",
        "[\"x\"]\n",
    );
    let moved = moved.replace(
        "      \"forward_agent\"",
        "      \"record_session\": {\n        \"default\": \"strict\"\n      },\n      \"forward_agent\"",
    );
    assert_eq!(read(&folder, "b.json"), moved);
    for name in ["a.json", "b.json"] {
        serde_json::from_str::<serde_json::Value>(&read(&folder, name)).expect("JSON");
    }
}

#[test]
fn what_is_on_lines_of_its_own_is_so_in_empty_braces_too() {
    let json = "{\n  \"kind\": \"role\",\n  \"metadata\": {\"name\": \"a\"},\n  \"spec\": {\n    \"options\": {},\n    \"record_session\": {\n      \"default\": \"strict\"\n    }\n  }\n}\n";
    let moved = "{\n  \"kind\": \"role\",\n  \"metadata\": {\"name\": \"a\"},\n  \"spec\": {\n    \"options\": {\n      \"record_session\": {\n        \"default\": \"strict\"\n      }\n    }\n  }\n}\n";
    let hcl = "resource \"teleport_role\" \"f\" {\n  metadata = { name = \"f\" }\n  spec = {\n    options = {}\n    # Always.\n    record_session = {\n      default = \"strict\"\n    }\n  }\n}\n";
    let moved_hcl = "resource \"teleport_role\" \"f\" {\n  metadata = { name = \"f\" }\n  spec = {\n    options = {\n      # Always.\n      record_session = {\n        default = \"strict\"\n      }\n    }\n  }\n}\n";
    let folder = repository(&[("a.json", json), ("a.tf", hcl)]);
    let output = lint(folder.path(), &["--fix", "a.json"]);
    assert_eq!(
        (output.status.code(), read(&folder, "a.json").as_str()),
        (Some(0), moved),
        "{}",
        all(&output)
    );
    let output = lint(folder.path(), &["--fix", "a.tf"]);
    assert_eq!(
        (output.status.code(), read(&folder, "a.tf").as_str()),
        (Some(0), moved_hcl),
        "{}",
        all(&output)
    );
    let flow = "kind: role\nmetadata: {name: a}\nspec:\n  allow: {\n    record_session: {default: strict}\n  }\n  options: {}\n";
    let moved_flow = "kind: role\nmetadata: {name: a}\nspec:\n  allow: {\n  }\n  options: {\n    record_session: {default: strict}}\n";
    assert_eq!(fixed(flow), moved_flow);
}

#[test]
fn a_misspelt_one_in_a_wrong_place_is_spelt_and_moved() {
    let head = "kind: role\nmetadata: {name: a}\n";
    let expected = format!("{head}spec:\n  options:\n    record_session:\n      ssh: strict\n  deny: {{}}\n");
    for place in [
        "spec:\n  record_sessions:\n    ssh: strict\n  deny: {}\n",
        "spec:\n  allow:\n    options:\n      record-session:\n        ssh: strict\n  deny: {}\n",
    ] {
        assert_eq!(fixed(&format!("{head}{place}")), expected);
    }
    let labels = "kind: role\nmetadata: {name: a, labels: {record_sessions: x}}\nspec: {allow: {node_labels: {record-session: y}}}\n";
    assert_eq!(fixed(labels), labels);
    let folder = repository(&[("a.yaml", labels)]);
    assert_eq!(lint(folder.path(), &[]).status.code(), Some(0));
}

#[test]
fn a_misplaced_one_moves_with_all_slips_in_it() {
    let text = "kind: role\nmetadata: {name: a}\nspec:\n  record_session:\n    SSH: Strict # ours\n    k8s: STRICT\n    default: sync\n    colour: blue\n";
    let expected = "kind: role\nmetadata: {name: a}\nspec:\n  options:\n    record_session:\n      ssh: strict # ours\n      k8s: strict\n      default: sync\n      colour: blue\n";
    assert_eq!(fixed(text), expected);
}

#[test]
fn in_terraform_it_moves_with_the_comments_above_it() {
    let text = "resource \"teleport_role\" \"f\" {\n  metadata = { name = \"f\" }\n  spec = {\n    allow = {\n      logins = [\"x\"]\n      # Always.\n      record_session = {\n        default = \"strict\"\n      }\n    }\n    options = {\n      forward_agent = true\n    }\n  }\n}\n\nresource \"teleport_role\" \"g\" {\n  metadata = { name = \"g\" }\n  spec = { allow = { logins = [], record_session = { default = \"strict\" } } }\n}\n\nresource \"teleport_role\" \"h\" {\n  metadata = { name = \"h\" }\n  spec = { record_session = { default = \"strict ${var.x}\" } }\n}\n";
    let folder = repository(&[("a.tf", text)]);
    lint(folder.path(), &["--fix", "-q"]);
    let entry = "      # Always.\n      record_session = {\n        default = \"strict\"\n      }\n";
    let expected =
        text.replace(entry, "").replace("options = {\n", &format!("options = {{\n{entry}")).replace(
            "{ allow = { logins = [], record_session = { default = \"strict\" } } }",
            "{ options = { record_session = { default = \"strict\" } }, allow = { logins = [] } }",
        );
    assert_eq!(read(&folder, "a.tf"), expected);
}

#[test]
fn a_rule_of_no_use_is_taken_out_of_a_list() {
    let text = role(
        "a",
        &[
            "default: strict # recmode: ignore[invalid-mode] why",
            "ssh: best_effort # recmode: ignore[invalid-mode,shadowed-default, syntax] why",
        ],
    );
    let expected = text
        .replace(" # recmode: ignore[invalid-mode] why", "")
        .replace("[invalid-mode,shadowed-default, syntax]", "[shadowed-default]");
    assert_eq!(fixed(&text), expected);
}

#[test]
fn standard_input_is_repaired_to_standard_output() {
    let folder = repository(&[("b.yaml", &role("b", &["ssh: strict"]))]);
    let text = role("a", &["default: Strict", "ssh: on"]);
    let output = lint_stdin(folder.path(), &["--fix", "-"], &text);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), text.replace("Strict", "strict"));
    assert!(
        stderr(&output).ends_with("1 finding in 1 role in 1 file: 1 error; 1 repaired\n"),
        "{}",
        stderr(&output)
    );
    let fine = role("a", &["default: strict"]);
    let output = lint_stdin(folder.path(), &["--fix", "-", "-o", "out.txt"], &fine);
    assert_eq!((output.status.code(), stdout(&output), stderr(&output)), (Some(0), fine, String::new()));
    assert_eq!(read(&folder, "out.txt"), "no findings in 1 role in 1 file\n");
    let output = lint_stdin(folder.path(), &["--fix", "-", "b.yaml"], &text);
    assert_eq!((output.status.code(), stdout(&output)), (Some(2), String::new()));
}

#[test]
fn a_patch_is_from_the_repositorys_root_where_a_file_is_not_below_the_current_folder() {
    let folder = repository(&[("roles/a \"b\".yaml", &role("a", &["default: Strict"])), ("other/x", "")]);
    let output = lint(&folder.path().join("other"), &["--fix", "--dry-run", "../roles"]);
    let patch = stdout(&output);
    assert!(patch.starts_with("--- \"a/roles/a \\\"b\\\".yaml\"\n"), "{patch}");
    assert!(stderr(&output).contains("the paths of this patch are from "), "{}", stderr(&output));
    let mut git = Command::new("git");
    git.args(["apply", "-"])
        .current_dir(folder.path())
        .env("GIT_CEILING_DIRECTORIES", "/")
        .stdin(Stdio::piped());
    let mut git = git.spawn().expect("git runs");
    git.stdin.take().expect("a pipe").write_all(&output.stdout).expect("git reads");
    assert!(git.wait().expect("git ends").success());
    assert!(read(&folder, "roles/a \"b\".yaml").contains("default: strict"));
}

#[test]
fn a_dry_run_shows_a_patch_and_writes_nothing() {
    let text = role("a", &["default: Strict", "ssh: strict # recmode: ignore[invalid-mode] x"]);
    let folder = repository(&[("roles/a.yaml", &text)]);
    insta::assert_snapshot!(all(&lint(folder.path(), &["--fix", "--dry-run"])));
    assert_eq!(read(&folder, "roles/a.yaml"), text);
    assert_eq!(lint(folder.path(), &["--dry-run"]).status.code(), Some(2), "only with --fix");
}

#[test]
fn the_rest_is_reported_and_permissions_and_links_stay() {
    let text = role("a", &["default: Strict", "ssh: on"]);
    let folder = repository(&[("real.txt", &text)]);
    let real = folder.path().join("real.txt");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).expect("permissions");
    std::os::unix::fs::symlink("real.txt", folder.path().join("a.yaml")).expect("a link");
    let output = lint(folder.path(), &["--fix"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stdout(&output).ends_with("1 finding in 1 role in 1 file: 1 error; 1 repaired\n"),
        "{}",
        stdout(&output)
    );
    assert_eq!(read(&folder, "real.txt"), text.replace("Strict", "strict"));
    assert_eq!(fs::metadata(&real).expect("a file").permissions().mode() & 0o777, 0o640);
    assert!(folder.path().join("a.yaml").is_symlink());
}

#[test]
fn no_mode_is_written_where_an_expression_could_be_stricter() {
    let with = |settings: &str| {
        format!(
            "resource \"teleport_role\" \"x\" {{\n  version = \"v7\"\n  metadata = {{ name = \"x\" }}\n  spec = {{ options = {{ record_session = {{ {settings} }} }} }}\n}}\n"
        )
    };
    let slip = "kind: role\nversion: v7\nmetadata: {name: y}\nspec: {options: {record_session: {ssh: best-effort}}}\n";
    // In the role itself, and beside another one that may be strict by its default.
    for (file, before, beside) in [
        ("x.tf", with("default = var.mode, sssh = \"best_effort\""), String::new()),
        ("y.yaml", slip.to_owned(), with("default = var.mode")),
    ] {
        let folder = repository(&[(file, before.as_str()), ("beside.tf", beside.as_str())]);
        lint(folder.path(), &["--fix"]);
        assert_eq!(read(&folder, file), before, "{file}");
    }
    // What is strict whatever the expression is may be repaired, and so may what nothing strict can be beside.
    for (file, before, beside) in [
        ("x.tf", with("default = var.mode, sssh = \"strict\""), String::new()),
        ("y.yaml", slip.to_owned(), with("k8s = var.mode")),
    ] {
        let folder = repository(&[(file, before.as_str()), ("beside.tf", beside.as_str())]);
        lint(folder.path(), &["--fix"]);
        assert_ne!(read(&folder, file), before, "{file}");
    }
}
