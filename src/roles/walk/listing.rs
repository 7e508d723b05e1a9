//! What of a folder counts: by git's own listing in a repository, by `.gitignore` outside of one. What git
//! lists is asked once for a tree, never for each file. Where git is missing or refuses, everything counts.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::Gitignore;

use crate::git::{self, Index, Repository};
use crate::roles::problem::ProblemKind;

/// What is known so far. All paths are absolute and without links.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The root of the repository that each folder is in.
    roots: HashMap<PathBuf, Option<PathBuf>>,
    /// The repositories by their roots.
    repositories: HashMap<PathBuf, Listed>,
    /// The `.gitignore` of each folder outside of repositories, if it has one.
    rules: HashMap<PathBuf, Option<Gitignore>>,
}

/// What git lists of a repository.
#[derive(Debug, Default)]
struct Listed {
    /// None where git refuses: then nothing is ignored.
    repository: Option<Repository>,
    /// The folders that were listed.
    folders: Vec<PathBuf>,
    ignored: HashSet<PathBuf>,
    submodules: HashSet<PathBuf>,
}

impl Listing {
    /// Has to be called for a folder before its entries are asked for. Gives what is to be said of it: that git
    /// refuses to list the repository (at its root), that a sparse checkout leaves files out, or that the
    /// folder is a submodule that is not checked out.
    pub(super) fn enter(&mut self, folder: &Path) -> Vec<(ProblemKind, PathBuf)> {
        let Some(root) = self.root(folder) else { return Vec::new() };
        let mut said = Vec::new();
        let listed = self.repositories.entry(root.clone()).or_insert_with(|| {
            let refused = |error: git::GitError| {
                said.push((ProblemKind::Unlisted(error.to_string()), root.clone()));
            };
            Listed { repository: Repository::open(&root).map_err(refused).ok(), ..Listed::default() }
        });
        if let Some(repository) = &listed.repository
            && !listed.folders.iter().any(|known| folder.starts_with(known))
        {
            match Index::read(repository, folder) {
                Ok(index) => {
                    let is_role_file = |(path, _): &&(PathBuf, String)| super::is_role_file_name(path);
                    let sparse = index.sparse.iter().filter(is_role_file).count();
                    if sparse > 0 {
                        said.push((ProblemKind::Sparse(sparse), folder.to_owned()));
                    }
                    listed.ignored.extend(index.ignored);
                    listed.submodules.extend(index.submodules);
                    listed.folders.push(folder.to_owned());
                }
                Err(error) => {
                    said.push((ProblemKind::Unlisted(error.to_string()), root));
                    *listed = Listed::default();
                }
            }
        }
        if listed.submodules.contains(folder) {
            said.push((ProblemKind::NotCheckedOut, folder.to_owned()));
        }
        said
    }

    /// Whether the entry `path` of a folder that was entered is ignored.
    pub(super) fn is_ignored(&mut self, path: &Path, is_folder: bool) -> bool {
        let folder = path.parent().unwrap_or(path);
        match self.root(folder) {
            Some(root) => self.repositories.get(&root).is_some_and(|listed| listed.ignored.contains(path)),
            None => self.is_ruled_out(path, is_folder),
        }
    }

    /// By the `.gitignore` of the nearest folder that has a word on it.
    fn is_ruled_out(&mut self, path: &Path, is_folder: bool) -> bool {
        for folder in path.ancestors().skip(1) {
            let rules = self.rules.entry(folder.to_owned()).or_insert_with(|| {
                let file = folder.join(".gitignore");
                // A rule that is not understood rules nothing out.
                file.is_file().then(|| Gitignore::new(file).0)
            });
            match rules.as_ref().map(|rules| rules.matched(path, is_folder)) {
                Some(Match::Ignore(_)) => return true,
                Some(Match::Whitelist(_)) => return false,
                Some(Match::None) | None => {}
            }
        }
        false
    }

    /// The root of the repository that a folder is in. A submodule that is not checked out is in the one above.
    fn root(&mut self, folder: &Path) -> Option<PathBuf> {
        if let Some(root) = self.roots.get(folder) {
            return root.clone();
        }
        let root = if git::is_root(folder) {
            Some(folder.to_owned())
        } else {
            folder.parent().and_then(|parent| self.root(parent))
        };
        self.roots.insert(folder.to_owned(), root.clone());
        root
    }
}
