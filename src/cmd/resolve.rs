//! `recmode resolve`: which mode holds for a set of roles, and why.

use std::io::{self, Write as _};

use crate::cli::{ResolveArgs, ResolveFormat};
use crate::policy::SessionKind;
use crate::report::{self, Resolution};
use crate::{exit, roles};

/// Prints the answer to standard output, warnings and errors to standard error. The code is 2 if
/// the roles could not be read, 1 if less than `--require` holds.
///
/// # Errors
///
/// When standard output can't be written.
pub fn run(args: &ResolveArgs) -> anyhow::Result<u8> {
    let color = super::color::wanted(args.color, &io::stderr());
    // Standard error may be closed; that changes no answer.
    let say = |text: &str| drop(io::stderr().lock().write_all(text.as_bytes()));
    let loaded =
        super::progress::shown(&args.roles, |progress| roles::load_with_progress(&args.roles, progress));
    let roles = match loaded {
        Ok(roles) => roles,
        Err(error) => {
            if args.verbose {
                say(&report::skipped(&error.skipped, color));
            }
            say(&report::load_error(&error, color));
            return Ok(exit::TROUBLE);
        }
    };
    if args.verbose {
        say(&report::skipped(roles.skipped(), color));
    }
    say(&report::problems(roles.warnings(), color));

    let set = match roles.select(&args.selection.role, args.selection.user.as_deref()) {
        Ok(set) => set,
        Err(errors) => {
            say(&report::select_errors(&errors, color));
            return Ok(exit::TROUBLE);
        }
    };
    let kinds = args.kind.as_ref().map_or(&SessionKind::ALL[..], std::slice::from_ref);
    let resolution = Resolution::new(&set, args.selection.user.as_deref(), kinds);
    let text = match args.format {
        ResolveFormat::Table => {
            report::table(&resolution.kinds, super::color::wanted(args.color, &io::stdout()))
        }
        ResolveFormat::Json => resolution.json()?,
        ResolveFormat::Yaml => resolution.yaml()?,
        ResolveFormat::Mode => {
            let modes: Vec<_> = resolution.kinds.iter().map(|decision| decision.mode.name()).collect();
            modes.join("\n") + "\n"
        }
    };
    super::print(text.as_bytes())?;

    let mut code = exit::OK;
    if let Some(required) = args.require {
        for decision in resolution.kinds.iter().filter(|decision| !decision.meets(required)) {
            code = exit::NO;
            say(&format!("recmode: {}\n", report::short_fall(decision, required)));
        }
    }
    Ok(code)
}
