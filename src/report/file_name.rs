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

/// The names of several files: `files`, and `files_base64` where one of them is not all text; null for those that are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileNames {
    files: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files_base64: Option<Vec<Option<String>>>,
}

impl FileNames {
    /// The names of these paths.
    #[must_use]
    pub fn new<'a>(paths: impl Iterator<Item = &'a Path>) -> Self {
        let names = paths.map(FileName::new).map(|name| (name.file, name.file_base64));
        let (files, exact): (_, Vec<_>) = names.unzip();
        Self { files, files_base64: exact.iter().any(Option::is_some).then_some(exact) }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    #[test]
    fn names_that_are_not_text_survive() {
        let names = [OsStr::new("a.cast"), OsStr::from_bytes(b"r\xff.cast")];
        let text = serde_json::to_string(&FileNames::new(names.iter().map(Path::new))).expect("JSON");
        assert_eq!(
            text,
            "{\"files\":[\"a.cast\",\"r\u{fffd}.cast\"],\"files_base64\":[null,\"cv8uY2FzdA==\"]}"
        );
        let text = serde_json::to_string(&FileNames::new([Path::new("a")].into_iter())).expect("JSON");
        assert_eq!(text, "{\"files\":[\"a\"]}");
    }
}
