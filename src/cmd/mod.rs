//! The subcommands, one file each: they join the library's parts, and print.
//!
//! Each has `run`, which returns the exit code; an error means "could not be answered".

pub mod cat;
