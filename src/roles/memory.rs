//! Roles from texts that someone else has read, such as a revision's files.

use std::io::Cursor;
use std::sync::Arc;

use super::Loaded;
use super::found::{Found, Reading};
use super::load::{self, LoadError};
use super::parse;
use super::source::Pieces;
use crate::policy::Dialect;

/// Reads the roles of these files, each a name and its content. No role at all is an answer too: a
/// revision may be from before there were any.
///
/// # Errors
///
/// As [`load`](super::load()), but for files without a role.
pub fn load_texts(files: Vec<(String, Vec<u8>)>) -> Result<Loaded, LoadError> {
    load_texts_in(files, Dialect::default())
}

/// Like [`load_texts`], as the readers of `dialect` read them.
///
/// # Errors
///
/// As [`load_texts`].
pub fn load_texts_in(files: Vec<(String, Vec<u8>)>, dialect: Dialect) -> Result<Loaded, LoadError> {
    let (names, contents): (Vec<Arc<str>>, Vec<_>) =
        files.into_iter().map(|(name, content)| (name.into(), content)).unzip();
    let found = names.iter().zip(contents).map(|(file, content)| {
        let mut found = Found::new(Reading { detail: false, dialect });
        let size = content.len() as u64;
        let mut pieces = Pieces::new(file, Box::new(Cursor::new(content)), size);
        loop {
            match pieces.next() {
                Ok(Some(piece)) => parse::read(file, &piece, &mut found),
                Ok(None) => break,
                Err(problem) => {
                    found.report(*problem);
                    break;
                }
            }
        }
        found.finish(file);
        found
    });
    load::join(&names, found)
}
