//! What a dialect changes in what lint finds, and what `--fix` does in none of them.

use std::fs;

use super::{found, lint, read, repository, role, stdout};

fn human(text: &str, args: &[&str]) -> String {
    let folder = repository(&[("a.yaml", text)]);
    stdout(&lint(folder.path(), args))
}

fn rules(text: &str, args: &[&str]) -> Vec<String> {
    let folder = repository(&[("a.yaml", text)]);
    let args = [&["--format", "json"], args].concat();
    found(&lint(folder.path(), &args))
}

/// What `--fix` makes of a text in each dialect.
fn fixed(text: &str) -> [String; 2] {
    ["rfd68", "teleport"].map(|dialect| {
        let folder = repository(&[("a.yaml", text)]);
        lint(folder.path(), &["--fix", "-q", "--dialect", dialect]);
        read(&folder, "a.yaml")
    })
}

#[test]
fn a_key_in_another_case_is_an_error_by_rfd_68_and_a_setting_to_teleport() {
    let text = format!("{}---\n{}", role("a", &["default: strict"]), role("b", &["SSH: best_effort"]));
    assert_eq!(rules(&text, &[]), ["unknown-session-kind:17"]);
    let message = human(&text, &[]);
    assert!(
        message.contains("error[unknown-session-kind]: \"SSH\" is not the key ssh: Teleport's decoder ignores case and acts on it")
            && message.contains("help: write ssh\n"),
        "{message}"
    );
    assert_eq!(rules(&text, &["--dialect", "teleport"]), ["weakening-role:17"]);
    let options = role("a", &["ssh: strict"]).replace("options", "Options");
    assert_eq!(rules(&options, &[]), ["misplaced-record-session:6"]);
    assert!(human(&options, &[]).contains("help: write options\n"));
    assert_eq!(rules(&options, &["--dialect", "teleport"]), [""; 0]);
    let key = role("a", &["ssh: strict"]).replace("record_session", "Record_Session");
    assert_eq!(rules(&key, &[]), ["misplaced-record-session:7"]);
    assert_eq!(rules(&key, &["--dialect", "teleport"]), [""; 0]);
}

#[test]
fn a_requirement_sees_what_teleport_reads() {
    let config =
        "version: 1\ndialect: teleport\nrequire:\n- roles: [\"*\"]\n  kinds: [ssh]\n  mode: strict\n";
    let text = role("a", &["default: strict", "SSH: best_effort"]);
    let folder = repository(&[("a.yaml", &text), (".recmode.yaml", config)]);
    let found = found(&lint(folder.path(), &["--format", "json"]));
    assert!(found.iter().any(|one| one.starts_with("requirement-not-met:")), "{found:?}");
}

#[test]
fn a_key_is_renamed_only_where_that_loosens_nothing_and_no_second_one_is_made() {
    let slip = role("a", &["SSH: strict"]);
    assert_eq!(fixed(&slip), [slip.replace("SSH", "ssh"), slip.clone()]);
    let options = slip.replace("options", "Options").replace("SSH", "ssh");
    assert_eq!(fixed(&options), [options.replace("Options", "options"), options.clone()]);
    // To Teleport a key `options` would be there twice.
    let both = "kind: role\nmetadata: {name: a}\nspec:\n  record_session:\n    ssh: strict\n  Options:\n    max_session_ttl: 1h\n";
    for text in fixed(both) {
        assert!(!text.contains("  options:") || !text.contains("  Options:"), "{text}");
    }
}

#[test]
fn no_fix_turns_the_recording_of_desktops_off_in_either_dialect() {
    let head = "kind: role\nversion: v7\nmetadata: {name: a}\nspec:\n";
    let kept = [
        role("a", &["dekstop: strict"]),
        role("a", &["dekstop: best_effort"]),
        role("a", &["dekstop: false"]),
        role("a", &["desktop: strct"]),
        role("a", &["dekstop: strct"]),
        role("a", &["desktop: Strict"]),
        role("a", &["desktop: best-effort"]),
        format!("{head}  record_session:\n    desktop: best_effort\n  allow: {{}}\n"),
        format!("{head}  allow:\n    record_session:\n      default: strict\n      desktop: strict\n"),
        format!("{head}  options:\n    record_sesion:\n      default: strict\n      desktop: strict\n"),
        format!("{head}  allow: {{record_session: {{desktop: false}}}}\n"),
        format!("{head}  allow: {{record_session: {{default: strict, desktop: maybe}}}}\n"),
    ];
    for text in kept {
        assert_eq!(fixed(&text), [text.clone(), text]);
    }
    for text in [role("a", &["Desktop: strict"]), role("a", &["DESKTOP: false"])] {
        assert_eq!(fixed(&text), [text.clone(), text]);
    }
    let mended = role("a", &["dekstop: true"]);
    assert_eq!(fixed(&mended), [mended.replace("dekstop", "desktop"), mended.replace("dekstop", "desktop")]);
    let beside = role("a", &["default: Strict", "dekstop: strict"]);
    assert_eq!(fixed(&beside), [beside.replace("Strict", "strict"), beside.replace("Strict", "strict")]);
}

#[test]
fn every_text_that_proposes_a_mode_for_desktops_says_how_teleport_reads_it() {
    let note = "Teleport reads a mode at desktop as false and records no desktop session";
    for option in [
        "desktop: strct",
        "desktop: Strict",
        "desktop: maybe",
        "desktop:",
        "dekstop: strict",
        "dekstop: strct",
        "Desktop: strict",
    ] {
        let text = human(&role("a", &[option]), &["--no-config"]);
        let helps: Vec<_> = text.lines().filter(|line| line.contains("= help:")).collect();
        assert!(!helps.is_empty() && helps.iter().all(|help| help.contains(note)), "{option}: {text}");
    }
    let misplaced = "kind: role\nmetadata: {name: a}\nspec:\n  record_session: {desktop: strict}\n";
    assert!(human(misplaced, &[]).contains(&format!("it belongs under spec.options ({note})")));
    let weaker = format!("{}---\n{}", role("a", &["default: strict"]), role("b", &["desktop: best_effort"]));
    let text = human(&weaker, &[]);
    assert!(
        text.contains(&format!("give \"a\" desktop: strict, which nothing can loosen ({note})")),
        "{text}"
    );
    let config = "version: 1\nrequire:\n- roles: [a]\n  kinds: [desktop]\n  mode: strict\n";
    let folder = repository(&[("a.yaml", &role("a", &["ssh: strict"])), (".recmode.yaml", config)]);
    let text = stdout(&lint(folder.path(), &[]));
    assert!(text.contains(&format!("give `desktop: strict` to the role \"a\" ({note})")), "{text}");
}

#[test]
fn a_word_that_may_mean_the_opposite_is_asked_about_and_never_mended() {
    for value in
        ["unstrict", "nstrict", "un-strict", "no strict", "strict no", "-strict", "restrict", "a_strict"]
    {
        let text = role("a", &[&format!("ssh: {value:?}")]);
        assert_eq!(fixed(&text), [text.clone(), text.clone()]);
        let shown = human(&text, &[]);
        assert!(shown.contains("help: did you mean strict?\n") && !shown.contains("write strict"), "{shown}");
    }
    for value in ["no_best_effort", "unbest_effort", "best-effort-no"] {
        let text = role("a", &[&format!("ssh: {value}")]);
        assert_eq!(fixed(&text), [text.clone(), text.clone()]);
        assert!(human(&text, &[]).contains("help: did you mean best_effort?\n"));
    }
    for key in ["no_desktop: true", "undefault: strict", "no_record_session: strict"] {
        let text = role("a", &[key]);
        assert_eq!(fixed(&text), [text.clone(), text]);
    }
    let misspelt = role("a", &["ssh: strict"]).replace("record_session", "no_record_session");
    assert_eq!(fixed(&misspelt), [misspelt.clone(), misspelt]);
    // The same word, and slips of it.
    for (value, help) in [
        ("Strict", "write strict"),
        ("STRICT", "write strict"),
        ("strcit", "did you mean strict?"),
        ("sstrict", "did you mean strict?"),
    ] {
        let text = role("a", &[&format!("ssh: {value}")]);
        assert!(human(&text, &[]).contains(&format!("help: {help}\n")), "{value}");
        assert_eq!(fixed(&text), [text.replace(value, "strict"), text.replace(value, "strict")]);
    }
    for value in ["best-effort", "Best Effort", "besteffort"] {
        assert!(human(&role("a", &[&format!("ssh: {value}")]), &[]).contains("help: write best_effort\n"));
    }
}

#[test]
fn what_teleport_does_not_honour_is_info_and_a_dialect_is_suggested_once() {
    let text = format!("{}---\n{}", role("a", &["k8s: strict", "db: strict"]), role("b", &["app: strict"]));
    let suggestion =
        "set dialect: teleport in .recmode.yaml if Teleport reads these roles, dialect: rfd68 if not";
    let folder = repository(&[("a.yaml", &text), ("b/c.yaml", &role("c", &["k8s: strict"]))]);
    let shown = stdout(&lint(folder.path(), &[]));
    assert_eq!(shown.matches("info[not-honoured]").count(), 4, "{shown}");
    assert_eq!(shown.matches(suggestion).count(), 1, "{shown}");
    let shown = stdout(&lint(folder.path(), &["--dialect", "rfd68"]));
    assert_eq!((shown.matches("info[not-honoured]").count(), shown.matches(suggestion).count()), (4, 0));
    fs::write(folder.path().join(".recmode.yaml"), "version: 1\ndialect: teleport\n").expect("a file");
    let shown = stdout(&lint(folder.path(), &[]));
    assert_eq!((shown.matches("error[not-honoured]").count(), shown.matches(suggestion).count()), (4, 0));
}

#[test]
fn a_cluster_that_records_nothing_is_a_warning_whatever_form_it_has() {
    let config = |mode: &str| {
        format!("kind: session_recording_config\nversion: v2\nmetadata: {{name: s}}\nspec:\n  mode: {mode}\n")
    };
    assert_eq!(rules(&config("\"off\""), &[]), ["recording-off:5"]);
    assert!(human(&config("\"off\""), &[]).contains("warning[recording-off]: mode off turns session recording off in the whole cluster: nothing is recorded, whatever roles say"));
    for bare in ["off", "Off", "OFF"] {
        assert!(
            human(&config(bare), &[])
                .contains("mode off without quotes is a boolean, which Teleport rejects"),
            "{bare}"
        );
    }
    for other in ["node", "\"node-sync\"", "proxy", "\"Off\"", "false", "no"] {
        assert_eq!(rules(&config(other), &[]), [""; 0], "{other}");
    }
    let in_other_case = config("\"off\"").replace("mode", "Mode");
    assert_eq!(rules(&in_other_case, &["--dialect", "teleport"]), ["recording-off:5"]);
    assert_eq!(rules(&in_other_case, &[]), ["syntax:5"]);
}

#[test]
fn nothing_moves_where_teleport_would_see_a_second_one() {
    let head = "kind: role\nversion: v7\nmetadata: {name: a}\nspec:\n  record_session:\n    ssh: strict\n";
    let moved = format!("{head}  options:\n    max_session_ttl: 1h\n");
    assert!(fixed(&moved)[0].contains("  options:\n    record_session:\n      ssh: strict\n"));
    for rest in [
        "  options:\n    Record_Session: {default: strict}\n",
        "  options: {}\n  Options: {max_session_ttl: 1h}\n",
    ] {
        let [rfd68, _] = fixed(&format!("{head}{rest}"));
        assert!(rfd68.starts_with(head), "{rfd68}");
    }
}
