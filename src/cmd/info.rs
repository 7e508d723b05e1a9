//! `recmode info`: what is known of a recording.

use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use jiff::tz::TimeZone;

use super::progress::Bytes;
use crate::catalog::{self, State, Summary};
use crate::cli::{InfoArgs, InfoFormat};
use crate::recording::reader::{Reader, Version};
use crate::report::{self, Info};
use crate::verify::{Checked, Followed, Follower, verify_file};
use crate::{cast, escape, exit};

/// Prints the facts to standard output.
///
/// # Errors
///
/// When the recording can't be read or is none, or standard output can't be written.
pub fn run(args: &InfoArgs) -> anyhow::Result<u8> {
    let name = escape::path(&args.file);
    let is_stream = !std::fs::metadata(&args.file).is_ok_and(|metadata| metadata.is_file());
    let (summary, checked) = super::progress::over_bytes(|progress| {
        if is_stream { of_stream(&args.file) } else { of_file(&args.file, progress) }
    })
    .with_context(|| name.clone())?;
    // Asked after the reading: a session that ended meanwhile was live when it was read.
    let seen = if is_stream { None } else { catalog::look(&args.file).ok().flatten() };
    let state = match seen.as_ref().map(|entry| entry.state) {
        Some(State::Live) => State::Live,
        _ => summary.state(),
    };
    let size = seen.map(|entry| entry.size);
    let file = args.file.to_string_lossy();
    let text = match args.format {
        InfoFormat::Human => report::info_text(&file, size, state, &summary, &checked, &TimeZone::system()),
        InfoFormat::Json => Info::new(&file, size, state, &summary, &checked).json()?,
    };
    super::print(text.as_bytes())?;
    Ok(exit::OK)
}

fn of_file(path: &Path, progress: &Bytes) -> anyhow::Result<(Summary, Checked)> {
    let summary = catalog::summarize(Reader::new(progress.open(path)?)?)?;
    Ok((summary, verify_file(path, None, |_| {})?))
}

/// What can be read but once: both look at it at the same time.
fn of_stream(path: &Path) -> anyhow::Result<(Summary, Checked)> {
    let follower = Arc::new(Mutex::new(Follower::default()));
    let watched =
        Watched { inner: cast::open(path)?, follower: Arc::clone(&follower), bytes: Arc::default() };
    let bytes = Arc::clone(&watched.bytes);
    let summary = catalog::summarize(Reader::new(BufReader::with_capacity(1 << 16, watched))?)?;
    let follower = std::mem::take(&mut *follower.lock().unwrap_or_else(PoisonError::into_inner));
    let (chain, facts) = follower.finish();
    let chain = if summary.header.version == Version::V1 { Followed::NoChain } else { chain };
    let bytes = bytes.load(Ordering::Relaxed);
    Ok((summary, Checked { chain, facts, live: false, signed: None, bytes }))
}

/// Shows what is read to who follows the chain.
struct Watched<R> {
    inner: R,
    follower: Arc<Mutex<Follower>>,
    bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer);
        let mut follower = self.follower.lock().unwrap_or_else(PoisonError::into_inner);
        match &read {
            Ok(read) => {
                follower.feed(&buffer[..*read]);
                self.bytes.fetch_add(*read as u64, Ordering::Relaxed);
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => follower.cut(),
            Err(_) => {}
        }
        read
    }
}
