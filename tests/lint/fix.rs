//! `--fix`: what it changes, what it leaves alone, and that it never loosens.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::{all, lint, read, repository, role, stdout};

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
        "  options: {}\n  record_session:\n    default: strict\n",
        "  allow: {record_session: {default: strict}}\n",
    ] {
        assert_eq!(moved(left_alone), left_alone);
    }
    let loosening =
        format!("{head}  record_session:\n    ssh: best_effort\n---\n{}", role("b", &["default: strict"]));
    assert_eq!(fixed(&loosening), loosening);
    let recording_off = format!("{head}  record_session:\n    default: strict\n    desktop: false\n");
    assert_eq!(fixed(&recording_off), recording_off);
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
    assert!(stdout(&output).ends_with("1 finding in 1 file: 1 error; 1 repaired\n"), "{}", stdout(&output));
    assert_eq!(read(&folder, "real.txt"), text.replace("Strict", "strict"));
    assert_eq!(fs::metadata(&real).expect("a file").permissions().mode() & 0o777, 0o640);
    assert!(folder.path().join("a.yaml").is_symlink());
}
