//! The closed form against all subsets, and the words of a refutation.

use proptest::prelude::*;

use super::*;
use crate::config::Requirement;
use crate::policy::{Desktop, Mode, RecordSession, RoleSet, Setting};
use crate::roles::Site;

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

fn requirement(mode: Mode) -> Requirement {
    let pattern = |text| vec![Pattern::name(text, site()).expect("a pattern")];
    Requirement {
        name: None,
        roles: pattern("prod-*"),
        users: Vec::new(),
        kinds: vec![SessionKind::Ssh, SessionKind::Desktop, SessionKind::Db],
        mode,
        except_roles: pattern("spare-*"),
        at: site(),
    }
}

/// The size of the smallest set that falls short, by looking at all of them.
fn smallest_by_brute_force(required: Mode, roles: &[Arc<Role>], kind: SessionKind) -> Option<usize> {
    let left: Vec<_> = roles.iter().filter(|role| !role.name.starts_with("spare-")).collect();
    let subsets = (0..1_u32 << left.len()).filter_map(|bits| {
        let subset: Vec<Arc<Role>> =
            (0..left.len()).filter(|n| bits >> n & 1 == 1).map(|n| Arc::clone(left[n])).collect();
        let has_match = subset.iter().any(|role| role.name.starts_with("prod-"));
        let size = subset.len();
        let falls_short = !subset.into_iter().collect::<RoleSet>().resolve(kind).meets(required);
        (has_match && falls_short).then_some(size)
    });
    subsets.min()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_closed_form_is_the_verdict_over_all_subsets(
        roles in roles(),
        required in prop::sample::select(Mode::ALL.to_vec()),
    ) {
        let requirement = requirement(required);
        let outcome = prove(&requirement, &roles, &[]);
        for &kind in &requirement.kinds {
            let refuted: Vec<_> =
                outcome.refutations.iter().filter(|refutation| refutation.kinds().any(|k| k == kind)).collect();
            let expected = smallest_by_brute_force(required, &roles, kind);
            prop_assert!(refuted.len() <= 1);
            prop_assert_eq!(refuted.first().map(|refutation| refutation.roles.len()), expected, "{}", kind);
            for refutation in refuted {
                let set: RoleSet = refutation.roles.iter().cloned().collect();
                prop_assert!(!set.resolve(kind).meets(required), "it is a counterexample");
                prop_assert!(refutation.roles[0].name.starts_with("prod-"), "the match comes first");
                prop_assert!(refutation.roles.iter().all(|role| !role.name.starts_with("spare-")));
                prop_assert!(!refutation.mend.is_empty());
            }
        }
    }

    #[test]
    fn what_mends_it_mends_it(roles in roles()) {
        let mut roles = roles;
        let requirement = Requirement { kinds: vec![SessionKind::Ssh], ..requirement(Mode::Strict) };
        // At most once for each role: `ssh: strict` for the match that falls short.
        for _ in 0..=roles.len() {
            let Some(refutation) = prove(&requirement, &roles, &[]).refutations.pop() else { return Ok(()) };
            let name = Arc::clone(&refutation.roles[0].name);
            let words = format!("give `ssh: strict` to the role {name:?}");
            prop_assert!(refutation.mend.starts_with(&words), "{}", refutation.mend);
            for role in roles.iter_mut().filter(|role| role.name == name) {
                let mut mended = Role::clone(role);
                mended.record_session.ssh = Some(Setting::new(Mode::Strict, place(9)));
                *role = Arc::new(mended);
            }
        }
        prop_assert!(prove(&requirement, &roles, &[]).holds());
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
    let outcome = prove(&Requirement { except_roles: vec![], ..requirement(Mode::Strict) }, &roles, &[]);
    let [refutation] = outcome.refutations.as_slice() else { panic!("{outcome:?}") };
    assert_eq!(refutation.grounds().iter().map(|ground| ground.at.line).collect::<Vec<_>>(), [4, 5]);
    assert_eq!(refutation.others, 1);
    assert_eq!(
        refutation.mend,
        "give `ssh: strict` to the role \"prod-1\", or take best_effort for ssh out of \"dev-1\""
    );
}

#[test]
fn kinds_that_fall_short_for_one_reason_are_one_refutation() {
    let outcome = prove(&requirement(Mode::Strict), &[role("prod-1", default(Mode::BestEffort))], &[]);
    let [refutation] = outcome.refutations.as_slice() else { panic!("{outcome:?}") };
    assert_eq!(refutation.kinds().count(), 3);
    assert_eq!(unmatched(&outcome), ["spare-*"]);
}

#[test]
fn a_glob_that_matches_nothing_is_said() {
    let outcome = prove(&requirement(Mode::Strict), &[role("dev-1", ssh(Mode::BestEffort))], &[]);
    assert!(outcome.holds());
    assert_eq!(unmatched(&outcome), ["prod-*", "spare-*"]);
}

fn unmatched(outcome: &Outcome) -> Vec<&str> {
    outcome.unmatched.iter().map(|pattern| pattern.text.as_str()).collect()
}

proptest! {
    #[test]
    fn taking_best_effort_out_is_offered_only_where_it_mends(roles in roles()) {
        let requirement = Requirement { kinds: vec![SessionKind::Ssh], ..requirement(Mode::Strict) };
        let Some(refutation) = prove(&requirement, &roles, &[]).refutations.pop() else { return Ok(()) };
        let mut without: Vec<Role> = refutation.roles.iter().map(|role| Role::clone(role)).collect();
        for role in &mut without {
            role.record_session.ssh = None;
        }
        let mended = without.into_iter().collect::<RoleSet>().resolve(SessionKind::Ssh).meets(Mode::Strict);
        prop_assert_eq!(refutation.mend.contains(", or take best_effort"), mended, "{:?}", refutation);
    }
}
