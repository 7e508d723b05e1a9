//! A repository, and the `git` program run in it so that neither the repository's files nor the caller's
//! environment steer it: no hook, filter, file system monitor or transport runs, nothing is fetched, and a
//! bare repository among the files is never taken for the repository.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::GitError;

/// Settings that win over every configuration file. A repository's own configuration is not part of a pull
/// request, but it may name programs that would run on the files of one.
const SETTINGS: [&str; 7] = [
    "safe.bareRepository=explicit",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.hooksPath=/dev/null",
    "protocol.allow=never",
    "core.quotePath=false",
    "submodule.recurse=false",
];

/// The root of the repository that this folder is in: the nearest folder, from here up, that holds `.git`.
/// Only the name counts; a bare repository has no `.git` and is none.
#[must_use]
pub fn root(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|folder| is_root(folder))
}

/// Whether this folder holds `.git`, whatever that is.
pub(crate) fn is_root(folder: &Path) -> bool {
    folder.join(".git").symlink_metadata().is_ok()
}

/// A repository that git accepts.
#[derive(Debug, Clone)]
pub(crate) struct Repository {
    root: PathBuf,
}

impl Repository {
    /// `root`: a folder that holds `.git`, as an absolute path without links.
    ///
    /// # Errors
    ///
    /// If git is missing, or refuses: not a repository, or one of another user.
    pub(crate) fn open(root: &Path) -> Result<Self, GitError> {
        let repository = Self { root: root.to_owned() };
        // Where `.git` is no repository, the program may have found another one above.
        let up = repository.one_line(&["rev-parse", "--show-cdup"])?;
        if up.is_empty() { Ok(repository) } else { Err(GitError::NoRepository(shown(root))) }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The program, to be run in the root.
    pub(super) fn git(&self) -> Command {
        let mut command = Command::new("git");
        command.stdin(Stdio::null());
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_gits(name)) {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C");
        command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_TERMINAL_PROMPT", "0");
        // `protocol.NAME.allow` in a configuration would win over `protocol.allow`, but not over this.
        command.env("GIT_NO_LAZY_FETCH", "1").env("GIT_ALLOW_PROTOCOL", "none");
        if let Some(above) = self.root.parent() {
            command.env("GIT_CEILING_DIRECTORIES", above);
        }
        command.arg("-C").arg(&self.root);
        command.args(["--no-pager", "--no-replace-objects", "--literal-pathspecs"]);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command
    }

    /// What the program prints.
    pub(super) fn run(&self, args: &[impl AsRef<OsStr>]) -> Result<Vec<u8>, GitError> {
        let output = self.git().args(args).output().map_err(GitError::NoGit)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let message = String::from_utf8_lossy(&output.stderr);
        let lines = message.lines().map(|line| line.trim().trim_start_matches("fatal: "));
        let message = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
        Err(GitError::Failed(if message.is_empty() { output.status.to_string() } else { message }))
    }

    /// What it prints, without the line break at its end; a file name may hold others.
    pub(super) fn one_line(&self, args: &[impl AsRef<OsStr>]) -> Result<OsString, GitError> {
        let mut answer = self.run(args)?;
        answer.pop_if(|last| *last == b'\n');
        Ok(OsString::from_vec(answer))
    }

    /// The error with what may be behind it: a clone that does not hold everything.
    pub(super) fn explain(&self, error: GitError) -> GitError {
        let GitError::Failed(message) = error else { return error };
        if self.one_line(&["rev-parse", "--is-shallow-repository"]).is_ok_and(|answer| answer == "true") {
            return GitError::Shallow(message);
        }
        let promisor = ["config", "--get-regexp", r"^(remote\..*\.promisor|extensions\.partialclone)$"];
        if self.run(&promisor).is_ok() {
            return GitError::Partial(message);
        }
        GitError::Failed(message)
    }
}

fn is_gits(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b"GIT_")
}

/// A path for a message; bytes that are not UTF-8 are spelt out.
pub(super) fn shown(path: &Path) -> String {
    crate::escape::utf8(path.as_os_str().as_encoded_bytes())
}
