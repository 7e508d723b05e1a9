//! `recmode verify`: whether recordings are as they were written.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::Context as _;
use jiff::{Timestamp, Zoned};
use rayon::prelude::*;

use crate::catalog;
use crate::cli::{ColorWhen, InfoFormat, VerifyArgs};
use crate::report::{self, Verified};
use crate::signature::{AllowedSigners, absolute_time};
use crate::verify::{Checked, Copies, Followed, find_copies, verify_file, verify_stream};
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
    let verify_time = args.verify_time.as_deref().map(|text| verify_time(text, &now)).transpose()?;
    let allowed = args.allowed_signers.as_deref();
    let allowed = allowed.map(|path| read_signers(path, verify_time)).transpose()?;
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
    let copies = copies(&found);
    super::print(text(args, &found, &copies)?.as_bytes())?;
    for (path, error) in &trouble {
        super::say(&format!("recmode: {}: {error}\n", escape::path(path)));
    }
    Ok(if copies.is_empty() { verdict(&found, !trouble.is_empty()) } else { exit::NO })
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

fn begins(path: &Path) -> bool {
    fs::File::open(path).is_ok_and(|file| catalog::is_beginning(&file))
}

/// The signers in a file, those of `verify_time` where that is given, else of each recording's own time.
pub(super) fn read_signers(path: &Path, verify_time: Option<Timestamp>) -> anyhow::Result<AllowedSigners> {
    let now = Zoned::now();
    let mut text = Vec::new();
    fs::File::open(path)
        .and_then(|file| io::Read::read_to_end(&mut io::Read::take(file, MAX_SIGNERS), &mut text))
        .with_context(|| format!("--allowed-signers {}", escape::path(path)))?;
    let signers = AllowedSigners::parse(&text, &now).at(verify_time);
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
    match seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()) {
        Some(time) => Ok(time),
        None => catalog::moment(text, now).context("--verify-time"),
    }
}

fn text(args: &VerifyArgs, found: &[(PathBuf, Checked)], copies: &[Copies<'_>]) -> anyhow::Result<String> {
    let found = found.iter().map(|(path, checked)| (path.as_path(), checked));
    match args.format {
        InfoFormat::Json => Ok(Verified::new(found).with_copies(copies).json()?),
        InfoFormat::Human => {
            let color = super::color::wanted(ColorWhen::Auto, &io::stdout());
            let told = found.filter(|(_, checked)| !args.quiet || !checked.is_good());
            let files = told.map(|(path, checked)| report::verified_text(path, checked, color));
            Ok(files.chain(copies.iter().map(|copies| report::copies_text(copies, color))).collect())
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
