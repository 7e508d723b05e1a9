//! Where recordings go and what they are called. Pure: the caller brings time, user and environment.

use std::path::{Path, PathBuf};

/// `<UTC time>-<user>-<short id>.cast`; characters of `user` that don't belong in a file name become `_`.
#[must_use]
pub fn file_name(utc: &str, user: &str, session: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-@".contains(c) { c } else { '_' };
    let user: String = user.chars().map(plain).collect();
    let short: String = session.chars().filter(char::is_ascii_hexdigit).take(8).collect();
    format!("{utc}-{user}-{short}.cast")
}

/// The name of a session's file by its number, `path` being the first: `NAME.2.cast` for `NAME.cast`.
#[must_use]
pub fn segment_path(path: &Path, segment: u32) -> PathBuf {
    if segment == 1 {
        return path.to_owned();
    }
    match path.extension() {
        Some(extension) => path.with_extension(format!("{segment}.{}", extension.to_string_lossy())),
        None => path.with_extension(segment.to_string()),
    }
}

/// A file's name as a header has it, a hint.
#[must_use]
pub fn file_name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The default directory: `/var/log/recmode` for root, else `$XDG_STATE_HOME/recmode/recordings`
/// or, where that is unset or relative, `~/.local/state/recmode/recordings`.
#[must_use]
pub fn default_directory(root: bool, state_home: Option<&Path>, home: Option<&Path>) -> Option<PathBuf> {
    if root {
        return Some(PathBuf::from("/var/log/recmode"));
    }
    let state = match state_home.filter(|path| path.is_absolute()) {
        Some(state) => state.to_owned(),
        None => home.filter(|path| path.is_absolute())?.join(".local/state"),
    };
    Some(state.join("recmode/recordings"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_time_user_and_session_and_stay_in_their_directory() {
        assert_eq!(
            file_name("20261122T204500Z", "../a b", "1b9d6bcd-bbfd-4b2d"),
            "20261122T204500Z-.._a_b-1b9d6bcd.cast"
        );
    }

    #[test]
    fn segments_are_numbered_before_the_extension() {
        assert_eq!(segment_path(Path::new("/r/a.cast"), 2), Path::new("/r/a.2.cast"));
        assert_eq!(segment_path(Path::new("/r/a"), 3), Path::new("/r/a.3"));
    }

    #[test]
    fn the_directory_follows_the_user() {
        let (state, home) = (Path::new("/state"), Path::new("/home/a"));
        assert_eq!(default_directory(true, Some(state), Some(home)), Some("/var/log/recmode".into()));
        assert_eq!(default_directory(false, Some(state), None), Some("/state/recmode/recordings".into()));
        let fallback = Some(PathBuf::from("/home/a/.local/state/recmode/recordings"));
        assert_eq!(default_directory(false, Some(Path::new("relative")), Some(home)), fallback);
        assert_eq!(default_directory(false, None, None), None);
    }
}
