//! `recmode resolve`: which mode holds for a set of roles, and why.

use std::io;

use anyhow::bail;

use crate::cli::{ResolveArgs, ResolveFormat};
use crate::policy::{Answer, DecidedBy, SessionKind};
use crate::report::{self, Matrix, Resolution};
use crate::roles::{self, Loaded, SearchOptions};
use crate::{escape, exit, holders};

/// Prints the answer to standard output, warnings and errors to standard error. The code is 2 if
/// the roles could not be read, 1 if less than `--require` holds.
///
/// # Errors
///
/// When standard output can't be written.
pub fn run(args: &ResolveArgs) -> anyhow::Result<u8> {
    match (args.all, args.format) {
        (true, ResolveFormat::Mode) => bail!("--format mode is one word and can't be used with --all"),
        (false, ResolveFormat::Csv) => bail!("--format csv is the matrix and needs --all"),
        _ => {}
    }
    let color = super::color::wanted(args.color, &io::stderr());
    let say = super::say;
    let has_stdin = args.roles.iter().any(|path| roles::is_stdin(path));
    if args.stdin_name.is_some() && !has_stdin {
        bail!("--stdin-name names the text from standard input, and no path is -");
    }
    let stdin = args.stdin_name.as_deref();
    let options = SearchOptions { dialect: args.dialect, stdin, ..SearchOptions::default() };
    let loaded =
        super::progress::shown(&args.roles, |progress| roles::load_listed(&args.roles, &options, progress));
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            if args.verbose {
                say(&report::skipped(&error.skipped, color));
            }
            say(&report::load_error(&error, color));
            return Ok(exit::TROUBLE);
        }
    };
    if args.verbose {
        say(&report::skipped(loaded.skipped(), color));
    }
    say(&report::problems(loaded.warnings(), color));

    let kinds = args.kind.as_ref().map_or(&SessionKind::ALL[..], std::slice::from_ref);
    let is_of_all = args.all || args.selection.role.is_empty() && args.selection.user.is_none();
    let unproved = args.require.filter(|_| is_of_all).and_then(|_| unread(&loaded));
    if args.all {
        let code = matrix(args, &loaded, kinds, color, &say)?;
        return Ok(unproved.map_or(code, |why| {
            say(&why);
            code.max(exit::NO)
        }));
    }
    let Some((roles, set)) = super::select(&loaded, &args.selection, color) else {
        return Ok(exit::TROUBLE);
    };
    let user = args.selection.user.as_deref();
    let resolution = Resolution::new(&set, user, kinds, args.dialect).of_set(roles.key());
    let text = match args.format {
        ResolveFormat::Table => {
            report::table(&resolution.kinds, super::color::wanted(args.color, &io::stdout()))
        }
        ResolveFormat::Json => resolution.json()?,
        ResolveFormat::Yaml => resolution.yaml()?,
        ResolveFormat::Mode => {
            let is_unknown = |answer: &&Answer| answer.decided_by == DecidedBy::Unknown;
            if let Some(unknown) = resolution.kinds.iter().find(is_unknown) {
                let why = report::reasons(unknown).join("; ");
                say(&format!("recmode: the mode of {} is unknown: {why}\n", unknown.kind));
                return Ok(exit::TROUBLE);
            }
            let modes = resolution.kinds.iter().map(|answer| report::mode_name(answer.mode));
            modes.collect::<Vec<_>>().join("\n") + "\n"
        }
        ResolveFormat::Csv => bail!("--format csv needs --all"),
    };
    super::print(text.as_bytes())?;

    let mut code = exit::OK;
    if let Some(required) = args.require {
        for decision in resolution.kinds.iter().filter(|decision| !decision.meets(required)) {
            code = exit::NO;
            say(&format!("recmode: {}\n", report::short_fall(decision, required)));
        }
    }
    if let Some(why) = unproved {
        code = exit::NO;
        say(&why);
    }
    Ok(code)
}

/// Why nothing is proved about all roles: something looks like one and was not read.
fn unread(roles: &Loaded) -> Option<String> {
    let mut places = roles.warnings().iter().filter(|problem| problem.kind.is_unread_role());
    let place = places.next()?.site.place()?;
    let more = places.count();
    let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
    let place = escape::controls(&place.to_string());
    Some(format!("recmode: --require can't be proved: {place} looks like a role and is not read{more}\n"))
}

/// The matrix of all users and groups.
fn matrix(
    args: &ResolveArgs,
    loaded: &Loaded,
    kinds: &[SessionKind],
    color: bool,
    say: &impl Fn(&str),
) -> anyhow::Result<u8> {
    let sets = match loaded.named(args.selection.set.as_deref()) {
        Ok(sets) => sets,
        Err(error) => {
            super::not_selected(&[error], color);
            return Ok(exit::TROUBLE);
        }
    };
    let mut holders: Vec<_> =
        sets.into_iter().flat_map(|roles| holders::holders(roles, args.with_requests)).collect();
    holders.sort_by(|a, b| (a.kind, &a.name, &a.set).cmp(&(b.kind, &b.name, &b.set)));
    if holders.is_empty() {
        bail!("--all: no user, bot, access list or connector was read, so there is no one to answer for");
    }
    let rows = holders::rows(holders, kinds, args.dialect, args.with_requests);
    let matrix = Matrix::new(&rows, kinds, args.dialect, args.with_requests);
    let text = match args.format {
        ResolveFormat::Json => matrix.json()?,
        ResolveFormat::Yaml => matrix.yaml()?,
        ResolveFormat::Csv => matrix.csv()?,
        _ => matrix.table(super::color::wanted(args.color, &io::stdout())),
    };
    super::print(text.as_bytes())?;

    let Some(required) = args.require else { return Ok(exit::OK) };
    let mut code = exit::OK;
    // Who holds no role opens no session and falls short of nothing.
    for row in rows.iter().filter(|row| !row.is_idle()) {
        let in_set = escape::controls(&row.holder.set.in_words());
        let who = format!("{} {:?}{in_set}", row.holder.kind.name(), row.holder.name);
        for cell in &row.cells {
            if !cell.answer.meets(required) {
                code = exit::NO;
                say(&format!("recmode: {who}: {}\n", report::short_fall(&cell.answer, required)));
            } else if let Some(unknown) = row.could_loosen(cell, required, args.dialect, args.with_requests) {
                code = exit::NO;
                let why = escape::controls(&unknown.to_string());
                say(&format!("recmode: {who}: {} may fall short of {required}: {why}\n", cell.answer.kind));
            }
        }
    }
    Ok(code)
}
