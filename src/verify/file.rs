//! A recording's file with its signature beside it.

use std::fs::{OpenOptions, TryLockError};
use std::io::{self, Read, Seek as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::follow::{Facts, Followed, follow};
use crate::cast;
use crate::recording::reader::{Reader, Version};
use crate::signature::{self, AllowedSigners, SignatureError, SshSignature, TextHash};

/// The largest signature in bytes.
const MAX_SIGNATURE: u64 = 64 * 1024;

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
}

/// What a signature came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signed {
    /// By these principals.
    By(String),
    /// There is none.
    Missing,
    /// It doesn't hold, or can't be judged.
    Wrong(SignatureError),
}

/// What a signature is over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// The bytes of the file.
    File,
    /// The text of a compressed file: the signature was made before it was compressed.
    Text,
}

/// Verifies the file at `path`: its chain, and with `allowed` its signature. The chain of a compressed file is that of
/// its text. FILE.gz.sig is over the compressed file; where there is none, FILE.sig is over its text. `progress` is told how many
/// bytes of the file were read.
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

    let (over, signature) = match allowed {
        Some(_) => find_signature(path, compressed)?,
        None => (Over::File, None),
    };
    let signature = signature.map(|text| SshSignature::parse(&text));
    let mut hash = signature.as_ref().and_then(|signature| signature.as_ref().ok()).map(SshSignature::hash);
    let mut bytes = 0;
    let (chain, facts) = if compressed {
        if over == Over::File
            && let Some(hash) = &mut hash
        {
            io::copy(&mut Tee { inner: file, hash: Some(hash) }, &mut io::sink())?;
        }
        let (packed, mut told) = (Arc::new(AtomicU64::new(0)), 0);
        let hash = hash.as_mut().filter(|_| over == Over::Text);
        follow_all(Tee { inner: cast::open_counted(path, &packed)?, hash }, |n| {
            bytes += n;
            let now = packed.load(Ordering::Relaxed);
            progress(now - told);
            told = now;
        })?
    } else {
        follow_all(Tee { inner: file, hash: hash.as_mut() }, |n| {
            bytes += n;
            progress(n);
        })?
    };
    // A recording of version 1 is a document of many lines.
    let chain = if chain == Followed::NoRecording && is_version_1(path) { Followed::NoChain } else { chain };
    let signed = allowed.map(|allowed| signed(signature, hash.as_ref(), allowed, &facts));
    Ok(Checked { chain, facts, live, signed, bytes })
}

/// What a signature comes to over a text with this hash and these facts.
pub(super) fn signed(
    signature: Option<Result<SshSignature, SignatureError>>,
    hash: Option<&TextHash>,
    allowed: &AllowedSigners,
    facts: &Facts,
) -> Signed {
    let checked = match (signature, hash) {
        (None, _) => return Signed::Missing,
        (Some(Ok(signature)), Some(hash)) => signature.check(hash, allowed, facts.recorded),
        (Some(signature), _) => signature.map(|_| String::new()),
    };
    checked.map_or_else(Signed::Wrong, Signed::By)
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
    Ok(Checked { chain, facts, live: false, signed: allowed.map(|_| Signed::Missing), bytes })
}

fn is_version_1(path: &Path) -> bool {
    let reader = cast::open(path).ok().and_then(|input| Reader::new(input).ok());
    reader.is_some_and(|reader| reader.header().version == Version::V1)
}

/// The signature of a file, and what it is over.
pub(super) fn find_signature(path: &Path, compressed: bool) -> io::Result<(Over, Option<Vec<u8>>)> {
    let own = read_signature(&signature::signature_path(path))?;
    let is_packed = |path: &Path| path.extension().is_some_and(|end| end == "gz" || end == "zst");
    if own.is_none() && compressed && is_packed(path) {
        return Ok((Over::Text, read_signature(&signature::signature_path(&path.with_extension("")))?));
    }
    Ok((Over::File, own))
}

fn read_signature(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut text = Vec::new();
    file.take(MAX_SIGNATURE).read_to_end(&mut text)?;
    Ok(Some(text))
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

impl Checked {
    /// Whether it is intact, complete, and signed where that was asked for.
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self.chain, Followed::Intact { .. }) && self.is_signed_as_asked()
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
