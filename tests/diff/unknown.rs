//! Changes that depend on expressions of Terraform.

use std::fs;

use super::{stderr, stdout};

fn role(settings: &str) -> String {
    format!(
        "resource \"teleport_role\" \"x\" {{\n  version = \"v7\"\n  metadata = {{ name = \"x\" }}\n  spec = {{ options = {{ record_session = {{ {settings} }} }} }}\n}}\n"
    )
}

fn diff(old: &str, new: &str, args: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("old.tf"), role(old)).expect("a file");
    fs::write(folder.path().join("new.tf"), role(new)).expect("a file");
    let mut command = super::support::recmode();
    let output = command.current_dir(folder.path()).args(["diff", "old.tf", "new.tf"]).args(args).output();
    let output = output.expect("recmode runs");
    assert!(output.status.code().is_some_and(|code| code < 2), "{}", stderr(&output));
    (output.status.code(), stdout(&output))
}

#[test]
fn an_expression_that_is_unchanged_changes_nothing() {
    let (code, out) = diff("default = var.mode", "default = var.mode", &["--fail-on", "any"]);
    assert_eq!(code, Some(0));
    assert!(out.starts_with("No change in session recording"), "{out}");
}

#[test]
fn a_possible_loosening_is_listed_and_counts() {
    let (code, out) = diff("ssh = \"strict\"", "ssh = var.mode", &[]);
    assert_eq!(code, Some(1));
    assert!(out.contains("ssh      may be loosened  strict -> strict or best_effort"), "{out}");
    assert!(out.contains("ssh: strict became unknown in role \"x\" (new.tf:4:49)"), "{out}");
    let (code, out) = diff("default = var.a", "default = var.b", &["--format", "json"]);
    assert_eq!(code, Some(1));
    let tree: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(tree["summary"]["may_loosen"], 5);
    assert_eq!(tree["changes"][0]["change"], "may_loosen");
    assert_eq!(tree["changes"][0]["before"]["mode"], serde_json::Value::Null);
    let (code, out) = diff("ssh = \"strict\"", "ssh = var.mode", &["--format", "markdown"]);
    assert_eq!(code, Some(1));
    assert!(out.contains("**1 may be loosened**") && out.contains("| **may be loosened** |"), "{out}");
}

#[test]
fn what_can_only_become_stricter_does_not_fail() {
    let (code, out) = diff("ssh = \"best_effort\"", "ssh = var.mode", &[]);
    assert_eq!(code, Some(0));
    assert!(out.contains("may be tightened"), "{out}");
    assert_eq!(diff("default = var.mode", "default = var.mode, ssh = \"strict\"", &[]).0, Some(0));
}

#[test]
fn an_expression_is_unchanged_only_as_long_as_what_it_refers_to_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let of_module = |side: &str, settings: &str, others: &[(&str, &str)]| {
        let path = folder.path().join(side);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        fs::write(path.join("role.tf"), role(settings)).expect("a file");
        for (name, text) in others {
            fs::write(path.join(name), text).expect("a file");
        }
    };
    let variable = "variable \"mode\" {\n  default = \"strict\"\n}\n";
    let loose = variable.replace("strict", "best_effort");
    let locals = "locals {\n  a = lower(local.b)\n  b = var.mode\n  c = 1\n}\n";
    let json = r#"{"variable": {"mode": {"default": "strict"}}, "locals": {"a": "${lower(var.mode)}"}}"#;
    let by_local = "ssh = upper(local.a)";
    for (settings, old, new, is_changed) in [
        (
            "ssh = var.mode",
            [("v.tf", variable), ("l.tf", "")],
            [("v.tf", loose.as_str()), ("l.tf", "")],
            true,
        ),
        (
            by_local,
            [("v.tf", variable), ("l.tf", locals)],
            [("v.tf", loose.as_str()), ("l.tf", locals)],
            true,
        ),
        (
            by_local,
            [("v.tf", variable), ("l.tf", locals)],
            [("v.tf", variable), ("l.tf", &locals.replace("b = var.mode", "b = \"best_${var.mode}\""))],
            true,
        ),
        // What it does not refer to may change, and so may the file.
        (
            by_local,
            [("v.tf", variable), ("l.tf", locals)],
            [("x.tf", variable), ("l.tf", &locals.replace("c = 1", "c = 2"))],
            false,
        ),
        (
            by_local,
            [("l.tf.json", json), ("x.tf", "")],
            [("l.tf.json", &json.replace("strict", "best_effort")), ("x.tf", "")],
            true,
        ),
        (by_local, [("l.tf.json", json), ("x.tf", "")], [("l.tf.json", json), ("x.tf", "\n")], false),
        (
            "ssh = module.m.mode",
            [("m.tf", "module \"m\" {\n  mode = \"strict\"\n}\n"), ("x.tf", "")],
            [("m.tf", "module \"m\" {\n  mode = \"best_effort\"\n}\n"), ("x.tf", "")],
            true,
        ),
        (
            "ssh = data.external.m.result.mode",
            [("m.tf", "data \"external\" \"m\" {\n  program = [\"a\"]\n}\n"), ("x.tf", "")],
            [("m.tf", "data \"external\" \"m\" {\n  program = [\"b\"]\n}\n"), ("x.tf", "")],
            true,
        ),
        (
            "ssh = terraform_data.m.output",
            [("m.tf.json", r#"{"resource": {"terraform_data": {"m": {"input": "strict"}}}}"#), ("x.tf", "")],
            [
                ("m.tf.json", r#"{"resource": {"terraform_data": {"m": {"input": "best_effort"}}}}"#),
                ("x.tf", ""),
            ],
            true,
        ),
    ] {
        of_module("old", settings, &old);
        of_module("new", settings, &new);
        let mut command = super::support::recmode();
        let output = command.current_dir(folder.path()).args(["diff", "old", "new"]).output();
        let output = output.expect("recmode runs");
        let expected = if is_changed { "ssh      may be loosened" } else { "No change in session recording" };
        assert!(stdout(&output).contains(expected), "{old:?} {new:?}: {}", stdout(&output));
        assert_eq!(output.status.code(), Some(i32::from(is_changed)), "{}", stderr(&output));
    }
}

#[test]
fn what_a_resource_is_repeated_for_is_part_of_its_expressions() {
    let each = |mode: &str| {
        format!(
            "resource \"teleport_role\" \"x\" {{\n  for_each = {{ a = \"strict\", b = \"{mode}\" }}\n  metadata = {{ name = \"x\" }}\n  spec = {{ options = {{ record_session = {{ ssh = each.value }} }} }}\n}}\n"
        )
    };
    let folder = tempfile::tempdir().expect("a folder");
    for (new, code) in [("strict", 0), ("best_effort", 1)] {
        fs::write(folder.path().join("old.tf"), each("strict")).expect("a file");
        fs::write(folder.path().join("new.tf"), each(new)).expect("a file");
        let mut command = super::support::recmode();
        let output = command.current_dir(folder.path()).args(["diff", "old.tf", "new.tf"]).output();
        assert_eq!(output.expect("recmode runs").status.code(), Some(code), "{new}");
    }
}

#[test]
fn a_role_that_is_not_read_may_loosen_any_if_it_is_new() {
    let folder = tempfile::tempdir().expect("a folder");
    for (old, new, code, code_of_any) in [
        (Some("kind: role\n"), Some("kind: role\n"), 0, 0),
        (None, Some("kind: role\n"), 1, 1),
        (Some("kind: role\n"), None, 0, 1),
    ] {
        for (side, template) in [("old", old), ("new", new)] {
            let path = folder.path().join(side);
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).expect("a folder");
            fs::write(path.join("a.tf"), role("ssh = \"strict\"")).expect("a file");
            if let Some(template) = template {
                fs::write(path.join("b.tpl"), template).expect("a file");
            }
        }
        let code_of = |args: &[&str]| {
            let mut command = super::support::recmode();
            command.current_dir(folder.path()).args(["diff", "old", "new"]).args(args);
            command.output().expect("recmode runs").status.code()
        };
        assert_eq!(code_of(&[]), Some(code), "{old:?} {new:?}");
        assert_eq!(code_of(&["--fail-on", "any"]), Some(code_of_any), "{old:?} {new:?}");
    }
}
