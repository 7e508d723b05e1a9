//! What people and scripts are shown: errors with their source lines, decisions as a table, JSON
//! or YAML. Turns values into text; opens, prints and decides nothing.

mod escape;
mod problem;

pub use escape::escape;
pub use problem::{load_error, problem, problems, select_errors};
