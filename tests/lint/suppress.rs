//! What comments and the configuration leave out, and what they do not.

use super::{found, lint, lint_stdin, repository, role, stdout};

fn judged(text: &str) -> Vec<String> {
    let folder = repository(&[]);
    found(&lint_stdin(folder.path(), &["--no-config", "--format", "json", "-"], text))
}

#[test]
fn a_comment_speaks_of_its_own_line_or_the_next() {
    let on_the_line = role(
        "a",
        &[
            "desktop: false # recmode: ignore[desktop-unrecorded, legacy-desktop-boolean] why",
            "default: strict",
        ],
    );
    assert_eq!(judged(&on_the_line), [""; 0]);
    let above = role(
        "a",
        &[
            "# recmode: ignore[desktop-unrecorded, legacy-desktop-boolean]",
            "desktop: false",
            "default: strict",
        ],
    );
    assert_eq!(judged(&above), [""; 0], "warnings need no reason");
    let two = role(
        "a",
        &[
            "# recmode: ignore[desktop-unrecorded]",
            "# recmode: ignore[legacy-desktop-boolean]",
            "desktop: false",
            "default: strict",
        ],
    );
    assert_eq!(judged(&two), [""; 0], "one above the other");
    let too_far = role("a", &["# recmode: ignore[desktop-unrecorded]", "default: strict", "desktop: false"]);
    assert_eq!(judged(&too_far), ["unused-ignore:8", "desktop-unrecorded:10", "legacy-desktop-boolean:10"]);
}

#[test]
fn other_comments_below_it_do_not_disable_it() {
    let text = role(
        "a",
        &[
            "# recmode: ignore[desktop-unrecorded, legacy-desktop-boolean] why",
            "# Nobody uses desktops here.",
            "",
            "# recmode: ignore[desktop-unrecorded] too far",
            "default: strict",
        ],
    );
    assert_eq!(judged(&text), ["unused-ignore:8", "unused-ignore:11"], "a blank line ends it");
    let text =
        text.replace("      \n", "").replace("default: strict", "desktop: false\n      default: strict");
    assert_eq!(judged(&text), [""; 0]);
}

#[test]
fn what_could_not_be_judged_is_not_called_unused() {
    let lists = "# recmode: ignore[weakening-role, unknown-role] needed with the others";
    let text = role("weak", &["default: strict", &format!("ssh: best_effort {lists}")]);
    let folder = repository(&[("a.yaml", &text), ("b.yaml", &role("b", &["default: strict"]))]);
    let unused = |args: &[&str]| {
        let output = lint(folder.path(), &[args, &["--format", "json"]].concat());
        found(&output).into_iter().filter(|found| found.starts_with("unused-ignore")).collect::<Vec<_>>()
    };
    assert_eq!(unused(&[]), ["unused-ignore:9"], "unknown-role");
    assert_eq!(unused(&["a.yaml"]), [""; 0], "of a part of the files nothing is known");
    fix(folder.path(), &["a.yaml"], &text);
    std::fs::write(folder.path().join("b.yaml"), "kind: role\nmetadata: [\n").expect("a file");
    fix(folder.path(), &[], &text);
    // Of a value that is not known, of a file that ends too early, and of a rule that asks nothing.
    for (name, text) in [
        (
            "c.tf",
            "resource \"teleport_role\" \"c\" {\n  metadata = { name = \"c\" }\n  spec = { options = { record_session = {\n    ssh = var.x # recmode: ignore[invalid-mode] the caller's\n  } } }\n}\n",
        ),
        (
            "d.yaml",
            &format!(
                "{}---\nkind: role\nmetadata: [\n",
                role("d", &["ssh: strict # recmode: ignore[invalid-mode] why"])
            ),
        ),
        ("e.yaml", &role("e", &["ssh: strict # recmode: ignore[requirement-not-met] why"])),
    ] {
        let folder = repository(&[(name, text)]);
        let output = lint(folder.path(), &["--format", "json", name]);
        assert!(!found(&output).iter().any(|found| found.starts_with("unused-ignore")), "{name}");
        lint(folder.path(), &["--fix", name]);
        assert_eq!(super::read(&folder, name), text);
    }
}

/// `--fix` leaves `a.yaml` as it is.
fn fix(folder: &std::path::Path, args: &[&str], text: &str) {
    lint(folder, &[&["--fix"], args].concat());
    assert_eq!(std::fs::read_to_string(folder.join("a.yaml")).expect("a file"), text, "{args:?}");
}

#[test]
fn an_error_is_left_out_only_with_a_reason() {
    assert_eq!(judged(&role("a", &["default: on # recmode: ignore[invalid-mode] #123: until v19"])), [""; 0]);
    let text = role("a", &["default: on # recmode: ignore[invalid-mode]"]);
    assert_eq!(judged(&text), ["invalid-mode:8"]);
    let folder = repository(&[]);
    insta::assert_snapshot!(stdout(&lint_stdin(folder.path(), &["--no-config", "-"], &text)));
}

#[test]
fn what_is_no_comment_suppresses_nothing() {
    let text = role("a", &["default: \"on # recmode: ignore[invalid-mode] no\""]);
    assert_eq!(judged(&text), ["invalid-mode:8"]);
    let text = format!(
        "{}  allow:\n    note: |\n      # recmode: ignore[invalid-mode] x\n",
        role("a", &["default: strict"])
    );
    assert_eq!(judged(&text), [""; 0], "and is not reported");
}

#[test]
fn a_suppression_that_is_not_understood_is_reported() {
    let text =
        role("a", &["default: strict # recmode: ignore[no-such-rule] x", "ssh: strict # recmode: disable"]);
    assert_eq!(judged(&text), ["unused-ignore:8", "unused-ignore:9"]);
}

#[test]
fn a_rule_that_is_off_makes_no_suppression_unused() {
    let folder = repository(&[]);
    let text = role("a", &["default: strict # recmode: ignore[invalid-mode] x"]);
    let output = lint_stdin(folder.path(), &["-A", "invalid-mode", "--format", "json", "-"], &text);
    assert_eq!(found(&output), [""; 0]);
}

#[test]
fn the_configuration_leaves_out_by_rule_path_and_role() {
    let wrong = |name: &str| role(name, &["default: on"]);
    let config = "version: 1\nignore:\n- rules: [invalid-mode]\n  path: 'legacy/**'\n  reason: goes away\n- rules: [invalid-mode]\n  role: 'tmp-*'\n  reason: goes away too\n- rules: [invalid-mode]\n  role: bare\n- rules: [syntax]\n  path: nowhere.yaml\n";
    let folder = repository(&[
        (".recmode.yaml", config),
        ("legacy/deep/a.yaml", &wrong("a")),
        ("b.yaml", &wrong("tmp-b")),
        ("c.yaml", &wrong("bare")),
        ("d.yaml", &wrong("d")),
    ]);
    insta::assert_snapshot!(stdout(&lint(folder.path(), &[])));
    let output = lint(folder.path(), &["--format", "json", "d.yaml"]);
    assert_eq!(found(&output), ["invalid-mode:8"], "of a part of the files, nothing is said of the entries");
}

#[test]
fn comments_of_terraform_suppress_too() {
    let text = "resource \"teleport_role\" \"x\" {\n  metadata = { name = \"x\" }\n  spec = { options = { record_session = {\n    # recmode: ignore[invalid-mode] because\n    ssh = true\n    k8s = true // recmode: ignore[invalid-mode] because\n    db = \"# recmode: ignore[invalid-mode] because\"\n  } } }\n}\n";
    let folder = repository(&[("x.tf", text)]);
    assert_eq!(found(&lint(folder.path(), &["--format", "json"])), ["invalid-mode:7"]);
}

#[test]
fn every_comment_of_terraform_suppresses() {
    let lines = [
        ("/* recmode: ignore[invalid-mode] because */", true),
        ("/* recmode: ignore[invalid-mode]\n       because */", true),
        ("// recmode: ignore[invalid-mode] because\n    /* of\n    this */", true),
        ("# recmode: ignore[invalid-mode] because\n    // of this", true),
        ("/* recmode: ignore[invalid-mode] */", false),
        ("/* recmode: ignore[invalid-mode] because */ db = \"strict\"", false),
    ];
    for (comment, suppresses) in lines {
        let text = format!(
            "resource \"teleport_role\" \"x\" {{\n  metadata = {{ name = \"x\" }}\n  spec = {{ options = {{ record_session = {{\n    {comment}\n    ssh = \"on\"\n    k8s = \"on\" /* recmode: ignore[invalid-mode] because */\n    /* recmode: ignore[invalid-mode] because */ app = \"on\"\n  }} }} }}\n}}\n"
        );
        let folder = repository(&[("x.tf", &text)]);
        let found = found(&lint(folder.path(), &["--format", "json"]));
        assert_eq!(
            !found.iter().any(|found| found.starts_with("invalid-mode")),
            suppresses,
            "{text}\n{found:?}"
        );
    }
    let heredoc = "resource \"teleport_role\" \"x\" {\n  metadata = {\n    name = \"x\"\n    description = <<-EOT\n      # recmode: ignore[invalid-mode] no comment\n    EOT\n  }\n  spec = { options = { record_session = { ssh = \"strict\" } } }\n}\n";
    let folder = repository(&[("x.tf", heredoc)]);
    assert_eq!(found(&lint(folder.path(), &["--format", "json"])), [""; 0]);
}

#[test]
fn an_unused_comment_of_terraform_is_removed_whole() {
    let text = |comment: &str| {
        format!(
            "resource \"teleport_role\" \"x\" {{\n  metadata = {{ name = \"x\" }}\n{comment}  spec = {{ options = {{ record_session = {{ ssh = \"strict\" }} }} }}\n}}\n"
        )
    };
    for comment in
        ["  /* recmode: ignore[invalid-mode]\n     why */\n", "  // recmode: ignore[invalid-mode] why\n"]
    {
        let folder = repository(&[("x.tf", &text(comment))]);
        lint(folder.path(), &["--fix"]);
        assert_eq!(super::read(&folder, "x.tf"), text(""));
    }
}
