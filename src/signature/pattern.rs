//! Lists of patterns as OpenSSH has them: `*` and `?`, commas between patterns, `!` before one that excludes. Pure.
//! Rules: PATTERNS in ssh_config(5).

/// A longer pattern in a list makes the list match nothing.
const MAX_PATTERN: usize = 1022;

/// Whether a list matches a text: one of its patterns does, and none with a `!` does.
#[must_use]
pub(super) fn list_matches(list: &[u8], text: &[u8]) -> bool {
    let mut matched = false;
    for pattern in list.split(|&byte| byte == b',') {
        let (excludes, pattern) = match pattern.strip_prefix(b"!") {
            Some(pattern) => (true, pattern),
            None => (false, pattern),
        };
        if pattern.len() > MAX_PATTERN {
            return false;
        }
        if matches(pattern, text) {
            if excludes {
                return false;
            }
            matched = true;
        }
    }
    matched
}

/// The patterns of a list that the list as a whole matches when they are taken as names, which is what git(1) asks
/// `ssh-keygen -Y verify` for.
pub(super) fn names(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let positive = |name: &&[u8]| !name.is_empty() && !name.starts_with(b"!");
    list.split(|&byte| byte == b',').filter(positive).filter(move |name| list_matches(list, name))
}

/// Whether one pattern matches the whole text. A later `*` can stand for all that an earlier one could, so that only the
/// last one is tried again.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, from)) = star else { return false };
                star = Some((at, from + 1));
                (p, t) = (at + 1, from + 1);
            }
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_the_whole_text() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("?", "", false),
            ("rec*", "recmode", true),
            ("rec?ode", "recmode", true),
            ("*mode", "recmode", true),
            ("*m*o*d*e*", "recmode", true),
            ("r*c?ode", "recmode", true),
            ("*ec", "recmode", false),
            ("Recmode", "recmode", false),
            ("**a**", "bab", true),
            ("*ab", "aab", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern:?} {text:?}");
        }
    }

    #[test]
    fn an_excluding_pattern_wins_and_alone_matches_nothing() {
        for (list, expected) in [
            ("recmode", true),
            ("git,rec*", true),
            ("rec*,!recmode", false),
            ("!recmode,rec*", false),
            ("!git,rec*", true),
            ("!git", false),
            ("", false),
            (",recmode,", true),
            (" recmode", false),
            ("!!recmode,*", true),
        ] {
            assert_eq!(list_matches(list.as_bytes(), b"recmode"), expected, "{list:?}");
        }
        let long = format!("recmode,{}", "x".repeat(MAX_PATTERN + 1));
        assert!(!list_matches(long.as_bytes(), b"recmode"));
    }

    #[test]
    fn names_are_those_that_the_list_lets_through() {
        let joined = |list: &str| names(list.as_bytes()).collect::<Vec<_>>().join(&b","[..]);
        for (list, expected) in [
            ("a@x,b@x", "a@x,b@x"),
            ("*", "*"),
            ("!mallory", ""),
            ("*,!mallory", "*"),
            ("*,!*", ""),
            ("a,b,!b", "a"),
        ] {
            assert_eq!(joined(list), expected.as_bytes(), "{list:?}");
        }
    }
}
