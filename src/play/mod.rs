//! Playing a recording on a terminal.
//!
//! What may reach the terminal ([`Filter`]), when it is due ([`Clock`]), what keys mean ([`Keys`]) and what the player
//! itself shows are pure. [`play`] is the rim: the terminal, the time, and the threads that read the recording.

mod clock;
mod contents;
mod draw;
mod filter;
mod keys;
mod order;
mod plain;
mod plan;
mod player;
mod source;
mod task;
mod text;
mod tty;

pub use clock::{Clock, Speed};
pub use filter::Filter;
pub use keys::{KEYS, Key, Keys, Typed, keys_help};
pub use plain::Colors;
pub use plan::{Outcome, Place, Plan, PlayError};
pub use player::play;
