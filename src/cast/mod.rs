//! Recordings as those who come after the session get them: any tool's, of any version of
//! asciicast, compressed or not, live or cut off.
//!
//! Opens files and gives [`crate::recording::reader`] their text; renders and prints nothing.

mod input;
mod session;

pub use input::{Input, MAX_DECOMPRESSED, is_compressed, open, reader_of};
pub use session::{Decider, Session};
