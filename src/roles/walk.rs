//! Finds the role files that paths stand for, in a fixed order: the paths as they were given, a
//! folder's entries by name. Reads no file. What can't be looked at is an error, never left out.

mod repository;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::limits::MAX_FOLDER_DEPTH;
use super::problem::{Problem, ProblemKind};
use super::signs::may_hold_signs;
use super::source::{self, Identity, Seen, Source};

pub(super) use repository::walk as walk_repository;

/// A file or stream to read.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) path: PathBuf,
    pub(super) file: Arc<str>,
    pub(super) source: Source,
    /// The size, as far as it is known.
    pub(super) size: u64,
    /// Whether it was given by name, so that it has to hold a role.
    pub(super) named: bool,
}

/// What a path turned out to be; the order is that of the answer and of the errors.
#[derive(Debug)]
pub(super) enum Entry {
    File(Input),
    /// A folder was named; the entries from `first` up to here are in it.
    FolderEnd {
        file: Arc<str>,
        first: usize,
    },
    Problem(Problem),
}

/// The files under these paths, each once.
pub(super) fn walk(paths: &[PathBuf]) -> Vec<Entry> {
    let mut walk = Walk::default();
    for path in paths {
        walk.named(path);
    }
    walk.entries
}

#[derive(Default)]
struct Walk {
    entries: Vec<Entry>,
    /// The number of each file's entry.
    files: HashMap<Identity, usize>,
    folders: Seen,
    stdin: bool,
}

impl Walk {
    fn named(&mut self, path: &Path) {
        if let Some(source) = source::stream(path) {
            if source == Source::Stdin && std::mem::replace(&mut self.stdin, true) {
                self.problem(ProblemKind::StreamTwice, path);
                return;
            }
            self.file(path, source, 0, true);
            return;
        }
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => return self.problem(source::io_problem(&error), path),
        };
        match source::classify(&metadata) {
            Ok(Source::Folder) => {
                let first = self.entries.len();
                let seen = self.folders.contains(&source::identity(&metadata));
                self.folder(path, source::identity(&metadata), &mut Vec::new());
                if !seen {
                    self.entries.push(Entry::FolderEnd { file: source::shown(path), first });
                }
            }
            Ok(source) => {
                self.regular(path, source, &metadata, true);
            }
            Err(kind) => self.problem(kind, path),
        }
    }

    /// `above`: the folders that this one is in.
    fn folder(&mut self, path: &Path, id: Identity, above: &mut Vec<Identity>) {
        if above.contains(&id) {
            return self.problem(ProblemKind::Loop, path);
        }
        if above.len() >= MAX_FOLDER_DEPTH {
            return self.problem(ProblemKind::FolderTooDeep, path);
        }
        if !self.folders.insert(id) {
            return;
        }
        let names = fs::read_dir(path).and_then(|entries| {
            let names = entries.map(|entry| entry.map(|entry| (entry.file_name(), entry.file_type())));
            names.collect::<Result<Vec<_>, _>>()
        });
        let mut names = match names {
            Ok(names) => names,
            Err(error) => return self.problem(source::io_problem(&error), path),
        };
        names.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        above.push(id);
        for (name, kind) in names {
            // A mounted ConfigMap keeps its real files in hidden folders, git its own things.
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let path = path.join(&name);
            let wanted = is_role_file_name(&path) || may_hold_signs(&path);
            // Other files are not even looked at; a link may lead to a folder.
            if !wanted && kind.is_ok_and(|kind| !kind.is_dir() && !kind.is_symlink()) {
                continue;
            }
            let metadata = match fs::metadata(&path) {
                Ok(metadata) => metadata,
                Err(error) => {
                    self.problem(source::io_problem(&error), &path);
                    continue;
                }
            };
            match source::classify(&metadata) {
                Ok(Source::Folder) => self.folder(&path, source::identity(&metadata), above),
                Ok(source) if wanted => {
                    self.regular(&path, source, &metadata, false);
                }
                Err(kind) if wanted => self.problem(kind, &path),
                _ => {}
            }
        }
        above.pop();
    }

    /// A regular file, unless another path led to it before.
    fn regular(&mut self, path: &Path, source: Source, metadata: &fs::Metadata, named: bool) {
        let number = *self.files.entry(source::identity(metadata)).or_insert(self.entries.len());
        match self.entries.get_mut(number) {
            Some(Entry::File(input)) => input.named |= named,
            _ => self.file(path, source, metadata.len(), named),
        }
    }

    fn file(&mut self, path: &Path, source: Source, size: u64, named: bool) {
        let input = Input { path: path.to_owned(), file: source::shown(path), source, size, named };
        self.entries.push(Entry::File(input));
    }

    fn problem(&mut self, kind: ProblemKind, path: &Path) {
        self.entries.push(Entry::Problem(Problem::of_file(kind, &source::shown(path))));
    }
}

/// Whether a file of this name is read where a folder is searched.
#[must_use]
pub fn is_role_file_name(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|found| {
        ["yaml", "yml", "json", "tf"].iter().any(|known| known.eq_ignore_ascii_case(found))
    })
}
