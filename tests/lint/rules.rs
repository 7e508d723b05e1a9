//! Every rule is complete: its name, its page, its fixtures.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use recmode::config::{self, Config};
use recmode::lint::{Input, Settings, registry, run};
use recmode::roles::{self, Progress, SearchOptions, Survey};

use super::{lint, stdout};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lint")
}

/// The ids of the rules that find something, and how much.
fn judged(survey: &Survey, config: &Config) -> BTreeMap<&'static str, usize> {
    let (require, expect) = (&config.require, &config.expect);
    let input = Input { require, expect, ..Input::new(survey) };
    let report = run(&input, &Settings::default(), &str::to_owned);
    let mut found = BTreeMap::new();
    for finding in &report.findings {
        *found.entry(finding.rule).or_default() += 1;
    }
    found
}

/// The text of the fenced block under this heading, and its language.
fn example<'a>(docs: &'a str, heading: &str) -> Option<(&'a str, &'a str)> {
    let section = docs.split_once(&format!("\n## {heading}\n"))?.1;
    let (language, rest) = section.split_once("```")?.1.split_once('\n')?;
    Some((language, rest.split_once("\n```")?.0))
}

/// The rules that judge by the configuration, whose pages hold one; their fixtures stand beside theirs.
const BY_CONFIGURATION: [&str; 2] = ["expectation-not-met", "requirement-not-met"];

/// The configuration on the page.
fn configuration(id: &str, docs: &str) -> Config {
    if !BY_CONFIGURATION.contains(&id) {
        return Config::default();
    }
    let (_, text) = example(docs, "What").expect("a configuration");
    config::parse(text, &".recmode.yaml".into()).expect("a configuration")
}

#[test]
fn the_fixtures_of_a_requirement_are_judged_by_the_configuration_beside_them() {
    for id in BY_CONFIGURATION {
        for (kind, expected) in [("fail", true), ("pass", false)] {
            let folder = fixtures().join(id).join(kind);
            let config = fs::read_to_string(folder.join(".recmode.yaml")).expect("a configuration");
            let config = config::parse(&config, &".recmode.yaml".into()).expect("a configuration");
            let survey =
                roles::survey(std::slice::from_ref(&folder), &SearchOptions::default(), &Progress::default());
            let found = judged(&survey, &config);
            assert_eq!(found.contains_key(id), expected, "{found:?}");
        }
        let output = lint(&fixtures().join(id).join("fail"), &["--config", ".recmode.yaml"]);
        insta::assert_snapshot!(id, stdout(&output));
    }
}

#[test]
fn ids_are_unique_sorted_and_in_kebab_case() {
    let ids: Vec<_> = registry::RULES.iter().map(|rule| rule.id).collect();
    let sorted: BTreeSet<_> = ids.iter().copied().collect();
    assert_eq!(ids, sorted.into_iter().collect::<Vec<_>>());
    for id in ids {
        let kebab = id.split('-').all(|word| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        });
        assert!(kebab, "{id}");
    }
}

#[test]
fn every_rule_has_a_page_with_all_its_parts_and_every_page_a_rule() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules");
    for rule in registry::RULES {
        let page = fs::read_to_string(folder.join(format!("{}.md", rule.id)))
            .unwrap_or_else(|error| panic!("docs/rules/{}.md: {error}", rule.id));
        assert_eq!(page, rule.docs, "{}: the page and what explain prints differ", rule.id);
        assert!(page.starts_with(&format!("# {}\n", rule.id)), "{}", rule.id);
        for part in ["What", "Why", "Bad", "Good", "How to fix"] {
            assert!(page.contains(&format!("\n## {part}\n")), "{}: no part {part:?}", rule.id);
        }
        assert!(!rule.summary.is_empty() && !rule.summary.contains('\n'));
        assert!(page.contains(&format!("Severity: {}", rule.severity)), "{}", rule.id);
    }
    for entry in fs::read_dir(folder).expect("the pages") {
        let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        let id = name.strip_suffix(".md").expect("a page");
        assert!(registry::find(id).is_some(), "docs/rules/{name} is the page of no rule");
    }
}

#[test]
fn the_bad_example_of_every_page_is_found_and_the_good_one_is_not() {
    for rule in registry::RULES {
        for (heading, expected) in [("Bad", true), ("Good", false)] {
            let Some((language, text)) = example(rule.docs, heading) else {
                panic!("{}: no example under {heading}", rule.id)
            };
            let name = if language == "hcl" { "example.tf" } else { "example.yaml" };
            let found =
                judged(&roles::survey_text(name, &format!("{text}\n")), &configuration(rule.id, rule.docs));
            assert_eq!(found.contains_key(rule.id), expected, "{}: {heading}: {found:?}", rule.id);
        }
    }
}

#[test]
fn every_rule_has_a_failing_and_a_passing_fixture() {
    for rule in registry::RULES {
        if BY_CONFIGURATION.contains(&rule.id) {
            continue;
        }
        for (kind, expected) in [("fail", true), ("pass", false)] {
            let folder = fixtures().join(rule.id).join(kind);
            let survey =
                roles::survey(std::slice::from_ref(&folder), &SearchOptions::default(), &Progress::default());
            assert!(!survey.files.is_empty(), "no fixture in {}", folder.display());
            for file in &survey.files {
                let alone = roles::survey_text(&file.file, file.text.as_deref().expect("a text"));
                let found = judged(&alone, &Config::default());
                assert_eq!(found.contains_key(rule.id), expected, "{}: {found:?}", file.file);
            }
        }
    }
}

#[test]
fn what_each_rule_says_of_its_failing_fixture() {
    for rule in registry::RULES.iter().filter(|rule| !BY_CONFIGURATION.contains(&rule.id)) {
        let folder = fixtures().join(rule.id).join("fail");
        insta::assert_snapshot!(rule.id, stdout(&lint(&folder, &["--no-config"])));
    }
}

#[test]
fn explain_prints_the_page_and_lists_the_rules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for rule in registry::RULES {
        let output = super::recmode(root).args(["explain", rule.id]).output().expect("recmode runs");
        assert_eq!(stdout(&output), rule.docs);
    }
    let output = super::recmode(root).arg("explain").output().expect("recmode runs");
    assert_eq!(stdout(&output).lines().count(), registry::RULES.len());
    let output = super::recmode(root).args(["explain", "invalid-mdoe"]).output().expect("recmode runs");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        super::stderr(&output),
        "recmode: no rule is called \"invalid-mdoe\": did you mean invalid-mode?\n"
    );
}

#[test]
fn explain_takes_the_beginning_of_a_name_that_no_other_has() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let explain = |id: &str| super::recmode(root).args(["explain", id]).output().expect("recmode runs");
    assert!(stdout(&explain("weak")).starts_with("# weakening-role\n"));
    let output = explain("duplicate");
    let expected = "recmode: several rules begin with \"duplicate\": duplicate-key, duplicate-role\n";
    assert_eq!((output.status.code(), super::stderr(&output).as_str()), (Some(2), expected));
    assert_eq!(explain("").status.code(), Some(2));
}

#[test]
fn every_document_that_names_a_role_is_looked_at() {
    let folder = fixtures().join("unknown-role/fail");
    let output = lint(&folder, &["--no-config", "mentions.yaml"]);
    let named: Vec<_> = stdout(&output)
        .lines()
        .filter_map(|line| line.strip_prefix("warning[unknown-role]: "))
        .map(str::to_owned)
        .collect();
    assert_eq!(
        named,
        [
            "the bot \"ci\" names the role \"prodd\", which was not read",
            "the lock \"l\" names the role \"contractr\", which was not read",
            "the access list \"team\" names the role \"membr\", which was not read",
            "the access request \"r\" names the role \"gone\", which was not read",
            "the trusted cluster \"leaf\" names the role \"lost\", which was not read",
        ]
    );
}

#[test]
fn a_preset_role_is_called_one_though_another_name_is_near() {
    let text = "kind: role\nversion: v7\nmetadata: {name: auditor}\n---\nkind: user\nmetadata: {name: alice}\nspec: {roles: [editor, auditr]}\n";
    let report = run(&Input::new(&roles::survey_text("a.yaml", text)), &Settings::default(), &str::to_owned);
    let unknown = report.findings.iter().filter(|finding| finding.rule == "unknown-role");
    let helps: Vec<_> = unknown.filter_map(|finding| finding.help.as_deref()).collect();
    assert_eq!(
        helps,
        [
            "this is a preset role of Teleport: put it beside the others (tctl get role/NAME)",
            "did you mean \"auditor\"?"
        ]
    );
}

#[test]
fn an_access_list_is_called_by_its_name_in_every_language() {
    let role = "kind: role\nversion: v7\nmetadata: {name: a}\n";
    let list = "resource \"teleport_access_list\" \"l\" {\n  header = {\n    metadata = { name = \"team\" }\n  }\n  spec = { membership_requires = { roles = [\"minion\"] } }\n}\n";
    let nameless = "kind: access_request\nversion: v3\nspec: {roles: [gone]}\n";
    let folder = super::repository(&[("a.yaml", role), ("l.tf", list), ("r.yaml", nameless)]);
    let text = stdout(&lint(folder.path(), &["--no-config", "-q"]));
    assert!(text.contains("the access list \"team\" names the role \"minion\""), "{text}");
    assert!(text.contains("an access request names the role \"gone\""), "{text}");
}
