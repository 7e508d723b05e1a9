//! Recordings as those who come after the session get them: any tool's, of any version of
//! asciicast, compressed or not, live or cut off.
//!
//! Opens files and makes [`crate::recording::reader`] read them; renders and prints nothing.

mod input;
mod session;

pub use input::{Input, MAX_DECOMPRESSED, open, reader_of};
pub use session::{Decider, Session};

use crate::recording::reader::Reader;

/// A reader of an opened recording.
pub type CastReader = Reader<Input>;
