//! How near two words are, for "did you mean". The distance of two texts takes time and memory by the
//! product of their lengths, and texts of files may have any length and any number: so long ones are not
//! compared, and no more than a fixed number in a run.

use std::collections::BTreeMap;

/// Longer words, in characters, are not compared.
const MAX_CHARS: usize = 64;

/// The comparisons that one set of names may take, which is less than a second's.
const MAX_COMPARISONS: usize = 200_000;

/// How many characters are wrong, missing, too many or swapped between two words, if at most `most`.
#[must_use]
pub fn slips(a: &str, b: &str, most: usize) -> Option<usize> {
    // A character has up to four bytes.
    if a.len() > MAX_CHARS * 4 || b.len() > MAX_CHARS * 4 {
        return None;
    }
    let (a_chars, b_chars) = (a.chars().count(), b.chars().count());
    if a_chars.max(b_chars) > MAX_CHARS || a_chars.abs_diff(b_chars) > most {
        return None;
    }
    Some(strsim::damerau_levenshtein(a, b)).filter(|&distance| distance <= most)
}

/// How alike two words are by their beginnings, from 0 to 1; of long ones only the beginnings count.
#[must_use]
pub fn likeness(a: &str, b: &str) -> f64 {
    let beginning = |text: &str| text.chars().take(MAX_CHARS).collect::<String>().to_lowercase();
    strsim::jaro_winkler(&beginning(a), &beginning(b))
}

/// Names that others may be slips of.
#[derive(Debug)]
pub struct Names<'a> {
    /// Sorted, by their number of characters.
    by_length: BTreeMap<usize, Vec<&'a str>>,
    comparisons_left: usize,
}

impl<'a> Names<'a> {
    /// These names; long ones are left out.
    pub fn new(names: impl Iterator<Item = &'a str>) -> Self {
        let mut by_length: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for name in names.filter(|name| name.len() <= MAX_CHARS * 4) {
            by_length.entry(name.chars().count()).or_default().push(name);
        }
        for names in by_length.values_mut() {
            names.sort_unstable();
        }
        Self { by_length, comparisons_left: MAX_COMPARISONS }
    }

    /// The nearest name with at most `most` slips, the first by name among equally near ones. None once
    /// the comparisons are used up.
    pub fn nearest(&mut self, text: &str, most: usize) -> Option<&'a str> {
        if text.len() > MAX_CHARS * 4 {
            return None;
        }
        let length = text.chars().count();
        let near = self.by_length.range(length.saturating_sub(most)..=length + most);
        let candidates: Vec<&str> =
            near.flat_map(|(_, names)| names).copied().take(self.comparisons_left + 1).collect();
        // Some alone would give an answer that depends on which those are.
        self.comparisons_left = self.comparisons_left.checked_sub(candidates.len())?;
        let distances = candidates.into_iter().filter_map(|name| Some((slips(text, name, most)?, name)));
        distances.min().map(|(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_counted_and_a_long_word_is_not_compared() {
        assert_eq!(slips("strcit", "strict", 2), Some(1));
        assert_eq!(slips("strict", "best_effort", 4), None);
        let long = "x".repeat(65);
        assert_eq!(slips(&long, &long, 2), None);
    }

    #[test]
    fn comparisons_are_used_up() {
        let all: Vec<_> = (0..1000).map(|n| format!("role-{n:04}")).collect();
        let mut names = Names::new(all.iter().map(String::as_str));
        let answers = (0..1000).filter(|_| names.nearest("role-00O1", 1).is_some()).count();
        assert_eq!(answers, MAX_COMPARISONS / 1000);
    }
}
