//! The subcommands, one file each: they join the library's parts, and print.
//!
//! Each has `run`, which returns the exit code; an error means "could not be answered".

pub mod cat;
mod color;
pub mod completions;
pub mod diff;
pub mod explain;
pub mod export;
mod file;
pub mod info;
mod launch;
pub mod lint;
pub mod login;
pub mod ls;
pub mod man;
mod place;
pub mod play;
mod progress;
pub mod prune;
pub mod record;
pub mod recover;
pub mod resolve;
pub mod schema;
pub mod search;
mod select;
mod session;
pub mod verify;

use std::io::{self, Write as _};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;

use crate::screen::Ending;

use select::{not_selected, select};

/// How long the last words of a session that has ended may take.
const PATIENCE: Duration = Duration::from_millis(500);

/// Writes to standard output; a reader that has gone away is no error.
fn print(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("standard output"),
    }
}

/// Ends the program, with all that it has printed, but without the C library's and the loader's last steps: nothing of
/// ours is among them, and whoever waits for a session's end waits for them too.
pub fn exit_at_once(code: u8) -> ! {
    let _ = io::stdout().flush();
    crate::sys::exit_now(i32::from(code))
}

/// Writes to standard error. It may be closed; that changes no answer.
fn say(text: &str) {
    drop(io::stderr().lock().write_all(text.as_bytes()));
}

/// Says it without waiting for long: a terminal that takes nothing must not hold a session that has ended.
fn say_in_passing(text: String) {
    let text = Arc::new(text);
    let (told, wait) = mpsc::channel();
    let own = Arc::clone(&text);
    let teller = thread::Builder::new().spawn(move || {
        say(&own);
        let _ = told.send(());
    });
    match teller {
        // The end of the process ends it, wherever it is.
        Ok(_) => drop(wait.recv_timeout(PATIENCE)),
        Err(_) => say(&text),
    }
}

/// Reports on standard error that a recording is not whole; `name` is safe to print.
fn say_ending(name: &str, ending: Ending) {
    match ending {
        Ending::Complete => {}
        Ending::Torn { line } => say(&format!("recmode: {name}: the recording is cut off in line {line}\n")),
        Ending::NoEnd => say(&format!(
            "recmode: {name}: the recording has no end record: the session is still running, or it is cut off\n"
        )),
    }
}
