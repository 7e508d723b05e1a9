//! Opening a recording with all files of its session, whichever of them is named.

use std::io;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use super::progress::Bytes;
use crate::cast::{self, Joined, SegmentFault, Segments};
use crate::export::Warning;
use crate::play::PlayError;
use crate::recording::reader::{Oversize, ReadError};
use crate::screen::{Ending, RenderError};
use crate::{escape, exit};

/// A recording that was opened.
pub(super) struct Recording {
    /// What was named, safe to print.
    name: String,
    /// Its session, where that has more than this file, or lacks one.
    pub(super) joined: Option<Joined>,
}

impl Recording {
    /// Looks for the session's files, and reports on standard error what is wrong with them.
    pub(super) fn find(path: &Path) -> io::Result<Self> {
        Self::of(path, cast::segments(path)?)
    }

    /// The same, of a session whose files are known.
    pub(super) fn of(path: &Path, segments: Option<Segments>) -> io::Result<Self> {
        let joined = segments.map(Segments::join).transpose()?;
        let recording = Self { name: escape::path(path), joined };
        for fault in recording.faults() {
            super::say(&format!("recmode: {fault}\n"));
        }
        Ok(recording)
    }

    /// Opens a recording, or standard input, of which all is to be read.
    pub(super) fn open(path: &Path, progress: &Bytes) -> io::Result<(Self, cast::Input)> {
        let recording = Self::find(path)?;
        let input = match &recording.joined {
            None => progress.open(path)?,
            Some(joined) => {
                progress.total.store(joined.size(), Ordering::Relaxed);
                joined.open(&progress.done)?
            }
        };
        Ok((recording, input))
    }

    /// What is wrong with the session's files.
    pub(super) fn faults(&self) -> &[SegmentFault] {
        self.joined.as_ref().map_or(&[], |joined| &joined.segments.faults)
    }

    /// The exit code of one who has read all that there is: a file that is damaged was not read to its end.
    pub(super) fn code(&self) -> u8 {
        let damaged = |fault: &SegmentFault| matches!(fault, SegmentFault::Damaged { .. });
        if self.faults().iter().any(damaged) { exit::TROUBLE } else { exit::OK }
    }

    /// An error with the file that it is about, and that file's line.
    pub(super) fn locate(&self, error: impl Into<anyhow::Error>) -> anyhow::Error {
        let mut error = error.into();
        let Some(joined) = &self.joined else { return error.context(self.name.clone()) };
        let line = if let Some(error) = error.downcast_mut::<ReadError>() {
            error.line_mut()
        } else if let Some(RenderError::Read(error)) = error.downcast_mut::<RenderError>() {
            error.line_mut()
        } else if let Some(RenderError::TooLarge { line, .. } | RenderError::LeftOut { line }) =
            error.downcast_mut::<RenderError>()
        {
            Some(line)
        } else if let Some(PlayError::Read(error)) = error.downcast_mut::<PlayError>() {
            error.line_mut()
        } else {
            None
        };
        let name = match line {
            Some(line) => {
                let (path, own) = joined.place(*line);
                *line = own;
                escape::path(path)
            }
            None => self.name.clone(),
        };
        error.context(name)
    }

    /// Reports on standard error that a screen was larger than what is rendered.
    pub(super) fn say_oversize(&self, oversize: &OnceLock<Oversize>) {
        if let Some(&oversize) = oversize.get() {
            let (name, line) = self.name_and_line(oversize.line);
            super::say(&format!("recmode: {name}: {}\n", Oversize { line, ..oversize }));
        }
    }

    /// Reports on standard error what an output lacks.
    pub(super) fn say_warning(&self, warning: &Warning) {
        let text = &warning.text;
        match warning.line {
            Some(line) => {
                let (name, line) = self.name_and_line(line);
                super::say(&format!("recmode: {name}: line {line}: {text}\n"));
            }
            None => super::say(&format!("recmode: {}: {text}\n", self.name)),
        }
    }

    /// A line of the whole, as a file's name, safe to print, and its own line.
    fn name_and_line(&self, line: u64) -> (String, u64) {
        let Some(joined) = &self.joined else { return (self.name.clone(), line) };
        let (path, line) = joined.place(line);
        (escape::path(path), line)
    }

    /// Reports on standard error from which line on something was left out, if anything was.
    pub(super) fn say_left_out(&self, line: Option<u64>) {
        if let Some(line) = line {
            super::say(&format!("recmode: {:#}\n", self.locate(RenderError::LeftOut { line })));
        }
    }

    /// Reports on standard error that the recording is not whole.
    pub(super) fn say_ending(&self, ending: Ending) {
        match (&self.joined, ending) {
            (Some(joined), Ending::Torn { line }) => {
                let (path, line) = joined.place(line);
                super::say_ending(&escape::path(path), Ending::Torn { line });
            }
            (Some(joined), ending) => {
                let last = joined.last().map_or_else(|| self.name.clone(), |last| escape::path(&last.path));
                super::say_ending(&last, ending);
            }
            (None, ending) => super::say_ending(&self.name, ending),
        }
    }
}
