//! `recmode search`: a pattern in what was seen, or typed, in many sessions.

mod output;

use std::fs::File;
use std::io::{self, IsTerminal as _, Seek as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use jiff::tz::TimeZone;
use regex::{Regex, RegexBuilder};

use self::output::{MAX_KEPT, Output, Searched, State};
use super::session::Recording;
use crate::cast::{self, Session};
use crate::catalog::{self, Recorded, owner_name};
use crate::cli::{ColorWhen, InfoFormat, SearchArgs};
use crate::dirfd::FileRef;
use crate::recording::reader::{ReadError, Reader};
use crate::report::{self, Clock};
use crate::screen::RenderError;
use crate::search::{Followed, Found, Query, find, follow};
use crate::{escape, exit};

/// Prints what was found to standard output. The code is 1 if that is nothing, and 2 if a recording
/// could not be read to its end.
///
/// # Errors
///
/// When the pattern is none, the path can't be read, or standard output can't be written.
pub fn run(args: &SearchArgs) -> anyhow::Result<u8> {
    let (patterns, paths) = patterns_and_paths(args)?;
    let wanted = match (args.count, args.files_with_matches) {
        (true, _) => Wanted::Count,
        (_, true) => Wanted::Name,
        _ => Wanted::Lines,
    };
    let context = |own: Option<usize>| match wanted {
        Wanted::Lines => own.or(args.context).unwrap_or(0),
        Wanted::Count | Wanted::Name => 0,
    };
    let query = Query {
        pattern: pattern(&patterns, args)?,
        before: context(args.before_context),
        after: context(args.after_context),
        input: args.input,
        max: if wanted == Wanted::Name { Some(args.max_count.unwrap_or(1).min(1)) } else { args.max_count },
    };
    let mut trouble = Vec::new();
    let files = files(&paths, &mut trouble)?.into_iter().map(|file| (file.is_named(), file));
    let files = catalog::sessions(files.collect(), &mut trouble);
    let json = args.json || args.format == InfoFormat::Json;
    let color = !json && super::color::wanted(ColorWhen::Auto, &io::stdout());
    let zone = if args.utc { TimeZone::UTC } else { TimeZone::system() };
    let show = |part: &Searched| -> io::Result<String> {
        let name = escape::utf8(part.file.as_os_str().as_encoded_bytes());
        let (user, owner) = (part.user.as_deref(), part.owner.as_deref());
        let shown = match (wanted, json) {
            (Wanted::Name, _) if part.matches == 0 => String::new(),
            (Wanted::Name, true) => report::file_json(&part.file, user, owner)?,
            (Wanted::Name, false) => report::file_text(&name, color),
            (Wanted::Count, true) => report::count_json(&part.file, user, owner, part.matches)?,
            (Wanted::Count, false) => report::count_text(&name, part.matches, color),
            (Wanted::Lines, true) => report::found_json(&part.file, user, owner, part.start, &part.found)?,
            (Wanted::Lines, false) => {
                let marked = user.map(|user| report::marked_user(user, owner));
                let context = query.before + query.after > 0;
                let dated = args.date || args.utc;
                let clock =
                    if dated { Clock::Date { start: part.start, zone: &zone } } else { Clock::Offset };
                let first = !part.continued;
                report::found_text(&name, marked.as_deref(), &part.found, first, context, clock, color)
            }
        };
        Ok(shown)
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
                let mut searched = Searched { file: file.file.path().to_owned(), ..Searched::default() };
                searched.error =
                    search(&query, wanted, file, &mut searched, &|part| output.early(index, part)).err();
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

/// What is printed of a recording.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// The lines that were found.
    Lines,
    /// How many lines match.
    Count,
    /// Its name, if a line matches.
    Name,
}

/// The patterns, and the paths; with -e the first argument is a path too.
fn patterns_and_paths(args: &SearchArgs) -> anyhow::Result<(Vec<String>, Vec<PathBuf>)> {
    match &args.pattern {
        Some(pattern) if args.regexp.is_empty() => {
            let pattern = pattern.to_str().context("the pattern is not valid UTF-8")?;
            Ok((vec![pattern.to_owned()], args.paths.clone()))
        }
        first => {
            let paths = first.iter().map(PathBuf::from).chain(args.paths.iter().cloned()).collect();
            Ok((args.regexp.clone(), paths))
        }
    }
}

/// One pattern that matches what any of these does.
fn pattern(patterns: &[String], args: &SearchArgs) -> anyhow::Result<Regex> {
    let compiled = |pattern: &str| {
        RegexBuilder::new(pattern)
            .case_insensitive(args.ignore_case)
            .build()
            .map_err(|error| anyhow::anyhow!(controls_but_lines(&error.to_string())))
    };
    let literal =
        |pattern: &String| if args.fixed_strings { regex::escape(pattern) } else { pattern.clone() };
    let patterns: Vec<String> = patterns.iter().map(literal).collect();
    if let [pattern] = &patterns[..] {
        return compiled(pattern);
    }
    // Each by itself, so that an error is about that one, and none closes a group of another's.
    for pattern in &patterns {
        compiled(pattern)?;
    }
    compiled(&patterns.iter().map(|pattern| format!("(?:{pattern})")).collect::<Vec<_>>().join("|"))
}

/// The files of all paths. What can't be read is `trouble`.
fn files(paths: &[PathBuf], trouble: &mut Vec<(PathBuf, io::Error)>) -> anyhow::Result<Vec<FileRef>> {
    let default = if paths.is_empty() { Some(super::place::to_look_in(None)?) } else { None };
    let mut files = Vec::new();
    for path in default.iter().chain(paths) {
        if path == Path::new("-") {
            files.push(FileRef::named(path));
            continue;
        }
        match catalog::files(path, trouble) {
            Ok(found) => files.extend(found),
            Err(error) => trouble.push((path.clone(), error)),
        }
    }
    Ok(files)
}

/// Searches one file, or one session; what was found goes to `early` when it is too much to keep. What is no recording is
/// passed over unless it was named, or is called one.
fn search(
    query: &Query,
    wanted: Wanted,
    file: &Recorded,
    searched: &mut Searched,
    early: &dyn Fn(&mut Searched) -> bool,
) -> anyhow::Result<()> {
    let Some(segments) = file.segments.clone() else {
        let Some((input, again)) = open(&file.file)? else { return Ok(()) };
        searched.owner =
            again.as_ref().and_then(|file| file.metadata().ok()).map(|file| owner_name(file.uid()));
        let begins = || again.as_ref().is_some_and(catalog::is_beginning);
        let named = file.named || catalog::is_cast(file.file.path());
        let Some(reader) = reader(input, &begins, named)? else { return Ok(()) };
        let again = again.as_ref().map(|file| || file.try_clone().and_then(rewound));
        return search_text(query, wanted, reader, again.as_ref().map(|again| again as _), searched, early);
    };
    let recording = Recording::of(file.file.path(), Some(segments))?;
    let Some(joined) = &recording.joined else { return Ok(()) };
    searched.owner = joined.last().map(|last| owner_name(last.owner));
    let done = Arc::default();
    let reader = Reader::new(joined.open(&done)?).map_err(|error| recording.locate(error))?;
    let again = || joined.open(&done);
    search_text(query, wanted, reader, Some(&again), searched, early)
        .map_err(|error| recording.locate(error))?;
    match recording.code() {
        exit::OK => Ok(()),
        _ => Err(anyhow::anyhow!("not all of the session could be read")),
    }
}

/// Searches a text, which `again` opens for a second time where it is no stream.
fn search_text(
    query: &Query,
    wanted: Wanted,
    reader: Reader<cast::Input>,
    again: Option<&dyn Fn() -> io::Result<cast::Input>>,
    searched: &mut Searched,
    early: &dyn Fn(&mut Searched) -> bool,
) -> anyhow::Result<()> {
    let session = reader.header().recmode.as_ref().map(Session::new);
    searched.user = session.and_then(|session| session.user);
    (searched.recording, searched.start) = (true, reader.header().timestamp);
    let mut take = |line: Found| {
        searched.matches += usize::from(line.matches);
        if wanted != Wanted::Lines {
            return true;
        }
        searched.weight += line.text.len() + size_of::<Found>();
        searched.found.push(line);
        searched.weight < MAX_KEPT || early(searched)
    };
    let mut oversize = reader.oversize();
    let mut left_out = None;
    match again.filter(|_| !query.input) {
        None => left_out = find(reader, query, &mut take)?,
        Some(again) => {
            if let Followed::Part(mut told) = follow(reader, query, &mut take)? {
                let reader = Reader::new(again()?)?;
                oversize = reader.oversize();
                left_out = find(reader, query, &mut |line| {
                    let known = told > 0;
                    told -= usize::from(known);
                    known || take(line)
                })?;
            }
        }
    }
    if let Some(oversize) = oversize.get().filter(|_| !query.input) {
        super::say(&format!("recmode: {}: {oversize}\n", escape::path(&searched.file)));
    }
    whole(left_out)
}

/// An error where something was left out of the rendering from a line on.
fn whole(left_out: Option<u64>) -> anyhow::Result<()> {
    match left_out {
        Some(line) => Err(RenderError::LeftOut { line }.into()),
        None => Ok(()),
    }
}

/// The text of a file from its start.
fn rewound(mut file: File) -> io::Result<cast::Input> {
    file.rewind()?;
    cast::reader_of(file)
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
