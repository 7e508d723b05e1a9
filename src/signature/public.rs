//! Public keys that sign, and signatures by them. What ssh-keygen refuses is refused here, what can't be verified is kept apart
//! from what is wrong. Formats: RFC 4253 §6.6, RFC 5656, RFC 8332 and PROTOCOL.u2f of OpenSSH.

use rsa::{BigUint, Pkcs1v15Sign};
use signature_traits::Verifier as _;
use ssh_key::public::{EcdsaPublicKey, KeyData, RsaPublicKey};
use ssh_key::sha2::{Digest as _, Sha256, Sha512};
use ssh_key::{Mpint, PublicKey, Signature};

use super::SignatureError;

/// The types that can be verified.
const KNOWN: [&str; 7] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

/// The sizes of RSA keys that OpenSSH takes, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 1024..=16384;

/// What follows the signature of a security key: flags and a counter.
const SK_TRAILER: usize = 5;

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    /// Of a type that can be verified.
    Known(KeyData),
    /// A certificate, or of another type: this one.
    Other(String),
}

impl Key {
    /// The key of a binary form, whose first field is its type; `None` where OpenSSH refuses it.
    pub(super) fn from_blob(blob: &[u8]) -> Option<Self> {
        let name = std::str::from_utf8(Fields(blob).string()?).ok()?;
        if !KNOWN.contains(&name) {
            return Some(Self::Other(name.to_owned()));
        }
        let key = PublicKey::from_bytes(blob).ok()?.key_data().clone();
        let whole = match &key {
            KeyData::Ed25519(_) | KeyData::SkEd25519(_) => true,
            // A point that is compressed is refused.
            KeyData::Ecdsa(key) => key.as_sec1_bytes().first() == Some(&4),
            KeyData::SkEcdsaSha2NistP256(key) => key.ec_point().as_bytes().first() == Some(&4),
            KeyData::Rsa(key) => RSA_BITS.contains(&number(&key.n)?.bits()),
            _ => return None,
        };
        whole.then_some(Self::Known(key))
    }

    /// The key of its text in a file of keys, `None` where OpenSSH doesn't know it: a type, a blank and the binary form in base64, then a blank or the end.
    pub(super) fn from_text(text: &[u8]) -> Option<Self> {
        let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        let (name, rest) = text.split_at(text.iter().position(is_blank)?);
        let rest = &rest[rest.iter().position(|byte| !is_blank(byte))?..];
        let blob = base64(&rest[..rest.iter().position(is_blank).unwrap_or(rest.len())])?;
        // The names of RSA's signatures are names of its keys as well.
        let name = if matches!(name, b"rsa-sha2-256" | b"rsa-sha2-512") { b"ssh-rsa" } else { name };
        let key = Self::from_blob(&blob).filter(|_| Fields(&blob).string() == Some(name))?;
        match &key {
            Self::Other(name) if name != "ssh-dss" && !name.ends_with("-cert-v01@openssh.com") => None,
            _ => Some(key),
        }
    }
}

/// Whether a signature in its binary form is by this key over the data.
///
/// # Errors
/// Why not.
pub(super) fn verify(key: &KeyData, data: &[u8], blob: &[u8]) -> Result<(), SignatureError> {
    let mut fields = Fields(blob);
    let name = fields.string().ok_or(SignatureError::Malformed)?;
    let bytes = fields.string().ok_or(SignatureError::Malformed)?;
    let unsupported = || SignatureError::Unsupported(String::from_utf8_lossy(name).into_owned());
    let (expected, trailer): (&[u8], _) = match key {
        KeyData::Rsa(key) => {
            return match name {
                _ if !fields.0.is_empty() => Err(SignatureError::Malformed),
                b"rsa-sha2-256" => {
                    verify_rsa(key, Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(data), bytes)
                }
                b"rsa-sha2-512" => {
                    verify_rsa(key, Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(data), bytes)
                }
                // SHA-1, which proves nothing any more.
                b"ssh-rsa" => Err(SignatureError::Unsupported("ssh-rsa with SHA-1".to_owned())),
                _ => Err(SignatureError::Malformed),
            };
        }
        KeyData::Ed25519(_) => (b"ssh-ed25519", 0),
        KeyData::Ecdsa(EcdsaPublicKey::NistP256(_)) => (b"ecdsa-sha2-nistp256", 0),
        KeyData::Ecdsa(EcdsaPublicKey::NistP384(_)) => (b"ecdsa-sha2-nistp384", 0),
        KeyData::Ecdsa(EcdsaPublicKey::NistP521(_)) => (b"ecdsa-sha2-nistp521", 0),
        KeyData::SkEd25519(_) => (b"sk-ssh-ed25519@openssh.com", SK_TRAILER),
        KeyData::SkEcdsaSha2NistP256(_) if name.starts_with(b"webauthn-") => return Err(unsupported()),
        KeyData::SkEcdsaSha2NistP256(_) => (b"sk-ecdsa-sha2-nistp256@openssh.com", SK_TRAILER),
        _ => return Err(unsupported()),
    };
    if name != expected || fields.0.len() != trailer {
        return Err(SignatureError::Malformed);
    }
    let signature = Signature::try_from(blob).map_err(|_| SignatureError::Malformed)?;
    key.verify(data, &signature).map_err(|_| SignatureError::Wrong)
}

/// `ssh-key` itself takes keys of 2048 to 4096 bits only.
fn verify_rsa(
    key: &RsaPublicKey,
    scheme: Pkcs1v15Sign,
    hash: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    use rsa::traits::PublicKeyParts as _;
    let unsupported = || SignatureError::Unsupported("ssh-rsa with these numbers".to_owned());
    let (n, e) = (number(&key.n).ok_or_else(unsupported)?, number(&key.e).ok_or_else(unsupported)?);
    let key = rsa::RsaPublicKey::new_with_max_size(n, e, *RSA_BITS.end()).map_err(|_| unsupported())?;
    // Leading zeros may have been left out.
    let missing = key.size().checked_sub(signature.len()).ok_or(SignatureError::Malformed)?;
    let signature = [&vec![0; missing], signature].concat();
    key.verify(scheme, hash, &signature).map_err(|_| SignatureError::Wrong)
}

fn number(number: &Mpint) -> Option<BigUint> {
    Some(BigUint::from_bytes_be(number.as_positive_bytes()?))
}

/// Base64 with blanks and line breaks anywhere.
pub(super) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let text: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

/// What is left of the fields of a binary form.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*number))
    }

    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.number()?).ok()?;
        let (string, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(string)
    }
}
