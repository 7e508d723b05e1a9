//! What is to be played, how, and how that ends.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Colors, Speed};
use crate::cast::{self, Input, Joined};
use crate::recording::reader::ReadError;
use crate::screen::TooLarge;

/// A place in a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Microseconds since the start.
    Time(u64),
    /// The first marker of this text.
    Marker(String),
}

/// What to play, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The recording, or `-`.
    pub path: PathBuf,
    /// Its session, where that has several files.
    pub joined: Option<Joined>,
    /// How fast.
    pub speed: Speed,
    /// What pauses are cut to; without it, to the limit in the recording's header, if there is one.
    pub idle_limit: Option<Duration>,
    /// Where to begin.
    pub from: Option<Place>,
    /// Where to end.
    pub to: Option<Place>,
    /// Draw the screen cut to the terminal, also where it would fit.
    pub fit: bool,
    /// What the terminal shows of the colours that are drawn.
    pub colors: Colors,
    /// Go on with what is still being recorded.
    pub follow: bool,
    /// Let everything through.
    pub unsafe_raw: bool,
}

impl Plan {
    /// The text of the recording from its start, or of standard input.
    pub(super) fn open(&self) -> io::Result<Input> {
        self.joined.as_ref().map_or_else(|| cast::open(&self.path), |joined| joined.open(&Arc::default()))
    }
}

/// Why it ended, if not at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was played, or ended by a key.
    Played,
    /// Ctrl-C.
    Interrupted,
    /// A signal ended it.
    Signal(i32),
}

/// Why it can't be played.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// The recording can't be opened.
    #[error(transparent)]
    Open(io::Error),
    /// The recording can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Its terminal is too large.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// There is no such marker.
    #[error("there is no marker \"{}\"", crate::escape::controls(.0))]
    NoMarker(String),
    /// The end is before the beginning.
    #[error("--from is after --to")]
    Backwards,
    /// The terminal failed.
    #[error("the terminal: {0}")]
    Terminal(io::Error),
    /// Nobody reads the output any more.
    #[error("standard output was closed")]
    Closed,
}
