//! Which recordings are to go: the plan, and its careful execution.

mod plan;
mod remove;

pub use plan::{Candidate, Limits, Space, Why, plan};
pub use remove::{Folder, NotRemoved};
