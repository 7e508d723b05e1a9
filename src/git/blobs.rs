//! The contents of files, from one `git cat-file --batch`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use super::GitError;
use super::repository::Repository;
use crate::roles::limits::MAX_FILE_BYTES;

/// A running `git cat-file --batch`, ended when it is dropped.
#[derive(Debug)]
pub(super) struct Blobs {
    repository: Repository,
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Blobs {
    pub(super) fn start(repository: &Repository) -> Result<Self, GitError> {
        let mut child = repository
            .git()
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(GitError::NoGit)?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(GitError::Protocol);
        };
        Ok(Self { repository: repository.clone(), child, stdin, stdout: BufReader::new(stdout) })
    }

    /// The content of the object `id`. Of one beyond the bound for role files, a byte more than the
    /// bound, so that its reader says so.
    pub(super) fn read(&mut self, id: &str) -> Result<Vec<u8>, GitError> {
        let failed = |_| GitError::Protocol;
        // One question, one answer: neither side ever waits for the other's full pipe.
        writeln!(self.stdin, "{id}").and_then(|()| self.stdin.flush()).map_err(failed)?;
        let mut heading = String::new();
        self.stdout.read_line(&mut heading).map_err(failed)?;
        let mut words = heading.split_ascii_whitespace().skip(1);
        let kind = words.next();
        if kind == Some("missing") {
            return Err(self.repository.explain(GitError::Failed(format!("the object {id} is missing"))));
        }
        let size = words.next().and_then(|size| size.parse::<u64>().ok());
        let (Some("blob"), Some(size)) = (kind, size) else { return Err(GitError::Protocol) };
        let kept = size.min(MAX_FILE_BYTES + 1);
        let mut content = Vec::new();
        let read = self.stdout.by_ref().take(kept).read_to_end(&mut content).map_err(failed)?;
        // The rest, and the line break behind it.
        let rest = size - kept + 1;
        let skipped = std::io::copy(&mut self.stdout.by_ref().take(rest), &mut std::io::sink());
        if read as u64 == kept && skipped.map_err(failed)? == rest {
            Ok(content)
        } else {
            Err(GitError::Protocol)
        }
    }
}

impl Drop for Blobs {
    fn drop(&mut self) {
        // It waits for a question, and has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
