//! From recordings and limits to what is to go, and why. Pure.
//!
//! Recordings may belong to many users, any of whom may try to have the others' removed. So what is needed for space is
//! taken from the owner who holds most, and from the next only when both hold as much.

use std::collections::{BTreeMap, BinaryHeap};

/// A recording with its further files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The user id that owns its files.
    pub owner: u32,
    /// When it was written to last, seconds since the epoch, never later than now.
    pub modified: i64,
    /// Bytes on the disk.
    pub size: u64,
    /// Bytes of them on the directory's disk: none where another file system is mounted there.
    pub here: u64,
    /// Bytes that the directory's disk gets back.
    pub freed: u64,
    /// It is still being written, or something of it is.
    pub live: bool,
}

/// What may stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// What was written to at this moment or later stays, whatever the other limits, seconds since the epoch.
    pub keep_since: i64,
    /// What was written to last before this moment goes, seconds since the epoch.
    pub modified_before: Option<i64>,
    /// Bytes that all recordings may have together.
    pub max_total: Option<u64>,
    /// Bytes that are to be free on the disk.
    pub keep_free: Option<u64>,
}

/// The directory's disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Space {
    /// Bytes that are free for its users.
    pub free: u64,
    /// Bytes of files in the directory that are no recordings, by owner.
    pub other: BTreeMap<u32, u64>,
}

/// Why a recording goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It is too old.
    Age,
    /// All recordings together are too large, and it is its owner's oldest that is left.
    Total,
    /// Too little is free, and it is its owner's oldest that is left.
    Free,
}

impl Why {
    /// The reason's name in output for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Total => "total",
            Self::Free => "free",
        }
    }
}

/// Why there is no plan that meets a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreachable {
    /// The limit.
    pub limit: Why,
    /// Bytes that would be missing.
    pub missing: u64,
    /// The user id that holds most when nothing more may be removed, and its bytes.
    pub largest: Option<(u32, u64)>,
}

/// What is to go, in order: indices of `candidates`, each with the first reason that holds.
///
/// What is too old goes. Then, while there is too much or too little is free, the oldest recording of the owner who holds
/// most goes. What is live, or as new as `keep_since`, stays; as its owner holds it, nobody who holds less loses
/// anything for it.
///
/// # Errors
/// Where a limit can't be met in this way; then nothing is to go.
pub fn plan(
    candidates: &[Candidate],
    limits: &Limits,
    space: &Space,
) -> Result<Vec<(usize, Why)>, Unreachable> {
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by_key(|&n| (candidates[n].modified, n));
    let may_go = |n: &usize| !candidates[*n].live && candidates[*n].modified < limits.keep_since;
    let old = |n: &usize| limits.modified_before.is_some_and(|before| candidates[*n].modified < before);
    // By age first: what has to go anyway may be enough for the other limits.
    let (by_age, rest): (Vec<_>, Vec<_>) = order.into_iter().filter(may_go).partition(old);
    let mut left = Left { candidates, may_go: BTreeMap::new(), gone: Vec::new() };
    left.gone.extend(by_age.into_iter().map(|n| (n, Why::Age)));
    for n in rest.into_iter().rev() {
        left.may_go.entry(candidates[n].owner).or_default().push(n);
    }
    if let Some(most) = limits.max_total {
        let held: u64 = left.shares(|candidate| candidate.size).values().sum();
        left.take(Why::Total, held.saturating_sub(most), &BTreeMap::new(), |c| c.size, |c| c.size)?;
    }
    if let Some(least) = limits.keep_free {
        let freed = left.gone.iter().map(|&(n, _)| candidates[n].freed).sum::<u64>();
        let missing = least.saturating_sub(space.free.saturating_add(freed));
        left.take(Why::Free, missing, &space.other, |c| c.here, |c| c.freed)?;
    }
    Ok(left.gone)
}

/// Bytes of a candidate.
type Bytes = fn(&Candidate) -> u64;

/// How far the plan is.
struct Left<'a> {
    candidates: &'a [Candidate],
    /// What may go of each owner's, the oldest last.
    may_go: BTreeMap<u32, Vec<usize>>,
    gone: Vec<(usize, Why)>,
}

impl Left<'_> {
    /// Bytes of what stays, by owner.
    fn shares(&self, of: Bytes) -> BTreeMap<u32, u64> {
        let mut shares = BTreeMap::new();
        for candidate in self.candidates {
            *shares.entry(candidate.owner).or_default() += of(candidate);
        }
        for &(n, _) in &self.gone {
            shares.entry(self.candidates[n].owner).and_modify(|held| *held -= of(&self.candidates[n]));
        }
        shares
    }

    /// Takes recordings until no bytes are `missing`. `other` is what owners hold beside recordings, `share` what
    /// counts as held, and `gain` what its going brings.
    fn take(
        &mut self,
        why: Why,
        mut missing: u64,
        other: &BTreeMap<u32, u64>,
        share: Bytes,
        gain: Bytes,
    ) -> Result<(), Unreachable> {
        let mut shares = self.shares(share);
        for (&owner, bytes) in other {
            *shares.entry(owner).or_default() += bytes;
        }
        let mut largest: BinaryHeap<(u64, u32)> =
            shares.into_iter().map(|(owner, held)| (held, owner)).collect();
        while missing > 0 {
            let Some((held, owner)) = largest.pop() else {
                return Err(Unreachable { limit: why, missing, largest: None });
            };
            let Some(n) = self.may_go.get_mut(&owner).and_then(Vec::pop) else {
                return Err(Unreachable { limit: why, missing, largest: Some((owner, held)) });
            };
            let candidate = &self.candidates[n];
            let gained = gain(candidate);
            if gained == 0 {
                // It would go for nothing.
                largest.push((held, owner));
                continue;
            }
            missing = missing.saturating_sub(gained);
            largest.push((held - share(candidate), owner));
            self.gone.push((n, why));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NO_LIMITS: Limits =
        Limits { keep_since: i64::MAX, modified_before: None, max_total: None, keep_free: None };

    fn of(owner: u32, modified: i64, size: u64) -> Candidate {
        Candidate { owner, modified, size, here: size, freed: size, live: false }
    }

    fn free(free: u64) -> Space {
        Space { free, other: BTreeMap::new() }
    }

    #[test]
    fn an_owners_oldest_go_first_and_no_more_than_needed() {
        let all = [of(1, 30, 10), of(1, 10, 10), of(1, 20, 10), of(1, 40, 10)];
        let total = Limits { max_total: Some(25), ..NO_LIMITS };
        assert_eq!(plan(&all, &total, &free(0)), Ok(vec![(1, Why::Total), (2, Why::Total)]));
        let least = Limits { keep_free: Some(15), ..NO_LIMITS };
        assert_eq!(plan(&all, &least, &free(10)), Ok(vec![(1, Why::Free)]));
        assert_eq!(plan(&all, &least, &free(15)), Ok(vec![]));
        let age = Limits { modified_before: Some(21), max_total: Some(20), ..NO_LIMITS };
        assert_eq!(plan(&all, &age, &free(0)), Ok(vec![(1, Why::Age), (2, Why::Age)]), "enough for both");
    }

    #[test]
    fn who_holds_most_pays_and_the_next_only_from_there_on() {
        let all = [of(1, 1, 5), of(2, 2, 20), of(2, 3, 20), of(1, 4, 15)];
        let total = |most| plan(&all, &Limits { max_total: Some(most), ..NO_LIMITS }, &free(0));
        assert_eq!(total(50), Ok(vec![(1, Why::Total)]), "the oldest of all is another's");
        assert_eq!(total(30), Ok(vec![(1, Why::Total), (2, Why::Total)]), "equal shares: the higher user id");
        assert_eq!(total(16), Ok(vec![(1, Why::Total), (2, Why::Total), (0, Why::Total)]));
    }

    #[test]
    fn what_must_not_go_costs_nobody_else_anything() {
        let bob = of(2, 1, 10);
        for keep in [Candidate { live: true, ..of(1, 0, 90) }, of(1, 500, 90)] {
            let limits = Limits { keep_since: 400, max_total: Some(95), ..NO_LIMITS };
            let error = Unreachable { limit: Why::Total, missing: 5, largest: Some((1, 90)) };
            assert_eq!(plan(&[keep, bob], &limits, &free(0)), Err(error));
        }
        // Junk beside the recordings counts for what is free, and not for the sum of recordings.
        let all = [of(1, 2, 4), bob];
        let space = Space { free: 10, other: BTreeMap::from([(1, 100)]) };
        let least = |least| plan(&all, &Limits { keep_free: Some(least), ..NO_LIMITS }, &space);
        assert_eq!(least(14), Ok(vec![(0, Why::Free)]));
        assert_eq!(least(15), Err(Unreachable { limit: Why::Free, missing: 1, largest: Some((1, 100)) }));
        let total = Limits { max_total: Some(13), ..NO_LIMITS };
        assert_eq!(plan(&all, &total, &space), Ok(vec![(1, Why::Total)]));
        // What nobody holds can't be freed.
        let nothing = Limits { keep_free: Some(1), ..NO_LIMITS };
        assert_eq!(
            plan(&[], &nothing, &free(0)),
            Err(Unreachable { limit: Why::Free, missing: 1, largest: None })
        );
    }

    #[test]
    fn what_would_go_for_nothing_stays() {
        // A sparse file, one with a further name elsewhere, and one on another disk.
        let sparse = of(1, 1, 0);
        let linked = Candidate { freed: 0, ..of(1, 2, 50) };
        let mounted = Candidate { here: 0, freed: 0, ..of(2, 3, 90) };
        let all = [sparse, linked, mounted, of(3, 4, 20), of(3, 5, 20)];
        let total = Limits { max_total: Some(80), ..NO_LIMITS };
        assert_eq!(plan(&all, &total, &free(0)), Ok(vec![(2, Why::Total), (1, Why::Total)]));
        let least = |least| plan(&all, &Limits { keep_free: Some(least), ..NO_LIMITS }, &free(0));
        assert_eq!(least(1), Err(Unreachable { limit: Why::Free, missing: 1, largest: Some((1, 50)) }));
        let least = plan(&all[2..], &Limits { keep_free: Some(1), ..NO_LIMITS }, &free(0));
        assert_eq!(least, Ok(vec![(1, Why::Free)]));
    }

    proptest! {
        #[test]
        fn limits_are_met_by_those_who_hold_most_or_nothing_goes(
            all in prop::collection::vec((0_u32..4, 0_i64..50, 0_u64..100, any::<bool>()), 0..20),
            keep_since in 0_i64..60,
            modified_before in prop::option::of(0_i64..50),
            max_total in prop::option::of(0_u64..800),
            keep_free in prop::option::of(0_u64..800),
            space in (0_u64..400, prop::collection::btree_map(0_u32..4, 0_u64..100, 0..4)),
        ) {
            let all: Vec<_> = all
                .into_iter()
                .map(|(owner, modified, size, live)| Candidate { live, ..of(owner, modified, size) })
                .collect();
            let limits = Limits { keep_since, modified_before, max_total, keep_free };
            let space = Space { free: space.0, other: space.1 };
            let planned = plan(&all, &limits, &space);
            let no_space_limits = Limits { max_total: None, keep_free: None, ..limits };
            let by_age = plan(&all, &no_space_limits, &space).expect("age is no aim");
            let gone = match planned {
                Ok(gone) => gone,
                Err(error) => {
                    prop_assert!(error.missing > 0);
                    // Whoever may lose something more holds less.
                    let may_go = |c: &Candidate| !c.live && c.modified < keep_since;
                    let largest = error.largest;
                    prop_assert!(largest.is_some() || all.is_empty() || !all.iter().any(may_go));
                    return Ok(());
                }
            };
            let is_gone = |n: usize, until: usize| gone[..until].iter().any(|&(other, _)| other == n);
            let left = |until: usize| (0..all.len()).filter(|&n| !is_gone(n, until)).collect::<Vec<_>>();
            let total = |of: &[usize]| of.iter().map(|&n| all[n].size).sum::<u64>();
            let freed = |until: usize| space.free + gone[..until].iter().map(|&(n, _)| all[n].freed).sum::<u64>();
            prop_assert!(gone.iter().all(|&(n, _)| !all[n].live && all[n].modified < keep_since));
            prop_assert!(max_total.is_none_or(|most| total(&left(gone.len())) <= most));
            prop_assert!(keep_free.is_none_or(|least| freed(gone.len()) >= least));
            prop_assert_eq!(&gone[..by_age.len()], &by_age[..]);
            for (at, &(n, why)) in gone.iter().enumerate().skip(by_age.len()) {
                let before = left(at);
                let held = |owner: u32| {
                    let recordings: u64 = before.iter().filter(|&&m| all[m].owner == owner).map(|&m| all[m].size).sum();
                    let beside = if why == Why::Free { space.other.get(&owner).copied() } else { None };
                    recordings + beside.unwrap_or_default()
                };
                let own = held(all[n].owner);
                // Nobody held more, and it was its owner's oldest that may go, and needed.
                prop_assert!((0..4).all(|owner| held(owner) <= own));
                prop_assert!(all[n].size > 0);
                prop_assert!(before.iter().all(|&m| all[m].owner != all[n].owner || all[m].live
                    || all[m].size == 0 || all[m].modified >= all[n].modified));
                match why {
                    Why::Age => prop_assert!(false, "age goes first"),
                    Why::Total => prop_assert!(max_total.is_some_and(|most| total(&before) > most)),
                    Why::Free => prop_assert!(keep_free.is_some_and(|least| freed(at) < least)),
                }
            }
        }
    }
}
