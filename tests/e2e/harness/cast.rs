//! A reader of recordings of the tests' own, after the formats' pages and DESIGN §4.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// A recording, read leniently at its end only.
#[derive(Debug)]
pub(crate) struct Cast {
    pub(crate) version: u64,
    pub(crate) header: Value,
    pub(crate) lines: Vec<Line>,
    /// What follows the last newline.
    pub(crate) torn: Vec<u8>,
}

/// A line after the header.
#[derive(Debug)]
pub(crate) enum Line {
    Event {
        /// As in the file: an interval in v3, since the start in v2.
        time: f64,
        code: String,
        data: String,
    },
    /// A machine record.
    Record(Value),
    /// A comment that is none of recmode's.
    Comment,
}

impl Cast {
    #[track_caller]
    pub(crate) fn read(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::parse(&bytes).unwrap_or_else(|problem| panic!("{}: {problem}", path.display()))
    }

    /// None while the file is not there or has no header yet.
    pub(crate) fn try_read(path: &Path) -> Option<Self> {
        Self::parse(&fs::read(path).ok()?).ok()
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let text = std::str::from_utf8(&bytes[..whole]).map_err(|error| error.to_string())?;
        let mut lines = text.lines();
        let header: Value =
            serde_json::from_str(lines.next().ok_or("no header")?).map_err(|error| error.to_string())?;
        let version = header["version"].as_u64().ok_or("no version")?;
        let lines = lines.enumerate().map(|(n, line)| {
            Line::parse(line, version)
                .ok_or_else(|| format!("line {}: not of asciicast v{version}: {line:.200}", n + 2))
        });
        Ok(Self { version, header, lines: lines.collect::<Result<_, _>>()?, torn: bytes[whole..].to_vec() })
    }

    /// The output, byte for byte.
    #[track_caller]
    pub(crate) fn output(&self) -> Vec<u8> {
        let mut output = Vec::new();
        let mut exact: Option<Vec<u8>> = None;
        for line in &self.lines {
            match line {
                Line::Record(record) if record["raw"]["code"] == "o" => {
                    assert!(exact.is_none(), "two raw records for one event");
                    exact = Some(base64(record["raw"]["base64"].as_str().expect("base64 of a raw record")));
                }
                Line::Event { code, data, .. } if code == "o" => match exact.take() {
                    Some(bytes) => {
                        assert!(
                            data.contains('\u{fffd}'),
                            "a raw record for an event that needs none: {data:?}"
                        );
                        output.extend(bytes);
                    }
                    None => output.extend_from_slice(data.as_bytes()),
                },
                _ => assert!(exact.is_none(), "a raw record not directly before its event: then {line:?}"),
            }
        }
        assert!(exact.is_none(), "a raw record without its event");
        output
    }

    /// The data of all events of this code.
    pub(crate) fn events(&self, wanted: &str) -> Vec<&str> {
        let events = self.lines.iter().filter_map(|line| match line {
            Line::Event { code, data, .. } if code == wanted => Some(data.as_str()),
            _ => None,
        });
        events.collect()
    }

    /// The machine records of this kind.
    pub(crate) fn records(&self, kind: &str) -> Vec<&Value> {
        let records = self.lines.iter().filter_map(|line| match line {
            Line::Record(record) => record.get(kind),
            _ => None,
        });
        records.collect()
    }

    /// Our object in the header.
    pub(crate) fn ours(&self, key: &str) -> &Value {
        &self.header["recmode"][key]
    }

    /// The bytes that the gap records say are not in the recording.
    pub(crate) fn lost(&self) -> u64 {
        self.records("gap").iter().map(|gap| gap["lost"].as_u64().expect("lost of a gap")).sum()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.torn.is_empty() && !self.records("end").is_empty() && !self.events("x").is_empty()
    }

    /// Asserts that the recording ends as one does: one `x` event, one end record, no output after.
    #[track_caller]
    pub(crate) fn assert_closed(&self, status: i32) {
        assert!(self.torn.is_empty(), "a torn last line: {}", super::show(&self.torn));
        assert_eq!(self.events("x"), [status.to_string()], "the exit event");
        let ends = self.records("end");
        assert_eq!(ends.len(), 1, "end records: {ends:?}");
        assert_eq!(ends[0]["status"], status, "the end record's status: {}", ends[0]);
        assert!(ends[0]["reason"].is_string(), "the end record's reason: {}", ends[0]);
        let exit = self.lines.iter().position(|line| matches!(line, Line::Event { code, .. } if code == "x"));
        for line in &self.lines[exit.expect("an exit event")..] {
            assert!(!matches!(line, Line::Event { code, .. } if code == "o"), "output after the exit event");
        }
        let times = self.times();
        assert!(times.is_sorted() && times.iter().all(|&time| time >= 0.0), "times that run backwards");
    }

    /// Each event's time since the start.
    pub(crate) fn times(&self) -> Vec<f64> {
        let mut since = 0.0;
        let times = self.lines.iter().filter_map(|line| match line {
            Line::Event { time, .. } if self.version == 2 => Some(*time),
            Line::Event { time, .. } => {
                since += time;
                Some(since)
            }
            _ => None,
        });
        times.collect()
    }
}

impl Line {
    fn parse(line: &str, version: u64) -> Option<Self> {
        if version == 3 && line.starts_with('#') {
            let record = line.strip_prefix("#recmode ");
            return record
                .map_or(Some(Self::Comment), |json| serde_json::from_str(json).ok().map(Self::Record));
        }
        let event: Value = serde_json::from_str(line).ok()?;
        let [time, code, data] = event.as_array()?.as_slice() else { return None };
        let (time, code, data) = (time.as_f64()?, code.as_str()?.to_owned(), data.as_str()?.to_owned());
        if code.chars().count() != 1 {
            return None;
        }
        if version == 2 && code == "R" {
            return serde_json::from_str(&data).ok().map(Self::Record);
        }
        Some(Self::Event { time, code, data })
    }
}

fn base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0u32, 0);
    for byte in text.bytes().take_while(|&byte| byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => panic!("not base64: {text:.80}"),
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).expect("a byte"));
        }
    }
    bytes
}
