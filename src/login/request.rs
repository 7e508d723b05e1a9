//! What a login asks for: from the words recmode was called with, and what sshd keeps of the
//! client's, to a shell, a command, or file transfer. Pure.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What sshd's own file transfer is called, which has no program.
const INTERNAL_SFTP: &[u8] = b"internal-sftp";

/// What a login asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// The user's shell.
    Shell,
    /// A command line for the user's shell, and the words after it.
    Command(OsString, Vec<OsString>),
    /// File transfer by sshd's own server, with these arguments.
    Sftp(Vec<OsString>),
}

/// recmode was called as a login shell with words that no login shell is called with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("as a login shell it takes nothing, or -c COMMAND")]
pub struct BadCall;

impl Request {
    /// The request, if recmode was called as a login shell: with a name that begins with `-`, or with `-c`.
    /// `forced` tells of a command whether it is `recmode login` itself, run by sshd through the
    /// login shell; the request is then `original`, what the client asked for.
    ///
    /// # Errors
    /// Other words than a login shell's.
    #[must_use]
    pub fn of_login_shell(
        words: &[OsString],
        forced: impl Fn(&Path) -> bool,
        original: impl FnOnce() -> Option<OsString>,
    ) -> Option<Result<Self, BadCall>> {
        let (name, rest) = words.split_first()?;
        let is_login = name.as_bytes().starts_with(b"-");
        // Some call a login shell by an option.
        let rest = match rest.split_first() {
            Some((word, rest)) if is_login && (word == "-l" || word == "--login") => rest,
            _ => rest,
        };
        match rest {
            [] if is_login => Some(Ok(Self::Shell)),
            [option, command, more @ ..] if option == "-c" => {
                let own = match words_of(command).as_slice() {
                    [program, subcommand] if *subcommand == "login" => forced(Path::new(program)),
                    _ => false,
                };
                Some(Ok(if own {
                    Self::of_client(original())
                } else {
                    Self::of_command(command.clone(), more.to_vec())
                }))
            }
            [option, ..] if is_login || option == "-c" => Some(Err(BadCall)),
            _ => None,
        }
    }

    /// The request of sshd's client, as `SSH_ORIGINAL_COMMAND` has it: the shell without one.
    #[must_use]
    pub fn of_client(original: Option<OsString>) -> Self {
        match original {
            Some(command) => Self::of_command(command, Vec::new()),
            None => Self::Shell,
        }
    }

    fn of_command(command: OsString, more: Vec<OsString>) -> Self {
        match words_of(&command).split_first() {
            Some((first, arguments)) if first.as_bytes() == INTERNAL_SFTP => {
                Self::Sftp(arguments.iter().map(|&word| word.to_owned()).collect())
            }
            _ => Self::Command(command, more),
        }
    }
}

/// Words between white space, as sshd cuts them.
fn words_of(command: &OsStr) -> Vec<&OsStr> {
    command
        .as_bytes()
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .map(OsStr::from_bytes)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(words: &[&str]) -> Option<Result<Request, BadCall>> {
        let words: Vec<_> = words.iter().map(OsString::from).collect();
        let own = |path: &Path| path == Path::new("/usr/bin/recmode");
        Request::of_login_shell(&words, own, || Some("uname -a".into()))
    }

    fn command(line: &str) -> Request {
        Request::Command(line.into(), Vec::new())
    }

    #[test]
    fn a_name_with_a_dash_and_an_option_c_are_logins() {
        assert_eq!(request(&["-recmode"]), Some(Ok(Request::Shell)));
        assert_eq!(request(&["-recmode", "-l"]), Some(Ok(Request::Shell)));
        assert_eq!(request(&["recmode", "-c", "ls -l"]), Some(Ok(command("ls -l"))));
        assert_eq!(request(&["-recmode", "-c", "ls -l"]), Some(Ok(command("ls -l"))));
        let more = Request::Command("echo $1".into(), vec!["a".into(), "b".into()]);
        assert_eq!(request(&["recmode", "-c", "echo $1", "a", "b"]), Some(Ok(more)));
    }

    #[test]
    fn anything_else_is_a_subcommand_or_a_mistake() {
        assert_eq!(request(&["recmode"]), None);
        assert_eq!(request(&["recmode", "record", "-c"]), None);
        assert_eq!(request(&["-recmode", "record"]), Some(Err(BadCall)));
        assert_eq!(request(&["recmode", "-c"]), Some(Err(BadCall)));
    }

    #[test]
    fn a_forced_login_through_the_login_shell_is_the_clients_request() {
        assert_eq!(request(&["recmode", "-c", "/usr/bin/recmode login"]), Some(Ok(command("uname -a"))));
        let other = "/tmp/recmode login";
        assert_eq!(request(&["recmode", "-c", other]), Some(Ok(command(other))));
    }

    #[test]
    fn internal_sftp_is_file_transfer_with_its_arguments() {
        let sftp = |line: &str| Request::of_client(Some(line.into()));
        assert_eq!(sftp("internal-sftp"), Request::Sftp(Vec::new()));
        assert_eq!(sftp("internal-sftp -f  AUTH"), Request::Sftp(vec!["-f".into(), "AUTH".into()]));
        assert_eq!(sftp("internal-sftpd"), command("internal-sftpd"));
        assert_eq!(Request::of_client(None), Request::Shell);
    }
}
