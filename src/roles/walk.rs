//! Finds the role files that paths stand for, in a fixed order: the paths as they were given, a
//! folder's entries by name. Reads no file. What can't be looked at is an error, never left out.
//!
//! This is the one answer to "which files" for every command. They differ only in [`Search`].

mod listing;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::{self, FileType, Metadata};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::listing::Listing;
use super::limits::MAX_FOLDER_DEPTH;
use super::problem::{Problem, ProblemKind};
use super::signs::may_hold_signs;
use super::source::{self, Identity, Source};
use crate::git;

/// How folders are searched. A file that is named is read in any case, hidden files in folders never are.
#[derive(Clone, Copy)]
pub(super) enum Search<'a> {
    /// Everything, links followed wherever they lead. Runs no program.
    Plain,
    /// What git lists: what is tracked, and what is neither tracked nor ignored. Outside of a repository, what
    /// no `.gitignore` names. Links that lead out of what is searched are errors.
    Listed {
        /// Folders that are not entered, as absolute paths without links.
        left_out: Option<&'a BTreeSet<PathBuf>>,
        /// What else is left out of folders.
        exclude: Option<&'a Exclude>,
        /// The clusters: what is in two of them is read for each.
        clusters: Option<&'a Clusters>,
    },
}

/// Tells of a path whether it is left out of a search.
pub type Exclude = Arc<dyn Fn(&Path) -> bool + Send + Sync>;

/// Tells of a path where it is among the folders that are clusters.
pub type Clusters = Arc<dyn Fn(&Path) -> Whereabouts + Send + Sync>;

/// Where a path is among the folders that are clusters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Whereabouts {
    /// In no cluster, and no cluster is in it.
    #[default]
    Elsewhere,
    /// In this cluster.
    In(Arc<str>),
    /// Above clusters, by the path that it has for them: under another name it is not.
    Above(String),
}

/// A file or stream to read.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) path: PathBuf,
    pub(super) file: Arc<str>,
    pub(super) source: Source,
    /// The size, as far as it is known.
    pub(super) size: u64,
    /// What makes it the same as a file of another name; none for a stream.
    pub(super) id: Option<Identity>,
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
        /// Whether something in it was read before, under another path.
        again: bool,
    },
    Problem(Problem),
}

/// The files under these paths, each once, or once for each cluster. `stdin`: what the text from standard input is called.
pub(super) fn walk(paths: &[PathBuf], search: Search<'_>, stdin: Option<&str>) -> Vec<Entry> {
    let mut walk = Walk { stdin_name: stdin, ..Walk::default() };
    if let Search::Listed { left_out, exclude, clusters } = search {
        walk.exclude = exclude;
        walk.clusters = clusters;
        walk.listing = Some(Listing::default());
        walk.left_out = left_out;
        // A link may lead from one named folder to another, and anywhere in a repository.
        walk.trees = paths
            .iter()
            .filter(|path| path.is_dir())
            .filter_map(|path| path.canonicalize().ok())
            .map(|folder| git::root(&folder).map(Path::to_owned).unwrap_or(folder))
            .collect();
    }
    for path in paths {
        walk.named(path);
    }
    walk.entries
}

/// What is read once. A link must not take a role out of the one cluster for the sake of the other.
type Key = (Identity, Whereabouts);

#[derive(Default)]
struct Walk<'a> {
    entries: Vec<Entry>,
    /// The number of each file's entry.
    files: HashMap<Key, usize>,
    folders: HashSet<Key>,
    /// How often a path led to what was found before.
    again: usize,
    stdin: bool,
    stdin_name: Option<&'a str>,
    /// What git lists; none in a plain search.
    listing: Option<Listing>,
    left_out: Option<&'a BTreeSet<PathBuf>>,
    exclude: Option<&'a Exclude>,
    clusters: Option<&'a Clusters>,
    /// The folders that links may lead to.
    trees: Vec<PathBuf>,
}

impl Walk<'_> {
    fn key(&self, id: Identity, path: &Path) -> Key {
        (id, self.clusters.map(|clusters| clusters(path)).unwrap_or_default())
    }

    fn named(&mut self, path: &Path) {
        if let Some(source) = source::stream(path) {
            if source == Source::Stdin && std::mem::replace(&mut self.stdin, true) {
                self.problem(ProblemKind::StreamTwice, path);
                return;
            }
            self.file(path, source, 0, None, true);
            return;
        }
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => return self.problem(source::io_problem(&error), path),
        };
        match source::classify(&metadata) {
            Ok(Source::Folder) => {
                let (first, again) = (self.entries.len(), self.again);
                let seen = self.folders.contains(&self.key(source::identity(&metadata), path));
                match path.canonicalize() {
                    Ok(real) => self.folder(path, &real, source::identity(&metadata), &mut Vec::new()),
                    Err(error) => self.problem(source::io_problem(&error), path),
                }
                if !seen {
                    let again = self.again > again;
                    self.entries.push(Entry::FolderEnd { file: source::shown(path), first, again });
                }
            }
            Ok(source) => {
                self.regular(path, source, &metadata, true);
            }
            Err(kind) => self.problem(kind, path),
        }
    }

    /// `real`: its absolute path without links. `above`: the folders that this one is in.
    fn folder(&mut self, path: &Path, real: &Path, id: Identity, above: &mut Vec<Identity>) {
        if above.contains(&id) {
            return self.problem(ProblemKind::Loop, path);
        }
        if above.len() >= MAX_FOLDER_DEPTH {
            return self.problem(ProblemKind::FolderTooDeep, path);
        }
        if self.left_out.is_some_and(|left_out| left_out.contains(real)) {
            return;
        }
        if !self.folders.insert(self.key(id, path)) {
            self.again += 1;
            return;
        }
        if let Some(listing) = &mut self.listing {
            for (kind, folder) in listing.enter(real) {
                // The repository's root, by the name that the user has for it if there is one.
                let folder = if folder == real { path } else { &folder };
                self.entries.push(Entry::Problem(Problem::of_file(kind, &source::shown(folder))));
            }
        }
        let names = fs::read_dir(path).and_then(|entries| {
            let names = entries.map(|entry| entry.map(|entry| (entry.file_name(), entry.file_type().ok())));
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
            if !name.as_encoded_bytes().starts_with(b".") {
                self.entry(&path.join(&name), &real.join(&name), kind, above);
            }
        }
        above.pop();
    }

    /// An entry of a folder.
    fn entry(&mut self, path: &Path, real: &Path, kind: Option<FileType>, above: &mut Vec<Identity>) {
        let wanted = is_role_file_name(path) || may_hold_signs(path);
        let is_folder = kind.is_some_and(|kind| kind.is_dir());
        let is_link = kind.is_none_or(|kind| kind.is_symlink());
        // Other files are not even looked at; a link may lead to a folder.
        if !wanted && !is_folder && !is_link {
            return;
        }
        if self.listing.as_mut().is_some_and(|listing| listing.is_ignored(real, is_folder))
            || self.exclude.is_some_and(|exclude| exclude(path))
        {
            return;
        }
        let looked_at = fs::metadata(path).and_then(|metadata| {
            let real = if is_link { fs::canonicalize(path)? } else { real.to_owned() };
            Ok((metadata, real))
        });
        let (metadata, real) = match looked_at {
            Ok(looked_at) => looked_at,
            Err(error) => return self.problem(source::io_problem(&error), path),
        };
        match source::classify(&metadata) {
            Ok(Source::File) if !wanted => {}
            Ok(_) if is_link && self.leads_out(&real) => self.problem(ProblemKind::LinkOut, path),
            Ok(Source::Folder) => self.folder(path, &real, source::identity(&metadata), above),
            Ok(source) => self.regular(path, source, &metadata, false),
            Err(kind) if wanted => self.problem(kind, path),
            Err(_) => {}
        }
    }

    /// Whether this path, which a link led to, is in none of the trees that are searched.
    fn leads_out(&self, real: &Path) -> bool {
        let is_in = |tree: &PathBuf| {
            let below = real.strip_prefix(tree).ok();
            below.is_some_and(|below| below.components().all(|part| part.as_os_str() != ".git"))
        };
        self.listing.is_some() && !self.trees.iter().any(is_in)
    }

    /// A regular file, unless another path of the same cluster led to it before.
    fn regular(&mut self, path: &Path, source: Source, metadata: &Metadata, named: bool) {
        let id = source::identity(metadata);
        let number = *self.files.entry(self.key(id, path)).or_insert(self.entries.len());
        match self.entries.get_mut(number) {
            Some(Entry::File(input)) => {
                input.named |= named;
                self.again += 1;
            }
            _ => self.file(path, source, metadata.len(), Some(id), named),
        }
    }

    fn file(&mut self, path: &Path, source: Source, size: u64, id: Option<Identity>, named: bool) {
        let file = match self.stdin_name {
            Some(name) if source == Source::Stdin => name.into(),
            _ => source::shown(path),
        };
        self.entries.push(Entry::File(Input { path: path.to_owned(), file, source, size, id, named }));
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
        ["yaml", "yml", "json", "tf", "tofu"].iter().any(|known| known.eq_ignore_ascii_case(found))
    })
}
