//! Recordings as those who come after the session get them: any tool's, of any version of
//! asciicast, compressed or not, live or cut off.
//!
//! Opens files and gives [`crate::recording::reader`] their text; renders and prints nothing.

mod follow;
mod input;
mod joined;
mod lacking;
mod segments;
mod session;
mod unpack;

pub use follow::Following;
pub(crate) use input::reader;
pub use input::{Input, counted_reader_of, is_compressed, open, open_counted, open_file, reader_of};
pub use joined::Joined;
pub use lacking::{Refusal, SegmentFault};
pub use segments::{Segment, Segments, has_number, segments, segments_of};
pub use session::{Decider, Session};

/// Whether the recorder of a recording of recmode's is at work: it holds a lock for as long as it lives.
/// A recording with a header has its lock already, so that trying for a moment takes it from nobody.
#[must_use]
pub fn is_live(file: &std::fs::File) -> bool {
    match file.try_lock_shared() {
        Ok(()) => {
            let _ = file.unlock();
            false
        }
        Err(error) => matches!(error, std::fs::TryLockError::WouldBlock),
    }
}
