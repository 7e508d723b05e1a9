//! JSON is read with the YAML parser: that it is read right, and what trees say of YAML. And that an expression of
//! Terraform is what it is evaluated to.

use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Map, Value as Json};

use super::{Locals, NodeId, Tree, TreeReader, Wanted, read_hcl};

/// A tree back to JSON; scalars that are not quoted are parsed as JSON's.
fn to_json(tree: &Tree<'_>, id: NodeId) -> Json {
    if let Some(items) = tree.items(id) {
        return items.iter().map(|&item| to_json(tree, item)).collect();
    }
    if let Some(entries) = tree.entries(id) {
        let pairs =
            entries.map(|(key, value)| (tree.text(key).unwrap_or_default().to_owned(), to_json(tree, value)));
        return Json::Object(pairs.collect::<Map<_, _>>());
    }
    let text = tree.text(id).unwrap_or_default();
    match &tree.nodes[id as usize].value {
        super::Value::Scalar { plain: true, .. } => serde_json::from_str(text).unwrap_or(Json::Null),
        _ => text.into(),
    }
}

fn documents(text: &str) -> Vec<Json> {
    let mut found = Vec::new();
    TreeReader::default().read(text, None, |tree, id| found.push(to_json(tree, id))).expect("well-formed");
    found
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,12}",
        ".{0,12}",
        "(---|:|#|&a|\\*a|<<|\\\\|/|\"|\u{7f}|\u{85}|\u{2028}|\u{feff}|\u{1f600}|\u{0}|\t|\r|\n| ){0,8}",
    ]
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<i32>().prop_map(|n| Json::from(f64::from(n) / 8.0)),
        any_text().prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            proptest::collection::btree_map(any_text(), inner, 0..6)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

/// The JSON text with the characters that `which` picks as `\u` escapes, as pairs of surrogates
/// where they need two.
fn escaped(json: &str, which: impl Fn(char) -> bool) -> String {
    let mut out = String::new();
    for c in json.chars() {
        if which(c) {
            out.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    out
}

/// Characters that JSON allows in a string as they are and YAML does not; they are an error.
fn is_not_yaml(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
}

proptest! {
    #[test]
    fn json_is_read_as_json(value in any_json()) {
        // An array is handed over item by item.
        let expected = match value.clone() { Json::Array(items) => items, other => vec![other] };
        let written = serde_json::to_string(&value).expect("JSON");
        let pretty = serde_json::to_string_pretty(&value).expect("JSON");
        let pretty = escaped(&pretty, is_not_yaml);
        prop_assert_eq!(&documents(&escaped(&written, is_not_yaml)), &expected);
        prop_assert_eq!(&documents(&escaped(&written, |c| c > '~')), &expected);
        prop_assert_eq!(&documents(&pretty), &expected);
        prop_assert_eq!(&documents(&pretty.replace("\n  ", "\n\t")), &expected);
        prop_assert_eq!(&documents(&pretty.replace('\n', "\r\n")), &expected);
    }
}

#[test]
fn merge_keys_lose_to_the_mappings_own_and_to_earlier_ones() {
    let text = "a: &a {x: 1, y: 1}\nb: &b {<<: *a, y: 2, z: 2}\nm: {w: 0, <<: [*b, *a], z: 3}\n";
    let mut checked = false;
    TreeReader::default()
        .read(text, None, |tree, root| {
            let (_, m) = tree.get(root, "m").expect("m");
            let merged: Vec<_> = tree
                .merged(m)
                .into_iter()
                .map(|(key, value)| {
                    format!("{}={}", tree.text(key).unwrap_or("?"), tree.text(value).unwrap_or("?"))
                })
                .collect();
            assert_eq!(merged, ["w=0", "z=3", "y=2", "x=1"]);
            assert_eq!(tree.get(m, "x").map(|(_, value)| tree.span(value).line), Some(1));
            assert!(tree.get(m, "<<").is_some_and(|(key, _)| tree.is_merge_key(key)));
            checked = true;
        })
        .expect("well-formed");
    assert!(checked);
}

#[test]
fn items_of_an_array_may_use_anchors_of_earlier_items() {
    assert_eq!(
        documents("- 1\n- &a {x: 1}\n- *a\n---\n- 2\n").len(),
        4,
        "three items and one of the second document"
    );
}

/// A value as a literal of HCL.
fn hcl(value: &Json) -> String {
    match value {
        Json::Object(entries) => {
            let entries: Vec<_> =
                entries.iter().map(|(key, value)| format!("{} = {}", quoted(key), hcl(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Json::Array(items) => format!("[{}]", items.iter().map(hcl).collect::<Vec<_>>().join(", ")),
        Json::String(text) => quoted(text),
        other => other.to_string(),
    }
}

/// A text in the quotes of HCL.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    no_template(&out)
}

fn no_template(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

/// What the attribute `x` of a resource is evaluated to, given these locals in another file.
fn evaluated(x: &str, locals: &str) -> Json {
    let mut found = Json::Null;
    let files = vec![("locals.tf".into(), format!("locals {{\n{locals}\n}}\n"))];
    // Without a reference no local is asked for.
    let text = format!("# local\nresource \"teleport_role\" \"r\" {{\n  x = {x}\n}}\n");
    let locals = || Arc::new(Locals::new(files));
    read_hcl(
        &text,
        locals,
        |_| Some(Wanted::Whole),
        |tree, _, resource| {
            let (_, x) = tree.get(resource.id, "x").expect("x");
            found = if tree.is_unknown(x) { Json::from("unknown") } else { to_json(tree, x) };
        },
    )
    .expect("well-formed");
    found
}

/// Values whose numbers every language writes alike, and whose texts may be written in a text.
fn any_value() -> impl Strategy<Value = Json> {
    let text = prop_oneof!["[a-z]{0,6}", "\\PC{0,12}", "(\\$|%|\\{|\\}|\"|\\\\|\n|: |#|~|null|1| ){0,6}"];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i32>().prop_map(Json::from),
        text.clone().prop_map(Json::from),
    ];
    let value = leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            proptest::collection::btree_map(text.clone(), inner, 0..5)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    });
    let entries = proptest::collection::btree_map("[a-z<]{1,3}", value, 1..5);
    entries.prop_map(|map| Json::Object(map.into_iter().collect()))
}

proptest! {
    #[test]
    fn an_expression_is_what_the_literal_is(value in any_value(), other in any_value(), cut in 0..5_usize) {
        let literal = hcl(&value);
        prop_assert_eq!(&evaluated(&literal, ""), &value);
        let json = serde_json::to_string(&value).expect("JSON");
        let pretty = serde_json::to_string_pretty(&value).expect("JSON");
        let heredoc = |indent: &str| {
            let lines: Vec<_> = no_template(&pretty).lines().map(|line| format!("{indent}{line}\n")).collect();
            lines.concat()
        };
        for x in [
            format!("({literal})"),
            format!("yamldecode(yamlencode({literal}))"),
            format!("jsondecode(jsonencode({literal}))"),
            format!("jsondecode({})", quoted(&json)),
            format!("yamldecode(<<E\n{}E\n)", heredoc("")),
            format!("yamldecode(<<-E\n{}  E\n)", heredoc("    ")),
            format!("yamldecode(\"${{jsonencode({literal})}}\\n\")"),
            format!("{{ a = [{literal}] }}.a[0]"),
            format!("merge({literal})"),
            format!("merge(null, {{}}, {literal}, {{}})"),
            format!("merge([{{}}, {literal}]...)"),
        ] {
            prop_assert_eq!(&evaluated(&x, ""), &value, "{}", x);
        }
        for (x, locals) in [
            ("local.a", format!("a = {literal}")),
            ("\"${local.a}\"", format!("a = {literal}")),
            ("local.a", format!("a = local.b\nb = local.c.c[\"c\"]\nc = {{ c = {{ c = {literal} }} }}")),
            ("yamldecode(local.a)", format!("a = jsonencode(local.b)\nb = {literal}")),
            ("yamldecode(local.a)", format!("a = <<-E\n{}  E\n", heredoc("  "))),
        ] {
            prop_assert_eq!(&evaluated(x, &locals), &value, "{} {}", x, locals);
        }
        // Of a key in both, the later one.
        let (Json::Object(all), Json::Object(other)) = (&value, &other) else { unreachable!() };
        let part = |from: usize, to: usize| -> Json {
            let some = all.iter().skip(from).take(to - from.min(to));
            Json::Object(some.map(|(key, value)| (key.clone(), value.clone())).collect())
        };
        let cut = cut.min(all.len());
        let overridden: Map<_, _> = other.iter().filter(|(key, _)| all.contains_key(*key))
            .map(|(key, value)| (key.clone(), value.clone())).collect();
        let x = format!(
            "merge({}, local.first, {})",
            hcl(&Json::Object(overridden)), hcl(&part(cut, all.len()))
        );
        let locals = format!("first = {}", hcl(&part(0, cut)));
        prop_assert_eq!(&evaluated(&x, &locals), &value, "{} {}", x, locals);
    }

    #[test]
    fn no_expression_makes_the_evaluator_panic(
        parts in proptest::collection::vec(
            "(local|var|\\.a|\\.b|\\[0\\]|\\[\"a\"\\]|merge|yamlencode|yamldecode|jsondecode|\\(|\\)|\\{|\\}|,| = |a|1|\"\\$\\{|\\}\"|\"a: b\"|<<E\na: 1\n---\nE\n|<<-E\n  a: \\$\\{local\\.a\\}\n  E\n|\\.\\.\\.|null|\n)",
            0..12,
        ),
    ) {
        let text = format!(
            "locals {{\n  a = {{ a = \"x\" }}\n  b = {0}\n}}\nresource \"kubectl_manifest\" \"r\" {{\n  yaml_body = {0}\n}}\n",
            parts.concat()
        );
        let locals = || Arc::new(Locals::new(vec![("x.tf".into(), text.clone())]));
        let _ = read_hcl(&text, locals, |_| Some(Wanted::Manifests("yaml_body")), |_, _, _| {});
    }
}

#[test]
fn what_is_not_known_is_not_guessed() {
    let locals = "s = \"strict\"\no = { s = local.s, v = var.v }\nv = var.v\nm = merge(local.o, var.v)\n\
        twice = 1\ntwice = 1\nca = local.cb\ncb = { a = local.ca }\nuses = { x = local.cb, y = 1 }\n\
        nope = local.undefined\ntext = \"x-${local.s}-y\"\nk = { (local.s) = 1 }";
    for x in [
        "var.s",
        "local.v",
        "local.m",
        "local.o.v",
        "local.o.other",
        "local.ca",
        "local.uses",
        "local.nope",
        "local.undefined",
        "local[\"s\"]",
        "local.o[*]",
        "module.s",
        "\"${local.s}-${local.v}\"",
        "\"%{ if true }strict%{ endif }\"",
        "\"${~ local.s ~} x\"",
        "true ? \"strict\" : \"strict\"",
        "merge(local.o, { (var.k) = 1 })",
        "merge(local.s)",
        "merge([local.o])",
        "yamldecode(\"a: 1\\n---\\nb: 2\")",
        "yamldecode(\"a: [\")",
        "yamlencode({})",
        "yamldecode(\"{a: '${jsonencode({ b = 1 })}'}\").a",
        "yamldecode(\"a: ${yamlencode({ b = 1 })}\").a",
        "provider::x::merge({}, {})",
        "lower(\"STRICT\")",
        "local.o[local.v]",
    ] {
        assert_eq!(evaluated(x, &locals.replace("twice = 1\ntwice = 1\n", "")), "unknown", "{x}");
    }
    // The parser takes no attribute twice, but a module has several files and blocks.
    let blocks = "s = 1\n}\nlocals {\n  t = 1\n  s = 1";
    assert_eq!(evaluated("local.s", blocks), "unknown");
    assert_eq!(evaluated("local.t", blocks), 1);
    let known = locals.replace("twice = 1\ntwice = 1\n", "");
    for (x, value) in [
        ("local.o.s", "strict"),
        ("local.text", "x-strict-y"),
        ("local.o[\"s\"]", "strict"),
        ("\"${1}${true}\"", "1true"),
    ] {
        assert_eq!(evaluated(x, &known), value, "{x}");
    }
    assert_eq!(evaluated("local.k.strict", &known), 1);
    assert_eq!(evaluated("yamldecode(\"a: ${jsonencode({ b = 1 })}\").a.b", ""), 1);
    assert_eq!(evaluated("merge(local.o, { v = 1 }).v", &known), 1);
}
