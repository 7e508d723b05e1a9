//! What comes after the session: recordings looked at, searched, exported and played, from outside.

#[path = "../support/mod.rs"]
mod support;

mod browser;
mod chain;
mod export;
mod info;
mod inputs;
mod ls;
mod names;
mod output;
mod owners;
mod page;
mod player;
mod prune;
mod reader;
mod recover;
mod search;
mod segments;
mod sessions;
mod signatures;
mod special;
mod torn;
mod verify;

use std::path::{Path, PathBuf};
use std::process::Output;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recordings").join(name)
}

/// Runs recmode in UTC; gives standard output, standard error and the exit status.
fn run(args: &[&str]) -> (String, String, Option<i32>) {
    outcome(&support::recmode().env("TZ", "UTC").args(args).output().expect("recmode runs"))
}

fn outcome(output: &Output) -> (String, String, Option<i32>) {
    (support::stdout(output), support::stderr(output), output.status.code())
}

/// Whether a program is installed. Where it is not, that is said, and is a failure under
/// `RECMODE_TEST_NO_SKIP`.
fn has(program: &str) -> bool {
    let found =
        ["/usr/local/bin", "/usr/bin", "/bin"].iter().any(|dir| Path::new(dir).join(program).exists());
    if !found {
        eprintln!("skipped: needs {program}");
        assert!(std::env::var_os("RECMODE_TEST_NO_SKIP").is_none(), "not skipped: needs {program}");
    }
    found
}

/// Who runs the tests, and so owns the files that they make.
fn owner() -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten();
    user.map_or_else(|| nix::unistd::geteuid().to_string(), |user| user.name)
}

/// A user as `ls` and `search` show one whose name is in a file of the tests.
fn marked(user: &str) -> String {
    let owner = owner();
    if owner == user { owner } else { format!("{user} (owner {owner})") }
}

/// Whether the tests run as root. Where they don't, that is reported, and is a failure under
/// `RECMODE_TEST_NO_SKIP`.
fn is_root() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        eprintln!("skipped: needs root");
        assert!(std::env::var_os("RECMODE_TEST_NO_SKIP").is_none(), "not skipped: needs root");
    }
    root
}

/// A path as an argument.
fn arg(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// A recording of recmode's as its recorder would leave it.
fn recording(user: &str, mode: &str, timestamp: i64, lines: &str) -> String {
    format!(
        "{{\"version\":3,\"term\":{{\"cols\":80,\"rows\":24,\"type\":\"xterm\"}},\"timestamp\":{timestamp},\
         \"command\":\"bash\",\"recmode\":{{\"version\":\"0.1.0\",\"session\":\"5d3c0a9e\",\"mode\":\"{mode}\",\
         \"kind\":\"ssh\",\"roles\":[\"ops\"],\"because\":[{{\"role\":\"ops\",\"option\":\"default\"}}],\
         \"user\":\"{user}\",\"host\":\"node1\"}}}}\n{lines}"
    )
}

/// The last lines of a session that ended by itself.
fn end(status: u8, seconds: f64, gaps: u64) -> String {
    format!(
        "[0.0,\"x\",\"{status}\"]\n#recmode {{\"end\":{{\"reason\":\"exit\",\"status\":{status},\"bytes\":4,\
         \"seconds\":{seconds},\"gaps\":{gaps},\"lost\":{gaps}}}}}\n"
    )
}
