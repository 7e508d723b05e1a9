//! Files in directories that belong to other users, who may rename and replace anything in them at any moment.
//!
//! Directories are opened one from another and never through a symbolic link, files are opened relative to the
//! directory's descriptor, and what is opened must be a regular file. Opening waits for nothing.

mod below;
mod entry;
mod output;

pub use below::{FileRef, Root};
pub use entry::{DirEntry, EntryKind};
pub use output::output_entry;
