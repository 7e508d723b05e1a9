//! The command's environment: the given one, with the session's id, and no name of the user's terminal in it. What is
//! written there is shown without being recorded. Pure.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// Holds the id of the session that records the command.
const SESSION: &str = "RECMODE_SESSION";
/// sshd's name for the terminal of a login.
const SSH_TTY: &str = "SSH_TTY";

/// The environment of a session's command: `given`, where a variable that names the user's terminal `outer` names the
/// session's terminal `inner` instead, or is left out where there is none.
pub(super) fn of_command<'a>(
    given: &'a [(OsString, OsString)],
    session: &'a OsStr,
    outer: Option<&Path>,
    inner: Option<&'a Path>,
) -> Vec<(&'a OsStr, &'a OsStr)> {
    let names_outer =
        |name: &OsStr, value: &OsStr| name == SSH_TTY || outer.is_some_and(|outer| Path::new(value) == outer);
    let kept = given.iter().filter(|(name, _)| name != SESSION).filter_map(|(name, value)| {
        let value = if names_outer(name, value) { inner?.as_os_str() } else { value };
        Some((name.as_os_str(), value))
    });
    kept.chain([(OsStr::new(SESSION), session)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given() -> Vec<(OsString, OsString)> {
        [
            ("PATH", "/bin"),
            ("SSH_TTY", "/dev/pts/7"),
            ("GPG_TTY", "/dev/pts/3"),
            ("NOTE", "see /dev/pts/3"),
            ("RECMODE_SESSION", "outer"),
        ]
        .map(|(name, value)| (name.into(), value.into()))
        .to_vec()
    }

    fn env(outer: Option<&str>, inner: Option<&str>) -> String {
        let given = given();
        let env = of_command(&given, OsStr::new("id"), outer.map(Path::new), inner.map(Path::new));
        let lines = env.iter().map(|(name, value)| format!("{}={} ", name.display(), value.display()));
        lines.collect()
    }

    #[test]
    fn what_names_the_users_terminal_names_the_sessions() {
        assert_eq!(
            env(Some("/dev/pts/3"), Some("/dev/pts/9")),
            "PATH=/bin SSH_TTY=/dev/pts/9 GPG_TTY=/dev/pts/9 NOTE=see /dev/pts/3 RECMODE_SESSION=id "
        );
    }

    #[test]
    fn where_the_session_has_no_terminal_no_variable_names_one() {
        let without = "PATH=/bin GPG_TTY=/dev/pts/3 NOTE=see /dev/pts/3 RECMODE_SESSION=id ";
        assert_eq!(env(None, None), without);
        assert_eq!(env(Some("/dev/pts/3"), None), "PATH=/bin NOTE=see /dev/pts/3 RECMODE_SESSION=id ");
    }
}
