//! Whether a recording is as its recorder wrote it: the chain of checks, followed through the file,
//! and the signature over all of it. Reads; prints and decides nothing.

mod file;
mod follow;
mod session;

pub use file::{Checked, Signed, verify_file, verify_stream};
pub use follow::{Followed, Follower, follow};
pub use session::SessionVerdict;
