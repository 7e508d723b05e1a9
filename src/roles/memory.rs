//! Roles from texts that someone else has read, such as a revision's files.

use std::io::Cursor;
use std::sync::Arc;

use super::Roles;
use super::found::Found;
use super::load::{self, LoadError};
use super::parse;
use super::problem::{Problem, ProblemKind};
use super::source::{self, Piece, Pieces};
use crate::policy::{Desktop, Mode, OptionName, RecordSession, SessionKind, Setting};

/// Reads the roles of these files, each a name and its content. No role at all is an answer too: a
/// revision may be from before there were any.
///
/// # Errors
///
/// As [`load`](super::load()), but for files without a role.
pub fn load_texts(files: Vec<(String, Vec<u8>)>) -> Result<Roles, LoadError> {
    load::join(read(files))
}

/// What texts hold of which not all can be read.
#[derive(Debug)]
pub struct Readable {
    /// What could be read. Of a role with an error the rest of what it says.
    pub roles: Roles,
    /// The errors.
    pub unreadable: Vec<Problem>,
}

/// Reads the roles of these files as far as that is possible.
#[must_use]
pub fn load_readable(files: Vec<(String, Vec<u8>)>) -> Readable {
    load::join_readable(read(files))
}

impl Readable {
    /// The roles with strict in the place of each value that could not be read: no value makes a set of roles
    /// stricter.
    #[must_use]
    pub fn assume_strict(self) -> Roles {
        let Self { mut roles, unreadable } = self;
        for problem in unreadable {
            let (Some(name), Some(at)) = (&problem.role, problem.site.place()) else { continue };
            let Some(role) = roles.all.iter_mut().find(|role| role.name == *name) else { continue };
            if role.at.file != at.file {
                continue;
            }
            let option = match &problem.kind {
                ProblemKind::InvalidMode { option, .. } | ProblemKind::UnknownValue(option) => *option,
                ProblemKind::DuplicateKey(key) => key.as_str(),
                ProblemKind::NotAMapping(_) => "record_session",
                _ => continue,
            };
            let said = &mut Arc::make_mut(role).record_session;
            let strict = || Some(Setting::new(Mode::Strict, at.clone()));
            let slot = match OptionName::from_name(option) {
                Some(OptionName::Default) => &mut said.default,
                Some(OptionName::Kind(SessionKind::Ssh)) => &mut said.ssh,
                Some(OptionName::Kind(SessionKind::K8s)) => &mut said.k8s,
                Some(OptionName::Kind(SessionKind::Db)) => &mut said.db,
                Some(OptionName::Kind(SessionKind::App)) => &mut said.app,
                Some(OptionName::Kind(SessionKind::Desktop)) => {
                    said.desktop = Some(Setting::new(Desktop::Mode(Mode::Strict), at));
                    continue;
                }
                None if ["record_session", "spec.options", "options", "spec"].contains(&option) => {
                    *said = RecordSession { default: strict(), ..RecordSession::default() };
                    continue;
                }
                None => continue,
            };
            *slot = strict();
        }
        roles
    }
}

/// What each of these files holds.
pub(super) fn read(files: Vec<(String, Vec<u8>)>) -> impl Iterator<Item = Found> {
    files.into_iter().map(|(name, content)| {
        let file: Arc<str> = name.into();
        let mut found = Found::default();
        if source::is_terraform(&file) {
            // A language without documents has to be read as a whole.
            let piece = Piece { bytes: content.as_slice().into(), first_line: 1, first_byte: 0 };
            parse::read(&file, &piece, &mut found);
            found.finish(&file);
            return found;
        }
        let size = content.len() as u64;
        let mut pieces = Pieces::new(&file, Box::new(Cursor::new(content)), size);
        loop {
            match pieces.next() {
                Ok(Some(piece)) => parse::read(&file, &piece, &mut found),
                Ok(None) => break,
                Err(problem) => {
                    found.report(*problem);
                    break;
                }
            }
        }
        found.finish(&file);
        found
    })
}
