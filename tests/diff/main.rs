//! `recmode diff` from the outside.

mod git;
mod sets;
mod steered;
#[path = "../support/mod.rs"]
mod support;
mod unknown;

use std::process::Output;

use support::{all, recmode, stderr, stdout};

const OLD: &str = "tests/fixtures/change/old";
const NEW: &str = "tests/fixtures/change/new";

fn diff(args: &[&str]) -> Output {
    recmode().arg("diff").args(args).output().expect("recmode runs")
}

#[test]
fn for_people() {
    insta::assert_snapshot!(all(&diff(&[OLD, NEW])));
}

#[test]
fn as_json() {
    insta::assert_snapshot!(all(&diff(&[OLD, NEW, "--format", "json"])));
}

#[test]
fn as_markdown() {
    insta::assert_snapshot!(all(&diff(&[OLD, NEW, "--format", "markdown"])));
}

#[test]
fn a_comment_says_what_was_not_counted_before_and_is_gone() {
    let text = stdout(&diff(&[NEW, OLD, "--format", "markdown"]));
    let note = "- Not counted before for github team `github: example/night`: `the role \"oncall\"";
    assert!(text.contains(note), "{text}");
}

#[test]
fn in_teleports_dialect() {
    insta::assert_snapshot!(all(&diff(&[OLD, NEW, "--dialect", "teleport"])));
}

#[test]
fn nothing_changed() {
    for format in ["human", "markdown"] {
        let output = diff(&[OLD, OLD, "--format", format, "--fail-on", "any"]);
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
        assert!(stdout(&output).contains("No change"), "{}", stdout(&output));
    }
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&diff(&[OLD, OLD, "--format", "json"]))).expect("JSON");
    assert_eq!(json["changes"], serde_json::json!([]));
}

#[test]
fn fail_on_says_which_changes_count() {
    let code = |old: &str, new: &str, what: &str| diff(&[old, new, "--fail-on", what]).status.code();
    assert_eq!(
        [code(OLD, NEW, "loosened"), code(OLD, NEW, "any"), code(OLD, NEW, "none")],
        [Some(1), Some(1), Some(0)]
    );
    // A role that is new is weaker than nothing.
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_str().expect("UTF-8").to_owned()
    };
    let role = |name: &str, mode: &str| {
        format!(
            "---\nkind: role\nmetadata: {{name: {name}}}\nspec: {{options: {{record_session: {{default: {mode}}}}}}}\n"
        )
    };
    let one = write("one.yaml", &role("a", "strict"));
    let two = write("two.yaml", &(role("a", "strict") + &role("b", "best_effort")));
    assert_eq!([code(&one, &two, "loosened"), code(&one, &two, "any")], [Some(0), Some(1)]);
    assert_eq!(code(&two, &one, "loosened"), Some(0), "tightened or gone is not loosened");
}

#[test]
fn what_can_not_be_compared_is_trouble() {
    for args in
        [&[][..], &[OLD], &[OLD, NEW, NEW], &[OLD, "/nonexistent"], &["--base", "HEAD", "-"], &["-", "-"]]
    {
        let output = diff(args);
        assert_eq!((output.status.code(), stdout(&output)), (Some(2), String::new()), "{args:?}");
        assert!(!stderr(&output).is_empty());
    }
    let both = diff(&["tests/fixtures/bad/modes.yaml", "tests/fixtures/bad/tabs.yaml"]);
    assert_eq!(both.status.code(), Some(2));
    for file in ["modes.yaml", "tabs.yaml"] {
        assert!(stderr(&both).contains(file), "errors of both sides are said: {}", stderr(&both));
    }
}

#[test]
fn hostile_names_stay_in_their_cells() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, mode: &str| {
        let path = folder.path().join(name);
        let role = format!(
            "kind: role\nmetadata: {{name: \"a|b`@team`<img src=x>\\n\\e[31m\"}}\nspec: {{options: {{record_session: {{ssh: {mode}}}}}}}\n"
        );
        std::fs::write(&path, role).expect("a file");
    };
    write("old.yaml", "strict");
    write("new.yaml", "best_effort");
    for format in ["human", "markdown"] {
        let mut command = recmode();
        command.current_dir(&folder).args(["diff", "old.yaml", "new.yaml", "--format", format]);
        insta::assert_snapshot!(format!("hostile_{format}"), all(&command.output().expect("recmode runs")));
    }
}

#[test]
fn a_comment_is_never_too_long() {
    let folder = tempfile::tempdir().expect("a folder");
    for (file, mode) in [("old.yaml", "strict"), ("new.yaml", "best_effort")] {
        let roles = (0..3000).map(|n| {
            format!("---\nkind: role\nmetadata: {{name: role-{n}}}\nspec: {{options: {{record_session: {{ssh: {mode}}}}}}}\n")
        });
        std::fs::write(folder.path().join(file), roles.collect::<String>()).expect("a file");
    }
    let mut command = recmode();
    command.current_dir(&folder).args(["diff", "old.yaml", "new.yaml", "--format", "markdown"]);
    let text = stdout(&command.output().expect("recmode runs"));
    assert!(text.len() < 65_536, "{} bytes", text.len());
    assert!(text.contains("more are left out here"), "{}", &text[text.len() - 200..]);
    assert!(text.contains("**3000 loosened**"));
}

#[test]
fn a_key_in_another_case_is_a_change_in_teleports_dialect() {
    let folder = tempfile::tempdir().expect("a folder");
    let role = |more: &str| {
        format!(
            "kind: role\nmetadata: {{name: a}}\nspec: {{options: {{record_session: {{default: strict{more}}}}}}}\n"
        )
    };
    let path = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_str().expect("UTF-8").to_owned()
    };
    let (old, new) = (path("old.yaml", role("")), path("new.yaml", role(", SSH: best_effort")));
    let code = |dialect| diff(&[&old, &new, "--dialect", dialect]).status.code();
    assert_eq!((code("teleport"), code("rfd68")), (Some(1), Some(0)));
}

#[test]
fn a_bot_is_compared_as_a_user_is() {
    let side = |roles: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!(
            "locals {{\n  roles = [{roles}]\n}}\nresource \"teleport_role\" \"a\" {{\n  metadata = {{ name = \"a\" }}\n  spec     = {{ options = {{ record_session = {{ default = \"strict\" }} }} }}\n}}\nresource \"teleport_role\" \"b\" {{\n  metadata = {{ name = \"b\" }}\n  spec     = {{ options = {{ record_session = {{ ssh = \"best_effort\" }} }} }}\n}}\nresource \"teleport_bot\" \"ci\" {{\n  name  = \"ci\"\n  roles = local.roles\n}}\n"
        );
        std::fs::write(folder.path().join("roles.tf"), text).expect("written");
        folder
    };
    let (old, new) = (side("\"a\""), side("\"a\", \"b\""));
    let path = |folder: &tempfile::TempDir| folder.path().to_string_lossy().into_owned();
    let output = diff(&[&path(&old), &path(&new), "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let changes = json["changes"].as_array().expect("changes");
    assert_eq!(output.status.code(), Some(1), "{}", all(&output));
    assert!(changes.iter().any(|change| change.to_string().contains("\"bot\"")), "{json}");
}
