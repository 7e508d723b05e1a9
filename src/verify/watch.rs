//! Verifies a recording while somebody else reads it, so that the verdict is about the very bytes that were read.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};

use super::file::{Checked, Over, find_signature, signed};
use super::follow::{Followed, Follower};
use crate::cast;
use crate::recording::reader::Version;
use crate::signature::{AllowedSigners, SignatureError, SshSignature, TextHash};

/// The hashes of a file as it is, compressed or not, as lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hashes {
    /// BLAKE3, 256 bits.
    pub blake3: String,
    /// SHA-256.
    pub sha256: String,
    /// The number of bytes.
    pub bytes: u64,
}

/// What is known of a recording that is being read.
pub struct Watch {
    source: Arc<Mutex<Source>>,
    text: Arc<Mutex<Text>>,
    live: bool,
    signature: Option<Result<SshSignature, SignatureError>>,
}

impl Watch {
    /// Opens a recording, `-` for standard input; gives its text beside the watch. With `want_signature` the signature
    /// beside the file is read too. Counts the bytes that are read of the file in `done`.
    ///
    /// # Errors
    ///
    /// Those of opening, and of reading the first bytes or the signature.
    pub fn open(path: &Path, want_signature: bool, done: &Arc<AtomicU64>) -> io::Result<(cast::Input, Self)> {
        let (mut live, mut signature, mut over) = (false, None, Over::File);
        let inner: Box<dyn Read + Send> = if path == Path::new("-") {
            Box::new(io::stdin())
        } else {
            let mut file = File::open(path)?;
            if file.metadata()?.is_file() {
                live = cast::is_live(&file);
                if want_signature {
                    let mut head = [0; 4];
                    let n = file.read(&mut head)?;
                    file.rewind()?;
                    (over, signature) = find_signature(path, cast::is_compressed(&head[..n]))?;
                }
            }
            Box::new(file)
        };
        let signature = signature.map(|text| SshSignature::parse(&text));
        let hash = signature.as_ref().and_then(|signature| signature.as_ref().ok()).map(SshSignature::hash);
        let (of_file, of_text) = if over == Over::File { (hash, None) } else { (None, hash) };
        let source = Arc::new(Mutex::new(Source {
            inner,
            blake3: blake3::Hasher::new(),
            sha256: Sha256::new(),
            signed: of_file,
            bytes: 0,
            done: Arc::clone(done),
            ended: false,
        }));
        let text = Arc::new(Mutex::new(Text { follower: Follower::default(), signed: of_text, bytes: 0 }));
        let watched =
            Watched { inner: cast::reader_of(Bytes(Arc::clone(&source)))?, text: Arc::clone(&text) };
        let input = Box::new(BufReader::with_capacity(1 << 16, watched));
        Ok((input, Self { source, text, live, signature }))
    }

    /// The verdict, once the text of a recording of this version was read to its end.
    ///
    /// # Errors
    ///
    /// When what follows the text in the file can't be read.
    pub fn finish(self, version: Version, allowed: Option<&AllowedSigners>) -> io::Result<(Checked, Hashes)> {
        let (mut source, mut text) = (lock(&self.source), lock(&self.text));
        // A decoder may stop before the last byte.
        let mut rest = [0; 4096];
        while source.read(&mut rest)? > 0 {}
        let (chain, facts) = std::mem::take(&mut text.follower).finish();
        let chain = if version == Version::V1 { Followed::NoChain } else { chain };
        let hash = source.signed.take().or(text.signed.take());
        let signed = allowed.map(|allowed| signed(self.signature, hash.as_ref(), allowed, &facts));
        let checked = Checked { chain, facts, live: self.live, signed, bytes: text.bytes };
        let hashes = Hashes {
            blake3: source.blake3.finalize().to_hex().to_string(),
            sha256: hexadecimal(&source.sha256.finalize_reset()),
            bytes: source.bytes,
        };
        Ok((checked, hashes))
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes of the file.
struct Source {
    inner: Box<dyn Read + Send>,
    blake3: blake3::Hasher,
    sha256: Sha256,
    /// Where a signature is over the file.
    signed: Option<TextHash>,
    bytes: u64,
    done: Arc<AtomicU64>,
    /// Nothing is read after the first end: what a live recording has gained since is not in its text.
    ended: bool,
}

impl Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        let n = loop {
            match self.inner.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.ended = n == 0;
        self.blake3.update(&buffer[..n]);
        self.sha256.update(&buffer[..n]);
        if let Some(hash) = &mut self.signed {
            hash.update(&buffer[..n]);
        }
        self.bytes += n as u64;
        self.done.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

struct Bytes(Arc<Mutex<Source>>);

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        lock(&self.0).read(buffer)
    }
}

/// What is known of the text, decompressed where the file is compressed.
struct Text {
    follower: Follower,
    /// Where a signature is over the text: it was made before the file was compressed.
    signed: Option<TextHash>,
    bytes: u64,
}

struct Watched {
    inner: cast::Input,
    text: Arc<Mutex<Text>>,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer);
        let mut text = lock(&self.text);
        match &read {
            Ok(n) => {
                text.follower.feed(&buffer[..*n]);
                if let Some(hash) = &mut text.signed {
                    hash.update(&buffer[..*n]);
                }
                text.bytes += *n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => text.follower.cut(),
            Err(_) => {}
        }
        read
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
