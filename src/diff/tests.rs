//! The laws of a comparison.

#![expect(clippy::format_push_string, reason = "texts are short and read best so")]

use proptest::prelude::*;

use super::*;
use crate::roles::{Loaded, load_texts};

/// Roles and users as people write them, in a handful of names so that they meet.
fn files() -> impl Strategy<Value = String> {
    let mode = || prop::option::of(prop::sample::select(vec!["strict", "best_effort"]));
    let desktop = prop::option::of(prop::sample::select(vec!["strict", "best_effort", "true", "false"]));
    let role = (mode(), mode(), desktop);
    let roles = prop::collection::btree_map("r[0-4]", role, 0..5);
    let users = prop::collection::btree_map("u[0-2]", prop::collection::vec("r[0-5]", 0..4), 0..3);
    let list =
        prop::option::of((prop::collection::vec("r[0-5]", 0..3), prop::collection::vec("u[0-3]", 0..3)));
    (roles, users, list).prop_map(|(roles, users, list)| {
        let mut text = String::new();
        for (name, (default, ssh, desktop)) in roles {
            let said: Vec<_> = [("default", default), ("ssh", ssh), ("desktop", desktop)]
                .into_iter()
                .filter_map(|(key, value)| Some(format!("{key}: {}", value?)))
                .collect();
            text += &format!(
                "---\nkind: role\nmetadata: {{name: {name}}}\nspec: {{options: {{record_session: {{{}}}}}, allow: {{request: {{roles: [r1]}}}}}}\n",
                said.join(", ")
            );
        }
        for (name, roles) in users {
            text += &format!("---\nkind: user\nmetadata: {{name: {name}}}\nspec: {{roles: [{}]}}\n", roles.join(", "));
        }
        if let Some((roles, members)) = list {
            text += &format!(
                "---\nkind: access_list\nmetadata: {{name: l}}\nspec: {{grants: {{roles: [{}]}}}}\n",
                roles.join(", ")
            );
            for member in members {
                text += &format!(
                    "---\nkind: access_list_member\nmetadata: {{name: {member}}}\nspec: {{access_list: l, name: {member}}}\n"
                );
            }
        }
        text
    })
}

fn roles(file: &str, text: &str) -> Loaded {
    load_texts(vec![(file.to_owned(), text.as_bytes().to_vec())]).expect("roles")
}

fn settings(dialect: Dialect, with_requests: bool) -> Settings {
    Settings { dialect, with_requests, old_is_partial: false }
}

fn mirrored(what: What) -> What {
    match what {
        What::RecordingOff => What::RecordingOn,
        What::RecordingOn => What::RecordingOff,
        What::Loosened => What::Tightened,
        What::Tightened => What::Loosened,
        What::MayTurnOff => What::MayTurnOn,
        What::MayTurnOn => What::MayTurnOff,
        What::MayLoosen => What::MayTighten,
        What::MayTighten => What::MayLoosen,
        What::New => What::Gone,
        What::Gone => What::New,
    }
}

/// What happened to whom, without places.
fn outline(diff: &Diff, mirror: bool) -> Vec<(PartyKind, String, SessionKind, What, usize)> {
    let mut lines = Vec::new();
    for party in &diff.parties {
        for change in &party.changes {
            let what = if mirror { mirrored(change.what) } else { change.what };
            lines.push((party.kind, party.name.to_string(), change.kind, what, change.causes.len()));
        }
    }
    lines.sort();
    lines
}

proptest! {
    #[test]
    fn nothing_changes_from_a_state_to_itself_wherever_it_is_written(text in files(), requests: bool) {
        for dialect in Dialect::ALL {
            let diff = compare(&roles("a", &text), &roles("b", &format!("# moved\n\n{text}")), &settings(dialect, requests));
            prop_assert!(diff.is_empty(), "{:?}", diff);
        }
    }

    #[test]
    fn the_way_back_is_the_mirror_image(old in files(), new in files(), requests: bool) {
        let (old, new) = (roles("old", &old), roles("new", &new));
        for dialect in Dialect::ALL {
            let there = compare(&old, &new, &settings(dialect, requests));
            let back = compare(&new, &old, &settings(dialect, requests));
            prop_assert_eq!(outline(&there, true), outline(&back, false));
            for (a, b) in there.parties.iter().zip(&back.parties) {
                prop_assert_eq!(a.unknown_since.len(), b.unknown_before.len());
            }
        }
    }

    #[test]
    fn every_change_of_a_party_that_stays_has_a_cause(old in files(), new in files()) {
        let diff = compare(&roles("old", &old), &roles("new", &new), &settings(Dialect::Rfd68, false));
        for change in diff.parties.iter().flat_map(|party| &party.changes) {
            let stays = change.before.is_some() && change.after.is_some();
            prop_assert_eq!(stays, !change.causes.is_empty(), "{:?}", change);
        }
    }
}

#[test]
fn a_change_of_mode_and_of_recording_are_two() {
    let role = |said: &str| {
        format!("kind: role\nmetadata: {{name: a}}\nspec: {{options: {{record_session: {{{said}}}}}}}\n")
    };
    let old = roles("old", &role("desktop: strict"));
    let new = roles("new", &role("desktop: no"));
    let diff = compare(&old, &new, &settings(Dialect::Rfd68, false));
    assert_eq!(diff.parties.len(), 1);
    let whats: Vec<_> = diff.parties[0].changes.iter().map(|change| change.what).collect();
    assert_eq!(whats, [What::RecordingOff, What::Loosened]);
    assert!(diff.is_weaker());
}

/// A role of Terraform in which `?` stands for an expression: `a`, `b`, or `-` for another one.
fn terraform(default: &str, ssh: &str) -> String {
    let setting = |key: &str, value: &str| match value {
        "" => String::new(),
        "strict" | "best_effort" => format!("    {key} = \"{value}\"\n"),
        expression => format!("    {key} = var.{expression}\n"),
    };
    format!(
        "resource \"teleport_role\" \"r\" {{\n  metadata = {{ name = \"r\" }}\n  spec = {{ options = {{ record_session = {{\n{}{}  }} }} }}\n}}\n",
        setting("default", default),
        setting("ssh", ssh),
    )
}

/// The modes of ssh before and after, for every value of `var.a` and `var.b`.
fn pairs_by_brute_force(
    old: (&str, &str),
    new: (&str, &str),
) -> BTreeSet<(Option<policy::Mode>, Option<policy::Mode>)> {
    // The same expression is one unknown only at the same option.
    let places: BTreeSet<(usize, &str)> = [(0, old.0), (1, old.1), (0, new.0), (1, new.1)]
        .into_iter()
        .filter(|(_, value)| ["a", "b"].contains(value))
        .collect();
    let mut assignments = vec![BTreeMap::new()];
    for place in places {
        assignments = assignments
            .into_iter()
            .flat_map(|known: BTreeMap<_, &str>| {
                ["", "strict", "best_effort"].map(|value| {
                    let mut more = known.clone();
                    more.insert(place, value);
                    more
                })
            })
            .collect();
    }
    let mode = |(default, ssh): (&str, &str), values: &BTreeMap<(usize, &str), &str>| {
        let value = |n, text| values.get(&(n, text)).copied().unwrap_or(text).to_owned();
        let roles = roles("r.tf", &terraform(&value(0, default), &value(1, ssh)));
        let set = roles.select(&[], None).expect("roles");
        set.resolve(SessionKind::Ssh).mode
    };
    assignments.iter().map(|values| (mode(old, values), mode(new, values))).collect()
}

#[test]
fn a_change_with_expressions_is_what_some_or_all_of_their_values_make_of_it() {
    let values = ["", "strict", "best_effort", "a", "b"];
    let all = || values.iter().flat_map(|default| values.iter().map(|ssh| (*default, *ssh)));
    for old in all() {
        for new in all() {
            let diff = compare(
                &roles("old.tf", &terraform(old.0, old.1)),
                &roles("new.tf", &terraform(new.0, new.1)),
                &settings(Dialect::Rfd68, false),
            );
            let changes = diff.parties.iter().flat_map(|party| &party.changes);
            let found: Vec<_> =
                changes.filter(|change| change.kind == SessionKind::Ssh).map(|change| change.what).collect();
            let pairs = pairs_by_brute_force(old, new);
            let loosened = pairs.iter().filter(|(was, is)| was > is).count();
            let tightened = pairs.iter().filter(|(was, is)| was < is).count();
            let mut expected = Vec::new();
            if loosened > 0 {
                expected.push(if loosened == pairs.len() { What::Loosened } else { What::MayLoosen });
            }
            if tightened > 0 {
                expected.push(if tightened == pairs.len() { What::Tightened } else { What::MayTighten });
            }
            assert_eq!(found, expected, "{old:?} to {new:?}");
            assert_eq!(
                diff.is_weaker(),
                diff.parties.iter().flat_map(|p| &p.changes).any(|c| c.what.is_weaker())
            );
            for party in &diff.parties {
                assert!(party.changes.iter().all(|change| !change.causes.is_empty()), "{old:?} to {new:?}");
            }
        }
    }
}

#[test]
fn what_an_unreadable_document_held_may_have_been_strict() {
    let new = roles(
        "new",
        "kind: role\nmetadata: {name: r}\nspec: {options: {record_session: {ssh: best_effort}}}\n",
    );
    let none = load_texts(Vec::new()).expect("no role");
    let partial = Settings { old_is_partial: true, ..Settings::default() };
    let changes = &compare(&none, &new, &partial).parties[0].changes;
    assert_eq!(changes[0].what, What::MayLoosen);
    let strict = roles(
        "new",
        "kind: role\nmetadata: {name: r}\nspec: {options: {record_session: {default: strict, ssh: strict}}}\n",
    );
    assert!(!compare(&none, &strict, &partial).is_weaker());
    assert_eq!(compare(&none, &new, &Settings::default()).parties[0].changes[0].what, What::New);
}
