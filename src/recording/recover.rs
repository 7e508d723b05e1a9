//! Closing a recording that a crash left open: the torn tail goes into a file beside it, and an end record says so.

use std::fs::{File, TryLockError};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::reader::{Code, End, Item, ReadError, Reader, Version};
use super::{Encoder, Format, Reason, Record, chain, seconds, torn};
use crate::dirfd::FileRef;
use crate::escape;
use crate::sys::UpToHole;

/// What a recording turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Recovery {
    /// It has its end record; nothing was done.
    Complete,
    /// Its session still runs; nothing was done.
    Live,
    /// No recording of recmode's; nothing was done.
    Foreign,
    /// It was closed.
    Recovered {
        /// The bytes of a torn tail that are beside it now; see [`torn`].
        kept: u64,
    },
}

/// Why a recording could not be recovered. It is as it was, but for a failed write of its new end.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The file can't be opened, read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Its torn tail can't be kept.
    #[error("its torn tail can't be kept in {}: {source}", escape::path(path))]
    Keep {
        /// Where it was to be.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// It is damaged before its end, which a crash doesn't explain.
    #[error(transparent)]
    Damaged(#[from] ReadError),
    /// It was found below a directory, and has further names elsewhere.
    #[error("it has {0} names (hard links): not recovered unless it is named itself")]
    Linked(u64),
}

/// An end record has fewer bytes than this, with its check.
const MOST_RECORD: usize = 4096;

/// Closes the recording at `path`, unless it is complete, live, or none of recmode's.
///
/// # Errors
/// Where the file can't be read or written, or is damaged in its middle.
pub fn recover(path: &Path) -> Result<Recovery, RecoverError> {
    recover_found(&FileRef::named(path))
}

/// As [`recover`], for a file that may have been found below a directory. Nothing is written through a link, nor to a
/// file that was found and has further names (hard links), which may be another user's.
///
/// # Errors
/// Those of [`recover`].
pub fn recover_found(found: &FileRef) -> Result<Recovery, RecoverError> {
    let entry = found.entry()?;
    let file = entry.open_to_write()?;
    // The recorder holds this lock as long as it lives.
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(Recovery::Live),
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    let mut reader = match Reader::new(BufReader::new(UpToHole::new(&file))) {
        Ok(reader) if reader.header().recmode.is_some() => reader,
        Ok(_) | Err(ReadError::Empty | ReadError::Invalid { .. } | ReadError::TooLong { .. }) => {
            return Ok(Recovery::Foreign);
        }
        Err(error) => return Err(error.into()),
    };
    let format = match reader.header().version {
        Version::V2 => Format::AsciicastV2,
        Version::V3 => Format::AsciicastV3,
        Version::V1 => return Ok(Recovery::Foreign),
    };
    let recmode = reader.header().recmode.as_ref();
    let chained = recmode.is_some_and(|recmode| recmode.get("chain").is_some());
    let (mut bytes, mut time, mut torn_line) = (0, 0, None);
    let (mut gaps, mut lost) = (0, 0u64);
    let mut closed: Option<(u64, End)> = None;
    while let Some(item) = reader.next() {
        match item? {
            Item::Event(event) => {
                time = event.time;
                bytes += if matches!(event.code, Code::Output | Code::ErrorOutput) {
                    event.exact_bytes().len() as u64
                } else {
                    0
                };
            }
            Item::Streams(_) | Item::Command(_) | Item::Sftp(_) => {}
            Item::Gap(gap) => {
                gaps += 1;
                lost = lost.saturating_add(gap.lost);
            }
            Item::End(end) => {
                closed.get_or_insert((reader.line(), end));
            }
            Item::TornTail { line } => torn_line = Some(line),
        }
    }
    let mut status = None;
    if let Some((line, end)) = closed {
        if !chained || end.reason == "recovered" || !lacks_its_check(&file, line, format)? {
            return Ok(Recovery::Complete);
        }
        // An end that nothing proves is none, but its status is all that there is.
        status = end.status.and_then(|status| u8::try_from(status).ok());
        torn_line = Some(line);
    }
    let metadata = file.metadata()?;
    if !found.is_named() && metadata.nlink() > 1 {
        return Err(RecoverError::Linked(metadata.nlink()));
    }
    let end = match torn_line {
        Some(line) => start_of_line(&file, line)?,
        None => metadata.len(),
    };
    let path = torn::path_beside(found.path());
    let kept = torn::keep(&file, end, &entry.with_suffix(torn::SUFFIX)?)
        .map_err(|source| RecoverError::Keep { path, source })?;
    let mut encoder = Encoder::new(format, time);
    let mut closing = Vec::new();
    // A last line that only lacks its newline is kept.
    let mut byte_before = [b'\n'];
    file.read_exact_at(&mut byte_before, end.saturating_sub(1))?;
    if byte_before != *b"\n" {
        closing.push(b'\n');
    }
    encoder.event(
        time,
        'm',
        "Recovered: the recorder died before it could close the recording",
        &mut closing,
    );
    let ended = Record::End { reason: Reason::Recovered, status, bytes, seconds: seconds(time), gaps, lost };
    encoder.record(&ended, &mut closing);
    // Over the torn tail first: on a full disk its blocks are what there is.
    file.write_all_at(&closing, end)?;
    file.set_len(end + closing.len() as u64)?;
    file.sync_all()?;
    Ok(Recovery::Recovered { kept })
}

/// Whether nothing follows the end record in line `line`, or only the beginning of the check that was to.
fn lacks_its_check(file: &File, line: u64, format: Format) -> io::Result<bool> {
    let (from, behind) = (start_of_line(file, line)?, start_of_line(file, line + 1)?);
    let mut last = [0; MOST_RECORD];
    let read = file.read_at(&mut last, from)?;
    let (end, rest) = last[..read].split_at(usize::try_from(behind - from).unwrap_or(read).min(read));
    // The check has the time of the end record in version 2.
    let time = match format {
        Format::AsciicastV3 => None,
        Format::AsciicastV2 => end.iter().position(|&byte| byte == b',').map(|comma| &end[..comma]),
    };
    let mut check = Vec::new();
    Encoder::new(format, 0).record(&Record::EMPTY_CHECK, &mut check);
    if let Some(time) = time {
        let own = check.iter().position(|&byte| byte == b',').unwrap_or_default();
        check.splice(..own, time.iter().copied());
    }
    let value = chain::value_in(&check).unwrap_or_default();
    let is_as_written = |(at, &byte): (usize, &u8)| {
        if value.contains(&at) { byte.is_ascii_hexdigit() } else { check[at] == byte }
    };
    // A check that only lacks its newline is whole.
    Ok(rest.len() + 1 < check.len() && rest.iter().enumerate().all(is_as_written))
}

/// Where line `line`, counted from 1, begins.
fn start_of_line(mut file: &File, line: u64) -> io::Result<u64> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::new(file);
    let mut offset = 0;
    for _ in 1..line {
        offset += reader.skip_until(b'\n')? as u64;
    }
    Ok(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        "{\"version\":3,\"term\":{\"cols\":80,\"rows\":24},\"recmode\":{\"version\":\"0\"}}\n";

    fn recovered(text: &str) -> (Recovery, String) {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.cast");
        std::fs::write(&path, text).expect("written");
        let recovery = recover(&path).expect("recovered");
        (recovery, std::fs::read_to_string(&path).expect("read"))
    }

    #[test]
    fn a_torn_tail_is_replaced_by_an_end_record_and_then_it_is_complete() {
        let whole = format!("{HEADER}[0.5, \"o\", \"hello\"]\n");
        for (torn, kept) in [
            ("", 0),
            ("[0.1, \"o\", \"wor", 15),
            ("#recmode {\"raw\":{\"code\":\"o\",\"base64\":\"/w==\"}}\n", 46),
            ("\0\0\0\0", 0),
            ("[0.1, \0\0\0\0", 6),
        ] {
            let (recovery, text) = recovered(&format!("{whole}{torn}"));
            assert_eq!(recovery, Recovery::Recovered { kept }, "{torn:?}");
            let closing = text.strip_prefix(&whole).expect("what was whole is kept");
            assert!(closing.ends_with(
                "#recmode {\"end\":{\"reason\":\"recovered\",\"status\":null,\"bytes\":5,\
                 \"seconds\":0.5,\"gaps\":0,\"lost\":0}}\n"
            ));
            assert_eq!(recovered(&text).0, Recovery::Complete);
        }
    }

    #[test]
    fn what_is_not_ours_or_still_written_is_not_touched() {
        let foreign = "{\"version\":3,\"term\":{\"cols\":80,\"rows\":24}}\n[0.5, \"o\", \"x";
        assert_eq!(recovered(foreign), (Recovery::Foreign, foreign.to_owned()));
        assert_eq!(recovered("no recording").0, Recovery::Foreign);
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.cast");
        std::fs::write(&path, HEADER).expect("written");
        let recorder = File::open(&path).expect("opened");
        recorder.try_lock().expect("locked");
        assert_eq!(recover(&path).expect("looked at"), Recovery::Live);
        assert_eq!(std::fs::read_to_string(&path).expect("read"), HEADER);
    }

    #[test]
    fn damage_in_the_middle_is_an_error_and_stays() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.cast");
        let text = format!("{HEADER}garbage\n[0.5, \"o\", \"x\"]\n");
        std::fs::write(&path, &text).expect("written");
        assert!(matches!(recover(&path), Err(RecoverError::Damaged(_))));
        assert_eq!(std::fs::read_to_string(&path).expect("read"), text);
    }
}
