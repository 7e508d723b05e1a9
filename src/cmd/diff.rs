//! `recmode diff`: whose sessions are recorded otherwise after a change of the roles.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::cli::{DiffArgs, DiffFailOn, DiffFormat};
use crate::report::{self, DiffTree};
use crate::roles::{self, LoadError, Roles};
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

    let diff = diff::compare(&sides.old, &sides.new, args.dialect, args.with_requests);
    let names = (sides.old_name.as_str(), sides.new_name.as_str());
    let text = match args.format {
        DiffFormat::Human => report::diff_text(&diff, names, super::color::wanted(args.color, &io::stdout())),
        DiffFormat::Json => DiffTree::new(&diff, names, args.dialect, args.with_requests).json()?,
        DiffFormat::Markdown => report::diff_markdown(&diff, names),
    };
    super::print(text.as_bytes())?;
    let fails = match args.fail_on {
        DiffFailOn::Loosened => diff.is_weaker(),
        DiffFailOn::Any => !diff.is_empty(),
        DiffFailOn::None => false,
    };
    Ok(if fails { exit::NO } else { exit::OK })
}

/// Both sides and what they are called.
struct Sides {
    old: Roles,
    new: Roles,
    old_name: String,
    new_name: String,
}

/// Reads both sides; `None` if one holds errors, which were said.
fn sides(args: &DiffArgs, color: bool, say: &impl Fn(&str)) -> anyhow::Result<Option<Sides>> {
    let name = |path: &PathBuf| path.to_string_lossy().into_owned();
    let (old, new, old_name, new_name) = match (&args.base, args.paths.as_slice()) {
        (None, [old, new]) => {
            if [old, new].iter().all(|path| roles::is_stream(path)) && old == new {
                bail!("a stream can be read only once");
            }
            (load(std::slice::from_ref(old)), load(std::slice::from_ref(new)), name(old), name(new))
        }
        (None, _) => bail!("two paths are compared, OLD and NEW; or give --base REV"),
        (Some(base), paths) => {
            let here = [PathBuf::from(".")];
            let paths = if paths.is_empty() { &here } else { paths };
            if paths.iter().any(|path| roles::is_stream(path)) {
                bail!("a stream has no revision to be compared with");
            }
            let is_wanted = |path: &Path| roles::is_role_file_name(path) || roles::may_hold_signs(path);
            let files = git::files_at(base, paths, is_wanted);
            let shown = escape::controls(&base.to_string_lossy());
            let files = files.map_err(|error| anyhow::anyhow!(escape::controls(&error.to_string())));
            let files = files.with_context(|| format!("--base {shown}"))?;
            for submodule in &files.submodules {
                say(&format!(
                    "recmode: {}: a submodule, which is not compared\n",
                    escape::controls(submodule)
                ));
            }
            let ignored =
                git::ignored(paths).map_err(|error| anyhow::anyhow!(escape::controls(&error.to_string())))?;
            let wanted = |path: &Path| !ignored.iter().any(|ignored| path.starts_with(ignored));
            // What is gone was read on the old side, or that had failed.
            let left: Vec<_> = paths.iter().filter(|path| path.symlink_metadata().is_ok()).cloned().collect();
            let new = super::progress::shown(&left, |progress| roles::load_wanted(&left, wanted, progress));
            let old = roles::load_texts(files.files);
            let new_name = paths.iter().map(name).collect::<Vec<_>>().join(" ");
            if [&old, &new].iter().all(|side| side.as_ref().is_ok_and(|roles| roles.roles().is_empty())) {
                bail!("no role in {}, neither now nor at {shown}", escape::controls(&new_name));
            }
            (old, new, base.to_string_lossy().into_owned(), new_name)
        }
    };
    let told = |side: Result<Roles, LoadError>| match side {
        Ok(roles) => {
            say(&report::problems(roles.warnings(), color));
            Some(roles)
        }
        Err(error) => {
            say(&report::load_error(&error, color));
            None
        }
    };
    // Both are told before either ends it.
    let (old, new) = (told(old), told(new));
    Ok(old.zip(new).map(|(old, new)| Sides { old, new, old_name, new_name }))
}

fn load(paths: &[PathBuf]) -> Result<Roles, LoadError> {
    super::progress::shown(paths, |progress| roles::load_with_progress(paths, progress))
}
