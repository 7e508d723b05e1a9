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
