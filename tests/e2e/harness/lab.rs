//! A scratch directory, and commands run in a clean environment.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tempfile::TempDir;

use super::{Outer, recmode, until};

/// A test's own directory: home, working directory and place of the recording.
pub(crate) struct Lab {
    dir: TempDir,
    env: Vec<(String, String)>,
    wrapper: Vec<String>,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let dir = TempDir::with_prefix("recmode-e2e-").expect("a temporary directory");
        // Some tests run recmode as another user.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("chmod");
        Self { dir, env: Vec::new(), wrapper: Vec::new() }
    }

    /// Sets a variable for all that is run from here on.
    pub(crate) fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Runs everything through this command from here on.
    pub(crate) fn wrap(mut self, wrapper: &[String]) -> Self {
        self.wrapper.extend_from_slice(wrapper);
        self
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Where [`Lab::record`] puts the recording.
    pub(crate) fn cast(&self) -> PathBuf {
        self.path("rec.cast")
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("a file of the test's");
        path
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.path(name).symlink_metadata().is_ok()
    }

    /// A copy of recmode that every user can execute. A process of its own makes it: one that another test
    /// forks meanwhile would keep it open for writing, so that it could not be executed.
    pub(crate) fn copy_of_recmode(&self) -> PathBuf {
        let copy = self.path("recmode");
        let done = Command::new("install").args(["-m", "755", recmode()]).arg(&copy).status();
        assert!(done.is_ok_and(|status| status.success()), "install");
        copy
    }

    /// `recmode record -o rec.cast ARGS…`
    pub(crate) fn record(&self, args: &[&str]) -> Vec<String> {
        self.record_to(&self.cast(), args)
    }

    /// `recmode record -o FILE ARGS…`
    #[expect(clippy::unused_self, reason = "reads as the one above")]
    pub(crate) fn record_to(&self, file: &Path, args: &[&str]) -> Vec<String> {
        let file = file.to_str().expect("a plain path");
        [recmode(), "record", "-o", file].iter().chain(args).map(|arg| (*arg).to_owned()).collect()
    }

    /// A command in a session of its own, with a clean environment; the scripts of the tests
    /// find recmode in $RECMODE and the recording's place in $CAST.
    pub(crate) fn command<S: AsRef<str>>(&self, terminal: bool, argv: &[S]) -> Command {
        let mut command = Command::new("setsid");
        if terminal {
            command.arg("--ctty");
        }
        command.args(&self.wrapper).args(argv.iter().map(AsRef::as_ref));
        command.env_clear().current_dir(self.dir());
        command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("HOME", self.dir()).env("TERM", "xterm-256color").env("LANG", "C.UTF-8");
        command.env("RECMODE", recmode()).env("CAST", self.cast());
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command on a terminal of 80x24.
    pub(crate) fn outer<S: AsRef<str>>(&self, argv: &[S]) -> Outer {
        Outer::spawn(self, (80, 24), argv)
    }

    /// Runs a shell script on a terminal of 80x24.
    pub(crate) fn outer_sh(&self, script: &str) -> Outer {
        self.outer(&["sh", "-c", script])
    }

    /// Runs a command without any terminal, all three streams being pipes.
    pub(crate) fn run<S: AsRef<str>>(&self, argv: &[S], input: &[u8]) -> Run {
        self.run_within(Duration::from_secs(30), argv, input)
    }

    pub(crate) fn run_within<S: AsRef<str>>(&self, limit: Duration, argv: &[S], input: &[u8]) -> Run {
        let mut command = self.command(false, argv);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("setsid of util-linux");
        let mut stdin = child.stdin.take().expect("a pipe");
        let input = input.to_vec();
        // An early end of the reader is no failure of the writer.
        thread::spawn(move || drop(stdin.write_all(&input)));
        let stdout = Collector::start(child.stdout.take().expect("a pipe"));
        let stderr = Collector::start(child.stderr.take().expect("a pipe"));
        let status = wait(&mut child, limit);
        Run { status, stdout: stdout.end(), stderr: stderr.end() }
    }
}

/// What a command without a terminal did.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl Run {
    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

/// Waits for a child, and kills it with all its children when it takes too long.
#[track_caller]
pub(crate) fn wait(child: &mut Child, limit: Duration) -> i32 {
    let mut status = None;
    let pid = child.id().cast_signed();
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        until(limit, "the end of the command", || {
            status = child.try_wait().expect("wait");
            status.is_some()
        });
    }));
    if done.is_err() {
        end_all(child);
        panic!("process {pid} did not end within {limit:?}");
    }
    shell_status(status.expect("ended"))
}

/// Kills a child and what it started; a process stuck in the kernel is left to itself.
pub(crate) fn end_all(child: &mut Child) {
    for pid in super::process::descendants(child.id().cast_signed()) {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
    }
    let _ = child.kill();
    for _ in 0..200 {
        if child.try_wait().is_ok_and(|status| status.is_some()) {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// The status as a shell's `$?` has it.
pub(crate) fn shell_status(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().expect("an exit or a signal"))
}

/// Reads a pipe to its end, in a thread.
struct Collector {
    bytes: Arc<Mutex<Vec<u8>>>,
    thread: JoinHandle<()>,
}

impl Collector {
    fn start(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&bytes);
        let thread = thread::spawn(move || {
            let mut buffer = vec![0; 65536];
            while let Ok(n @ 1..) = pipe.read(&mut buffer) {
                into.lock().expect("lock").extend_from_slice(&buffer[..n]);
            }
        });
        Self { bytes, thread }
    }

    #[track_caller]
    fn end(self) -> Vec<u8> {
        until(Duration::from_secs(10), "the end of the command's output", || self.thread.is_finished());
        std::mem::take(&mut self.bytes.lock().expect("lock"))
    }
}
