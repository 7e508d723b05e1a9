//! `recmode recover`: closes recordings that a crash left open.

use std::io::{self, Write as _};
use std::path::Path;

use crate::cli::RecoverArgs;
use crate::dirfd::{FileRef, Root};
use crate::recording::recover::{RecoverError, Recovery, recover_found};
use crate::recording::torn;
use crate::{escape, exit};

/// Recovers each file that is named, and each `.cast` file below a directory that is named. The
/// code is 2 if one could not be.
///
/// # Errors
///
/// When standard output can't be written.
pub fn run(args: &RecoverArgs) -> anyhow::Result<u8> {
    let mut code = exit::OK;
    let mut trouble = |path: &Path, error: &dyn std::fmt::Display| {
        code = exit::TROUBLE;
        let _ = writeln!(io::stderr().lock(), "recmode: {}: {error}", escape::path(path));
    };
    let mut files = Vec::new();
    for path in &args.paths {
        match find(path, &mut trouble) {
            Ok(found) => files.extend(found),
            Err(error) => trouble(path, &error),
        }
    }
    for file in files {
        let path = file.path();
        let text = match recover_found(&file) {
            Ok(Recovery::Recovered { kept: 0 }) => "recovered".to_owned(),
            Ok(Recovery::Recovered { kept }) => {
                let beside = escape::path(&torn::path_beside(path));
                format!("recovered; {kept} bytes of a torn end are kept in {beside}")
            }
            Ok(Recovery::Complete) => "complete".to_owned(),
            Ok(Recovery::Live) => "still being recorded".to_owned(),
            Ok(Recovery::Foreign) if file.is_named() => {
                trouble(path, &"no recording of recmode's");
                continue;
            }
            Ok(Recovery::Foreign) => continue,
            // Retention, or a user, was faster.
            Err(RecoverError::Io(error)) if !file.is_named() && error.kind() == io::ErrorKind::NotFound => {
                continue;
            }
            Err(error) => {
                trouble(path, &error);
                continue;
            }
        };
        super::print(format!("{}: {text}\n", escape::path(path)).as_bytes())?;
    }
    Ok(code)
}

/// The `.cast` files below a directory, in order; links are not followed. A file is itself.
fn find(path: &Path, trouble: &mut impl FnMut(&Path, &dyn std::fmt::Display)) -> io::Result<Vec<FileRef>> {
    let Some(root) = Root::open(path)? else { return Ok(vec![FileRef::named(path)]) };
    let mut unread = Vec::new();
    let mut files = root.files(&mut |_, _| {}, &mut unread)?;
    for (path, error) in unread {
        trouble(&path, &error);
    }
    files.retain(|file| file.path().extension().is_some_and(|extension| extension == "cast"));
    Ok(files)
}
