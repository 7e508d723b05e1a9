//! `/etc/recmode/config.yaml`: from its text to [`Config`], with the place of everything that is
//! wrong. Pure.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_yaml::Spanned;

use crate::config::ConfigError;
use crate::config::places::Places;
use crate::policy::{Mode, SessionKind};
use crate::quantity::{self, ByteSize};
use crate::recording::SyncPolicy;
use crate::session::AfterSession;
use crate::{ring, stall};

/// Where it is. Nothing can name another place.
pub const PATH: &str = "/etc/recmode/config.yaml";

/// The largest configuration in bytes.
pub const MAX_BYTES: u64 = 1 << 20;

/// What stands for the user's name in `recordings`.
const USER: &str = "{user}";

/// How logins are recorded on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The role files, or directories of them; absolute.
    pub roles: Vec<PathBuf>,
    /// The directory of the recordings, `{user}` standing for the user's name; absolute.
    pub recordings: String,
    /// What a user gets whom the roles don't know.
    pub unknown_user: UnknownUser,
    /// The shell of those whose shell in passwd is recmode.
    pub shell: Option<PathBuf>,
    /// The program for `internal-sftp`, and for transfers by sftp.
    pub sftp_server: Option<PathBuf>,
    /// The program for transfers by scp.
    pub scp: Option<PathBuf>,
    /// The program for transfers by rsync.
    pub rsync: Option<PathBuf>,
    /// The kind of session that the mode is resolved for.
    pub kind: SessionKind,
    /// When recordings are synced.
    pub sync: SyncPolicy,
    /// Bytes that are kept while the disk fails.
    pub buffer: usize,
    /// How long the disk may take.
    pub stall_timeout: Duration,
    /// Whether what is typed on a terminal is recorded.
    pub capture_input: bool,
    /// Which sessions without a terminal have their bytes recorded, and not only counted.
    pub capture_streams: CaptureStreams,
    /// The key that recordings are signed with; absolute.
    pub sign_key: Option<PathBuf>,
    /// The operator's log, where it is a file; absolute.
    pub log: Option<PathBuf>,
    /// What a user with a terminal is told when the recording has begun.
    pub banner: Option<String>,
    /// What becomes of processes that outlive a session, where that is not by the session's mode.
    pub after_session: Option<AfterSession>,
}

/// Which sessions without a terminal have their bytes recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptureStreams {
    /// Under strict all but transfers of files, under best effort none.
    Auto,
    /// All.
    Yes,
    /// None.
    No,
}

impl CaptureStreams {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "yes" | "true" => Some(Self::Yes),
            "no" | "false" => Some(Self::No),
            _ => None,
        }
    }
}

/// What a user gets whom the roles don't know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownUser {
    /// A session under strict.
    Strict,
    /// A session under best effort.
    BestEffort,
    /// No session.
    Refuse,
}

impl UnknownUser {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "strict" => Some(Self::Strict),
            "best_effort" => Some(Self::BestEffort),
            "refuse" => Some(Self::Refuse),
            _ => None,
        }
    }
}

impl Config {
    /// What becomes of processes that outlive a session of this mode.
    #[must_use]
    pub fn after_session(&self, mode: Mode) -> AfterSession {
        self.after_session.unwrap_or(match mode {
            Mode::Strict => AfterSession::End,
            Mode::BestEffort => AfterSession::Leave,
        })
    }

    /// The directory of this user's recordings; `None` for a name that is no part of a path.
    #[must_use]
    pub fn recordings_of(&self, user: &str) -> Option<PathBuf> {
        let plain = !user.is_empty() && user != "." && user != ".." && !user.contains(['/', '\0']);
        (plain || !self.recordings.contains(USER)).then(|| PathBuf::from(self.recordings.replace(USER, user)))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    roles: Vec<Spanned<String>>,
    recordings: Option<Spanned<String>>,
    unknown_user: Option<Spanned<String>>,
    shell: Option<Spanned<String>>,
    sftp_server: Option<Spanned<String>>,
    scp: Option<Spanned<String>>,
    rsync: Option<Spanned<String>>,
    kind: Option<Spanned<String>>,
    sync: Option<Spanned<String>>,
    buffer: Option<Spanned<String>>,
    stall_timeout: Option<Spanned<String>>,
    #[serde(default)]
    capture_input: bool,
    capture_streams: Option<Spanned<String>>,
    sign_key: Option<Spanned<String>>,
    log: Option<Spanned<String>>,
    banner: Option<String>,
    after_session: Option<Spanned<String>>,
}

/// The configuration that this text is, `name` being the file's in messages.
///
/// # Errors
///
/// The first thing that is wrong with it.
pub fn parse(text: &str, name: &Arc<str>) -> Result<Config, ConfigError> {
    let places = Places { text: text.strip_prefix('\u{feff}').unwrap_or(text), name };
    let file: File = places.parse()?;
    if file.roles.is_empty() {
        return Err(ConfigError { message: "roles names no file".to_owned(), at: places.whole() });
    }
    let path = |path: Spanned<String>| absolute(path, &places).map(PathBuf::from);
    let roles: Result<_, _> = file.roles.into_iter().map(path).collect();
    Ok(Config {
        roles: roles?,
        recordings: match file.recordings {
            Some(recordings) => absolute(recordings, &places)?,
            None => format!("/var/log/recmode/{USER}"),
        },
        unknown_user: value(file.unknown_user, &places, UnknownUser::Strict, |text| {
            UnknownUser::from_name(text).ok_or("expected strict, best_effort or refuse".to_owned())
        })?,
        shell: file.shell.map(path).transpose()?,
        sftp_server: file.sftp_server.map(path).transpose()?,
        scp: file.scp.map(path).transpose()?,
        rsync: file.rsync.map(path).transpose()?,
        kind: value(file.kind, &places, SessionKind::Ssh, |text| {
            SessionKind::from_name(text).ok_or("a kind is ssh, k8s, desktop, db or app".to_owned())
        })?,
        sync: value(file.sync, &places, SyncPolicy::DEFAULT, str::parse)?,
        buffer: value(file.buffer, &places, ByteSize(ring::CAPACITY), str::parse)?.0,
        stall_timeout: value(file.stall_timeout, &places, stall::TIMEOUT, quantity::duration)?,
        capture_input: file.capture_input,
        capture_streams: value(file.capture_streams, &places, CaptureStreams::Auto, |text| {
            CaptureStreams::from_name(text).ok_or("expected auto, yes or no".to_owned())
        })?,
        sign_key: file.sign_key.map(path).transpose()?,
        log: file.log.map(path).transpose()?,
        banner: file.banner,
        after_session: value(file.after_session, &places, None, |text| {
            let named = AfterSession::ALL.into_iter().find(|what| what.name() == text);
            named.map(Some).ok_or("expected leave or end".to_owned())
        })?,
    })
}

/// A path that begins at the root and never goes back up.
fn absolute(path: Spanned<String>, places: &Places<'_>) -> Result<String, ConfigError> {
    let parsed = Path::new(&path.value);
    if parsed.is_absolute() && !parsed.components().any(|part| part == Component::ParentDir) {
        return Ok(path.value);
    }
    places.error(path.referenced, "expected an absolute path without \"..\"")
}

/// What the text means, or what holds without one.
fn value<T>(
    text: Option<Spanned<String>>,
    places: &Places<'_>,
    otherwise: T,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, ConfigError> {
    let Some(text) = text else { return Ok(otherwise) };
    read(&text.value).or_else(|message| places.error(text.referenced, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Config, ConfigError> {
        parse(text, &PATH.into())
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let config = parsed("roles: [/etc/recmode/roles]\n").expect("a configuration");
        assert_eq!(config.recordings_of("alice"), Some("/var/log/recmode/alice".into()));
        assert_eq!(config.unknown_user, UnknownUser::Strict);
        assert_eq!((config.kind, config.buffer), (SessionKind::Ssh, 8 << 20));
        assert_eq!(config.stall_timeout, Duration::from_secs(10));
        assert_eq!(config.sync, SyncPolicy::Interval(Duration::from_secs(1)));
        assert!(!config.capture_input);
        assert_eq!(config.capture_streams, CaptureStreams::Auto);
        assert_eq!(config.after_session(Mode::Strict), AfterSession::End);
        assert_eq!(config.after_session(Mode::BestEffort), AfterSession::Leave);
    }

    #[test]
    fn everything_can_be_said() {
        let config = parsed(
            "roles:\n  - /a.yaml\n  - /b\nrecordings: /r/{user}/x\nunknown_user: refuse\nshell: /bin/zsh\n\
             sftp_server: /usr/lib/sftp-server\nkind: db\nsync: always\nbuffer: 1MiB\nstall_timeout: 2s\n\
             capture_input: true\ncapture_streams: true\nsign_key: /etc/recmode/key\nlog: /var/log/recmode.log\nafter_session: leave\nbanner: |\n  Recorded.\n",
        )
        .expect("a configuration");
        assert_eq!(config.roles, [PathBuf::from("/a.yaml"), "/b".into()]);
        assert_eq!(config.recordings_of("bob"), Some("/r/bob/x".into()));
        assert_eq!((config.unknown_user, config.kind), (UnknownUser::Refuse, SessionKind::Db));
        assert_eq!(config.sign_key, Some("/etc/recmode/key".into()));
        assert_eq!((config.sync, config.buffer), (SyncPolicy::Always, 1 << 20));
        assert_eq!(config.banner.as_deref(), Some("Recorded.\n"));
        assert!(config.capture_input);
        assert_eq!(config.capture_streams, CaptureStreams::Yes);
        assert_eq!(config.after_session(Mode::Strict), AfterSession::Leave);
    }

    #[test]
    fn capture_streams_is_a_word_or_what_it_was_before() {
        for (text, expected) in [
            ("auto", CaptureStreams::Auto),
            ("yes", CaptureStreams::Yes),
            ("no", CaptureStreams::No),
            ("true", CaptureStreams::Yes),
            ("false", CaptureStreams::No),
        ] {
            let config = parsed(&format!("roles: [/a]\ncapture_streams: {text}\n")).expect(text);
            assert_eq!(config.capture_streams, expected, "{text}");
        }
        let error = parsed("roles: [/a]\ncapture_streams: all\n").expect_err("no such word");
        assert!(error.message.contains("auto, yes or no"), "{}", error.message);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, line, said) in [
            ("roles: []\n", None, "roles names no file"),
            ("recordings: /r\n", Some(1), "roles"),
            ("roles: [/a]\nmode: strict\n", Some(2), "mode"),
            ("roles: [/a]\nroles: [/b]\n", Some(2), "duplicate"),
            ("roles: [a.yaml]\n", Some(1), "absolute"),
            ("roles: [/a/../b]\n", Some(1), "absolute"),
            ("roles: [/a]\n\nunknown_user: allow\n", Some(3), "refuse"),
            ("roles: [/a]\nkind: SSH\n", Some(2), "kind"),
            ("roles: [/a]\nafter_session: kill\n", Some(2), "leave or end"),
            ("roles: [/a]\nstall_timeout: 0s\n", Some(2), "duration"),
            ("roles: [/a]\nbuffer: 2GiB\n", Some(2), "size"),
            ("roles: [/a]\ncapture_input: maybe\n", Some(2), "bool"),
            ("roles: [/a\n", Some(1), ""),
        ] {
            let error = parsed(text).expect_err(text);
            assert!(error.message.contains(said), "{text:?}: {}", error.message);
            let found = error.at.mark.map(|mark| mark.line);
            assert!(line.is_none() || found >= line, "{text:?}: {found:?}: {}", error.message);
        }
    }

    #[test]
    fn a_name_never_leads_out_of_the_directory() {
        let config = parsed("roles: [/a]\n").expect("a configuration");
        for name in ["", ".", "..", "a/b", "a\0"] {
            assert_eq!(config.recordings_of(name), None);
        }
    }
}
