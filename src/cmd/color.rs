//! Whether to use colour: the flag, then the environment, then whether it is a terminal.

use std::env;
use std::io::IsTerminal;

use crate::cli::ColorWhen;

/// Whether text for `stream` is coloured.
pub(super) fn wanted(when: ColorWhen, stream: &impl IsTerminal) -> bool {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    match when {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto if set("NO_COLOR") => false,
        ColorWhen::Auto
            if env::var_os("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0") =>
        {
            true
        }
        ColorWhen::Auto => stream.is_terminal() && env::var_os("TERM").is_none_or(|term| term != "dumb"),
    }
}
