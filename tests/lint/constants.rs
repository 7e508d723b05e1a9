//! Terraform's constant expressions: what comes from a local is known, and what is not known is not guessed.

use std::time::{Duration, Instant};

use super::{all, found, lint, read, recmode, repository, stderr, stdout};

/// A role whose `spec.options` is this expression.
fn with_options(name: &str, options: &str) -> String {
    format!(
        "resource \"teleport_role\" \"{name}\" {{\n  version  = \"v7\"\n  metadata = {{ name = \"{name}\" }}\n  spec     = {{ options = {options} }}\n}}\n"
    )
}

fn resolve(folder: &std::path::Path, paths: &str) -> std::process::Output {
    recmode(folder).args(["resolve", "--roles", paths, "--kind", "ssh"]).output().expect("recmode runs")
}

/// Exits with 2 where the mode is unknown.
fn mode(folder: &std::path::Path, paths: &str) -> std::process::Output {
    let args = ["resolve", "--roles", paths, "--kind", "ssh", "--format", "mode"];
    recmode(folder).args(args).output().expect("recmode runs")
}

#[test]
fn a_local_is_known_by_all_files_of_its_folder() {
    let locals = "locals {\n  mode = \"strict\"\n  rs   = { default = local.mode }\n}\n";
    let json = r#"{"locals": {"more": {"ssh": "${local.mode}", "k8s": "best_effort"}}}"#;
    let role = with_options("a", "{ record_session = merge(local.rs, local.more) }");
    let role_json = r#"{"resource": {"teleport_role": {"b": {"metadata": {"name": "b"}, "spec": {"options": {"record_session": "${local.more}"}}}}}}"#;
    let files =
        [("m/locals.tf", locals), ("m/more.tf.json", json), ("m/a.tf", &role), ("m/b.tf.json", role_json)];
    let folder = repository(&files);
    let output = resolve(folder.path(), "m");
    assert_eq!(output.status.code(), Some(0), "{}", all(&output));
    let table = stdout(&output);
    // Where the file refers to the local, whichever file that is in.
    assert!(table.contains("strict") && table.contains("m/a.tf:4:61"), "{table}");
    assert!(table.contains("m/b.tf.json:1:"), "{table}");
    // A file that is read alone has no others.
    assert_eq!(mode(folder.path(), "m").status.code(), Some(0));
    assert_eq!(mode(folder.path(), "m/a.tf").status.code(), Some(2));
    let other = repository(&[
        ("m/locals.tf", locals),
        ("n/a.tf", &with_options("a", "{ record_session = local.rs }")),
    ]);
    assert_eq!(mode(other.path(), ".").status.code(), Some(2), "another folder is another module");
}

#[test]
fn what_is_wrong_with_a_local_is_shown_where_it_is_used_and_where_it_is_written() {
    let locals = "locals {\n  mode = \"strcit\"\n}\n";
    let role = with_options("a", "{ record_session = { ssh = local.mode } }");
    let folder = repository(&[("locals.tf", locals), ("a.tf", &role)]);
    insta::assert_snapshot!(all(&lint(folder.path(), &[])));
    // The literal is used by others too, and what is at the reference is not the value.
    let output = lint(folder.path(), &["--fix"]);
    assert_eq!(output.status.code(), Some(1), "{}", all(&output));
    assert_eq!((read(&folder, "locals.tf"), read(&folder, "a.tf")), (locals.to_owned(), role));
}

#[test]
fn a_fix_elsewhere_in_the_file_does_not_forget_the_locals_of_others() {
    let locals = "locals {\n  loose = { ssh = \"best_effort\", default = \"strict\" }\n}\n";
    let roles = with_options("a", "{ record_session = local.loose }")
        + &with_options("b", "{ record_session = { ssh = \"strcit\", k8s = \"strict\" } }");
    let folder = repository(&[("locals.tf", locals), ("a.tf", &roles)]);
    let output = lint(folder.path(), &["--fix", "--format", "json"]);
    assert_eq!(read(&folder, "a.tf"), roles.replace("strcit", "strict"), "{}", all(&output));
    let found = found(&lint(folder.path(), &["--format", "json"]));
    assert!(!found.iter().any(|one| one.starts_with("unknown-value")), "{found:?}");
}

#[test]
fn a_record_session_in_a_wrong_place_of_a_local_is_left_where_it_is() {
    let locals = "locals {\n  spec = { record_session = { ssh = \"strict\" }, options = {} }\n}\n";
    let role =
        "resource \"teleport_role\" \"a\" {\n  metadata = { name = \"a\" }\n  spec     = local.spec\n}\n";
    let both = format!("{locals}{role}");
    let folder = repository(&[("a.tf", &both)]);
    let output = lint(folder.path(), &["--fix", "--format", "json"]);
    assert!(found(&output).contains(&"misplaced-record-session:6".to_owned()), "{}", all(&output));
    assert_eq!(read(&folder, "a.tf"), both);
}

#[test]
fn a_variable_is_unknown_even_with_a_default_and_so_is_all_that_needs_it() {
    let variable = "variable \"mode\" { default = \"strict\" }\nlocals {\n  mode = var.mode\n  rs   = { ssh = \"strict\", k8s = local.mode }\n  cycle = { ssh = local.again }\n  again = local.cycle.ssh\n}\nlocals {\n  twice = \"strict\"\n}\n";
    let more = "locals {\n  twice = \"strict\"\n}\n";
    for (options, place) in [
        ("{ record_session = { ssh = var.mode } }", "var.mode"),
        ("{ record_session = { ssh = local.mode } }", "local.mode"),
        ("{ record_session = local.rs }", "local.rs"),
        ("{ record_session = { ssh = local.cycle.ssh } }", "local.cycle"),
        ("{ record_session = local.cycle }", "local.cycle"),
        ("{ record_session = { ssh = local.twice } }", "local.twice"),
        ("{ record_session = merge(local.rs, var.more) }", "merge("),
        ("{ record_session = { ssh = trimspace(\"strict\") } }", "trimspace"),
    ] {
        let role = with_options("a", options);
        let column = role.lines().nth(3).and_then(|line| line.find(place)).expect("a place") + 1;
        let folder = repository(&[("a.tf", &role), ("variables.tf", variable), ("more.tf", more)]);
        let output = lint(folder.path(), &["--format", "json", "-A", "implicit-best-effort"]);
        let tree: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let findings = tree["findings"].as_array().expect("findings");
        let unknown = findings.iter().find(|one| one["rule"] == "unknown-value").expect("a finding");
        assert_eq!(
            (&unknown["at"]["line"], &unknown["at"]["column"]),
            (&4.into(), &column.into()),
            "{options}"
        );
    }
    // What is known of it is.
    let folder = repository(&[
        ("a.tf", &with_options("a", "{ record_session = { ssh = local.rs.ssh } }")),
        ("v.tf", variable),
    ]);
    assert_eq!(resolve(folder.path(), ".").status.code(), Some(0));
}

#[test]
fn locals_that_refer_to_each_other_without_end_or_measure_take_no_time() {
    let lines = |count: usize, line: &dyn Fn(usize) -> String| -> String {
        let lines: String = (1..count).map(line).collect();
        format!("locals {{\n  a0 = {{ ssh = \"strict\" }}\n{lines}}}\n")
    };
    let last = |count: usize| format!("{{ record_session = local.a{} }}", count - 1);
    for (text, options, known) in [
        (lines(60, &|n| format!("  a{n} = {{ x = local.a{0}, y = local.a{0} }}\n", n - 1)), last(60), None),
        (
            lines(60, &|n| format!("  a{n} = [local.a{0}, local.a{0}, local.a{0}]\n", n - 1)),
            last(60),
            Some(false),
        ),
        (lines(20_000, &|n| format!("  a{n} = {{ x = local.a{} }}\n", n - 1)), last(20_000), None),
        (lines(20_000, &|n| format!("  a{n} = local.a{}\n", n % 19_999 + 1)), last(20_000), Some(false)),
        (lines(20_000, &|n| format!("  a{n} = local.a{}\n", n - 1)), last(20_000), Some(true)),
        (
            lines(60, &|n| format!("  a{n} = merge(local.a{0}, {{ k{n} = local.a{0} }})\n", n - 1)),
            last(60),
            None,
        ),
        (
            "locals {\n  s0 = \"strict\"\n".to_owned()
                + &(1..60)
                    .map(|n| format!("  s{n} = \"${{local.s{0}}}${{local.s{0}}}\"\n", n - 1))
                    .collect::<String>()
                + "}\n",
            "{ record_session = { ssh = local.s59 } }".to_owned(),
            Some(false),
        ),
        (
            format!(
                "locals {{\n  t = \"{}\"\n}}\n",
                "a: &a [1, 2]\\n".to_owned()
                    + &(0..30).map(|n| format!("b{n}: &b{n} [*a, *a]\\n")).collect::<String>()
            ),
            format!(
                "merge({} {{ record_session = {{ ssh = \"strict\" }} }})",
                "yamldecode(local.t), ".repeat(20_000)
            ),
            None,
        ),
    ] {
        let role = with_options("a", &options);
        let folder = repository(&[("locals.tf", &text), ("a.tf", &role)]);
        let started = Instant::now();
        let output = mode(folder.path(), ".");
        assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
        assert!(matches!(output.status.code(), Some(0 | 2)), "{}", all(&output));
        assert!(
            known.is_none_or(|known| known == (output.status.code() == Some(0))),
            "{}: {}",
            &text[..60],
            stderr(&output)
        );
    }
}
