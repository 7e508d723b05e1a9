//! The name of a file in JSON, which holds text only: `file`, and `file_base64` where that is not all of it. Every tree
//! that names a recording has these keys.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;

/// The keys, to be flattened into an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileName {
    /// The path; bytes that are no UTF-8 are U+FFFD here.
    pub file: String,
    /// Its exact bytes where that is not them, standard base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_base64: Option<String>,
}

impl FileName {
    /// The name of this path.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        let file_base64 =
            path.to_str().is_none().then(|| BASE64_STANDARD.encode(path.as_os_str().as_encoded_bytes()));
        Self { file: path.to_string_lossy().into_owned(), file_base64 }
    }
}
