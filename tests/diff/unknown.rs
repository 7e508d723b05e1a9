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
