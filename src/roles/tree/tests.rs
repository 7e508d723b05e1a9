//! JSON is read with the YAML parser: that it is read right, and what trees say of YAML.

use proptest::prelude::*;
use serde_json::{Map, Value as Json};

use super::{NodeId, Tree, TreeReader};

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
