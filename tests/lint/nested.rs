//! Roles inside documents of other kinds: read with their places, or reported.

use std::fs;
use std::path::Path;

use recmode::roles::{self, ProblemKind};

use super::{all, found, lint, repository, stderr, stdout};

/// The names of the roles in a text, and each problem as `line:column message`.
fn survey(name: &str, text: &str) -> (Vec<String>, Vec<String>) {
    let survey = roles::survey_text(name, text);
    let problems = survey.problems.iter().map(|problem| {
        let (line, column) = problem.site.mark.as_ref().map_or((0, 0), |mark| (mark.line, mark.column));
        format!("{line}:{column} {}", problem.kind)
    });
    (survey.roles.iter().map(|role| role.role.name.to_string()).collect(), problems.collect())
}

/// Where what is not read is, and why.
fn unread(name: &str, text: &str) -> Vec<(u32, u32, &'static str)> {
    let survey = roles::survey_text(name, text);
    let places = survey.problems.iter().filter_map(|problem| match (&problem.kind, &problem.site.mark) {
        (ProblemKind::UnreadRole { why }, Some(mark)) => Some((mark.line, mark.column, *why)),
        _ => None,
    });
    places.collect()
}

const INVALID: &str = "is no recording mode: did you mean best_effort?";

#[test]
fn roles_are_read_from_lists_wherever_they_are() {
    let text = "apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: List
  items:
  - kind: TeleportRoleV7
    metadata: {name: inner}
    spec: {options: {record_session: {default: best-effort}}}
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: d}
  spec:
    more:
      kind: TeleportRoleV7List
      items:
      - metadata: {name: implied}
        spec: {options: {record_session: {ssh: best-effort}}}
";
    let (names, problems) = survey("a.yaml", text);
    assert_eq!(names, ["inner", "implied"]);
    assert_eq!(
        problems,
        [format!("9:48 default: \"best-effort\" {INVALID}"), format!("18:48 ssh: \"best-effort\" {INVALID}")]
    );
}

#[test]
fn roles_are_read_from_the_values_of_a_chart() {
    let text = "replicas: 2
extraDeploy:
- kind: TeleportRoleV7
  metadata: {name: deploy}
  spec: {options: {record_session: {ssh: best-effort}}}
extraObjects:
- |
  kind: TeleportRoleV7
  metadata: {name: object}
  spec: {options: {record_session: {ssh: best-effort}}}
other:
  items:
  - {kind: role, version: v7, metadata: {name: item}, spec: {}}
";
    let (names, problems) = survey("values.yaml", text);
    assert_eq!(names, ["deploy", "object", "item"]);
    let expected = [5, 10].map(|line| format!("{line}:42 ssh: \"best-effort\" {INVALID}"));
    assert_eq!(problems, expected);
}

#[test]
fn roles_are_read_from_the_tasks_of_a_playbook() {
    let text = "- hosts: all
  tasks:
  - name: all of them
    block:
    - kubernetes.core.k8s:
        definition:
          kind: TeleportRoleV7
          metadata: {name: mapping}
          spec: {options: {record_session: {ssh: best-effort}}}
    - kubernetes.core.k8s:
        definition:
        - kind: TeleportRoleV7
          metadata: {name: list}
          spec: {options: {record_session: {ssh: best-effort}}}
    - kubernetes.core.k8s:
        definition: |
          kind: TeleportRoleV7
          metadata: {name: string}
          spec: {options: {record_session: {ssh: best-effort}}}
    - kubernetes.core.k8s: {kind: TeleportRoleV7, name: gone, state: absent}
    - kubernetes.core.k8s: {src: role.yaml}
";
    let (names, problems) = survey("play.yaml", text);
    assert_eq!(names, ["mapping", "list", "string"]);
    let expected = [9, 14, 19].map(|line| format!("{line}:50 ssh: \"best-effort\" {INVALID}"));
    assert_eq!(problems, expected);
}

#[test]
fn places_in_a_string_are_those_in_the_file() {
    let text = "kind: ConfigMap
apiVersion: v1
data:
  block: |
    kind: role
    version: v7
    metadata: {name: é}
    spec: {options: {record_session: {ssh: best-effort}}}
    ---
    kind: role
    version: v7
    metadata: {name: second}
    spec: {options: {record_session: {ssh: best-effort}}}
  folded: >
    {\"kind\": \"role\", \"version\": \"v7\",
     \"metadata\": {\"name\": \"folded\"}, \"spec\":
     {\"options\": {\"record_session\": {\"ssh\": \"best-effort\"}}}}
  quoted: \"kind: role\\nmetadata: {name: \\\"q\\u00e9\\\"}\\nspec: {options: {record_session: {ssh: best-effort}}}\"
  single: '{kind: role, metadata: {name: ''s''}, spec: {options: {record_session: {ssh: best-effort}}}}'
  nested: |
    kind: ConfigMap
    data:
      more: |
        kind: role
        metadata: {name: deep}
        spec: {options: {record_session: {ssh: best-effort}}}
";
    let (names, problems) = survey("map.yaml", text);
    assert_eq!(names, ["é", "second", "folded", "qé", "s", "deep"]);
    let place = |line: usize, column: usize| format!("{line}:{column} ssh: \"best-effort\" {INVALID}");
    let column = |line: usize| {
        let line = text.lines().nth(line - 1).expect("a line");
        line[..line.find("best-effort").expect("the value")].chars().count() + 1
    };
    // A value in quotes begins with its quote.
    let expected = [8, 13, 17, 18, 19, 26].map(|line| place(line, column(line) - usize::from(line == 17)));
    assert_eq!(problems, expected);
    // The source line is shown, too.
    let survey = roles::survey_text("map.yaml", text);
    for problem in &survey.problems {
        let mark = problem.site.mark.as_ref().expect("a place");
        let at = |byte: u64| usize::try_from(byte).expect("a place in a short text");
        let (start, end) = (at(mark.bytes.0), at(mark.bytes.1));
        assert_eq!(text[start..end].trim_matches('"'), "best-effort");
        let (start, end) = mark.excerpt.span;
        assert_eq!(mark.excerpt.text[start as usize..end as usize].trim_matches('"'), "best-effort");
    }
}

#[test]
fn a_configuration_map_is_linted_as_its_roles_are() {
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: bootstrap\ndata:\n  roles.yaml: |\n    kind: role\n    version: v7\n    metadata: {name: night}\n    spec:\n      options:\n        record_session: {default: best-effort}\n";
    let folder = repository(&[("map.yaml", map)]);
    let output = lint(folder.path(), &["--no-config", "--format", "json"]);
    assert_eq!(found(&output), ["invalid-mode:12"]);
    // resolve reads what lint reads.
    let output = super::recmode(folder.path()).args(["resolve", "--roles", "."]).output().expect("runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).starts_with("./map.yaml:12:35: default: \"best-effort\""), "{}", stderr(&output));
    // A block is repaired in its place.
    let output = lint(folder.path(), &["--no-config", "--fix"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let fixed = fs::read_to_string(folder.path().join("map.yaml")).expect("a file");
    assert_eq!(fixed, map.replace("best-effort", "best_effort"));
}

#[test]
fn a_repair_is_made_only_where_the_bytes_are_what_is_read() {
    let role = "kind: role\nversion: v7\nmetadata: {name: r}\nspec: {options: {record_session: {default: best-effort}}}\n";
    let map = |data: &str| format!("kind: ConfigMap\ndata:\n  r: {data}\n");
    let json = "{\"kind\": \"role\", \"metadata\": {\"name\": \"r\"}, \"spec\": {\"options\": {\"record_session\": {\"default\": \"best-effort\"}}}}";
    let block = |head: &str, text: &str| {
        format!("{head}\n{}", text.lines().map(|line| format!("    {line}\n")).collect::<String>())
    };
    let quoted = serde_json::to_string(role).expect("JSON");
    let patch = format!(
        "{role}---\nkind: Kustomization\npatches:\n{}",
        block("- patch: |", &role.replace("kind: role", "kind: TeleportRoleV7").replace("r}", "r2}"))
    );
    for (text, expected) in [
        (map(&block("|", role)), 1),
        (map(&block("|-", role)), 1),
        (map(&quoted), 0),
        (map(&format!("'{json}'")), 0),
        (map(&block(">", json)), 0),
        (map(&block("|", json)), 0),
        // The role itself is repaired, its patch is not.
        (patch, 1),
    ] {
        let folder = repository(&[("a.yaml", &text)]);
        let _ = lint(folder.path(), &["--no-config", "--fix", "-q"]);
        let after = fs::read_to_string(folder.path().join("a.yaml")).expect("a file");
        assert_eq!(after.matches("best_effort").count(), expected, "{after}");
        assert_eq!(after.replace("best_effort", "best-effort"), text);
    }
}

#[test]
fn a_patch_of_kustomize_is_judged_with_the_role_that_it_changes() {
    let base = "apiVersion: resources.teleport.dev/v1\nkind: TeleportRoleV7\nmetadata: {name: ops}\nspec: {options: {record_session: {default: strict, ssh: strict}}}\n";
    let merge = "patches:\n- patch: |-\n    kind: TeleportRoleV7\n    metadata: {name: ops}\n    spec: {options: {record_session: {ssh: best_effort}}}\n";
    let older = merge.replace("patches:\n- patch: |-", "patchesStrategicMerge:\n- |-");
    let replace = "patches:\n- target: {kind: TeleportRoleV7, name: ops}\n  patch: |-\n    - op: test\n      path: /spec/options/record_session/ssh\n      value: strict\n    - op: replace\n      path: /spec/options/record_session/ssh\n      value: best_effort\n";
    let json6902 = replace.replace("patches:", "patchesJson6902:");
    let whole = "patches:\n- target: {kind: TeleportRoleV7, name: ops}\n  patch: '[{\"op\": \"add\", \"path\": \"/spec/options\", \"value\": {\"record_session\": {\"ssh\": \"best_effort\"}}}]'\n";
    let list = "patchesJson6902:\n- target: {kind: TeleportRoleV7, name: ops}\n  patch:\n  - {op: replace, path: /spec/options/record_session/ssh, value: best_effort}\n";
    let flux = "kind: Kustomization\napiVersion: kustomize.toolkit.fluxcd.io/v1\nmetadata: {name: k}\nspec:\n  patches:\n  - target: {kind: TeleportRoleV7, name: ops}\n    patch: |\n      - {op: replace, path: /spec/options/record_session/ssh, value: best_effort}\n";
    for (patch, line) in [
        (merge, 5),
        (older.as_str(), 5),
        (replace, 9),
        (json6902.as_str(), 9),
        (whole, 3),
        (list, 4),
        (flux, 8),
    ] {
        let folder = repository(&[("base.yaml", base), ("overlay/kustomization.yaml", patch)]);
        let require = "version: 1\nrequire:\n- {roles: [ops], kinds: [ssh], mode: strict}\n";
        fs::write(folder.path().join(".recmode.yaml"), require).expect("a file");
        let output = lint(folder.path(), &["--format", "json"]);
        let tree: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let unproved = tree["findings"]
            .as_array()
            .expect("findings")
            .iter()
            .find(|finding| finding["rule"] == "requirement-not-met");
        let unproved = unproved.unwrap_or_else(|| panic!("{patch}: {tree}"));
        assert_eq!(unproved["severity"], "warning", "{patch}");
        let message = unproved["message"].as_str().expect("a message");
        assert!(message.contains("ssh is changed by a patch in the role \"ops\""), "{message}");
        assert_eq!(unproved["at"]["file"], "overlay/kustomization.yaml", "{patch}");
        assert_eq!(unproved["at"]["line"], line, "{patch}");
        let args = ["resolve", "--roles", ".", "--role", "ops", "--kind", "ssh", "--format", "mode"];
        let output = super::recmode(folder.path()).args(args).output().expect("runs");
        assert_eq!(output.status.code(), Some(2), "{patch}");
        let said = stderr(&output);
        assert!(said.starts_with("recmode: the mode of ssh is unknown: "), "{patch}: {said}");
        assert!(said.contains("ssh is changed by a patch in role \"ops\""), "{patch}: {said}");
    }
}

#[test]
fn what_a_patch_changes_is_unknown_and_the_rest_is_not() {
    let base = |options: &str| {
        format!(
            "kind: TeleportRoleV7\nmetadata: {{name: ops}}\nspec: {{options: {{record_session: {options}}}}}\n"
        )
    };
    let patch = |ops: &str| {
        format!("patches:\n- target: {{kind: TeleportRoleV7, name: ops}}\n  patch: |\n    {ops}\n")
    };
    for (options, ops, expected) in [
        // What is tightened in one place may be loose in another.
        ("{ssh: best_effort}", "[{op: replace, path: /spec/options/record_session/ssh, value: strict}]", ""),
        ("{ssh: strict}", "[{op: remove, path: /spec/options/record_session/ssh}]", ""),
        ("{default: strict}", "[{op: remove, path: /spec/options/record_session}]", ""),
        ("{default: strict}", "[{op: remove, path: /spec}]", ""),
        (
            "{ssh: strict}",
            "[{op: replace, path: /spec/options/record_session/ssh, value: strict}]",
            "strict\n",
        ),
        (
            "{default: strict}",
            "[{op: add, path: /spec/options/record_session/k8s, value: best_effort}]",
            "strict\n",
        ),
        ("{default: strict}", "[{op: add, path: /spec/allow/logins, value: [a]}]", "strict\n"),
    ] {
        let folder = repository(&[("base.yaml", &base(options)), ("kustomization.yaml", &patch(ops))]);
        let args = ["resolve", "--roles", ".", "--role", "ops", "--kind", "ssh", "--format", "mode"];
        let output = super::recmode(folder.path()).args(args).output().expect("runs");
        assert_eq!(stdout(&output), expected, "{ops}: {}", stderr(&output));
        assert_eq!(output.status.code(), Some(if expected.is_empty() { 2 } else { 0 }), "{ops}");
    }
}

#[test]
fn a_patch_that_cannot_be_followed_is_a_role_that_is_not_read() {
    let base = "kind: TeleportRoleV7\nmetadata: {name: ops}\nspec: {options: {record_session: {desktop: true}}}\n---\n";
    let target = |target: &str, patch: &str| {
        format!("{base}kind: Kustomization\npatches:\n- target: {target}\n  patch: |\n    {patch}\n")
    };
    let op = "[{op: replace, path: /spec/options/record_session/ssh, value: strict}]";
    let ops = "{kind: TeleportRoleV7, name: ops}";
    for text in [
        target("{kind: TeleportRoleV7, name: gone}", op),
        target("{kind: TeleportRoleV7, name: ops.*}", op),
        target("{kind: TeleportRoleV7, labelSelector: a=b}", op),
        target("{kind: 'Teleport.*'}", op),
        target(ops, "[{op: move, from: /spec/options/record_session, path: /spec/x}]"),
        target(ops, "[{op: copy, from: /spec/x, path: /spec/options/record_session}]"),
        target(ops, "[{op: replace, path: '', value: {}}]"),
        target(ops, "[{op: add, path: /spec/options/record_session/ssh}]"),
        target("{group: resources.teleport.dev}", "[{op: remove, path: /spec/options}]"),
        target("{labelSelector: a=b}", "[{op: remove, path: /spec/options}]"),
        format!(
            "{base}kind: Kustomization\npatches:\n- {{path: p.yaml, target: {{kind: TeleportRoleV7, name: ops}}}}\n"
        ),
        target("{labelSelector: a=b}", "spec: {options: null}"),
        format!(
            "{base}kind: PatchTransformer\nmetadata: {{name: t}}\ntarget: {{kind: 'Teleport.*'}}\npatch: '[{{\"op\": \"remove\", \"path\": \"/spec/options\"}}]'\n"
        ),
        target(ops, "{kind: TeleportRoleV7, $patch: delete}"),
        target(ops, "{kind: TeleportRoleV7, spec: {$patch: replace}}"),
        target(ops, "[{op: add, path: /spec/options/record_session/ssh, value: '{{ mode }}'}]"),
        target(ops, "not: [yaml\n    /spec/options/record_session"),
        format!("{base}patches:\n- patch: |\n    {op}\n"),
        format!("{base}replacements:\n- targets:\n  - fieldPaths: [spec.options.record_session.ssh]\n"),
    ] {
        let found = unread("kustomization.yaml", &text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].0 > 5, "{text}: {found:?}");
    }
    for text in [
        target("{name: other}", "[{op: remove, path: /spec}]"),
        target("{kind: Deployment, name: ops}", "[{op: replace, path: /spec, value: {}}]"),
        target(ops, "[{op: add, path: /spec/allow/logins/-, value: root}]"),
        target(ops, "{kind: TeleportRoleV7, metadata: {name: ops}, spec: {allow: {}}}"),
        format!("{base}patches:\n- path: role.yaml\n"),
        format!("{base}patchesStrategicMerge:\n- role.yaml\n"),
    ] {
        assert_eq!(unread("kustomization.yaml", &text), [], "{text}");
        assert_eq!(survey("kustomization.yaml", &text).0, ["ops"], "{text}");
    }
}

#[test]
fn what_is_wrong_in_a_patch_has_its_place() {
    let text = "patches:\n- target: {kind: TeleportRoleV7, name: ops}\n  patch: |\n    - op: add\n      path: /spec/options/record_session/ssh\n      value: best-effort\n    - op: add\n      path: /spec/options/record_session\n      value:\n        shell: strict\n- patch: |\n    kind: TeleportRoleV7\n    metadata: {name: ops}\n    spec: {record_session: {ssh: strict}}\n";
    let (_, problems) = survey("kustomization.yaml", text);
    let places: Vec<_> = problems.iter().map(|problem| problem.split(' ').next().expect("a place")).collect();
    assert_eq!(places, ["6:14", "10:9", "14:12", "5:13"], "{problems:?}");
}

#[test]
fn what_shows_signs_and_is_not_read_is_found_at_its_place() {
    let template = "a template has to be rendered first";
    let text = "it is in a text that is not YAML or JSON";
    let loose = "this key belongs to no role that was read";
    for (source, expected) in [
        (
            "extraDeploy:\n- |\n  kind: TeleportRoleV7\n  metadata:\n    name: {{ .Release.Name }}\n",
            (3, 9, template),
        ),
        ("data:\n  r: |\n    {%- if x %}\n    kind: role\n    {%- endif %}\n", (4, 11, template)),
        (
            "a:\n- kind: TeleportRoleV7\n  metadata: {name: a}\n  spec: {options: {record_session: {ssh: '{{ m }}'}}}\n",
            (2, 9, template),
        ),
        ("a:\n- kind: TeleportRoleV7\n  metadata: {name: a}\n  spec: '{{ spec }}'\n", (2, 9, template)),
        ("a:\n- kind: TeleportRoleV7\n  metadata: {name: '{{ n }}'}\n", (2, 9, template)),
        ("run: |\n  cat <<EOF | tctl create\n  kind: role\n  metadata: {name: x}\n  EOF\n", (3, 9, text)),
        ("run: tctl create --set record_session=strict\n", (1, 24, text)),
        ("teleport:\n  role:\n    record_session: {ssh: best_effort}\n", (3, 5, loose)),
        ("vars:\n  session_recording_mode: best_effort\n", (2, 3, loose)),
        ("- op: replace\n  path: /spec/options/record_session\n  value: {}\n", (2, 23, text)),
        (
            "a:\n  kind: TeleportRoleV9\n  apiVersion: example.com/v1\n  spec: {}\n",
            (2, 9, "this kind is not known"),
        ),
    ] {
        assert_eq!(unread("a.yaml", source), [expected], "{source}");
    }
    // What is nearly a role's kind has a rule of its own.
    for (source, line) in [
        ("apiVersion: resources.teleport.dev/v1\nkind: TeleportRoleV9\nmetadata: {name: a}\n", 2),
        ("kind: widget\nspec: {options: {record_session: {ssh: strict}}}\n", 1),
        ("a:\n- apiVersion: resources.teleport.dev/v1\n  kind: TeleportRoleV9\n  metadata: {name: a}\n", 3),
    ] {
        let folder = repository(&[("a.yaml", source)]);
        let output = lint(folder.path(), &["--no-config", "--format", "json"]);
        assert_eq!(found(&output), [format!("unknown-version:{line}")], "{source}");
    }
}

#[test]
fn what_only_speaks_of_roles_is_no_role() {
    for source in [
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r}\nrules: [{resources: [teleportroles], verbs: [get]}]\n",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nroleRef: {kind: Role, name: r}\n",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec:\n  names: {kind: TeleportRoleV7}\n  schema: {properties: {record_session: {type: object}}}\n",
        "openapi: 3.0.0\ncomponents:\n  schemas:\n    o:\n      properties:\n        record_session: {type: object, properties: {ssh: {type: string}}}\n",
        "$schema: https://json-schema.org/draft/2020-12/schema\nproperties: {record_session: {description: x}}\n",
        "kind: ConfigMap\nmetadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: '{\"kind\":\"role\",\"metadata\":{\"name\":\"a\"}}'\n",
        "kind: ConfigMap\ndata:\n  README.md: |\n    ```yaml\n    kind: role\n    ```\n",
        "kind: Application\nspec: {ignoreDifferences: [{kind: TeleportRoleV7, jsonPointers: [/spec]}]}\n",
        "kind: Deployment\nmetadata: {ownerReferences: [{kind: TeleportRoleV7, name: a}]}\n",
        "kind: ConfigMap\ndata: {note: Roles have an option record_session. See spec.options.record_session}\n",
        "description: 'Sets record_session: strict on kind: role'\na: 1\n",
        "a: use kind or role\n# kind: role\n# record_session: x\n",
        "kind: ConfigMap\ndata: {r: \"kind: role\\n\"}\n",
        "kind: ConfigMap\ndata: {r: \"kind: oidc\\nspec: {claims_to_roles: all}\"}\n",
        "connectors: [{kind: oidc, spec: {claims_to_roles: all}}]\n",
        "kind: user\nmetadata: {name: u}\nspec: {roles: [ops]}\n",
        "kind: token\nmetadata: {name: t}\nspec: {roles: [Node]}\n",
        "kind: bot\nmetadata: {name: b}\nspec: {roles: [ops]}\n",
        "x: &rs\n  record_session: {default: strict}\nextraDeploy:\n- kind: TeleportRoleV7\n  metadata: {name: a}\n  spec: {options: *rs}\n",
        "extraDeploy:\n- |\n  kind: TeleportRoleV7\n  metadata: {name: a}\n  spec: {allow: {logins: ['{{internal.logins}}']}}\n",
    ] {
        assert_eq!(unread("a.yaml", source), [], "{source}");
        let (_, problems) = survey("a.yaml", source);
        assert_eq!(problems, Vec::<String>::new(), "{source}");
    }
}

#[test]
fn templates_are_searched_for_signs_and_prose_and_source_code_are_not() {
    let role = "{{- define \"r\" }}\nkind: TeleportRoleV7\n{{ end }}\n";
    let folder = repository(&[
        ("role.yaml", &super::role("a", &["default: strict"])),
        ("chart/_r.tpl", role),
        ("chart/values.yaml.gotmpl", "a: 1\n---\nrecord_session: {{ x }}\n"),
        ("role.yaml.j2", "{# kind: role #}\nx\nkind: role\n"),
        ("role.jsonnet", "// kind: role\nlocal r = { kind: 'role' };\n"),
        ("locals.hcl", "# a\nsession_recording_mode = \"strict\"\n"),
        ("other.tpl", "# kind: role\n// record_session\n{{/* record_session */}}\n{{ .Values.x }}\n"),
        ("README.md", "kind: role\nrecord_session:\n"),
        ("main.go", "kind: role\n"),
        ("notes.txt", "kind: role\n"),
        ("create.sh", "kind: role\n"),
    ]);
    let output = lint(folder.path(), &["--no-config", "--format", "json"]);
    let tree: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let places: Vec<_> = tree["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|finding| {
            assert_eq!((&finding["rule"], &finding["severity"]), (&"unread-role".into(), &"warning".into()));
            let at = &finding["at"];
            format!("{}:{}:{}", at["file"].as_str().expect("a file"), at["line"], at["column"])
        })
        .collect();
    assert_eq!(
        places,
        [
            "chart/_r.tpl:2:7",
            "chart/values.yaml.gotmpl:3:1",
            "locals.hcl:2:1",
            "role.jsonnet:2:20",
            "role.yaml.j2:3:7"
        ]
    );
    // What shows nothing was not read.
    assert_eq!(tree["summary"]["files"], 6);
}

#[test]
fn no_requirement_is_proved_beside_a_role_that_is_not_read_unless_that_is_left_out_with_a_reason() {
    let config = |more: &str| {
        format!(
            "version: 1\nrequire:\n- {{name: always, roles: [a], mode: strict}}\n- {{roles: [a], kinds: [ssh], mode: strict}}\n{more}"
        )
    };
    let strict = "default: strict\nssh: strict\nk8s: strict\ndesktop: strict\ndb: strict\napp: strict";
    let role = super::role("a", &strict.lines().collect::<Vec<_>>());
    let values = |comment: &str| format!("extraDeploy:\n{comment}- record_session: {{ssh: best_effort}}\n");
    let folder = |config: &str, values: &str| {
        repository(&[(".recmode.yaml", config), ("a.yaml", &role), ("values.yaml", values)])
    };
    let args = ["-A", "not-honoured", "-A", "legacy-desktop-boolean"];
    let unproved = |config: &str, values: &str, more: &[&str]| {
        let folder = folder(config, values);
        let output = lint(folder.path(), &[&args[..], more].concat());
        let text = stdout(&output);
        let count = text
            .lines()
            .filter(|line| {
                line.contains(" can't be proved: values.yaml:") && line.contains("looks like a role")
            })
            .count();
        (count, output.status.code(), text)
    };
    let (count, code, text) = unproved(&config(""), &values(""), &[]);
    assert_eq!((count, code), (2, Some(1)), "{text}");
    assert!(
        text.contains("warning[requirement-not-met]: the requirement \"always\" can't be proved: values.yaml:2 looks like a role and is not read\n"),
        "{text}"
    );
    // Neither a rule that is off nor an ignore without a reason restores the proof.
    let off = config("rules: {unread-role: off}\n");
    for (config, comment, more) in [
        (config(""), "", ["-A", "unread-role"]),
        (off, "", ["-W", "syntax"]),
        (config(""), "# recmode: ignore[unread-role]\n", ["-W", "syntax"]),
        (config("ignore:\n- {rules: [unread-role]}\n"), "", ["-W", "syntax"]),
        (config("ignore:\n- {rules: [unread-role], path: other.yaml, reason: x}\n"), "", ["-W", "syntax"]),
    ] {
        let (count, code, text) = unproved(&config, &values(comment), &more);
        assert_eq!((count, code), (2, Some(1)), "{text}");
        assert!(!text.contains("unread role ignored"), "{text}");
    }
    for (config, comment) in [
        (config(""), "# recmode: ignore[unread-role] checked in the chart\n"),
        (config("ignore:\n- {rules: [unread-role], path: values.yaml, reason: checked}\n"), ""),
    ] {
        let (count, code, text) = unproved(&config, &values(comment), &[]);
        assert_eq!((count, code), (0, Some(0)), "{text}");
        assert!(
            text.ends_with("no findings in 1 role in 2 files; 1 suppressed, 1 unread role ignored\n"),
            "{text}"
        );
        let output = lint(folder(&config, &values(comment)).path(), &["--format", "json"]);
        let tree: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(tree["summary"]["unread_ignored"], 1);
    }
}

#[test]
fn what_is_not_well_formed_and_shows_a_sign_proves_nothing_either() {
    let config = "version: 1\nrequire:\n- {roles: [a], kinds: [ssh], mode: strict}\n";
    let role = super::role("a", &["ssh: strict"]);
    for (broken, expected) in [
        ("kind: TeleportRoleV7\nmetadata: {name: {{ x }}}\n  a\n", true),
        ("kind: Deployment\nspec: {{ x }}\n  a\n", false),
        ("spec: {options: {record_session: {ssh: best_effort}}}\n", true),
        ("kind: widget\nspec: {options: {record_session: {ssh: best_effort}}}\n", true),
        ("apiVersion: resources.teleport.dev/v1\nkind: TeleportRoleV9\nmetadata: {name: a}\n", true),
    ] {
        let folder = repository(&[(".recmode.yaml", config), ("a.yaml", &role), ("b.yaml", broken)]);
        let text = stdout(&lint(folder.path(), &[]));
        assert_eq!(text.contains("a requirement can't be proved: b.yaml:"), expected, "{text}");
    }
}

#[test]
fn a_finding_of_a_requirement_shows_twenty_places_at_most() {
    let config = "version: 1\nrequire:\n- {roles: [a], kinds: [ssh], mode: strict}\n";
    let values: String = (0..50).map(|n| format!("k{n}: {{record_session: {{}}}}\n")).collect();
    let role = super::role("a", &["ssh: strict"]);
    let folder = repository(&[(".recmode.yaml", config), ("a.yaml", &role), ("values.yaml", &values)]);
    let output = lint(folder.path(), &["--format", "json"]);
    let tree: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let findings = tree["findings"].as_array().expect("findings");
    let finding = findings.iter().find(|one| one["rule"] == "requirement-not-met").expect("a finding");
    assert_eq!(finding["related"].as_array().map(Vec::len), Some(20));
    assert!(finding["message"].as_str().is_some_and(|text| text.ends_with("(and 49 more)")), "{finding}");
}

#[test]
fn strings_in_strings_are_read_to_a_bound() {
    let nest = |levels: usize| {
        let mut text = "kind: role\nmetadata: {name: r}\nspec: {}\n".to_owned();
        for _ in 0..levels {
            text = format!("kind: ConfigMap\ndata: {{r: {}}}\n", serde_json::to_string(&text).expect("JSON"));
        }
        text
    };
    assert_eq!(survey("a.yaml", &nest(4)), (vec!["r".to_owned()], vec![]));
    for levels in [5, 8] {
        let found = unread("a.yaml", &nest(levels));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].0, found[0].2), (2, "it is in too many strings, one in the other"));
    }
}

#[test]
fn hostile_strings_end_soon() {
    let start = std::time::Instant::now();
    let bomb: String =
        (1..40).map(|n| format!("a{n}: &a{n} [{0}, {0}]\n", format_args!("*a{}", n - 1))).collect();
    let bomb = format!("a0: &a0 [x, x]\n{bomb}kind: role\n");
    let huge = format!("kind: role\n# {}\n", "x".repeat((1 << 20) - 100));
    let keys: String =
        (0..10_000).map(|n| format!("k{n}: |\n  kind: {n}\n  record_session: {{}}\n")).collect();
    let deep = format!("kind: role\na: {}{}\n", "[".repeat(200), "]".repeat(200));
    let ops: String = (0..5_000)
        .map(|n| {
            format!(
                "    - {{op: add, path: /spec/options/record_session/ssh, value: {}}}\n",
                ["strict", "best_effort"][n % 2]
            )
        })
        .collect();
    let patches = format!("patches:\n- target: {{kind: role, name: a}}\n  patch: |\n{ops}");
    let map = |text: &str| {
        format!("kind: ConfigMap\ndata: {{r: {}}}\n", serde_json::to_string(text).expect("JSON"))
    };
    for text in [map(&bomb), map(&deep)] {
        assert_eq!(unread("a.yaml", &text).len(), 1);
    }
    for text in [map(&huge), keys, patches, map(&"kind: role\n---\n".repeat(10_000))] {
        let _ = unread("a.yaml", &text);
    }
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

#[test]
fn the_sample_fixture_of_each_form_is_read_alike_by_resolve() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lint/unread-role/pass");
    let args = ["resolve", "--roles", ".", "--kind", "ssh", "--format", "json"];
    let output = super::recmode(&folder).args(args).output().expect("runs");
    let tree: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let lint = roles::survey(&[folder], &roles::SearchOptions::default(), &roles::Progress::default());
    let names = |names: Vec<String>| {
        let mut names = names;
        names.sort_unstable();
        names.dedup();
        names
    };
    let by_lint = names(lint.roles.iter().map(|role| role.role.name.to_string()).collect());
    let by_resolve = tree["roles"].as_array().expect("roles").iter();
    let by_resolve = names(by_resolve.map(|name| name.as_str().expect("a name").to_owned()).collect());
    assert_eq!(by_lint, by_resolve);
    assert!(by_lint.len() >= 8, "{by_lint:?}");
    assert!(all(&output).is_empty() || output.status.success());
}
