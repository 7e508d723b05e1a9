//! The binary: parse, call, map errors to exit codes.

use std::io::Write as _;
use std::process::ExitCode;

use recmode::cli::{Cli, Command};
use recmode::{cmd, exit};

fn main() -> ExitCode {
    if let Some(done) = cmd::login::as_login_shell() {
        cmd::exit_at_once(done);
    }
    let words: Vec<_> = std::env::args_os().collect();
    let cli = match Cli::from_words(&words) {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(usage_error(&error)),
    };
    let done = match &cli.command {
        Command::Resolve(args) => cmd::resolve::run(args),
        Command::Diff(args) => cmd::diff::run(args),
        Command::Lint(args) => cmd::lint::run(args),
        Command::Explain(args) => cmd::explain::run(args),
        Command::Schema(args) => cmd::schema::run(args),
        Command::Record(args) => cmd::record::run(args),
        Command::Login(args) => cmd::login::run(args),
        Command::Cat(args) => cmd::cat::run(args),
        Command::Info(args) => cmd::info::run(args),
        Command::Ls(args) => cmd::ls::run(args),
        Command::Search(args) => cmd::search::run(args),
        Command::Verify(args) => cmd::verify::run(args),
        Command::Export(args) => cmd::export::run(args),
        Command::Play(args) => cmd::play::run(args),
        Command::Prune(args) => cmd::prune::run(args),
        Command::Recover(args) => cmd::recover::run(args),
        Command::Completions(args) => cmd::completions::run(args),
        Command::Man(args) => cmd::man::run(args),
    };
    let session = matches!(cli.command, Command::Record(_)) || is_login(&cli.command);
    let code = done.unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr().lock(), "recmode: {error:#}");
        trouble(session)
    });
    if session { cmd::exit_at_once(code) } else { ExitCode::from(code) }
}

/// Prints help, version or a usage error.
fn usage_error(error: &clap::Error) -> u8 {
    let _ = error.print();
    if !error.use_stderr() {
        return exit::OK;
    }
    trouble(std::env::args_os().nth(1).is_some_and(|word| word == "record" || word == "login"))
}

/// Whether a login is to be recorded, and not only judged.
fn is_login(command: &Command) -> bool {
    matches!(command, Command::Login(args) if !args.check)
}

/// The exit code of an error; a recorded session has its own, since 1 and 2 may be the command's.
fn trouble(session: bool) -> u8 {
    if session { exit::RECORD_TROUBLE } else { exit::TROUBLE }
}
