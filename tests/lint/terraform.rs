//! Terraform's roles: lint and resolve read them alike, and guess nothing.

use super::{all, found, lint, recmode, repository, stdout};

const ROLES: &str = "locals {\n  record_session = \"nothing of ours\"\n}\n\nresource \"teleport_role\" \"prod\" {\n  version = \"v7\"\n  metadata = {\n    name = \"prod\"\n  }\n  spec = {\n    options = {\n      record_session = {\n        default = \"strict\"\n        desktop = true\n      }\n    }\n    allow = local.allow\n  }\n}\n\n# The way of earlier providers.\nresource \"teleport_role\" \"old\" {\n  metadata {\n    name = \"old\"\n  }\n  spec {\n    options {\n      record_session {\n        ssh = \"best_effort\"\n      }\n    }\n    allow {\n      logins = [\"${var.login}\"]\n    }\n  }\n}\n\nresource \"teleport_user\" \"alice\" {\n  metadata = { name = \"alice\" }\n}\n";

#[test]
fn resolve_reads_terraform_with_the_places() {
    let json = r#"{"resource": {"teleport_role": {"three": [{"metadata": {"name": "three"}, "spec": {"options": {"record_session": {"k8s": "strict"}}}}]}}}"#;
    let folder =
        repository(&[("roles.tf", ROLES), ("more/three.tf.json", json), ("more/empty.tf", "locals {}\n")]);
    let output = recmode(folder.path()).args(["resolve", "--roles", "."]).output().expect("recmode runs");
    insta::assert_snapshot!(all(&output));
}

#[test]
fn lint_finds_in_terraform_what_it_finds_in_yaml() {
    let folder = repository(&[("roles.tf", ROLES)]);
    insta::assert_snapshot!(stdout(&lint(folder.path(), &[])));
}

#[test]
fn an_expression_in_the_place_of_a_mode_is_an_error_of_resolve() {
    let with = |metadata: &str, spec: &str| {
        format!("resource \"teleport_role\" \"x\" {{\n  metadata = {metadata}\n  spec = {spec}\n}}\n")
    };
    let named = "{ name = \"x\" }";
    for spec in [
        "var.spec",
        "{ options = merge(local.options, {}) }",
        "{ options = { record_session = local.it } }",
        "{ options = { record_session = { ssh = var.mode } } }",
        "{ options = { record_session = { ssh = \"${var.mode}\" } } }",
        "{ options = { record_session = { ssh = var.prod ? \"strict\" : \"best_effort\" } } }",
        "{ options = { record_session = { (var.kind) = \"strict\" } } }",
        "{ options = { (var.option) = { ssh = \"strict\" } } }",
        "{ (var.options) = { record_session = { ssh = \"strict\" } } }",
    ] {
        let folder = repository(&[("x.tf", &with(named, spec))]);
        let output = recmode(folder.path()).args(["resolve", "--roles", "."]).output().expect("recmode runs");
        assert_eq!(output.status.code(), Some(2), "{spec}: {}", all(&output));
        assert_eq!(found(&lint(folder.path(), &["--format", "json"])), ["unknown-value:3"], "{spec}");
    }
    let folder = repository(&[(
        "x.tf",
        &with("{ name = var.name }", "{ options = { record_session = { ssh = (\"strict\") } } }"),
    )]);
    let output = recmode(folder.path()).args(["resolve", "--roles", "x.tf"]).output().expect("recmode runs");
    insta::assert_snapshot!(all(&output));
}
