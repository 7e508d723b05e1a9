//! Which recordings are to go: the plan, and its careful execution.

mod found;
mod plan;
mod remove;

pub use found::{Group, Survey, survey};
pub use plan::{Candidate, Limits, Space, Unreachable, Why, plan};
pub use remove::{NotRemoved, remove};
