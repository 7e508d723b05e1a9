//! The recording's first line, but for what differs between the versions of the format. Pure.
//!
//! What a client or a role file puts into it has bounds, so that readers, which take a header up to
//! [`reader::MAX_HEADER`](super::reader::MAX_HEADER), can read what the writer writes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Record, incomplete_tail};
use crate::policy::{Mode, SessionKind};

/// The most columns, and rows, of a window in a recording: what readers render. The terminal itself keeps its size.
pub const MAX_WINDOW: u16 = 1000;

/// The most bytes of the command in the header; machine records after it hold all of a longer one.
const MOST_COMMAND: usize = 64 << 10;
/// The most bytes of a command in one machine record.
const COMMAND_PIECE: usize = 1 << 20;
/// The most bytes of a title, and of the shell's path.
const MOST_TITLE: usize = 4 << 10;
/// The most bytes of TERM, of a role's, a user's and a host's name.
const MOST_NAME: usize = 1 << 10;
/// The most bytes of a list of role names, and what an entry takes besides its texts.
const MOST_ROLES: usize = 16 << 10;
const ENTRY: usize = 32;
/// The most seconds of a session before a file of it: times of events are sums of nanoseconds in 64 bits.
const MOST_SECONDS: f64 = 9e9;
/// Ends a text that is cut.
const CUT: char = '…';

/// What a recording says of itself.
#[derive(Debug, Clone)]
pub struct Header {
    /// The session's terminal.
    pub term: Term,
    /// When the session began, seconds since the epoch.
    pub timestamp: i64,
    /// The command line, joined by spaces.
    pub command: Vec<u8>,
    /// The title, if one was given.
    pub title: Option<String>,
    /// SHELL and TERM as the command gets them.
    pub env: BTreeMap<&'static str, String>,
    /// What only recmode knows.
    pub session: Session,
}

/// The terminal when the session began.
#[derive(Debug, Clone, Serialize)]
pub struct Term {
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
    /// Its type, as in TERM.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// The header's `recmode` object.
#[derive(Debug, Clone, Serialize)]
pub struct Session {
    /// recmode's version.
    pub version: &'static str,
    /// The session's id, as in RECMODE_SESSION.
    pub session: String,
    /// The mode that was enforced.
    pub mode: Mode,
    /// The kind that the mode was resolved for.
    pub kind: SessionKind,
    /// The names of the roles that it was resolved from; none where it was given.
    pub roles: Vec<String>,
    /// What decided the mode.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Decider>,
    /// The user, by the real user id.
    pub user: String,
    /// The host's name.
    pub host: String,
    /// For a session without a terminal: how much of its streams is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub streams: Option<StreamCapture>,
    /// The hash that checks the file as it goes on.
    pub chain: &'static str,
    /// For a file that goes on where another could not: its number, from 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment: Option<u32>,
    /// For such a file: the name of the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// For such a file: the one before it, and where in the session this one begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continues: Option<Continues>,
    /// The fields of the header that do not hold all that there was; filled in by the writer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clamped: Vec<&'static str>,
}

/// Where a file of a session goes on after another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Continues {
    /// The number of the file before this one, from 1.
    pub segment: u32,
    /// Its name, a hint.
    pub file: String,
    /// How many bytes of it count: what follows them was not accepted. Unknown where its recorder was killed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The BLAKE3 hash of those bytes, hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blake3: Option<String>,
    /// When this file begins, in seconds since the session began. In asciicast v3 its first interval counts from there.
    pub time: f64,
    /// Bytes of the session's output up to there, whether they are recorded or lost.
    pub output: u64,
}

impl Continues {
    /// When the file begins, in microseconds since the session began, where that is a possible value.
    #[must_use]
    pub fn begins(&self) -> Option<u64> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
        (0.0..=MOST_SECONDS).contains(&self.time).then(|| (self.time * 1e6).round() as u64)
    }
}

/// The fields of a header within their bounds.
#[derive(Debug)]
pub(super) struct Bounded {
    pub(super) term: Term,
    pub(super) command: String,
    pub(super) title: Option<String>,
    pub(super) env: BTreeMap<&'static str, String>,
    /// With the names of the fields that were cut.
    pub(super) session: Session,
}

impl Header {
    /// The fields within their bounds.
    pub(super) fn bounded(&self) -> Bounded {
        let mut clamped = Vec::new();
        let mut cut = |name, text: &str, most| {
            let (text, whole) = shortened(text, most);
            if !whole && !clamped.contains(&name) {
                clamped.push(name);
            }
            text
        };
        let command = cut("command", &String::from_utf8_lossy(&self.command), MOST_COMMAND);
        let title = self.title.as_ref().map(|title| cut("title", title, MOST_TITLE));
        let kind = self.term.kind.as_ref().map(|kind| cut("term", kind, MOST_NAME));
        let env = self.env.iter().map(|(&name, value)| {
            let most = if name == "TERM" { MOST_NAME } else { MOST_TITLE };
            (name, cut("env", value, most))
        });
        let env = env.collect();
        let mut session = self.session.clone();
        session.user = cut("user", &session.user, MOST_NAME);
        session.host = cut("host", &session.host, MOST_NAME);
        for role in &mut session.roles {
            *role = cut("roles", role, MOST_NAME);
        }
        for Decider { role, option } in &mut session.because {
            (*role, *option) = (cut("because", role, MOST_NAME), cut("because", option, MOST_NAME));
        }
        let term = Term { cols: self.term.cols.min(MAX_WINDOW), rows: self.term.rows.min(MAX_WINDOW), kind };
        let mut note = |name, is_cut: bool| {
            if is_cut && !clamped.contains(&name) {
                clamped.push(name);
            }
        };
        note("roles", limit(&mut session.roles, String::len));
        note("because", limit(&mut session.because, |decider| decider.role.len() + decider.option.len()));
        note("term", (term.cols, term.rows) != (self.term.cols, self.term.rows));
        session.clamped = clamped;
        Bounded { term, command, title, env, session }
    }

    /// The records that hold all of the command, in pieces, where the header does not.
    pub(super) fn command_records(&self) -> impl Iterator<Item = Record> {
        let text = str::from_utf8(&self.command);
        let whole = text.is_ok_and(|text| text.len() <= MOST_COMMAND);
        let mut rest = if whole { &[][..] } else { &self.command[..] };
        std::iter::from_fn(move || {
            // Not within a character, where there are any.
            let most = rest.len().min(COMMAND_PIECE);
            let tail = if text.is_ok() { incomplete_tail(&rest[..most]) } else { 0 };
            let (piece, after) = rest.split_at(most - tail);
            rest = after;
            (!piece.is_empty()).then(|| Record::command(piece))
        })
    }
}

/// A text of at most `most` bytes and a mark where it is cut, and whether it is whole.
fn shortened(text: &str, most: usize) -> (String, bool) {
    if text.len() <= most {
        return (text.to_owned(), true);
    }
    let mut text = text[..text.floor_char_boundary(most)].to_owned();
    text.push(CUT);
    (text, false)
}

/// Drops what a list has beyond [`MOST_ROLES`]; whether that was anything.
fn limit<T>(list: &mut Vec<T>, size: impl Fn(&T) -> usize) -> bool {
    let mut sum = 0;
    let kept = list.iter().take_while(|entry| {
        sum += size(entry) + ENTRY;
        sum <= MOST_ROLES
    });
    let (kept, all) = (kept.count(), list.len());
    list.truncate(kept);
    kept < all
}

/// A role's option that decided the mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decider {
    /// The role's name.
    pub role: String,
    /// The key under `record_session`.
    pub option: String,
}

/// How much of the streams of a session without a terminal is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamCapture {
    /// How many bytes went through each.
    Counts,
    /// The bytes, too.
    Content,
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;

    use super::*;
    use crate::recording::reader::{Item, MAX_HEADER, Reader};
    use crate::recording::{Encoder, Format};

    /// The header with texts of `len` of the character that takes most room in JSON.
    fn huge(len: usize, entries: usize) -> Header {
        let text = || "\u{1}".repeat(len);
        let decider = || Decider { role: text(), option: text() };
        Header {
            term: Term { cols: 1200, rows: u16::MAX, kind: Some(text()) },
            timestamp: 1,
            command: text().into_bytes(),
            title: Some(text()),
            env: BTreeMap::from([("SHELL", text()), ("TERM", text())]),
            session: Session {
                version: "1",
                session: "id".to_owned(),
                mode: Mode::Strict,
                kind: SessionKind::Ssh,
                roles: std::iter::repeat_with(text).take(entries).collect(),
                because: std::iter::repeat_with(decider).take(entries).collect(),
                user: text(),
                host: text(),
                streams: None,
                chain: "blake3",
                segment: None,
                first: None,
                continues: None,
                clamped: Vec::new(),
            },
        }
    }

    fn lines(format: Format, header: &Header) -> Vec<u8> {
        let mut out = Vec::new();
        Encoder::new(format, 0).header(header, &mut out);
        out
    }

    #[test]
    fn what_the_writer_writes_the_reader_reads_whatever_a_client_sent() {
        for (len, entries) in [(2 << 20, 100), (1, 30_000), (1000, 300)] {
            for format in [Format::AsciicastV3, Format::AsciicastV2] {
                let out = lines(format, &huge(len, entries));
                let first = memchr::memchr(b'\n', &out).expect("a line");
                assert!(first <= MAX_HEADER, "{len}, {entries}: {first} bytes");
                let reader = Reader::new(&out[..]).expect("a header");
                let header = reader.header();
                assert_eq!((header.cols, header.rows), (MAX_WINDOW, MAX_WINDOW));
                let clamped = &header.recmode.as_ref().expect("ours")["clamped"];
                let fields = clamped.as_array().expect("a list");
                for name in ["roles", "because", "term"] {
                    assert!(fields.iter().any(|field| field == name), "{name} in {clamped}");
                }
                assert!(reader.collect::<Result<Vec<Item>, _>>().is_ok());
            }
        }
    }

    #[test]
    fn what_fits_is_not_marked() {
        let mut header = huge(1000, 3);
        (header.term.cols, header.term.rows) = (MAX_WINDOW, 1);
        header.command = vec![b'a'; MOST_COMMAND];
        let bounded = header.bounded();
        assert!(bounded.session.clamped.is_empty(), "{:?}", bounded.session.clamped);
        assert_eq!(header.command_records().count(), 0);
        assert_eq!((bounded.command.len(), bounded.session.roles.len()), (MOST_COMMAND, 3));
    }

    #[test]
    fn a_cut_text_ends_in_a_mark_and_never_within_a_character() {
        assert_eq!(shortened("äöü", 3), ("ä…".to_owned(), false));
        assert_eq!(shortened("äöü", 6), ("äöü".to_owned(), true));
    }

    #[test]
    fn the_records_hold_all_of_a_long_or_odd_command() {
        let mut header = huge(0, 0);
        for command in [
            [vec![b' '; MOST_COMMAND + 1], b"; evil".to_vec()].concat(),
            "é".repeat(COMMAND_PIECE).into_bytes(),
            b"caf\xe9".to_vec(),
            vec![0xff; 3 * COMMAND_PIECE + 1],
        ] {
            header.command.clone_from(&command);
            let mut whole = Vec::new();
            for record in header.command_records() {
                match record {
                    Record::Command { text: Some(text), base64: None } => whole.extend(text.bytes()),
                    Record::Command { text: None, base64: Some(base64) } => {
                        whole.extend(BASE64_STANDARD.decode(base64).expect("base64"));
                    }
                    record => panic!("{record:?}"),
                }
            }
            assert!(whole == command, "{} bytes of {}", whole.len(), command.len());
        }
    }
}
