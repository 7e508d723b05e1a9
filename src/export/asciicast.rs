//! asciicast v2 and v3: events, their exact bytes and their times, and recmode's records. What is
//! dropped are comments, events of codes that are not known, and checks, which hold for one file only; and, with a
//! warning, what the format forbids and asciinema refuses.

use std::fmt::Display;
use std::io::{BufRead, Write};

use serde::Deserialize as _;
use serde_json::{Map, Value, json};

use super::{ExportError, Warning};
use crate::escape;
use crate::recording::reader::{Code, Event, Header, Item, Reader, Streams};
use crate::recording::{Encoder, Format, Gap, Reason, Record, StreamBytes};
use crate::screen::Ending;

pub(super) fn write(
    reader: Reader<impl BufRead>,
    format: Format,
    out: &mut impl Write,
    warnings: &mut Vec<Warning>,
) -> Result<Ending, ExportError> {
    let mut ending = if reader.header().recmode.is_some() { Ending::NoEnd } else { Ending::Complete };
    writeln!(out, "{}", header(reader.header(), format, warnings))?;
    let mut dropped = Dropped::default();
    let mut encoder = Encoder::new(format, 0);
    let mut lines = Vec::new();
    for item in reader {
        match item? {
            Item::Event(event) if !is_valid(event.code, &event.data) => dropped.note(&event),
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
    warnings.extend(dropped.warning());
    Ok(ending)
}

/// Events that are dropped because their data is invalid.
#[derive(Default)]
struct Dropped {
    /// The line of the first one, from 1, what it is, and its data.
    first: Option<(u64, &'static str, String)>,
    /// How many come after it.
    more: u64,
}

impl Dropped {
    fn note(&mut self, event: &Event) {
        if self.first.is_some() {
            self.more += 1;
            return;
        }
        let what = if event.code == Code::Resize { "resize" } else { "exit status" };
        self.first = Some((event.line, what, event.data.chars().take(40).collect()));
    }

    fn warning(self) -> Option<Warning> {
        let (line, what, data) = self.first?;
        let more = match self.more {
            0 => String::new(),
            1 => ", and 1 more invalid event".to_owned(),
            more => format!(", and {more} more invalid events"),
        };
        let text = format!("dropped the invalid {what} \"{}\"{more}", escape::controls(&data));
        Some(Warning { line: Some(line), text })
    }
}

/// Whether asciinema takes an event with this data; one that it doesn't take spoils the whole file for it.
fn is_valid(code: Code, data: &str) -> bool {
    match code {
        Code::Resize => data
            .split_once('x')
            .is_some_and(|(cols, rows)| cols.parse::<u16>().is_ok() && rows.parse::<u16>().is_ok()),
        Code::Exit => data.parse::<i32>().is_ok(),
        Code::Output | Code::ErrorOutput | Code::Input | Code::Marker => true,
    }
}

/// Whether a theme is what the format asks for: colours as `#rrggbb` for text and ground, and 8 or 16 of them,
/// separated by colons, as the palette.
fn is_theme(theme: &Value) -> bool {
    let is_colour = |text: &str| {
        text.strip_prefix('#')
            .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let text = |key: &str| theme.get(key).and_then(Value::as_str);
    let palette: Vec<&str> = text("palette").map(|palette| palette.split(':').collect()).unwrap_or_default();
    text("fg").is_some_and(is_colour)
        && text("bg").is_some_and(is_colour)
        && matches!(palette.len(), 8 | 16)
        && palette.into_iter().all(is_colour)
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

/// The value, unless it is invalid; what is dropped is among the warnings.
fn valid<T: Display>(
    key: &str,
    value: Option<T>,
    check: impl Fn(&T) -> bool,
    warnings: &mut Vec<Warning>,
) -> Option<T> {
    let value = value?;
    if check(&value) {
        return Some(value);
    }
    let shown: String = value.to_string().chars().take(40).collect();
    let text = format!("dropped the invalid {key} {}", escape::controls(&shown));
    warnings.push(Warning { line: Some(1), text });
    None
}

/// The first line.
fn header(header: &Header, format: Format, warnings: &mut Vec<Warning>) -> Value {
    let mut object = Map::new();
    let mut env = header.env.clone();
    let theme = valid("theme", header.theme.clone(), is_theme, warnings);
    let timestamp = valid("timestamp", header.timestamp, |&timestamp| timestamp >= 0, warnings);
    match format {
        Format::AsciicastV2 => {
            object.insert("version".to_owned(), json!(2));
            object.insert("width".to_owned(), json!(header.cols));
            object.insert("height".to_owned(), json!(header.rows));
            if let Some(kind) = &header.term_type {
                env.entry("TERM".to_owned()).or_insert_with(|| kind.clone());
            }
            if let Some(theme) = theme {
                object.insert("theme".to_owned(), theme);
            }
        }
        Format::AsciicastV3 => {
            object.insert("version".to_owned(), json!(3));
            let mut term = json!({ "cols": header.cols, "rows": header.rows });
            for (key, value) in [("type", header.term_type.clone().map(Value::String)), ("theme", theme)] {
                if let Some(value) = value {
                    term[key] = value;
                }
            }
            object.insert("term".to_owned(), term);
        }
    }
    let text = |text: &Option<String>| text.clone().map(Value::String);
    for (key, value) in [
        ("timestamp", timestamp.map(Value::from)),
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
        let check = |value: &Value| key != "idle_time_limit" || value.is_number() || value.is_null();
        if let Some(value) = valid(key, Some(value.clone()), check, warnings) {
            object.entry(key.clone()).or_insert(value);
        }
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with_warnings(text: &[u8], format: Format) -> (Vec<u8>, Vec<Warning>) {
        let (mut out, mut warnings) = (Vec::new(), Vec::new());
        write(Reader::new(text).expect("a header"), format, &mut out, &mut warnings).expect("exported");
        (out, warnings)
    }

    fn exported(text: &[u8], format: Format) -> Vec<u8> {
        with_warnings(text, format).0
    }

    const SIXTEEN: &str = "#000000:#111111:#222222:#333333:#444444:#555555:#666666:#777777:\
                           #888888:#999999:#aaaaaa:#bbbbbb:#cccccc:#dddddd:#eeeeee:#FFFFFF";

    #[test]
    fn what_asciinema_refuses_is_dropped_with_a_warning() {
        let text = concat!(
            "{\"version\":2,\"width\":80,\"height\":24,\"theme\":{},\"timestamp\":-5,\"idle_time_limit\":\"2\"}\n",
            "[0.5,\"o\",\"a\"]\n[1,\"r\",\"-1x0\"]\n[2,\"r\",\"100x50\"]\n[3,\"r\",\"70000x\\u001b\"]\n[4,\"x\",\"none\"]\n",
        );
        for format in [Format::AsciicastV2, Format::AsciicastV3] {
            let (out, warnings) = with_warnings(text.as_bytes(), format);
            let out = String::from_utf8(out).expect("UTF-8");
            assert_eq!(out.lines().count(), 3, "{out}");
            assert!(!out.contains("theme") && !out.contains("timestamp") && !out.contains("idle"), "{out}");
            let warnings: Vec<_> =
                warnings.iter().map(|warning| (warning.line, warning.text.as_str())).collect();
            assert_eq!(
                warnings,
                [
                    (Some(1), "dropped the invalid theme {}"),
                    (Some(1), "dropped the invalid timestamp -5"),
                    (Some(1), "dropped the invalid idle_time_limit \"2\""),
                    (Some(3), "dropped the invalid resize \"-1x0\", and 2 more invalid events"),
                ]
            );
        }
    }

    #[test]
    fn a_theme_is_kept_if_it_is_whole() {
        let eight = &SIXTEEN[..63];
        for (theme, kept) in [
            (json!({"fg": "#ffffff", "bg": "#000000", "palette": SIXTEEN}), true),
            (json!({"fg": "#ffffff", "bg": "#000000", "palette": eight, "name": "x"}), true),
            (json!({"fg": "#ffffff", "bg": "#000000", "palette": format!("{eight}:#000000")}), false),
            (json!({"fg": "#ffffff", "bg": "#000000", "palette": SIXTEEN.replace("#1", "#g")}), false),
            (json!({"fg": "#ffffff", "bg": "#000000"}), false),
            (json!({"fg": "ffffff", "bg": "#000000", "palette": SIXTEEN}), false),
            (json!({"fg": "#ffffff", "bg": 5, "palette": SIXTEEN}), false),
            (json!("dark"), false),
        ] {
            assert_eq!(is_theme(&theme), kept, "{theme}");
        }
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
        r##"{"version":3,"term":{"cols":80,"rows":24,"type":"xterm","theme":{"fg":"#ffffff","bg":"#000000","palette":"#000000:#111111:#222222:#333333:#444444:#555555:#666666:#777777"}},"timestamp":5,"command":"sh","env":{"SHELL":"sh","TERM":"xterm"},"recmode":{"mode":"strict"},"idle_time_limit":2.5,"tags":["a"]}"##,
        r##"{"version":2,"width":80,"height":24,"timestamp":5,"title":"t","theme":{"fg":"#ffffff","bg":"#000000","palette":"#000000:#111111:#222222:#333333:#444444:#555555:#666666:#777777"}}"##,
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
                    'r' => encoder.event(time, code, &format!("{}x{}", bytes.len(), interval % 1000), &mut text),
                    'x' => encoder.event(time, code, &bytes.len().to_string(), &mut text),
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
