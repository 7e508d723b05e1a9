//! The signature beside a recording, found before the recording is read and judged after that.

use std::io::{self, Read as _};
use std::path::Path;

use jiff::Timestamp;

use crate::dirfd::FileRef;
use crate::signature::{self, AllowedSigners, SignatureError, SshSignature, TextHash};

/// The largest signature in bytes.
const MAX_SIGNATURE: u64 = 64 * 1024;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// The bytes of the file.
    File,
    /// The text of a compressed file: the signature was made before it was compressed.
    Text,
}

/// A signature, and the hash of what was read so far of what it is over.
pub(super) struct Claim {
    over: Over,
    signature: Result<(SshSignature, TextHash), SignatureError>,
}

impl Claim {
    /// Reads the signature beside a file: FILE.gz.sig over the bytes, or else FILE.sig over the text of a compressed one.
    /// That one can't be read is part of the verdict: it must not hide what becomes of the file.
    pub(super) fn read(found: &FileRef, compressed: bool) -> Option<Self> {
        Self::find(found, compressed).unwrap_or_else(|error| {
            let signature = Err(SignatureError::Unreadable(error.to_string()));
            Some(Self { over: Over::File, signature })
        })
    }

    fn find(found: &FileRef, compressed: bool) -> io::Result<Option<Self>> {
        let path = found.path();
        if let Some(text) = read(found, path)? {
            return Ok(Some(Self::new(Over::File, &text)));
        }
        if compressed && path.extension().is_some_and(|end| end == "gz" || end == "zst") {
            return Ok(read(found, &path.with_extension(""))?.map(|text| Self::new(Over::Text, &text)));
        }
        Ok(None)
    }

    fn new(over: Over, text: &[u8]) -> Self {
        let signature = SshSignature::parse(text);
        Self { over, signature: signature.map(|signature| (signature.clone(), signature.hash())) }
    }

    /// The hash to feed, if it is one over this.
    pub(super) fn hash(&mut self, over: Over) -> Option<&mut TextHash> {
        let is_it = self.over == over;
        self.signature.as_mut().ok().filter(|_| is_it).map(|(_, hash)| hash)
    }

    /// What it came to, once all was read. `recorded` is when the text says that it was recorded.
    pub(super) fn judge(
        claim: Option<Self>,
        allowed: &AllowedSigners,
        recorded: Option<Timestamp>,
    ) -> Signed {
        let Some(claim) = claim else { return Signed::Missing };
        let checked = claim.signature.and_then(|(signature, hash)| signature.check(&hash, allowed, recorded));
        checked.map_or_else(Signed::Wrong, Signed::By)
    }
}

/// The text of the signature of the file at this path, which is beside `found`.
fn read(found: &FileRef, path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match found.open_beside(&signature::signature_path(path)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut text = Vec::new();
    file.take(MAX_SIGNATURE).read_to_end(&mut text)?;
    Ok(Some(text))
}
