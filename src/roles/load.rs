//! Reads many files on all cores and puts what they hold together, in an order that does not
//! depend on which core was faster.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use super::found::{Found, Skipped};
use super::problem::{Excerpt, Mark, Problem, ProblemKind, Severity, Site};
use super::source::{self, Piece, Pieces, Source};
use super::walk::{self, Entry, Input};
use super::{Roles, parse};
use crate::policy::Place;

/// Files of this size and more are taken apart over the cores; smaller ones are read whole.
const LARGE_BYTES: u64 = 1 << 20;

/// More threads than this gain nothing.
const MAX_THREADS: usize = 16;

/// How far reading is; may be looked at from another thread.
#[derive(Debug, Default)]
pub struct Progress {
    /// Files found.
    pub files: AtomicUsize,
    /// Files read.
    pub files_done: AtomicUsize,
    /// Bytes read.
    pub bytes_done: AtomicU64,
}

/// Why there are no roles: everything that is wrong with the input, in the order of the input.
#[derive(Debug, thiserror::Error)]
#[error("{} in the role files", if .problems.len() == 1 { "an error".to_owned() } else { format!("{} errors", .problems.len()) })]
pub struct LoadError {
    /// The errors; never empty.
    pub problems: Vec<Problem>,
    /// What has no effect.
    pub warnings: Vec<Problem>,
    /// Documents that are neither roles nor users.
    pub skipped: Vec<Skipped>,
}

/// Reads the roles under these paths: files, folders, `-` and other streams. All threads it starts
/// have ended when it returns.
///
/// # Errors
///
/// If anything that was found can't be read, isn't well-formed or says something that is no
/// policy; or if there is no role.
pub fn load(paths: &[PathBuf]) -> Result<Roles, LoadError> {
    load_with_progress(paths, &Progress::default())
}

/// Like [`load`], and tells `progress` how far it is.
///
/// # Errors
///
/// As [`load`].
pub fn load_with_progress(paths: &[PathBuf], progress: &Progress) -> Result<Roles, LoadError> {
    let entries = walk::walk(paths);
    let inputs = entries.iter().filter(|entry| matches!(entry, Entry::File(_))).count();
    progress.files.store(inputs, Ordering::Relaxed);
    let found = read_all(&entries, progress);
    combine(&entries, found)
}

/// What each entry holds, by its number.
fn read_all(entries: &[Entry], progress: &Progress) -> Vec<Option<Found>> {
    let mut results: Vec<Option<Found>> = entries.iter().map(|_| None).collect();
    let (mut small, mut large) = (Vec::new(), Vec::new());
    for (n, entry) in entries.iter().enumerate() {
        if let Entry::File(input) = entry {
            let whole = input.source == Source::File && input.size < LARGE_BYTES;
            if whole { small.push((n, input)) } else { large.push((n, input)) }
        }
    }
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);

    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(&(n, input)) = small.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push((n, read_small(input, progress)));
        }
        done
    };
    // A thread costs more than a few small files.
    let helpers = (threads - 1).min(small.len() / 16);
    thread::scope(|scope| {
        let helpers: Vec<_> = (0..helpers).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for helper in helpers {
            match helper.join() {
                Ok(mut more) => done.append(&mut more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        for (n, found) in done {
            results[n] = Some(found);
        }
    });
    for (n, input) in large {
        results[n] = Some(read_large(input, threads, progress));
    }
    results
}

fn read_small(input: &Input, progress: &Progress) -> Found {
    let mut found = Found::default();
    each_piece(input, progress, &mut found, |found, piece| parse::read(&input.file, &piece, found));
    found.finish(&input.file);
    found
}

/// Hands the pieces of a file to `take`; a file that can't be read (on) is a problem.
fn each_piece(
    input: &Input,
    progress: &Progress,
    found: &mut Found,
    mut take: impl FnMut(&mut Found, Piece),
) {
    match source::open(&input.path, &input.source) {
        Err(kind) => found.report(Problem::of_file(kind, &input.file)),
        Ok(reader) => {
            let mut pieces = Pieces::new(&input.file, reader);
            loop {
                let before = pieces.bytes_read();
                let piece = pieces.next();
                progress.bytes_done.fetch_add(pieces.bytes_read() - before, Ordering::Relaxed);
                match piece {
                    Ok(Some(piece)) => take(found, piece),
                    Ok(None) => break,
                    Err(problem) => {
                        found.report(*problem);
                        break;
                    }
                }
            }
        }
    }
    progress.files_done.fetch_add(1, Ordering::Relaxed);
}

/// This thread reads, the others parse; the first piece is parsed here, since there may be no
/// second.
fn read_large(input: &Input, threads: usize, progress: &Progress) -> Found {
    let (sender, receiver) = mpsc::sync_channel::<(usize, Piece)>(threads * 2);
    // In the hands of the helpers alone, so that sending fails should all of them have panicked.
    let mut receiver = Some(Arc::new(Mutex::new(receiver)));
    let work = |receiver: &Mutex<mpsc::Receiver<(usize, Piece)>>| {
        let mut done = Vec::new();
        loop {
            let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok((n, piece)) = next else { return done };
            let mut found = Found::default();
            parse::read(&input.file, &piece, &mut found);
            done.push((n, found));
        }
    };
    let mut found = Found::default();
    let mut last = Found::default();
    thread::scope(|scope| {
        let mut helpers = Vec::new();
        let mut count = 0;
        each_piece(input, progress, &mut last, |_, piece| {
            if count == 0 {
                parse::read(&input.file, &piece, &mut found);
            } else {
                if let Some(receiver) = receiver.take() {
                    helpers.extend((0..threads).map(|_| {
                        let receiver = Arc::clone(&receiver);
                        scope.spawn(move || work(&receiver))
                    }));
                }
                // Their panic is raised again below.
                let _ = sender.send((count, piece));
            }
            count += 1;
        });
        drop(sender);
        let mut done = Vec::new();
        for helper in helpers {
            match helper.join() {
                Ok(mut more) => done.append(&mut more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done.sort_unstable_by_key(|&(n, _)| n);
        for (_, part) in done {
            found.append(part);
        }
    });
    found.append(last);
    found.finish(&input.file);
    found
}

/// Everything together, in the order of the entries.
fn combine(entries: &[Entry], mut found: Vec<Option<Found>>) -> Result<Roles, LoadError> {
    let holds_something: Vec<bool> = found
        .iter()
        .zip(entries)
        .map(|(found, entry)| match entry {
            Entry::Problem(_) => true,
            _ => found.as_ref().is_some_and(|found| found.ours || has_error(&found.problems)),
        })
        .collect();
    let (mut roles, mut users, mut skipped, mut problems) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (n, entry) in entries.iter().enumerate() {
        match entry {
            Entry::Problem(problem) => problems.push(problem.clone()),
            Entry::FolderEnd { file, first } => {
                // Nothing at all may be in it because a path before it led to the same files.
                let empty = !holds_something[*first..n].contains(&true);
                let elsewhere = *first == n && holds_something[..n].contains(&true);
                if empty && !elsewhere {
                    problems.push(Problem::of_file(ProblemKind::NoRoleInFolder, file));
                }
            }
            Entry::File(input) => {
                let Some(mut found) = found[n].take() else { continue };
                problems.append(&mut found.problems);
                if input.named && !holds_something[n] {
                    problems.push(Problem::of_file(ProblemKind::NoRole(kinds(&found.skipped)), &input.file));
                }
                roles.append(&mut found.roles);
                users.append(&mut found.users);
                skipped.append(&mut found.skipped);
            }
        }
    }
    problems.extend(second_ones(&roles, |role| (&role.name, &role.at), ProblemKind::DuplicateRole));
    problems.extend(second_ones(&users, |user| (&user.name, &user.at), ProblemKind::DuplicateUser));
    if roles.is_empty() && !has_error(&problems) {
        let file = users.first().map_or_else(|| "roles".into(), |(user, _)| Arc::clone(&user.at.file));
        problems.push(Problem::of_file(ProblemKind::OnlyUsers, &file));
    }
    let (errors, warnings): (Vec<_>, Vec<_>) =
        problems.into_iter().partition(|problem| problem.kind.severity() == Severity::Error);
    if !errors.is_empty() {
        return Err(LoadError { problems: errors, warnings, skipped });
    }
    let roles = roles.into_iter().map(|(role, _)| role).collect();
    let users = users.into_iter().map(|(user, _)| user).collect();
    Ok(Roles::new(roles, users, warnings, skipped))
}

/// The first few kinds of what was skipped.
fn kinds(skipped: &[Skipped]) -> Vec<String> {
    let mut kinds: Vec<String> = Vec::new();
    for kind in skipped.iter().filter_map(|skipped| skipped.kind.as_deref()) {
        if kinds.len() == 3 {
            break;
        }
        if !kinds.iter().any(|known| known == kind) {
            kinds.push(kind.to_owned());
        }
    }
    kinds
}

fn has_error(problems: &[Problem]) -> bool {
    problems.iter().any(|problem| problem.kind.severity() == Severity::Error)
}

/// An error for each item whose name an earlier one has.
fn second_ones<T>(
    items: &[(T, Excerpt)],
    named: impl Fn(&T) -> (&Arc<str>, &Place),
    kind: fn(String) -> ProblemKind,
) -> Vec<Problem> {
    let mut firsts = HashMap::with_capacity(items.len());
    let mut problems = Vec::new();
    for item in items {
        let (name, _) = named(&item.0);
        let first = *firsts.entry(name).or_insert(item);
        if !std::ptr::eq(first, item) {
            let site = |(item, excerpt): &(T, Excerpt)| site(named(item).1, excerpt);
            let mut problem = Problem::new(kind(name.to_string()), site(item));
            problem.related.push(("first here", site(first)));
            problems.push(problem);
        }
    }
    problems
}

fn site(at: &Place, excerpt: &Excerpt) -> Site {
    let mark = Mark { line: at.line, column: at.column, excerpt: excerpt.clone() };
    Site { file: Arc::clone(&at.file), mark: Some(mark) }
}
