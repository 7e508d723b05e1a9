//! The proof; why it is enough stands in the module above.

use std::collections::{HashMap, HashSet, hash_map};
use std::sync::Arc;

use super::{Named, Refutation, Unproved, Verdict, mend};
use crate::config::{Pattern, Requirement};
use crate::holders::Holder;
use crate::policy::{Answer, Bound, Dialect, Possible, Role, RoleSet, SessionKind};

/// The rules by which requirements are judged, whatever the dialect is.
const DIALECT: Dialect = Dialect::Rfd68;

/// How many counterexamples of each kind are given; the others are counted.
const MAX_COUNTEREXAMPLES: usize = 20;

/// How many roles of unknown settings that show the same facts can have a part in a counterexample.
const MAX_ALIKE: usize = 3;

/// What is known of the roles and who holds them.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The roles, sorted by name.
    pub roles: &'a [Arc<Role>],
    /// The names of the roles that stand for names which can't be known, sorted.
    pub unnamed: &'a [Arc<str>],
    /// The users and groups.
    pub holders: &'a [Holder],
}

/// Proves or refutes `requirement`.
#[must_use]
pub fn prove(requirement: &Requirement, known: &Known<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    if !requirement.roles.is_empty() {
        over_all_sets(requirement, known, &mut verdict);
    }
    over_holders(requirement, known.holders, &mut verdict);
    let no_role = |pattern: &&Pattern| !known.roles.iter().any(|role| pattern.matches(&role.name));
    let no_holder = |pattern: &&Pattern| !known.holders.iter().any(|holder| is_named(holder, pattern));
    let is_left = |role: &Role| !any_matches(&requirement.except_roles, &role.name);
    let none_left = |pattern: &&Pattern| {
        !no_role(pattern) && !known.roles.iter().any(|role| pattern.matches(&role.name) && is_left(role))
    };
    verdict.excepted.extend(requirement.roles.iter().filter(none_left).cloned());
    verdict.unmatched.extend(requirement.roles.iter().filter(no_role).cloned());
    verdict.unmatched.extend(requirement.users.iter().filter(no_holder).cloned());
    verdict.unmatched.extend(requirement.except_roles.iter().filter(no_role).cloned());
    verdict
}

fn any_matches(patterns: &[Pattern], name: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(name))
}

fn is_named(holder: &Holder, pattern: &Pattern) -> bool {
    pattern.matches(&holder.name) || pattern.matches(&holder.short)
}

fn resolve(roles: &[Arc<Role>], kind: SessionKind) -> Answer {
    roles.iter().cloned().collect::<RoleSet>().resolve(kind)
}

/// For each kind and match the smallest counterexample, or the smallest set for which the requirement can't be
/// proved. Those with one reason are one, and so are those of several kinds.
fn over_all_sets(requirement: &Requirement, known: &Known<'_>, verdict: &mut Verdict) {
    let left: Vec<_> = known
        .roles
        .iter()
        .filter(|role| !any_matches(&requirement.except_roles, &role.name))
        .map(|role| {
            let meant = if any_matches(&requirement.roles, &role.name) {
                Meant::Yes
            } else if known.unnamed.binary_search(&role.name).is_ok() {
                Meant::Maybe
            } else {
                Meant::No
            };
            (role, meant)
        })
        .collect();
    for &kind in &requirement.kinds {
        let bound = requirement.bound;
        let candidates = Candidates::new(&left, kind);
        let certainly =
            |facts: Possible| !facts.outcomes(kind, DIALECT).iter().any(|&outcome| bound.allows(outcome));
        let possibly =
            |facts: Possible| !facts.outcomes(kind, DIALECT).iter().all(|&outcome| bound.allows(outcome));
        let broken = candidates.smallest(Meant::Yes, &certainly);
        let is_broken: HashSet<&Arc<str>> = broken.iter().map(|set| &set[0].name).collect();
        let mut open = candidates.smallest(Meant::Maybe, &possibly);
        open.retain(|set| !is_broken.contains(&set[0].name));
        let groups = grouped(broken.iter().map(|set| (resolve(set, kind), set)));
        verdict.more += groups.len().saturating_sub(MAX_COUNTEREXAMPLES);
        for (answer, set, others) in groups.into_iter().take(MAX_COUNTEREXAMPLES) {
            refute(&mut verdict.refutations, set.clone(), answer, others);
        }
        verdict.more += open.len().saturating_sub(MAX_COUNTEREXAMPLES);
        for set in open.into_iter().take(MAX_COUNTEREXAMPLES) {
            let answer = resolve(&set, kind);
            let unnamed = set.first().filter(|role| !any_matches(&requirement.roles, &role.name)).cloned();
            unproved(&mut verdict.unproved, set, answer, unnamed);
        }
    }
    for refutation in &mut verdict.refutations {
        refutation.mend = mend::mend(refutation, requirement.bound);
    }
}

/// An answer, the first set of roles that has it, and the matches of the other sets.
type Group<'a> = (Answer, &'a Vec<Arc<Role>>, Vec<Arc<str>>);

/// Puts together the sets in which the same settings of the same other roles decide.
fn grouped<'a>(sets: impl Iterator<Item = (Answer, &'a Vec<Arc<Role>>)>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut numbers: HashMap<_, usize> = HashMap::new();
    for (answer, set) in sets {
        let by_others = !answer.because.is_empty() && answer.because.iter().all(|by| by.role != set[0].name);
        if !by_others {
            groups.push((answer, set, Vec::new()));
            continue;
        }
        let settings = answer.because.iter().map(|by| (Arc::clone(&by.at.file), by.at.line, by.at.column));
        let partners = set[1..].iter().map(|role| &role.name);
        match numbers.entry((settings.collect::<Vec<_>>(), partners.collect::<Vec<_>>())) {
            hash_map::Entry::Occupied(number) => groups[*number.get()].2.push(Arc::clone(&set[0].name)),
            hash_map::Entry::Vacant(entry) => {
                entry.insert(groups.len());
                groups.push((answer, set, Vec::new()));
            }
        }
    }
    groups
}

fn refute(refutations: &mut Vec<Refutation>, roles: Vec<Arc<Role>>, answer: Answer, others: Vec<Arc<str>>) {
    let same = refutations.iter_mut().find(|known| {
        known.others == others && known.roles == roles && is_same_reason(&known.answers[0], &answer)
    });
    match same {
        Some(known) => known.answers.push(answer),
        None => refutations.push(Refutation {
            holder: None,
            roles,
            answers: vec![answer],
            mend: String::new(),
            others,
        }),
    }
}

fn unproved(all: &mut Vec<Unproved>, roles: Vec<Arc<Role>>, answer: Answer, unnamed: Option<Arc<Role>>) {
    match all.iter_mut().find(|known| known.roles == roles && known.unnamed == unnamed) {
        Some(known) => {
            known.kinds.push(answer.kind);
            known.settings.extend(answer.unknown);
            known.settings.sort_unstable();
            known.settings.dedup();
        }
        None => all.push(Unproved {
            holder: None,
            roles,
            kinds: vec![answer.kind],
            settings: answer.unknown,
            unknown: Vec::new(),
            unnamed,
        }),
    }
}

/// Whether a requirement speaks of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Meant {
    No,
    /// The role's name is unknown.
    Maybe,
    Yes,
}

/// Roles that stand for all: of those that show the same facts the first few by name.
struct Candidates<'a> {
    /// Each with its facts, sorted by name.
    roles: Vec<(&'a Arc<Role>, Possible, Meant)>,
    /// The roles that are meant, or may be, and show these facts, sorted by name.
    alike: HashMap<(Possible, Meant), Vec<&'a Arc<Role>>>,
}

impl<'a> Candidates<'a> {
    fn new(left: &[(&'a Arc<Role>, Meant)], kind: SessionKind) -> Self {
        let mut alike: HashMap<(Possible, Meant), Vec<&'a Arc<Role>>> = HashMap::new();
        let mut roles = Vec::new();
        for &(role, meant) in left {
            let facts = Possible::of_role(role, kind, DIALECT);
            let most = if facts.is_certain() { 1 } else { MAX_ALIKE };
            let all = alike.entry((facts, meant)).or_default();
            all.push(role);
            if all.len() <= most {
                roles.push((role, facts, meant));
            }
        }
        Self { roles, alike }
    }

    /// For each match the smallest set that breaks the bound, the match first. Smaller sets come first, then those
    /// whose match is the first by name.
    fn smallest(&self, least: Meant, breaks: &dyn Fn(Possible) -> bool) -> Vec<Vec<Arc<Role>>> {
        let mut known = HashSet::new();
        let mut sets = Vec::new();
        for (first, &(_, facts, meant)) in self.roles.iter().enumerate() {
            if meant < least || !known.insert((facts, meant)) {
                continue;
            }
            let Some(set) = (0..3).find_map(|more| self.set_with(first, more, breaks)) else { continue };
            for &role in &self.alike[&(facts, meant)] {
                let others =
                    set[1..].iter().map(|other| if other.name == role.name { &set[0] } else { other });
                sets.push(std::iter::once(role).chain(others).map(Arc::clone).collect::<Vec<_>>());
            }
        }
        sets.sort_by(|a, b| (a.len(), &a[0].name).cmp(&(b.len(), &b[0].name)));
        sets
    }

    /// A set of the role `first` and `more` others that breaks the bound.
    fn set_with(
        &self,
        first: usize,
        more: usize,
        breaks: &dyn Fn(Possible) -> bool,
    ) -> Option<Vec<Arc<Role>>> {
        let (role, facts, _) = self.roles[first];
        let set = |others: &[usize]| {
            let others = others.iter().map(|&n| self.roles[n].0);
            std::iter::once(role).chain(others).map(Arc::clone).collect::<Vec<_>>()
        };
        let others = |from: usize| (from..self.roles.len()).filter(move |&n| n != first);
        match more {
            0 => breaks(facts).then(|| set(&[])),
            1 => others(0).find(|&n| breaks(facts.with(self.roles[n].1))).map(|n| set(&[n])),
            _ => others(0).find_map(|n| {
                let facts = facts.with(self.roles[n].1);
                others(n + 1).find(|&m| breaks(facts.with(self.roles[m].1))).map(|m| set(&[n, m]))
            }),
        }
    }
}

/// Whether two kinds break the bound by the same settings.
fn is_same_reason(a: &Answer, b: &Answer) -> bool {
    (a.mode, a.recording, a.decided_by) == (b.mode, b.recording, b.decided_by)
        && a.because == b.because
        && a.overridden == b.overridden
        && a.unknown == b.unknown
}

/// Each user and group by its own set.
fn over_holders(requirement: &Requirement, holders: &[Holder], verdict: &mut Verdict) {
    let bound = requirement.bound;
    for holder in
        holders.iter().filter(|holder| requirement.users.iter().any(|pattern| is_named(holder, pattern)))
    {
        let named = || Named { kind: holder.kind, name: Arc::clone(&holder.name), at: holder.at.clone() };
        let held = holder.held.iter().map(|(role, _)| role);
        let roles: Vec<_> =
            held.filter(|role| !any_matches(&requirement.except_roles, &role.name)).cloned().collect();
        let set: RoleSet = roles.iter().cloned().collect();
        let unknown: Vec<_> = holder
            .unknown
            .iter()
            .filter(|unknown| !any_matches(&requirement.except_roles, &unknown.name))
            .cloned()
            .collect();
        let (mut broken, mut open) = (Vec::new(), Vec::new());
        let mut settings = Vec::new();
        for &kind in &requirement.kinds {
            let answer = set.resolve(kind);
            if !roles.is_empty() && answer.breaks(bound) {
                broken.push(answer);
            } else if may_break(&set, !unknown.is_empty(), kind, bound) {
                settings.extend(answer.unknown);
                open.push(kind);
            }
        }
        if !broken.is_empty() {
            let mut refutation = Refutation {
                holder: Some(named()),
                roles: deciding(&roles, &broken),
                answers: broken,
                mend: String::new(),
                others: Vec::new(),
            };
            refutation.mend = mend::mend(&refutation, bound);
            verdict.refutations.push(refutation);
        }
        if !open.is_empty() {
            settings.sort_unstable();
            settings.dedup();
            let (holder, unnamed) = (Some(named()), None);
            verdict.unproved.push(Unproved { holder, roles, kinds: open, settings, unknown, unnamed });
        }
    }
}

/// Whether a set, together with roles that were not read if there are any, possibly breaks the bound.
pub(super) fn may_break(set: &RoleSet, with_unread: bool, kind: SessionKind, bound: Bound) -> bool {
    if set.roles().is_empty() && !with_unread {
        return false;
    }
    let unread = if with_unread { Possible::any_role(kind, DIALECT) } else { Possible::NO_ROLE };
    let facts = set.possible(kind, DIALECT).with(unread);
    // What the roles that were read amount to if the others change nothing is one of the outcomes.
    !facts.outcomes(kind, DIALECT).iter().all(|&outcome| bound.allows(outcome))
}

/// The roles whose settings decide or are overridden; all, where none are.
fn deciding(set: &[Arc<Role>], answers: &[Answer]) -> Vec<Arc<Role>> {
    if answers.iter().any(|answer| answer.because.is_empty()) {
        return set.to_vec();
    }
    let grounds = || answers.iter().flat_map(|answer| answer.because.iter().chain(&answer.overridden));
    set.iter().filter(|role| grounds().any(|ground| ground.role == role.name)).cloned().collect()
}
