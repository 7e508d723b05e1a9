//! `recmode verify`: whether recordings are as they were written.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::Context as _;
use jiff::{Timestamp, Zoned};
use rayon::prelude::*;

use crate::cast::{self, Segments};
use crate::catalog::{self, Recorded};
use crate::cli::{ColorWhen, InfoFormat, VerifyArgs};
use crate::dirfd::FileRef;
use crate::report::{self, Verified};
use crate::signature::{AllowedSigners, absolute_time};
use crate::verify::{Checked, Copies, Followed, SessionVerdict, find_copies, verify_found, verify_stream};
use crate::{escape, exit};

/// The largest file of signers in bytes.
const MAX_SIGNERS: u64 = 16 << 20;

/// Verifies each file that is named, and below a directory that is named each recording, and each file that has the name
/// of one. The code is 1 if
/// one is not intact, complete and signed as asked, or two are one segment of a session, else 2 if one could not be judged.
///
/// # Errors
///
/// When the signers, or standard output, can't be read or written.
pub fn run(args: &VerifyArgs) -> anyhow::Result<u8> {
    let now = Zoned::now();
    let time = args.verify_time.as_deref().map(|text| verify_time(text, &now)).transpose()?;
    let allowed = args.allowed_signers.as_deref().map(read_signers).transpose()?;
    let allowed = allowed.map(|allowed| allowed.at(time));
    let mut trouble: Vec<(PathBuf, io::Error)> = Vec::new();
    let mut files = Vec::new();
    for path in &args.paths {
        if path == Path::new("-") {
            files.push((FileRef::named(path), true));
            continue;
        }
        match catalog::files(path, &mut trouble) {
            // What has a recording's name should be one.
            Ok(found) => files.extend(found.into_iter().map(|file| {
                let named = file.is_named() || catalog::is_cast(file.path());
                (file, named)
            })),
            Err(error) => trouble.push((path.clone(), error)),
        }
    }
    let (files, sessions) = with_sessions(files, &mut trouble);
    let checked: Vec<_> = super::progress::over_bytes(|progress| {
        let total =
            files.iter().filter_map(|(file, _)| fs::metadata(file.path()).ok()).map(|file| file.len()).sum();
        progress.total.store(total, Ordering::Relaxed);
        let verify = |(file, named): (FileRef, bool)| {
            let count = |n| _ = progress.done.fetch_add(n, Ordering::Relaxed);
            let checked = if file.is_named() && is_stream(file.path()) {
                verify_stream(file.path(), allowed.as_ref())
            } else {
                verify_found(&file, allowed.as_ref(), count)
            };
            (file, named, checked)
        };
        files.into_par_iter().map(verify).collect()
    });
    let mut found = Vec::new();
    for (file, named, checked) in checked {
        match checked {
            Ok(Checked { chain: Followed::NoRecording, .. }) if !named || begins(&file) => {}
            Ok(Checked { chain: Followed::NoRecording, .. }) => {
                let error = io::Error::other("no recording: its first line is no asciicast header");
                trouble.push((file.path().to_owned(), error));
            }
            Ok(checked) => found.push((file.path().to_owned(), checked)),
            Err(error) => trouble.push((file.path().to_owned(), error)),
        }
    }
    let mut verdicts = Vec::new();
    for segments in &sessions {
        match SessionVerdict::new(segments, &mut found) {
            Ok(verdict) => verdicts.push(verdict),
            Err(error) => trouble.push((segments.files[0].path.clone(), error)),
        }
    }
    let copies = copies(&found);
    super::print(text(args, &found, &verdicts, &copies)?.as_bytes())?;
    for (path, error) in &trouble {
        super::say(&format!("recmode: {}: {error}\n", escape::path(path)));
    }
    // A session that only goes on is judged by its files.
    Ok(if copies.is_empty() && verdicts.iter().all(SessionVerdict::is_complete) {
        verdict(&found, !trouble.is_empty())
    } else {
        exit::NO
    })
}

/// The files with the others of their sessions, and those sessions.
fn with_sessions(
    files: Vec<(FileRef, bool)>,
    trouble: &mut Vec<(PathBuf, io::Error)>,
) -> (Vec<(FileRef, bool)>, Vec<Segments>) {
    // Each is looked for beside a file that is named itself, and not only below a directory.
    let mut is_recording: HashMap<PathBuf, bool> = HashMap::new();
    let files = files.into_iter().map(|(file, as_recording)| {
        is_recording.insert(file.path().to_owned(), as_recording);
        (file.is_named(), file)
    });
    let (mut all, mut sessions) = (Vec::new(), Vec::new());
    for Recorded { file, segments, .. } in catalog::sessions(files.collect(), trouble) {
        let Some(segments) = segments else {
            let as_recording = is_recording.get(file.path()).copied().unwrap_or(true);
            all.push((file, as_recording));
            continue;
        };
        all.extend(segments.files.iter().map(|segment| (file.at(&segment.path), true)));
        sessions.push(segments);
    }
    (all, sessions)
}

/// The copies among the files; a file that was named twice, or has two names, is one.
fn copies(found: &[(PathBuf, Checked)]) -> Vec<Copies<'_>> {
    use std::os::unix::fs::MetadataExt as _;
    let mut seen = HashSet::new();
    let mut is_new =
        |path: &Path| fs::metadata(path).map_or(true, |file| seen.insert((file.dev(), file.ino())));
    let files = found.iter().map(|(path, checked)| (path.as_path(), &checked.facts));
    find_copies(files.filter(|(path, _)| is_new(path)))
}

/// Whether it can be read but once. A directory is told as such when it is opened as a file.
fn is_stream(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    path == Path::new("-") || fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo())
}

fn begins(file: &FileRef) -> bool {
    file.open().is_ok_and(|file| catalog::is_beginning(&file))
}

pub(super) fn read_signers(path: &Path) -> anyhow::Result<AllowedSigners> {
    let mut text = Vec::new();
    cast::open_file(path)
        .and_then(|file| io::Read::read_to_end(&mut io::Read::take(file, MAX_SIGNERS), &mut text))
        .with_context(|| format!("--allowed-signers {}", escape::path(path)))?;
    let signers = AllowedSigners::parse(&text, &Zoned::now());
    match signers.errors() {
        [first, ..] if signers.is_empty() => {
            anyhow::bail!("--allowed-signers {}: {first}", escape::path(path))
        }
        errors => {
            for error in errors {
                super::say(&format!("recmode: {}: {error}; the line is passed over\n", escape::path(path)));
            }
        }
    }
    Ok(signers)
}

/// A time as ssh-keygen(1) takes it, or as `--since` does.
fn verify_time(text: &str, now: &Zoned) -> anyhow::Result<Timestamp> {
    let seconds = absolute_time(text, now.time_zone());
    match seconds {
        // The last hours of the year 9999 are no timestamp.
        Some(seconds) => Ok(Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)),
        None => catalog::moment(text, now).context("--verify-time"),
    }
}

fn text(
    args: &VerifyArgs,
    found: &[(PathBuf, Checked)],
    sessions: &[SessionVerdict],
    copies: &[Copies<'_>],
) -> anyhow::Result<String> {
    let found = found.iter().map(|(path, checked)| (path.as_path(), checked));
    match args.format {
        InfoFormat::Json => Ok(Verified::new(found).with_sessions(sessions).with_copies(copies).json()?),
        InfoFormat::Human => {
            let color = super::color::wanted(ColorWhen::Auto, &io::stdout());
            let told = found.filter(|(_, checked)| !args.quiet || !checked.is_good());
            let files = told.map(|(path, checked)| report::verified_text(path, checked, color));
            let sessions = sessions.iter().filter(|session| !args.quiet || !session.is_good());
            let sessions = sessions.map(|session| report::session_text(session, color));
            Ok(files
                .chain(sessions)
                .chain(copies.iter().map(|copies| report::copies_text(copies, color)))
                .collect())
        }
    }
}

fn verdict(found: &[(PathBuf, Checked)], trouble: bool) -> u8 {
    if found.iter().any(|(_, checked)| !checked.is_good() && !checked.is_open()) {
        exit::NO
    } else if trouble || found.iter().any(|(_, checked)| checked.is_open()) {
        exit::TROUBLE
    } else {
        exit::OK
    }
}
