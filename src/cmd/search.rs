//! `recmode search`: a pattern in what was seen, or typed, in many sessions.

use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::Context as _;
use rayon::prelude::*;
use regex::RegexBuilder;

use crate::cast::{self, Session};
use crate::catalog;
use crate::cli::{ColorWhen, InfoFormat, SearchArgs};
use crate::recording::reader::{ReadError, Reader};
use crate::report;
use crate::screen::RenderError;
use crate::search::{Found, Query, find, may_match};
use crate::{escape, exit};

/// So many recordings are searched before what was found in them is printed, in their order.
const BATCH: usize = 64;

/// Prints what was found to standard output. The code is 1 if that is nothing, and 2 if a recording
/// could not be read to its end.
///
/// # Errors
///
/// When the pattern is none, the path can't be read, or standard output can't be written.
pub fn run(args: &SearchArgs) -> anyhow::Result<u8> {
    let pattern = if args.fixed_strings { regex::escape(&args.pattern) } else { args.pattern.clone() };
    let pattern = RegexBuilder::new(&pattern).case_insensitive(args.ignore_case).build();
    let pattern = pattern.map_err(|error| anyhow::anyhow!(controls_but_lines(&error.to_string())))?;
    let context = args.context.unwrap_or(0);
    let query = Query {
        pattern,
        before: args.before_context.unwrap_or(context),
        after: args.after_context.unwrap_or(context),
        input: args.input,
    };
    let place = super::place::to_look_in(args.dir.as_deref())?;
    let mut trouble = Vec::new();
    let files = if place == Path::new("-") {
        vec![place.clone()]
    } else {
        catalog::files(&place, &mut trouble).with_context(|| escape::path(&place))?
    };
    let named = files.first() == Some(&place);
    let json = args.json || args.format == InfoFormat::Json;
    let color = !json && super::color::wanted(ColorWhen::Auto, &io::stdout());
    let show = |file: &Path, result: &Searched| {
        let (name, user) = (file.to_string_lossy(), result.user.as_deref());
        if json {
            report::found_json(&name, user, &result.found)
        } else {
            Ok(report::found_text(&name, user, &result.found, query.before + query.after > 0, color))
        }
    };

    let mut any = false;
    let written = super::progress::over_recordings(|progress| -> anyhow::Result<()> {
        progress.files.store(files.len(), Ordering::Relaxed);
        let mut out = BufWriter::new(io::stdout().lock());
        for batch in files.chunks(BATCH) {
            let results: Vec<(&PathBuf, Searched)> = batch
                .par_iter()
                .map(|file| {
                    let result = search(file, &query, named);
                    progress.done.fetch_add(1, Ordering::Relaxed);
                    (file, result)
                })
                .collect();
            for (file, result) in results {
                any |= result.found.iter().any(|line| line.matches);
                out.write_all(show(file, &result)?.as_bytes())?;
                if let Some(error) = result.error {
                    trouble.push((file.clone(), io::Error::other(format!("{error:#}"))));
                }
            }
            out.flush()?;
        }
        Ok(())
    });
    match written {
        Err(error)
            if error
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) => {}
        written => written.context("standard output")?,
    }
    for (path, error) in &trouble {
        super::say(&format!("recmode: {}: {error}\n", escape::path(path)));
    }
    Ok(match (trouble.is_empty(), any) {
        (false, _) => exit::TROUBLE,
        (true, true) => exit::OK,
        (true, false) => exit::NO,
    })
}

/// What there is in one file.
#[derive(Default)]
struct Searched {
    user: Option<String>,
    found: Vec<Found>,
    error: Option<anyhow::Error>,
}

/// Searches one file. What is no recording is passed over unless it was `named`.
fn search(file: &Path, query: &Query, named: bool) -> Searched {
    let mut searched = Searched::default();
    searched.error = search_into(file, query, named, &mut searched).err();
    searched
}

fn search_into(file: &Path, query: &Query, named: bool, searched: &mut Searched) -> anyhow::Result<()> {
    let is_stream = file == Path::new("-");
    let Some(reader) = open(file, named)? else { return Ok(()) };
    let session = reader.header().recmode.as_ref().map(Session::new);
    searched.user = session.and_then(|session| session.user);
    if query.input || is_stream {
        find(reader, query, &mut searched.found)?;
        return Ok(());
    }
    if !may_match(reader, &query.pattern) {
        return Ok(());
    }
    let Some(reader) = open(file, named)? else { return Ok(()) };
    match find(reader, query, &mut searched.found) {
        Ok(_) => Ok(()),
        Err(error @ (RenderError::Read(_) | RenderError::TooLarge { .. })) => Err(error.into()),
    }
}

fn open(file: &Path, named: bool) -> anyhow::Result<Option<Reader<cast::Input>>> {
    let input = match cast::open(file) {
        Ok(input) => input,
        Err(error) if !named && error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    match Reader::new(input) {
        Ok(reader) => Ok(Some(reader)),
        Err(ReadError::Empty | ReadError::Invalid { .. } | ReadError::TooLong { .. }) if !named => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The message of a wrong pattern points at it over several lines.
fn controls_but_lines(text: &str) -> String {
    text.split('\n').map(escape::controls).collect::<Vec<_>>().join("\n")
}
