//! What there is to know of recordings: of many at a glance, from head and tail of each file, and
//! of one by reading all of it.
//!
//! A look never disturbs a recorder that is at work. Nothing is printed here.

mod entry;
mod list;
mod owner;
mod select;
mod sessions;
mod summary;
mod times;
mod when;

pub use entry::{Entry, Length, State, look};
pub use list::{Listing, Progress, files, files_below, is_beginning, is_cast, list, list_sessions, look_at};
pub use owner::owner_name;
pub use select::{Selection, SortBy, sort};
pub use sessions::{Recorded, sessions};
pub use summary::{At, MAX_LISTED, Summarizer, Summary, summarize};
pub use when::{WhenError, moment};
