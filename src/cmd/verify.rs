//! `recmode verify`: whether recordings are as they were written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::Context as _;
use jiff::Zoned;
use rayon::prelude::*;

use crate::catalog;
use crate::cli::{ColorWhen, InfoFormat, VerifyArgs};
use crate::report::{self, Verified};
use crate::signature::AllowedSigners;
use crate::verify::{Checked, Followed, verify_file, verify_stream};
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
    super::print(text(args, &found)?.as_bytes())?;
    for (path, error) in &trouble {
        super::say(&format!("recmode: {}: {error}\n", escape::path(path)));
    }
    Ok(verdict(&found, !trouble.is_empty()))
}

/// Whether it can be read but once. A directory is told as such when it is opened as a file.
fn is_stream(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    path == Path::new("-") || fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo())
}

fn begins(path: &Path) -> bool {
    fs::File::open(path).is_ok_and(|file| catalog::is_beginning(&file))
}

pub(super) fn read_signers(path: &Path) -> anyhow::Result<AllowedSigners> {
    let context = || format!("--allowed-signers {}", escape::path(path));
    let file = fs::File::open(path).with_context(context)?;
    let mut text = String::new();
    io::Read::read_to_string(&mut io::Read::take(file, MAX_SIGNERS), &mut text).with_context(context)?;
    AllowedSigners::parse(&text, &Zoned::now()).with_context(context)
}

fn text(args: &VerifyArgs, found: &[(PathBuf, Checked)]) -> anyhow::Result<String> {
    let found = found.iter().map(|(path, checked)| (path.as_path(), checked));
    match args.format {
        InfoFormat::Json => Ok(Verified::new(found).json()?),
        InfoFormat::Human => {
            let color = super::color::wanted(ColorWhen::Auto, &io::stdout());
            let told = found.filter(|(_, checked)| !args.quiet || !checked.is_good());
            Ok(told.map(|(path, checked)| report::verified_text(path, checked, color)).collect())
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
