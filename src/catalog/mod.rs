//! What there is to know of recordings: of many at a glance, from head and tail of each file, and
//! of one by reading all of it.
//!
//! A look never disturbs a recorder that is at work. Nothing is printed here.

mod entry;
mod list;
mod select;
mod summary;
mod when;

pub use entry::{Entry, Length, State, look};
pub use list::{Listing, Progress, files, files_below, is_beginning, is_cast, list, look_at};
pub use select::{Selection, SortBy, sort};
pub use summary::{At, MAX_LISTED, Summarizer, Summary, summarize};
pub use when::{WhenError, moment};
