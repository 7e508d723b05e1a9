//! The rules, and the outcomes that they leave open where a setting is unknown.
//!
//! A set's outcome depends on four facts only: whether a role gives the kind `strict`, gives it
//! `best_effort`, has `default: strict`, and keeps recording on. An unknown setting may show any of
//! them, so a set with unknowns has several *possible* combinations of facts. There are sixteen in
//! all: adding a role to them is cheap, and no assignment of the unknowns is left out.

use std::collections::{BTreeMap, BTreeSet};

use super::{Desktop, Dialect, Mode, OptionName, Role, RoleSet, SessionKind, Unknown};

/// A role gives the kind itself `strict`.
const STRICT: u8 = 1;
/// A role gives the kind itself `best_effort`.
const BEST_EFFORT: u8 = 2;
/// A role has `default: strict`.
const DEFAULT_STRICT: u8 = 4;
/// A role does not turn recording off.
const RECORDED: u8 = 8;

/// The values of an unknown `default`: `strict`, or `best_effort` or nothing.
const ANY_DEFAULT: [u8; 2] = [DEFAULT_STRICT, 0];
/// The values of an unknown option of a kind: a mode, or nothing.
const ANY_OWN: [u8; 3] = [STRICT | RECORDED, BEST_EFFORT | RECORDED, RECORDED];
/// The same of `desktop`, which may also be `false`.
const ANY_DESKTOP: [u8; 4] = [STRICT | RECORDED, BEST_EFFORT | RECORDED, RECORDED, 0];
/// The same in Teleport's dialect, where `desktop` gives no mode.
const ANY_BOOLEAN: [u8; 2] = [RECORDED, 0];

/// What becomes of the sessions of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outcome {
    /// The mode; `None` where roles give the kind no mode in the dialect.
    pub mode: Option<Mode>,
    /// Whether such sessions are recorded.
    pub recorded: bool,
}

/// A limit that a mode has to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// At least this mode. What is not recorded falls short of strict.
    AtLeast(Mode),
    /// At most this mode. What is not recorded keeps it: no failed recording ends such a session.
    AtMost(Mode),
    /// This mode, and recorded.
    Exactly(Mode),
}

impl Bound {
    /// The mode of the bound.
    #[must_use]
    pub fn mode(self) -> Mode {
        match self {
            Self::AtLeast(mode) | Self::AtMost(mode) | Self::Exactly(mode) => mode,
        }
    }

    /// Whether an outcome keeps the bound. An outcome without a mode keeps none but `AtLeast(BestEffort)`.
    #[must_use]
    pub fn allows(self, outcome: Outcome) -> bool {
        let Outcome { mode, recorded } = outcome;
        match self {
            Self::AtLeast(least) => {
                least == Mode::BestEffort || recorded && mode.is_some_and(|mode| mode >= least)
            }
            Self::AtMost(most) => !recorded || mode.is_some_and(|mode| mode <= most),
            Self::Exactly(exact) => recorded && mode == Some(exact),
        }
    }
}

/// Which of the sixteen combinations of facts are possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Possible {
    combinations: u16,
}

impl Possible {
    /// The facts of no role at all.
    pub(crate) const NO_ROLE: Self = Self { combinations: 1 };

    /// The facts of a role whose every setting is unknown.
    pub(crate) fn any_role(kind: SessionKind, dialect: Dialect) -> Self {
        Self::of(&Facts::unknown(kind, dialect))
    }

    /// The facts of one role.
    pub(crate) fn of_role(role: &Role, kind: SessionKind, dialect: Dialect) -> Self {
        Self::of(&Facts::of(role, kind, dialect))
    }

    fn of(facts: &Facts<'_>) -> Self {
        let mut combinations = 0;
        for own in facts.own.values(facts.any_own) {
            for default in facts.default.values(&ANY_DEFAULT) {
                combinations |= 1 << (own | default);
            }
        }
        Self { combinations }
    }

    fn each(self) -> impl Iterator<Item = u8> {
        (0..16).filter(move |facts| self.combinations >> facts & 1 == 1)
    }

    /// Whether nothing about these facts is unknown.
    pub(crate) fn is_certain(self) -> bool {
        self.combinations.is_power_of_two()
    }

    /// The facts of these roles and those together.
    pub(crate) fn with(self, other: Self) -> Self {
        let mut combinations = 0;
        for facts in self.each() {
            for more in other.each() {
                combinations |= 1 << (facts | more);
            }
        }
        Self { combinations }
    }

    /// The outcomes of a set that is not empty.
    pub(crate) fn outcomes(self, kind: SessionKind, dialect: Dialect) -> BTreeSet<Outcome> {
        self.each().map(|facts| outcome(facts, kind, dialect)).collect()
    }
}

/// The rules.
fn outcome(facts: u8, kind: SessionKind, dialect: Dialect) -> Outcome {
    let mode = if facts & STRICT != 0 {
        Mode::Strict
    } else if facts & BEST_EFFORT != 0 {
        Mode::BestEffort
    } else if facts & DEFAULT_STRICT != 0 {
        Mode::Strict
    } else {
        Mode::BestEffort
    };
    let recorded = kind != SessionKind::Desktop || facts & RECORDED != 0;
    Outcome { mode: dialect.gives_mode(kind).then_some(mode), recorded }
}

/// What one setting shows: its value's facts, or those of an unknown value.
#[derive(Clone, Copy)]
enum Shown<'a> {
    Known(u8),
    Unknown(Option<&'a Unknown>),
}

impl Shown<'_> {
    fn values(self, any: &[u8]) -> impl Iterator<Item = u8> {
        let (known, any) = match self {
            Self::Known(facts) => (Some(facts), &[][..]),
            Self::Unknown(_) => (None, any),
        };
        known.into_iter().chain(any.iter().copied())
    }
}

/// What a role shows of a kind.
struct Facts<'a> {
    own: Shown<'a>,
    any_own: &'static [u8],
    default: Shown<'a>,
}

impl<'a> Facts<'a> {
    fn of(role: &'a Role, kind: SessionKind, dialect: Dialect) -> Self {
        let settings = &role.record_session;
        let unknown = |option| settings.unknown.get(&option).map(|unknown| Shown::Unknown(Some(unknown)));
        let own = match &settings.desktop {
            // Teleport takes every text that it does not know for false.
            Some(desktop) if kind == SessionKind::Desktop => match desktop.value {
                Desktop::Recorded(false) => 0,
                Desktop::Mode(_) if dialect == Dialect::Teleport => 0,
                Desktop::Mode(mode) => direct(mode),
                Desktop::Recorded(true) => RECORDED,
            },
            _ => settings.direct(kind).map_or(RECORDED, |(mode, _)| direct(mode)),
        };
        let is_strict = settings.default.as_ref().is_some_and(|default| default.value == Mode::Strict);
        let default = Shown::Known(if is_strict { DEFAULT_STRICT } else { 0 });
        Self {
            own: unknown(OptionName::Kind(kind)).unwrap_or(Shown::Known(own)),
            default: unknown(OptionName::Default).unwrap_or(default),
            ..Self::unknown(kind, dialect)
        }
    }

    fn unknown(kind: SessionKind, dialect: Dialect) -> Self {
        let any_own: &[u8] = match (kind, dialect) {
            (SessionKind::Desktop, Dialect::Teleport) => &ANY_BOOLEAN,
            (SessionKind::Desktop, Dialect::Rfd68) => &ANY_DESKTOP,
            _ => &ANY_OWN,
        };
        Self { own: Shown::Unknown(None), any_own, default: Shown::Unknown(None) }
    }

    /// What a role that is not held shows.
    fn absent(kind: SessionKind, dialect: Dialect) -> Self {
        Self { own: Shown::Known(0), default: Shown::Known(0), ..Self::unknown(kind, dialect) }
    }
}

fn direct(mode: Mode) -> u8 {
    RECORDED | if mode == Mode::Strict { STRICT } else { BEST_EFFORT }
}

/// The outcomes before and after a change that are possible together. A setting of a role that is
/// unknown by the same expression on both sides has the same value on both.
pub(crate) fn transitions(
    before: &RoleSet,
    after: &RoleSet,
    kind: SessionKind,
    dialect: Dialect,
) -> BTreeSet<(Outcome, Outcome)> {
    let mut roles: BTreeMap<&str, (Option<&Role>, Option<&Role>)> = BTreeMap::new();
    for role in before.roles() {
        roles.entry(&role.name).or_default().0 = Some(role);
    }
    for role in after.roles() {
        roles.entry(&role.name).or_default().1 = Some(role);
    }
    // The empty set is recorded.
    let start = |set: &RoleSet| if set.roles().is_empty() { RECORDED } else { 0 };
    let mut pairs = BTreeSet::from([(start(before), start(after))]);
    for (was, is) in roles.into_values() {
        let absent = || Facts::absent(kind, dialect);
        let was = was.map_or_else(absent, |role| Facts::of(role, kind, dialect));
        let is = is.map_or_else(absent, |role| Facts::of(role, kind, dialect));
        let own = together(was.own, is.own, was.any_own);
        let default = together(was.default, is.default, &ANY_DEFAULT);
        let mut next = BTreeSet::new();
        for &(before, after) in &pairs {
            for (own_before, own_after) in &own {
                next.extend(default.iter().map(|(default_before, default_after)| {
                    (before | own_before | default_before, after | own_after | default_after)
                }));
            }
        }
        pairs = next;
    }
    let outcome = |facts| outcome(facts, kind, dialect);
    pairs.into_iter().map(|(before, after)| (outcome(before), outcome(after))).collect()
}

/// The values that one option may have before and after.
fn together(before: Shown<'_>, after: Shown<'_>, any: &[u8]) -> Vec<(u8, u8)> {
    if let (Shown::Unknown(Some(was)), Shown::Unknown(Some(is))) = (before, after)
        && was.expression == is.expression
    {
        return any.iter().map(|&value| (value, value)).collect();
    }
    before.values(any).flat_map(|before| after.values(any).map(move |after| (before, after))).collect()
}
