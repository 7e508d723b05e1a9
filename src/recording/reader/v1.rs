//! asciicast v1: one JSON document, its events in `stdout` as pairs of an interval and a text.
//!
//! Format: <https://docs.asciinema.org/manual/asciicast/v1/>. The document is bounded and kept
//! whole; one that was cut off is read up to where it ends.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, Read as _};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::decode::Fault;
use super::head::Cells;
use super::{Code, Ending, Event, Header, Item, MAX_V1, ReadError, Version, time};

/// What was found in the document so far.
#[derive(Default)]
struct Document {
    version: Option<u64>,
    cols: Option<u16>,
    rows: Option<u16>,
    command: Option<String>,
    title: Option<String>,
    env: BTreeMap<String, String>,
    /// The sum of the intervals in nanoseconds.
    time: u64,
    events: Vec<Item>,
}

/// Reads a document whose first line is `first`, the rest of it still in `input`. `None` where this
/// is no recording of version 1.
pub(super) fn read(
    first: &[u8],
    ending: &Ending,
    input: &mut impl BufRead,
) -> Result<Option<(Header, Vec<Item>)>, ReadError> {
    if !first.starts_with(b"{") {
        return Ok(None);
    }
    // A complete first line that says another version need not be read on.
    if *ending == Ending::Newline
        && let Ok(Version1 { version }) = serde_json::from_slice(first)
        && version != 1
    {
        return Ok(None);
    }
    let mut text = first.to_vec();
    if *ending == Ending::Newline {
        text.push(b'\n');
    }
    let mut cut = false;
    if matches!(ending, Ending::Newline | Ending::TooLong) {
        let most = (MAX_V1 + 1).saturating_sub(text.len()) as u64;
        match input.by_ref().take(most).read_to_end(&mut text) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => cut = true,
            Err(source) => return Err(ReadError::Io { line: 2, source }),
        }
    }
    let mut document = Document::default();
    let valid = text.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let mut deserializer = serde_json::Deserializer::from_str(valid);
    let parsed = Whole(&mut document).deserialize(&mut deserializer);
    if document.version != Some(1) {
        return Ok(None);
    }
    if text.len() > MAX_V1 {
        return Err(ReadError::TooLargeV1);
    }
    let (Some(cols), Some(rows)) = (document.cols, document.rows) else {
        return Err(Fault::new("a recording of asciicast v1 without width and height").in_line(1));
    };
    let mut items = document.events;
    match parsed.and_then(|()| deserializer.end()) {
        Ok(()) if !cut && valid.len() == text.len() => {}
        Err(error) if !error.is_eof() && !is_at_end(&error, &text) => {
            let line = error.line() as u64;
            return Err(Fault::json(&error).in_line(line));
        }
        _ => items.push(Item::TornTail { line: memchr::memchr_iter(b'\n', &text).count() as u64 + 1 }),
    }
    let header = Header {
        version: Version::V1,
        cols,
        rows,
        term_type: document.env.get("TERM").cloned(),
        timestamp: None,
        command: document.command,
        title: document.title,
        env: document.env,
        theme: None,
        recmode: None,
        other: BTreeMap::new(),
    };
    Ok(Some((header, items)))
}

/// Whether the error is about the last byte: a number or word that was cut is no end to the parser.
fn is_at_end(error: &serde_json::Error, text: &[u8]) -> bool {
    let last_line = memchr::memrchr(b'\n', text).map_or(0, |newline| newline + 1);
    error.line() == memchr::memchr_iter(b'\n', text).count() + 1 && error.column() >= text.len() - last_line
}

#[derive(serde::Deserialize)]
struct Version1 {
    version: u64,
}

/// Fills the document as its keys come, so that what came before a cut is there.
struct Whole<'a>(&'a mut Document);

impl<'de> DeserializeSeed<'de> for Whole<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Whole<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an asciicast v1 object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(document) = self;
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            match key.as_ref() {
                "version" => document.version = Some(map.next_value()?),
                "width" => document.cols = Some(map.next_value::<Cells>()?.0),
                "height" => document.rows = Some(map.next_value::<Cells>()?.0),
                "command" => document.command = map.next_value()?,
                "title" => document.title = map.next_value()?,
                "env" => {
                    let env: Option<BTreeMap<String, Option<String>>> = map.next_value()?;
                    document.env =
                        env.into_iter().flatten().filter_map(|(name, value)| Some((name, value?))).collect();
                }
                "stdout" => map.next_value_seed(Events(document))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// The list of events.
struct Events<'a>(&'a mut Document);

impl<'de> DeserializeSeed<'de> for Events<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Events<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of [interval, text]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        use serde::de::Error as _;
        let Self(document) = self;
        while let Some((interval, data)) = list.next_element::<(&RawValue, String)>()? {
            let interval = time::nanoseconds(interval.get())
                .ok_or_else(|| A::Error::custom("an interval is no number of seconds"))?;
            document.time =
                document.time.checked_add(interval).ok_or_else(|| A::Error::custom(time::TOO_LATE))?;
            let time = time::microseconds(document.time);
            document.events.push(Item::Event(Event { line: 1, time, code: Code::Output, data, raw: None }));
        }
        Ok(())
    }
}
