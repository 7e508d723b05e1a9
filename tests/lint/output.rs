//! What is printed: the annotated source, the JSON, the order, and nothing that drives a terminal.

use super::{all, lint, lint_stdin, repository, role, stdout};

/// Files as people write them.
fn people() -> tempfile::TempDir {
    let reference = "kind: role\nversion: v7\nmetadata:\n  name: reference\nspec:\n  options:\n    # record_session:\n    #   default: best_effort|strict\n    record_session:\n      default: best_effort|strict\n      ssh: best_effort|strict\n  allow:\n    options:\n      record_session: {default: strict}\n";
    let record = role("record", &["default: \"record\"", "kubernetes: true", "desktop: false"]);
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n{}{}",
        "- apiVersion: resources.teleport.dev/v1\n  kind: TeleportRoleV7\n  metadata:\n    name: listed\n  spec:\n    options:\n      record_session:\n        ssh: best_effort\n",
        "- apiVersion: rbac.authorization.k8s.io/v1\n  kind: Role\n  metadata:\n    name: pods\n  rules: []\n",
    );
    let helm = "{{- if .Values.enabled }}\napiVersion: v1\nkind: ConfigMap\n{{- end }}\n";
    repository(&[
        ("roles/reference.yaml", reference),
        ("roles/record.yaml", &record),
        ("roles/list.yaml", &list),
        ("roles/strict.yaml", &role("strict", &["default: strict"])),
        ("roles/tabs.yaml", "kind: role\nmetadata:\n\tname: tabs\n"),
        ("charts/templates/config.yaml", helm),
    ])
}

#[test]
fn files_as_people_write_them_for_people() {
    insta::assert_snapshot!(all(&lint(people().path(), &[])));
}

#[test]
fn files_as_people_write_them_as_json() {
    insta::assert_snapshot!(stdout(&lint(people().path(), &["--format", "json"])));
}

#[test]
fn colour_changes_nothing_but_the_colour() {
    let folder = people();
    let plain = stdout(&lint(folder.path(), &[]));
    let colored = stdout(&lint(folder.path(), &["--color", "always"]));
    assert!(colored.contains("\x1b[1;31merror[invalid-mode]\x1b[0m"));
    let mut stripped = String::new();
    let mut rest = colored.as_str();
    while let Some((before, after)) = rest.split_once('\x1b') {
        stripped.push_str(before);
        rest = after.split_once('m').expect("a sequence").1;
    }
    stripped.push_str(rest);
    assert_eq!(stripped, plain);
}

#[test]
fn the_order_and_the_text_are_the_same_every_time() {
    let folder = people();
    let first = lint(folder.path(), &["--format", "json"]);
    for _ in 0..5 {
        assert_eq!(lint(folder.path(), &["--format", "json"]).stdout, first.stdout);
    }
    let other = lint(folder.path(), &["--format", "json", "roles", "charts"]);
    assert_eq!(other.stdout, first.stdout, "however the files are named");
}

#[test]
fn nothing_from_a_file_drives_the_terminal() {
    let text = role(
        "\"evil\\u009b\\e]0;x\\a\"",
        &["default: \"\\e[2J\u{202e}strict\" # \u{9b}31m", "\"a\u{2066}\\rb\": strict"],
    );
    for format in ["human", "json"] {
        let output =
            lint_stdin(people().path(), &["--format", format, "--stdin-name", "x\u{1b}[1m.yaml", "-"], &text);
        let text = stdout(&output);
        let bad = |c: char| {
            c.is_control() && c != '\n' || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!text.contains(bad), "{format}: {text:?}");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn fifty_roles_in_three_thousand_lines() {
    let labels: String = (0..45).map(|n| format!("      label-{n}: [\"value-{n}\"]\n")).collect();
    let text: String = (0..50)
        .map(|n| {
            let ssh = if n == 17 { "best-effort" } else { "strict" };
            let role = role(&format!("role-{n:02}"), &["default: strict", &format!("ssh: {ssh}")]);
            format!("---\n{role}  allow:\n    logins: [\"{{{{internal.logins}}}}\"]\n    node_labels:\n{labels}  deny:\n    logins: [root]\n")
        })
        .collect();
    assert!(text.lines().count() > 2900, "{}", text.lines().count());
    let output = lint_stdin(people().path(), &["-"], &text);
    insta::assert_snapshot!(all(&output));
}
