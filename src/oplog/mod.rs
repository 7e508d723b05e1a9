//! The operator's log: what happened to sessions and their recordings, for who runs the machine.
//!
//! To journald or syslog, or as JSON lines to a file that a process of its own writes. Whether it
//! can be written never matters to the session.

mod event;
mod file;
mod pruned;
mod socket;

pub use event::{Happening, Identity, Severity, json, message};
pub use file::LogFile;
pub use pruned::{Removal, RemovalLog};
pub use socket::LogSocket;
