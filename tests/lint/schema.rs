//! The schemas are valid, and they and the code agree on what is right.

use std::path::Path;

use jsonschema::Validator;
use recmode::lint::registry;
use recmode::{config, roles};
use serde_json::Value;

use super::{recmode, stdout};

fn schema(what: &str) -> (Value, Validator) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = recmode(root).args(["schema", what]).output().expect("recmode runs");
    let committed =
        std::fs::read_to_string(root.join(format!("schemas/{what}.schema.json"))).expect("a schema");
    assert_eq!(stdout(&output), committed);
    let schema: Value = serde_json::from_str(&committed).expect("JSON");
    assert!(jsonschema::meta::is_valid(&schema), "{what}");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    (schema, validator)
}

fn yaml(text: &str) -> Value {
    // As editors read it, for whom off is a text.
    let options = serde_yaml::options! { strict_booleans: true };
    serde_yaml::from_str_with_options(text, options).expect("YAML")
}

#[test]
fn the_schema_of_the_configuration_knows_all_rules() {
    let (schema, _) = schema("config");
    let ids: Vec<_> = registry::RULES.iter().map(|rule| rule.id).collect();
    let listed = schema["$defs"]["rule"]["enum"].as_array().expect("a list");
    assert_eq!(listed.iter().filter_map(Value::as_str).collect::<Vec<_>>(), ids);
    let keys = schema["properties"]["rules"]["properties"].as_object().expect("an object");
    assert_eq!(keys.keys().map(String::as_str).collect::<Vec<_>>(), ids);
}

#[test]
fn the_schema_of_the_configuration_and_its_reader_agree() {
    let (_, validator) = schema("config");
    let right = [
        "version: 1",
        "version: 1\ndialect: teleport\npaths: [roles]\nrules: {syntax: warning, invalid-mode: off}",
        "version: 1\nignore: [{rules: [syntax], path: a/**, role: b, reason: c}]",
        "version: 1\nrequire: [{name: n, roles: [a], kinds: [ssh], mode: strict, except_roles: [b]}]",
        "version: 1\nrequire: [{users: [a], mode: best_effort}]",
        "version: 1\nrequire: [{users: [a], at_most: best_effort}, {roles: [a], exactly: strict}]",
        "version: 1\nexpect: [{user: a, ssh: strict, k8s: best_effort}, {group: o/t, db: strict}, {roles: [a, b], app: strict}]",
        "version: \"1\"",
        "version: 1.0",
        "version: 0x1",
        "version: 1e0",
        "version: 1\nrequire: [{name: 5, roles: [5, true], mode: strict, except_roles: [1.5]}]",
        "version: 1\npaths: [5]\nexclude: [5]\nignore: [{rules: [syntax], reason: 5, path: 1.5, role: true}]",
        "version: 1\nexclude: [vendor/, '**/*.json']\nfail-on: info",
    ];
    let wrong = [
        "{}",
        "version: 2",
        "version: \"2\"",
        "version: \"1.0\"",
        "version: 1.5",
        "version: true",
        "version: ",
        "version: []",
        "version: 1\nfail-on: off",
        "version: 1\nfail_on: info",
        "version: 1\nexclude: vendor",
        "version: 1\nrequire: [{name: [], roles: [a], mode: strict}]",
        "version: 1\ndialect: x",
        "version: 1\nrules: {nothing: off}",
        "version: 1\nrules: {syntax: fatal}",
        "version: 1\nextra: 1",
        "version: 1\nignore: [{path: a}]",
        "version: 1\nignore: [{rules: []}]",
        "version: 1\nignore: [{rules: [nothing]}]",
        "version: 1\nrequire: [{roles: [a]}]",
        "version: 1\nrequire: [{roles: [a], mode: strict, at_most: best_effort}]",
        "version: 1\nrequire: [{roles: [a], exactly: on}]",
        "version: 1\nexpect: [{user: a}]",
        "version: 1\nexpect: [{ssh: strict}]",
        "version: 1\nexpect: [{user: a, group: b, ssh: strict}]",
        "version: 1\nexpect: [{roles: [], ssh: strict}]",
        "version: 1\nexpect: [{user: a, ssh: maybe}]",
        "version: 1\nrequire: [{mode: strict}]",
        "version: 1\nrequire: [{roles: [a], users: [a], mode: strict}]",
        "version: 1\nrequire: [{roles: [a], kinds: [], mode: strict}]",
        "version: 1\nrequire: [{roles: [a], kinds: [kubernetes], mode: strict}]",
    ];
    for (texts, expected) in [(&right[..], true), (&wrong[..], false)] {
        for text in texts {
            assert_eq!(config::parse(text, &"c".into()).is_ok(), expected, "the reader: {text}");
            assert_eq!(validator.is_valid(&yaml(text)), expected, "the schema: {text}");
        }
    }
}

#[test]
fn the_schema_of_a_role_and_the_reader_agree() {
    let (_, validator) = schema("role");
    let values = [
        "strict",
        "best_effort",
        "Strict",
        "best-effort",
        "true",
        "false",
        "yes",
        "'Nope'",
        "1",
        "2",
        "1.0",
        "'1.0'",
        "0.0",
        "1e0",
        "0x1",
        "'0x1'",
        "+1",
        "-0",
        "1.5",
        "10",
        "[]",
        "{}",
        "''",
    ];
    for option in ["default", "ssh", "k8s", "desktop", "db", "app", "kubernetes"] {
        for value in values {
            let text = format!(
                "kind: role\nmetadata: {{name: a}}\nspec: {{options: {{record_session: {{{option}: {value}}}}}}}\n"
            );
            let fine = roles::survey_text("a.yaml", &text).problems.is_empty();
            assert_eq!(validator.is_valid(&yaml(&text)), fine, "{text}");
        }
    }
    for (name, is_name) in
        [("5", true), ("true", true), ("1.5", true), ("'5'", true), ("''", false), ("[]", false)]
    {
        let text = format!("kind: role\nmetadata: {{name: {name}}}\n");
        assert_eq!(roles::survey_text("a.yaml", &text).problems.is_empty(), is_name, "the reader: {text}");
        assert_eq!(validator.is_valid(&yaml(&text)), is_name, "the schema: {text}");
    }
    for text in ["kind: role\nmetadata: {name: a}", "kind: role\nmetadata: {name: a}\nspec: {options: }"] {
        assert!(validator.is_valid(&yaml(text)), "{text}");
    }
    assert!(!validator.is_valid(&yaml("kind: role\nmetadata: {}")));
}
