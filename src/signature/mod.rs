//! Signatures over recordings: SSHSIG, as `ssh-keygen -Y` makes and takes them, with the namespace `recmode`.
//! Format: PROTOCOL.sshsig of OpenSSH.

mod allowed;
mod key;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256, Sha512};
use ssh_key::{HashAlg, SshSig};

pub use allowed::{AllowedSigners, SignersError};
pub use key::{KeyError, SigningKey};

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

/// Why a signature doesn't hold.
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
    /// The hash that this signature is over.
    ///
    /// # Errors
    /// Where it is no signature.
    pub fn of_signature(text: &[u8]) -> Result<Self, SignatureError> {
        let signature = SshSig::from_pem(text).map_err(|_| SignatureError::Malformed)?;
        Ok(match signature.hash_alg() {
            HashAlg::Sha256 => Self::Sha256(Sha256::new()),
            _ => Self::default(),
        })
    }

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

/// Whether `signature` is one over the text of this hash by someone who may; gives the signer's principals.
///
/// # Errors
/// Why not.
pub fn check<'a>(
    signature: &[u8],
    hash: &TextHash,
    allowed: &'a AllowedSigners,
) -> Result<&'a str, SignatureError> {
    use signature_traits::Verifier as _;
    let signature = SshSig::from_pem(signature).map_err(|_| SignatureError::Malformed)?;
    if signature.namespace() != NAMESPACE {
        return Err(SignatureError::Namespace(signature.namespace().to_owned()));
    }
    if !signature.reserved().is_empty() {
        return Err(SignatureError::Malformed);
    }
    let verified = signature.public_key().verify(&hash.signed_data(), signature.signature());
    verified.map_err(|_| SignatureError::Wrong)?;
    allowed.principals_of(signature.public_key()).ok_or(SignatureError::NotAllowed)
}
