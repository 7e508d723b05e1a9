//! `recmode export --to html`: the page, with what verifying the recording came to.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use anyhow::Context as _;

use super::super::progress::Bytes;
use super::super::session::Recording;
use super::super::verify::read_signers;
use super::{title, to_file, to_stdout, told};
use crate::cast::Joined;
use crate::catalog::owner_name;
use crate::cli::ExportArgs;
use crate::export::{FileFacts, Page};
use crate::recording::reader::Reader;
use crate::screen::Ending;
use crate::signature::AllowedSigners;
use crate::verify::{Checked, Continued, Followed, Hashes, SessionVerdict, Signed, verify_file};
use crate::{escape, report};

/// Writes the page. A recording of one file is verified while it is read, so that the verdict is about what the page shows.
pub(super) fn write(args: &ExportArgs, progress: &Bytes) -> anyhow::Result<(Recording, Option<Ending>)> {
    let name = escape::path(&args.file);
    let allowed = args.allowed_signers.as_deref().map(read_signers).transpose()?;
    let recording = Recording::find(&args.file).with_context(|| name.clone())?;
    let read = |reader| told(Page::read(reader, &title(args), !args.no_player), &recording, "");
    let (page, oversize, checked, hashes) = if let Some(joined) = &recording.joined {
        progress.total.store(joined.size(), Ordering::Relaxed);
        let input = joined.open(&progress.done).map_err(|error| recording.locate(error))?;
        let reader = Reader::new(input).map_err(|error| recording.locate(error))?;
        let oversize = reader.oversize();
        let page = read(reader)?;
        let (checked, hashes) =
            of_session(joined, allowed.as_ref()).map_err(|error| recording.locate(error))?;
        (page, oversize, checked, hashes)
    } else {
        let (input, watch) = progress.watch(&args.file, allowed.is_some()).with_context(|| name.clone())?;
        let reader = Reader::new(input).map_err(|error| recording.locate(error))?;
        let oversize = reader.oversize();
        let page = read(reader)?;
        let (checked, hashes) =
            watch.finish(page.version(), allowed.as_ref()).with_context(|| name.clone())?;
        (page, oversize, vec![(args.file.clone(), checked)], vec![hashes])
    };
    let owner = std::fs::metadata(&args.file).ok().filter(std::fs::Metadata::is_file);
    let owner = owner.map(|file| owner_name(std::os::unix::fs::MetadataExt::uid(&file)));
    let facts = FileFacts {
        name: &args.file,
        owner: owner.as_deref(),
        segments: recording.joined.as_ref().map(|joined| &joined.segments),
        files: &checked,
        hashes: &hashes,
        verified: &jiff::Timestamp::now().round(jiff::Unit::Second)?.to_string(),
    };
    let ending = match &args.output {
        None => to_stdout(&recording, |out| page.write(&facts, out).map(|()| page.ending()))?,
        Some(path) => to_file(path, &recording, |out| page.write(&facts, out).map(|()| page.ending()))?,
    };
    recording.say_oversize(&oversize);
    recording.say_left_out(page.left_out());
    for (path, checked) in &checked {
        let name = escape::path(path);
        let is_changed = matches!(checked.chain, Followed::Changed { .. });
        if is_changed || checked.continued == Some(Continued::Changed) {
            super::super::say(&format!("recmode: {name}: {}\n", report::integrity(checked)));
        }
        match &checked.signed {
            Some(Signed::Missing) if checked.continued.is_some() => {}
            Some(wrong @ (Signed::Missing | Signed::Wrong(_))) => {
                let signature = escape::controls(&report::signature(wrong));
                super::super::say(&format!("recmode: {name}: {signature}\n"));
            }
            Some(Signed::By(_)) | None => {}
        }
    }
    Ok((recording, ending))
}

/// The files of a session, in order, with the verdict on each.
type Verdicts = Vec<(PathBuf, Checked)>;

/// The verdicts on the session's files, and their hashes.
fn of_session(joined: &Joined, allowed: Option<&AllowedSigners>) -> io::Result<(Verdicts, Vec<Hashes>)> {
    let (mut checked, mut hashes) = (Vec::new(), Vec::new());
    for segment in &joined.segments.files {
        checked.push((segment.path.clone(), verify_file(&segment.path, allowed, |_| {})?));
        hashes.push(Hashes::of_file(&segment.path)?);
    }
    SessionVerdict::new(&joined.segments, &mut checked)?;
    Ok((checked, hashes))
}
