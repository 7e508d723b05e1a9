//! The laws of the policy: the worked example, and properties that hold for every set of roles.

use std::collections::BTreeSet;

use proptest::prelude::*;
use recmode::policy::{
    DecidedBy, Desktop, Dialect, Mode, OptionName, Outcome, Place, RecordSession, Role, RoleSet, SessionKind,
    Setting, Unknown, UnknownReason, UnknownSetting, Value,
};

fn at(line: u32) -> Place {
    Place::new("roles.yaml", line, 1)
}

fn mode(mode: Mode, line: u32) -> Setting<Mode> {
    Setting::new(mode, at(line))
}

fn desktop(value: Desktop) -> RecordSession {
    RecordSession { desktop: Some(Setting::new(value, at(1))), ..RecordSession::default() }
}

fn set(roles: &[RecordSession]) -> RoleSet {
    let named = |(i, said): (usize, &RecordSession)| Role::new(format!("role-{i}"), at(0), said.clone());
    roles.iter().enumerate().map(named).collect()
}

#[test]
fn the_worked_example() {
    let roles = set(&[
        RecordSession {
            default: Some(mode(Mode::Strict, 1)),
            ssh: Some(mode(Mode::BestEffort, 2)),
            k8s: Some(mode(Mode::Strict, 3)),
            ..RecordSession::default()
        },
        RecordSession { default: Some(mode(Mode::BestEffort, 4)), ..RecordSession::default() },
    ]);
    let resolved = SessionKind::ALL.map(|kind| roles.resolve(kind).mode);
    let expected = [Mode::BestEffort, Mode::Strict, Mode::Strict, Mode::Strict, Mode::Strict];
    assert_eq!(resolved, expected.map(Some));

    let ssh = roles.resolve(SessionKind::Ssh);
    assert_eq!(ssh.decided_by, DecidedBy::Direct);
    assert_eq!(ssh.because.iter().map(|ground| ground.at.line).collect::<Vec<_>>(), [2]);
    assert_eq!(ssh.overridden.iter().map(|ground| ground.at.line).collect::<Vec<_>>(), [1]);
    let db = roles.resolve(SessionKind::Db);
    assert_eq!(db.decided_by, DecidedBy::Default);
    assert_eq!(db.because.iter().map(|ground| ground.at.line).collect::<Vec<_>>(), [1]);
    assert_eq!(db.overridden.iter().map(|ground| ground.at.line).collect::<Vec<_>>(), [4]);
}

#[test]
fn nothing_said_is_best_effort_by_the_built_in_rule() {
    for roles in [set(&[]), set(&[RecordSession::default()])] {
        for kind in SessionKind::ALL {
            let decision = roles.resolve(kind);
            assert_eq!((decision.mode, decision.decided_by), (Some(Mode::BestEffort), DecidedBy::BuiltIn));
            assert!(
                decision.because.is_empty()
                    && decision.overridden.is_empty()
                    && decision.recording == Some(true)
            );
        }
    }
}

#[test]
fn desktop_is_unrecorded_only_when_every_role_says_false() {
    let off = desktop(Desktop::Recorded(false));
    let recording =
        |roles: &[RecordSession]| set(roles).resolve(SessionKind::Desktop).recording == Some(true);
    assert!(!recording(std::slice::from_ref(&off)));
    assert!(!recording(&[off.clone(), off.clone()]));
    assert!(recording(&[off.clone(), RecordSession::default()]));
    assert!(recording(&[off.clone(), desktop(Desktop::Recorded(true))]));
    assert!(recording(&[off.clone(), desktop(Desktop::Mode(Mode::BestEffort))]));
    assert_eq!(set(&[off]).resolve(SessionKind::Ssh).recording, Some(true));
}

#[test]
fn desktop_booleans_give_no_mode_and_are_named_where_they_matter() {
    let strict = RecordSession { default: Some(mode(Mode::Strict, 1)), ..RecordSession::default() };
    let on = desktop(Desktop::Recorded(true));
    let off = desktop(Desktop::Recorded(false));
    let values = |grounds: &[recmode::policy::Ground]| {
        grounds.iter().map(|ground| ground.value.to_string()).collect::<Vec<_>>()
    };

    let all_off = set(std::slice::from_ref(&off)).resolve(SessionKind::Desktop);
    assert_eq!((all_off.decided_by, values(&all_off.because)), (DecidedBy::BuiltIn, vec!["false".into()]));
    assert!(!all_off.meets(Mode::Strict) && all_off.meets(Mode::BestEffort));

    let mixed = set(&[strict, on.clone(), off]).resolve(SessionKind::Desktop);
    assert_eq!(mixed.mode, Some(Mode::Strict));
    assert_eq!(values(&mixed.because), ["strict", "true"]);
    assert_eq!(values(&mixed.overridden), ["false"]);

    assert!(set(&[on]).resolve(SessionKind::Desktop).because.is_empty(), "true alone changes nothing");
}

fn any_mode() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Strict), Just(Mode::BestEffort)]
}

fn any_setting() -> impl Strategy<Value = Option<Setting<Mode>>> {
    proptest::option::of((any_mode(), 1..9_u32).prop_map(|(mode, line)| Setting::new(mode, at(line))))
}

prop_compose! {
    fn any_record_session()(
        default in any_setting(),
        ssh in any_setting(),
        k8s in any_setting(),
        desktop in proptest::option::of(prop_oneof![
            any_mode().prop_map(Desktop::Mode),
            any::<bool>().prop_map(Desktop::Recorded),
        ]),
        db in any_setting(),
        app in any_setting(),
    ) -> RecordSession {
        let desktop = desktop.map(|value| Setting::new(value, at(5)));
        RecordSession { default, ssh, k8s, desktop, db, app, ..RecordSession::default() }
    }
}

fn any_roles() -> impl Strategy<Value = Vec<Role>> {
    proptest::collection::vec(any_record_session(), 0..6).prop_map(|said| {
        said.into_iter().enumerate().map(|(i, said)| Role::new(format!("role-{i}"), at(0), said)).collect()
    })
}

/// The four rules again, as the specification words them.
fn restated(roles: &[Role], kind: SessionKind) -> Mode {
    let direct = |mode| {
        roles.iter().any(|role| role.record_session.direct(kind).is_some_and(|(said, _)| said == mode))
    };
    let default =
        |mode| roles.iter().any(|role| role.record_session.default.as_ref().is_some_and(|d| d.value == mode));
    if direct(Mode::Strict) {
        return Mode::Strict;
    }
    if direct(Mode::BestEffort) {
        return Mode::BestEffort;
    }
    if default(Mode::Strict) {
        return Mode::Strict;
    }
    Mode::BestEffort
}

proptest! {
    #[test]
    fn order_never_matters(roles in any_roles(), seed in any::<prop::sample::Index>()) {
        let mut turned = roles.clone();
        turned.reverse();
        if !turned.is_empty() {
            let by = seed.index(turned.len());
            turned.rotate_left(by);
        }
        let (roles, turned): (RoleSet, RoleSet) = (roles.into_iter().collect(), turned.into_iter().collect());
        for kind in SessionKind::ALL {
            prop_assert_eq!(roles.resolve(kind), turned.resolve(kind));
        }
        prop_assert_eq!(roles.names(), turned.names());
    }

    #[test]
    fn a_duplicate_changes_nothing(roles in any_roles(), which in any::<prop::sample::Index>()) {
        let mut more = roles.clone();
        if !roles.is_empty() {
            more.push(roles[which.index(roles.len())].clone());
        }
        let (roles, more): (RoleSet, RoleSet) = (roles.into_iter().collect(), more.into_iter().collect());
        for kind in SessionKind::ALL {
            prop_assert_eq!(roles.resolve(kind), more.resolve(kind));
        }
    }

    #[test]
    fn strict_direct_always_wins(mut roles in any_roles(), place in any::<prop::sample::Index>()) {
        let strict = RecordSession {
            ssh: Some(mode(Mode::Strict, 1)),
            k8s: Some(mode(Mode::Strict, 2)),
            desktop: Some(Setting::new(Desktop::Mode(Mode::Strict), at(3))),
            db: Some(mode(Mode::Strict, 4)),
            app: Some(mode(Mode::Strict, 5)),
            ..RecordSession::default()
        };
        roles.insert(place.index(roles.len() + 1), Role::new("strict", at(0), strict));
        let roles: RoleSet = roles.into_iter().collect();
        for kind in SessionKind::ALL {
            let decision = roles.resolve(kind);
            prop_assert_eq!((decision.mode, decision.decided_by), (Some(Mode::Strict), DecidedBy::Direct));
            prop_assert!(decision.recording == Some(true) && decision.meets(Mode::Strict));
        }
    }

    #[test]
    fn the_answer_is_one_of_two_and_its_grounds_agree_with_it(roles in any_roles()) {
        let roles: RoleSet = roles.into_iter().collect();
        for kind in SessionKind::ALL {
            let decision = roles.resolve(kind);
            let Some(decided) = decision.mode else { panic!("no mode") };
            for ground in &decision.because {
                prop_assert!(!matches!(ground.value, Value::Mode(mode) if mode != decided));
            }
            for ground in &decision.overridden {
                prop_assert!(ground.value != Value::Mode(decided));
            }
        }
    }

    #[test]
    fn the_rules_restated_give_the_same(roles in any_roles()) {
        let set: RoleSet = roles.iter().cloned().collect();
        for kind in SessionKind::ALL {
            prop_assert_eq!(set.resolve(kind).mode, Some(restated(&roles, kind)));
        }
        let off = |role: &Role| matches!(role.record_session.desktop_recorded(), Some((false, _)));
        let unrecorded = !roles.is_empty() && roles.iter().all(off);
        prop_assert_eq!(set.resolve(SessionKind::Desktop).recording, Some(!unrecorded));
    }
}

/// Makes these options of these roles unknown, each by an expression of its own.
fn with_unknowns(mut roles: Vec<Role>, places: &[(usize, OptionName)]) -> Vec<Role> {
    let count = roles.len();
    for &(n, option) in places.iter().filter(|(n, _)| *n < count) {
        let settings = &mut roles[n].record_session;
        assign(settings, option, None);
        let expression = format!("var.{n}").into();
        settings.unknown.insert(option, Unknown { reason: UnknownReason::Expression, expression, at: at(9) });
    }
    roles
}

fn assign(settings: &mut RecordSession, option: OptionName, value: Option<Desktop>) {
    settings.unknown.remove(&option);
    let mode = match value {
        Some(Desktop::Mode(value)) => Some(mode(value, 8)),
        _ => None,
    };
    match option {
        OptionName::Default => settings.default = mode,
        OptionName::Kind(SessionKind::Ssh) => settings.ssh = mode,
        OptionName::Kind(SessionKind::K8s) => settings.k8s = mode,
        OptionName::Kind(SessionKind::Db) => settings.db = mode,
        OptionName::Kind(SessionKind::App) => settings.app = mode,
        OptionName::Kind(SessionKind::Desktop) => {
            settings.desktop = value.map(|value| Setting::new(value, at(8)));
        }
    }
}

/// The roles with every value that the first unknown setting may have; none where all is known.
fn each_value(roles: &[Role]) -> Option<Vec<Vec<Role>>> {
    let (n, option) = roles
        .iter()
        .enumerate()
        .find_map(|(n, role)| role.record_session.unknown.keys().next().map(|&option| (n, option)))?;
    let mut values = vec![None, Some(Desktop::Mode(Mode::Strict)), Some(Desktop::Mode(Mode::BestEffort))];
    if option == OptionName::Kind(SessionKind::Desktop) {
        values.extend([Some(Desktop::Recorded(true)), Some(Desktop::Recorded(false))]);
    }
    let with = |value| {
        let mut roles = roles.to_vec();
        assign(&mut roles[n].record_session, option, value);
        roles
    };
    Some(values.into_iter().map(with).collect())
}

fn outcomes_by_brute_force(roles: &[Role], kind: SessionKind, dialect: Dialect) -> BTreeSet<Outcome> {
    match each_value(roles) {
        Some(all) => all.iter().flat_map(|roles| outcomes_by_brute_force(roles, kind, dialect)).collect(),
        None => roles.iter().cloned().collect::<RoleSet>().answer(kind, dialect).outcomes,
    }
}

/// Whether a setting makes a difference for some values of the others.
fn matters(roles: &[Role], unknown: &UnknownSetting, kind: SessionKind, dialect: Dialect) -> bool {
    let fixed = |value| {
        let mut roles = roles.to_vec();
        for role in roles.iter_mut().filter(|role| role.name == unknown.role) {
            assign(&mut role.record_session, unknown.option, value);
        }
        roles
    };
    let all = |roles: Vec<Role>| {
        let mut pending = vec![roles];
        let mut outcomes = Vec::new();
        while let Some(roles) = pending.pop() {
            if let Some(more) = each_value(&roles) {
                pending.extend(more);
            } else {
                let set: RoleSet = roles.into_iter().collect();
                outcomes.push(set.answer(kind, dialect).outcomes);
            }
        }
        outcomes
    };
    let modes = Mode::ALL.map(|mode| Some(Desktop::Mode(mode)));
    let values = [None, modes[0], modes[1], Some(Desktop::Recorded(false))];
    let outcomes: BTreeSet<_> = values.map(fixed).map(all).into_iter().collect();
    outcomes.len() > 1
}

proptest! {
    #[test]
    fn an_answer_has_the_outcomes_of_every_assignment_of_what_is_unknown(
        roles in any_roles(),
        places in proptest::collection::vec((0..6_usize, proptest::sample::select(&OptionName::ALL[..])), 0..4),
    ) {
        let roles = with_unknowns(roles, &places);
        let set: RoleSet = roles.iter().cloned().collect();
        for dialect in Dialect::ALL {
            for kind in SessionKind::ALL {
                let answer = set.answer(kind, dialect);
                let expected = outcomes_by_brute_force(&roles, kind, dialect);
                prop_assert_eq!(&answer.outcomes, &expected, "{} {:?}", kind, dialect);
                let modes: BTreeSet<_> = expected.iter().map(|outcome| outcome.mode).collect();
                prop_assert_eq!(answer.mode.is_some(), modes.len() == 1 && !modes.contains(&None));
                prop_assert_eq!(answer.possible.len(), if modes.len() > 1 { 2 } else { 0 });
                prop_assert_eq!(answer.unknown.is_empty(), expected.len() == 1, "{:?}", answer);
                for unknown in &answer.unknown {
                    prop_assert!(matters(&roles, unknown, kind, dialect), "{} {:?} {:?}", kind, unknown, roles);
                }
            }
        }
    }
}
