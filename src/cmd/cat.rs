//! `recmode cat`: what a session printed, as text or bit for bit.

use std::io::{self, BufRead, BufWriter, Write};

use anyhow::Context as _;

use crate::cli::CatArgs;
use crate::recording::reader::{Code, Item, ReadError, Reader};
use crate::{cast, escape, exit};

/// Prints the session to standard output. A recording that was cut off is no error: a line on
/// standard error says so.
///
/// # Errors
///
/// When the recording can't be read or is none, or standard output can't be written.
pub fn run(args: &CatArgs) -> anyhow::Result<u8> {
    let name = escape::path(&args.file);
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let input = cast::open(&args.file).with_context(|| name.clone())?;
    let printed = print(input, args.raw, &mut out).and_then(|ending| {
        out.flush().map_err(Failure::Write)?;
        Ok(ending)
    });
    let notice = match printed {
        Ok(Ending::Complete) => None,
        Ok(Ending::Torn { line }) => Some(format!("the recording is cut off in line {line}")),
        Ok(Ending::NoEnd) => {
            Some("the recording has no end record: the session is still running, or it is cut off".to_owned())
        }
        Err(Failure::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => None,
        Err(Failure::Write(error)) => return Err(error).context("standard output"),
        Err(Failure::Read(error)) => {
            // What came before the bad line stays printed.
            let _ = out.flush();
            return Err(error).context(name);
        }
    };
    if let Some(notice) = notice {
        let _ = writeln!(io::stderr().lock(), "recmode: {name}: {notice}");
    }
    Ok(exit::OK)
}

/// How a recording ended.
enum Ending {
    Complete,
    Torn {
        line: u64,
    },
    /// A recording of recmode's whose last record is missing.
    NoEnd,
}

/// What stopped the printing.
enum Failure {
    Read(ReadError),
    Write(io::Error),
}

fn print(input: impl BufRead, raw: bool, out: &mut impl Write) -> Result<Ending, Failure> {
    let reader = Reader::new(input).map_err(Failure::Read)?;
    let mut ending = if reader.header().recmode.is_some() { Ending::NoEnd } else { Ending::Complete };
    let mut parser = vte::Parser::<1024>::new_with_size();
    let mut plain = Plain(String::new());
    for item in reader {
        match item.map_err(Failure::Read)? {
            Item::Event(event) if event.code == Code::Output => {
                let bytes = if raw {
                    event.exact_bytes()
                } else {
                    plain.0.clear();
                    parser.advance(&mut plain, event.data.as_bytes());
                    plain.0.as_bytes()
                };
                out.write_all(bytes).map_err(Failure::Write)?;
            }
            Item::End(_) => ending = Ending::Complete,
            Item::TornTail { line } => ending = Ending::Torn { line },
            Item::Event(_) | Item::Gap(_) => {}
        }
    }
    Ok(ending)
}

/// What a terminal would show of its input, without what would drive it: printable characters,
/// newlines and tabs. The parser keeps its state over the events, as sequences do.
struct Plain(String);

impl vte::Perform for Plain {
    fn print(&mut self, c: char) {
        // The parser gives DEL, and a C1 character split over two calls, as printable.
        if !c.is_control() {
            self.0.push(c);
        }
    }

    fn execute(&mut self, byte: u8) {
        if matches!(byte, b'\n' | b'\t') {
            self.0.push(char::from(byte));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(parts: &[&str]) -> String {
        let mut parser = vte::Parser::<1024>::new_with_size();
        let mut plain = Plain(String::new());
        for part in parts {
            parser.advance(&mut plain, part.as_bytes());
        }
        plain.0
    }

    #[test]
    fn text_newlines_and_tabs_pass() {
        assert_eq!(plain(&["a\tb\r\nc é 漢 \u{fffd} 🦀\n"]), "a\tb\nc é 漢 \u{fffd} 🦀\n");
    }

    #[test]
    fn controls_and_sequences_are_dropped() {
        for sequence in [
            "\u{7}",
            "\u{8}",
            "\r",
            "\u{0}",
            "\u{7f}",
            "\u{80}",
            "\u{85}",
            "\u{9b}",
            "\u{9f}",
            "\x1b[1;31m",
            "\x1b[?2004h",
            "\x1b[>4;2m",
            "\x1b7",
            "\x1b(B",
            "\x1bc",
            "\x1b]0;title\x07",
            "\x1b]52;c;cm0gLXJmIC8=\x1b\\",
            "\x1bP1$r0m\x1b\\",
            "\x1b_Gf=24;AAAA\x1b\\",
            "\x1b^private\x1b\\",
            "\x1bXstring\x1b\\",
        ] {
            assert_eq!(plain(&["a", sequence, "b"]), "ab", "{sequence:?}");
        }
    }

    #[test]
    fn a_sequence_split_over_events_is_dropped() {
        assert_eq!(plain(&["a\x1b", "[3", "1mb\x1b]0;ti", "tle", "\x07c"]), "abc");
    }

    #[test]
    fn an_endless_string_costs_no_memory_and_does_no_harm() {
        let endless = "x".repeat(1 << 20);
        assert_eq!(plain(&["a\x1b]0;", &endless, ";;;;;;;;;;;;;;;;;;;;;;", &endless, "\x07b"]), "ab");
    }
}
