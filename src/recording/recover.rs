//! Closing a recording that a crash left open: the torn tail goes, an end record says so.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use super::reader::{Code, Item, ReadError, Reader, Version};
use super::{Encoder, Format, Reason, Record, chain, seconds};

/// What a recording turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Recovery {
    /// It has its end record; nothing was done.
    Complete,
    /// It has its end record, but not the check that the recorder writes behind it; nothing was done.
    Unchecked,
    /// Its session still runs; nothing was done.
    Live,
    /// No recording of recmode's; nothing was done.
    Foreign,
    /// It was closed; so many bytes of a torn tail were cut off.
    Recovered {
        /// Bytes that were no whole line.
        torn: u64,
    },
}

/// Why a recording could not be recovered. It is as it was, but for a failed write.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The file can't be opened, read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is damaged before its end, which a crash doesn't explain.
    #[error(transparent)]
    Damaged(#[from] ReadError),
}

/// Closes the recording at `path`, unless it is complete, live, or none of recmode's.
///
/// # Errors
/// Where the file can't be read or written, or is damaged in its middle.
pub fn recover(path: &Path) -> Result<Recovery, RecoverError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file").into());
    }
    // The recorder holds this lock as long as it lives.
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(Recovery::Live),
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    let reader = match Reader::new(BufReader::new(&file)) {
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
    let chained = reader.header().recmode.as_ref().is_some_and(|ours| ours["chain"].is_string());
    let (mut bytes, mut time, mut torn_line) = (0, 0, None);
    let (mut gaps, mut lost) = (0, 0);
    for item in reader {
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
                lost += gap.lost;
            }
            Item::End(end) => {
                let unchecked = chained && end.reason != "recovered" && !ends_in_check(&file)?;
                return Ok(if unchecked { Recovery::Unchecked } else { Recovery::Complete });
            }
            Item::TornTail { line } => torn_line = Some(line),
        }
    }
    let len = file.metadata()?.len();
    let end = match torn_line {
        Some(line) => start_of_line(&file, line)?,
        None => len,
    };
    let mut encoder = Encoder::new(format, time);
    let mut closing = Vec::new();
    encoder.event(
        time,
        'm',
        "Recovered: the recorder died before it could close the recording",
        &mut closing,
    );
    let ended =
        Record::End { reason: Reason::Recovered, status: None, bytes, seconds: seconds(time), gaps, lost };
    encoder.record(&ended, &mut closing);
    // Over the torn tail first: on a full disk its blocks are what there is.
    file.write_all_at(&closing, end)?;
    file.set_len(end + closing.len() as u64)?;
    file.sync_all()?;
    Ok(Recovery::Recovered { torn: len - end })
}

/// Whether the last line is a check, whole.
fn ends_in_check(file: &File) -> io::Result<bool> {
    /// More than a check is long.
    const TAIL: u64 = 256;
    let len = file.metadata()?.len();
    let from = len.saturating_sub(TAIL);
    let mut tail = vec![0; usize::try_from(len - from).unwrap_or_default()];
    file.read_exact_at(&mut tail, from)?;
    let line = tail.split_inclusive(|&byte| byte == b'\n').next_back().unwrap_or_default();
    Ok(chain::value_in(line).is_some())
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
        for torn in [
            "",
            "[0.1, \"o\", \"wor",
            "#recmode {\"raw\":{\"code\":\"o\",\"base64\":\"/w==\"}}\n",
            "\0\0\0\0",
        ] {
            let (recovery, text) = recovered(&format!("{whole}{torn}"));
            assert_eq!(recovery, Recovery::Recovered { torn: torn.len() as u64 }, "{torn:?}");
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
