//! Machine records: what recmode notes beside the events, where players don't look.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use super::chain;

/// A machine record: the JSON after `#recmode ` (asciicast v3) or in an `R` event (v2).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// The exact bytes of the event that follows.
    Raw {
        /// The event's code.
        code: char,
        /// Its bytes, standard base64.
        base64: String,
    },
    /// A piece of the command, where the header does not hold all of it; the pieces in order are the whole.
    Command {
        /// The piece, where the command is UTF-8.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// Its bytes where it is not, standard base64.
        #[serde(skip_serializing_if = "Option::is_none")]
        base64: Option<String>,
    },
    /// The size of a window that the header or the next event has clamped.
    Window {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// A time in which the recording failed.
    Gap(Gap),
    /// The hash of all bytes of the file before this value, in hexadecimal.
    Check(Cow<'static, str>),
    /// Bytes that went through the streams of a session without a terminal.
    Streams(StreamBytes),
    /// A file of a transfer by sftp.
    Sftp(SftpFile),
    /// The last record of a recording that was closed.
    End {
        /// Why it ended.
        reason: Reason,
        /// `record`'s exit status, where it is known.
        status: Option<u8>,
        /// Bytes of output in the recording, in all its files.
        bytes: u64,
        /// When it ended, in seconds since the session began: the tail of the file tells its length.
        seconds: f64,
        /// How many gaps there are, in all its files.
        gaps: u64,
        /// Bytes of output that are in none of them.
        lost: u64,
    },
}

impl Record {
    /// A check with room for its value.
    pub const EMPTY_CHECK: Self = Self::Check(Cow::Borrowed(chain::NO_VALUE));

    /// A piece of the command.
    #[must_use]
    pub fn command(piece: &[u8]) -> Self {
        match str::from_utf8(piece) {
            Ok(text) => Self::Command { text: Some(text.to_owned()), base64: None },
            Err(_) => Self::Command { text: None, base64: Some(BASE64_STANDARD.encode(piece)) },
        }
    }
}

/// A file that a client of sftp opened: once when it was opened, and once when it was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SftpFile {
    /// The name as the client gave it; bytes that are no UTF-8 are U+FFFD here.
    pub name: String,
    /// Its exact bytes where that is not them, standard base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// Bytes that were read of it.
    pub read: u64,
    /// Bytes that were written to it.
    pub written: u64,
    /// It was opened, and the counts are to come.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub open: bool,
}

impl SftpFile {
    /// The file that a frame of the ring holds.
    pub(super) fn of_payload(payload: &[u8]) -> Option<Self> {
        let (&open, rest) = payload.split_first()?;
        let (&read, rest) = rest.split_first_chunk()?;
        let (&written, name) = rest.split_first_chunk()?;
        let text = String::from_utf8_lossy(name);
        Some(Self {
            base64: matches!(text, Cow::Owned(_)).then(|| BASE64_STANDARD.encode(name)),
            name: text.into_owned(),
            read: u64::from_le_bytes(read),
            written: u64::from_le_bytes(written),
            open: open == 1,
        })
    }
}

/// Bytes that went through a command's standard streams, whether they are recorded or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct StreamBytes {
    /// To its standard input.
    pub stdin: u64,
    /// From its standard output.
    pub stdout: u64,
    /// From its standard error.
    pub stderr: u64,
}

/// A gap: a failure that the session outlived.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gap {
    /// Bytes of output that came while the disk failed.
    pub bytes: u64,
    /// How long it failed.
    pub seconds: f64,
    /// How many of those bytes are not in the recording.
    pub lost: u64,
    /// How many bytes of input are not in the recording, where input is recorded.
    #[serde(skip_serializing_if = "is_zero")]
    pub lost_input: u64,
    /// An errno's name, or a word.
    pub error: String,
}

/// Microseconds as the records have them.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "exact to the microsecond for 285 years")]
pub fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Why a recording ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The command ended by itself.
    Exit,
    /// The command could not be started.
    NotStarted,
    /// recmode was ended by a signal.
    Signal,
    /// The user's terminal went away.
    Hangup,
    /// The file or device that output went to failed.
    OutputFailed,
    /// Strict mode ended the session, as the recording failed.
    Strict,
    /// The process that served the terminal died.
    TerminalSideDied,
    /// The recorder died; the record was added later.
    Recovered,
}

/// How a session ended: what the terminal side tells the recording side last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Why.
    pub reason: Reason,
    /// `record`'s exit status.
    pub status: u8,
}
