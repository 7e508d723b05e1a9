//! Requirements with both bounds, over expressions too; expectations; and what JUnit makes of them.

use super::{found, lint, repository, role, stdout};

/// A strict role with a way to loosen it, and a user who holds both.
const ROLES: &str = "kind: role\nversion: v7\nmetadata: {name: prod}\nspec: {options: {record_session: {ssh: strict}}}\n---\nkind: role\nversion: v7\nmetadata: {name: ops}\nspec: {options: {record_session: {ssh: best_effort}}}\n---\nkind: user\nversion: v2\nmetadata: {name: alice}\nspec: {roles: [prod]}\n---\nkind: user\nversion: v2\nmetadata: {name: emergency}\nspec: {roles: [ops]}\n---\nkind: github\nversion: v3\nmetadata: {name: corp}\nspec: {teams_to_roles: [{organization: o, team: t, roles: [ops]}]}\n";

/// The exit code and the messages of this rule under this configuration.
fn judged(config: &str, roles: &[(&str, &str)], rule: &str) -> (Option<i32>, Vec<String>) {
    let config = format!("version: 1\nrules: {{weakening-role: off, unknown-value: off}}\n{config}\n");
    let files: Vec<_> =
        [(".recmode.yaml", config.as_str())].into_iter().chain(roles.iter().copied()).collect();
    let folder = repository(&files);
    let output = lint(folder.path(), &["-q"]);
    let heads = [format!("error[{rule}]: "), format!("warning[{rule}]: ")];
    let text = stdout(&output);
    let messages = text.lines().filter(|line| heads.iter().any(|head| line.starts_with(head.as_str())));
    (output.status.code(), messages.map(str::to_owned).collect())
}

fn require(config: &str) -> (Option<i32>, Vec<String>) {
    judged(&format!("require: [{config}]"), &[("roles.yaml", ROLES)], "requirement-not-met")
}

#[test]
fn somebody_has_to_get_in_when_the_disk_is_full() {
    assert_eq!(require("{users: [emergency], kinds: [ssh], at_most: best_effort}"), (Some(0), vec![]));
    assert_eq!(
        require("{users: [alice], kinds: [ssh], at_most: best_effort}"),
        (
            Some(1),
            vec![
                "error[requirement-not-met]: a requirement is not met: the user \"alice\" is strict on ssh"
                    .to_owned()
            ]
        )
    );
    let (code, found) = require("{name: way in, roles: [ops], kinds: [ssh], at_most: best_effort}");
    assert_eq!(code, Some(1));
    assert_eq!(
        found,
        [
            "error[requirement-not-met]: the requirement \"way in\" is not met: whoever holds \"ops\" and \"prod\" is strict on ssh"
        ]
    );
    let excepted = "{roles: [ops], kinds: [ssh], at_most: best_effort, except_roles: [prod]}";
    assert_eq!(require(excepted), (Some(0), vec![]));
}

#[test]
fn a_mode_can_be_required_exactly() {
    assert_eq!(require("{users: [alice], kinds: [ssh], exactly: strict}"), (Some(0), vec![]));
    assert_eq!(require("{users: [o/t], kinds: [ssh], exactly: best_effort}"), (Some(0), vec![]));
    assert_eq!(require("{users: [emergency], kinds: [ssh], exactly: strict}").0, Some(1));
    assert_eq!(require("{users: [alice], kinds: [ssh], exactly: best_effort}").0, Some(1));
}

#[test]
fn a_requirement_over_an_expression_is_proved_refuted_or_open() {
    let with = |settings: &str| {
        format!(
            "resource \"teleport_role\" \"x\" {{\n  version = \"v7\"\n  metadata = {{ name = \"x\" }}\n  spec = {{ options = {{ record_session = {{ {settings} }} }} }}\n}}\n"
        )
    };
    let judge = |settings: &str, bound: &str| {
        let config = format!("require: [{{roles: [x], kinds: [ssh], {bound}}}]");
        judged(&config, &[("x.tf", &with(settings))], "requirement-not-met")
    };
    // Strict at the kind itself decides whatever the default is.
    assert_eq!(judge("default = var.mode, ssh = \"strict\"", "mode: strict"), (Some(0), vec![]));
    let (code, found) = judge("default = var.mode, ssh = \"best_effort\"", "mode: strict");
    assert_eq!(code, Some(1));
    assert!(found[0].starts_with("error[requirement-not-met]: a requirement is not met: "), "{found:?}");
    let (code, found) = judge("default = var.mode", "mode: strict");
    assert_eq!(code, Some(1));
    assert_eq!(
        found,
        [
            "warning[requirement-not-met]: a requirement can't be proved for whoever holds \"x\" on ssh: default is an expression in the role \"x\" (x.tf:4:53)"
        ]
    );
    assert_eq!(judge("default = var.mode", "at_most: best_effort").0, Some(1));
    assert_eq!(judge("default = var.mode, ssh = \"best_effort\"", "at_most: best_effort"), (Some(0), vec![]));
}

#[test]
fn a_role_whose_name_is_an_expression_may_be_meant() {
    let text = "resource \"teleport_role\" \"x\" {\n  version = \"v7\"\n  metadata = { name = var.name }\n  spec = { options = { record_session = { ssh = \"best_effort\" } } }\n}\n";
    let strict = role("prod-1", &["ssh: strict"]);
    let files = [("x.tf", text), ("prod.yaml", strict.as_str())];
    let (code, found) =
        judged("require: [{roles: [\"prod-*\"], kinds: [ssh], mode: strict}]", &files, "requirement-not-met");
    assert_eq!(code, Some(1));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("is an expression and may match"), "{found:?}");
}

#[test]
fn an_expectation_is_the_exact_mode() {
    let expect = |config: &str| {
        judged(&format!("expect: [{config}]"), &[("roles.yaml", ROLES)], "expectation-not-met")
    };
    for right in [
        "{user: alice, ssh: strict, k8s: best_effort}",
        "{group: o/t, ssh: best_effort}",
        "{roles: [prod, ops], ssh: strict}",
    ] {
        assert_eq!(expect(right), (Some(0), vec![]), "{right}");
    }
    let (code, found) = expect("{user: alice, ssh: best_effort}");
    assert_eq!(code, Some(1));
    assert_eq!(
        found,
        [
            "error[expectation-not-met]: the user \"alice\" is expected to be best_effort on ssh, and is strict"
        ]
    );
    for missing in
        ["{user: bob, ssh: strict}", "{group: alice, ssh: strict}", "{roles: [nobody], ssh: strict}"]
    {
        assert_eq!(expect(missing).0, Some(1), "{missing}");
    }
}

#[test]
fn what_turns_a_recording_off_decides_over_the_mode() {
    let text = role("a", &["default: best_effort", "desktop: false"])
        + "---\nkind: user\nversion: v2\nmetadata: {name: x}\nspec: {roles: [a]}\n";
    for (config, rule) in [
        ("expect: [{user: x, desktop: best_effort}]", "expectation-not-met"),
        ("require: [{roles: [a], kinds: [desktop], mode: strict}]", "requirement-not-met"),
        ("require: [{users: [x], kinds: [desktop], mode: strict}]", "requirement-not-met"),
    ] {
        let config = format!("version: 1\n{config}\n");
        let folder = repository(&[(".recmode.yaml", &config), ("roles.yaml", &text)]);
        let output = stdout(&lint(folder.path(), &["-q"]));
        let (_, finding) = output.split_once(&format!("error[{rule}]: ")).expect("a finding");
        assert!(
            finding.lines().next().is_some_and(
                |line| line.ends_with("not recorded on desktop") || line.ends_with("is not recorded")
            ),
            "{finding}"
        );
        assert!(finding.lines().nth(1).is_some_and(|line| line.contains("roles.yaml:9:16")), "{finding}");
        let decides = "desktop: false in the role \"a\" decides";
        assert_eq!(finding.contains(decides), rule == "expectation-not-met", "{finding}");
    }
}

#[test]
fn nobody_who_gets_in_is_worth_a_word_where_holders_were_read() {
    let strict = ROLES.replace("ssh: best_effort", "ssh: strict");
    for (text, expected) in [(strict.as_str(), 1), (ROLES, 0), (&role("a", &["ssh: strict"]), 0)] {
        let folder = repository(&[("roles.yaml", text)]);
        let output = lint(folder.path(), &["--format", "json"]);
        let lockouts = found(&output).iter().filter(|one| one.starts_with("lockout:")).count();
        assert_eq!(lockouts, expected, "{text}");
        assert_eq!(output.status.code(), Some(0), "{text}");
    }
}

#[test]
fn junit_has_a_test_case_for_each_requirement_and_expectation() {
    let config = "version: 1\nrequire:\n- {name: prod, roles: [prod], kinds: [ssh], mode: strict}\n- {users: [alice], kinds: [ssh], at_most: best_effort}\nexpect:\n- {user: alice, ssh: strict}\n- {user: emergency, ssh: strict}\n";
    let folder = repository(&[(".recmode.yaml", config), ("roles.yaml", ROLES)]);
    let text = stdout(&lint(folder.path(), &["--format", "junit"]));
    insta::assert_snapshot!(text);
}

#[test]
fn what_is_left_out_of_one_role_leaves_out_no_other() {
    let loose = |name: &str, comment: &str| {
        format!(
            "kind: role\nversion: v7\nmetadata: {{name: {name}}}\nspec:\n  options:\n    record_session:\n      default: strict\n      ssh: best_effort{comment}\n"
        )
    };
    let config = "version: 1\nrequire: [{roles: [\"prod-*\"], kinds: [ssh], mode: strict}]\n";
    let ignore =
        format!("{config}ignore: [{{rules: [requirement-not-met], role: prod-a, reason: legacy}}]\n");
    let comment = " # recmode: ignore[requirement-not-met] legacy";
    for (config, comment) in [(ignore.as_str(), ""), (config, comment)] {
        let files = [(".recmode.yaml", config), ("a.yaml", &loose("prod-a", comment))];
        let alone = repository(&files);
        assert_eq!(lint(alone.path(), &[]).status.code(), Some(0), "{}", stdout(&lint(alone.path(), &[])));
        let both = repository(&[files[0], files[1], ("z.yaml", &loose("prod-z", ""))]);
        let output = lint(both.path(), &[]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stdout(&output).contains("whoever holds \"prod-z\" is best_effort"), "{}", stdout(&output));
    }
    // Nor does a baseline, whether another role is loose by itself or by a role that both are held with.
    let strict = loose("prod-a", "").replace("best_effort", "strict");
    let weak = strict.replace("      ssh: strict\n", "");
    let helpdesk = loose("helpdesk", "").replace("      default: strict\n", "");
    for (first, second) in
        [(loose("prod-a", ""), loose("prod-z", "")), (weak.clone(), weak.replace("prod-a", "prod-z"))]
    {
        let folder = repository(&[(".recmode.yaml", config), ("a.yaml", &first), ("h.yaml", &helpdesk)]);
        let baseline = ["--format", "json", "--exit-zero", "-o", "known.json"];
        assert_eq!(lint(folder.path(), &baseline).status.code(), Some(0));
        let known = ["--baseline", "known.json", "-A", "weakening-role"];
        assert_eq!(
            lint(folder.path(), &known).status.code(),
            Some(0),
            "{}",
            stdout(&lint(folder.path(), &known))
        );
        std::fs::write(folder.path().join("z.yaml"), second).expect("a file");
        let output = lint(folder.path(), &known);
        assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
        assert!(stdout(&output).contains("error[requirement-not-met]"), "{}", stdout(&output));
    }
    // More than are shown are counted at the requirement, where no comment of a role's is.
    let many: Vec<_> = (0..30).map(|n| (format!("{n}.yaml"), loose(&format!("prod-{n}"), comment))).collect();
    let files: Vec<_> = many.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let folder = repository(&[&[(".recmode.yaml", config)], &files[..]].concat());
    let output = lint(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stdout(&output).contains("a requirement is not met or can't be proved: 10 more reasons"),
        "{}",
        stdout(&output)
    );
}
