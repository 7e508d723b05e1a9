//! `recmode diff`: whose sessions are recorded otherwise after a change of the roles.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::cli::{DiffArgs, DiffFailOn, DiffFormat};
use crate::policy::Dialect;
use crate::report::{self, DiffTree};
use crate::roles::limits::MAX_FILE_BYTES;
use crate::roles::{self, LoadError, Loaded, Readable, SearchOptions};
use crate::{diff, escape, exit, git};

/// Prints the changes to standard output, warnings and errors to standard error. The code is 2 if one
/// side could not be read, 1 if there is a change that `--fail-on` names.
///
/// # Errors
///
/// For paths that make no comparison, if git fails, and when standard output can't be written.
pub fn run(args: &DiffArgs) -> anyhow::Result<u8> {
    let color = super::color::wanted(args.color, &io::stderr());
    let say = super::say;
    let Some(sides) = sides(args, color, &say)? else { return Ok(exit::TROUBLE) };

    // What looked like a role and is gone may be any that is new now.
    let was_unread = sides.old.unread_beside(&sides.new).is_some();
    let settings = diff::Settings {
        dialect: args.dialect,
        with_requests: args.with_requests,
        old_is_partial: sides.old_is_partial || was_unread,
    };
    let diff = diff::compare(&sides.old, &sides.new, &settings);
    let names = (sides.old_name.as_str(), sides.new_name.as_str());
    let text = match args.format {
        DiffFormat::Human => report::diff_text(&diff, names, super::color::wanted(args.color, &io::stdout())),
        DiffFormat::Json => DiffTree::new(&diff, names, args.dialect, args.with_requests).json()?,
        DiffFormat::Markdown => report::diff_markdown(&diff, names),
    };
    super::print(text.as_bytes())?;
    let unread = sides.new.unread_beside(&sides.old).and_then(|problem| problem.site.place());
    if let Some(place) = &unread {
        let place = escape::controls(&place.to_string());
        say(&format!("recmode: {place} is new, looks like a role and is not read: it may loosen any mode\n"));
    }
    let fails = match args.fail_on {
        DiffFailOn::Loosened => diff.is_weaker() || unread.is_some(),
        DiffFailOn::Any => !diff.is_empty() || unread.is_some() || was_unread,
        DiffFailOn::None => false,
    };
    Ok(if fails { exit::NO } else { exit::OK })
}

/// Both sides and what they are called.
struct Sides {
    old: Loaded,
    new: Loaded,
    old_name: String,
    new_name: String,
    /// Whether the old side holds documents that can't be read at all.
    old_is_partial: bool,
}

/// Reads both sides; `None` if one holds errors, which were said.
fn sides(args: &DiffArgs, color: bool, say: &impl Fn(&str)) -> anyhow::Result<Option<Sides>> {
    match (&args.base, args.paths.as_slice()) {
        (None, [old, new]) => {
            if [old, new].iter().all(|path| roles::is_stream(path)) && old == new {
                bail!("a stream can be read only once");
            }
            // The errors of both are printed before either ends it.
            let sides =
                (told(load(old, args.dialect), color, say), told(load(new, args.dialect), color, say));
            let (old_name, new_name) = (name(old), name(new));
            Ok(sides.0.zip(sides.1).map(|(old, new)| Sides {
                old,
                new,
                old_name,
                new_name,
                old_is_partial: false,
            }))
        }
        (None, _) => bail!("two paths are compared, OLD and NEW; or give --base REV"),
        (Some(base), paths) => since(base, paths, args.dialect, color, say),
    }
}

/// The sides of `--base`: a revision, and the working tree.
fn since(
    base: &OsStr,
    paths: &[PathBuf],
    dialect: Dialect,
    color: bool,
    say: &impl Fn(&str),
) -> anyhow::Result<Option<Sides>> {
    let here = [PathBuf::from(".")];
    let is_all = paths.is_empty();
    let paths = if is_all { &here } else { paths };
    if paths.iter().any(|path| roles::is_stream(path)) {
        bail!("a stream has no revision to be compared with");
    }
    let old_name = escape::utf8(base.as_encoded_bytes());
    let shown = escape::controls(&old_name);
    let is_wanted = |path: &Path| roles::is_role_file_name(path) || roles::may_hold_signs(path);
    let files = git::files_at(base, paths, is_wanted);
    let files = files.map_err(|error| anyhow::anyhow!(escape::controls(&error.to_string())));
    let files = files.with_context(|| format!("--base {shown}"))?;
    for submodule in &files.submodules {
        say(&format!("recmode: {}: a submodule, which is not compared\n", escape::controls(submodule)));
    }
    // What is gone was read on the old side, or that had failed.
    let left: Vec<_> = paths.iter().filter(|path| path.symlink_metadata().is_ok()).cloned().collect();
    // Of a single path, a message about both sides says that nothing is in it.
    let alone: &[PathBuf] = if paths.len() == 1 { &[] } else { &files.nothing };
    let new = super::progress::shown(&left, |progress| {
        roles::load_compared(&left, alone, &files.left_out, files.sparse, dialect, progress)
    });
    let readable = roles::load_readable(files.files, dialect);
    let (mut old, old_is_partial) = unreadable_base(readable, &files.links, &shown, color, say);
    let named = paths.iter().map(|path| name(path)).collect::<Vec<_>>().join(" ");
    if !old.has_roles() && !old_is_partial && new.as_ref().is_ok_and(|roles| !roles.has_roles()) {
        bail!("no role in {}, neither now nor at {shown}", escape::controls(&named));
    }
    let new_name = if is_all { "the working tree".to_owned() } else { format!("the working tree ({named})") };
    let Some(mut new) = told(new, color, say) else { return Ok(None) };
    // What was moved into the paths or out of them is neither new nor gone.
    old.complete(roles::load_readable(files.moved_from, dialect).roles, &new);
    new.complete(roles::load_readable(moved_to(&files.moved_to), dialect).roles, &old);
    Ok(Some(Sides { old, new, old_name, new_name, old_is_partial }))
}

/// The roles of a base of which not everything can be read: a pull request that repairs it has to be
/// comparable. Names what can't be read; its values are unknown. The flag is whether there may be roles in it
/// whose names are unknown too.
fn unreadable_base(
    base: Readable,
    links: &[String],
    shown: &str,
    color: bool,
    say: &impl Fn(&str),
) -> (Loaded, bool) {
    say(&report::problems(base.roles.warnings(), color));
    for link in links {
        let link = escape::controls(link);
        say(&format!(
            "{link}: warning: a link that leads out of the revision, or nowhere, and is not read\n"
        ));
    }
    say(&report::warnings(&base.unreadable, color));
    let count = links.len() + base.unreadable.len();
    if count > 0 {
        let s = if count == 1 { "" } else { "s" };
        say(&format!("recmode: {shown} has {count} error{s}: what these places set is unknown\n"));
    }
    let (roles, is_partial) = base.with_unknowns();
    (roles, is_partial || !links.is_empty())
}

/// The files outside of the paths that may hold what was in them. One that can't be read is none of them.
fn moved_to(files: &[PathBuf]) -> Vec<(String, Vec<u8>)> {
    let read = |path: &PathBuf| {
        let mut bytes = Vec::new();
        File::open(path).ok()?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).ok()?;
        Some((name(path), bytes))
    };
    files.iter().filter_map(read).collect()
}

/// The roles of a side; none if there are errors, which this says.
fn told(side: Result<Loaded, LoadError>, color: bool, say: &impl Fn(&str)) -> Option<Loaded> {
    match side {
        Ok(roles) => {
            say(&report::problems(roles.warnings(), color));
            Some(roles)
        }
        Err(error) => {
            say(&report::load_error(&error, color));
            None
        }
    }
}

fn name(path: &Path) -> String {
    escape::utf8(path.as_os_str().as_encoded_bytes())
}

fn load(path: &PathBuf, dialect: Dialect) -> Result<Loaded, LoadError> {
    let paths = std::slice::from_ref(path);
    let options = SearchOptions { dialect, ..SearchOptions::default() };
    super::progress::shown(paths, |progress| roles::load_listed(paths, &options, progress))
}
