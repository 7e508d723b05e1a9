//! Whether a recording is as its recorder wrote it: the chain of checks, followed through the file,
//! and the signature over all of it. Reads; prints and decides nothing.

mod copies;
mod file;
mod follow;
mod lines;
mod session;
mod signed;
mod watch;

pub use copies::{Copies, find_copies};
pub use file::{Checked, Continued, verify_file, verify_found, verify_stream};
pub use follow::{Facts, Followed, Follower, follow};
pub use session::SessionVerdict;
pub use signed::Signed;
pub use watch::{Hashes, Watch};
