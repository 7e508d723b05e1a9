//! A recording's file with its signature beside it.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::follow::{Facts, Followed, follow};
use super::signed::{Claim, Over, Signed};
use crate::cast;
use crate::dirfd::FileRef;
use crate::recording::reader::{Reader, Version};
use crate::signature::{AllowedSigners, TextHash};
use crate::sys::UpToHole;

/// What was found of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What its chain came to.
    pub chain: Followed,
    /// What its text says of itself.
    pub facts: Facts,
    /// Whether it is still being written.
    pub live: bool,
    /// What its signature came to, where that was asked for.
    pub signed: Option<Signed>,
    /// The bytes of the text that were read. Only where all of it is intact or signed were they verified.
    pub bytes: u64,
    /// The session goes on in another file, whose header has the hash of what counts of this one.
    pub continued: Option<Continued>,
}

/// Verifies the file at `path`: its chain, and with `allowed` its signature. The chain of a compressed file is that of
/// its text. FILE.gz.sig is over the compressed file; where there is none, FILE.sig is over its text. `progress` gets how many
/// bytes of the file were read.
///
/// # Errors
/// Those of opening and reading.
pub fn verify_file(
    path: &Path,
    allowed: Option<&AllowedSigners>,
    progress: impl FnMut(u64),
) -> io::Result<Checked> {
    verify_found(&FileRef::named(path), allowed, progress)
}

/// As [`verify_file`], for a file that may have been found below a directory. It is opened once, so that all is about
/// one file.
///
/// # Errors
/// Those of opening and reading.
pub fn verify_found(
    found: &FileRef,
    allowed: Option<&AllowedSigners>,
    mut progress: impl FnMut(u64),
) -> io::Result<Checked> {
    let mut file = found.open()?;
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

    let mut claim = match allowed {
        Some(_) => Claim::read(found, compressed),
        None => None,
    };
    let mut bytes = 0;
    let (chain, facts) = if compressed {
        if let Some(hash) = hash(&mut claim, Over::File) {
            io::copy(&mut Tee { inner: UpToHole::new(&file), hash: Some(hash) }, &mut io::sink())?;
        }
        file.rewind()?;
        let (packed, mut told) = (Arc::new(AtomicU64::new(0)), 0);
        let inner = cast::counted_reader_of(file.try_clone()?, &packed)?;
        follow_all(Tee { inner, hash: hash(&mut claim, Over::Text) }, |n| {
            bytes += n;
            let now = packed.load(Ordering::Relaxed);
            progress(now - told);
            told = now;
        })?
    } else {
        follow_all(Tee { inner: UpToHole::new(&file), hash: hash(&mut claim, Over::File) }, |n| {
            bytes += n;
            progress(n);
        })?
    };
    // A recording of version 1 is a document of many lines.
    let chain =
        if chain == Followed::NoRecording && is_version_1(&mut file) { Followed::NoChain } else { chain };
    let signed = allowed.map(|allowed| Claim::judge(claim, allowed, facts.recorded));
    Ok(Checked { chain, facts, live, signed, bytes, continued: None })
}

fn hash(claim: &mut Option<Claim>, over: Over) -> Option<&mut TextHash> {
    claim.as_mut().and_then(|claim| claim.hash(over))
}

/// Follows the chain, and reads on where it ends early if all is to be hashed.
fn follow_all<R: Read>(mut tee: Tee<'_, R>, progress: impl FnMut(u64)) -> io::Result<(Followed, Facts)> {
    let followed = follow(&mut tee, progress)?;
    if tee.hash.is_some() {
        match io::copy(&mut tee, &mut io::sink()) {
            // A compressed file that is damaged, or was cut off: what was signed is not there.
            Err(error) if error.raw_os_error().is_none() => {}
            copied => _ = copied?,
        }
    }
    Ok(followed)
}

/// Verifies a recording that can be read but once, standard input (`-`) or a pipe: its chain. It has no signature beside
/// it.
///
/// # Errors
/// Those of opening and reading.
pub fn verify_stream(path: &Path, allowed: Option<&AllowedSigners>) -> io::Result<Checked> {
    let mut bytes = 0;
    let (chain, facts) = follow(cast::open(path)?, |n| bytes += n)?;
    Ok(Checked {
        chain,
        facts,
        live: false,
        signed: allowed.map(|_| Signed::Missing),
        bytes,
        continued: None,
    })
}

fn is_version_1(file: &mut File) -> bool {
    let again = file.rewind().and_then(|()| file.try_clone());
    let reader = again.and_then(cast::reader_of).ok().and_then(|input| Reader::new(input).ok());
    reader.is_some_and(|reader| reader.header().version == Version::V1)
}

/// Hashes what is read.
struct Tee<'a, R> {
    inner: R,
    hash: Option<&'a mut TextHash>,
}

impl<R: Read> Read for Tee<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        if let Some(hash) = &mut self.hash {
            hash.update(&buffer[..n]);
        }
        Ok(n)
    }
}

/// What the next file of the session proves of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Continued {
    /// All of it that counts is as it was written.
    AsItWas,
    /// It is not.
    Changed,
}

impl Checked {
    /// Whether it is intact, complete, and signed where that was asked for.
    #[must_use]
    pub fn is_good(&self) -> bool {
        match self.continued {
            // The signature of the session's last file covers the hash of this one.
            Some(Continued::AsItWas) => return !matches!(self.signed, Some(Signed::Wrong(_))),
            Some(Continued::Changed) => return false,
            None => {}
        }
        matches!(self.chain, Followed::Intact { .. }) && self.is_signed_as_asked()
    }

    /// How bad it is, for one verdict on several files: 0 where it is good.
    #[must_use]
    pub fn badness(&self) -> u8 {
        match &self.chain {
            _ if self.is_good() => 0,
            Followed::Changed { .. } | Followed::NoRecording => 6,
            _ if self.continued == Some(Continued::Changed) => 6,
            _ if matches!(self.signed, Some(Signed::Wrong(_) | Signed::Missing)) => 5,
            Followed::CutOff { .. } if !self.live => 4,
            Followed::Recovered { .. } => 3,
            Followed::NoChain => 2,
            Followed::CutOff { .. } | Followed::Intact { .. } => 1,
        }
    }

    /// Whether it is signed, or that was not asked for.
    #[must_use]
    pub fn is_signed_as_asked(&self) -> bool {
        matches!(self.signed, None | Some(Signed::By(_)))
    }

    /// The bytes that a check or a signature covers, where that is all of the text.
    #[must_use]
    pub fn verified_bytes(&self) -> Option<u64> {
        let verified = match self.chain {
            _ if self.continued == Some(Continued::Changed) => false,
            Followed::Intact { .. } => true,
            Followed::NoChain => matches!(self.signed, Some(Signed::By(_))),
            _ => false,
        };
        verified.then_some(self.bytes)
    }

    /// Whether the question stays open: it has no chain, or its signature can't be judged, and nothing else is wrong.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let open = matches!(&self.signed, Some(Signed::Wrong(error)) if error.is_open());
        match self.chain {
            Followed::NoChain => open || self.is_signed_as_asked(),
            Followed::Intact { .. } => open,
            _ => false,
        }
    }
}
