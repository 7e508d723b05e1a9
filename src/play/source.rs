//! The recording's items, read ahead by a thread, so that keys are heard while it waits for more.

use std::io::{BufRead, BufReader};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;

use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::signal::{SigSet, SigmaskHow};

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
    more: Arc<EventFd>,
    caught_up: Option<Arc<AtomicBool>>,
    /// Whether it could be opened again and be read from its start: a file, and no stream.
    pub(super) is_file: bool,
}

impl Source {
    /// Opens a recording, or standard input, and reads its header.
    pub(super) fn open(plan: &Plan, follow: bool) -> Result<Self, PlayError> {
        let (path, joined) = (&plan.path, plan.joined.as_ref());
        let input = joined.map_or_else(|| cast::open(path), |joined| joined.open(&Arc::default()));
        let reader = Reader::new(input.map_err(PlayError::Open)?)?;
        let is_file = std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
        // A stream is as live as its writer.
        if !follow || !is_file {
            return Self::start(reader, None, is_file);
        }
        let locks = reader.header().recmode.is_some();
        let last = joined.and_then(Joined::last).map_or(&**path, |last| &last.path);
        let following = Following::open(last, locks).map_err(PlayError::Open)?;
        let caught_up = following.caught_up();
        let mut input: Input = Box::new(BufReader::new(following));
        if let Some(joined) = joined {
            input = joined.open_with_last(input).map_err(PlayError::Open)?;
        }
        Self::start(Reader::new(input)?, Some(caught_up), is_file)
    }

    fn start(
        reader: Reader<impl BufRead + Send + 'static>,
        caught_up: Option<Arc<AtomicBool>>,
        is_file: bool,
    ) -> Result<Self, PlayError> {
        let header = reader.header().clone();
        let failed = |error: nix::errno::Errno| PlayError::Terminal(error.into());
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let more = Arc::new(EventFd::from_flags(flags).map_err(failed)?);
        let (sender, items) = sync_channel(AHEAD);
        let told = Arc::clone(&more);
        // A signal that this thread took would end the program before the terminal is put back.
        let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK).map_err(failed)?;
        // It ends with its source, or when nobody takes its items any more.
        let spawned = thread::Builder::new()
            .spawn(move || {
                for item in reader {
                    let last = item.is_err();
                    let ended = sender.send(item).is_err() || last;
                    let _ = told.write(1);
                    if ended {
                        break;
                    }
                }
                drop(sender);
                let _ = told.write(1);
            })
            .map_err(PlayError::Terminal);
        before.thread_set_mask().map_err(failed)?;
        spawned?;
        Ok(Self { header, items, more, caught_up, is_file })
    }

    /// What there is, without waiting.
    pub(super) fn take(&self) -> Next {
        // Before the look: what comes after it wakes again.
        let _ = self.more.read();
        match self.items.try_recv() {
            Ok(Ok(item)) => Next::Item(Box::new(item)),
            Ok(Err(error)) => Next::Failed(error),
            Err(TryRecvError::Empty) => Next::Nothing,
            Err(TryRecvError::Disconnected) => Next::End,
        }
    }

    /// Whether this is a live recording of which all was read that there was.
    pub(super) fn caught_up(&self) -> bool {
        self.caught_up.as_ref().is_some_and(|caught_up| caught_up.load(Ordering::Acquire))
    }

    /// What to poll when there is nothing.
    pub(super) fn more(&self) -> BorrowedFd<'_> {
        self.more.as_fd()
    }
}
