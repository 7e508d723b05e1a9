//! The command line of a session, parsed without the definitions of all other subcommands: they would cost the start time,
//! and the session the memory.

use std::ffi::OsString;

use clap::{Args, Parser};

use super::{Cli, Command, LoginArgs, RecordArgs};

impl Cli {
    /// Parses a command line; `words` begin with the program's name.
    ///
    /// # Errors
    /// Help, the version, or what is wrong with it.
    pub fn from_words(words: &[OsString]) -> Result<Self, clap::Error> {
        let command = match words.get(1).and_then(|word| word.to_str()) {
            Some("record") => alone::<RecordArgs>(&words[1..]).map(Command::Record),
            Some("login") => alone::<LoginArgs>(&words[1..]).map(Command::Login),
            _ => None,
        };
        // What is wrong, or asked for, the whole knows how to say.
        command.map_or_else(|| Self::try_parse_from(words), |command| Ok(Self { command }))
    }
}

/// A subcommand's arguments, where nothing is wrong with them.
fn alone<A: Args>(words: &[OsString]) -> Option<A> {
    let command = A::augment_args(clap::Command::new("recmode"));
    A::from_arg_matches(&command.try_get_matches_from(words).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_understood_as_by_the_whole() {
        for line in [
            "record",
            "record -- bash -l",
            "record -q --mode strict -o /tmp/a.cast -- sh -c true",
            "record --roles a b --kind ssh --user alice -- bash",
            "record --sync interval:2s --buffer 16MiB --stall-timeout 5s --size 80x24 --capture-input vim -q",
            "record --format asciicast-v2 --log /tmp/log --sign-key key --title t -v",
            "login",
            "login --check --user alice",
            "record --no-such-option",
            "record --mode lax",
            "record --help",
            "login --check=no",
            "play a.cast",
            "",
        ] {
            let words: Vec<OsString> =
                std::iter::once("recmode").chain(line.split_whitespace()).map(OsString::from).collect();
            let said = |parsed: Result<Cli, clap::Error>| match parsed {
                Ok(cli) => format!("{cli:?}"),
                Err(error) => error.to_string(),
            };
            assert_eq!(said(Cli::from_words(&words)), said(Cli::try_parse_from(&words)), "{line}");
        }
    }
}
