//! recmode: which recording mode holds for a session, and a recorder that enforces it.
//!
//! Data flows one way: role files → [`roles`] → [`holders`] → [`policy`] → the command, [`lint`],
//! or the [`report`]; and, for a
//! session, terminal side ([`session`]) ⇒ [`ring`] ⇒ recording side ([`recording`]) → file.
//! `policy`, the mode's state machine and the encoder are pure; files, terminals, signals,
//! clocks and processes live at the rim.
#![warn(clippy::print_stdout, clippy::print_stderr, clippy::exit, clippy::unwrap_used)]

mod apart;
pub mod cast;
pub mod catalog;
pub mod cli;
mod clock;
pub mod cmd;
pub mod config;
pub mod diff;
pub mod dirfd;
pub mod escape;
pub mod exit;
pub mod export;
pub mod git;
pub mod holders;
pub mod lint;
pub mod login;
pub mod oplog;
pub mod play;
pub mod policy;
pub mod quantity;
pub mod recording;
pub mod report;
pub mod require;
pub mod retention;
pub mod ring;
pub mod roles;
pub mod screen;
pub mod search;
pub mod session;
pub mod signature;
pub mod spelling;
mod spin;
pub mod stall;
mod stream;
mod sys;
pub mod trust;
pub mod verify;
mod wait;
