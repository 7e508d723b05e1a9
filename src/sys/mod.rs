//! The low-level module: every `unsafe` block of the crate, behind safe functions.
//!
//! It knows system calls and memory, and nothing of rings, recordings or modes.
#![allow(unsafe_code, reason = "the one place for it; each block says why it is sound")]

mod disk;
mod holes;
mod memory;
mod pidfd;
mod power;
mod process;
mod scan;
mod spawn;
mod tty;
mod unfinished;

pub use disk::{has_writer, start_writeback};
pub use holes::{UpToHole, check_hole, may_be_hole};
pub use memory::{SharedBytes, SharedMemory};
pub use pidfd::PidFd;
pub use process::{
    Change, Forked, begin_elsewhere, close_other_descriptors, exit_now, fork, ignore_signal, is_ignored,
    next_child_change, null_streams, reset_signal, signal_set, stop_group, stop_self,
};
pub use scan::{BLOCK, Escape, WIDE, json_specials, push_escaped_blocks, rare_escapes};
pub use spawn::{Belongs, Spawn};
pub use tty::{is_terminal_same, set_exclusive, set_window_size, window_size};
pub use unfinished::Unfinished;
