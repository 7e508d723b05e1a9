//! A recording's file with its signature beside it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::follow::{Followed, follow};
use crate::cast;
use crate::recording::reader::{Reader, Version};
use crate::signature::{self, AllowedSigners, SignatureError, TextHash};

/// The largest signature in bytes.
const MAX_SIGNATURE: u64 = 64 * 1024;

/// What is to be said of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What its chain came to.
    pub chain: Followed,
    /// Whether it is still being written.
    pub live: bool,
    /// What its signature came to, where that was asked for.
    pub signed: Option<Signed>,
    /// The bytes that were read.
    pub bytes: u64,
    /// The session goes on in another file, whose header has this file's hash: all of it that counts is as it was written.
    pub continued: bool,
}

/// What a signature came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signed {
    /// By these principals.
    By(String),
    /// There is none.
    Missing,
    /// It doesn't hold.
    Wrong(SignatureError),
}

/// Verifies the file at `path`: its chain, and with `allowed` its signature. The chain of a compressed file is that of
/// its text; its signature is over the file as it is. `progress` is told how many bytes of the file were read.
///
/// # Errors
/// Those of opening and reading.
pub fn verify_file(
    path: &Path,
    allowed: Option<&AllowedSigners>,
    mut progress: impl FnMut(u64),
) -> io::Result<Checked> {
    let mut file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    // The recorder holds a lock as long as it lives; a shared one lets others look at the same time.
    let live = matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
    let _ = file.unlock();
    let mut head = [0; 4];
    let n = file.read(&mut head)?;
    file.rewind()?;
    let compressed = cast::is_compressed(&head[..n]);

    let signature = match allowed {
        Some(_) => read_signature(path)?,
        None => None,
    };
    let mut hash = signature.as_deref().map(TextHash::of_signature);
    let wanted = hash.as_mut().and_then(|hash| hash.as_mut().ok());
    let mut bytes = 0;
    let chain = if compressed {
        if let Some(hash) = wanted {
            io::copy(&mut Tee { inner: file, hash: Some(hash) }, &mut io::sink())?;
        }
        let (packed, mut told) = (Arc::new(AtomicU64::new(0)), 0);
        follow(cast::open_counted(path, &packed)?, |n| {
            bytes += n;
            let now = packed.load(Ordering::Relaxed);
            progress(now - told);
            told = now;
        })?
    } else {
        let mut tee = Tee { inner: file, hash: wanted };
        let chain = follow(&mut tee, |n| {
            bytes += n;
            progress(n);
        })?;
        // Where the chain ends early the signature goes on.
        if tee.hash.is_some() {
            io::copy(&mut tee, &mut io::sink())?;
        }
        chain
    };
    // A recording of version 1 is a document of many lines.
    let chain = if chain == Followed::NoRecording && is_version_1(path) { Followed::NoChain } else { chain };
    let signed = allowed.map(|allowed| match (signature, hash) {
        (Some(text), Some(Ok(hash))) => match signature::check(&text, &hash, allowed) {
            Ok(principals) => Signed::By(principals.to_owned()),
            Err(error) => Signed::Wrong(error),
        },
        (Some(_), Some(Err(error))) => Signed::Wrong(error),
        _ => Signed::Missing,
    });
    Ok(Checked { chain, live, signed, bytes, continued: false })
}

/// Verifies a recording that can be read but once, standard input (`-`) or a pipe: its chain. It has no signature beside
/// it.
///
/// # Errors
/// Those of opening and reading.
pub fn verify_stream(path: &Path, allowed: Option<&AllowedSigners>) -> io::Result<Checked> {
    let mut bytes = 0;
    let chain = follow(cast::open(path)?, |n| bytes += n)?;
    Ok(Checked { chain, live: false, signed: allowed.map(|_| Signed::Missing), bytes, continued: false })
}

fn is_version_1(path: &Path) -> bool {
    let reader = cast::open(path).ok().and_then(|input| Reader::new(input).ok());
    reader.is_some_and(|reader| reader.header().version == Version::V1)
}

fn read_signature(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let path = signature::signature_path(path);
    let file = match OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut text = Vec::new();
    file.take(MAX_SIGNATURE).read_to_end(&mut text)?;
    Ok(Some(text))
}

/// Hashes what is read.
struct Tee<'a> {
    inner: File,
    hash: Option<&'a mut TextHash>,
}

impl Read for Tee<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        if let Some(hash) = &mut self.hash {
            hash.update(&buffer[..n]);
        }
        Ok(n)
    }
}

impl Checked {
    /// Whether it is intact, complete, and signed where that was asked for.
    #[must_use]
    pub fn is_good(&self) -> bool {
        if self.continued {
            // The signature of the session's last file covers the hash of this one.
            return !matches!(self.signed, Some(Signed::Wrong(_)));
        }
        matches!(self.chain, Followed::Intact { .. }) && self.is_signed_as_asked()
    }

    /// Whether it is signed, or that was not asked for.
    #[must_use]
    pub fn is_signed_as_asked(&self) -> bool {
        matches!(self.signed, None | Some(Signed::By(_)))
    }
}
