//! One signature: what `ssh-keygen -Y sign` writes. Format: PROTOCOL.sshsig of OpenSSH.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::public::{self, Fields, Key};
use super::{AllowedSigners, NAMESPACE, SignatureError, TextHash};

const BEGIN: &[u8] = b"-----BEGIN SSH SIGNATURE-----";
const END: &[u8] = b"\n-----END SSH SIGNATURE-----";
const MAGIC: &[u8] = b"SSHSIG";
const VERSION: u32 = 1;

/// A signature over a recording, not verified yet.
#[derive(Debug, Clone)]
pub struct SshSignature {
    key: ssh_key::public::KeyData,
    hash: TextHash,
    signature: Vec<u8>,
}

impl SshSignature {
    /// Reads the file's text.
    ///
    /// # Errors
    /// Where it is no signature, one for something else, or one that can't be verified here.
    pub fn parse(text: &[u8]) -> Result<Self, SignatureError> {
        let blob = unarmored(text).ok_or(SignatureError::Malformed)?;
        Self::from_blob(&blob).ok_or(SignatureError::Malformed)?
    }

    fn from_blob(blob: &[u8]) -> Option<Result<Self, SignatureError>> {
        let mut fields = Fields(blob.strip_prefix(MAGIC)?);
        if fields.number()? > VERSION {
            return Some(Err(SignatureError::Unsupported("a later version of the format".to_owned())));
        }
        let key = Key::from_blob(fields.string()?)?;
        let namespace = String::from_utf8_lossy(fields.string()?);
        let _reserved = fields.string()?;
        let hash = fields.string()?;
        let signature = fields.string()?.to_owned();
        if !fields.0.is_empty() {
            return None;
        }
        let hash = match hash {
            b"sha256" => TextHash::Sha256(Sha256::new()),
            b"sha512" => TextHash::default(),
            other => {
                return Some(Err(SignatureError::Unsupported(String::from_utf8_lossy(other).into_owned())));
            }
        };
        Some(match key {
            _ if namespace != NAMESPACE => Err(SignatureError::Namespace(namespace.into_owned())),
            Key::Other(name) => Err(SignatureError::Unsupported(name)),
            Key::Known(key) => Ok(Self { key, hash, signature }),
        })
    }

    /// The hash of no bytes yet, of the kind that this signature is over.
    #[must_use]
    pub fn hash(&self) -> TextHash {
        self.hash.clone()
    }

    /// Whether it is over the text of this hash by someone who may sign; gives the signer's principals. `recorded` is when
    /// the text says that it was recorded.
    ///
    /// # Errors
    /// Why not.
    pub fn check(
        &self,
        hash: &TextHash,
        allowed: &AllowedSigners,
        recorded: Option<Timestamp>,
    ) -> Result<String, SignatureError> {
        public::verify(&self.key, &hash.signed_data(), &self.signature)?;
        allowed.principals_of(&self.key, recorded)
    }
}

/// The binary form between the two lines; what follows the second one doesn't count.
fn unarmored(text: &[u8]) -> Option<Vec<u8>> {
    let rest = text.strip_prefix(BEGIN)?;
    let rest = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n"))?;
    public::base64(&rest[..memchr::memmem::find(rest, END)?])
}
