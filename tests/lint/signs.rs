//! Signs of a role that are easy to miss: no requirement is proved beside one.

use std::fs;

use recmode::roles::{self, ProblemKind};

use super::{all, found, lint, repository, stdout};

const REQUIRE: &str = "version: 1\nrequire:\n- {roles: [a], kinds: [ssh], mode: strict}\n";

/// Where what is not read is, and why.
fn unread(name: &str, text: &str) -> Vec<(u32, u32, &'static str)> {
    let survey = roles::survey_text(name, text);
    let places = survey.problems.iter().filter_map(|problem| match (&problem.kind, &problem.site.mark) {
        (ProblemKind::UnreadRole { why }, Some(mark)) => Some((mark.line, mark.column, *why)),
        _ => None,
    });
    places.collect()
}

/// What lint prints, and its exit status, for a tree with a role that meets the requirement and this file.
fn beside(name: &str, bytes: &[u8]) -> (String, Option<i32>) {
    let folder = repository(&[(".recmode.yaml", REQUIRE), ("a.yaml", &super::role("a", &["ssh: strict"]))]);
    fs::write(folder.path().join(name), bytes).expect("a file");
    let output = lint(folder.path(), &[]);
    (stdout(&output), output.status.code())
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn text_that_nobody_could_look_at_is_an_error_and_proves_nothing() {
    let role = "kind: role\nmetadata: {name: b}\n";
    for (name, bytes) in [
        ("b.yaml", [b"\xff\xfe".to_vec(), utf16(role)].concat()),
        ("b.yaml", b"a: 1\0\n".to_vec()),
        ("b.yaml", b"a: \xff\n".to_vec()),
        ("b.tf", b"# \xff\n".to_vec()),
        ("b.tpl", [b"\xff\xfe".to_vec(), utf16(role)].concat()),
    ] {
        let (text, code) = beside(name, &bytes);
        assert_eq!(code, Some(1), "{name}: {text}");
        assert!(text.contains("error[syntax]"), "{name}: {text}");
        assert!(text.contains(&format!("can't be proved: {name}")), "{name}: {text}");
    }
    // What is no YAML anyway is searched without its NUL bytes.
    let (text, _) = beside("b.tpl", b"{{ some text }}\nk\0i\0n\0d\0:\0 role\n");
    assert!(text.contains("can't be proved: b.tpl:2 "), "{text}");
    let (text, code) = beside("b.tpl", b"{{ some text }}\n\0\n");
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn broken_files_of_those_who_hold_roles_prove_nothing() {
    for (name, text) in [
        ("b.yaml", "kind: user\nmetadata: {name: {{ x }}}\n  a\n"),
        ("b.yaml", "kind: bot\nspec: [\n"),
        ("b.yaml", "kind: access_list\nspec: [\n"),
        ("b.yaml", "kind: &k role\nspec: [\n"),
        ("b.yaml", "kind: !!str role\nspec: [\n"),
        ("b.tf", "resource \"teleport_user\" \"x\" {\n"),
        ("b.tf", "resource teleport_role b {\n"),
    ] {
        let (output, code) = beside(name, text.as_bytes());
        assert_eq!(code, Some(1), "{text}: {output}");
        assert!(output.contains("error[syntax]"), "{text}: {output}");
        assert!(output.contains(&format!("can't be proved: {name}")), "{text}: {output}");
    }
}

#[test]
fn what_is_written_where_nothing_is_applied_may_be_applied_by_an_alias() {
    let named = |text: &str| {
        let survey = roles::survey_text("values.yaml", text);
        assert_eq!(unread("values.yaml", text), [], "{text}");
        survey.roles.iter().map(|role| role.role.name.to_string()).collect::<Vec<_>>()
    };
    let role = "{kind: TeleportRoleV7, metadata: {name: x}, spec: {}}";
    for text in [
        format!("metadata:\n  annotations:\n    x: &r {role}\nextraObjects: [*r]\n"),
        format!("metadata:\n  labels:\n    x: &r {role}\nextraObjects:\n- <<: *r\n"),
        format!("description: &r |\n  {role}\nextraDeploy: [*r]\n"),
        // Twice is still one.
        format!("a: &r {role}\nb: *r\nc: [*r, *r]\n"),
    ] {
        assert_eq!(named(&text), ["x"], "{text}");
    }
    assert!(named(&format!("metadata:\n  annotations:\n    x: &r {role}\n    y: *r\n")).is_empty());
    assert!(named(&format!("description: &r |\n  {role}\nsummary: *r\n")).is_empty());
}

#[test]
fn only_a_schema_is_a_schema() {
    let loose = "this key belongs to no role that was read";
    for text in [
        "$schema: x\nproperties: {}\nrole: {record_session: {ssh: best_effort}}\n",
        "role: {record_session: {ssh: best_effort, type: x}}\n",
        "role: {record_session: {ssh: best_effort, type: object}}\n",
        "role: {record_session: {type: x}}\n",
        "role: {record_session: {properties: x}}\n",
        "role: {record_session: {$ref: {}}}\n",
    ] {
        let found = unread("a.yaml", text);
        assert_eq!(found.iter().map(|one| one.2).collect::<Vec<_>>(), [loose], "{text}");
    }
    for text in [
        "$schema: http://json-schema.org/draft-07/schema#\nproperties: {record_session: {}}\n",
        "role: {record_session: {type: [object, 'null']}}\n",
        "role: {record_session: {$ref: '#/x'}}\n",
        "role: {record_session: {properties: {ssh: {type: string}}}}\n",
    ] {
        assert_eq!(unread("a.yaml", text), [], "{text}");
    }
}

#[test]
fn an_escape_of_eight_digits_hides_no_kind() {
    let text = "a:\n- kind: \"\\U00000072ole\"\n  metadata: {name: x}\n  spec: {}\n";
    let survey = roles::survey_text("a.yaml", text);
    assert_eq!(survey.roles.len(), 1);
}

#[test]
fn a_kind_that_is_a_template_may_be_a_roles() {
    let template = "a template has to be rendered first";
    let operators = "apiVersion: resources.teleport.dev/v1\n";
    let rest = "metadata: {name: x}\nspec: {}\n";
    for (text, line) in [
        (format!("kind: \"TeleportRole{{{{ .v }}}}\"\n{rest}"), 1),
        (format!("kind: 'TeleportRoleV{{{{ .v }}}}'\n{operators}{rest}"), 1),
        (format!("{operators}kind: \"{{{{ .Values.kind }}}}\"\n{rest}"), 2),
        (format!("{operators}kind: ${{KIND}}\n{rest}"), 2),
    ] {
        assert_eq!(unread("a.yaml", &text), [(line, 7, template)], "{text}");
        let nested: String = text
            .lines()
            .enumerate()
            .map(|(n, line)| format!("{} {line}\n", [" ", "-"][usize::from(n == 0)]))
            .collect();
        let nested = format!("extraDeploy:\n{nested}");
        assert_eq!(unread("a.yaml", &nested), [(line + 1, 9, template)], "{nested}");
    }
    for text in [
        format!("apiVersion: v1\nkind: \"{{{{ .Values.kind }}}}\"\n{rest}"),
        format!("kind: \"{{{{ .Values.kind }}}}\"\n{rest}"),
    ] {
        assert_eq!(unread("a.yaml", &text), [], "{text}");
    }
}

#[test]
fn a_name_that_is_filled_in_later_may_be_any() {
    let why = "its name is filled in later, so it may be any role";
    let role = |kind: &str, name: &str| {
        format!(
            "kind: {kind}\nversion: v7\nmetadata:\n  name: \"{name}\"\nspec: {{options: {{record_session: {{ssh: best_effort}}}}}}\n"
        )
    };
    for name in ["{{ .Values.env }}-admin", "${ENV}-admin", "$ENV-admin", "{{internal.env}}{% x %}"] {
        assert_eq!(unread("a.yaml", &role("role", name)), [(4, 9, why)], "{name}");
        assert_eq!(unread("a.yaml", &role("TeleportRoleV7", name)), [(4, 9, why)], "{name}");
    }
    assert_eq!(unread("a.yaml", &role("role", "{{internal.env}}-admin")), []);
    let config = "version: 1\nrequire:\n- {roles: [\"prod-*\"], kinds: [ssh], mode: strict}\n";
    let folder = repository(&[
        (".recmode.yaml", config),
        ("a.yaml", &super::role("prod-a", &["ssh: strict"])),
        ("b.yaml", &role("role", "{{ .Values.env }}-admin")),
    ]);
    let text = all(&lint(folder.path(), &[]));
    assert!(text.contains("can't be proved: b.yaml:4 "), "{text}");
}

#[test]
fn a_recording_that_is_turned_off_is_found_wherever_it_is_applied_from() {
    let config = "kind: session_recording_config\nversion: v2\nspec:\n  mode: 'off'\n";
    let indent = |text: &str, by: usize| {
        text.lines().map(|line| format!("{}{line}\n", " ".repeat(by))).collect::<String>()
    };
    for (text, line) in [
        (config.to_owned(), 4),
        (format!("extraDeploy:\n-\n{}", indent(config, 2)), 6),
        (format!("kind: ConfigMap\ndata:\n  x: |\n{}", indent(config, 4)), 7),
        (format!("- copy:\n    content: |\n{}", indent(config, 6)), 6),
    ] {
        let folder = repository(&[("a.yaml", &text)]);
        let output = lint(folder.path(), &["--no-config", "--format", "json"]);
        assert_eq!(found(&output), [format!("recording-off:{line}")], "{text}");
    }
    let text = "resource \"teleport_session_recording_config\" \"x\" {\n  spec = { mode = var.m }\n}\n";
    let folder = repository(&[("a.tf", text)]);
    assert_eq!(found(&lint(folder.path(), &["--no-config", "--format", "json"])), ["unknown-value:2"]);
}

#[test]
fn blocks_of_terraform_that_are_not_read_show_their_signs() {
    let why = "a block of this kind is not read";
    for (text, at) in [
        (
            "resource \"helm_release\" \"x\" {\n  values = [<<-EOT\n    extraDeploy:\n    # kind: role\n    - kind: TeleportRoleV7\n  EOT\n  ]\n}\n",
            (5, 13),
        ),
        (
            "resource \"helm_release\" \"x\" {\n  values = [yamlencode({ kind = \"TeleportRoleV7\" })]\n}\n",
            (2, 34),
        ),
        (
            "resource \"kubernetes_config_map\" \"x\" {\n  data = {\n    \"r.yaml\" = \"kind: role\\n\"\n  }\n}\n",
            (3, 23),
        ),
        ("module \"role\" {\n  record_session = { ssh = \"best_effort\" }\n}\n", (2, 3)),
        (
            "resource \"null_resource\" \"x\" {\n  provisioner \"local-exec\" {\n    command = \"echo 'kind: role' | tctl create\"\n  }\n}\n",
            (3, 28),
        ),
        ("data \"local_file\" \"é\" {\n  é = \"é record_session: x\"\n}\n", (2, 10)),
    ] {
        assert_eq!(unread("a.tf", text), [(at.0, at.1, why)], "{text}");
    }
    for text in [
        "# kind: role\nmodule \"a\" {\n  # record_session = 1\n  a = 1 // kind: role\n  /* kind: role */\n}\n",
        "variable \"a\" {\n  default = { record_session = {} }\n}\n",
        "locals {\n  record_session = {}\n}\n",
        "output \"a\" {\n  value = { record_session = {} }\n}\n",
        "resource \"kubernetes_role_binding\" \"a\" {\n  role_ref {\n    kind = \"Role\"\n  }\n}\n",
        "resource \"teleport_role\" \"a\" {\n  metadata = { name = \"a\" }\n  spec = { options = { record_session = { ssh = \"strict\" } } }\n}\n",
    ] {
        assert_eq!(unread("a.tf", text), [], "{text}");
    }
    for body in [
        r#""resource": {"helm_release": {"x": {"values": ["${yamlencode({kind = \"TeleportRoleV7\"})}"]}}}"#,
        r#""resource": [{"helm_release": [{"x": {"values": ["kind: role\n"]}}]}]"#,
        r#""module": {"x": {"record_session": {"ssh": "strict"}}}"#,
        r#""data": {"x": {"y": {"kind": "role"}}}"#,
    ] {
        let found = unread("a.tf.json", &format!("{{\n{body}}}\n"));
        assert_eq!(found.iter().map(|one| (one.0, one.2)).collect::<Vec<_>>(), [(2, why)], "{body}");
    }
    for body in [
        r#""module": {"x": {"//": "kind: role"}}"#,
        r#""locals": {"x": {"record_session": {}}}"#,
        r#""resource": {"teleport_role": {"x": {"metadata": {"name": "a"}, "spec": {"options": {"record_session": {"ssh": "strict"}}}}}}"#,
    ] {
        assert_eq!(unread("a.tf.json", &format!("{{\n{body}}}\n")), [], "{body}");
    }
    let (text, _) = beside("b.tf", b"module \"role\" {\n  record_session = {}\n}\n");
    assert!(text.contains("can't be proved: b.tf:2 "), "{text}");
    let ignored = b"module \"role\" {\n  # recmode: ignore[unread-role] checked in the module\n  record_session = {}\n}\n";
    assert_eq!(beside("b.tf", ignored).1, Some(0));
}
