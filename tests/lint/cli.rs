//! Exit codes, severities, what is looked at, where the output goes.

use std::fs;

use super::{all, found, lint, lint_stdin, recmode, repository, role, stderr, stdout};

fn code(output: &std::process::Output) -> Option<i32> {
    output.status.code()
}

#[test]
fn the_exit_code_says_whether_anything_counts() {
    let folder = repository(&[
        ("fine.yaml", &role("fine", &["ssh: strict"])),
        ("info.yaml", "kind: role\nversion: v7\nmetadata: {name: silent}\n"),
        ("warning.yaml", &role("kiosk", &["default: strict", "desktop: false"])),
        ("error.yaml", &role("wrong", &["default: on"])),
    ]);
    let lint = |args: &[&str]| code(&lint(folder.path(), args));
    assert_eq!(lint(&["fine.yaml"]), Some(0));
    assert_eq!(lint(&["info.yaml"]), Some(0));
    assert_eq!(lint(&["warning.yaml"]), Some(1));
    assert_eq!(lint(&["--fail-on", "error", "warning.yaml"]), Some(0));
    assert_eq!(lint(&["--fail-on", "error", "error.yaml"]), Some(1));
    assert_eq!(lint(&["--exit-zero", "error.yaml"]), Some(0));
    assert_eq!(lint(&["-A", "desktop-unrecorded", "warning.yaml"]), Some(0));
    assert_eq!(lint(&["-D", "desktop-unrecorded", "--fail-on", "error", "warning.yaml"]), Some(1));
    assert_eq!(lint(&["-W", "implicit-best-effort", "info.yaml"]), Some(1));
    assert_eq!(lint(&["no-such-file.yaml"]), Some(2));
    assert_eq!(lint(&["-A", "no-such-rule", "fine.yaml"]), Some(2));
    assert_eq!(lint(&["-A", "syntax", "-D", "syntax", "fine.yaml"]), Some(2));
    assert_eq!(lint(&["--no-such-flag"]), Some(2));
}

#[test]
fn an_explicit_severity_raises_what_a_rule_itself_makes_light_of() {
    let folder = repository(&[
        ("values.yaml", "a: {{ .Values.x }}\n"),
        ("fine.yaml", &role("fine", &["ssh: strict"])),
    ]);
    assert_eq!(code(&lint(folder.path(), &["."])), Some(0));
    assert_eq!(code(&lint(folder.path(), &["-D", "syntax", "."])), Some(1));
}

#[test]
fn a_template_is_told_once_and_not_what_it_makes_of_its_line() {
    for text in [
        "kind: role\nmetadata: {name: a}\nspec: {options: {record_session: {default: {{ .Values.m }} }}}\n",
        "kind: role\nmetadata: {name: a}\nspec:\n  options:\n    record_session: {{ .Values.m }}\n",
        "kind: {{ .Values.kind }}\nmetadata: {name: {{ .Values.name }} }\n",
    ] {
        let folder = repository(&[("role.yaml", text)]);
        let output = lint(folder.path(), &["role.yaml"]);
        assert_eq!(code(&output), Some(1), "{text}");
        assert!(stdout(&output).contains("\n1 finding in "), "{text}{}", stdout(&output));
        assert!(stdout(&output).ends_with(" in 1 file: 1 error\n"), "{text}{}", stdout(&output));
    }
}

#[test]
fn a_slip_in_the_kind_of_a_role_does_not_pass() {
    for kind in ["roles", "rolle", "Role"] {
        let text = role("a", &["default: stric"]).replace("kind: role", &format!("kind: {kind}"));
        let folder = repository(&[("role.yaml", &text)]);
        let output = lint(folder.path(), &["role.yaml"]);
        assert_eq!(code(&output), Some(1), "{kind}: {}", stdout(&output));
        assert!(stdout(&output).contains("did you mean role?"), "{}", stdout(&output));
    }
    let rbac = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: a}\nrules: []\n";
    for text in [rbac.to_owned(), format!("{rbac}spec: {{options: {{record_session: {{ssh: strict}}}}}}\n")] {
        let folder = repository(&[("role.yaml", &text)]);
        assert_eq!(code(&lint(folder.path(), &["role.yaml"])), Some(0), "Kubernetes' own");
    }
}

#[test]
fn a_kind_of_no_ones_that_says_how_its_sessions_are_recorded_does_not_pass() {
    let text = role("a", &["default: strict"]);
    for head in ["kind: AccessRole", "apiVersion: v1\nkind: Role", "apiVersion: example.com/v1\nkind: bot"] {
        for text in [text.clone(), text.replace("  options:\n    record", "  allow:\n    record")] {
            let folder = repository(&[("role.yaml", &text.replace("kind: role", head))]);
            let output = lint(folder.path(), &["--format", "json"]);
            let line = if head.contains("apiVersion") { 2 } else { 1 };
            assert_eq!(found(&output), [format!("unknown-version:{line}")], "{head}");
            assert_eq!(code(&output), Some(1), "{head}");
            let output = recmode(folder.path()).args(["resolve", "--roles", "role.yaml"]).output();
            assert_eq!(code(&output.expect("recmode runs")), Some(2), "{head}");
        }
    }
}

#[test]
fn no_file_to_look_at_is_no_verdict() {
    let folder = repository(&[("README.md", "nothing")]);
    insta::assert_snapshot!(all(&lint(folder.path(), &[])));
}

#[test]
fn an_empty_stream_is_no_verdict() {
    let folder = repository(&[("empty.yaml", "")]);
    for input in ["", "\n \n"] {
        for args in [&["-"][..], &["--fix", "-"], &["-", "empty.yaml"], &["--exit-zero", "-"]] {
            let output = lint_stdin(folder.path(), args, input);
            assert_eq!((code(&output), stdout(&output)), (Some(2), String::new()), "{args:?}");
            assert!(
                stderr(&output).contains("<stdin>: nothing came from this stream"),
                "{}",
                stderr(&output)
            );
        }
    }
    assert_eq!(code(&lint_stdin(folder.path(), &["-"], "# nothing yet\n")), Some(0));
    assert_eq!(code(&lint(folder.path(), &["empty.yaml"])), Some(0));
}

#[test]
fn git_ignored_and_hidden_files_are_left_out_unless_they_are_named() {
    let wrong = role("wrong", &["default: on"]);
    let folder = repository(&[
        (".gitignore", "build/\n*.gen.yaml\n"),
        ("build/a.yaml", &wrong),
        ("b.gen.yaml", &wrong),
        (".hidden/c.yaml", &wrong),
        ("fine.yaml", &role("fine", &["default: strict"])),
    ]);
    let output = lint(folder.path(), &[]);
    assert_eq!((code(&output), stdout(&output).as_str()), (Some(0), "no findings in 1 role in 1 file\n"));
    for named in ["build", "b.gen.yaml", ".hidden"] {
        assert_eq!(code(&lint(folder.path(), &[named])), Some(1), "{named}");
    }
}

#[test]
fn what_git_ignores_is_left_out_of_an_export_too() {
    let folder = repository(&[
        (".gitignore", "build/\n"),
        ("build/a.yaml", &role("wrong", &["default: on"])),
        ("roles/.gitignore", "*.gen.yaml\n"),
        ("roles/b.gen.yaml", &role("wrong", &["default: on"])),
        ("roles/fine.yaml", &role("fine", &["default: strict"])),
    ]);
    fs::remove_dir_all(folder.path().join(".git")).expect("removed");
    for args in [&[][..], &["roles"]] {
        let output = lint(folder.path(), args);
        assert_eq!(
            (code(&output), stdout(&output).as_str()),
            (Some(0), "no findings in 1 role in 1 file\n"),
            "{args:?}"
        );
    }
}

#[test]
fn a_template_is_an_error_where_it_is_named_or_looks_like_a_role() {
    let config = "{{- range .Values.all }}\na: 1\n{{- end }}\n";
    let looks = "{{- range .Values.all }}\nkind: role\n{{- end }}\n---\nkind: role\nmetadata: {name: next}\n";
    let folder = repository(&[("config.yaml", config), ("role.yaml", looks)]);
    let severities = |args: &[&str]| {
        let tree: serde_json::Value =
            serde_json::from_slice(&lint(folder.path(), args).stdout).expect("JSON");
        let all = tree["findings"].as_array().expect("findings").clone();
        all.iter().map(|one| format!("{} {}", one["at"]["file"], one["severity"])).collect::<Vec<_>>()
    };
    let by_walk = severities(&["--format", "json", "-A", "implicit-best-effort"]);
    assert_eq!(by_walk, [r#""config.yaml" "info""#, r#""role.yaml" "error""#]);
    let by_name = severities(&["--format", "json", "config.yaml"]);
    assert_eq!(by_name, [r#""config.yaml" "error""#]);
    let rest = severities(&["--format", "json", "role.yaml"]);
    assert_eq!(rest, [r#""role.yaml" "error""#, r#""role.yaml" "info""#], "the rest goes on");
}

#[test]
fn standard_input_has_the_name_that_it_is_given() {
    let folder = repository(&[]);
    let text = role("wrong", &["default: on"]);
    let output = lint_stdin(folder.path(), &["--stdin-name", "roles/x.yaml", "-"], &text);
    assert!(stdout(&output).contains(" --> roles/x.yaml:8:16\n"), "{}", stdout(&output));
    assert!(stdout(&lint_stdin(folder.path(), &["-"], &text)).contains(" --> <stdin>:8:16\n"));
    let hcl = "resource \"teleport_role\" \"x\" {\n  metadata = { name = \"x\" }\n  spec = { options = { record_session = { ssh = true } } }\n}\n";
    let output = lint_stdin(folder.path(), &["--stdin-name", "x.tf", "--format", "json", "-"], hcl);
    assert_eq!(found(&output), ["invalid-mode:3"]);
}

#[test]
fn the_output_file_is_replaced_as_a_whole() {
    let folder = repository(&[("a.yaml", &role("a", &["default: on"])), ("out.json", "old")]);
    let output = lint(folder.path(), &["-o", "out.json", "--format", "json"]);
    assert_eq!((code(&output), stdout(&output)), (Some(1), String::new()));
    let written = fs::read_to_string(folder.path().join("out.json")).expect("a file");
    assert!(written.starts_with("{\n  \"schema\": \"recmode.lint/1\""));
    let left = fs::read_dir(folder.path()).expect("the folder").count();
    assert_eq!(left, 3, "nothing is left beside it");
    for (when, colored) in [("auto", false), ("always", true)] {
        lint(folder.path(), &["-o", "out.txt", "--color", when]);
        let written = fs::read_to_string(folder.path().join("out.txt")).expect("a file");
        assert_eq!(written.contains('\u{1b}'), colored, "{when}");
    }
    let output = lint(folder.path(), &["-o", "no/such/folder.json"]);
    assert_eq!(code(&output), Some(2), "{}", stderr(&output));
}

#[test]
fn a_baseline_leaves_out_what_is_known_also_when_lines_have_moved() {
    let wrong = role("a", &["default: on", "ssh: yes"]);
    let folder = repository(&[("roles/a.yaml", &wrong)]);
    lint(folder.path(), &["--format", "json", "-o", "known.json"]);
    let moved = format!("# a comment\n\n---\n{}", wrong.replace("  options", "  # here\n  options"));
    fs::write(folder.path().join("roles/a.yaml"), format!("{moved}      db: on\n")).expect("a file");
    let output = lint(folder.path(), &["--baseline", "known.json", "--format", "json", "roles"]);
    assert_eq!(found(&output), ["invalid-mode:14"]);
    let output = lint(folder.path(), &["--baseline", "known.json", "roles/a.yaml"]);
    assert!(
        stdout(&output).ends_with("1 finding in 1 role in 1 file: 1 error; 2 in the baseline\n"),
        "{}",
        stdout(&output)
    );
    fs::write(folder.path().join("known.json"), "{\"schema\":\"recmode.lint/2\",\"findings\":[]}")
        .expect("a file");
    assert_eq!(code(&lint(folder.path(), &["--baseline", "known.json"])), Some(2));
    fs::write(folder.path().join("known.json"), "{}").expect("a file");
    let output = lint(folder.path(), &["--baseline", "known.json"]);
    let expected = "recmode: known.json: is not the output of recmode lint --format json: missing field `schema` at line 1 column 2\n";
    assert_eq!((code(&output), stderr(&output).as_str()), (Some(2), expected));
}

#[test]
fn teleports_dialect_makes_errors_of_what_it_does_not_honour() {
    let folder = repository(&[("a.yaml", &role("a", &["default: strict", "desktop: strict"]))]);
    assert_eq!(code(&lint(folder.path(), &["--fail-on", "error"])), Some(0));
    assert_eq!(code(&lint(folder.path(), &["--fail-on", "error", "--dialect", "teleport"])), Some(1));
    let relaxed = ["--fail-on", "error", "--dialect", "teleport", "-W", "not-honoured"];
    assert_eq!(code(&lint(folder.path(), &relaxed)), Some(0));
}

#[test]
fn quiet_prints_findings_and_no_summary() {
    let folder = repository(&[("a.yaml", &role("a", &["ssh: strict"]))]);
    assert_eq!(stdout(&lint(folder.path(), &["-q"])), "");
}

#[test]
fn what_a_baseline_holds_and_is_not_found_any_more_is_reported() {
    let folder = repository(&[("a.yaml", &role("a", &["default: on", "ssh: yes"]))]);
    lint(folder.path(), &["--format", "json", "-o", "known.json"]);
    fs::write(folder.path().join("a.yaml"), role("a", &["default: strict", "ssh: yes"])).expect("a file");
    let output = lint(folder.path(), &["--baseline", "known.json"]);
    let expected = "info[unused-ignore]: a finding of this baseline is not found any more\n --> known.json\n  = note: invalid-mode is not found here any more\n --> a.yaml\n  = help: write it anew\n\n1 finding in 1 role in 2 files: 1 info; 1 in the baseline\n";
    assert_eq!((code(&output), stdout(&output).as_str()), (Some(0), expected));
    assert_eq!(code(&lint(folder.path(), &["--baseline", "known.json", "--fail-on", "info"])), Some(1));
    let none =
        [&["--baseline", "known.json", "a.yaml"][..], &["--baseline", "known.json", "-A", "invalid-mode"]];
    for args in none {
        let output = lint(folder.path(), args);
        assert!(!stdout(&output).contains("unused-ignore"), "{args:?}: {}", stdout(&output));
    }
}

#[test]
fn an_input_is_never_overwritten() {
    let wrong = role("a", &["default: on"]);
    let config = "version: 1\n";
    let known = "{\"schema\":\"recmode.lint/1\",\"findings\":[]}";
    let folder =
        repository(&[("a.yaml", &wrong), ("b.yaml", &wrong), (".recmode.yaml", config), ("known", known)]);
    std::os::unix::fs::symlink("a.yaml", folder.path().join("link")).expect("a link");
    fs::hard_link(folder.path().join("a.yaml"), folder.path().join("hard")).expect("a link");
    for args in [
        &["-o", "a.yaml"][..],
        &["-o", "a.yaml", "a.yaml"],
        &["-o", "link", "."],
        &["-o", "hard"],
        &["-o", ".recmode.yaml"],
        &["-o", "known", "--baseline", "known"],
        &["-o", "a.yaml", "--fix"],
        &["-o", "a.yaml", "--fix", "--dry-run"],
    ] {
        let output = lint(folder.path(), args);
        let expected = format!("recmode: {}: is an input, which -o would overwrite\n", args[1]);
        assert_eq!((code(&output), stderr(&output)), (Some(2), expected), "{args:?}");
    }
    for (name, text) in [("a.yaml", wrong.as_str()), (".recmode.yaml", config), ("known", known)] {
        assert_eq!(fs::read_to_string(folder.path().join(name)).expect("a file"), text);
    }
    for _ in 0..2 {
        assert_eq!(
            code(&lint(folder.path(), &["-o", "out.json", "--format", "json"])),
            Some(1),
            "its own output"
        );
    }
}

#[test]
fn a_dash_is_standard_output() {
    let folder = repository(&[("a.yaml", &role("a", &["default: on"]))]);
    let output = lint(folder.path(), &["-o", "-"]);
    assert_eq!(stdout(&output), stdout(&lint(folder.path(), &[])));
    assert!(!folder.path().join("-").exists());
}

#[test]
fn a_dry_run_writes_its_patch_where_it_is_told_to_and_refuses_a_format() {
    let folder = repository(&[("a.yaml", &role("a", &["default: Strict"]))]);
    let patch = stdout(&lint(folder.path(), &["--fix", "--dry-run"]));
    assert!(patch.starts_with("--- a/a.yaml\n"), "{patch}");
    let output = lint(folder.path(), &["--fix", "--dry-run", "-o", "out.patch"]);
    assert_eq!(stdout(&output), "");
    assert_eq!(fs::read_to_string(folder.path().join("out.patch")).expect("a file"), patch);
    for format in ["json", "sarif", "github", "gitlab", "junit"] {
        let output = lint(folder.path(), &["--fix", "--dry-run", "--format", format]);
        let expected = "recmode: --dry-run prints a patch and takes no --format\n";
        assert_eq!((code(&output), stderr(&output).as_str()), (Some(2), expected));
    }
}

#[test]
fn the_role_that_the_readme_shows_passes() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("the README");
    let blocks = readme.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let examples: Vec<_> = blocks.filter(|block| block.starts_with("kind: role\n")).collect();
    assert!(!examples.is_empty());
    for example in examples {
        let folder = repository(&[("role.yaml", example)]);
        let output = lint(folder.path(), &[]);
        assert_eq!(code(&output), Some(0), "{}", stdout(&output));
    }
}

#[test]
fn every_severity_may_be_what_fails() {
    let folder = repository(&[("a.yaml", &role("a", &["default: strict", "ssh: best_effort"]))]);
    let code = |args: &[&str]| code(&lint(folder.path(), args));
    assert_eq!(
        (code(&[]), code(&["--fail-on", "info"]), code(&["--fail-on", "warning"])),
        (Some(0), Some(1), Some(0))
    );
    let junit = stdout(&lint(folder.path(), &["--fail-on", "info", "--format", "junit"]));
    assert!(junit.contains("failures=\"1\""), "{junit}");
}
