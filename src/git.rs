//! Role files as they were at a revision, read from git's objects by the `git` program. Nothing is
//! checked out, no filter and no hook runs, and a revision or a file name is never taken for an
//! option.

mod blobs;
mod tree;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use self::blobs::Blobs;
use self::tree::{Target, Tree};

/// Why the files of a revision could not be read.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The program is not there, or can't be run.
    #[error("git can't be run: {0}")]
    NoGit(std::io::Error),
    /// The program said that something is wrong.
    #[error("git: {0}")]
    Failed(String),
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

/// The role files of one revision.
#[derive(Debug, Default)]
pub struct Files {
    /// Name as it is shown (`REV:PATH`) and content, in the order of the paths, each once.
    pub files: Vec<(String, Vec<u8>)>,
    /// Submodules under the paths: what is in them is not read.
    pub submodules: Vec<String>,
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
    let mut seen = std::collections::HashSet::new();
    for path in paths {
        let (directory, name) = place(path)?;
        let root = one_line(&directory, &["rev-parse", "--show-toplevel"])?;
        let root = PathBuf::from(root);
        let mut prefix = one_line(&directory, &["rev-parse", "--show-prefix"])?.into_vec();
        match name {
            Some(name) => prefix.extend_from_slice(name.as_bytes()),
            None => drop(prefix.pop_if(|last| *last == b'/')),
        }
        let mut spec = revision.to_owned();
        spec.push("^{tree}");
        let verify = [OsStr::new("rev-parse"), OsStr::new("--verify"), OsStr::new("--end-of-options"), &spec];
        let id = one_line(&root, &verify)?;
        if !id.as_bytes().iter().all(u8::is_ascii_hexdigit) {
            return Err(GitError::Protocol);
        }
        let listing = run(&root, &["ls-tree", "-r", "-z", "--full-tree", &id.to_string_lossy()])?;
        let tree = Tree::parse(&listing).ok_or(GitError::Protocol)?;
        let mut blobs = Blobs::start(&root)?;
        let targets = tree.under(&prefix, &is_wanted, &mut |id| blobs.read(id))?;
        if targets.is_empty() {
            path.symlink_metadata().map_err(|error| path_error(path, error))?;
        }
        for target in targets {
            match target {
                Target::Submodule(name) => found.submodules.push(shown(revision, &name)),
                Target::File { path, id } => {
                    if seen.insert((root.clone(), path.clone())) {
                        found.files.push((shown(revision, &path), blobs.read(&id)?));
                    }
                }
            }
        }
    }
    Ok(found)
}

/// `REV:PATH`
fn shown(revision: &OsStr, path: &[u8]) -> String {
    format!("{}:{}", revision.to_string_lossy(), String::from_utf8_lossy(path))
}

/// What git ignores of what is in these folders, as paths that begin with them. A folder that is ignored
/// itself was named all the same, and nothing is ignored in it.
///
/// # Errors
///
/// If git is missing or fails, or a path is in no repository.
pub fn ignored(paths: &[PathBuf]) -> Result<Vec<PathBuf>, GitError> {
    let mut ignored = Vec::new();
    for path in paths.iter().filter(|path| path.is_dir()) {
        let folder = path.canonicalize().map_err(|error| path_error(path, error))?;
        let root = PathBuf::from(one_line(path, &["rev-parse", "--show-toplevel"])?);
        let args = ["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"];
        let listing = run(&root, &args)?;
        for name in listing.split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
            let found = root.join(OsStr::from_bytes(name));
            if let Ok(rest) = found.strip_prefix(&folder)
                && rest != Path::new("")
            {
                ignored.push(path.join(rest));
            }
        }
    }
    Ok(ignored)
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
    GitError::Path { path: path.to_string_lossy().into_owned(), error }
}

/// The program, in this folder, with nothing of the caller's that points to another repository.
fn git(directory: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(directory).arg("--no-replace-objects").stdin(Stdio::null());
    for name in
        ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE"]
    {
        command.env_remove(name);
    }
    command.env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C");
    command
}

fn run(directory: &Path, args: &[impl AsRef<OsStr>]) -> Result<Vec<u8>, GitError> {
    let output = git(directory).args(args).output().map_err(GitError::NoGit)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let message = String::from_utf8_lossy(&output.stderr);
    let message = message.trim().trim_start_matches("fatal: ");
    Err(GitError::Failed(if message.is_empty() { output.status.to_string() } else { message.to_owned() }))
}

/// The answer without its line break; a file name may hold others.
fn one_line(directory: &Path, args: &[impl AsRef<OsStr>]) -> Result<OsString, GitError> {
    let mut answer = run(directory, args)?;
    answer.pop_if(|last| *last == b'\n');
    Ok(OsString::from_vec(answer))
}
