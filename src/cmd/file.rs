//! Replacing a file: the new text is written beside it and then takes its name, so that nobody ever
//! sees half of it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Writes `bytes` to `path`; an existing file keeps its permissions, and a link stays a link. What is
/// no regular file, such as /dev/stdout, is written to as it is.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let existing = fs::metadata(path).ok();
    if existing.as_ref().is_some_and(|existing| !existing.is_file()) {
        return File::options().write(true).open(path)?.write_all(bytes);
    }
    let target = if existing.is_some() { fs::canonicalize(path)? } else { path.to_owned() };
    let beside = beside(&target);
    let written = (|| {
        let mut file = File::options().write(true).create_new(true).open(&beside)?;
        file.write_all(bytes)?;
        if let Some(existing) = &existing {
            file.set_permissions(existing.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&beside, &target)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

/// A name in the same folder that nobody else uses.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.new", uuid::Uuid::new_v4().simple()))
}
