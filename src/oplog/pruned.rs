//! What retention removed, for the operator's log.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::event::{as_text, quoted};
use super::file::append_line;
use super::{LogSocket, Severity};
use crate::escape;

/// A file that `prune` removed.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename = "pruned")]
pub struct Removal {
    /// The session's id, as the recording tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The owner's name, or the user id where it has none.
    pub owner: String,
    /// The owner's user id.
    pub uid: u32,
    /// Bytes that the file had on the disk.
    pub bytes: u64,
    /// When it was written to last, RFC 3339.
    pub modified: Option<String>,
    /// `age`, `total` or `free`.
    pub reason: &'static str,
    /// The file.
    #[serde(serialize_with = "as_text")]
    pub recording: PathBuf,
}

impl Removal {
    /// As one line of text, without control characters.
    #[must_use]
    pub fn message(&self) -> String {
        let Self { session, owner, uid, bytes, modified, reason, recording } = self;
        let session = session.as_deref().map_or(String::new(), |id| format!(" session={}", quoted(id)));
        let modified = modified.as_deref().unwrap_or("unknown");
        let (owner, recording) = (quoted(owner), quoted(&recording.to_string_lossy()));
        format!(
            "recording removed; reason={reason} owner={owner} uid={uid} bytes={bytes} modified={modified}{session} \
             recording={recording}"
        )
    }

    /// As a line of JSON, without control characters; `time` is RFC 3339.
    #[must_use]
    pub fn json(&self, time: &str) -> String {
        #[derive(Serialize)]
        struct Line<'a> {
            time: &'a str,
            #[serde(flatten)]
            removal: &'a Removal,
        }
        let line = serde_json::to_string(&Line { time, removal: self }).unwrap_or_default();
        escape::json(&line) + "\n"
    }
}

/// The operator's log for removals: a file, or the machine's log where there is one. Unlike a session it waits for the
/// log, as nothing else tells what is gone.
#[derive(Debug)]
pub enum RemovalLog {
    /// A file of JSON lines.
    File(PathBuf),
    /// journald or syslog.
    Machine(Option<LogSocket>),
}

impl RemovalLog {
    /// Opens the file, or else the machine's log.
    ///
    /// # Errors
    /// That nothing can be appended to the file.
    pub fn open(file: Option<&Path>) -> io::Result<Self> {
        let Some(file) = file else { return Ok(Self::Machine(LogSocket::connect_waiting())) };
        append_line(file, b"")?;
        Ok(Self::File(file.to_owned()))
    }

    /// Logs a removal.
    ///
    /// # Errors
    /// That it could not be written.
    pub fn write(&self, removal: &Removal) -> io::Result<()> {
        let now = jiff::Timestamp::now();
        match self {
            Self::File(path) => append_line(path, removal.json(&now.to_string()).as_bytes()),
            Self::Machine(Some(socket)) => {
                socket.send_text(now.as_second(), &removal.message(), Severity::Info, &removal.fields())
            }
            Self::Machine(None) => Ok(()),
        }
    }
}

impl Removal {
    /// Further fields for journald; no value has a newline.
    fn fields(&self) -> String {
        format!("RECMODE_EVENT=pruned\nRECMODE_UID={}\nRECMODE_REASON={}\n", self.uid, self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removal_is_one_line_and_no_value_ends_its_own_quotes() {
        let removal = Removal {
            session: Some("5d\n3c".to_owned()),
            owner: "alice".to_owned(),
            uid: 1000,
            bytes: 4096,
            modified: Some("2026-01-01T00:00:00Z".to_owned()),
            reason: "free",
            recording: "/r/a\" uid=0.cast".into(),
        };
        assert_eq!(
            removal.message(),
            "recording removed; reason=free owner=\"alice\" uid=1000 bytes=4096 modified=2026-01-01T00:00:00Z \
             session=\"5d\\n3c\" recording=\"/r/a\\\" uid=0.cast\""
        );
        let line = removal.json("2026-02-01T00:00:00Z");
        let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(line.matches('\n').count(), 1);
        assert_eq!((&value["event"], &value["reason"]), (&"pruned".into(), &"free".into()));
        assert_eq!((&value["recording"], &value["uid"]), (&"/r/a\" uid=0.cast".into(), &1000.into()));
    }
}
