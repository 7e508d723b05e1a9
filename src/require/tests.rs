//! The proof against all subsets and all values of what is unknown, and the words of a refutation.

use proptest::prelude::*;

use super::*;
use crate::config::Requirement;
use crate::holders::{Holder, holders};
use crate::policy::{
    Bound, Desktop, Mode, OptionName, RecordSession, RoleSet, Setting, Unknown as UnknownValue, UnknownReason,
};
use crate::roles::Site;
use crate::roles::load_texts;

fn place(line: u32) -> Place {
    Place::new("r.yaml", line, 1)
}

fn mode() -> impl Strategy<Value = Option<Setting<Mode>>> {
    prop::option::of(prop::sample::select(Mode::ALL.to_vec()).prop_map(|mode| Setting::new(mode, place(2))))
}

fn desktop() -> impl Strategy<Value = Option<Setting<Desktop>>> {
    let values = vec![
        Desktop::Mode(Mode::Strict),
        Desktop::Mode(Mode::BestEffort),
        Desktop::Recorded(true),
        Desktop::Recorded(false),
    ];
    prop::option::of(prop::sample::select(values).prop_map(|value| Setting::new(value, place(3))))
}

fn said() -> impl Strategy<Value = RecordSession> {
    (mode(), mode(), desktop()).prop_map(|(default, ssh, desktop)| RecordSession {
        default,
        ssh,
        desktop,
        ..RecordSession::default()
    })
}

/// Up to seven roles, whose names say whether they match and whether they are left out.
fn roles() -> impl Strategy<Value = Vec<Arc<Role>>> {
    let role = (prop::sample::select(vec!["prod", "dev", "spare"]), said());
    prop::collection::vec(role, 0..7).prop_map(|roles| {
        let role = |(n, (name, said)): (usize, (&str, RecordSession))| {
            Arc::new(Role::new(format!("{name}-{n}"), place(u32::try_from(n).unwrap_or(0)), said))
        };
        let mut roles: Vec<_> = roles.into_iter().enumerate().map(role).collect();
        roles.sort_by(|a, b| a.name.cmp(&b.name));
        roles
    })
}

fn site() -> Site {
    Site { file: ".recmode.yaml".into(), mark: None }
}

fn requirement(bound: Bound) -> Requirement {
    let pattern = |text| vec![Pattern::name(text, site()).expect("a pattern")];
    Requirement {
        name: None,
        roles: pattern("prod-*"),
        users: Vec::new(),
        kinds: vec![SessionKind::Ssh, SessionKind::Desktop, SessionKind::Db],
        bound,
        except_roles: pattern("spare-*"),
        at: site(),
    }
}

const BOUNDS: [Bound; 6] = [
    Bound::AtLeast(Mode::Strict),
    Bound::AtLeast(Mode::BestEffort),
    Bound::AtMost(Mode::Strict),
    Bound::AtMost(Mode::BestEffort),
    Bound::Exactly(Mode::Strict),
    Bound::Exactly(Mode::BestEffort),
];

fn judge(requirement: &Requirement, roles: &[Arc<Role>]) -> Verdict {
    prove(requirement, &Known { roles, unnamed: &[], holders: &[] })
}

/// The size of the smallest set that breaks the bound, by looking at all of them.
fn smallest_by_brute_force(bound: Bound, roles: &[Arc<Role>], kind: SessionKind) -> Option<usize> {
    let left: Vec<_> = roles.iter().filter(|role| !role.name.starts_with("spare-")).collect();
    let subsets = (0..1_u32 << left.len()).filter_map(|bits| {
        let subset: Vec<Arc<Role>> =
            (0..left.len()).filter(|n| bits >> n & 1 == 1).map(|n| Arc::clone(left[n])).collect();
        let has_match = subset.iter().any(|role| role.name.starts_with("prod-"));
        let size = subset.len();
        let breaks = !subset.into_iter().collect::<RoleSet>().resolve(kind).keeps(bound);
        (has_match && breaks).then_some(size)
    });
    subsets.min()
}

/// The names of the matches that can be part of a set that breaks the bound, sorted.
fn matches_by_brute_force(bound: Bound, roles: &[Arc<Role>], kind: SessionKind) -> Vec<Arc<str>> {
    let is_match = |role: &&Arc<Role>| role.name.starts_with("prod-");
    let breaks = |role: &&Arc<Role>| {
        let left: Vec<_> = roles.iter().filter(|other| !other.name.starts_with("spare-")).collect();
        (0..1_u32 << left.len()).any(|bits| {
            let subset = (0..left.len()).filter(|n| bits >> n & 1 == 1).map(|n| Arc::clone(left[n]));
            let subset: RoleSet = std::iter::once(Arc::clone(role)).chain(subset).collect();
            !subset.resolve(kind).keeps(bound)
        })
    };
    let mut names: Vec<_> =
        roles.iter().filter(is_match).filter(breaks).map(|role| Arc::clone(&role.name)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_proof_is_the_verdict_over_all_subsets(
        roles in roles(),
        bound in prop::sample::select(BOUNDS.to_vec()),
    ) {
        let requirement = requirement(bound);
        let outcome = judge(&requirement, &roles);
        for &kind in &requirement.kinds {
            let refuted: Vec<_> =
                outcome.refutations.iter().filter(|refutation| refutation.kinds().any(|k| k == kind)).collect();
            let expected = smallest_by_brute_force(bound, &roles, kind);
            let smallest = refuted.iter().map(|refutation| refutation.roles.len()).min();
            prop_assert_eq!(smallest, expected, "{}", kind);
            // Each match that can be part of such a set is named once.
            let first = |refutation: &&Refutation| Arc::clone(&refutation.roles[0].name);
            let others = refuted.iter().flat_map(|refutation| refutation.others.iter().cloned());
            let mut named: Vec<_> = refuted.iter().map(first).chain(others).collect();
            named.sort_unstable();
            prop_assert_eq!(named, matches_by_brute_force(bound, &roles, kind), "{}", kind);
            for refutation in refuted {
                let set: RoleSet = refutation.roles.iter().cloned().collect();
                prop_assert!(set.resolve(kind).breaks(bound), "it is a counterexample");
                prop_assert!(refutation.roles[0].name.starts_with("prod-"), "the match comes first");
                prop_assert!(refutation.roles.iter().all(|role| !role.name.starts_with("spare-")));
                prop_assert!(!refutation.mend.is_empty());
            }
        }
    }

    #[test]
    fn what_mends_it_mends_it(roles in roles()) {
        let mut roles = roles;
        let requirement = Requirement { kinds: vec![SessionKind::Ssh], ..requirement(Bound::AtLeast(Mode::Strict)) };
        // At most once for each role: `ssh: strict` for the match that falls short.
        for _ in 0..=roles.len() {
            let Some(refutation) = judge(&requirement, &roles).refutations.pop() else { return Ok(()) };
            let name = Arc::clone(&refutation.roles[0].name);
            let words = format!("give `ssh: strict` to the role {name:?}");
            prop_assert!(refutation.mend.starts_with(&words), "{}", refutation.mend);
            for role in roles.iter_mut().filter(|role| role.name == name) {
                let mut mended = Role::clone(role);
                mended.record_session.ssh = Some(Setting::new(Mode::Strict, place(9)));
                *role = Arc::new(mended);
            }
        }
        prop_assert!(judge(&requirement, &roles).holds());
    }
}

fn role(name: &str, said: RecordSession) -> Arc<Role> {
    Arc::new(Role::new(name, place(1), said))
}

fn ssh(mode: Mode) -> RecordSession {
    RecordSession { ssh: Some(Setting::new(mode, place(4))), ..RecordSession::default() }
}

fn default(mode: Mode) -> RecordSession {
    RecordSession { default: Some(Setting::new(mode, place(5))), ..RecordSession::default() }
}

#[test]
fn a_pair_names_both_places_and_two_ways_out() {
    let roles = [
        role("dev-1", ssh(Mode::BestEffort)),
        role("prod-1", default(Mode::Strict)),
        role("prod-2", default(Mode::Strict)),
    ];
    let outcome =
        judge(&Requirement { except_roles: vec![], ..requirement(Bound::AtLeast(Mode::Strict)) }, &roles);
    let [refutation] = outcome.refutations.as_slice() else { panic!("{outcome:?}") };
    assert_eq!(refutation.grounds().iter().map(|ground| ground.at.line).collect::<Vec<_>>(), [4, 5]);
    assert_eq!(refutation.others, [Arc::from("prod-2")]);
    assert_eq!(
        refutation.mend,
        "give `ssh: strict` to the role \"prod-1\", or take best_effort for ssh out of \"dev-1\""
    );
}

#[test]
fn kinds_that_fall_short_for_one_reason_are_one_refutation() {
    let outcome =
        judge(&requirement(Bound::AtLeast(Mode::Strict)), &[role("prod-1", default(Mode::BestEffort))]);
    let [refutation] = outcome.refutations.as_slice() else { panic!("{outcome:?}") };
    assert_eq!(refutation.kinds().count(), 3);
    assert_eq!(unmatched(&outcome), ["spare-*"]);
}

#[test]
fn a_glob_that_matches_nothing_is_said() {
    let outcome = judge(&requirement(Bound::AtLeast(Mode::Strict)), &[role("dev-1", ssh(Mode::BestEffort))]);
    assert!(outcome.holds());
    assert_eq!(unmatched(&outcome), ["prod-*", "spare-*"]);
}

fn unmatched(outcome: &Verdict) -> Vec<&str> {
    outcome.unmatched.iter().map(|pattern| pattern.text.as_str()).collect()
}

proptest! {
    #[test]
    fn taking_best_effort_out_is_offered_only_where_it_mends(roles in roles()) {
        let requirement = Requirement { kinds: vec![SessionKind::Ssh], ..requirement(Bound::AtLeast(Mode::Strict)) };
        let Some(refutation) = judge(&requirement, &roles).refutations.pop() else { return Ok(()) };
        let mut without: Vec<Role> = refutation.roles.iter().map(|role| Role::clone(role)).collect();
        for role in &mut without {
            role.record_session.ssh = None;
        }
        let mended = without.into_iter().collect::<RoleSet>().resolve(SessionKind::Ssh).meets(Mode::Strict);
        prop_assert_eq!(refutation.mend.contains(", or take best_effort"), mended, "{:?}", refutation);
    }
}

/// Roles of which up to three settings are unknown.
fn roles_with_unknowns() -> impl Strategy<Value = Vec<Arc<Role>>> {
    let options =
        vec![OptionName::Default, OptionName::Kind(SessionKind::Ssh), OptionName::Kind(SessionKind::Desktop)];
    let places = prop::collection::vec((0..5_usize, prop::sample::select(options)), 0..=3);
    (roles(), places).prop_map(|(roles, places)| {
        let mut roles: Vec<Role> = roles.iter().take(5).map(|role| Role::clone(role)).collect();
        let most = roles.len();
        for (n, option) in places.into_iter().filter(|(n, _)| *n < most) {
            let settings = &mut roles[n].record_session;
            assign(settings, option, None);
            settings.unknown.insert(
                option,
                UnknownValue { reason: UnknownReason::Expression, expression: "var.x".into(), at: place(7) },
            );
        }
        roles.into_iter().map(Arc::new).collect()
    })
}

/// Gives one option a value, or none.
fn assign(settings: &mut RecordSession, option: OptionName, value: Option<Desktop>) {
    let mode = || match value {
        Some(Desktop::Mode(mode)) => Some(Setting::new(mode, place(8))),
        _ => None,
    };
    match option {
        OptionName::Default => settings.default = mode(),
        OptionName::Kind(SessionKind::Ssh) => settings.ssh = mode(),
        OptionName::Kind(_) => settings.desktop = value.map(|value| Setting::new(value, place(8))),
    }
    settings.unknown.remove(&option);
}

/// The roles for every assignment of what is unknown.
fn assignments(roles: &[Arc<Role>]) -> Vec<Vec<Arc<Role>>> {
    let unknown = roles
        .iter()
        .enumerate()
        .find_map(|(n, role)| role.record_session.unknown.keys().next().map(|&option| (n, option)));
    let Some((n, option)) = unknown else { return vec![roles.to_vec()] };
    let modes = Mode::ALL.map(|mode| Some(Desktop::Mode(mode)));
    let mut values = vec![None, modes[0], modes[1]];
    if option == OptionName::Kind(SessionKind::Desktop) {
        values.extend([true, false].map(|recorded| Some(Desktop::Recorded(recorded))));
    }
    let with = |value| {
        let mut role = Role::clone(&roles[n]);
        assign(&mut role.record_session, option, value);
        let mut roles = roles.to_vec();
        roles[n] = Arc::new(role);
        assignments(&roles)
    };
    values.into_iter().flat_map(with).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn with_unknowns_it_is_the_verdict_over_all_subsets_and_assignments(
        roles in roles_with_unknowns(),
        bound in prop::sample::select(BOUNDS.to_vec()),
    ) {
        let requirement = requirement(bound);
        let verdict = judge(&requirement, &roles);
        for &kind in &requirement.kinds {
            let breaks = |roles: &Vec<Arc<Role>>| smallest_by_brute_force(bound, roles, kind).is_some();
            let broken = assignments(&roles).iter().map(breaks).collect::<Vec<_>>();
            let refuted = verdict.refutations.iter().any(|refutation| refutation.kinds().any(|k| k == kind));
            let open = verdict.unproved.iter().any(|unproved| unproved.kinds.contains(&kind));
            prop_assert_eq!(refuted, broken.iter().all(|broken| *broken), "{} refuted", kind);
            prop_assert_eq!(refuted || open, broken.contains(&true), "{} proved", kind);
            for unproved in verdict.unproved.iter().filter(|unproved| unproved.kinds.contains(&kind)) {
                prop_assert!(!unproved.settings.is_empty(), "it names what is unknown");
            }
        }
    }

    #[test]
    fn a_holder_is_judged_by_every_assignment_too(
        roles in roles_with_unknowns(),
        bound in prop::sample::select(BOUNDS.to_vec()),
    ) {
        let names: Vec<_> = roles.iter().map(|role| role.name.to_string()).collect();
        let text = format!("kind: user\nmetadata: {{name: u}}\nspec: {{roles: [{}]}}\n", names.join(", "));
        let read = load_texts(vec![("u.yaml".to_owned(), text.into_bytes())]).expect("a user");
        let mut holder: Holder = holders(&read.sets()[0], false).remove(0);
        holder.held = roles.iter().map(|role| (Arc::clone(role), role.at.clone())).collect();
        holder.unknown.clear();
        let users = vec![Pattern::name("u", site()).expect("a pattern")];
        let requirement =
            Requirement { roles: vec![], users, except_roles: vec![], ..requirement(bound) };
        let known = Known { roles: &roles, unnamed: &[], holders: &[holder] };
        let verdict = prove(&requirement, &known);
        for &kind in &requirement.kinds {
            let kept: Vec<_> = assignments(&roles)
                .into_iter()
                .map(|roles| roles.into_iter().collect::<RoleSet>().resolve(kind).keeps(bound))
                .collect();
            let refuted = verdict.refutations.iter().any(|refutation| refutation.kinds().any(|k| k == kind));
            let open = verdict.unproved.iter().any(|unproved| unproved.kinds.contains(&kind));
            prop_assert_eq!(refuted, !roles.is_empty() && !kept.contains(&true), "{}", kind);
            prop_assert_eq!(!refuted && !open, roles.is_empty() || !kept.contains(&false), "{}", kind);
        }
    }
}

#[test]
fn somebody_gets_in_only_if_no_third_role_is_strict() {
    let off = |name| {
        let desktop = Some(Setting::new(Desktop::Recorded(false), place(3)));
        role(name, RecordSession { desktop, ..RecordSession::default() })
    };
    let mut strict = Role::clone(&off("dev-1"));
    strict.record_session.default = Some(Setting::new(Mode::Strict, place(4)));
    let roles = [Arc::new(strict), role("dev-2", RecordSession::default()), off("prod-1")];
    let bound = Bound::AtMost(Mode::BestEffort);
    let requirement = Requirement { kinds: vec![SessionKind::Desktop], ..requirement(bound) };
    let verdict = judge(&requirement, &roles);
    let names: Vec<_> = verdict.refutations[0].roles.iter().map(|role| role.name.as_ref()).collect();
    assert_eq!(names, ["prod-1", "dev-1", "dev-2"]);
}

#[test]
fn a_role_of_an_unknown_name_may_be_meant() {
    let roles = [role("prod-1", ssh(Mode::Strict)), role("teleport_role.x", ssh(Mode::BestEffort))];
    let requirement = Requirement {
        kinds: vec![SessionKind::Ssh],
        except_roles: vec![],
        ..requirement(Bound::AtLeast(Mode::Strict))
    };
    assert!(judge(&requirement, &roles).holds());
    let unnamed = [Arc::from("teleport_role.x")];
    let verdict = prove(&requirement, &Known { roles: &roles, unnamed: &unnamed, holders: &[] });
    let [unproved] = verdict.unproved.as_slice() else { panic!("{verdict:?}") };
    assert_eq!(unproved.unnamed.as_ref().map(|role| role.name.as_ref()), Some("teleport_role.x"));
}
