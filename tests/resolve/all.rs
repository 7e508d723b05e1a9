//! `resolve --all`: the matrix of users and groups, and what a user holds by access lists.

use super::{all, resolve, resolve_stdin, stderr, stdout};

const HOLDERS: &str = "tests/fixtures/holders";

#[test]
fn the_matrix_marks_the_weakest_cell_and_says_what_is_not_counted() {
    insta::assert_snapshot!(all(&resolve(&["--roles", HOLDERS, "--all"])));
}

#[test]
fn requests_show_the_weakest_that_a_holder_could_come_to() {
    insta::assert_snapshot!(all(&resolve(&[
        "--roles",
        HOLDERS,
        "--all",
        "--with-requests",
        "--kind",
        "ssh"
    ])));
}

#[test]
fn json_of_the_matrix() {
    let args = ["--roles", HOLDERS, "--all", "--format", "json", "--kind", "ssh", "--with-requests"];
    insta::assert_snapshot!(all(&resolve(&args)));
}

#[test]
fn yaml_is_the_tree_of_json() {
    let answer = |format| stdout(&resolve(&["--roles", HOLDERS, "--all", "--format", format]));
    let json: serde_json::Value = serde_json::from_str(&answer("json")).expect("JSON");
    let yaml: serde_json::Value = serde_yaml::from_str(&answer("yaml")).expect("YAML");
    assert_eq!(json, yaml);
    assert_eq!(json["schema"], "recmode.matrix/1");
}

#[test]
fn csv_of_the_matrix() {
    insta::assert_snapshot!(all(&resolve(&["--roles", HOLDERS, "--all", "--format", "csv"])));
}

#[test]
fn csv_of_hostile_names_is_quoted_and_no_formula() {
    let roles = "kind: role\nmetadata: {name: a}\n---\nkind: user\nmetadata: {name: '=HYPERLINK(\"x\"),\"y'}\nspec: {roles: [a]}\n---\nkind: user\nmetadata: {name: \"-1\\n+2\\e[31m\"}\nspec: {roles: [a, '@b']}\n";
    let output =
        resolve_stdin(&["--roles", "-", "--all", "--format", "csv", "--kind", "ssh"], roles.as_bytes());
    insta::assert_snapshot!(all(&output));
}

#[test]
fn require_names_each_holder_that_falls_short() {
    let args = ["--roles", HOLDERS, "--all", "--require", "strict", "--kind", "desktop", "--format", "csv"];
    let output = resolve(&args);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(stderr(&output));
}

#[test]
fn a_user_holds_what_access_lists_grant() {
    let roles = |name| {
        let output = resolve(&["--roles", HOLDERS, "--user", name, "--format", "json", "--kind", "ssh"]);
        let json: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        json["roles"].to_string()
    };
    // An owner of on-call, by name.
    assert_eq!(roles("alice@example.com"), r#"["auditor","prod-shell"]"#);
    // Has no document. A team lead, so on call as well, and an owner of on-call.
    assert_eq!(roles("carol@example.com"), r#"["auditor","debug-ssh","prod-shell"]"#);
}

#[test]
fn a_user_on_a_list_that_was_not_read_is_an_error() {
    let output = resolve(&["--roles", HOLDERS, "--user", "bob@example.com"]);
    assert_eq!(
        all(&output),
        "exit 2\n--- stdout\n--- stderr\ntests/fixtures/holders/access-lists.yaml:54:16: user \"bob@example.com\" \
         is on the access list \"night-shift\", which was not read\n"
    );
}

#[test]
fn a_user_without_any_role_falls_short_of_nothing() {
    let roles =
        "kind: role\nmetadata: {name: a}\n---\nkind: user\nmetadata: {name: idle}\nspec: {roles: []}\n";
    let output =
        resolve_stdin(&["--roles", "-", "--all", "--kind", "ssh", "--require", "strict"], roles.as_bytes());
    insta::assert_snapshot!(all(&output));
}

#[test]
fn lists_in_a_circle_end() {
    let roles = "kind: role\nmetadata: {name: a}\n---\nkind: access_list\nmetadata: {name: x}\nspec: {grants: {roles: [a]}}\n---\nkind: access_list_member\nmetadata: {name: x}\nspec: {access_list: x, name: x, membership_kind: MEMBERSHIP_KIND_LIST}\n---\nkind: access_list_member\nmetadata: {name: u}\nspec: {access_list: x, name: u}\n";
    let output = resolve_stdin(&["--roles", "-", "--all", "--kind", "ssh"], roles.as_bytes());
    insta::assert_snapshot!(all(&output));
}

#[test]
fn wrong_shapes_are_errors_with_their_places() {
    let roles = "kind: role\nmetadata: {name: a}\nspec: {allow: {request: {roles: all}}}\n---\nkind: access_list\nmetadata: {name: x}\nspec: {grants: {roles: a}, owners: [alice]}\n---\nkind: access_list_member\nmetadata: {name: u}\nspec: {name: u}\n---\nkind: github\nmetadata: {name: g}\nspec: {teams_to_roles: [{team: t, roles: [a]}]}\n---\nkind: oidc\nmetadata: {name: o}\nspec: {claims_to_roles: {claim: c}}\n---\nkind: oidc\nmetadata: {name: o}\n";
    insta::assert_snapshot!(all(&resolve_stdin(&["--roles", "-"], roles.as_bytes())));
}

#[test]
fn formats_that_make_no_sense_are_usage_errors() {
    for args in
        [&["--format", "csv"][..], &["--all", "--format", "mode", "--kind", "ssh"], &["--with-requests"]]
    {
        let output = resolve(&[&["--roles", HOLDERS], args].concat());
        assert_eq!((output.status.code(), stdout(&output)), (Some(2), String::new()), "{args:?}");
    }
    let nobody = resolve(&["--roles", "tests/fixtures/roles/developer.yaml", "--all"]);
    assert_eq!(nobody.status.code(), Some(2));
    assert!(stderr(&nobody).starts_with("recmode: --all: no user"));
}

#[test]
fn a_request_for_a_resource_and_one_by_claims_count_as_far_as_they_are_allowed() {
    let role = |name: &str, said: &str, conditions: &str| {
        format!(
            "kind: role\nmetadata: {{name: {name}}}\nspec:\n  options: {{record_session: {{{said}}}}}\n{conditions}---\n"
        )
    };
    let weakest = |allow: &str, deny: &str| {
        let conditions = format!("  allow: {{request: {{{allow}}}}}\n  deny: {{request: {{{deny}}}}}\n");
        let roles = role("prod", "default: strict", &conditions) + &role("dev", "ssh: best_effort", "");
        let text = roles + "kind: user\nmetadata: {name: alice}\nspec: {roles: [prod]}\n";
        let args = ["--roles", "-", "--all", "--with-requests", "--kind", "ssh", "--format", "json"];
        let output = resolve_stdin(&args, text.as_bytes());
        let tree: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let row = &tree["rows"][0];
        (row["kinds"]["ssh"]["mode"].as_str().expect("a mode").to_owned(), row["unknown"][0]["name"].clone())
    };
    let claims = "claims_to_roles: [{claim: groups, value: '*', roles: [d*]}]";
    for (allow, deny, expected) in [
        ("search_as_roles: [dev]", "", "best_effort"),
        ("search_as_roles: [d*]", "", "strict"),
        ("search_as_roles: [dev]", "search_as_roles: [dev]", "strict"),
        ("search_as_roles: [dev]", "roles: [d*]", "strict"),
        ("roles: [dev]", "search_as_roles: [dev]", "best_effort"),
        (claims, "", "best_effort"),
        (claims, "roles: [dev]", "strict"),
        (claims, claims, "best_effort"),
    ] {
        assert_eq!(weakest(allow, deny).0, expected, "{allow} / {deny}");
    }
    assert_eq!(weakest("search_as_roles: [elsewhere]", "").1, "elsewhere");
}

#[test]
fn a_mapping_without_a_value_is_for_the_empty_value() {
    let role = |name: &str, said: &str| {
        format!(
            "kind: role\nmetadata: {{name: {name}}}\nspec: {{options: {{record_session: {{{said}}}}}}}\n---\n"
        )
    };
    for (kind, list, key, column) in [
        ("oidc", "claims_to_roles", "claim", "oidc claim"),
        ("saml", "attributes_to_roles", "name", "saml attribute"),
    ] {
        for value in ["", "value: '', ", "value: null, "] {
            let text = format!(
                "{}{}kind: {kind}\nmetadata: {{name: c}}\nspec:\n  {list}:\n  - {{{key}: group, {value}roles: [empty]}}\n  - {{{key}: group, value: '*', roles: [every]}}\n  - {{{key}: group, value: ops, roles: []}}\n",
                role("empty", "ssh: strict"),
                role("every", "default: best_effort"),
            )
            .replace(", roles: []}", ", roles: [every]}");
            let output = resolve_stdin(
                &["--roles", "-", "--all", "--kind", "ssh", "--format", "csv"],
                text.as_bytes(),
            );
            let csv = stdout(&output);
            assert_eq!(output.status.code(), Some(0), "{}", all(&output));
            let row =
                |name: &str| csv.lines().find(|line| line.contains(name)).unwrap_or_default().to_owned();
            // What is for every value is for the empty one too; the other way round it is not.
            assert!(
                row("group=\"\"\"\"").contains("empty") && row("group=\"\"\"\"").contains("every"),
                "{csv}"
            );
            assert!(row("group=ops").contains("every") && !row("group=ops").contains("empty"), "{csv}");
            assert!(csv.contains(column), "{csv}");
        }
    }
}

#[test]
fn a_mapping_that_is_not_complete_is_told_what_it_needs() {
    for (kind, mapping, needs) in [
        ("oidc", "claims_to_roles: [{value: x, roles: [a]}]", "claims_to_roles needs claim"),
        ("oidc", "claims_to_roles: [{claim: x, value: [], roles: [a]}]", "claims_to_roles needs value"),
        ("oidc", "claims_to_roles: [{claim: x, value: {}, roles: [a]}]", "claims_to_roles needs value"),
        ("oidc", "claims_to_roles: [{claim: x}]", "claims_to_roles needs roles"),
        ("saml", "attributes_to_roles: [{value: x, roles: [a]}]", "attributes_to_roles needs name"),
        ("saml", "attributes_to_roles: [{name: x, roles: []}]", "attributes_to_roles needs roles"),
        ("github", "teams_to_roles: [{team: x, roles: [a]}]", "teams_to_roles needs organization"),
        ("github", "teams_to_roles: [{organization: x, roles: [a]}]", "teams_to_roles needs team"),
        ("github", "teams_to_roles: [{organization: x, team: y}]", ""),
        ("access_list", "owners: [{description: x}]", "spec.owners needs name"),
    ] {
        let text = format!(
            "kind: role\nmetadata: {{name: a}}\n---\nkind: {kind}\nmetadata: {{name: c}}\nspec: {{{mapping}}}\n"
        );
        let output = resolve_stdin(&["--roles", "-", "--kind", "ssh"], text.as_bytes());
        if needs.is_empty() {
            assert_eq!(output.status.code(), Some(0), "{mapping}: {}", stderr(&output));
        } else {
            assert_eq!(output.status.code(), Some(2), "{mapping}");
            assert!(stderr(&output).contains(&format!("this mapping of {needs}\n")), "{}", stderr(&output));
        }
    }
}

/// Bots, as `tctl` and Terraform's provider write them, old and new.
const BOTS: [(&str, &str); 2] = [
    (
        "roles.yaml",
        "kind: role\nversion: v7\nmetadata: {name: deploy}\nspec: {options: {record_session: {default: strict}}}\n---\nkind: role\nversion: v7\nmetadata: {name: loose}\nspec: {options: {record_session: {ssh: best_effort}}}\n---\nkind: bot\nversion: v1\nmetadata: {name: robot}\nspec: {roles: [deploy, loose]}\n---\nkind: bot\nversion: v1\nmetadata: {name: idle}\nspec: {roles: []}\n",
    ),
    (
        "bots.tf",
        "locals {\n  bot = \"ci\"\n}\n\nresource \"teleport_bot\" \"old\" {\n  name     = local.bot\n  token_id = \"x\"\n  roles    = [\"deploy\"]\n}\n\nresource \"teleport_bot\" \"new\" {\n  metadata = { name = \"new\" }\n  spec     = { roles = [\"deploy\", var.more] }\n}\n\nresource \"teleport_bot_v2\" \"v2\" {\n  version  = \"v1\"\n  metadata = { name = \"v2\" }\n  spec     = { roles = [\"loose\"] }\n}\n",
    ),
];

fn bots() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in BOTS {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

#[test]
fn a_bot_holds_roles_as_a_user_does() {
    let folder = bots();
    let output = super::support::recmode()
        .args(["resolve", "--roles", ".", "--all", "--kind", "ssh"])
        .current_dir(folder.path())
        .output()
        .expect("recmode runs");
    insta::assert_snapshot!(all(&output));
}

#[test]
fn a_second_bot_of_one_name_is_an_error() {
    let folder = bots();
    let second = BOTS[1].1.replace("local.bot", "\"robot\"");
    std::fs::write(folder.path().join("bots.tf"), second).expect("written");
    let output = resolve(&["--roles", &folder.path().to_string_lossy(), "--all"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("a second bot named \"robot\""), "{}", stderr(&output));
}
