//! Which files git lists, and role files as they were at a revision, read from git's objects by the `git`
//! program. Nothing is checked out or fetched, no filter and no hook runs, and a revision or a file name is
//! never taken for an option.

mod blobs;
mod index;
mod repository;
mod tree;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use self::blobs::Blobs;
use self::repository::shown;
use self::tree::{Target, Tree};
use crate::escape;

pub(crate) use index::Index;
pub use repository::root;
pub(crate) use repository::{Repository, is_root};

/// Why the files of a revision could not be read.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The program is not there, or can't be run.
    #[error("git can't be run: {0}")]
    NoGit(std::io::Error),
    /// The program said that something is wrong.
    #[error("git: {0}")]
    Failed(String),
    /// The same in a clone without all of the history.
    #[error("git: {0} (this clone is shallow: `git fetch --deepen=100` gets more of its history)")]
    Shallow(String),
    /// The same in a clone without all of the contents.
    #[error(
        "git: {0} (this clone is partial, and recmode fetches nothing: `git fetch --refetch --no-filter` gets \
         what it leaves out)"
    )]
    Partial(String),
    /// No `.git` here or above that git takes for a repository's.
    #[error("{0}: not a git repository, and in none")]
    NoRepository(String),
    /// The program said something unexpected.
    #[error("git gave an answer that is not understood")]
    Protocol,
    /// No such path on this side.
    #[error("{path}: {error}")]
    Path {
        /// The path.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// A link in the tree that can't be followed there.
    #[error("{0:?} is a link that leads out of the revision, or nowhere")]
    Link(String),
}

/// The role files of one revision, and what the working tree does not hold of its own.
#[derive(Debug, Default)]
pub struct Files {
    /// Name as it is shown (`REV:PATH`) and content, in the order of the paths, each once.
    pub files: Vec<(String, Vec<u8>)>,
    /// Links that can't be followed in the revision, as they are shown.
    pub links: Vec<String>,
    /// Submodules under the paths, of the revision or of the working tree, as they are shown. What is in them
    /// is left out of `files`, and has to be left out of the working tree.
    pub submodules: Vec<String>,
    /// Where those are in the working tree, as absolute paths without links.
    pub left_out: BTreeSet<PathBuf>,
    /// The paths that nothing was under at the revision.
    pub nothing: Vec<PathBuf>,
    /// Role files of the revision outside of the paths that the working tree does not have where they were: what
    /// is in the paths may have been moved from there.
    pub moved_from: Vec<(String, Vec<u8>)>,
    /// Role files of the working tree outside of the paths that the revision did not have there: what was in the
    /// paths may have been moved to there.
    pub moved_to: Vec<PathBuf>,
    /// Role files of the working tree that a sparse checkout leaves out: path and content.
    pub sparse: Vec<(String, Vec<u8>)>,
}

/// A repository with what is asked of it more than once.
struct Opened {
    repository: Repository,
    tree: Tree,
    blobs: Blobs,
    index: Index,
    /// The paths that are asked for, absolute.
    named: Vec<PathBuf>,
}

impl Opened {
    fn new(root: &Path, revision: &OsStr) -> Result<Self, GitError> {
        let repository = Repository::open(root)?;
        let explain = |error| repository.explain(error);
        let mut spec = revision.to_owned();
        spec.push("^{tree}");
        let verify = [OsStr::new("rev-parse"), OsStr::new("--verify"), OsStr::new("--end-of-options"), &spec];
        let id = repository.one_line(&verify).map_err(explain)?;
        if !id.as_bytes().iter().all(u8::is_ascii_hexdigit) {
            return Err(GitError::Protocol);
        }
        let listing = repository.run(&["ls-tree", "-r", "-z", "--full-tree", &id.to_string_lossy()]);
        let tree = Tree::parse(&listing.map_err(explain)?).ok_or(GitError::Protocol)?;
        let blobs = Blobs::start(&repository)?;
        let index = Index::read(&repository, root)?;
        Ok(Self { repository, tree, blobs, index, named: Vec::new() })
    }
}

impl Opened {
    /// Adds the role files outside of the named paths that are on one side only.
    fn moved(
        mut self,
        revision: &OsStr,
        is_wanted: &impl Fn(&Path) -> bool,
        found: &mut Files,
    ) -> Result<(), GitError> {
        let root = self.repository.root();
        if self.named.iter().any(|named| named == root) {
            return Ok(());
        }
        let is_named = |path: &Path| self.named.iter().any(|named| path.starts_with(named));
        let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let listing = self.repository.run(&list)?;
        let now: HashSet<&[u8]> = index::records(&listing).collect();
        for &name in &now {
            let path = root.join(OsStr::from_bytes(name));
            let is_file = || path.symlink_metadata().is_ok_and(|metadata| metadata.is_file());
            if is_wanted(&path) && !is_named(&path) && !self.tree.has(name) && !is_hidden(name) && is_file() {
                found.moved_to.push(path);
            }
        }
        found.moved_to.sort_unstable();
        for (name, id) in self.tree.files() {
            let path = root.join(OsStr::from_bytes(name));
            let is_sparse = || self.index.sparse.iter().any(|(sparse, _)| *sparse == path);
            let is_gone = || !now.contains(name) || path.symlink_metadata().is_err() && !is_sparse();
            if is_wanted(&path) && !is_named(&path) && !is_hidden(name) && is_gone() {
                found.moved_from.push((at(revision, name), self.blobs.read(id)?));
            }
        }
        Ok(())
    }
}

fn is_hidden(name: &[u8]) -> bool {
    name.starts_with(b".") || memchr::memmem::find(name, b"/.").is_some()
}

/// Reads what `paths` name at the revision `revision`, each in the repository that it is in. For folders:
/// the files that `is_wanted`, hidden ones left out. A path that was not there then gives nothing, and one
/// that is not there any more what it was.
///
/// # Errors
///
/// If git is missing or fails, or a path is in no repository, or neither here nor in the revision.
pub fn files_at(
    revision: &OsStr,
    paths: &[PathBuf],
    is_wanted: impl Fn(&Path) -> bool,
) -> Result<Files, GitError> {
    let mut found = Files::default();
    let mut opened: HashMap<PathBuf, Opened> = HashMap::new();
    let (mut seen, mut seen_sparse) = (HashSet::new(), HashSet::new());
    for path in paths {
        let (folder, name) = place(path)?;
        let folder = folder.canonicalize().map_err(|error| path_error(path, error))?;
        let root = root(&folder).ok_or_else(|| GitError::NoRepository(shown(path)))?;
        if !opened.contains_key(root) {
            opened.insert(root.to_owned(), Opened::new(root, revision)?);
        }
        let below = name.map_or_else(|| folder.clone(), |name| folder.join(name));
        let Some(Opened { repository, tree, blobs, index, named }) = opened.get_mut(root) else { continue };
        named.push(below.clone());
        let prefix = below.strip_prefix(root).unwrap_or(Path::new("")).as_os_str().as_bytes();
        let targets = tree.under(prefix, &is_wanted, &mut |id| blobs.read(id))?;
        let submodules: Vec<_> = index.submodules.iter().filter(|path| path.starts_with(&below)).collect();
        if targets.is_empty() {
            path.symlink_metadata().map_err(|error| path_error(path, error))?;
            found.nothing.push(path.clone());
        }
        for target in targets {
            match target {
                Target::Submodule(name) => {
                    found.left_out.insert(repository.root().join(OsStr::from_bytes(&name)));
                    found.submodules.push(at(revision, &name));
                }
                Target::Link(name) => found.links.push(at(revision, &name)),
                Target::File { path, id } => {
                    let here = root.join(OsStr::from_bytes(&path));
                    let is_submodules = submodules.iter().any(|submodule| here.starts_with(submodule));
                    if !is_submodules && seen.insert(here) {
                        found.files.push((at(revision, &path), blobs.read(&id)?));
                    }
                }
            }
        }
        for submodule in submodules {
            if found.left_out.insert(submodule.clone()) {
                found.submodules.push(shown(submodule.strip_prefix(root).unwrap_or(submodule)));
            }
        }
        for (file, id) in &index.sparse {
            let Ok(rest) = file.strip_prefix(&below) else { continue };
            let is_hidden =
                rest.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."));
            let is_named = rest == Path::new("");
            if (is_named || is_wanted(file) && !is_hidden) && seen_sparse.insert(file.clone()) {
                found.sparse.push((shown(&path.join(rest)), blobs.read(id)?));
            }
        }
    }
    for repository in opened.into_values() {
        repository.moved(revision, &is_wanted, &mut found)?;
    }
    Ok(found)
}

/// `REV:PATH`
fn at(revision: &OsStr, path: &[u8]) -> String {
    format!("{}:{}", escape::utf8(revision.as_bytes()), escape::utf8(path))
}

/// The folder to run in, and the path below it if the path is no folder, or not there any more.
fn place(path: &Path) -> Result<(PathBuf, Option<OsString>), GitError> {
    if path.is_dir() {
        return Ok((path.to_owned(), None));
    }
    // A link to a file is looked up as a link, in the folder that it is in.
    let missing = || path_error(path, std::io::ErrorKind::NotFound.into());
    let folders = path.ancestors().skip(1);
    let folder = folders.map(|folder| if folder == Path::new("") { Path::new(".") } else { folder });
    let folder = folder.into_iter().find(|folder| folder.is_dir()).ok_or_else(missing)?;
    let below = path.strip_prefix(folder).unwrap_or(path);
    // What `..` leads back from is not there either.
    if !below.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(missing());
    }
    Ok((folder.to_owned(), Some(below.components().collect::<PathBuf>().into_os_string())))
}

fn path_error(path: &Path, error: std::io::Error) -> GitError {
    GitError::Path { path: shown(path), error }
}
