//! Playing a recording on a terminal.
//!
//! What may reach the terminal ([`Filter`]), when it is due ([`Pace`]) and what keys mean are pure;
//! [`play`] is the rim, with the terminal and the clock.

mod draw;
mod filter;
mod keys;
mod pace;
mod plain;
mod player;
mod source;

pub use filter::Filter;
pub use keys::{Key, Keys};
pub use pace::{Pace, Speed};
pub use plain::Colors;
pub use player::{Outcome, Place, Plan, PlayError, play};
