//! What a recording consists of, as values.

use std::collections::BTreeMap;

use serde::Deserialize;

pub use crate::recording::SftpFile;

/// The version of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// One JSON document; times are intervals.
    V1,
    /// Times of events are absolute.
    V2,
    /// Times of events are intervals; lines that start with `#` are comments.
    V3,
}

/// The first line.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// The version of the format.
    pub version: Version,
    /// The terminal's columns.
    pub cols: u16,
    /// The terminal's rows.
    pub rows: u16,
    /// The terminal's type: v3's `term.type`, v2's `env.TERM`.
    pub term_type: Option<String>,
    /// When the session started, in seconds since 1970.
    pub timestamp: Option<i64>,
    /// The command that was recorded.
    pub command: Option<String>,
    /// The recording's title.
    pub title: Option<String>,
    /// The environment variables that were kept.
    pub env: BTreeMap<String, String>,
    /// The terminal's colours: v3's `term.theme`, v2's `theme`.
    pub theme: Option<serde_json::Value>,
    /// recmode's own object; other tools' recordings have none.
    pub recmode: Option<serde_json::Value>,
    /// Keys that are not known here.
    pub other: BTreeMap<String, serde_json::Value>,
}

/// What an event is. Events of other codes are skipped; their times count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// `o`: the session printed this.
    Output,
    /// `e`: the session printed this to standard error; only where it had no terminal.
    ErrorOutput,
    /// `i`: the user typed this.
    Input,
    /// `r`: the terminal has a new size, `COLSxROWS`.
    Resize,
    /// `m`: a marker, with its label.
    Marker,
    /// `x`: the session ended, with its exit status in decimal.
    Exit,
}

impl Code {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "o" => Some(Self::Output),
            "e" => Some(Self::ErrorOutput),
            "i" => Some(Self::Input),
            "r" => Some(Self::Resize),
            "m" => Some(Self::Marker),
            "x" => Some(Self::Exit),
            _ => None,
        }
    }
}

/// Something that happened in the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The line of the file, from 1.
    pub line: u64,
    /// When, in microseconds since the start of the recording.
    pub time: u64,
    /// What it is.
    pub code: Code,
    /// Its text; bytes that were no UTF-8 are U+FFFD here.
    pub data: String,
    pub(super) raw: Option<Vec<u8>>,
}

impl Event {
    /// The bytes as the session had them: those of the raw record directly before the event, if
    /// there is one, else the text's.
    #[must_use]
    pub fn exact_bytes(&self) -> &[u8] {
        self.raw.as_deref().unwrap_or(self.data.as_bytes())
    }
}

/// Output came while the recording failed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Gap {
    /// How many bytes came.
    pub bytes: u64,
    /// How long it lasted.
    pub seconds: f64,
    /// How many of the bytes are not in the recording.
    pub lost: u64,
    /// How many bytes of input are not in the recording, where input is recorded.
    #[serde(default)]
    pub lost_input: u64,
    /// The error's name, such as `ENOSPC`.
    pub error: String,
}

/// What went through the streams of a session without a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Streams {
    /// Bytes to standard input.
    pub stdin: u64,
    /// Bytes from standard output.
    pub stdout: u64,
    /// Bytes from standard error.
    pub stderr: u64,
}

/// The recording was closed; without this at its end it is incomplete.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct End {
    /// Why.
    pub reason: String,
    /// The exit status of `record`.
    pub status: Option<i64>,
    /// Bytes of output that were recorded.
    pub bytes: Option<u64>,
    /// When it ended, in seconds since the start. Older recorders did not say.
    pub seconds: Option<f64>,
    /// How many gaps there are; `None` where the recorder did not count.
    pub gaps: Option<u64>,
    /// Bytes of output that are in no file, over all gaps.
    pub lost: Option<u64>,
}

impl End {
    /// How long the session was, in microseconds, where the record has a possible value.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        let seconds = self.seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "in range, and saturating"
        )]
        Some((seconds * 1e6).round() as u64)
    }
}

/// What a recording consists of, after its header.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// An event.
    Event(Event),
    /// A gap record.
    Gap(Gap),
    /// A record of streams.
    Streams(Streams),
    /// The next piece of the command, where the header does not hold all of it.
    Command(Vec<u8>),
    /// A file that was transferred by sftp.
    Sftp(SftpFile),
    /// An end record.
    End(End),
    /// The recording is cut off in this line, or right before the event whose exact bytes this line holds; nothing
    /// follows. A last line that only lacks its newline is whole. A line with a newline is never a torn one: if it is
    /// wrong, it is an error wherever it is.
    TornTail {
        /// The line of the file, from 1.
        line: u64,
    },
}
