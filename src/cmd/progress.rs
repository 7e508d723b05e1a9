//! A bar on stderr while many files are read, for those who wait longer than a moment at a
//! terminal. Nothing is shown to anyone else, nor while a stream is read: who types it, or answers
//! the questions of the program that writes it, needs the terminal.

use std::fs::{self, Metadata};
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cast;
use crate::catalog;
use crate::roles::{self, Progress};
use crate::verify::Watch;

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
    drawn("reading roles [{bar:30}] {pos}/{len} files, {msg}", &draw, |_| work(&progress))
}

/// Does `work`, which looks at recordings, with a bar if it takes long. What prints meanwhile tells the
/// bar to give way.
pub(super) fn over_recordings<T>(work: impl FnOnce(&catalog::Progress, &Bar) -> T) -> T {
    let progress = catalog::Progress::default();
    let draw = |bar: &ProgressBar| {
        bar.set_length(progress.files.load(Ordering::Relaxed) as u64);
        bar.set_position(progress.done.load(Ordering::Relaxed) as u64);
    };
    drawn("reading recordings [{bar:30}] {pos}/{len}", &draw, |bar| work(&progress, bar))
}

/// How many bytes are read, of how many.
#[derive(Debug, Default)]
pub(super) struct Bytes {
    pub(super) total: AtomicU64,
    pub(super) done: Arc<AtomicU64>,
}

impl Bytes {
    /// Opens a recording, of which all is to be read.
    pub(super) fn open(&self, path: &Path) -> io::Result<cast::Input> {
        self.expect(path);
        cast::open_counted(path, &self.done)
    }

    /// The same, verified while it is read.
    pub(super) fn watch(&self, path: &Path, want_signature: bool) -> io::Result<(cast::Input, Watch)> {
        self.expect(path);
        Watch::open(path, want_signature, &self.done)
    }

    fn expect(&self, path: &Path) {
        let length = fs::metadata(path).ok().filter(Metadata::is_file).map_or(0, |file| file.len());
        self.total.store(length, Ordering::Relaxed);
    }
}

/// Does `work`, which reads recordings from end to end, with a bar if it takes long.
pub(super) fn over_bytes<T>(work: impl FnOnce(&Bytes) -> T) -> T {
    let progress = Bytes::default();
    let draw = |bar: &ProgressBar| {
        // Nobody knows how long a stream is.
        let total = progress.total.load(Ordering::Relaxed);
        if total > 0 {
            bar.set_length(total);
            bar.set_position(progress.done.load(Ordering::Relaxed));
        }
    };
    drawn("reading [{bar:30}] {bytes}/{total_bytes}, {bytes_per_sec}", &draw, |_| work(&progress))
}

/// The same for work that writes to standard output meanwhile: no bar where that is a terminal.
pub(super) fn over_bytes_to_stdout<T>(work: impl FnOnce(&Bytes) -> T) -> T {
    if io::stdout().is_terminal() { work(&Bytes::default()) } else { over_bytes(work) }
}

/// The bar, for those who print while it may be there.
#[derive(Debug, Default)]
pub(super) struct Bar(Mutex<Shown>);

#[derive(Debug, Default)]
struct Shown {
    bar: Option<ProgressBar>,
    never: bool,
}

impl Bar {
    /// Takes the bar away for good.
    pub(super) fn give_way(&self) {
        let mut shown = self.lock();
        shown.never = true;
        if let Some(bar) = shown.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn draw(&self, template: &str, draw: &(dyn Fn(&ProgressBar) + Sync)) {
        let mut shown = self.lock();
        if shown.never {
            return;
        }
        draw(shown.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            match ProgressStyle::with_template(template) {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        }));
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does `work`, and draws a bar meanwhile if it takes long and somebody sees it.
fn drawn<T>(template: &str, draw: &(dyn Fn(&ProgressBar) + Sync), work: impl FnOnce(&Bar) -> T) -> T {
    let bar = Bar::default();
    if !io::stderr().is_terminal() {
        return work(&bar);
    }
    let (done, ended) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let drawing = || {
            let ended = ended;
            if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    bar.draw(template, draw);
                }
                bar.give_way();
            }
        };
        // Where no thread can be had, there is no bar.
        let _ = thread::Builder::new().spawn_scoped(scope, drawing);
        let result = work(&bar);
        drop(done);
        result
    })
}
