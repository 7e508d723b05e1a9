//! A bar on stderr while many files are read, for those who wait longer than a moment at a
//! terminal. Nothing is shown to anyone else, nor while a stream is read: who types it, or answers
//! the questions of the program that writes it, needs the terminal.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::catalog;
use crate::roles::{self, Progress};

/// Reading that takes less than this shows no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// How often the bar moves.
const INTERVAL: Duration = Duration::from_millis(100);

/// Does `work`, which reads `paths`, with a bar if it takes long.
pub(super) fn shown<T>(paths: &[PathBuf], work: impl FnOnce(&Progress) -> T) -> T {
    let progress = Progress::default();
    if paths.iter().any(|path| roles::is_stream(path)) {
        return work(&progress);
    }
    let draw = |bar: &ProgressBar| {
        bar.set_length(progress.files.load(Ordering::Relaxed) as u64);
        bar.set_position(progress.files_done.load(Ordering::Relaxed) as u64);
        bar.set_message(HumanBytes(progress.bytes_done.load(Ordering::Relaxed)).to_string());
    };
    drawn("reading roles [{bar:30}] {pos}/{len} files, {msg}", &draw, || work(&progress))
}

/// Does `work`, which looks at recordings, with a bar if it takes long.
pub(super) fn over_recordings<T>(work: impl FnOnce(&catalog::Progress) -> T) -> T {
    let progress = catalog::Progress::default();
    let draw = |bar: &ProgressBar| {
        bar.set_length(progress.files.load(Ordering::Relaxed) as u64);
        bar.set_position(progress.done.load(Ordering::Relaxed) as u64);
    };
    drawn("reading recordings [{bar:30}] {pos}/{len}", &draw, || work(&progress))
}

/// How many bytes are read, of how many.
#[derive(Debug, Default)]
pub(super) struct Bytes {
    pub(super) total: AtomicU64,
    pub(super) done: AtomicU64,
}

/// Does `work`, which reads recordings from end to end, with a bar if it takes long.
pub(super) fn over_bytes<T>(work: impl FnOnce(&Bytes) -> T) -> T {
    let progress = Bytes::default();
    let draw = |bar: &ProgressBar| {
        bar.set_length(progress.total.load(Ordering::Relaxed));
        bar.set_position(progress.done.load(Ordering::Relaxed));
    };
    drawn("reading [{bar:30}] {bytes}/{total_bytes}, {bytes_per_sec}", &draw, || work(&progress))
}

/// Does `work`, and draws a bar meanwhile if it takes long and somebody sees it.
fn drawn<T>(template: &str, draw: &(dyn Fn(&ProgressBar) + Sync), work: impl FnOnce() -> T) -> T {
    if !io::stderr().is_terminal() {
        return work();
    }
    let (done, ended) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let bar = move || {
            if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
                if let Ok(style) = ProgressStyle::with_template(template) {
                    bar.set_style(style);
                }
                while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    draw(&bar);
                }
                bar.finish_and_clear();
            }
        };
        // Where no thread can be had, there is no bar.
        let _ = thread::Builder::new().spawn_scoped(scope, bar);
        let result = work();
        drop(done);
        result
    })
}
