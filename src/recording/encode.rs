//! The asciicast encoder: values in, lines out. Pure; it knows no files and no clock.
//!
//! Formats: <https://docs.asciinema.org/manual/asciicast/v3/> and `…/v2/`.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;

use super::header::{Bounded, MAX_WINDOW};
use super::json::push_escaped;
use super::{Header, Record};

/// The recording's file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// asciicast v3: times since the event before.
    AsciicastV3,
    /// asciicast v2: times since the start.
    AsciicastV2,
}

/// Encodes events and records of one file, in order of time.
#[derive(Debug)]
pub struct Encoder {
    format: Format,
    last: u64,
}

#[derive(Serialize)]
struct HeaderV3<'a> {
    version: u8,
    term: &'a super::Term,
    timestamp: i64,
    command: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    env: &'a std::collections::BTreeMap<&'static str, String>,
    recmode: &'a super::Session,
}

#[derive(Serialize)]
struct HeaderV2<'a> {
    version: u8,
    width: u16,
    height: u16,
    timestamp: i64,
    command: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    env: &'a std::collections::BTreeMap<&'static str, String>,
    recmode: &'a super::Session,
}

impl Encoder {
    /// An encoder for a file whose first event's time counts from `start` (microseconds).
    #[must_use]
    pub fn new(format: Format, start: u64) -> Self {
        Self { format, last: start }
    }

    /// The time of the last event, microseconds since the session began.
    #[must_use]
    pub fn last_time(&self) -> u64 {
        self.last
    }

    /// Goes back to where the last event was at `time`, for events that were encoded but never written.
    pub fn rewind(&mut self, time: u64) {
        self.last = time;
    }

    /// The header line, its fields within their bounds, and records of what it does not hold.
    pub fn header(&mut self, header: &Header, out: &mut Vec<u8>) {
        let Bounded { term, command, title, env, session } = &header.bounded();
        let (timestamp, title, recmode) = (header.timestamp, title.as_deref(), session);
        // Neither can fail: string keys, and a Vec takes every write.
        let _ = match self.format {
            Format::AsciicastV3 => serde_json::to_writer(
                &mut *out,
                &HeaderV3 { version: 3, term, timestamp, command, title, env, recmode },
            ),
            Format::AsciicastV2 => serde_json::to_writer(
                &mut *out,
                &HeaderV2 {
                    version: 2,
                    width: term.cols,
                    height: term.rows,
                    timestamp,
                    command,
                    title,
                    env,
                    recmode,
                },
            ),
        };
        out.push(b'\n');
        self.clamped_window(header.term.cols, header.term.rows, out);
        for piece in header.command_records() {
            self.record(&piece, out);
        }
    }

    /// An event of bytes (`o` or `i`) at `time`. What is no UTF-8 becomes U+FFFD, with a raw record
    /// of the exact bytes before the event.
    pub fn bytes(&mut self, time: u64, code: char, bytes: &[u8], out: &mut Vec<u8>) {
        if let Ok(text) = simdutf8::basic::from_utf8(bytes) {
            self.event(time, code, text, out);
        } else {
            self.record(&Record::Raw { code, base64: BASE64_STANDARD.encode(bytes) }, out);
            self.event(time, code, &String::from_utf8_lossy(bytes), out);
        }
    }

    /// An event at `time` (microseconds since the session began; never before the last one).
    pub fn event(&mut self, time: u64, code: char, text: &str, out: &mut Vec<u8>) {
        let time = time.max(self.last);
        let shown = match self.format {
            Format::AsciicastV3 => time - self.last,
            Format::AsciicastV2 => time,
        };
        self.last = time;
        out.push(b'[');
        push_seconds(shown, out);
        out.extend_from_slice(b", \"");
        out.push(u8::try_from(code).unwrap_or(b'?'));
        out.extend_from_slice(b"\", \"");
        push_escaped(text, out);
        out.extend_from_slice(b"\"]\n");
    }

    /// A resize event, within the bounds of windows.
    pub fn resize(&mut self, time: u64, cols: u16, rows: u16, out: &mut Vec<u8>) {
        self.clamped_window(cols, rows, out);
        let (cols, rows) = (cols.min(MAX_WINDOW), rows.min(MAX_WINDOW));
        self.event(time, 'r', &format!("{cols}x{rows}"), out);
    }

    /// The record of a window that is larger than those in recordings.
    fn clamped_window(&mut self, cols: u16, rows: u16, out: &mut Vec<u8>) {
        if cols.max(rows) > MAX_WINDOW {
            self.record(&Record::Window { cols, rows }, out);
        }
    }

    /// A machine record, at the time of the last event.
    pub fn record(&mut self, record: &Record, out: &mut Vec<u8>) {
        match self.format {
            Format::AsciicastV3 => {
                out.extend_from_slice(b"#recmode ");
                let _ = serde_json::to_writer(&mut *out, record);
                out.push(b'\n');
            }
            Format::AsciicastV2 => {
                let json = serde_json::to_string(record).unwrap_or_default();
                self.event(self.last, 'R', &json, out);
            }
        }
    }
}

/// `micros` as decimal seconds with six places, without floating point.
fn push_seconds(micros: u64, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 21];
    let mut at = digits.len();
    let mut rest = micros;
    for place in 0.. {
        if place == 6 {
            at -= 1;
            digits[at] = b'.';
        }
        if place > 6 && rest == 0 {
            break;
        }
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(format: Format, put: impl FnOnce(&mut Encoder, &mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        put(&mut Encoder::new(format, 0), &mut out);
        String::from_utf8(out).expect("lines are UTF-8")
    }

    #[test]
    fn v3_counts_from_the_event_before_and_v2_from_the_start() {
        let put = |encoder: &mut Encoder, out: &mut Vec<u8>| {
            encoder.event(1_500_000, 'o', "a", out);
            encoder.event(1_500_001, 'o', "b", out);
            encoder.resize(62_000_000, 100, 40, out);
        };
        assert_eq!(
            encoded(Format::AsciicastV3, put),
            "[1.500000, \"o\", \"a\"]\n[0.000001, \"o\", \"b\"]\n[60.499999, \"r\", \"100x40\"]\n"
        );
        assert_eq!(
            encoded(Format::AsciicastV2, put),
            "[1.500000, \"o\", \"a\"]\n[1.500001, \"o\", \"b\"]\n[62.000000, \"r\", \"100x40\"]\n"
        );
    }

    #[test]
    fn a_window_that_readers_do_not_render_is_clamped_and_its_size_recorded() {
        let put = |encoder: &mut Encoder, out: &mut Vec<u8>| encoder.resize(0, 1200, 30, out);
        assert_eq!(
            encoded(Format::AsciicastV3, put),
            "#recmode {\"window\":{\"cols\":1200,\"rows\":30}}\n[0.000000, \"r\", \"1000x30\"]\n"
        );
    }

    #[test]
    fn a_time_before_the_last_event_counts_as_the_last_events() {
        let text = encoded(Format::AsciicastV3, |encoder, out| {
            encoder.event(5, 'o', "a", out);
            encoder.event(3, 'o', "b", out);
            encoder.event(6, 'o', "c", out);
        });
        assert_eq!(text, "[0.000005, \"o\", \"a\"]\n[0.000000, \"o\", \"b\"]\n[0.000001, \"o\", \"c\"]\n");
    }

    #[test]
    fn every_byte_value_at_every_place_of_a_word_survives_json() {
        for byte in 0..0x80_u8 {
            for lead in 0..17 {
                let text = format!("{}{}{}", "x".repeat(lead), char::from(byte), "é\u{9b}y".repeat(3));
                let line = encoded(Format::AsciicastV3, |encoder, out| encoder.event(0, 'o', &text, out));
                let (_, code, data): (f64, char, String) = serde_json::from_str(&line).expect("JSON");
                assert_eq!((code, data), ('o', text));
                assert_eq!(line.matches('\n').count(), 1);
            }
        }
    }

    #[test]
    fn invalid_bytes_are_replaced_and_kept_exactly_beside_the_event() {
        let put = |encoder: &mut Encoder, out: &mut Vec<u8>| encoder.bytes(0, 'o', b"a\xff\"b", out);
        assert_eq!(
            encoded(Format::AsciicastV3, put),
            "#recmode {\"raw\":{\"code\":\"o\",\"base64\":\"Yf8iYg==\"}}\n[0.000000, \"o\", \"a\u{fffd}\\\"b\"]\n"
        );
        assert_eq!(
            encoded(Format::AsciicastV2, put),
            "[0.000000, \"R\", \"{\\\"raw\\\":{\\\"code\\\":\\\"o\\\",\\\"base64\\\":\\\"Yf8iYg==\\\"}}\"]\n\
             [0.000000, \"o\", \"a\u{fffd}\\\"b\"]\n"
        );
    }

    #[test]
    fn seconds_have_six_places_for_every_size() {
        for (micros, text) in
            [(0, "0.000000"), (1, "0.000001"), (999_999, "0.999999"), (86_400_000_000, "86400.000000")]
        {
            let mut out = Vec::new();
            push_seconds(micros, &mut out);
            assert_eq!(out, text.as_bytes());
        }
        let mut out = Vec::new();
        push_seconds(u64::MAX, &mut out);
        assert_eq!(out, b"18446744073709.551615");
    }
}
