//! Events, and how they read. Pure.

use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use crate::escape;
use crate::exit;
use crate::policy::{Mode, SessionKind};
use crate::recording::{Decider, Fault, Reason};

/// Whose session it is: the same in every event.
#[derive(Debug, Clone, Serialize)]
pub struct Identity {
    /// The session's id.
    pub session: String,
    /// The user.
    pub user: String,
    /// The mode.
    pub mode: Mode,
    /// The kind.
    pub kind: SessionKind,
    /// What decided the mode, where roles did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Decider>,
    /// Where the recording is, or was to be.
    #[serde(serialize_with = "as_text")]
    pub recording: PathBuf,
}

/// What happened.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Happening {
    /// The session began, and its recording unless a failure is told with it.
    Start,
    /// The recording failed.
    Failure {
        /// The errno's name, or a word.
        error: String,
        /// In words.
        cause: String,
    },
    /// The recording goes on after a failure.
    Recovery {
        /// Bytes of output that came while it failed.
        bytes: u64,
        /// How many of them are lost.
        lost: u64,
        /// How long it failed.
        seconds: f64,
    },
    /// Output was dropped while the disk was slow, without a failure.
    Gap {
        /// Why.
        error: String,
        /// Bytes of output that are lost.
        lost: u64,
    },
    /// Strict mode did not let the session begin.
    Refused,
    /// A login was not admitted.
    NotAdmitted {
        /// Why.
        cause: String,
    },
    /// A login's roles could not be judged, so that strict holds.
    Unjudged {
        /// Why.
        cause: String,
    },
    /// Strict mode ended the session.
    Terminated,
    /// The terminal hung up, and the command goes on.
    Disconnected,
    /// A process of the session lives on.
    Survivor {
        /// Its id.
        pid: i32,
        /// The first bytes of its program's name.
        program: String,
        /// What it has survived.
        reason: Reason,
    },
    /// The session's processes were ended without /proc and without a control group, so that others may live on.
    Unseen,
    /// The session is over.
    End {
        /// Why.
        reason: Reason,
        /// `record`'s exit status.
        status: u8,
        /// Bytes of output that are in no file, where that is known.
        lost: Option<u64>,
        /// How long the recording had failed by then, if it did.
        seconds: Option<f64>,
    },
}

/// How bad it is, as syslog(3) counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Something broke.
    Error = 3,
    /// Something is not as it should be.
    Warning = 4,
    /// All is well.
    Info = 6,
}

impl Happening {
    /// A failure.
    #[must_use]
    pub fn failure(fault: Fault) -> Self {
        Self::Failure { error: fault.code(), cause: fault.to_string() }
    }

    /// The session's end, told by another as the terminal side was killed.
    #[must_use]
    pub fn terminal_side_died() -> Self {
        Self::End {
            reason: Reason::TerminalSideDied,
            status: exit::signal_status(libc::SIGKILL),
            lost: None,
            seconds: None,
        }
    }

    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::Failure { .. }
            | Self::Refused
            | Self::NotAdmitted { .. }
            | Self::Unjudged { .. }
            | Self::Terminated
            | Self::Unseen => Severity::Error,
            Self::Survivor { reason, .. } if *reason != Reason::Hangup => Severity::Error,
            Self::Survivor { .. }
            | Self::Disconnected
            | Self::Recovery { .. }
            | Self::Gap { .. }
            | Self::End { lost: None | Some(1..), .. } => Severity::Warning,
            Self::Start | Self::End { .. } => Severity::Info,
        }
    }
}

/// The event as one line of text, without control characters.
#[must_use]
pub fn message(identity: &Identity, happening: &Happening) -> String {
    let what = match happening {
        Happening::Start => "session started".to_owned(),
        Happening::Failure { error, cause } => format!("recording failed: {cause}; error={error}"),
        Happening::Recovery { bytes, lost, seconds } => {
            format!("recording resumed; bytes={bytes} lost={lost} seconds={seconds:.3}")
        }
        Happening::Gap { error, lost } => format!("output was dropped; error={error} lost={lost}"),
        Happening::Refused => "session refused by strict mode".to_owned(),
        Happening::NotAdmitted { cause } => format!("login not admitted: {}", escape::controls(cause)),
        Happening::Unjudged { cause } => {
            format!("roles could not be judged, strict holds: {}", escape::controls(cause))
        }
        Happening::Terminated => "session terminated by strict mode".to_owned(),
        Happening::Disconnected => "terminal hung up, the command goes on".to_owned(),
        Happening::Survivor { pid, program, reason } => {
            let what =
                if *reason == Reason::Hangup { "lives on after the hang-up" } else { "could not be ended" };
            let program = escape::controls(program).replace('"', "\\\"");
            format!("a process {what}; pid={pid} program=\"{program}\"")
        }
        Happening::Unseen => {
            "processes may live on unseen: there is neither /proc nor a control group".to_owned()
        }
        Happening::End { reason, status, lost, seconds } => {
            let reason = serde_json::to_value(reason).ok();
            let reason = reason.as_ref().and_then(serde_json::Value::as_str).unwrap_or("?");
            let lost = lost.map_or("unknown".to_owned(), |lost| lost.to_string());
            let seconds = seconds.map_or(String::new(), |seconds| format!(" seconds={seconds:.3}"));
            format!("session ended; reason={reason} status={status} lost={lost}{seconds}")
        }
    };
    let Identity { session, user, mode, kind, because, recording } = identity;
    let decider = because
        .first()
        .map_or(String::new(), |Decider { role, option }| format!(" role={} option={option}", quoted(role)));
    let plain = |c: char| c.is_alphanumeric() || "._-$+@".contains(c);
    let user = if user.chars().all(plain) { user.clone() } else { quoted(user) };
    let recording = quoted(&recording.to_string_lossy());
    format!("{what} session={session} user={user} mode={mode} kind={kind}{decider} recording={recording}")
}

/// A value that may hold anything: in quotes, and nothing in it ends them.
pub(super) fn quoted(value: &str) -> String {
    format!("\"{}\"", escape::controls(&value.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// The event as a line of JSON, without control characters; `time` is RFC 3339.
#[must_use]
pub fn json(time: &str, identity: &Identity, happening: &Happening) -> String {
    #[derive(Serialize)]
    struct Line<'a> {
        time: &'a str,
        #[serde(flatten)]
        happening: &'a Happening,
        #[serde(flatten)]
        identity: &'a Identity,
    }
    let line = serde_json::to_string(&Line { time, happening, identity }).unwrap_or_default();
    escape::json(&line) + "\n"
}

/// A path need not be text, and JSON holds nothing else.
pub(super) fn as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::{Cause, Operation};

    fn identity() -> Identity {
        Identity {
            session: "1b9d".to_owned(),
            user: "al\nice".to_owned(),
            mode: Mode::Strict,
            kind: SessionKind::Ssh,
            because: vec![Decider { role: "ops \"a\"".to_owned(), option: "default".to_owned() }],
            recording: "/r/a.cast".into(),
        }
    }

    #[test]
    fn a_message_is_one_line_that_names_session_user_role_error_and_file() {
        let fault = Fault { during: Operation::Write, cause: Cause::Errno(libc::ENOSPC) };
        assert_eq!(
            message(&identity(), &Happening::failure(fault)),
            "recording failed: writing the recording: No space left on device (ENOSPC); error=ENOSPC session=1b9d \
             user=\"al\\nice\" mode=strict kind=ssh role=\"ops \\\"a\\\"\" option=default recording=\"/r/a.cast\""
        );
    }

    #[test]
    fn no_value_ends_its_own_quotes() {
        let recording = "/r/a\" status=0 x=\"\\".into();
        let user = "al ice".to_owned();
        assert_eq!(
            message(&Identity { recording, user, because: Vec::new(), ..identity() }, &Happening::Start),
            "session started session=1b9d user=\"al ice\" mode=strict kind=ssh recording=\"/r/a\\\" status=0 x=\\\"\\\\\""
        );
    }

    #[test]
    fn a_json_line_holds_event_and_identity() {
        let line = json(
            "2026-01-01T00:00:00Z",
            &identity(),
            &Happening::Recovery { bytes: 9, lost: 1, seconds: 0.5 },
        );
        let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(value["event"], "recovery");
        assert_eq!(value["lost"], 1);
        assert_eq!(value["user"], "al\nice");
        assert_eq!(line.matches('\n').count(), 1);
    }
    #[test]
    fn a_json_line_shows_no_control_character_and_stands_for_every_path() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;

        let recording = OsStr::from_bytes(b"/r/\xff\x7f\xc2\x9b31m.cast").into();
        let line = json("2026-01-01T00:00:00Z", &Identity { recording, ..identity() }, &Happening::Start);
        assert!(line.contains("\"/r/\u{fffd}\\u007f\\u009b31m.cast\""), "{line}");
        assert!(!line.trim_end().chars().any(char::is_control), "{line:?}");
        let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(value["recording"], "/r/\u{fffd}\u{7f}\u{9b}31m.cast");
    }
}
