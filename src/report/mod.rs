//! What people and scripts are shown: errors with their source lines, decisions as a table, JSON
//! or YAML. Turns values into text; opens, prints and decides nothing.

mod columns;
mod diff;
mod file_name;
mod found;
mod info;
pub mod lint;
mod matrix;
mod problem;
mod pruned;
mod recordings;
mod resolution;
mod source;
mod style;
mod table;
mod time;
mod user;
mod verified;

pub use diff::{DiffTree, diff_markdown, diff_text};
pub use found::{Clock, count_json, count_text, file_json, file_text, found_json, found_text};
pub use info::{About, Info, ended, facts, gap_text, info_text};
pub use matrix::Matrix;
pub use problem::{config_error, load_error, problem, problems, select_errors, skipped, warnings};
pub use pruned::{Pruned, PrunedFile, Refused, pruned_text};
pub use recordings::{Recordings, recordings_csv, recordings_table};
pub use resolution::Resolution;
pub use table::{mode_name, reasons, short_fall, table};
pub use time::{duration, local_time, offset, utc};
pub use user::marked_user;
pub use verified::{Verified, copies_text, integrity, session_text, signature, verified_text};
