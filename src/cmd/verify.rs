//! `recmode verify`: whether recordings are as they were written.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::Context as _;
use jiff::Zoned;
use rayon::prelude::*;

use crate::cast::Segments;
use crate::catalog::{self, Recorded};
use crate::cli::{ColorWhen, InfoFormat, VerifyArgs};
use crate::report::{self, Verified};
use crate::signature::AllowedSigners;
use crate::verify::{Checked, Followed, SessionVerdict, verify_file, verify_stream};
use crate::{escape, exit};

/// The largest file of signers in bytes.
const MAX_SIGNERS: u64 = 16 << 20;

/// Verifies each file that is named, and below a directory that is named each recording, and each file that has the name
/// of one. The code is 1 if
/// one is not intact, complete and signed as asked, else 2 if one could not be judged.
///
/// # Errors
///
/// When the signers, or standard output, can't be read or written.
pub fn run(args: &VerifyArgs) -> anyhow::Result<u8> {
    let allowed = args.allowed_signers.as_deref().map(read_signers).transpose()?;
    let mut trouble: Vec<(PathBuf, io::Error)> = Vec::new();
    let mut files = Vec::new();
    for path in &args.paths {
        let is_dir = path.is_dir();
        if path == Path::new("-") {
            files.push((path.clone(), true));
            continue;
        }
        match catalog::files(path, &mut trouble) {
            // What has a recording's name should be one.
            Ok(found) => files.extend(found.into_iter().map(|file| {
                let named = !is_dir || catalog::is_cast(&file);
                (file, named)
            })),
            Err(error) => trouble.push((path.clone(), error)),
        }
    }
    let (files, sessions) = with_sessions(files, &args.paths);
    let checked: Vec<_> = super::progress::over_bytes(|progress| {
        let total = files.iter().filter_map(|(file, _)| fs::metadata(file).ok()).map(|file| file.len()).sum();
        progress.total.store(total, Ordering::Relaxed);
        let verify = |(file, named): (PathBuf, bool)| {
            let count = |n| _ = progress.done.fetch_add(n, Ordering::Relaxed);
            let checked = if is_stream(&file) {
                verify_stream(&file, allowed.as_ref())
            } else {
                verify_file(&file, allowed.as_ref(), count)
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
                trouble.push((file, io::Error::other("no recording: its first line is no asciicast header")));
            }
            Ok(checked) => found.push((file, checked)),
            Err(error) => trouble.push((file, error)),
        }
    }
    let mut verdicts = Vec::new();
    for segments in &sessions {
        match SessionVerdict::new(segments, &mut found) {
            Ok(verdict) => verdicts.push(verdict),
            Err(error) => trouble.push((segments.files[0].path.clone(), error)),
        }
    }
    super::print(text(args, &found, &verdicts)?.as_bytes())?;
    for (path, error) in &trouble {
        super::say(&format!("recmode: {}: {error}\n", escape::path(path)));
    }
    // A session that only goes on is judged by its files.
    Ok(if verdicts.iter().all(SessionVerdict::is_complete) {
        verdict(&found, !trouble.is_empty())
    } else {
        exit::NO
    })
}

/// The files with the others of their sessions, and those sessions.
fn with_sessions(files: Vec<(PathBuf, bool)>, named: &[PathBuf]) -> (Vec<(PathBuf, bool)>, Vec<Segments>) {
    // Each is looked for beside a file that is named itself, and not only below a directory.
    let mut is_recording: HashMap<PathBuf, bool> = HashMap::new();
    let files = files.into_iter().map(|(path, as_recording)| {
        let itself = named.contains(&path);
        is_recording.insert(path.clone(), as_recording);
        (path, itself)
    });
    let (mut all, mut sessions) = (Vec::new(), Vec::new());
    for Recorded { path, segments, .. } in catalog::sessions(files.collect()) {
        let Some(segments) = segments else {
            let as_recording = is_recording.get(&path).copied().unwrap_or(true);
            all.push((path, as_recording));
            continue;
        };
        all.extend(segments.files.iter().map(|segment| (segment.path.clone(), true)));
        sessions.push(segments);
    }
    (all, sessions)
}

/// Whether it can be read but once. A directory is told as such when it is opened as a file.
fn is_stream(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    path == Path::new("-") || fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo())
}

fn begins(path: &Path) -> bool {
    fs::File::open(path).is_ok_and(|file| catalog::is_beginning(&file))
}

fn read_signers(path: &Path) -> anyhow::Result<AllowedSigners> {
    let context = || format!("--allowed-signers {}", escape::path(path));
    let file = fs::File::open(path).with_context(context)?;
    let mut text = String::new();
    io::Read::read_to_string(&mut io::Read::take(file, MAX_SIGNERS), &mut text).with_context(context)?;
    AllowedSigners::parse(&text, &Zoned::now()).with_context(context)
}

fn text(
    args: &VerifyArgs,
    found: &[(PathBuf, Checked)],
    sessions: &[SessionVerdict],
) -> anyhow::Result<String> {
    let found = found.iter().map(|(path, checked)| (path.as_path(), checked));
    match args.format {
        InfoFormat::Json => Ok(Verified::new(found).with_sessions(sessions).json()?),
        InfoFormat::Human => {
            let color = super::color::wanted(ColorWhen::Auto, &io::stdout());
            let told = found.filter(|(_, checked)| !args.quiet || !checked.is_good());
            let files = told.map(|(path, checked)| report::verified_text(path, checked, color));
            let sessions = sessions.iter().filter(|session| !args.quiet || !session.is_good());
            Ok(files.chain(sessions.map(|session| report::session_text(session, color))).collect())
        }
    }
}

fn verdict(found: &[(PathBuf, Checked)], trouble: bool) -> u8 {
    let unjudged = |checked: &Checked| checked.chain == Followed::NoChain && checked.is_signed_as_asked();
    if found.iter().any(|(_, checked)| !checked.is_good() && !unjudged(checked)) {
        exit::NO
    } else if trouble || found.iter().any(|(_, checked)| unjudged(checked)) {
        exit::TROUBLE
    } else {
        exit::OK
    }
}
