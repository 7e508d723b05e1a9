//! Verifies a recording while somebody else reads it, so that the verdict is about the very bytes that were read.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};

use super::file::Checked;
use super::follow::{Followed, Follower};
use super::signed::{Claim, Over};
use crate::cast;
use crate::dirfd::FileRef;
use crate::recording::reader::Version;
use crate::signature::AllowedSigners;
use crate::sys::UpToHole;

/// The hashes of a file as it is, compressed or not, as lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hashes {
    /// BLAKE3, 256 bits.
    pub blake3: String,
    /// SHA-256.
    pub sha256: String,
    /// The number of bytes that they are of.
    pub bytes: u64,
    /// These are only the first bytes of the file: a large hole follows, which is not read.
    pub partial: bool,
}

impl Hashes {
    /// The hashes of a regular file.
    ///
    /// # Errors
    ///
    /// Those of opening and reading.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        let mut source = Source::new(Box::new(UpToHole::new(cast::open_file(path)?)), None, &Arc::default());
        let mut buffer = vec![0; 1 << 17];
        source.read_rest(&mut buffer)?;
        Ok(source.hashes())
    }
}

/// What is known of a recording that is being read.
pub struct Watch {
    source: Arc<Mutex<Source>>,
    follower: Arc<Mutex<Follower>>,
    text_bytes: Arc<AtomicU64>,
    live: bool,
}

impl Watch {
    /// Opens a recording, `-` for standard input; gives its text beside the watch. With `want_signature` the signature
    /// beside the file is read too. Counts the bytes that are read of the file in `done`.
    ///
    /// # Errors
    ///
    /// Those of opening, and of reading the first bytes or the signature.
    pub fn open(path: &Path, want_signature: bool, done: &Arc<AtomicU64>) -> io::Result<(cast::Input, Self)> {
        let (mut live, mut claim) = (false, None);
        let inner: Box<dyn Read + Send> = if path == Path::new("-") {
            Box::new(UpToHole::new(io::stdin()))
        } else {
            let file = cast::open_file(path)?;
            if file.metadata()?.is_file() {
                live = cast::is_live(&file);
                if want_signature {
                    claim = Claim::read(&FileRef::named(path), is_compressed(&file)?);
                }
            }
            Box::new(UpToHole::new(file))
        };
        let source = Arc::new(Mutex::new(Source::new(inner, claim, done)));
        let follower = Arc::new(Mutex::new(Follower::default()));
        let text_bytes = Arc::new(AtomicU64::new(0));
        let text = Text {
            inner: cast::reader(Bytes(Arc::clone(&source)))?,
            source: Arc::clone(&source),
            follower: Arc::clone(&follower),
            bytes: Arc::clone(&text_bytes),
        };
        let input = Box::new(BufReader::with_capacity(1 << 16, text));
        Ok((input, Self { source, follower, text_bytes, live }))
    }

    /// The verdict, once the text of a recording of this version was read to its end.
    ///
    /// # Errors
    ///
    /// When what follows the text in the file can't be read.
    pub fn finish(self, version: Version, allowed: Option<&AllowedSigners>) -> io::Result<(Checked, Hashes)> {
        let mut source = lock(&self.source);
        // A decoder may stop before the last byte.
        source.read_rest(&mut [0; 4096])?;
        let (chain, facts) = std::mem::take(&mut *lock(&self.follower)).finish();
        let chain = if version == Version::V1 { Followed::NoChain } else { chain };
        let signed = allowed.map(|allowed| Claim::judge(source.claim.take(), allowed, facts.recorded));
        let bytes = self.text_bytes.load(Ordering::Relaxed);
        let checked = Checked { chain, facts, live: self.live, signed, bytes, continued: None };
        Ok((checked, source.hashes()))
    }
}

/// The bytes of the file.
struct Source {
    inner: Box<dyn Read + Send>,
    blake3: blake3::Hasher,
    sha256: Sha256,
    claim: Option<Claim>,
    bytes: u64,
    done: Arc<AtomicU64>,
    /// Nothing is read after the first end: what a live recording has gained since is not in its text.
    ended: bool,
    /// A hole follows, which is not read.
    partial: bool,
}

impl Source {
    fn new(inner: Box<dyn Read + Send>, claim: Option<Claim>, done: &Arc<AtomicU64>) -> Self {
        Self {
            inner,
            blake3: blake3::Hasher::new(),
            sha256: Sha256::new(),
            claim,
            bytes: 0,
            done: Arc::clone(done),
            ended: false,
            partial: false,
        }
    }

    /// Reads on to the end, or to a hole.
    fn read_rest(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        loop {
            match self.read(buffer) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(_) if self.partial => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn hashes(&self) -> Hashes {
        Hashes {
            blake3: self.blake3.finalize().to_hex().to_string(),
            sha256: hexadecimal(&self.sha256.clone().finalize()),
            bytes: self.bytes,
            partial: self.partial,
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        let n = loop {
            match self.inner.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Not the system's error: a hole.
                Err(error) if error.raw_os_error().is_none() => {
                    (self.ended, self.partial) = (true, true);
                    return Err(error);
                }
                read => break read?,
            }
        };
        self.ended = n == 0;
        self.blake3.update(&buffer[..n]);
        self.sha256.update(&buffer[..n]);
        self.hash(Over::File, &buffer[..n]);
        self.bytes += n as u64;
        self.done.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }

    fn hash(&mut self, over: Over, bytes: &[u8]) {
        if let Some(hash) = self.claim.as_mut().and_then(|claim| claim.hash(over)) {
            hash.update(bytes);
        }
    }
}

struct Bytes(Arc<Mutex<Source>>);

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        lock(&self.0).read(buffer)
    }
}

/// The text, decompressed where the file is compressed.
struct Text {
    inner: cast::Input,
    source: Arc<Mutex<Source>>,
    follower: Arc<Mutex<Follower>>,
    bytes: Arc<AtomicU64>,
}

impl Read for Text {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer);
        let mut follower = lock(&self.follower);
        match &read {
            Ok(n) => {
                follower.feed(&buffer[..*n]);
                lock(&self.source).hash(Over::Text, &buffer[..*n]);
                self.bytes.fetch_add(*n as u64, Ordering::Relaxed);
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => follower.cut(),
            Err(_) => {}
        }
        read
    }
}

/// Whether the file begins as a compressed one. It is at its start afterwards.
fn is_compressed(mut file: &File) -> io::Result<bool> {
    let mut head = [0; 4];
    let n = file.read(&mut head)?;
    file.rewind()?;
    Ok(cast::is_compressed(&head[..n]))
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
