//! `recmode completions`: the completion script of a shell, made from the command line's definition.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::{Cli, CompletionShell, CompletionsArgs};
use crate::exit;

/// Prints the script to standard output.
///
/// # Errors
///
/// When standard output can't be written.
pub fn run(args: &CompletionsArgs) -> anyhow::Result<u8> {
    // Into memory first, since the generator panics where a writer fails.
    let mut script = Vec::new();
    clap_complete::generate(shell(args.shell), &mut Cli::command(), "recmode", &mut script);
    super::print(&script)?;
    Ok(exit::OK)
}

fn shell(shell: CompletionShell) -> Shell {
    match shell {
        CompletionShell::Bash => Shell::Bash,
        CompletionShell::Zsh => Shell::Zsh,
        CompletionShell::Fish => Shell::Fish,
    }
}
