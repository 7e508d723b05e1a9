//! `recmode play`: a recording on the terminal.

use anyhow::Context as _;
use nix::sys::signal::Signal;

use super::session::Recording;
use crate::cli::PlayArgs;
use crate::play::{self, Colors, Outcome, Plan, PlayError};
use crate::{escape, exit};

/// Plays the recording.
///
/// # Errors
///
/// When the recording can't be read or is none, or the terminal not be written.
pub fn run(args: &PlayArgs) -> anyhow::Result<u8> {
    let recording = Recording::find(&args.file).with_context(|| escape::path(&args.file))?;
    let plan = Plan {
        path: args.file.clone(),
        joined: recording.joined.clone(),
        speed: args.speed,
        idle_limit: args.idle_limit,
        from: args.from.clone(),
        to: args.to.clone(),
        fit: args.fit,
        colors: {
            let variable = |name| std::env::var(name).unwrap_or_default();
            Colors::of_terminal(&variable("TERM"), &variable("COLORTERM"))
        },
        follow: args.follow,
        unsafe_raw: args.unsafe_raw,
    };
    crate::session::restore_on_panic();
    match play::play(&plan) {
        Ok(Outcome::Played) | Err(PlayError::Closed) => Ok(recording.code()),
        Ok(Outcome::Interrupted) => Ok(exit::signal_status(Signal::SIGINT as i32)),
        Ok(Outcome::Signal(number)) => Ok(exit::signal_status(number)),
        Err(error) => Err(recording.locate(error)),
    }
}
