//! The binary: parse, call, map errors to exit codes.

use std::process::ExitCode;

use clap::Parser;
use recmode::cli::Cli;
use recmode::exit;

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(_) => ExitCode::from(exit::OK),
        Err(error) => ExitCode::from(usage_error(&error)),
    }
}

/// Prints help, version or a usage error; a usage error of `record` has that command's own code,
/// since 1 and 2 may be the recorded command's.
fn usage_error(error: &clap::Error) -> u8 {
    let _ = error.print();
    if !error.use_stderr() {
        return exit::OK;
    }
    let record = std::env::args_os().nth(1).is_some_and(|word| word == "record");
    if record { exit::RECORD_TROUBLE } else { exit::TROUBLE }
}
