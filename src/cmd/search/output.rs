//! What is found in many files at once, printed in the files' order, in a memory that does not grow with
//! what is found.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Stdout, Write as _};
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::search::Found;

/// So many bytes of one file's lines are kept until it is that file's turn.
pub(super) const MAX_KEPT: usize = 4 << 20;

/// So many bytes of files that are done wait for their turn before no further one is begun.
const MAX_WAITING: usize = 32 << 20;

/// What there is in one file, or the next part of it.
#[derive(Default)]
pub(super) struct Searched {
    pub(super) file: PathBuf,
    pub(super) user: Option<String>,
    /// The name of the file's owner.
    pub(super) owner: Option<String>,
    /// When the session started, in seconds since the epoch.
    pub(super) start: Option<i64>,
    /// Whether it is a recording.
    pub(super) recording: bool,
    /// How many lines match, over all parts.
    pub(super) matches: usize,
    pub(super) found: Vec<Found>,
    /// About how many bytes that is.
    pub(super) weight: usize,
    /// Whether a part of it was printed before.
    pub(super) continued: bool,
    pub(super) error: Option<anyhow::Error>,
}

/// How it stands.
pub(super) struct State {
    /// The file whose turn it is.
    turn: usize,
    /// Files that were done before their turn.
    waiting: BTreeMap<usize, Searched>,
    weight: usize,
    out: BufWriter<Stdout>,
    pub(super) any: bool,
    pub(super) trouble: Vec<(PathBuf, io::Error)>,
    pub(super) written: io::Result<()>,
}

/// Standard output, shared.
pub(super) struct Output<'a> {
    state: Mutex<State>,
    moved: Condvar,
    /// The text to print; empty for nothing.
    show: &'a (dyn Fn(&Searched) -> io::Result<String> + Sync),
    give_way: &'a (dyn Fn() + Sync),
}

impl<'a> Output<'a> {
    pub(super) fn new(
        show: &'a (dyn Fn(&Searched) -> io::Result<String> + Sync),
        give_way: &'a (dyn Fn() + Sync),
    ) -> Self {
        let state = State {
            turn: 0,
            waiting: BTreeMap::new(),
            weight: 0,
            out: BufWriter::new(io::stdout()),
            any: false,
            trouble: Vec::new(),
            written: Ok(()),
        };
        Self { state: Mutex::new(state), moved: Condvar::new(), show, give_way }
    }

    /// Whether nothing can be printed any more.
    pub(super) fn failed(&self) -> bool {
        self.lock().written.is_err()
    }

    /// Prints a part of a file, once it is that file's turn; false where it can't be printed.
    pub(super) fn early(&self, index: usize, part: &mut Searched) -> bool {
        let mut state = self.lock();
        // The file whose turn it is never waits, so that the turn comes.
        while state.turn != index && state.written.is_ok() {
            state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        self.write(&mut state, part);
        (part.found, part.weight, part.continued) = (Vec::new(), 0, true);
        state.written.is_ok()
    }

    /// Takes what is left of a file, and waits while too much waits.
    pub(super) fn done(&self, index: usize, rest: Searched) {
        let mut state = self.lock();
        state.weight += rest.weight;
        state.waiting.insert(index, rest);
        while let Some(rest) = {
            let turn = state.turn;
            state.waiting.remove(&turn)
        } {
            state.weight -= rest.weight;
            self.write(&mut state, &rest);
            if let Some(error) = rest.error {
                state.trouble.push((rest.file, io::Error::other(format!("{error:#}"))));
            }
            state.turn += 1;
        }
        if state.written.is_ok() {
            state.written = state.out.flush();
        }
        self.moved.notify_all();
        while state.weight > MAX_WAITING && state.turn <= index && state.written.is_ok() {
            state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(super) fn finish(self) -> State {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, state: &mut State, part: &Searched) {
        state.any |= part.matches > 0;
        if !part.recording || state.written.is_err() {
            return;
        }
        state.written = (self.show)(part).and_then(|text| {
            if !text.is_empty() {
                (self.give_way)();
            }
            state.out.write_all(text.as_bytes())
        });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
