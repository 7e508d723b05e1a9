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
fn an_expression_in_the_place_of_a_mode_leaves_both_modes_possible() {
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
        assert_eq!(output.status.code(), Some(0), "{spec}: {}", all(&output));
        let lines = stdout(&output);
        let ssh = lines.lines().find(|line| line.starts_with("ssh ")).expect("a line");
        assert!(
            ssh.contains(" strict or best_effort ") && ssh.contains(" is an expression "),
            "{spec}: {ssh}"
        );
        assert_eq!(found(&lint(folder.path(), &["--format", "json"])), ["unknown-value:3"], "{spec}");
    }
    let folder = repository(&[(
        "x.tf",
        &with("{ name = var.name }", "{ options = { record_session = { ssh = (\"strict\") } } }"),
    )]);
    let output = recmode(folder.path()).args(["resolve", "--roles", "x.tf"]).output().expect("recmode runs");
    insta::assert_snapshot!(all(&output));
}

/// Who holds what, as it is written for Teleport's provider.
const HOLDERS: &str = r#"
resource "teleport_role" "prod" {
  version  = "v7"
  metadata = { name = "prod" }
  spec     = { options = { record_session = { default = "strict" } } }
}

resource "teleport_role" "dev" {
  version  = "v7"
  metadata = { name = "dev" }
  spec     = { options = { record_session = { ssh = "best_effort" } } }
}

resource "teleport_user" "alice" {
  version  = "v2"
  metadata = { name = "alice" }
  spec     = { roles = ["prod", "dev"] }
}

resource "teleport_user" "bob" {
  version  = "v2"
  metadata = { name = var.bob }
  spec     = { roles = ["prod", teleport_role.dev.id, "pord"] }
}

resource "teleport_user" "carol" {
  version  = "v2"
  metadata = { name = "carol" }
  spec     = { roles = concat(["prod"], var.more) }
}

resource "teleport_access_list" "devs" {
  header = {
    version  = "v1"
    metadata = { name = "devs" }
  }
  spec = {
    title  = "Developers"
    owners = [{ name = "alice" }]
    grants = { roles = ["dev"] }
  }
}

resource "teleport_access_list_member" "dave" {
  header = { metadata = { name = "dave" } }
  spec   = { access_list = "devs", membership_kind = 1 }
}

resource "teleport_access_list_member" "others" {
  for_each = toset(var.others)
  header   = { metadata = { name = each.value } }
  spec     = { access_list = teleport_access_list.devs.id, membership_kind = 1 }
}

resource "teleport_github_connector" "github" {
  version  = "v3"
  metadata = { name = "github" }
  spec = {
    teams_to_roles = [{ organization = "ours", team = "devs", roles = ["dev"] }]
  }
}

resource "teleport_saml_connector" "okta" {
  metadata {
    name = "okta"
  }
  spec {
    attributes_to_roles {
      name  = "groups"
      value = "admins"
      roles = ["prod"]
    }
  }
}

resource "teleport_oidc_connector" "google" {
  metadata = { name = "google" }
  spec     = { claims_to_roles = var.claims }
}

resource "teleport_github_connector" "other" {
  metadata = { name = "other" }
  spec     = local.other
}
"#;

#[test]
fn who_holds_what_is_read_from_terraform_and_an_expression_is_unknown() {
    let folder = repository(&[("roles.tf", HOLDERS)]);
    let resolve = |args: &[&str]| {
        let output = recmode(folder.path()).args(["resolve", "--roles", "."]).args(args).output();
        output.expect("recmode runs")
    };
    insta::assert_snapshot!(all(&resolve(&["--all", "--kind", "ssh"])));
    let carol = resolve(&["--user", "carol"]);
    assert_eq!(carol.status.code(), Some(2));
    assert!(all(&carol).contains("given the roles of \"${concat("), "{}", all(&carol));
}

#[test]
fn lint_says_what_of_it_is_not_known_and_what_can_not_be_proved() {
    let config = "version: 1\nrequire:\n- users: [\"*\"]\n  mode: strict\n  kinds: [ssh]\n";
    let folder = repository(&[("roles.tf", HOLDERS), (".recmode.yaml", config)]);
    let found = found(&lint(folder.path(), &["--format", "json", "-A", "weakening-role"]));
    let line = |text: &str| HOLDERS.lines().position(|line| line.contains(text)).expect("a line") + 1;
    let of = |rule: &str, texts: &[&str]| -> Vec<String> {
        texts.iter().map(|text| format!("{rule}:{}", line(text))).collect()
    };
    let count = |rule: &str| found.iter().filter(|one| one.starts_with(rule)).count();
    let unknown = ["var.bob", "role.dev.id", "var.more", "each.value", "var.claims", "local.other"];
    for unknown in of("unknown-value", &unknown) {
        assert!(found.contains(&unknown), "{unknown}: {found:?}");
    }
    assert_eq!(count("unknown-value"), unknown.len(), "{found:?}");
    assert_eq!(found.iter().filter(|one| **one == of("unknown-role", &["pord"])[0]).count(), 1, "{found:?}");
    // The unknown of a user and of a connector, besides those who are best_effort by dev.
    for unproved in of("requirement-not-met", &["var.more", "var.claims"]) {
        assert_eq!(found.iter().filter(|one| **one == unproved).count(), 1, "{unproved}: {found:?}");
    }
}

#[test]
fn a_requirement_of_users_speaks_of_bots_by_their_name_and_by_their_users() {
    let roles = "resource \"teleport_role\" \"loose\" {\n  version  = \"v7\"\n  metadata = { name = \"loose\" }\n  spec     = { options = { record_session = { default = \"best_effort\" } } }\n}\n\nresource \"teleport_bot\" \"ci\" {\n  name  = \"ci\"\n  roles = [\"loose\", \"losse\"]\n}\n";
    for (pattern, met) in [("ci", false), ("bot-ci", false), ("bot-*", false), ("other", true)] {
        let config =
            format!("version: 1\nrequire:\n- users: [\"{pattern}\"]\n  mode: strict\n  kinds: [ssh]\n");
        let folder = repository(&[("roles.tf", roles), (".recmode.yaml", &config)]);
        let found = found(&lint(folder.path(), &["--format", "json"]));
        let refuted =
            found.iter().any(|one| *one == "requirement-not-met:8" || *one == "requirement-not-met:4");
        assert_eq!(!refuted, met, "{pattern}: {found:?}");
        assert!(found.contains(&"unknown-role:9".to_owned()), "{found:?}");
    }
}
