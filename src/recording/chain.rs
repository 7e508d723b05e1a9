//! The chain of checks: a running BLAKE3 hash of the file, whose value is written into the file now
//! and then, so that what was cut off can be told from what was changed. Pure.
//!
//! A check record holds the hash of all bytes of the file before its own value; the checks before it are
//! among them.

use crate::signature::TextHash;

/// The header's name of the hash.
pub const NAME: &str = "blake3";

/// How much is not checked at most before a check is due, bytes.
pub const EVERY_BYTES: u64 = 64 * 1024;

/// What is hashed at a time, from a multiple of it on, so that the processor hashes many chunks at once: in small pieces it
/// costs several times as much.
const BATCH: usize = 16 * 1024;

/// Length of a value: hexadecimal.
pub const VALUE: usize = 2 * blake3::OUT_LEN;

/// What stands for a value that is not known yet.
pub const NO_VALUE: &str = match std::str::from_utf8(&[b'0'; VALUE]) {
    Ok(zeros) => zeros,
    Err(_) => "",
};

/// The hash of a file's bytes so far, however they come.
#[derive(Debug, Default)]
pub struct FileHash {
    /// The hash up to a multiple of [`BATCH`]. It is made when it is wanted, as it asks the processor what it can do: a
    /// tenth of a millisecond on a virtual machine.
    whole: Option<blake3::Hasher>,
    /// What follows that.
    rest: Vec<u8>,
}

impl FileHash {
    /// Does beforehand what takes a while at the first use.
    pub fn prepare(&mut self) {
        self.whole.get_or_insert_default();
    }

    /// Takes the file's next bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        if !self.rest.is_empty() || bytes.len() < BATCH {
            let (now, later) = bytes.split_at(bytes.len().min(BATCH - self.rest.len()));
            self.rest.extend_from_slice(now);
            if self.rest.len() < BATCH {
                return;
            }
            self.whole.get_or_insert_default().update(&self.rest);
            self.rest.clear();
            bytes = later;
        }
        let (now, later) = bytes.split_at(bytes.len() / BATCH * BATCH);
        self.whole.get_or_insert_default().update(now);
        self.rest.extend_from_slice(later);
    }

    /// The hash, if `more` came after the bytes so far.
    #[must_use]
    pub fn value(&self, more: &[u8]) -> blake3::Hash {
        self.whole.clone().unwrap_or_default().update(&self.rest).update(more).finalize()
    }
}

/// The hash of a file that is being written.
#[derive(Debug)]
pub struct Chain {
    hash: FileHash,
    unchecked: u64,
    /// The same bytes for a signature, where there will be one.
    signed: Option<TextHash>,
}

impl Chain {
    /// The chain of a new file. `signed` says that it will be signed.
    #[must_use]
    pub fn new(signed: bool) -> Self {
        Self {
            // All that is ever needed: there may be no memory for more in the session.
            hash: FileHash { whole: None, rest: Vec::with_capacity(BATCH) },
            unchecked: 0,
            signed: signed.then(TextHash::default),
        }
    }

    /// See [`FileHash::prepare`].
    pub fn prepare(&mut self) {
        self.hash.prepare();
    }

    /// The hash that a signature of the file is over, where there is to be one.
    #[must_use]
    pub fn signed(&self) -> Option<&TextHash> {
        self.signed.as_ref()
    }

    /// Takes bytes that the file holds now.
    pub fn push(&mut self, bytes: &[u8]) {
        self.unchecked += bytes.len() as u64;
        if let Some(signed) = &mut self.signed {
            signed.update(bytes);
        }
        self.hash.update(bytes);
    }

    /// The hash of all that was taken so far.
    #[must_use]
    pub fn value(&self) -> blake3::Hash {
        self.hash.value(b"")
    }

    /// How many bytes no check covers.
    #[must_use]
    pub fn unchecked(&self) -> u64 {
        self.unchecked
    }

    /// Says that a check covers all that was taken so far.
    pub fn checked(&mut self) {
        self.unchecked = 0;
    }

    /// Puts the value over what the file holds, and over `line` before it, into `line` at `at`, where there is room
    /// for [`VALUE`] bytes.
    pub fn fill(&self, line: &mut [u8], at: usize) {
        let value = self.hash.value(&line[..at]);
        line[at..at + VALUE].copy_from_slice(value.to_hex().as_bytes());
    }
}

/// Where the value is in a line of the file, if it is a check as the recorder writes it.
#[must_use]
pub fn value_in(line: &[u8]) -> Option<std::ops::Range<usize>> {
    let (at, end): (usize, &[u8]) = if let Some(rest) = line.strip_prefix(b"#recmode {\"check\":\"") {
        (line.len() - rest.len(), b"\"}\n")
    } else {
        const V2: &[u8] = b", \"R\", \"{\\\"check\\\":\\\"";
        let time = line.strip_prefix(b"[")?.iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
        let at = 1 + time;
        line[at..].starts_with(V2).then_some((at + V2.len(), &b"\\\"}\"]\n"[..]))?
    };
    let value = line.get(at..at + VALUE)?;
    let hexadecimal = value.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (hexadecimal && line[at + VALUE..] == *end).then_some(at..at + VALUE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::{Encoder, Format, Record};

    #[test]
    fn a_value_covers_all_bytes_before_it_however_they_came() {
        for format in [Format::AsciicastV3, Format::AsciicastV2] {
            for piece in [1, 7, 1000, BATCH, 3 * BATCH] {
                let content = vec![b'x'; 100_000];
                let mut chain = Chain::new(false);
                content.chunks(piece).for_each(|bytes| chain.push(bytes));
                assert_eq!(chain.unchecked(), 100_000);
                let mut line = Vec::new();
                Encoder::new(format, 0).record(&Record::EMPTY_CHECK, &mut line);
                let value = value_in(&line).expect("a check");
                chain.fill(&mut line, value.start);
                let before = [&content[..], &line[..value.start]].concat();
                assert_eq!(line[value], *blake3::hash(&before).to_hex().as_bytes());
            }
        }
    }

    #[test]
    fn only_what_the_recorder_writes_is_a_check() {
        let value = "0".repeat(VALUE);
        for (line, is) in [
            (format!("#recmode {{\"check\":\"{value}\"}}\n"), true),
            (format!("[1.000000, \"R\", \"{{\\\"check\\\":\\\"{value}\\\"}}\"]\n"), true),
            (format!("#recmode {{\"check\":\"{value}\"}}"), false),
            (format!("#recmode {{\"check\":\"{value}\",\"more\":1}}\n"), false),
            (format!("#recmode {{\"check\":\"{}\"}}\n", "g".repeat(VALUE)), false),
            (format!("#recmode {{\"check\":\"{}\"}}\n", &value[1..]), false),
            (format!("[1.000000, \"o\", \"{{\\\"check\\\":\\\"{value}\\\"}}\"]\n"), false),
            (format!("[1.000000, \"o\", \", \\\"R\\\", \\\"{{\\\"check\\\":\\\"{value}\\\"}}\"]\n"), false),
            (String::new(), false),
        ] {
            assert_eq!(value_in(line.as_bytes()).is_some(), is, "{line}");
        }
    }
}
