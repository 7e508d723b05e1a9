//! What the tests stand on: a scratch directory, terminals, disks, processes, recordings.

mod cast;
mod disk;
mod fuse;
mod lab;
mod node;
mod outer;
mod process;

use std::env;
use std::fmt;
use std::path::Path;
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

pub(crate) use cast::{Cast, Line};
pub(crate) use disk::Disk;
pub(crate) use fuse::{Call, Fault, FaultyDisk};
pub(crate) use lab::{Lab, Run};
pub(crate) use node::{Node, Recordings};
pub(crate) use outer::{End, Outer};
pub(crate) use process::{
    Pid, alive, children, cpu_ticks, has_pending, kill, named_pid, recording_side, resident_kib, waits,
    working_in,
};

/// A test's name and body.
pub(crate) type Test = (&'static str, fn() -> Verdict);

/// Failures are panics; what is left is done or skipped.
pub(crate) type Verdict = Result<(), Skip>;

/// Why a test can't run here.
#[derive(Debug, Clone)]
pub(crate) struct Skip(pub(crate) String);

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The list of a module's tests, named as its functions.
macro_rules! tests {
    ($($name:ident),* $(,)?) => {
        pub(crate) const TESTS: &[$crate::harness::Test] =
            &[$((concat!(module_path!(), "::", stringify!($name)), $name)),*];
    };
}
pub(crate) use tests;

/// The recmode under test; `RECMODE_TEST_BIN` names another one, such as an installed one.
pub(crate) fn recmode() -> &'static str {
    static NAMED: LazyLock<Option<String>> = LazyLock::new(|| env::var("RECMODE_TEST_BIN").ok());
    NAMED.as_deref().unwrap_or(env!("CARGO_BIN_EXE_recmode"))
}

/// How long anything may take that should be immediate, on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// What a strict session that can't start says on a terminal.
pub(crate) fn message_a(kind: &str) -> String {
    format!("Session could not start due to node error.\r\nERROR: {kind}: could not start shell\r\n")
}

/// What a strict session that ends says on a terminal.
pub(crate) const MESSAGE_B: &str = "\r\nSession terminating due to node error.\r\nClosing session...\r\n";

/// What a best effort session says on a terminal.
pub(crate) const MESSAGE_C: &str =
    "Warning: node error. This might cause some functionalities not to work correctly.\r\n";

/// Waits for a condition, polling; panics when it doesn't come true in time.
#[track_caller]
pub(crate) fn until(limit: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: not within {limit:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

pub(crate) fn needs_root() -> Verdict {
    needs(is_root(), "root")
}

/// Skips unless each of these programs is installed.
pub(crate) fn needs_tools(tools: &[&str]) -> Verdict {
    let missing = tools.iter().find(|tool| {
        !["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"]
            .iter()
            .any(|dir| Path::new(dir).join(tool).exists())
    });
    missing.map_or(Ok(()), |tool| Err(Skip(format!("needs {tool}"))))
}

pub(crate) fn needs(there: bool, what: &str) -> Verdict {
    if there { Ok(()) } else { Err(Skip(format!("needs {what}"))) }
}

/// Where `needle` starts in `haystack`.
pub(crate) fn find(haystack: &[u8], needle: impl AsRef<[u8]>) -> Option<usize> {
    memchr::memmem::find(haystack, needle.as_ref())
}

/// How often `needle` occurs in `haystack`.
pub(crate) fn count(haystack: &[u8], needle: impl AsRef<[u8]>) -> usize {
    memchr::memmem::find_iter(haystack, needle.as_ref()).count()
}

/// Bytes for a failure message: escaped, and only the end of long ones.
pub(crate) fn show(bytes: &[u8]) -> String {
    let from = bytes.len().saturating_sub(400);
    format!("{} bytes, ending {:?}", bytes.len(), String::from_utf8_lossy(&bytes[from..]))
}

/// Asserts that all that was shown up to recmode's own closing words is in the recording.
///
/// What follows the common prefix may only be recmode's: terminal resets and a message.
#[track_caller]
pub(crate) fn assert_shown_is_recorded(shown: &[u8], recorded: &[u8]) {
    let shown = find(shown, "Session terminating due to node error.").map_or(shown, |at| &shown[..at]);
    let same = shown.iter().zip(recorded).take_while(|(a, b)| a == b).count();
    let rest = strip_controls(&shown[same..]);
    assert!(
        rest.is_empty(),
        "shown but not recorded, after {same} bytes in common (recorded {}): {}",
        recorded.len(),
        show(&shown[same..])
    );
}

/// Takes line ends and escape sequences out.
fn strip_controls(bytes: &[u8]) -> Vec<u8> {
    let mut rest = strip_escapes(bytes);
    rest.retain(|byte| !b"\r\n\x0f\x18".contains(byte));
    rest
}

/// Takes escape sequences out.
pub(crate) fn strip_escapes(bytes: &[u8]) -> Vec<u8> {
    let mut rest = Vec::new();
    let mut bytes = bytes.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            0x1b => match bytes.next() {
                Some(b'[') => while bytes.next().is_some_and(|byte| !(0x40..=0x7e).contains(&byte)) {},
                Some(b']') => while bytes.next().is_some_and(|byte| byte != 7 && byte != b'\\') {},
                Some(0x20..=0x2f) => drop(bytes.next()),
                _ => {}
            },
            byte => rest.push(byte),
        }
    }
    rest
}
