//! The verdict on a session of several files.

use std::io;
use std::path::PathBuf;

use super::{Checked, Continued};
use crate::cast::{SegmentFault, Segments};

/// What a session's files came to together.
#[derive(Debug, Clone)]
pub struct SessionVerdict {
    /// The session's id, as its header has it.
    pub session: String,
    /// The files that were found, in order.
    pub files: Vec<PathBuf>,
    /// What is missing or not read.
    pub faults: Vec<SegmentFault>,
    /// Whether the last file is still being written.
    pub live: bool,
    /// Whether each file is good.
    good: bool,
}

impl SessionVerdict {
    /// Joins the verdicts on the session's files, which are among those that were `found`: a file that the next one has the
    /// hash of is good up to there, whatever follows.
    ///
    /// # Errors
    ///
    /// When a file can't be read.
    pub fn new(segments: &Segments, found: &mut [(PathBuf, Checked)]) -> io::Result<Self> {
        let (mut good, mut live, mut faults) = (true, false, segments.faults.clone());
        for (n, segment) in segments.files.iter().enumerate() {
            let continued = match segments.files.get(n + 1) {
                Some(next) => segment.is_continued_by(next)?,
                None => None,
            };
            let checked = found.iter_mut().find(|(path, _)| *path == segment.path);
            good &= checked.is_some_and(|(_, checked)| {
                checked.continued =
                    continued.map(|same| if same { Continued::AsItWas } else { Continued::Changed });
                live = checked.live;
                checked.is_good()
            });
            match (continued, segments.files.get(n + 1)) {
                (Some(false), Some(next)) => {
                    faults.push(SegmentFault::Changed { path: segment.path.clone(), next: next.number });
                }
                (None, Some(next)) => faults.extend(segment.cut_off(next)?),
                _ => {}
            }
        }
        let session = segments.files.first().and_then(|first| first.session.session.clone());
        Ok(Self {
            session: session.unwrap_or_default(),
            files: segments.files.iter().map(|segment| segment.path.clone()).collect(),
            faults,
            live,
            good,
        })
    }

    /// The worst verdict on one of its files; of several, on the last.
    #[must_use]
    pub fn worst(found: &[(PathBuf, Checked)]) -> Option<&Checked> {
        found.iter().map(|(_, checked)| checked).max_by_key(|checked| checked.badness())
    }

    /// Whether all of the session is there.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.faults.iter().any(SegmentFault::is_loss)
    }

    /// Whether all of the session is there, and is as it was written.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.good && self.is_complete()
    }
}
