//! The recording's items, read ahead by a thread, so that keys are heard while it waits for more.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, Read as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use super::task::{Wake, spawn};
use super::{Plan, PlayError};
use crate::cast::{self, Following, Input, Joined};
use crate::recording::reader::{Header, Item, ReadError, Reader};

/// So many items are read ahead.
const AHEAD: usize = 64;

/// What the source has at the moment.
pub(super) enum Next {
    Item(Box<Item>),
    Failed(ReadError),
    /// More is to come, or not known yet.
    Nothing,
    End,
}

pub(super) struct Source {
    pub(super) header: Header,
    items: Receiver<Result<Item, ReadError>>,
    /// Taken from `items` together, so that the thread is not woken for each.
    ready: VecDeque<Result<Item, ReadError>>,
    more: Wake,
    /// Whether the next item has to wake.
    waits: Arc<AtomicBool>,
    caught_up: Arc<AtomicBool>,
    /// Whether it could be opened again and be read from its start: a file, and no stream.
    pub(super) is_file: bool,
}

/// A reader from the start of a recording, or of standard input.
pub(super) fn reader(plan: &Plan) -> Result<Reader<Input>, PlayError> {
    Ok(Reader::new(plan.open().map_err(PlayError::Open)?)?)
}

fn is_compressed(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(4).read_to_end(&mut head)?;
    Ok(cast::is_compressed(&head))
}

impl Source {
    /// Opens a recording, or standard input, and reads its header.
    pub(super) fn open(plan: &Plan, follow: bool) -> Result<Self, PlayError> {
        let (path, joined) = (&*plan.path, plan.joined.as_ref());
        let reader = reader(plan)?;
        let is_file = std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
        // A stream is as live as its writer.
        let more = Wake::new().map_err(PlayError::Terminal)?;
        let caught_up = Arc::new(AtomicBool::new(false));
        if !follow || !is_file {
            return Self::start(reader, more, caught_up, is_file);
        }
        let last = joined.and_then(Joined::last).map_or(path, |last| &last.path);
        // What a recorder writes into a program that compresses it is locked by nobody.
        let locks = reader.header().recmode.is_some() && !is_compressed(last).map_err(PlayError::Open)?;
        let (wake, has) = (more.clone(), Arc::clone(&caught_up));
        let following = Following::open(last, locks, move || {
            has.store(true, Ordering::Release);
            wake.wake();
        });
        // What is compressed can be followed, too.
        let mut input = following.and_then(cast::reader_of).map_err(PlayError::Open)?;
        if let Some(joined) = joined {
            input = joined.open_with_last(input).map_err(PlayError::Open)?;
        }
        Self::start(Reader::new(input)?, more, caught_up, is_file)
    }

    fn start(
        reader: Reader<impl BufRead + Send + 'static>,
        more: Wake,
        caught_up: Arc<AtomicBool>,
        is_file: bool,
    ) -> Result<Self, PlayError> {
        let header = reader.header().clone();
        let (sender, items) = sync_channel(AHEAD);
        let waits = Arc::new(AtomicBool::new(true));
        let (wake, asked) = (more.clone(), Arc::clone(&waits));
        // It ends with its source, or when nobody takes its items any more.
        spawn(move || {
            for item in reader {
                let last = item.is_err();
                let ended = sender.send(item).is_err() || last;
                if asked.swap(false, Ordering::SeqCst) {
                    wake.wake();
                }
                if ended {
                    break;
                }
            }
            drop(sender);
            wake.wake();
        })
        .map_err(PlayError::Terminal)?;
        Ok(Self { header, items, ready: VecDeque::new(), more, waits, caught_up, is_file })
    }

    /// What there is, without waiting.
    pub(super) fn take(&mut self) -> Next {
        let next = self.try_take();
        if !matches!(next, Next::Nothing) {
            return next;
        }
        // Before the last look: what comes after it wakes again.
        self.waits.store(true, Ordering::SeqCst);
        self.more.clear();
        self.try_take()
    }

    fn try_take(&mut self) -> Next {
        if self.ready.is_empty() {
            self.ready.extend(self.items.try_iter().take(AHEAD));
        }
        match self.ready.pop_front().map_or_else(|| self.items.try_recv(), Ok) {
            Ok(Ok(item)) => Next::Item(Box::new(item)),
            Ok(Err(error)) => Next::Failed(error),
            Err(TryRecvError::Empty) => Next::Nothing,
            Err(TryRecvError::Disconnected) => Next::End,
        }
    }

    /// Whether this is a live recording of which all was read that there was.
    pub(super) fn caught_up(&self) -> bool {
        self.caught_up.load(Ordering::Acquire)
    }

    /// What to poll when there is nothing.
    pub(super) fn more(&self) -> BorrowedFd<'_> {
        self.more.as_fd()
    }
}
