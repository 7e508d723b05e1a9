//! Reads many files, or a large one, on all cores. What comes back does not depend on which core
//! was faster, and all threads have ended by then.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::SendError;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use super::found::{Found, Reading};
use super::modules::Modules;
use super::parse;
use super::problem::Problem;
use super::source::{self, Piece, Pieces, Source};
use super::walk::{Entry, Input};

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

/// What each entry holds, by its number.
pub(super) fn read(
    entries: &[Entry],
    modules: &Modules,
    reading: Reading,
    progress: &Progress,
) -> Vec<Option<Found>> {
    let mut results: Vec<Option<Found>> = entries.iter().map(|_| None).collect();
    let (mut small, mut large) = (Vec::new(), Vec::new());
    for (n, entry) in entries.iter().enumerate() {
        if let Entry::File(input) = entry {
            let small_file = input.source == Source::File && input.size < LARGE_BYTES;
            if small_file || source::is_terraform(&input.file) {
                small.push((n, input));
            } else {
                large.push((n, input));
            }
        }
    }
    let detail = reading.detail;
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(&(n, input)) = small.get(next.fetch_add(1, Ordering::Relaxed)) {
            let found = if detail || source::is_terraform(&input.file) {
                read_whole(input, modules, reading, progress)
            } else {
                read_small(input, modules, reading, progress)
            };
            done.push((n, found));
        }
        done
    };
    // A thread costs more than a few small files.
    let helpers = match small.len() / 16 {
        0 => 0,
        some => some.min(threads() - 1),
    };
    for (n, found) in on_all(helpers, work) {
        results[n] = Some(found);
    }
    for (n, input) in large {
        let found = if detail {
            read_whole(input, modules, reading, progress)
        } else {
            read_large(input, modules, reading, progress)
        };
        results[n] = Some(found);
    }
    results
}

fn threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS)
}

/// A file whose text is wanted, or that can't be taken apart while it is read.
fn read_whole(input: &Input, modules: &Modules, reading: Reading, progress: &Progress) -> Found {
    let mut found = Found::new(reading).named(input.named);
    match source::read_whole(&input.path, &input.source) {
        Err(kind) => found.report(Problem::of_file(kind, &input.file)),
        Ok(bytes) => {
            progress.bytes_done.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            let large = bytes.len() as u64 >= LARGE_BYTES && !source::is_terraform(&input.file);
            // What is no text as a whole is not looked at in parts.
            let text = std::str::from_utf8(&bytes).ok().filter(|text| !text.contains('\0'));
            if let Some(text) = text.filter(|_| large) {
                read_text(&input.file, text, modules, reading, &mut found);
            } else {
                let piece = Piece { bytes: bytes.as_slice().into(), first_line: 1, first_byte: 0 };
                parse::read(&input.file, &piece, modules, &mut found);
            }
            if reading.detail {
                let text = String::from_utf8(bytes);
                found.text =
                    Some(text.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()));
            }
        }
    }
    progress.files_done.fetch_add(1, Ordering::Relaxed);
    found.finish(&input.file);
    found
}

/// A large text, all about it wanted: the threads take its pieces as they come to them.
fn read_text(file: &Arc<str>, text: &str, modules: &Modules, reading: Reading, found: &mut Found) {
    let pieces = Mutex::new(source::pieces(text).enumerate());
    let named = found.named;
    let work = || {
        let mut done = Vec::new();
        loop {
            let next = pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((n, piece)) = next else { return done };
            let mut found = Found::new(reading).named(named);
            parse::read(file, &piece, modules, &mut found);
            done.push((n, found));
        }
    };
    let mut done = on_all(threads() - 1, work);
    done.sort_unstable_by_key(|&(n, _)| n);
    for (_, part) in done {
        found.append(part);
    }
}

/// Does the work on this thread and on so many others; where no thread can be had, this one does all.
fn on_all<T: Send>(others: usize, work: impl Fn() -> Vec<T> + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, &work).ok();
        let others: Vec<_> = (0..others).map_while(spawn).collect();
        let mut done = work();
        for other in others {
            match other.join() {
                Ok(mut more) => done.append(&mut more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    })
}

fn read_small(input: &Input, modules: &Modules, reading: Reading, progress: &Progress) -> Found {
    let mut found = Found::new(reading).named(input.named);
    each_piece(input, progress, &mut found, |found, piece| parse::read(&input.file, &piece, modules, found));
    found.finish(&input.file);
    found
}

/// Hands the pieces of a file to `take`; a file that can't be read (on) is a problem.
fn each_piece(
    input: &Input,
    progress: &Progress,
    found: &mut Found,
    mut take: impl FnMut(&mut Found, Piece<'static>),
) {
    match source::open(&input.path, &input.source) {
        Err(kind) => found.report(Problem::of_file(kind, &input.file)),
        Ok(reader) => {
            let mut pieces = Pieces::new(&input.file, reader, input.size);
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
fn read_large(input: &Input, modules: &Modules, reading: Reading, progress: &Progress) -> Found {
    let threads = threads();
    let (sender, receiver) = mpsc::sync_channel::<(usize, Piece<'static>)>(threads * 2);
    // In the hands of the helpers alone, so that sending fails should all of them have panicked.
    let mut receiver = Some(Arc::new(Mutex::new(receiver)));
    let work = |receiver: &Mutex<mpsc::Receiver<(usize, Piece<'static>)>>| {
        let mut done = Vec::new();
        loop {
            let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok((n, piece)) = next else { return done };
            let mut found = Found::new(reading).named(input.named);
            parse::read(&input.file, &piece, modules, &mut found);
            done.push((n, found));
        }
    };
    let mut found = Found::new(reading).named(input.named);
    let mut last = Found::new(reading);
    thread::scope(|scope| {
        let mut helpers = Vec::new();
        let mut count = 0;
        each_piece(input, progress, &mut last, |_, piece| {
            if count == 0 {
                parse::read(&input.file, &piece, modules, &mut found);
            } else {
                if let Some(receiver) = receiver.take() {
                    helpers.extend((0..threads).map_while(|_| {
                        let receiver = Arc::clone(&receiver);
                        thread::Builder::new().spawn_scoped(scope, move || work(&receiver)).ok()
                    }));
                }
                // Fails where there is no helper: none could be had, or their panic is raised below.
                if let Err(SendError((_, piece))) = sender.send((count, piece)) {
                    parse::read(&input.file, &piece, modules, &mut found);
                }
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
