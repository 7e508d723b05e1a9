//! Signatures over recordings: SSHSIG, as `ssh-keygen -Y` makes and takes them, with the namespace `recmode`.
//! Format: PROTOCOL.sshsig of OpenSSH.

mod allowed;
mod key;
mod options;
mod pattern;
mod public;
mod sshsig;
mod time;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sha2::{Digest, Sha256, Sha512};

pub use allowed::{AllowedSigners, SignersError};
pub use key::{KeyError, SigningKey};
pub use sshsig::SshSignature;
pub use time::absolute_time;

/// What the signatures are for: one for something else doesn't count.
pub const NAMESPACE: &str = "recmode";

/// What a recording's name has added in its signature's.
pub const EXTENSION: &str = "sig";

/// Where a recording's signature is.
#[must_use]
pub fn signature_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(EXTENSION);
    name.into()
}

/// Why a signature doesn't hold, or can't be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The text is no SSHSIG.
    #[error("no SSH signature")]
    Malformed,
    /// It is for something else.
    #[error("a signature for another purpose ({0:?})")]
    Namespace(String),
    /// It is over other bytes, or not by its key.
    #[error("the signature is not over this recording")]
    Wrong,
    /// No one who may sign has its key.
    #[error("signed by a key that is not among the allowed signers")]
    NotAllowed,
    /// Someone who may sign has its key, but not at this time.
    #[error("signed by a key that is not valid at {0}")]
    NotValid(Timestamp),
    /// Its key, or its algorithm, is of a type that can't be verified.
    #[error("can't be verified: signatures of type {0} are not supported")]
    Unsupported(String),
    /// Its file is there and can't be read.
    #[error("can't be verified: the signature can't be read: {0}")]
    Unreadable(String),
}

impl SignatureError {
    /// Whether the question stays open: the signature may hold.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Unsupported(_) | Self::Unreadable(_))
    }
}

/// The hashes of a text that a signature may be over.
#[derive(Debug, Clone)]
pub enum TextHash {
    /// SHA-256.
    Sha256(Sha256),
    /// SHA-512, what ssh-keygen uses and what is made here.
    Sha512(Sha512),
}

impl Default for TextHash {
    fn default() -> Self {
        Self::Sha512(Sha512::new())
    }
}

impl TextHash {
    /// Takes more of the text.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha512(hash) => hash.update(bytes),
        }
    }

    /// What is signed: the namespace and the text's hash, framed.
    fn signed_data(&self) -> Vec<u8> {
        let (name, value) = match self {
            Self::Sha256(hash) => ("sha256", hash.clone().finalize().to_vec()),
            Self::Sha512(hash) => ("sha512", hash.clone().finalize().to_vec()),
        };
        let mut data = b"SSHSIG".to_vec();
        for field in [NAMESPACE.as_bytes(), b"", name.as_bytes(), &value] {
            data.extend(u32::try_from(field.len()).unwrap_or(u32::MAX).to_be_bytes());
            data.extend_from_slice(field);
        }
        data
    }
}
