//! `resolve --dialect teleport`: what today's Teleport makes of the same roles.

use super::{all, resolve, resolve_stdin, stderr, stdout};

const ROLE: &str = "kind: role\nmetadata: {name: a}\nspec: {options: {record_session: {default: strict, k8s: best_effort, desktop: strict, db: strict}}}\n";

#[test]
fn a_table_says_what_has_no_mode_and_what_is_not_honoured() {
    insta::assert_snapshot!(all(&resolve_stdin(&["--roles", "-", "--dialect", "teleport"], ROLE.as_bytes())));
}

#[test]
fn in_json_the_mode_is_null() {
    let args = ["--roles", "-", "--dialect", "teleport", "--format", "json", "--kind", "desktop"];
    insta::assert_snapshot!(all(&resolve_stdin(&args, ROLE.as_bytes())));
}

#[test]
fn require_is_met_by_what_is_strict_in_effect() {
    let require = |kind| {
        let args = [
            "--roles",
            "-",
            "--dialect",
            "teleport",
            "--require",
            "strict",
            "--kind",
            kind,
            "--format",
            "mode",
        ];
        let output = resolve_stdin(&args, ROLE.as_bytes());
        (stdout(&output), output.status.code(), stderr(&output))
    };
    assert_eq!(require("ssh"), ("strict\n".into(), Some(0), String::new()));
    assert_eq!(require("k8s"), ("none\n".into(), Some(0), String::new()));
    let (mode, code, why) = require("desktop");
    assert_eq!((mode.as_str(), code), ("none\n", Some(1)));
    insta::assert_snapshot!(why);
    assert_eq!(require("app").1, Some(1));
}

#[test]
fn the_matrix_says_whether_desktops_are_recorded_and_what_has_no_mode() {
    let off = "---\nkind: role\nmetadata: {name: b}\nspec: {options: {record_session: {desktop: true}}}\n";
    let users = "---\nkind: user\nmetadata: {name: alice}\nspec: {roles: [a]}\n---\nkind: user\nmetadata: {name: bob}\nspec: {roles: [a, b]}\n";
    let input = format!("{ROLE}{off}{users}");
    let args = ["--roles", "-", "--dialect", "teleport", "--all", "--format", "csv"];
    let text = stdout(&resolve_stdin(&args, input.as_bytes()));
    let rows: Vec<_> = text.lines().skip(1).map(|line| line.split(',').take(8).collect::<Vec<_>>()).collect();
    let alice = ["user", "alice", "strict", "no mode", "not recorded", "no mode", "no mode", "desktop"];
    let bob = ["user", "bob", "strict", "no mode", "recorded", "no mode", "no mode", ""];
    assert_eq!(rows, [alice, bob]);
}

#[test]
fn ssh_is_the_same_in_both_dialects() {
    let table = |dialect| {
        stdout(&resolve(&["--roles", "tests/fixtures/roles", "--kind", "ssh", "--dialect", dialect]))
    };
    assert_eq!(table("rfd68"), table("teleport"));
}

/// The answers of a text in a dialect, as `kind mode recorded`, and what was printed to standard error.
fn answers(text: &str, dialect: &str, more: &[&str]) -> (Vec<String>, String) {
    let args = [&["--roles", "-", "--dialect", dialect, "--format", "json"], more].concat();
    let output = resolve_stdin(&args, text.as_bytes());
    let tree: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let kinds = tree["kinds"].as_object().cloned().unwrap_or_default();
    let line = |(kind, one): (&String, &serde_json::Value)| {
        let name = one["mode"].as_str().unwrap_or("none");
        let recorded = if one["recording"].as_bool() == Some(true) { "recorded" } else { "not recorded" };
        format!("{kind} {name} {recorded}")
    };
    (kinds.iter().map(line).collect(), stderr(&output))
}

fn ssh(text: &str, dialect: &str) -> String {
    answers(text, dialect, &["--kind", "ssh"]).0.join(",")
}

#[test]
fn in_teleports_dialect_keys_take_effect_in_any_case() {
    let text = "kind: role\nversion: v7\nmetadata: {name: mixed}\nspec:\n  options:\n    record_session:\n      default: strict\n      SSH: best_effort\n";
    assert_eq!(ssh(text, "teleport"), "ssh best_effort recorded");
    for text in [
        text.replace("SSH", "Ssh"),
        text.replace("options", "Options"),
        text.replace("record_session", "Record_Session"),
        text.replace("spec", "SPEC"),
        text.replace("kind", "Kind"),
        text.replace("metadata: {name", "Metadata: {NAME"),
        text.replace("default", "Default")
            .replace("record_session", "RECORD_SESSION")
            .replace("options", "OPTIONS"),
    ] {
        assert_eq!(
            answers(&text, "teleport", &["--kind", "ssh"]),
            (vec!["ssh best_effort recorded".into()], String::new()),
            "{text}"
        );
    }
    let off = text.replace("SSH: best_effort", "Desktop: false");
    assert_eq!(answers(&off, "teleport", &["--kind", "desktop"]).0, ["desktop none not recorded"]);
    assert_eq!(answers(&off, "rfd68", &["--kind", "desktop"]).0, ["desktop strict recorded"]);
    let json = "{\"Kind\":\"role\",\"Metadata\":{\"name\":\"a\"},\"spec\":{\"options\":{\"record_session\":{\"Default\":\"strict\"}}}}";
    assert_eq!(ssh(json, "teleport"), "ssh strict recorded");
}

#[test]
fn by_rfd_68_a_key_in_another_case_is_not_read_and_the_reason_is_true() {
    let head = "kind: role\nmetadata: {name: a}\n";
    let reason = |key: &str, right: &str| {
        format!(
            "warning: \"{key}\" is not the key {right}: Teleport's decoder ignores case and acts on it, other readers ignore it\n"
        )
    };
    for (key, right, body) in [
        ("SSH", "ssh", "spec: {options: {record_session: {SSH: strict}}}\n"),
        ("Desktop", "desktop", "spec: {options: {record_session: {Desktop: false}}}\n"),
        ("Options", "options", "spec: {Options: {record_session: {ssh: strict}}}\n"),
        ("Record_Session", "record_session", "spec: {options: {Record_Session: {ssh: strict}}}\n"),
        ("Spec", "spec", "Spec: {options: {record_session: {ssh: strict}}}\n"),
    ] {
        let (answer, why) = answers(&format!("{head}{body}"), "rfd68", &["--kind", "ssh"]);
        assert_eq!(answer, ["ssh best_effort recorded"], "{body}");
        let first = why.lines().next().expect("a warning");
        assert!(format!("{first}\n").ends_with(&reason(key, right)), "{why}");
        assert_eq!(why.matches("warning").count(), 1, "{why}");
    }
    let no_kind = "Kind: role\nmetadata: {name: a}\nspec: {options: {record_session: {ssh: strict}}}\n";
    let (_, why) = answers(no_kind, "rfd68", &[]);
    assert!(why.contains(&reason("Kind", "kind")) && why.contains("holds no role"), "{why}");
}

#[test]
fn who_holds_roles_is_read_in_any_case_too() {
    let text = "kind: role\nmetadata: {name: a}\nspec: {options: {record_session: {default: strict}}}\n---\nkind: user\nMetadata: {Name: alice}\nSpec: {Roles: [a]}\n---\nkind: access_list\nmetadata: {name: staff}\nspec: {Grants: {ROLES: [a]}, Owner_Grants: {roles: [a]}, owners: [{Name: alice}]}\n---\nkind: github\nmetadata: {name: hub}\nspec: {Teams_To_Roles: [{Organization: o, TEAM: t, Roles: [a]}]}\n";
    let args = ["--roles", "-", "--dialect", "teleport", "--all", "--format", "csv", "--kind", "ssh"];
    let table = stdout(&resolve_stdin(&args, text.as_bytes()));
    let rows: Vec<_> =
        table.lines().skip(1).map(|line| line.split(',').take(3).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(rows.iter().filter(|row| row.ends_with(" strict")).count(), rows.len(), "{table}");
    assert!(rows.iter().any(|row| row == "user alice strict") && rows.len() >= 4, "{table}");
}

#[test]
fn keys_that_differ_only_in_case_are_an_error_in_teleports_dialect() {
    let head = "kind: role\nmetadata: {name: a, labels: {Env: x, env: y}}\n";
    for body in [
        "spec: {options: {record_session: {ssh: strict, SSH: best_effort}}}\n",
        "spec: {options: {record_session: {ssh: strict}}, Options: {record_session: {ssh: best_effort}}}\n",
        "spec: {options: {record_session: {<<: {ssh: strict}, SSH: best_effort}}}\n",
    ] {
        let (answer, why) = answers(&format!("{head}{body}"), "teleport", &[]);
        assert!(answer.is_empty(), "{body}");
        assert!(why.contains("are the same to Teleport, which ignores case"), "{why}");
        assert_eq!(why.matches("the keys").count(), 1, "labels may differ in case: {why}");
    }
}

#[test]
fn case_matters_in_resources_of_the_operator_and_in_terraform() {
    let operator = "apiVersion: resources.teleport.dev/v1\nkind: TeleportRoleV7\nmetadata: {name: a}\nspec: {options: {record_session: {default: strict, SSH: best_effort}}}\n";
    let list =
        format!("apiVersion: v1\nkind: List\nitems:\n- {}", operator.trim_end().replace('\n', "\n  ") + "\n");
    for text in [
        operator.to_owned(),
        list,
        operator
            .replace("options", "Options")
            .replace("default: strict, SSH: best_effort", "ssh: best_effort")
            + "---\nkind: role\nmetadata: {name: b}\nspec: {options: {record_session: {default: strict}}}\n",
    ] {
        for dialect in ["rfd68", "teleport"] {
            let (answer, why) = answers(&text, dialect, &["--kind", "ssh"]);
            assert_eq!(answer, ["ssh strict recorded"], "{dialect} {why}");
            assert!(why.contains("has no effect"), "{why}");
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.tf");
    let terraform = "resource \"teleport_role\" \"a\" {\n  version = \"v7\"\n  metadata = { name = \"a\" }\n  spec = { options = { record_session = { default = \"strict\", SSH = \"best_effort\" } } }\n}\n";
    std::fs::write(&file, terraform).expect("a file");
    let file = file.to_str().expect("UTF-8");
    let output = resolve(&["--roles", file, "--dialect", "teleport", "--kind", "ssh", "--format", "mode"]);
    assert_eq!(stdout(&output), "strict\n");
    assert!(stderr(&output).contains("has no effect"), "{}", stderr(&output));
}

#[test]
fn a_cluster_that_records_nothing_is_a_warning() {
    for dialect in ["rfd68", "teleport"] {
        let text = format!(
            "{ROLE}---\nkind: session_recording_config\nversion: v2\nmetadata: {{name: session-recording-config}}\nspec: {{mode: \"off\"}}\n"
        );
        let (answer, why) = answers(&text, dialect, &["--kind", "ssh"]);
        assert_eq!(answer, ["ssh strict recorded"]);
        assert!(why.contains("warning: mode off turns session recording off in the whole cluster: nothing is recorded, whatever roles say"), "{why}");
    }
}
