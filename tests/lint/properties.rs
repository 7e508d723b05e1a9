//! Laws: lint and resolve agree on random role sets; --fix is idempotent and never loosens.

use proptest::prelude::*;
use recmode::lint::{Input, Report, Settings, repairs, run};
use recmode::policy::{Mode, RoleSet, SessionKind};
use recmode::roles::{self, Survey};

const KEYS: [&str; 6] = ["default", "ssh", "k8s", "desktop", "db", "app"];

fn judged(survey: &Survey) -> Report {
    let input = Input::new(survey);
    run(&input, &Settings::default(), &str::to_owned)
}

/// What a role says, and where it is written.
type Written = (Vec<(String, String)>, u8);

/// What a role says: key and value, right or wrong.
fn options(values: &'static [&'static str]) -> impl Strategy<Value = Vec<(String, String)>> {
    let keys = prop_oneof![
        8 => proptest::sample::select(&KEYS[..]),
        1 => proptest::sample::select(&["SSH", "apps", "kubernetes", "defualt"][..]),
    ];
    let option = (keys, proptest::sample::select(values));
    proptest::collection::btree_map(option.0.prop_map(str::to_owned), option.1.prop_map(str::to_owned), 0..5)
        .prop_map(|map| map.into_iter().collect())
}

/// Where the option is written: at its place, or where it has no effect.
fn render(roles: &[Written]) -> String {
    let role = |(n, (options, place)): (usize, &Written)| {
        let (above, indent) = match place {
            0 => ("  record_session:", "    "),
            1 => ("  allow:\n    options:\n      record_session:", "        "),
            _ => ("  options:\n    record_session:", "      "),
        };
        let options: String =
            options.iter().map(|(key, value)| format!("{indent}{key}: {value}\n")).collect();
        format!("kind: role\nversion: v7\nmetadata:\n  name: r{n}\nspec:\n{above}\n{options}")
    };
    roles.iter().enumerate().map(role).collect::<Vec<_>>().join("---\n")
}

/// The forms besides block YAML: their file names.
const FORMS: [&str; 6] =
    ["flow.yaml", "flow-lines.yaml", "compact.json", "pretty.json", "lines.tf", "inline.tf"];

/// The same roles in another form.
fn render_as(form: usize, roles: &[Written]) -> String {
    if matches!(FORMS[form], "lines.tf" | "inline.tf") {
        return roles.iter().enumerate().map(|(n, role)| hcl(n, role, FORMS[form] == "lines.tf")).collect();
    }
    let role = |(n, (options, place)): (usize, &Written)| {
        let said: serde_json::Map<_, _> =
            options.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
        let said = serde_json::json!({ "record_session": said });
        let spec = match place {
            0 => said,
            1 => serde_json::json!({ "allow": { "logins": ["it's"], "options": said }, "deny": {} }),
            2 => {
                serde_json::json!({ "allow": { "a": 1, "record_session": said["record_session"], "b": [] }, "options": {} })
            }
            _ => serde_json::json!({ "options": said }),
        };
        serde_json::json!({ "kind": "role", "version": "v7", "metadata": { "name": format!("r{n}") }, "spec": spec })
    };
    let roles: Vec<_> = roles.iter().enumerate().map(role).collect();
    let pretty = |role| serde_json::to_string_pretty(role).expect("JSON");
    match FORMS[form] {
        "flow.yaml" => roles.iter().map(|role| format!("---\n{role}\n")).collect(),
        "flow-lines.yaml" => roles
            .iter()
            .map(|role| format!("---\n{}\n", pretty(role).replace('"', "'").replace("it's", "its")))
            .collect(),
        "compact.json" => serde_json::to_string(&roles).expect("JSON"),
        _ => pretty(&serde_json::Value::Array(roles)) + "\n",
    }
}

fn hcl(n: usize, (options, place): &Written, lines: bool) -> String {
    let said: Vec<_> = options.iter().map(|(key, value)| format!("{key} = \"{value}\"")).collect();
    let said = if lines {
        format!("record_session = {{\n{}\n}}", said.join("\n"))
    } else {
        format!("record_session = {{ {} }}", said.join(", "))
    };
    let spec = match place {
        0 => said,
        1 if lines => format!("allow = {{\nlogins = [\"a\"]\n# Why.\n{said}\n}}\noptions = {{\nx = 1\n}}"),
        1 => format!("allow = {{ logins = [\"a\"], {said} }}, options = {{ x = 1 }}"),
        2 => format!("allow = {{\n{said}\n}}"),
        _ => format!("options = {{ {said} }}"),
    };
    let spec = if lines { format!("{{\n{spec}\n}}") } else { format!("{{ {spec} }}") };
    format!(
        "resource \"teleport_role\" \"r{n}\" {{\n  metadata = {{ name = \"r{n}\" }}\n  spec = {spec}\n}}\n"
    )
}

fn any_roles() -> impl Strategy<Value = Vec<Written>> {
    let values =
        &["strict", "best_effort", "strict", "best_effort", "true", "false", "Strict", "best-effort", "sync"];
    proptest::collection::vec((options(values), 0..8_u8), 1..5)
}

fn right_roles() -> impl Strategy<Value = Vec<Written>> {
    let keys = proptest::sample::select(&KEYS[..]);
    let values = proptest::sample::select(&["strict", "best_effort"][..]);
    let role =
        proptest::collection::btree_map(keys.prop_map(str::to_owned), values.prop_map(str::to_owned), 0..5);
    proptest::collection::vec((role.prop_map(|map| map.into_iter().collect()), Just(9_u8)), 1..5)
}

/// The modes of every role alone and of every pair.
fn modes(survey: &Survey) -> Vec<(Option<Mode>, Option<bool>)> {
    let mut modes = Vec::new();
    for a in &survey.roles {
        for b in &survey.roles {
            let set: RoleSet = [a, b].into_iter().map(|role| std::sync::Arc::clone(&role.role)).collect();
            modes.extend(
                SessionKind::ALL.map(|kind| set.resolve(kind)).map(|said| (said.mode, said.recording)),
            );
        }
    }
    modes
}

proptest! {
    #[test]
    fn what_resolve_refuses_is_an_error_of_lint_and_the_other_way_round(roles in any_roles()) {
        let text = render(&roles);
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.yaml");
        std::fs::write(&file, &text).expect("a file");
        let report = judged(&roles::survey_text("a.yaml", &text));
        let errors: Vec<_> = report
            .findings
            .iter()
            // Resolve answers in spite of these two, and of a value under a key that is none, and warns.
            .filter(|finding| !["misplaced-record-session", "unknown-session-kind"].contains(&finding.rule))
            .filter(|finding| finding.option.as_deref().is_none_or(|option| KEYS.contains(&option)))
            .filter(|finding| finding.severity == recmode::lint::Severity::Error)
            .collect();
        prop_assert_eq!(roles::load(&[file]).is_err(), !errors.is_empty(), "{}\n{:?}", text, errors);
    }

    #[test]
    fn a_role_is_called_weakening_exactly_where_a_pair_resolves_to_less(roles in right_roles()) {
        let survey = roles::survey_text("a.yaml", &render(&roles));
        let report = judged(&survey);
        for kind in SessionKind::ALL {
            for role in &survey.roles {
                let alone = |role: &roles::WrittenRole| -> RoleSet { [std::sync::Arc::clone(&role.role)].into_iter().collect() };
                let weakens = survey.roles.iter().any(|other| {
                    let pair: RoleSet = [role, other].into_iter().map(|role| std::sync::Arc::clone(&role.role)).collect();
                    other.role.name != role.role.name
                        && alone(other).resolve(kind).mode == Some(Mode::Strict)
                        && pair.resolve(kind).mode == Some(Mode::BestEffort)
                });
                let said = report.findings.iter().any(|finding| {
                    finding.rule == "weakening-role"
                        && finding.role.as_ref() == Some(&role.role.name)
                        && finding.option.as_deref() == Some(kind.name())
                });
                prop_assert_eq!(said, weakens, "{} {}", role.role.name, kind);
            }
        }
    }

    #[test]
    fn a_repair_is_idempotent_and_never_loosens(roles in any_roles()) {
        let text = render(&roles);
        let before = roles::survey_text("a.yaml", &text);
        let Some(repair) = repairs(&before, &judged).pop() else { return Ok(()) };
        let after = roles::survey_text("a.yaml", &repair.after);
        prop_assert_eq!(before.roles.len(), after.roles.len());
        for (before, after) in modes(&before).into_iter().zip(modes(&after)) {
            prop_assert!(after.0 >= before.0 && after.1 >= before.1, "{}\n=>\n{}", text, repair.after);
        }
        let mut again = repairs(&after, &judged);
        prop_assert_eq!(again.pop(), None, "{}\n=>\n{}", text, repair.after);
    }

    #[test]
    fn a_repair_of_other_forms_is_idempotent_and_never_loosens(roles in any_roles(), form in 0..FORMS.len()) {
        let text = render_as(form, &roles);
        let before = roles::survey_text(FORMS[form], &text);
        prop_assert_eq!(before.roles.len(), roles.len(), "{}", text);
        let Some(repair) = repairs(&before, &judged).pop() else { return Ok(()) };
        let after = roles::survey_text(FORMS[form], &repair.after);
        prop_assert_eq!(before.roles.len(), after.roles.len());
        for (before, after) in modes(&before).into_iter().zip(modes(&after)) {
            prop_assert!(after.0 >= before.0 && after.1 >= before.1, "{}\n=>\n{}", text, repair.after);
        }
        prop_assert_eq!(repairs(&after, &judged).pop(), None, "{}\n=>\n{}", text, repair.after);
        if matches!(FORMS[form], "compact.json" | "pretty.json") {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&repair.after).is_ok(), "{}", repair.after);
        }
    }

    #[test]
    fn what_loosens_nothing_is_moved_from_everywhere_in_every_form(
        places in proptest::collection::vec(0..4_u8, 1..4),
        form in 0..FORMS.len(),
    ) {
        let strict = || vec![("default".to_owned(), "strict".to_owned()), ("k8s".to_owned(), "strict".to_owned())];
        let roles: Vec<Written> = places.into_iter().map(|place| (strict(), place)).collect();
        let text = render_as(form, &roles);
        let before = roles::survey_text(FORMS[form], &text);
        let after = repairs(&before, &judged).pop().map_or_else(|| text.clone(), |repair| repair.after);
        let left = judged(&roles::survey_text(FORMS[form], &after)).findings;
        let left: Vec<_> = left.iter().filter(|finding| finding.rule == "misplaced-record-session").collect();
        prop_assert!(left.is_empty(), "{}\n=>\n{}", text, after);
    }

    #[test]
    fn no_text_makes_the_linter_panic(text in "\\PC{0,200}", name in "(a.yaml|a.tf|a.tf.json|a.json)") {
        let survey = roles::survey_text(&name, &text);
        let _ = repairs(&survey, &judged);
    }

    #[test]
    fn no_configuration_makes_its_reader_panic(text in "(version: 1\n|require:\n|- roles: \\[|ignore:|rules:|\\PC{0,9}|\n| |\u{1f600}){0,20}") {
        let _ = recmode::config::parse(&text, &"c.yaml".into());
    }
}
