//! Separate sets of roles: a question is about one of them, and `--all` answers for each.

use std::fs;

use tempfile::TempDir;

use super::{all, resolve, stderr, stdout};

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

/// With the folder's name left out of what is printed.
fn answer(folder: &TempDir, args: &[&str]) -> String {
    let path = folder.path().to_str().expect("UTF-8");
    let output = resolve(&[&["--roles", path], args].concat());
    all(&output).replace(&format!("{path}/"), "")
}

const CLUSTERS: &str = r#"resource "teleport_role" "dev_eu" {
  provider = teleport.eu
  metadata = { name = "dev" }
  spec     = { options = { record_session = { default = "strict" } } }
}

resource "teleport_role" "dev_us" {
  provider = teleport.us
  metadata = { name = "dev" }
  spec     = { options = { record_session = { ssh = "best_effort" } } }
}

resource "teleport_role" "ops" {
  provider = teleport.us
  metadata = { name = "ops" }
}

resource "teleport_user" "alice_eu" {
  provider = teleport.eu
  metadata = { name = "alice" }
  spec     = { roles = ["dev"] }
}

resource "teleport_user" "alice_us" {
  provider = teleport.us
  metadata = { name = "alice" }
  spec     = { roles = ["dev", "ops"] }
}
"#;

#[test]
fn a_question_that_several_clusters_could_answer_is_no_question() {
    let folder = folder(&[("main.tf", CLUSTERS)]);
    for args in [&[][..], &["--role", "dev"], &["--user", "alice"]] {
        let said = "exit 2\n--- stdout\n--- stderr\n2 separate sets of roles were read, which nobody holds together: eu, us\nrecmode: choose one of them with --set NAME\n";
        assert_eq!(answer(&folder, args), said, "{args:?}");
    }
    for (set, mode) in [("eu", "strict"), ("us", "best_effort")] {
        for args in [&[][..], &["--role", "dev"], &["--user", "alice"]] {
            let args = [args, &["--set", set, "--kind", "ssh", "--format", "mode"]].concat();
            assert_eq!(
                answer(&folder, &args),
                format!("exit 0\n--- stdout\n{mode}\n--- stderr\n"),
                "{args:?}"
            );
        }
    }
    let text = answer(&folder, &["--set", "asia"]);
    assert!(
        text.starts_with("exit 2")
            && text.ends_with("no set of roles named \"asia\" was read; there are: eu, us\n"),
        "{text}"
    );
}

#[test]
fn what_only_one_cluster_has_is_its_own() {
    let folder = folder(&[("main.tf", CLUSTERS)]);
    let json = answer(&folder, &["--role", "ops", "--kind", "ssh", "--format", "json"]);
    assert!(json.starts_with("exit 0") && json.contains("\"set\": \"us\""), "{json}");
    // With a role that both have, it is still one cluster's question.
    assert!(answer(&folder, &["--role", "ops", "--role", "dev"]).starts_with("exit 0"));
    let nobody = answer(&folder, &["--role", "opps"]);
    assert!(
        nobody.starts_with("exit 2")
            && nobody.contains("no role named \"opps\" was read; the nearest: \"ops\""),
        "{nobody}"
    );
}

#[test]
fn roles_of_two_sets_are_held_by_nobody() {
    let more = "kind: role\nmetadata: {name: local}\n";
    let folder = folder(&[("main.tf", CLUSTERS), ("local.yaml", more)]);
    let said = "exit 2\n--- stdout\n--- stderr\nwhat was asked for is in separate sets of roles, which nobody holds together: default, us\n";
    assert_eq!(answer(&folder, &["--role", "ops", "--role", "local"]), said);
    assert!(answer(&folder, &["--set", "default"]).starts_with("exit 0"));
}

#[test]
fn the_matrix_has_a_row_for_each_holder_and_set() {
    let folder = folder(&[("main.tf", CLUSTERS)]);
    insta::assert_snapshot!(answer(&folder, &["--all"]));
    insta::assert_snapshot!(answer(&folder, &["--all", "--kind", "ssh", "--format", "csv"]));
    let json = answer(&folder, &["--all", "--format", "json"]);
    let sets: Vec<_> = json.lines().filter(|line| line.contains("\"set\"")).map(str::trim).collect();
    assert_eq!(sets, ["\"set\": \"eu\",", "\"set\": \"us\","]);
    let one = answer(&folder, &["--all", "--set", "eu", "--require", "strict"]);
    assert!(one.starts_with("exit 0"), "{one}");
    let both = answer(&folder, &["--all", "--require", "strict", "--kind", "ssh"]);
    assert!(
        both.contains("recmode: user \"alice\" in the cluster \"us\": ssh falls short of strict"),
        "{both}"
    );
}

const SCOPED: &str = "\
kind: scoped_role
version: v1
metadata: {name: dev}
scope: /staging
spec:
  assignable_scopes: [/staging/**]
  defaults: {session_recording: {mode: strict}}
  ssh: {logins: [root], session_recording: {mode: best_effort}}
---
kind: scoped_role
version: v1
metadata: {name: ops}
scope: /staging
spec:
  assignable_scopes: [/staging/**]
  defaults: {session_recording: {mode: strict}}
---
kind: scoped_role_assignment
version: v1
sub_kind: dynamic
metadata: {name: a}
scope: /staging
spec:
  user: alice
  assignments:
  - {role: '/staging::dev', scope: /staging/west}
  - {role: ops, scope: /staging/west}
  - {role: ops, scope: /staging/east}
---
kind: scoped_role_assignment
version: v1
sub_kind: dynamic
metadata: {name: b}
scope: /staging
spec:
  bot_name: deploy
  bot_scope: /staging
  assignments: [{role: '/staging::ops', scope: /staging/west}]
";

#[test]
fn the_first_scoped_role_that_permits_a_session_gives_its_mode_and_no_other_role_does() {
    let folder = folder(&[("r.yaml", SCOPED)]);
    insta::assert_snapshot!(answer(&folder, &["--role", "dev"]));
    let ops = answer(&folder, &["--role", "ops", "--kind", "ssh", "--format", "mode"]);
    assert_eq!(ops, "exit 0\n--- stdout\nstrict\n--- stderr\n");
    let both = answer(&folder, &["--role", "ops", "--role", "dev"]);
    assert!(both.starts_with("exit 2") && both.contains("/staging::dev, /staging::ops"), "{both}");
    insta::assert_snapshot!(answer(&folder, &["--all", "--kind", "ssh"]));
}

#[test]
fn a_scoped_role_reads_alike_in_every_form() {
    let operator = "apiVersion: resources.teleport.dev/v1\nkind: TeleportScopedRoleV1\nmetadata: {name: x}\nscope: /a\nspec: {defaults: {session_recording: {mode: best_effort}}, ssh: {session_recording: {mode: strict}}}\n";
    let list = format!("apiVersion: v1\nkind: List\nitems:\n- {}", operator.replace('\n', "\n  ").trim_end());
    let camel = "kind: scoped_role\nmetadata: {name: x}\nscope: /a\nspec: {ssh: {sessionRecording: {mode: strict}}}\n";
    let designed =
        "kind: scoped_role\nmetadata: {name: x}\nscope: /a\nspec: {ssh: {session_recording_mode: strict}}\n";
    let terraform = "resource \"teleport_scoped_role\" \"x\" {\n  metadata = { name = \"x\" }\n  scope = \"/a\"\n  spec = { ssh = { session_recording = { mode = \"strict\" } } }\n}\n";
    let json = r#"{"resource": {"teleport_scoped_role": {"x": {"metadata": {"name": "x"}, "scope": "/a", "spec": {"ssh": {"session_recording": {"mode": "strict"}}}}}}}"#;
    for (name, text) in [
        ("a.yaml", operator),
        ("a.yaml", &list),
        ("a.yaml", camel),
        ("a.yaml", designed),
        ("a.tf", terraform),
        ("a.tf.json", json),
    ] {
        let folder = folder(&[(name, text)]);
        let path = folder.path().to_str().expect("UTF-8");
        let output = resolve(&["--roles", path, "--kind", "ssh", "--format", "json"]);
        assert_eq!(output.status.code(), Some(0), "{text}: {}", all(&output));
        let json: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        assert_eq!(
            (&json["kinds"]["ssh"]["mode"], &json["set"]),
            (&"strict".into(), &"/a::x".into()),
            "{text}"
        );
        assert_eq!(stderr(&output).contains("Teleport ignores session_recording_mode"), text == designed);
    }
    let expression = terraform.replace("\"strict\"", "var.mode");
    let said = answer(&folder(&[("a.tf", &expression)]), &[]);
    assert!(
        said.starts_with("exit 0")
            && said.contains("strict or best_effort  recorded      ssh is an expression"),
        "{said}"
    );
}

#[test]
fn opentofu_and_terraform_answer_each_for_what_it_loads() {
    let role = |mode: &str| {
        format!(
            "resource \"teleport_role\" \"x\" {{\n  metadata = {{ name = \"x\" }}\n  spec = {{ options = {{ record_session = {{ ssh = \"{mode}\" }} }} }}\n}}\n"
        )
    };
    let shared = "kind: user\nmetadata: {name: alice}\nspec: {roles: [x]}\n";
    let folder = folder(&[("a.tf", &role("strict")), ("a.tofu", &role("best_effort")), ("u.yaml", shared)]);
    let said = answer(&folder, &[]);
    assert!(said.starts_with("exit 2") && said.contains("together: terraform, tofu"), "{said}");
    for (set, mode) in [("terraform", "strict"), ("tofu", "best_effort")] {
        let args = ["--set", set, "--user", "alice", "--kind", "ssh", "--format", "mode"];
        assert_eq!(answer(&folder, &args), format!("exit 0\n--- stdout\n{mode}\n--- stderr\n"));
    }
}
