//! asciicast v2 and v3: events, their exact bytes and their times, and recmode's records. What is
//! dropped are comments, events of codes that are not known, and checks, which hold for one file only.

use std::io::{BufRead, Write};

use serde::Deserialize as _;
use serde_json::{Map, Value, json};

use super::ExportError;
use crate::recording::reader::{Code, Header, Item, Reader, Streams};
use crate::recording::{Encoder, Format, Gap, Reason, Record, StreamBytes};
use crate::screen::Ending;

pub(super) fn write(
    reader: Reader<impl BufRead>,
    format: Format,
    out: &mut impl Write,
) -> Result<Ending, ExportError> {
    let mut ending = if reader.header().recmode.is_some() { Ending::NoEnd } else { Ending::Complete };
    writeln!(out, "{}", header(reader.header(), format))?;
    let mut encoder = Encoder::new(format, 0);
    let mut lines = Vec::new();
    for item in reader {
        match item? {
            Item::Event(event) => {
                let code = match event.code {
                    Code::Output => 'o',
                    Code::ErrorOutput => 'e',
                    Code::Input => 'i',
                    Code::Resize => 'r',
                    Code::Marker => 'm',
                    Code::Exit => 'x',
                };
                if matches!(event.code, Code::Output | Code::ErrorOutput | Code::Input) {
                    encoder.bytes(event.time, code, event.exact_bytes(), &mut lines);
                } else {
                    encoder.event(event.time, code, &event.data, &mut lines);
                }
            }
            Item::Gap(gap) => {
                let gap = Gap {
                    bytes: gap.bytes,
                    seconds: gap.seconds,
                    lost: gap.lost,
                    lost_input: gap.lost_input,
                    error: gap.error,
                };
                encoder.record(&Record::Gap(gap), &mut lines);
            }
            Item::Streams(Streams { stdin, stdout, stderr }) => {
                encoder.record(&Record::Streams(StreamBytes { stdin, stdout, stderr }), &mut lines);
            }
            Item::Command(piece) => encoder.record(&Record::command(&piece), &mut lines),
            Item::Sftp(file) => encoder.record(&Record::Sftp(file), &mut lines),
            Item::End(end) => {
                ending = Ending::Complete;
                // A reason of a later version has no name here.
                if let Ok(reason) = Reason::deserialize(&Value::String(end.reason)) {
                    let record = Record::End {
                        reason,
                        status: end.status.and_then(|status| u8::try_from(status).ok()),
                        bytes: end.bytes.unwrap_or_default(),
                        seconds: end
                            .seconds
                            .unwrap_or_else(|| crate::recording::seconds(encoder.last_time())),
                        gaps: end.gaps.unwrap_or_default(),
                        lost: end.lost.unwrap_or_default(),
                    };
                    encoder.record(&record, &mut lines);
                }
            }
            Item::TornTail { line } => ending = Ending::Torn { line },
        }
        out.write_all(&lines)?;
        lines.clear();
    }
    Ok(ending)
}

/// The chain is that of the other file, whose checks are not here; and an export is all of its session in one file.
fn without_chain(mut recmode: Value) -> Value {
    if let Some(object) = recmode.as_object_mut() {
        for key in ["chain", "segment", "first", "continues"] {
            object.remove(key);
        }
    }
    recmode
}

/// The first line.
fn header(header: &Header, format: Format) -> Value {
    let mut object = Map::new();
    let mut env = header.env.clone();
    match format {
        Format::AsciicastV2 => {
            object.insert("version".to_owned(), json!(2));
            object.insert("width".to_owned(), json!(header.cols));
            object.insert("height".to_owned(), json!(header.rows));
            if let Some(kind) = &header.term_type {
                env.entry("TERM".to_owned()).or_insert_with(|| kind.clone());
            }
            if let Some(theme) = &header.theme {
                object.insert("theme".to_owned(), theme.clone());
            }
        }
        Format::AsciicastV3 => {
            object.insert("version".to_owned(), json!(3));
            let mut term = json!({ "cols": header.cols, "rows": header.rows });
            for (key, value) in
                [("type", header.term_type.clone().map(Value::String)), ("theme", header.theme.clone())]
            {
                if let Some(value) = value {
                    term[key] = value;
                }
            }
            object.insert("term".to_owned(), term);
        }
    }
    let text = |text: &Option<String>| text.clone().map(Value::String);
    for (key, value) in [
        ("timestamp", header.timestamp.map(Value::from)),
        ("command", text(&header.command)),
        ("title", text(&header.title)),
        ("env", (!env.is_empty()).then(|| json!(env))),
        ("recmode", header.recmode.clone().map(without_chain)),
    ] {
        if let Some(value) = value {
            object.insert(key.to_owned(), value);
        }
    }
    for (key, value) in &header.other {
        object.entry(key.clone()).or_insert_with(|| value.clone());
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::recording::reader::Event;

    fn exported(text: &[u8], format: Format) -> Vec<u8> {
        let mut out = Vec::new();
        write(Reader::new(text).expect("a header"), format, &mut out).expect("exported");
        out
    }

    fn items(text: &[u8]) -> (Header, Vec<Item>) {
        let reader = Reader::new(text).expect("a header");
        (reader.header().clone(), reader.map(|item| item.expect("an item")).collect())
    }

    /// Time, code and exact bytes of each event, and the records as they are.
    fn facts(items: &[Item]) -> Vec<(u64, Option<Code>, Vec<u8>)> {
        let fact = |item: &Item| match item {
            Item::Event(event @ Event { time, code, .. }) => {
                (*time, Some(*code), event.exact_bytes().to_vec())
            }
            other => (0, None, format!("{other:?}").into_bytes()),
        };
        items.iter().map(fact).collect()
    }

    const HEADERS: [&str; 2] = [
        r##"{"version":3,"term":{"cols":80,"rows":24,"type":"xterm","theme":{"fg":"#ffffff"}},"timestamp":5,"command":"sh","env":{"SHELL":"sh","TERM":"xterm"},"recmode":{"mode":"strict"},"idle_time_limit":2.5,"tags":["a"]}"##,
        r##"{"version":2,"width":80,"height":24,"timestamp":5,"title":"t","theme":{"fg":"#ffffff"}}"##,
    ];

    proptest! {
        #[test]
        fn to_version_2_and_back_or_to_3_every_byte_and_microsecond_is_kept(
            events in prop::collection::vec(
                (0_u64..5_000_000_000, prop::sample::select(vec!['o', 'i', 'm', 'r', 'x', 'g']),
                 prop::collection::vec(any::<u8>(), 0..40)),
                0..30),
            which in 0_usize..2,
        ) {
            let format = [Format::AsciicastV3, Format::AsciicastV2][which];
            let mut text = format!("{}\n", HEADERS[which]).into_bytes();
            let mut encoder = Encoder::new(format, 0);
            let mut time = 0;
            for (interval, code, bytes) in events {
                time += interval;
                match code {
                    'o' | 'i' => encoder.bytes(time, code, &bytes, &mut text),
                    'g' => {
                        let gap = Gap { bytes: 1, seconds: 0.5, lost: 1, lost_input: 2, error: "EIO".to_owned() };
                        encoder.record(&Record::Gap(gap), &mut text);
                    }
                    code => encoder.event(time, code, &String::from_utf8_lossy(&bytes), &mut text),
                }
            }
            let (header, before) = items(&text);
            let v2 = exported(&text, Format::AsciicastV2);
            let v3 = exported(&v2, Format::AsciicastV3);
            for text in [&v2, &v3, &exported(&text, Format::AsciicastV3)] {
                let (same, after) = items(text);
                prop_assert_eq!(facts(&before), facts(&after));
                prop_assert_eq!((&same.recmode, &same.other, &same.theme), (&header.recmode, &header.other, &header.theme));
                prop_assert_eq!((same.cols, same.rows, same.timestamp), (80, 24, Some(5)));
            }
        }
    }
}
