//! `recmode recover`: closes recordings that a crash left open.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::cli::RecoverArgs;
use crate::recording::recover::{Recovery, recover};
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
        if path.is_dir() { find(path, &mut files, &mut trouble) } else { files.push((path.clone(), true)) }
    }
    for (path, named) in files {
        let text = match recover(&path) {
            Ok(Recovery::Recovered { torn: 0 }) => "recovered".to_owned(),
            Ok(Recovery::Recovered { torn }) => {
                format!("recovered; {torn} bytes of a torn line were cut off")
            }
            Ok(Recovery::Complete) => "complete".to_owned(),
            Ok(Recovery::Unchecked) => "complete but for its last check".to_owned(),
            Ok(Recovery::Live) => "still being recorded".to_owned(),
            Ok(Recovery::Foreign) if named => {
                trouble(&path, &"no recording of recmode's");
                continue;
            }
            Ok(Recovery::Foreign) => continue,
            Err(error) => {
                trouble(&path, &error);
                continue;
            }
        };
        super::print(format!("{}: {text}\n", escape::path(&path)).as_bytes())?;
    }
    Ok(code)
}

/// The `.cast` files below a directory, in order; links are not followed.
fn find(
    dir: &Path,
    files: &mut Vec<(PathBuf, bool)>,
    trouble: &mut impl FnMut(&Path, &dyn std::fmt::Display),
) {
    let entries = match fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
        Ok(entries) => entries,
        Err(error) => return trouble(dir, &error),
    };
    let mut paths: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
    paths.sort();
    for path in paths {
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() => find(&path, files, trouble),
            Ok(metadata) if metadata.is_file() && path.extension().is_some_and(|e| e == "cast") => {
                files.push((path, false));
            }
            Ok(_) => {}
            Err(error) => trouble(&path, &error),
        }
    }
}
