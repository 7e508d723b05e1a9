//! The key that recordings are signed with.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, SshSig};

use super::{NAMESPACE, TextHash};

/// The largest key file in bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// Why a key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It can't be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Others can read it, so that it proves nothing.
    #[error("others can read it (mode {0:04o}): a key that signs has to be secret")]
    Exposed(u32),
    /// It is no OpenSSH private key.
    #[error("no private key in OpenSSH's format")]
    Malformed,
    /// It needs a passphrase, which nobody could be asked for.
    #[error("the key is encrypted; a key without a passphrase is needed")]
    Encrypted,
    /// It is of another kind.
    #[error("the key is {0}; only ed25519 is used")]
    Algorithm(String),
}

/// An ed25519 key.
#[derive(Debug, Clone)]
pub struct SigningKey(PrivateKey);

impl SigningKey {
    /// Reads an OpenSSH private key, which must not be encrypted.
    ///
    /// # Errors
    /// Why it can't be used.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("not a regular file").into());
        }
        if metadata.mode() & 0o077 != 0 {
            return Err(KeyError::Exposed(metadata.mode() & 0o7777));
        }
        let mut text = Vec::new();
        file.take(MAX_BYTES).read_to_end(&mut text)?;
        Self::parse(&text)
    }

    fn parse(text: &[u8]) -> Result<Self, KeyError> {
        let key = PrivateKey::from_openssh(text).map_err(|_| KeyError::Malformed)?;
        if key.is_encrypted() {
            return Err(KeyError::Encrypted);
        }
        match key.algorithm() {
            Algorithm::Ed25519 => Ok(Self(key)),
            other => Err(KeyError::Algorithm(other.to_string())),
        }
    }

    /// The signature over a text, as the file that `ssh-keygen -Y verify` reads; `None` where the key does not sign.
    #[must_use]
    pub fn sign(&self, hash: &TextHash) -> Option<String> {
        use signature_traits::Signer as _;
        let algorithm = match hash {
            TextHash::Sha256(_) => HashAlg::Sha256,
            TextHash::Sha512(_) => HashAlg::Sha512,
        };
        let signature = self.0.try_sign(&hash.signed_data()).ok()?;
        let public = self.0.public_key().key_data().clone();
        let signature = SshSig::new(public, NAMESPACE, algorithm, signature).ok()?;
        signature.to_pem(LineEnding::LF).ok()
    }
}
