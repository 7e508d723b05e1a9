//! Resources of Teleport's operator in the manifests of Terraform: read with their places, and never
//! left out in silence.

use super::{all, found, lint, read, recmode, repository, stderr, stdout};

/// The findings of this text, as rule, line and column.
fn places(name: &str, text: &str) -> Vec<(String, u64, u64)> {
    let folder = repository(&[(name, text)]);
    let output = lint(folder.path(), &["--format", "json", "-A", "weakening-role"]);
    let tree: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", all(&output)));
    let number = |value: &serde_json::Value| value.as_u64().expect("a number");
    let findings = tree["findings"].as_array().expect("findings").iter();
    let place = |one: &serde_json::Value| {
        (
            one["rule"].as_str().expect("a rule").to_owned(),
            number(&one["at"]["line"]),
            number(&one["at"]["column"]),
        )
    };
    findings.map(place).collect()
}

/// Where the slip `strcit` is in a text, the first column being 1.
fn slip(text: &str) -> (u64, u64) {
    let at = text.find("strcit").expect("a slip");
    let line = text[..at].matches('\n').count() + 1;
    let column = text[..at].rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line as u64, column as u64)
}

const ROLE: &str = "apiVersion: resources.teleport.dev/v1\nkind: TeleportRoleV7\nmetadata:\n  name: r\nspec:\n  options:\n    record_session:\n      # ä\n      ssh: strcit\n";

fn indented(text: &str, by: &str) -> String {
    text.lines().map(|line| format!("{by}{line}\n")).collect()
}

#[test]
fn a_value_in_a_text_is_found_at_its_place() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n";
    let flow = "{apiVersion: resources.teleport.dev/v1, kind: TeleportRoleV7, metadata: {name: ä}, spec: {options: {record_session: {ssh: strcit}}}}";
    let object = "{\n    apiVersion = \"resources.teleport.dev/v1\"\n    kind = \"TeleportRoleV8\"\n    metadata = { name = \"r\" }\n    spec = { options = { record_session = { ssh = \"strcit\" } } }\n  }";
    for (attribute, back) in [
        (format!("yaml_body = <<YAML\n{ROLE}YAML\n"), 0),
        (format!("yaml_body = <<-YAML\n{}  YAML\n", indented(ROLE, "    ")), 0),
        (format!("yaml_body = <<-YAML\n---\n{service}---\n{ROLE}\n---\nYAML\n"), 0),
        (
            format!("yaml_body = <<-YAML\n{}  YAML\n", indented(&format!("{service}---\n# x\n{ROLE}"), "\t")),
            0,
        ),
        (
            format!(
                "yaml_body = <<-YAML\n{}  YAML\n",
                indented(&ROLE.replace("name: r", "name: r-${var.x}"), "    ")
            ),
            0,
        ),
        (
            format!(
                "yaml_body = <<-YAML\n{}  YAML\n",
                indented(&ROLE.replace("# ä", "x: \"$${y}\" # ä"), "    ")
            ),
            0,
        ),
        (format!("yaml_body = <<YAML\n{flow}\nYAML\n"), 0),
        (format!("yaml_body = yamlencode({object})\n"), 1),
        (format!("yaml_body = (jsonencode({object}))\n"), 1),
        (format!("yaml_body = \"---\\n${{yamlencode({object})}}\\n\"\n"), 1),
        (format!("yaml_body = <<YAML\n---\n${{yamlencode({object})}}\nYAML\n"), 1),
    ] {
        for line_break in ["\n", "\r\n"] {
            let text = format!("# ä\nresource \"kubectl_manifest\" \"r\" {{\n  {attribute}}}\n")
                .replace('\n', line_break);
            let (line, column) = slip(&text);
            let found = places("r.tf", &text);
            let found: Vec<_> = found.iter().filter(|(rule, ..)| rule == "invalid-mode").collect();
            assert_eq!(found, [&("invalid-mode".to_owned(), line, column - back)], "{text}");
        }
    }
    for attribute in [format!("manifest = {object}"), format!("manifest = yamldecode(yamlencode({object}))")]
    {
        let text = format!("resource \"kubernetes_manifest\" \"r\" {{\n  {attribute}\n}}\n");
        let (line, column) = slip(&text);
        assert!(places("r.tf", &text).contains(&("invalid-mode".to_owned(), line, column - 1)), "{text}");
    }
    let text = format!(
        "resource \"kubernetes_manifest\" \"r\" {{\n  manifest = yamldecode(<<-Y\n{}    Y\n  )\n}}\n",
        indented(ROLE, "   ")
    );
    let (line, column) = slip(&text);
    assert!(places("r.tf", &text).contains(&("invalid-mode".to_owned(), line, column)), "{text}");
    // In a text with escapes, all of it is the place.
    let text = format!(
        "resource \"kubectl_manifest\" \"r\" {{\n  yaml_body = {}\n}}\n",
        serde_json::to_string(ROLE).expect("JSON")
    );
    assert!(places("r.tf", &text).contains(&("invalid-mode".to_owned(), 2, 15)), "{text}");
}

#[test]
fn terraform_in_json_holds_them_too() {
    let body = serde_json::to_string(ROLE).expect("JSON");
    let role = r#"{"apiVersion": "resources.teleport.dev/v1", "kind": "TeleportRoleV7", "metadata": {"name": "r"}, "spec": {"options": {"record_session": {"ssh": "strcit"}}}}"#;
    let text =
        format!("{{\"resource\": {{\"kubernetes_manifest\": {{\"r\": {{\"manifest\":\n {role}}}}}}}}}\n");
    let (line, column) = slip(&text);
    assert_eq!(places("r.tf.json", &text), [("invalid-mode".to_owned(), line, column - 1)]);
    let text =
        format!("{{\"resource\": {{\"kubectl_manifest\": {{\"r\": [{{\"yaml_body\":\n  {body}}}]}}}}}}\n");
    assert_eq!(places("r.tf.json", &text), [("invalid-mode".to_owned(), 2, 3)]);
    let text = "{\"locals\": {\"mode\": \"strcit\"}, \"resource\": {\"kubectl_manifest\": {\"r\": {\"yaml_body\":\n  \"${yamlencode({kind = \\\"TeleportRoleV7\\\", metadata = {name = \\\"r\\\"}, spec = {options = {record_session = {ssh = local.mode}}}})}\"}}}}\n";
    assert_eq!(places("r.tf.json", text), [("invalid-mode".to_owned(), 2, 3)]);
}

#[test]
fn an_operators_role_in_a_manifest_is_policy() {
    let folder = repository(&[(
        "roles.tf",
        "resource \"teleport_role\" \"ops\" {\n  version  = \"v7\"\n  metadata = { name = \"ops\" }\n  spec     = { options = { record_session = { default = \"strict\" } } }\n}\n\nresource \"kubernetes_manifest\" \"ops_ro\" {\n  manifest = {\n    apiVersion = \"resources.teleport.dev/v1\"\n    kind       = \"TeleportRoleV7\"\n    metadata   = { name = \"ops-ro\", namespace = \"teleport\" }\n    spec       = { options = { record_session = { ssh = \"best_effort\" } } }\n  }\n}\n",
    )]);
    assert_eq!(found(&lint(folder.path(), &["--format", "json"])), ["weakening-role:12"]);
    let output = recmode(folder.path()).args(["resolve", "--roles", ".", "--kind", "ssh"]).output();
    let output = output.expect("recmode runs");
    assert!(
        stdout(&output).contains("best_effort") && stdout(&output).contains("roles.tf:12:57"),
        "{}",
        all(&output)
    );
}

#[test]
fn who_holds_roles_by_a_manifest_is_known() {
    let text = "resource \"kubectl_manifest\" \"all\" {\n  yaml_body = <<-YAML\n    apiVersion: resources.teleport.dev/v1\n    kind: TeleportRole\n    metadata: {name: dev}\n    ---\n    apiVersion: resources.teleport.dev/v2\n    kind: TeleportUser\n    metadata: {name: alice}\n    spec: {roles: [dev, \"${var.more}\"]}\n    ---\n    apiVersion: resources.teleport.dev/v1\n    kind: TeleportBotV1\n    metadata: {name: ci}\n    spec: {roles: [dev]}\n  YAML\n}\n";
    let folder = repository(&[("all.tf", text)]);
    let output = recmode(folder.path()).args(["resolve", "--roles", ".", "--all", "--kind", "ssh"]).output();
    insta::assert_snapshot!(all(&output.expect("recmode runs")));
}

#[test]
fn a_slip_in_a_text_is_mended_there_and_nothing_is_moved_in_it() {
    let heredoc = |role: &str| {
        format!(
            "resource \"kubectl_manifest\" \"r\" {{\n  yaml_body = <<-YAML\n{}  YAML\n}}\n",
            indented(role, "    ")
        )
    };
    let folder = repository(&[("r.tf", &heredoc(ROLE))]);
    assert_eq!(lint(folder.path(), &["--fix"]).status.code(), Some(0));
    assert_eq!(read(&folder, "r.tf"), heredoc(&ROLE.replace("strcit", "strict")));
    for misplaced in [
        ROLE.replace(
            "  options:\n    record_session:\n      # ä\n      ssh: strcit",
            "  record_session:\n    ssh: strict\n  options:\n    max_session_ttl: 8h",
        ),
        "{kind: TeleportRoleV7, metadata: {name: r}, spec: {record_session: {ssh: strict}, options: {}}}\n"
            .to_owned(),
    ] {
        let text = heredoc(&misplaced);
        let folder = repository(&[("r.tf", &text)]);
        let output = lint(folder.path(), &["--fix", "--format", "json"]);
        assert!(found(&output).iter().any(|one| one.starts_with("misplaced")), "{}", all(&output));
        assert_eq!(read(&folder, "r.tf"), text);
    }
}

#[test]
fn what_looks_like_a_role_and_is_not_read_is_no_silence() {
    let manifest = |kind: &str, attribute: &str| {
        format!(
            "resource \"teleport_role\" \"a\" {{\n  metadata = {{ name = \"a\" }}\n}}\nresource \"{kind}\" \"r\" {{\n  {attribute}\n}}\n"
        )
    };
    let spec = "spec = { options = { record_session = { ssh = \"strict\" } } }";
    for (kind, attribute, place, why) in [
        (
            "kubernetes_manifest",
            format!("manifest = {{ kind = var.kind, {spec} }}"),
            "5:23",
            "its kind is an expression",
        ),
        (
            "kubernetes_manifest",
            "manifest = { apiVersion = \"resources.teleport.dev/v1\", kind = var.kind }".to_owned(),
            "5:65",
            "its kind is an expression",
        ),
        (
            "kubernetes_manifest",
            format!("manifest = {{ (var.key) = \"x\", {spec} }}"),
            "5:16",
            "its kind is an expression",
        ),
        (
            "kubernetes_manifest",
            "manifest = merge({ kind = \"TeleportRoleV7\" }, var.more)".to_owned(),
            "5:14",
            "unknown",
        ),
        (
            "kubernetes_manifest",
            "manifest = yamldecode(templatefile(\"TeleportRole.yaml\", {}))".to_owned(),
            "5:14",
            "unknown",
        ),
        (
            "kubectl_manifest",
            "yaml_body = templatefile(\"TeleportRole.yaml\", {})".to_owned(),
            "5:15",
            "unknown",
        ),
        (
            "kubectl_manifest",
            "yaml_body = <<Y\nkind: TeleportRoleV7\n%{ if var.x }\nspec: {}\n%{ endif }\nY".to_owned(),
            "5:15",
            "unknown",
        ),
        (
            "kubectl_manifest",
            "yaml_body = <<Y\nkind: TeleportRoleV7\nmetadata: [\nY".to_owned(),
            "6:1",
            "not well-formed",
        ),
        (
            "kubectl_manifest",
            "yaml_body = <<Y\nkind: TeleportRoleV7\n${var.more}\nspec: {}\nY".to_owned(),
            "6:1",
            "not well-formed",
        ),
    ] {
        let folder = repository(&[("r.tf", &manifest(kind, &attribute))]);
        let output = recmode(folder.path()).args(["resolve", "--roles", "."]).output().expect("recmode runs");
        let said = stderr(&output);
        let warning = said.lines().find(|line| line.contains("this looks like a role and is not read"));
        let warning = warning.unwrap_or_else(|| panic!("{attribute}: {}", all(&output)));
        assert!(
            warning.contains(&format!("r.tf:{place}:")) && warning.contains(why),
            "{attribute}: {warning}"
        );
    }
    for attribute in
        ["yaml_body = file(\"deployment.yaml\")", "yaml_body = <<Y\nkind: Service\n---\n[\nY", "other = 1"]
    {
        let folder = repository(&[("r.tf", &manifest("kubectl_manifest", attribute))]);
        let output = recmode(folder.path()).args(["resolve", "--roles", "."]).output().expect("recmode runs");
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()), "{attribute}");
    }
}

#[test]
fn several_manifests_with_unknown_names_are_not_one() {
    let role = |x: &str| ROLE.replace("name: r", &format!("name: ${{var.{x}}}")).replace("strcit", "strict");
    let text = format!(
        "resource \"kubectl_manifest\" \"r\" {{\n  yaml_body = <<Y\n{}---\n{}Y\n}}\n",
        role("a"),
        role("b")
    );
    let folder = repository(&[("r.tf", &text)]);
    let output = recmode(folder.path())
        .args(["resolve", "--roles", ".", "--kind", "ssh"])
        .output()
        .expect("recmode runs");
    assert_eq!(output.status.code(), Some(0), "{}", all(&output));
    assert!(stderr(&output).contains("\"kubectl_manifest.r#2\""), "{}", all(&output));
}

#[test]
fn a_huge_manifest_is_read_or_refused() {
    let roles: String =
        (0..4_000).map(|n| format!("---\n{}", ROLE.replace("name: r", &format!("name: r{n}")))).collect();
    let text = format!(
        "resource \"kubectl_manifest\" \"r\" {{\n  yaml_body = <<-Y\n{}  Y\n}}\n",
        indented(&roles, "    ")
    );
    for text in [
        text.clone(),
        format!("{text}{}", "#".repeat(1 << 20)),
        format!("locals {{\n  b = \"[{}]\"\n}}\n{text}", "[".repeat(5_000)),
    ] {
        let folder = repository(&[("r.tf", &text)]);
        assert_eq!(lint(folder.path(), &["--format", "json", "-A", "weakening-role"]).status.code(), Some(1));
    }
}
