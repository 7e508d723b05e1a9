//! Roles from texts that someone else has read, such as a revision's files.

use std::io::Cursor;
use std::sync::Arc;

use super::Loaded;
use super::found::{Found, Reading};
use super::load::{self, LoadError};
use super::modules::Modules;
use super::parse;
use super::problem::{Problem, ProblemKind};
use super::source::{self, Piece, Pieces};
use crate::policy::{Dialect, OptionName, RecordSession, Unknown, UnknownReason};

/// Reads the roles of these files, each a name and its content. No role at all is an answer too: a
/// revision may be from before there were any.
///
/// # Errors
///
/// As [`load`](super::load()), but for files without a role.
pub fn load_texts(files: Vec<(String, Vec<u8>)>) -> Result<Loaded, LoadError> {
    let (names, found) = read(files, Dialect::default());
    load::join(&names, found)
}

/// What texts hold of which not all can be read.
#[derive(Debug)]
pub struct Readable {
    /// What could be read; of a role with an error the rest of its settings.
    pub roles: Loaded,
    /// The errors.
    pub unreadable: Vec<Problem>,
}

/// Reads the roles of these files as far as that is possible.
#[must_use]
pub fn load_readable(files: Vec<(String, Vec<u8>)>, dialect: Dialect) -> Readable {
    let (names, found) = read(files, dialect);
    load::join_readable(&names, found)
}

impl Readable {
    /// The roles, in which each setting that could not be read is unknown; and whether there may be others,
    /// in what could not be read at all.
    #[must_use]
    pub fn with_unknowns(self) -> (Loaded, bool) {
        let Self { mut roles, unreadable } = self;
        let mut is_partial = false;
        for problem in unreadable {
            let (Some(name), Some(at)) = (&problem.role, problem.site.place()) else {
                is_partial = true;
                continue;
            };
            let unknown = Unknown {
                reason: UnknownReason::Unreadable,
                expression: "a value that can't be read".into(),
                at,
            };
            let option = match &problem.kind {
                ProblemKind::InvalidMode { option, .. } => OptionName::from_name(option),
                ProblemKind::DuplicateKey(key) => OptionName::from_name(key),
                _ => None,
            };
            let all = roles.sets.iter_mut().flat_map(|set| &mut set.all);
            for role in all.filter(|role| role.name == *name && role.at.file == unknown.at.file) {
                let settings = &mut Arc::make_mut(role).record_session;
                match option {
                    Some(option) => settings.make_unknown(option, unknown.clone()),
                    None => *settings = RecordSession::unknown(&unknown),
                }
            }
        }
        (roles, is_partial)
    }
}

/// The names of these files, and what each holds.
pub(super) fn read(files: Vec<(String, Vec<u8>)>, dialect: Dialect) -> (Vec<Arc<str>>, Vec<Found>) {
    let modules = Modules::of_texts(&files);
    let (names, contents): (Vec<Arc<str>>, Vec<_>) =
        files.into_iter().map(|(name, content)| (name.into(), content)).unzip();
    let found = names.iter().zip(contents).map(|(file, content)| {
        let mut found = Found::new(Reading { detail: false, dialect });
        if source::is_terraform(file) {
            // A language without documents has to be read as a whole.
            let piece = Piece { bytes: content.as_slice().into(), first_line: 1, first_byte: 0 };
            parse::read(file, &piece, &modules, &mut found);
            found.finish(file);
            return found;
        }
        let size = content.len() as u64;
        let mut pieces = Pieces::new(file, Box::new(Cursor::new(content)), size);
        loop {
            match pieces.next() {
                Ok(Some(piece)) => parse::read(file, &piece, &modules, &mut found),
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
    let found = found.collect();
    (names, found)
}
