//! One line of a recording to a value: events, machine records. Pure.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Code, End, Gap, ReadError, SftpFile, Streams, Version, event, time};
use crate::escape;

/// What a line holds.
pub(super) enum Line {
    /// An event; `time` in nanoseconds as written: absolute in v2, since the last event in v3.
    Event { time: u64, code: Code, data: String },
    /// An event of a code that is not ours to know; its time still counts.
    OtherEvent { time: u64 },
    /// The exact bytes of the event of this code on the next line.
    Raw(Code, Vec<u8>),
    /// Output came while the recording failed.
    Gap(Gap),
    /// What went through the streams of a session without a terminal.
    Streams(Streams),
    /// A piece of the command.
    Command(Vec<u8>),
    /// A file that was transferred by sftp.
    Sftp(SftpFile),
    /// The recording was closed.
    End(End),
    /// A blank line.
    Blank,
    /// A comment, or a record that is not known.
    Other,
}

/// Why a line is not what it should be; safe to print.
#[derive(Debug)]
pub(super) struct Fault {
    /// 1-based, in bytes, where it is known.
    pub(super) column: Option<usize>,
    pub(super) reason: String,
}

impl Fault {
    /// The error of this line.
    pub(super) fn in_line(self, line: u64) -> ReadError {
        ReadError::Invalid { line, column: self.column, reason: self.reason }
    }

    pub(super) fn new(reason: &str) -> Self {
        Self { column: None, reason: reason.to_owned() }
    }

    pub(super) fn json(error: &serde_json::Error) -> Self {
        // serde_json's own place would be read as a line of the file.
        let text = error.to_string();
        let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
        // A message can quote a whole string of the input.
        let reason = text.chars().take(160).collect::<String>();
        let column = (error.column() > 0).then(|| error.column());
        Self { column, reason: escape::controls(&reason) }
    }
}

/// Begins a machine record in version 3.
pub(super) const RECORD: &str = "#recmode ";

/// Whether the line is a whole JSON value, right or wrong: no beginning of an event or a record is.
pub(super) fn is_whole(version: Version, line: &str) -> bool {
    let json = line.strip_prefix(RECORD).filter(|_| version == Version::V3).unwrap_or(line);
    serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok()
}

/// What a line after the first holds.
pub(super) fn line(version: Version, line: &str) -> Result<Line, Fault> {
    if line.trim_ascii().is_empty() {
        return Ok(Line::Blank);
    }
    if line.starts_with('#') && version == Version::V3 {
        return match line.strip_prefix(RECORD).map(str::trim_ascii) {
            Some(json) if json.starts_with('{') => record(json),
            _ => Ok(Line::Other),
        };
    }
    if let Some((time, code, data)) = event::event(line) {
        return Ok(Line::Event { time, code, data });
    }
    let (time, code, data): (&RawValue, Cow<'_, str>, &RawValue) =
        serde_json::from_str(line).map_err(|error| Fault::json(&error))?;
    let time = time::nanoseconds(time.get())
        .ok_or_else(|| Fault::new("the event's time is no number of seconds from 0 to 2^64 nanoseconds"))?;
    let known = Code::from_name(&code);
    if known.is_none() && !(version == Version::V2 && code == "R") {
        return Ok(Line::OtherEvent { time });
    }
    let data: String = serde_json::from_str(data.get())
        .map_err(|_| Fault::new("the event's data is not a string, or not a valid one"))?;
    match known {
        Some(code) => Ok(Line::Event { time, code, data }),
        None if data.starts_with('{') => record(&data),
        None => Ok(Line::Other),
    }
}

/// A machine record.
fn record(json: &str) -> Result<Line, Fault> {
    #[derive(Deserialize)]
    struct Record<'a> {
        #[serde(borrow)]
        raw: Option<Raw<'a>>,
        gap: Option<Gap>,
        streams: Option<Streams>,
        #[serde(borrow)]
        command: Option<Piece<'a>>,
        sftp: Option<SftpFile>,
        end: Option<End>,
    }
    #[derive(Deserialize)]
    struct Raw<'a> {
        #[serde(borrow)]
        code: Cow<'a, str>,
        #[serde(borrow)]
        base64: Cow<'a, str>,
    }

    #[derive(Deserialize)]
    struct Piece<'a> {
        #[serde(borrow)]
        text: Option<Cow<'a, str>>,
        #[serde(borrow)]
        base64: Option<Cow<'a, str>>,
    }

    let record: Record<'_> = serde_json::from_str(json).map_err(|error| {
        let fault = Fault::json(&error);
        Fault { column: None, reason: format!("in a record of recmode's: {}", fault.reason) }
    })?;
    Ok(match record {
        Record { raw: Some(raw), .. } => {
            let code = Code::from_name(&raw.code)
                .filter(|code| matches!(code, Code::Output | Code::ErrorOutput | Code::Input));
            let code = code.ok_or_else(|| Fault::new("a raw record's code is none of o, e and i"))?;
            let bytes = BASE64.decode(raw.base64.as_bytes());
            Line::Raw(code, bytes.map_err(|_| Fault::new("a raw record's base64 is invalid"))?)
        }
        Record { gap: Some(gap), .. } => Line::Gap(gap),
        Record { streams: Some(streams), .. } => Line::Streams(streams),
        Record { command: Some(Piece { text: Some(text), .. }), .. } => {
            Line::Command(text.into_owned().into_bytes())
        }
        Record { command: Some(Piece { base64: Some(base64), .. }), .. } => {
            let piece = BASE64.decode(base64.as_bytes());
            Line::Command(piece.map_err(|_| Fault::new("a command record's base64 is invalid"))?)
        }
        Record { sftp: Some(file), .. } => Line::Sftp(file),
        Record { end: Some(end), .. } => Line::End(end),
        _ => Line::Other,
    })
}
