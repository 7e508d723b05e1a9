//! Real repositories, made by the real git.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::recmode;

/// A throw-away repository. `None`, said on stderr, where there is no git; an error where tests
/// must not be skipped.
pub(crate) struct Repository {
    folder: tempfile::TempDir,
}

impl Repository {
    pub(crate) fn new() -> Option<Self> {
        if Command::new("git").arg("--version").output().is_err() {
            assert!(std::env::var_os("RECMODE_TEST_NO_SKIP").is_none(), "git is missing");
            eprintln!("skipped: git is missing");
            return None;
        }
        let repository = Self { folder: tempfile::tempdir().expect("a folder") };
        repository.git(&["init", "-q", "-b", "main"]);
        Some(repository)
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(self.path())
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"])
            .args(args)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            // What recmode is kept from is what a test needs to set the stage.
            .env("GIT_ALLOW_PROTOCOL", "file")
            .env_remove("GIT_DIR")
            .env_remove("GIT_INDEX_FILE")
            .output()
            .expect("git runs");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub(crate) fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "x"]);
    }

    pub(crate) fn role(&self, file: impl AsRef<Path>, name: &str, mode: &str) {
        self.write(
            file,
            &format!(
                "kind: role\nmetadata: {{name: {name}}}\nspec: {{options: {{record_session: {{ssh: {mode}}}}}}}\n"
            ),
        );
    }

    /// The program, to be run in the repository.
    pub(crate) fn recmode(&self) -> Command {
        let mut command = recmode();
        command.current_dir(self.path());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.recmode().args(args).output().expect("recmode runs")
    }

    pub(crate) fn diff(&self, args: &[&str]) -> Output {
        self.run(&[&["diff"], args].concat())
    }

    /// Gives everything to another user.
    pub(crate) fn chown(&self, user: u32) {
        let chown = Command::new("chown").arg("-R").arg(user.to_string()).arg(self.path()).status();
        assert!(chown.expect("chown runs").success());
    }

    pub(crate) fn write(&self, file: impl AsRef<Path>, text: &str) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
}
