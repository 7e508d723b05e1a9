//! Roles from texts that someone else has read, such as a revision's files.

use std::io::Cursor;
use std::sync::Arc;

use super::Roles;
use super::found::Found;
use super::load::{self, LoadError};
use super::modules::Modules;
use super::parse;
use super::source::Pieces;

/// Reads the roles of these files, each a name and its content. No role at all is an answer too: a
/// revision may be from before there were any.
///
/// # Errors
///
/// As [`load`](super::load()), but for files without a role.
pub fn load_texts(files: Vec<(String, Vec<u8>)>) -> Result<Roles, LoadError> {
    let modules = Modules::of_texts(&files);
    let found = files.into_iter().map(|(name, content)| {
        let file: Arc<str> = name.into();
        let mut found = Found::default();
        let size = content.len() as u64;
        let mut pieces = Pieces::new(&file, Box::new(Cursor::new(content)), size);
        loop {
            match pieces.next() {
                Ok(Some(piece)) => parse::read(&file, &piece, &modules, &mut found),
                Ok(None) => break,
                Err(problem) => {
                    found.report(*problem);
                    break;
                }
            }
        }
        found.finish(&file);
        found
    });
    load::join(found)
}
