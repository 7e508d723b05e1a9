//! Files that claim to be the same part of one session. Pure.

use std::collections::BTreeMap;
use std::path::Path;

use super::Facts;

/// Files with the same session id and the same segment number: one of them is a copy, which nothing that recmode does leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copies<'a> {
    /// The session's id.
    pub session: &'a str,
    /// The segment's number, from 1.
    pub segment: u64,
    /// The files, at least two, in their order.
    pub files: Vec<&'a Path>,
}

/// The copies among files, each of which is given once, by session and segment.
#[must_use]
pub fn find_copies<'a>(files: impl IntoIterator<Item = (&'a Path, &'a Facts)>) -> Vec<Copies<'a>> {
    let mut parts: BTreeMap<(&str, u64), Vec<&Path>> = BTreeMap::new();
    for (path, facts) in files {
        if let Some(session) = facts.session.as_deref() {
            parts.entry((session, facts.segment)).or_default().push(path);
        }
    }
    let copied = parts.into_iter().filter(|(_, files)| files.len() > 1);
    copied.map(|((session, segment), files)| Copies { session, segment, files }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_files_with_one_segment_are_copies() {
        let facts = |session: Option<&str>, segment| Facts {
            session: session.map(str::to_owned),
            segment,
            ..Facts::default()
        };
        let files = [
            ("a", facts(Some("one"), 1)),
            ("b", facts(Some("one"), 2)),
            ("c", facts(Some("one"), 1)),
            ("d", facts(Some("two"), 1)),
            ("e", facts(None, 1)),
            ("f", facts(None, 1)),
        ];
        let found = find_copies(files.iter().map(|(path, facts)| (Path::new(*path), facts)));
        assert_eq!(
            found,
            [Copies { session: "one", segment: 1, files: vec![Path::new("a"), Path::new("c")] }]
        );
    }
}
