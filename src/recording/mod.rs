//! The recording: its format, its file, and the process that writes it.

mod batch;
pub mod chain;
pub mod control;
mod encode;
mod fault;
mod file;
mod header;
mod json;
pub mod name;
pub mod reader;
mod records;
pub mod recover;
pub mod side;
mod sync;
pub mod torn;
pub mod transcript;
mod utf8;
mod watch;

pub use batch::{Batch, Unit};
pub use encode::{Encoder, Format};
pub use fault::{Cause, Fault, Operation};
pub use file::RecordingFile;
pub use header::{Continues, Decider, Header, MAX_WINDOW, Session, StreamCapture, Term};
pub use records::{Ending, Gap, Reason, Record, SftpFile, StreamBytes, seconds};
pub use sync::SyncPolicy;
pub use utf8::incomplete_tail;
