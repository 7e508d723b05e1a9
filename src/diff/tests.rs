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

fn mirrored(what: What) -> What {
    match what {
        What::RecordingOff => What::RecordingOn,
        What::RecordingOn => What::RecordingOff,
        What::Loosened => What::Tightened,
        What::Tightened => What::Loosened,
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
            let diff = compare(&roles("a", &text), &roles("b", &format!("# moved\n\n{text}")), dialect, requests);
            prop_assert!(diff.is_empty(), "{:?}", diff);
        }
    }

    #[test]
    fn the_way_back_is_the_mirror_image(old in files(), new in files(), requests: bool) {
        let (old, new) = (roles("old", &old), roles("new", &new));
        for dialect in Dialect::ALL {
            let there = compare(&old, &new, dialect, requests);
            let back = compare(&new, &old, dialect, requests);
            prop_assert_eq!(outline(&there, true), outline(&back, false));
            for (a, b) in there.parties.iter().zip(&back.parties) {
                prop_assert_eq!(a.unknown_since.len(), b.unknown_before.len());
            }
        }
    }

    #[test]
    fn every_change_of_a_party_that_stays_has_a_cause(old in files(), new in files()) {
        let diff = compare(&roles("old", &old), &roles("new", &new), Dialect::Rfd68, false);
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
    let diff = compare(&old, &new, Dialect::Rfd68, false);
    assert_eq!(diff.parties.len(), 1);
    let whats: Vec<_> = diff.parties[0].changes.iter().map(|change| change.what).collect();
    assert_eq!(whats, [What::RecordingOff, What::Loosened]);
    assert!(diff.is_weaker());
}
