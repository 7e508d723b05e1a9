//! `recmode info`: what is known of a recording.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Context as _;
use jiff::tz::TimeZone;

use super::progress::Bytes;
use super::session::Recording;
use crate::cast::{Joined, Segment, SegmentFault};
use crate::catalog::{self, State, Summary};
use crate::cli::{InfoArgs, InfoFormat};
use crate::escape;
use crate::recording::reader::Reader;
use crate::report::{self, About, Info};
use crate::verify::{Checked, SessionVerdict, Watch, verify_file};

/// Prints the facts to standard output.
///
/// # Errors
///
/// When the recording can't be read or is none, or standard output can't be written.
pub fn run(args: &InfoArgs) -> anyhow::Result<u8> {
    let is_stream = !std::fs::metadata(&args.file).is_ok_and(|metadata| metadata.is_file());
    let (recording, summary, checked) = super::progress::over_bytes(|progress| {
        let recording = Recording::find(&args.file).with_context(|| escape::path(&args.file))?;
        let (summary, checked) = match &recording.joined {
            _ if is_stream => of_stream(&args.file).map_err(|error| recording.locate(error))?,
            None => of_file(&args.file, progress).map_err(|error| recording.locate(error))?,
            Some(joined) => of_session(joined, progress).map_err(|error| recording.locate(error))?,
        };
        anyhow::Ok((recording, summary, checked))
    })?;
    let segments = recording.joined.as_ref().map(|joined| &joined.segments);
    // Asked after the reading: a session that ended meanwhile was live when it was read.
    let last = segments.and_then(|segments| segments.files.last()).map_or(&*args.file, |last| &last.path);
    let seen = if is_stream { None } else { catalog::look(last).ok().flatten() };
    let state = match seen.as_ref().map(|entry| entry.state) {
        Some(State::Live) => State::Live,
        _ => summary.state(),
    };
    let state = if recording.faults().iter().any(SegmentFault::is_loss) { state.with_gap() } else { state };
    let size = recording.joined.as_ref().map(Joined::size).or(seen.as_ref().map(|entry| entry.size));
    let owner = seen.map(|entry| entry.owner);
    let file = segments.and_then(|segments| segments.files.first()).map_or(&*args.file, |first| &first.path);
    let about = About { file, size, state, owner: owner.as_deref(), segments };
    let zone = if args.utc { TimeZone::UTC } else { TimeZone::system() };
    let text = match args.format {
        InfoFormat::Human => report::info_text(&about, &summary, &checked, &zone),
        InfoFormat::Json => Info::new(&about, &summary, &checked).json()?,
    };
    super::print(text.as_bytes())?;
    Ok(recording.code())
}

fn of_session(joined: &Joined, progress: &Bytes) -> anyhow::Result<(Summary, Checked)> {
    progress.total.store(joined.size(), Ordering::Relaxed);
    let summary = catalog::summarize(Reader::new(joined.open(&progress.done)?)?)?;
    let files = &joined.segments.files;
    let verify = |segment: &Segment| {
        let path = segment.path.clone();
        verify_file(&path, None, |_| {}).map(|checked| (path, checked))
    };
    let mut checked = files.iter().map(verify).collect::<io::Result<Vec<_>>>()?;
    SessionVerdict::new(&joined.segments, &mut checked)?;
    let worst = SessionVerdict::worst(&checked).cloned();
    Ok((summary, worst.context("a session without files")?))
}

fn of_file(path: &Path, progress: &Bytes) -> anyhow::Result<(Summary, Checked)> {
    let summary = catalog::summarize(Reader::new(progress.open(path)?)?)?;
    Ok((summary, verify_file(path, None, |_| {})?))
}

/// What can be read but once is verified while it is read.
fn of_stream(path: &Path) -> anyhow::Result<(Summary, Checked)> {
    let (input, watch) = Watch::open(path, false, &Arc::default())?;
    let summary = catalog::summarize(Reader::new(input)?)?;
    let (checked, _) = watch.finish(summary.header.version, None)?;
    Ok((summary, checked))
}
