//! Answers that depend on expressions: both modes are possible, and the answer names why.

use std::fs;

use tempfile::TempDir;

use super::{recmode, stderr, stdout};

/// Terraform with a role `app` whose default is an expression, and a role `good` that is strict on ssh.
const ROLES: &str = r#"variable "mode" { default = "strict" }
resource "teleport_role" "app" {
  version  = "v7"
  metadata = { name = "app" }
  spec = { options = { record_session = {
    default = var.mode
    k8s     = "strict"
  } } }
}
resource "teleport_role" "good" {
  version  = "v7"
  metadata = { name = "good" }
  spec = { options = { record_session = { ssh = "strict" } } }
}
resource "teleport_user" "alice" {
  version  = "v2"
  metadata = { name = "alice" }
  spec     = { roles = ["app"] }
}
"#;

fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("roles.tf"), ROLES).expect("a file");
    folder
}

/// Exit code, standard output and standard error.
fn resolve(args: &[&str]) -> (Option<i32>, String, String) {
    let folder = folder();
    let output = recmode()
        .current_dir(folder.path())
        .args(["resolve", "--roles", "roles.tf"])
        .args(args)
        .output()
        .expect("recmode runs");
    (output.status.code(), stdout(&output), stderr(&output))
}

#[test]
fn both_modes_are_shown_with_the_expression_that_decides() {
    let (code, out, _) = resolve(&["--role", "app", "--kind", "ssh"]);
    assert_eq!(code, Some(0));
    assert_eq!(
        out.lines().nth(1),
        Some(
            "ssh      strict or best_effort  recorded      default is an expression in role \"app\" (roles.tf:6:15)"
        )
    );
}

#[test]
fn a_setting_that_decides_whatever_the_expression_is_gives_the_mode() {
    for args in
        [&["--role", "app", "--role", "good", "--kind", "ssh"][..], &["--role", "app", "--kind", "k8s"]]
    {
        let (code, out, _) = resolve(&[args, &["--format", "mode", "--require", "strict"]].concat());
        assert_eq!((code, out.as_str()), (Some(0), "strict\n"), "{args:?}");
    }
}

#[test]
fn json_has_the_possible_modes_and_what_is_unknown() {
    let (code, out, _) = resolve(&["--role", "app", "--format", "json"]);
    assert_eq!(code, Some(0));
    let tree: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let ssh = &tree["kinds"]["ssh"];
    assert_eq!(ssh["mode"], serde_json::Value::Null);
    assert_eq!(ssh["possible"], serde_json::json!(["strict", "best_effort"]));
    assert_eq!(ssh["decided_by"], "unknown");
    let at = serde_json::json!({"file": "roles.tf", "line": 6, "column": 15});
    assert_eq!(ssh["unknown"], serde_json::json!([{"role": "app", "option": "default", "at": at}]));
    let k8s = &tree["kinds"]["k8s"];
    assert_eq!((&k8s["mode"], k8s.get("possible"), k8s.get("unknown")), (&"strict".into(), None, None));
}

#[test]
fn a_requirement_that_depends_on_an_expression_is_not_met() {
    let (code, _, err) = resolve(&["--role", "app", "--kind", "ssh", "--require", "strict"]);
    assert_eq!(code, Some(1));
    assert!(
        err.contains(
            "ssh falls short of strict: it may be best_effort (default is an expression in role \"app\" (roles.tf:6:15))"
        ),
        "{err}"
    );
    let (code, out, err) = resolve(&["--all", "--kind", "ssh", "--require", "strict"]);
    assert_eq!(code, Some(1), "{err}");
    assert!(out.contains("strict or best_effort") && err.contains("may be best_effort"), "{out}{err}");
}

#[test]
fn one_word_cannot_say_that_both_modes_are_possible() {
    let (code, out, err) = resolve(&["--role", "app", "--kind", "ssh", "--format", "mode"]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("recmode: the mode of ssh is unknown: default is an expression"), "{err}");
}

#[test]
fn an_expression_in_a_role_that_is_not_asked_for_stops_nothing() {
    let (code, out, _) = resolve(&["--role", "good", "--kind", "ssh", "--format", "mode"]);
    assert_eq!((code, out.as_str()), (Some(0), "strict\n"));
}

#[test]
fn a_session_does_not_start_in_a_mode_that_nobody_knows() {
    let folder = folder();
    let output = recmode()
        .current_dir(folder.path())
        .args(["record", "--roles", "roles.tf", "--role", "app", "-o", "x.cast", "--", "true"])
        .output()
        .expect("recmode runs");
    assert_eq!(output.status.code(), Some(125));
    assert!(
        stderr(&output).contains("recmode: the mode of ssh is unknown: default is"),
        "{}",
        stderr(&output)
    );
    assert!(!folder.path().join("x.cast").exists());
}

#[test]
fn a_boolean_that_nobody_knows_leaves_open_whether_desktops_are_recorded() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = ROLES.replace("k8s     = \"strict\"", "desktop = var.desktop");
    fs::write(folder.path().join("roles.tf"), text).expect("a file");
    let args = ["resolve", "--roles", "roles.tf", "--role", "app", "--kind", "desktop"];
    let output = recmode().current_dir(folder.path()).args(args).output().expect("recmode runs");
    let line = stdout(&output).lines().nth(1).map(str::to_owned).expect("a line");
    assert!(line.starts_with("desktop  strict or best_effort  unknown "), "{line}");
    let output = recmode()
        .current_dir(folder.path())
        .args(args)
        .args(["--dialect", "teleport"])
        .output()
        .expect("recmode runs");
    let line = stdout(&output).lines().nth(1).map(str::to_owned).expect("a line");
    assert!(line.starts_with("desktop  no mode      unknown "), "{line}");
}
