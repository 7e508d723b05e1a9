//! `recmode search`: a pattern in what was seen, or typed, in many sessions.

mod output;

use std::fs::File;
use std::io::{self, IsTerminal as _, Seek as _};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use regex::RegexBuilder;

use self::output::{MAX_KEPT, Output, Searched, State};

use crate::cast::{self, Session};
use crate::catalog;
use crate::cli::{ColorWhen, InfoFormat, SearchArgs};
use crate::dirfd::FileRef;
use crate::recording::reader::{ReadError, Reader};
use crate::report;
use crate::search::{Followed, Found, Query, find, follow};
use crate::{escape, exit};

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
        vec![FileRef::named(&place)]
    } else {
        catalog::files(&place, &mut trouble).with_context(|| escape::path(&place))?
    };
    let json = args.json || args.format == InfoFormat::Json;
    let color = !json && super::color::wanted(ColorWhen::Auto, &io::stdout());
    let show = |part: &Searched| -> io::Result<String> {
        let (name, user) = (part.file.to_string_lossy(), part.user.as_deref());
        if json {
            return report::found_json(&name, user, &part.found).map_err(io::Error::from);
        }
        let context = query.before + query.after > 0;
        Ok(report::found_text(&name, user, &part.found, !part.continued, context, color))
    };

    let state = super::progress::over_recordings(|progress, bar| {
        // Lines on a terminal and a bar on the same one don't go together.
        let give_way = || {
            if io::stdout().is_terminal() {
                bar.give_way();
            }
        };
        progress.files.store(files.len(), Ordering::Relaxed);
        let output = Output::new(&show, &give_way);
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some((index, file)) = {
                let index = next.fetch_add(1, Ordering::Relaxed);
                files.get(index).filter(|_| !output.failed()).map(|file| (index, file))
            } {
                let mut searched = Searched { file: file.path().to_owned(), ..Searched::default() };
                searched.error = search(&query, file, &mut searched, &|part| output.early(index, part)).err();
                progress.done.fetch_add(1, Ordering::Relaxed);
                output.done(index, searched);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..rayon::current_num_threads().min(files.len()) {
                // Where no thread can be had, the others do it.
                let _ = std::thread::Builder::new().spawn_scoped(scope, work);
            }
            work();
        });
        output.finish()
    });
    let State { any, written, trouble: more, .. } = state;
    trouble.extend(more);
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
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

/// Searches one file; what was found goes to `early` when it is too much to keep. What is no recording is
/// passed over unless it was `named`, or is called one.
fn search(
    query: &Query,
    file: &FileRef,
    searched: &mut Searched,
    early: &dyn Fn(&mut Searched) -> bool,
) -> anyhow::Result<()> {
    let Some((input, again)) = open(file)? else { return Ok(()) };
    let named = file.is_named() || catalog::is_cast(&searched.file);
    let begins = || again.as_ref().is_some_and(catalog::is_beginning);
    let Some(reader) = reader(input, &begins, named)? else { return Ok(()) };
    let session = reader.header().recmode.as_ref().map(Session::new);
    searched.user = session.and_then(|session| session.user);
    let mut take = |line: Found| {
        searched.weight += line.text.len() + size_of::<Found>();
        searched.found.push(line);
        searched.weight < MAX_KEPT || early(searched)
    };
    let Some(mut again) = again.filter(|_| !query.input) else {
        find(reader, query, &mut take)?;
        return Ok(());
    };
    if let Followed::Part(mut told) = follow(reader, query, &mut take)? {
        again.rewind()?;
        let reader = Reader::new(cast::reader_of(again)?)?;
        find(reader, query, &mut |line| {
            let known = told > 0;
            told -= usize::from(known);
            known || take(line)
        })?;
    }
    Ok(())
}

/// Opens a file, also for a second time where it is no stream. `None` where it was found and is gone.
fn open(file: &FileRef) -> anyhow::Result<Option<(cast::Input, Option<File>)>> {
    if file.path() == Path::new("-") {
        return Ok(Some((cast::open(file.path())?, None)));
    }
    let opened = if file.is_named() { cast::open_file(file.path()) } else { file.open() };
    let source = match opened {
        Ok(source) => source,
        Err(error) if !file.is_named() && error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let again = if source.metadata()?.is_file() { Some(source.try_clone()?) } else { None };
    Ok(Some((cast::reader_of(source)?, again)))
}

fn reader(
    input: cast::Input,
    begins: &dyn Fn() -> bool,
    named: bool,
) -> anyhow::Result<Option<Reader<cast::Input>>> {
    match Reader::new(input) {
        Ok(reader) => Ok(Some(reader)),
        Err(ReadError::Empty) if begins() => Ok(None),
        Err(ReadError::Empty | ReadError::Invalid { .. } | ReadError::TooLong { .. }) if !named => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The message of a wrong pattern points at it over several lines.
fn controls_but_lines(text: &str) -> String {
    text.split('\n').map(escape::controls).collect::<Vec<_>>().join("\n")
}
