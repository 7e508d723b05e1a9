//! The answers: which roles are read, what is resolved, how it is printed.

use super::{all, fixtures, recmode, resolve, resolve_stdin, stderr, stdout};

const ROLES: &str = "tests/fixtures/roles";

#[test]
fn the_whole_folder_as_a_table() {
    insta::assert_snapshot!(all(&resolve(&["--roles", ROLES, "-v"])));
}

#[test]
fn each_file_alone() {
    let mut text = String::new();
    for file in fixtures("roles") {
        text += &format!("== {file}\n{}\n", all(&resolve(&["--roles", &file])));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn what_has_no_effect_is_a_warning() {
    for file in fixtures("warned") {
        let name = file.rsplit('/').next().expect("a name").to_owned();
        insta::assert_snapshot!(name, all(&resolve(&["--roles", &file, "--kind", "ssh"])));
    }
}

#[test]
fn the_worked_example() {
    let output = resolve(&["--roles", ROLES, "--role", "developer", "--role", "support"]);
    insta::assert_snapshot!(all(&output));
}

#[test]
fn json_of_a_user() {
    insta::assert_snapshot!(all(&resolve(&[
        "--roles",
        ROLES,
        "--user",
        "alice@example.com",
        "--format",
        "json"
    ])));
}

#[test]
fn json_says_who_turned_desktop_recording_off() {
    let args = ["--roles", ROLES, "--user", "bob", "--format", "json", "--kind", "desktop"];
    insta::assert_snapshot!(all(&resolve(&args)));
}

#[test]
fn yaml_is_the_tree_of_json() {
    for args in
        [&["--user", "alice@example.com"][..], &["--user", "bob"], &["--role", "quoted \"name\""], &[]]
    {
        let answer = |format| {
            let output = resolve(&[&["--roles", ROLES, "--format", format], args].concat());
            assert!(output.status.success(), "{}", stderr(&output));
            stdout(&output)
        };
        let json: serde_json::Value = serde_json::from_str(&answer("json")).expect("JSON");
        let yaml: serde_json::Value = serde_yaml::from_str(&answer("yaml")).expect("YAML");
        assert_eq!(json, yaml);
    }
}

#[test]
fn yaml_of_one_kind() {
    insta::assert_snapshot!(all(&resolve(&[
        "--roles", ROLES, "--role", "flow", "--format", "yaml", "--kind", "app"
    ])));
}

#[test]
fn mode_is_one_word_for_scripts() {
    let output = resolve(&["--roles", ROLES, "--role", "developer", "--kind", "k8s", "--format", "mode"]);
    assert_eq!(all(&output), "exit 0\n--- stdout\nstrict\n--- stderr\n");
    let without_kind = resolve(&["--roles", ROLES, "--format", "mode"]);
    assert_eq!(without_kind.status.code(), Some(2));
    assert!(stderr(&without_kind).contains("--kind"));
}

#[test]
fn require_says_which_kind_falls_short() {
    insta::assert_snapshot!(all(&resolve(&["--roles", ROLES, "--role", "developer", "--require", "strict"])));
    let met = resolve(&["--roles", ROLES, "--role", "developer", "--require", "strict", "--kind", "k8s"]);
    assert_eq!((met.status.code(), stderr(&met)), (Some(0), String::new()));
    let any = resolve(&["--roles", ROLES, "--role", "kiosk", "--require", "best_effort"]);
    assert_eq!(any.status.code(), Some(0));
}

#[test]
fn what_is_not_recorded_falls_short_of_strict() {
    let roles = "kind: role\nmetadata: {name: a}\nspec: {options: {record_session: {default: strict, desktop: 'OFF'}}}\n";
    let output = resolve_stdin(&["--roles", "-", "--require", "strict"], roles.as_bytes());
    insta::assert_snapshot!(all(&output));
}

#[test]
fn every_spelling_of_a_desktop_boolean() {
    let words = [
        "true", "Yes", "YEAH", "y", "1", "on", "'On'", "\"true\"", "false", "no", "Nope", "N", "0", "OFF",
        "'no'", "\"0\"",
    ];
    for (n, word) in words.iter().enumerate() {
        let role = format!(
            "kind: role\nmetadata: {{name: a}}\nspec: {{options: {{record_session: {{desktop: {word}}}}}}}\n"
        );
        let output =
            resolve_stdin(&["--roles", "-", "--kind", "desktop", "--format", "json"], role.as_bytes());
        let json: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        assert_eq!(json["kinds"]["desktop"]["recording"], n < 8, "{word}");
        assert_eq!(json["kinds"]["desktop"]["decided_by"], "built_in", "{word}");
    }
}

#[test]
fn streams_are_read_by_their_names() {
    let role = b"kind: role\nmetadata: {name: a}\nspec: {options: {record_session: {ssh: strict}}}\n";
    for name in ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"] {
        let output = resolve_stdin(&["--roles", name, "--kind", "ssh", "--format", "mode"], role);
        assert_eq!(stdout(&output), "strict\n", "{name}: {}", stderr(&output));
    }
    let twice = resolve_stdin(&["--roles", "-", "/dev/stdin"], role);
    assert_eq!(twice.status.code(), Some(2));
    assert_eq!(stderr(&twice), "/dev/stdin: is named twice, and a stream can be read only once\n");
}

#[test]
fn process_substitution() {
    let mut shell = std::process::Command::new("bash");
    super::clean(&mut shell);
    let script = "exec \"$0\" resolve --kind db --format mode --roles <(cat tests/fixtures/roles/ten.yaml) <(cat tests/fixtures/roles/flow.yaml)";
    let output = shell.args(["-c", script, env!("CARGO_BIN_EXE_recmode")]).output().expect("bash runs");
    assert_eq!(all(&output), "exit 0\n--- stdout\nstrict\n--- stderr\n");
}

#[test]
fn a_file_is_read_once_however_many_paths_lead_to_it() {
    let file = format!("{ROLES}/developer.yaml");
    let dotted = format!("{ROLES}/../roles/developer.yaml");
    let output =
        resolve(&["--roles", &file, &dotted, &file, "--roles", &file, "--kind", "k8s", "--format", "mode"]);
    assert_eq!(all(&output), "exit 0\n--- stdout\nstrict\n--- stderr\n");
    for paths in [[ROLES, &file], [&file, ROLES]] {
        assert!(resolve(&["--roles", paths[0], paths[1]]).status.success());
    }
}

#[test]
fn the_order_of_paths_changes_no_decision() {
    let files = fixtures("roles/presets");
    let answer = |files: &[String]| {
        let args: Vec<&str> = files.iter().map(String::as_str).collect();
        stdout(&resolve(&[&["--format", "json", "--roles"], args.as_slice()].concat()))
    };
    let turned: Vec<_> = files.iter().rev().cloned().collect();
    assert_eq!(answer(&files), answer(&turned));
}

#[test]
fn hidden_files_are_left_out_and_links_followed() {
    let folder = tempfile::tempdir().expect("a folder");
    let role = |name: &str, mode: &str| {
        format!(
            "kind: role\nmetadata: {{name: {name}}}\nspec: {{options: {{record_session: {{default: {mode}}}}}}}\n"
        )
    };
    // As Kubernetes mounts a ConfigMap.
    let data = folder.path().join("..2025_06_01");
    std::fs::create_dir(&data).expect("created");
    std::fs::write(data.join("a.yaml"), role("a", "strict")).expect("written");
    std::os::unix::fs::symlink("..2025_06_01", folder.path().join("..data")).expect("linked");
    std::os::unix::fs::symlink("..data/a.yaml", folder.path().join("a.yaml")).expect("linked");
    std::fs::write(folder.path().join(".b.yaml"), "not: [read").expect("written");
    std::fs::write(folder.path().join("README.md"), "not: [read").expect("written");
    std::fs::write(folder.path().join("C.YML"), role("c", "best_effort")).expect("written");
    let output = resolve(&["--roles", folder.path().to_str().expect("UTF-8"), "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(json["roles"], serde_json::json!(["a", "c"]), "{}", stderr(&output));
}

#[test]
fn colour_by_flag_and_environment_only() {
    let file = format!("{ROLES}/developer.yaml");
    let colored = |when: Option<&str>, env: &[(&str, &str)]| {
        let mut command = recmode();
        command.args(["resolve", "--roles", &file]).envs(env.iter().copied());
        command.args(when.map(|when| format!("--color={when}")));
        stdout(&command.output().expect("recmode runs")).contains('\u{1b}')
    };
    assert!(!colored(None, &[]), "not a terminal");
    assert!(colored(Some("always"), &[("NO_COLOR", "1")]));
    assert!(colored(None, &[("CLICOLOR_FORCE", "1")]));
    assert!(!colored(None, &[("CLICOLOR_FORCE", "0")]));
    assert!(!colored(None, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!colored(Some("never"), &[("CLICOLOR_FORCE", "1")]));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut shell = std::process::Command::new("bash");
    super::clean(&mut shell);
    let script = "\"$0\" resolve --format json --roles tests/fixtures/roles | true; echo ${PIPESTATUS[0]}";
    let output = shell.args(["-c", script, env!("CARGO_BIN_EXE_recmode")]).output().expect("bash runs");
    assert_eq!((stdout(&output), stderr(&output)), ("0\n".to_owned(), String::new()));
}

/// The mode of SSH sessions for this text on standard input.
fn ssh(args: &[&str], text: &str) -> String {
    let args = [&["--roles", "-", "--kind", "ssh", "--format", "mode"], args].concat();
    let output = resolve_stdin(&args, text.as_bytes());
    assert_eq!(output.status.code(), Some(0), "{text}: {}", stderr(&output));
    stdout(&output).trim_end().to_owned()
}

#[test]
fn lists_of_the_operators_kinds_need_no_kind_in_their_items() {
    let list = "kind: TeleportRoleV7List\nitems:\n- {metadata: {name: a}, spec: {options: {record_session: {ssh: strict}}}}\n";
    assert_eq!(ssh(&[], list), "strict");
}

#[test]
fn users_of_the_operator_hold_roles_too() {
    let text = "kind: TeleportUser\nmetadata: {name: u}\nspec: {roles: [b]}\n---\n\
        kind: role\nmetadata: {name: a}\nspec: {options: {record_session: {ssh: strict}}}\n---\n\
        kind: role\nmetadata: {name: b}\nspec: {options: {record_session: {default: best_effort}}}\n";
    assert_eq!(ssh(&["--user", "u"], text), "best_effort");
    assert_eq!(ssh(&[], text), "strict");
}

#[test]
fn a_user_without_roles_has_the_built_in_default() {
    let text = "kind: user\nmetadata: {name: u}\nspec: {roles: }\n---\n\
        kind: role\nmetadata: {name: a}\nspec: {options: {record_session: {ssh: strict}}}\n";
    assert_eq!(ssh(&["--user", "u"], text), "best_effort");
}

#[test]
fn everything_may_come_through_anchors_and_merge_keys() {
    let array = "- &base {kind: role, metadata: {name: base}, spec: &spec {options: {record_session: {ssh: strict}}}}\n\
        - {<<: *base, metadata: {name: other}, spec: {<<: *spec}}\n\
        - {kind: user, metadata: {name: u}, spec: {roles: [other]}}\n";
    assert_eq!(ssh(&["--user", "u"], array), "strict");
    let inner = "x: &x {ssh: strict, k8s: strict}\nkind: role\nmetadata: {name: a}\n\
        spec: {options: {record_session: {<<: *x, ssh: best_effort}}}\n";
    assert_eq!(ssh(&[], inner), "best_effort");
}

#[test]
fn kinds_are_compared_exactly() {
    for kind in ["Role", "ROLE", "roles", "role ", "teleportrole", "TeleportRoleV5", "TeleportRoleV9"] {
        let text = format!("kind: \"{kind}\"\nmetadata: {{name: a}}\nspec: {{}}\n");
        let output = resolve_stdin(&["--roles", "-"], text.as_bytes());
        assert_eq!(output.status.code(), Some(2), "{kind}");
        assert!(stderr(&output).contains("<stdin>: holds no role"), "{kind}");
    }
}

#[test]
fn no_mode_is_proved_of_all_roles_beside_one_that_is_not_read() {
    let read =
        "kind: role\nversion: v7\nmetadata: {name: a}\nspec: {options: {record_session: {ssh: strict}}}\n";
    let user = "---\nkind: user\nmetadata: {name: u}\nspec: {roles: [a]}\n";
    let unread = "---\nkind: ConfigMap\ndata:\n  r: |\n    kind: role\n    metadata: {name: {{ x }}}\n";
    let warning = "<stdin>:13:11: warning: this looks like a role and is not read: a template has to be rendered first\n";
    let text = format!("{read}{user}{unread}");
    for (args, expected) in [
        (&["--require", "strict"][..], 1),
        (&["--require", "strict", "--all"], 1),
        (&["--require", "strict", "--role", "a"], 0),
        (&["--require", "strict", "--user", "u"], 0),
        (&[], 0),
    ] {
        let args = [&["--roles", "-", "--kind", "ssh"][..], args].concat();
        let output = resolve_stdin(&args, text.as_bytes());
        assert_eq!(output.status.code(), Some(expected), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).starts_with(warning), "{}", stderr(&output));
        let why = "recmode: --require can't be proved: <stdin>:13:11 looks like a role and is not read\n";
        assert_eq!(stderr(&output).contains(why), expected == 1, "{args:?}: {}", stderr(&output));
        let output = resolve_stdin(&args, format!("{read}{user}").as_bytes());
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()), "{args:?}");
    }
}
