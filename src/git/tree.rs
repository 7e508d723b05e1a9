//! A revision's tree: which role files are under a path, by the same rules as in a folder.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::GitError;
use crate::escape;
use crate::roles::limits::MAX_FOLDER_DEPTH;

/// Links that are followed one after another.
const MAX_LINKS: usize = 16;

/// What is under a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    File {
        path: Vec<u8>,
        id: String,
    },
    Submodule(Vec<u8>),
    /// A link that can't be followed in the revision.
    Link(Vec<u8>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    File,
    Link,
    Submodule,
}

/// All files, links and submodules by their paths; folders are what paths have in common.
#[derive(Debug)]
pub(super) struct Tree {
    entries: BTreeMap<Vec<u8>, (Mode, String)>,
}

/// Reads a blob: what a link leads to.
type Read<'a> = dyn FnMut(&str) -> Result<Vec<u8>, GitError> + 'a;

impl Tree {
    /// Reads the answer of `git ls-tree -r -z`.
    pub(super) fn parse(listing: &[u8]) -> Option<Self> {
        let mut entries = BTreeMap::new();
        for record in listing.split(|&byte| byte == 0).filter(|record| !record.is_empty()) {
            let tab = memchr::memchr(b'\t', record)?;
            let mut words = std::str::from_utf8(&record[..tab]).ok()?.split(' ');
            let mode = match words.next()? {
                "120000" => Mode::Link,
                "160000" => Mode::Submodule,
                mode if mode.starts_with("100") => Mode::File,
                _ => return None,
            };
            let id = words.nth(1)?;
            if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return None;
            }
            entries.insert(record[tab + 1..].to_vec(), (mode, id.to_owned()));
        }
        Some(Self { entries })
    }

    /// All files with the ids of their contents, in the order of their paths.
    pub(super) fn files(&self) -> impl Iterator<Item = (&[u8], &str)> {
        let is_file = |(_, (mode, _)): &(&Vec<u8>, &(Mode, String))| *mode == Mode::File;
        self.entries.iter().filter(is_file).map(|(path, (_, id))| (path.as_slice(), id.as_str()))
    }

    /// Whether something has this path.
    pub(super) fn has(&self, path: &[u8]) -> bool {
        self.entries.contains_key(path)
    }

    /// The role files that `path` names: the file, or those of the folder. Nothing, if nothing is there.
    pub(super) fn under(
        &self,
        path: &[u8],
        is_wanted: &impl Fn(&Path) -> bool,
        read: &mut Read<'_>,
    ) -> Result<Vec<Target>, GitError> {
        let mut walk = Walk { tree: self, is_wanted, targets: Vec::new(), folders: HashSet::new() };
        match self.follow(path.to_vec(), read) {
            Ok(Some(path)) => walk.add(path, 0, read)?,
            Ok(None) => {}
            Err(GitError::Link(_)) => walk.targets.push(Target::Link(path.to_vec())),
            Err(error) => return Err(error),
        }
        Ok(walk.targets)
    }

    /// The path with all links in it replaced by what they lead to; `None` if nothing is there.
    fn follow(&self, mut path: Vec<u8>, read: &mut Read<'_>) -> Result<Option<Vec<u8>>, GitError> {
        for _ in 0..MAX_LINKS {
            let ends = memchr::memchr_iter(b'/', &path).chain([path.len()]);
            let link = ends.into_iter().find_map(|end| match self.entries.get(&path[..end]) {
                Some((Mode::Link, id)) => Some((end, id)),
                _ => None,
            });
            let Some((end, id)) = link else {
                let is_there = self.entries.contains_key(&path) || self.names(&path).next().is_some();
                return Ok(is_there.then_some(path));
            };
            let target = read(id)?;
            let folder = memchr::memrchr(b'/', &path[..end]).map_or(&[][..], |slash| &path[..slash]);
            let joined = [folder, b"/", &target, &path[end..]].concat();
            match (target.first(), normal(&joined)) {
                (Some(b'/') | None, _) | (_, None) => return Err(link_error(&path)),
                (_, Some(normal)) => path = normal,
            }
        }
        Err(link_error(&path))
    }

    /// The names in a folder, in their order, each once; none if it is no folder.
    fn names<'a>(&'a self, folder: &[u8]) -> impl Iterator<Item = &'a [u8]> {
        let prefix = if folder.is_empty() { Vec::new() } else { [folder, b"/"].concat() };
        let start = prefix.len();
        let mut last: Option<&[u8]> = None;
        self.entries
            .range(prefix.clone()..)
            .map(|(path, _)| path.as_slice())
            .take_while(move |path| path.starts_with(&prefix))
            .filter_map(move |path| {
                let rest = &path[start..];
                let name = &rest[..memchr::memchr(b'/', rest).unwrap_or(rest.len())];
                (last.replace(name) != Some(name)).then_some(name)
            })
    }
}

struct Walk<'a, F> {
    tree: &'a Tree,
    is_wanted: &'a F,
    targets: Vec<Target>,
    /// Folders that were walked, so that links make no circle.
    folders: HashSet<Vec<u8>>,
}

impl<F: Fn(&Path) -> bool> Walk<'_, F> {
    /// `path` has no link in it.
    fn add(&mut self, path: Vec<u8>, depth: usize, read: &mut Read<'_>) -> Result<(), GitError> {
        match self.tree.entries.get(&path) {
            Some((Mode::Submodule, _)) => self.targets.push(Target::Submodule(path)),
            Some((_, id)) => self.targets.push(Target::File { id: id.clone(), path }),
            None if depth < MAX_FOLDER_DEPTH && self.folders.insert(path.clone()) => {
                let mut names: Vec<_> = self.tree.names(&path).collect();
                names.sort_unstable();
                names.dedup();
                for name in names.into_iter().filter(|name| !name.starts_with(b".")) {
                    let child =
                        if path.is_empty() { name.to_vec() } else { [&path, &b"/"[..], name].concat() };
                    self.child(child, depth, read)?;
                }
            }
            None => {}
        }
        Ok(())
    }

    fn child(&mut self, path: Vec<u8>, depth: usize, read: &mut Read<'_>) -> Result<(), GitError> {
        let wanted = (self.is_wanted)(Path::new(OsStr::from_bytes(&path)));
        match self.tree.entries.get(&path) {
            Some((Mode::File, _)) if !wanted => Ok(()),
            Some((Mode::Link, _)) => {
                let target = match self.tree.follow(path.clone(), read) {
                    // A link of another name matters only if it leads to a folder.
                    Err(GitError::Link(_)) if !wanted => return Ok(()),
                    Err(GitError::Link(_)) => None,
                    target => target?,
                };
                match target {
                    Some(target) if wanted || !self.tree.entries.contains_key(&target) => {
                        self.add(target, depth + 1, read)
                    }
                    None if wanted => {
                        self.targets.push(Target::Link(path));
                        Ok(())
                    }
                    _ => Ok(()),
                }
            }
            _ => self.add(path, depth + 1, read),
        }
    }
}

/// A path without `.`, `..` and doubled slashes; `None` if it leads above the root.
fn normal(path: &[u8]) -> Option<Vec<u8>> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join(&b'/'))
}

fn link_error(path: &[u8]) -> GitError {
    GitError::Link(escape::utf8(path))
}
