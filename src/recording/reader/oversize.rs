//! Terminals larger than what is rendered. Pure.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::{Code, Event, Header};
use crate::recording::MAX_WINDOW;

/// The first size in a recording that is larger than what is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Oversize {
    /// The line of the file, from 1.
    pub line: u64,
    /// Columns.
    pub cols: u64,
    /// Rows.
    pub rows: u64,
}

impl fmt::Display for Oversize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, cols, rows } = *self;
        let most = u64::from(MAX_WINDOW);
        write!(
            f,
            "line {line}: a terminal of {cols}x{rows}{} is rendered as {}x{}",
            // The most that a header can have stands for more.
            if cols.max(rows) == u64::from(u16::MAX) { " or more" } else { "" },
            cols.min(most),
            rows.min(most)
        )
    }
}

/// Notes the first one while a recording is read.
#[derive(Debug, Clone, Default)]
pub(super) struct Watch(Arc<OnceLock<Oversize>>);

impl Watch {
    pub(super) fn header(&self, header: &Header) {
        self.size(1, header.cols.into(), header.rows.into());
    }

    pub(super) fn event(&self, event: &Event) {
        if event.code == Code::Resize
            && let Some((cols, rows)) = event.data.split_once('x')
            && let (Ok(cols), Ok(rows)) = (cols.parse(), rows.parse())
        {
            self.size(event.line, cols, rows);
        }
    }

    fn size(&self, line: u64, cols: u64, rows: u64) {
        if cols.max(rows) > MAX_WINDOW.into() {
            let _ = self.0.set(Oversize { line, cols, rows });
        }
    }

    pub(super) fn found(&self) -> Arc<OnceLock<Oversize>> {
        Arc::clone(&self.0)
    }
}
