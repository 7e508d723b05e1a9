//! From recordings and limits to what is to go, and why. Pure.

/// A recording with what belongs to it: its further files, and their signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// When it was written to last, seconds since the epoch.
    pub modified: i64,
    /// Bytes of its files.
    pub size: u64,
    /// Bytes that the disk gets back.
    pub allocated: u64,
    /// It is still being written, or something of it is.
    pub live: bool,
}

/// What may stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// What was written to last before this moment goes, seconds since the epoch.
    pub modified_before: Option<i64>,
    /// Bytes that all recordings may have together.
    pub max_total: Option<u64>,
    /// Bytes that are to be free on the disk.
    pub keep_free: Option<u64>,
}

/// The disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Space {
    /// Bytes that are free for its users.
    pub free: u64,
}

/// Why a recording goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It is too old.
    Age,
    /// All recordings together are too large, and it is the oldest that is left.
    Total,
    /// Too little is free, and it is the oldest that is left.
    Free,
}

/// What is to go, oldest first: indices of `candidates`, each with the first reason that holds. What is live stays,
/// whatever the limits.
#[must_use]
pub fn plan(candidates: &[Candidate], limits: &Limits, space: Space) -> Vec<(usize, Why)> {
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by_key(|&n| (candidates[n].modified, n));
    let mut total: u64 = candidates.iter().map(|candidate| candidate.size).sum();
    let mut free = space.free;
    let mut gone = Vec::new();
    // By age first: what has to go anyway may be enough for the other limits.
    let old = |n: usize| limits.modified_before.is_some_and(|before| candidates[n].modified < before);
    let (by_age, rest): (Vec<_>, Vec<_>) =
        order.into_iter().filter(|&n| !candidates[n].live).partition(|&n| old(n));
    let mut take = |n: usize, why: Why, total: &mut u64, free: &mut u64| {
        *total -= candidates[n].size;
        *free = free.saturating_add(candidates[n].allocated);
        gone.push((n, why));
    };
    for n in by_age {
        take(n, Why::Age, &mut total, &mut free);
    }
    for n in rest {
        if limits.max_total.is_some_and(|most| total > most) {
            take(n, Why::Total, &mut total, &mut free);
        } else if limits.keep_free.is_some_and(|least| free < least) {
            take(n, Why::Free, &mut total, &mut free);
        } else {
            break;
        }
    }
    gone
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candidate(modified: i64, size: u64) -> Candidate {
        Candidate { modified, size, allocated: size, live: false }
    }

    #[test]
    fn the_oldest_go_first_and_no_more_than_needed() {
        let all = [candidate(30, 10), candidate(10, 10), candidate(20, 10), candidate(40, 10)];
        let total = Limits { max_total: Some(25), ..Limits::default() };
        assert_eq!(plan(&all, &total, Space::default()), [(1, Why::Total), (2, Why::Total)]);
        let free = Limits { keep_free: Some(15), ..Limits::default() };
        assert_eq!(plan(&all, &free, Space { free: 10 }), [(1, Why::Free)]);
        assert_eq!(plan(&all, &free, Space { free: 15 }), []);
        let age = Limits { modified_before: Some(21), max_total: Some(20), ..Limits::default() };
        assert_eq!(plan(&all, &age, Space::default()), [(1, Why::Age), (2, Why::Age)], "enough for both");
    }

    proptest! {
        #[test]
        fn what_is_live_stays_and_each_limit_is_met_or_nothing_is_left(
            all in prop::collection::vec((0_i64..50, 0_u64..100, any::<bool>()), 0..20),
            modified_before in prop::option::of(0_i64..50),
            max_total in prop::option::of(0_u64..800),
            keep_free in prop::option::of(0_u64..800),
            free in 0_u64..400,
        ) {
            let all: Vec<_> = all
                .into_iter()
                .map(|(modified, size, live)| Candidate { live, ..candidate(modified, size) })
                .collect();
            let limits = Limits { modified_before, max_total, keep_free };
            let gone = plan(&all, &limits, Space { free });
            let is_gone = |n: usize| gone.iter().any(|&(other, _)| other == n);
            let left: Vec<usize> = (0..all.len()).filter(|&n| !is_gone(n)).collect();
            let total = |of: &[usize]| of.iter().map(|&n| all[n].size).sum::<u64>();
            let freed = |of: &[(usize, Why)]| free + of.iter().map(|&(n, _)| all[n].allocated).sum::<u64>();
            prop_assert!(gone.iter().all(|&(n, _)| !all[n].live));
            let stuck = left.iter().all(|&n| all[n].live);
            prop_assert!(stuck || left.iter().all(|&n| all[n].live || modified_before.is_none_or(|b| all[n].modified >= b)));
            prop_assert!(stuck || max_total.is_none_or(|most| total(&left) <= most));
            prop_assert!(stuck || keep_free.is_none_or(|least| freed(&gone) >= least));
            // None of those that go last, for space, could have stayed.
            if let Some(&(last, why)) = gone.last() {
                let mut with: Vec<usize> = left.clone();
                with.push(last);
                match why {
                    Why::Age => {}
                    Why::Total => prop_assert!(max_total.is_some_and(|most| total(&with) > most)),
                    Why::Free => prop_assert!(keep_free.is_some_and(|least| freed(&gone[..gone.len() - 1]) < least)),
                }
            }
            // Nothing that stays is older than what went for space.
            for &(n, why) in &gone {
                prop_assert!(why == Why::Age || left.iter().all(|&m| all[m].live || all[m].modified >= all[n].modified));
            }
        }
    }
}
