//! Bringing the recording to the disk, beside the writing: a thread of the recording side that
//! does nothing else, so that a slow sync delays no echo.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::unistd::{fdatasync, fsync};

use super::{Cause, Fault, Operation, RecordingFile, Unit};
use crate::quantity;
use crate::stall::StallWatch;

/// The thread calls two functions; this is plenty.
const STACK: usize = 64 * 1024;

/// What a sync came to whose thread is gone.
const THREAD_GONE: Result<(), Fault> = Err(Fault { during: Operation::Sync, cause: Cause::RecorderGone });

/// When a recording is synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncPolicy {
    /// Never.
    None,
    /// This long after a write that was not synced, and at the end.
    Interval(Duration),
    /// With every write, before it counts as accepted.
    Always,
}

impl FromStr for SyncPolicy {
    type Err = String;

    /// `none`, `interval[:DURATION]` or `always`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "none" => Ok(Self::None),
            None if text == "always" => Ok(Self::Always),
            None if text == "interval" => Ok(Self::DEFAULT),
            Some(("interval", after)) => quantity::duration(after).map(Self::Interval),
            _ => Err("expected none, interval, interval:DURATION or always".to_owned()),
        }
    }
}

impl SyncPolicy {
    /// A second after a write.
    pub const DEFAULT: Self = Self::Interval(Duration::from_secs(1));
}

/// Keeps a recording's disk up with what was written, by the policy.
#[derive(Debug)]
pub struct Durability {
    policy: SyncPolicy,
    stall_timeout: Duration,
    syncer: Syncer,
    /// When the next sync is due.
    due: Option<Instant>,
    /// A sync under way: how long without an end, and what it covers.
    under_way: Option<(StallWatch, Instant, Unit)>,
    /// The last unit that is known to be on the disk.
    synced: Unit,
    /// The file is new in its directory, which is to be synced too.
    new_entry: bool,
}

impl Durability {
    /// For a recording of which nothing is written.
    ///
    /// # Errors
    /// Those of eventfd(2).
    pub fn new(policy: SyncPolicy, stall_timeout: Duration) -> io::Result<Self> {
        let syncer = Syncer::new()?;
        Ok(Self {
            policy,
            stall_timeout,
            syncer,
            due: None,
            under_way: None,
            synced: Unit::default(),
            new_entry: true,
        })
    }

    /// The last unit that is known to be on the disk.
    #[must_use]
    pub fn synced(&self) -> Unit {
        self.synced
    }

    /// Starts over with a new file and its header, after what an old one holds. That there is a recording comes to the
    /// disk `at` this time, if one is given and the interval is no shorter, and with [`SyncPolicy::Always`] before this
    /// returns.
    ///
    /// # Errors
    /// The sync's fault.
    pub fn new_file(&mut self, file: &RecordingFile, synced: Unit, at: Option<Instant>) -> Result<(), Fault> {
        self.new_entry = true;
        if self.policy == SyncPolicy::Always {
            sync_all(&self.job(file))?;
            self.new_entry = false;
        }
        self.synced = synced;
        self.due = match self.policy {
            SyncPolicy::Interval(interval) => at.map(|at| at.min(Instant::now() + interval)),
            SyncPolicy::None | SyncPolicy::Always => None,
        };
        Ok(())
    }

    /// Something was written, up to `unit`. With [`SyncPolicy::Always`] it is on the disk when this returns.
    ///
    /// # Errors
    /// The sync's fault.
    pub fn wrote(&mut self, file: &RecordingFile, unit: Unit) -> Result<(), Fault> {
        match self.policy {
            SyncPolicy::None => {}
            SyncPolicy::Interval(interval) => {
                self.due.get_or_insert_with(|| Instant::now() + interval);
            }
            SyncPolicy::Always => {
                sync_all(&self.job(file))?;
                (self.synced, self.new_entry) = (unit, false);
            }
        }
        Ok(())
    }

    /// Brings to the disk what was written up to `written`, as far as it is not there, and waits for it and
    /// for a sync that is under way.
    ///
    /// # Errors
    /// The sync's fault.
    pub fn settle(&mut self, file: &RecordingFile, written: Unit) -> Result<(), Fault> {
        self.wait()?;
        if self.due.take().is_some() {
            sync_all(&self.job(file))?;
            (self.synced, self.new_entry) = (written, false);
        }
        Ok(())
    }

    /// Brings all to the disk, at the end, and waits for it, also for a sync that is under way: an
    /// error is told once, and it may be that one's.
    ///
    /// # Errors
    /// The sync's fault.
    pub fn finish(&mut self, file: &RecordingFile) -> Result<(), Fault> {
        let waited = self.wait();
        let synced = if self.policy == SyncPolicy::None { Ok(()) } else { sync_all(&self.job(file)) };
        waited.and(synced)
    }

    /// Waits for a sync that is under way.
    ///
    /// # Errors
    /// The sync's fault.
    pub fn wait(&mut self) -> Result<(), Fault> {
        let Some((.., unit)) = self.under_way.take() else { return Ok(()) };
        self.syncer.wait()?;
        (self.synced, self.new_entry) = (unit, false);
        Ok(())
    }

    /// Begins a sync that is due, and ends one that is over.
    ///
    /// # Errors
    /// The fault of a sync that failed or takes too long.
    pub fn turn(&mut self, file: Option<&RecordingFile>, written: Unit) -> Result<(), Fault> {
        if let Some((watch, begun, unit)) = &mut self.under_way {
            if let Some(result) = self.syncer.finished() {
                let unit = *unit;
                self.under_way = None;
                result?;
                (self.synced, self.new_entry) = (unit, false);
            } else if watch.look(begun.elapsed(), true, 0) >= self.stall_timeout {
                watch.forgive();
                return Err(Fault { during: Operation::Sync, cause: Cause::Stalled });
            }
        }
        if self.under_way.is_none()
            && self.due.is_some_and(|due| due <= Instant::now())
            && let Some(file) = file
        {
            self.due = None;
            self.syncer.begin(self.job(file));
            let watch = StallWatch::new(Duration::ZERO, self.stall_timeout);
            self.under_way = Some((watch, Instant::now(), written));
        }
        Ok(())
    }

    /// Whether a sync is under way.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.under_way.is_some()
    }

    /// When [`Durability::turn`] is to be called at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        match (&self.under_way, self.due) {
            (Some((watch, ..)), _) => Some(watch.tick()),
            (None, due) => due.map(|due| due.saturating_duration_since(Instant::now())),
        }
    }

    fn job(&self, file: &RecordingFile) -> Job {
        Job { file: file.shared(), directory: file.directory().filter(|_| self.new_entry) }
    }
}

/// A file to sync and, as long as it is new there, its directory.
#[derive(Debug)]
struct Job {
    file: Arc<File>,
    directory: Option<Arc<File>>,
}

impl AsFd for Durability {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.syncer.as_fd()
    }
}

/// The thread that syncs, once there is something to sync.
#[derive(Debug)]
struct Syncer {
    jobs: Option<Sender<Job>>,
    results: Option<Receiver<Result<(), Fault>>>,
    /// What a sync without a thread came to, until it is asked for.
    done_here: Option<Result<(), Fault>>,
    done: Arc<EventFd>,
}

impl Syncer {
    /// A syncer without a thread yet.
    ///
    /// # Errors
    /// Those of eventfd(2).
    fn new() -> io::Result<Self> {
        let done = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        Ok(Self { jobs: None, results: None, done_here: None, done: Arc::new(done) })
    }

    /// Begins to sync. Where there can be no thread, as at a limit on the user's processes, it is done when this
    /// returns: a slow disk delays what strict shows then, which is better than no recording.
    fn begin(&mut self, job: Job) {
        if self.start().is_err() {
            self.done_here = Some(sync_all(&job));
            let _ = self.done.write(1);
        } else if let Some(jobs) = &self.jobs {
            // A thread that is gone is seen where its result is asked for.
            let _ = jobs.send(job);
        }
    }

    /// What the sync that was under way came to, once it is over.
    fn finished(&mut self) -> Option<Result<(), Fault>> {
        if let Some(result) = self.done_here.take() {
            let _ = self.done.read();
            return Some(result);
        }
        let result = self.results.as_ref()?.try_recv();
        if result == Err(TryRecvError::Empty) {
            return None;
        }
        let _ = self.done.read();
        Some(result.unwrap_or(THREAD_GONE))
    }

    /// Waits for the end of the sync that is under way, and what it came to.
    fn wait(&mut self) -> Result<(), Fault> {
        let result = match (self.done_here.take(), &self.results) {
            (Some(result), _) => result,
            (None, Some(results)) => results.recv().unwrap_or(THREAD_GONE),
            (None, None) => Ok(()),
        };
        let _ = self.done.read();
        result
    }

    /// Starts the thread, unless it was.
    fn start(&mut self) -> io::Result<()> {
        if self.jobs.is_some() {
            return Ok(());
        }
        let (jobs, to_do) = channel::<Job>();
        let (report, results) = channel();
        let done = Arc::clone(&self.done);
        let builder = thread::Builder::new().name("recmode-sync".to_owned()).stack_size(STACK);
        // It ends with the process, or when nothing more is to come.
        builder.spawn(move || {
            for job in to_do {
                let result = sync_all(&job);
                // The last one to hold a file closes it, which may wait for the disk too: here it holds nobody.
                drop(job);
                // In this order: whoever has waited for the result finds the eventfd written, and clears it.
                if done.write(1).is_err() || report.send(result).is_err() {
                    return;
                }
            }
        })?;
        (self.jobs, self.results) = (Some(jobs), Some(results));
        Ok(())
    }
}

impl AsFd for Syncer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.done.as_fd()
    }
}

fn sync_all(job: &Job) -> Result<(), Fault> {
    let result = fdatasync(&job.file);
    // Not every file system can sync a directory.
    if let Some(directory) = &job.directory {
        let _ = fsync(directory);
    }
    result.map_err(|errno| Fault { during: Operation::Sync, cause: Cause::Errno(errno as i32) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

    fn wait(syncer: &mut Syncer) -> Result<(), Fault> {
        // The eventfd is written a moment before the result is there.
        loop {
            let mut fds = [PollFd::new(syncer.as_fd(), PollFlags::POLLIN)];
            assert_eq!(poll(&mut fds, PollTimeout::from(60_000_u16)), Ok(1), "a result in time");
            if let Some(result) = syncer.finished() {
                return result;
            }
        }
    }

    #[test]
    fn an_interval_shorter_than_a_new_file_waits_holds() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = RecordingFile::create(&dir.path().join("a.cast"), None, false).expect("created");
        let hour = Duration::from_secs(3600);
        for (policy, within) in [
            (SyncPolicy::Interval(Duration::from_secs(1)), Some(Duration::from_secs(1))),
            (SyncPolicy::Interval(2 * hour), Some(hour)),
            (SyncPolicy::None, None),
        ] {
            let mut durability = Durability::new(policy, hour).expect("an eventfd");
            durability.new_file(&file, Unit::default(), Some(Instant::now() + hour)).expect("no sync yet");
            durability.wrote(&file, Unit::default()).expect("no sync yet");
            let deadline = durability.deadline();
            assert_eq!(deadline.is_some(), within.is_some(), "{policy:?}");
            assert!(
                deadline <= within && deadline >= within.map(|within| within / 2),
                "{policy:?}: {deadline:?}"
            );
        }
    }

    #[test]
    fn a_sync_succeeds_for_a_file_and_fails_for_what_has_no_disk() {
        let mut syncer = Syncer::new().expect("an eventfd");
        assert!(syncer.finished().is_none());
        let file = tempfile::tempfile().expect("a file");
        let job = |file: File| Job { file: Arc::new(file), directory: None };
        syncer.begin(job(file));
        assert_eq!(wait(&mut syncer), Ok(()));
        let (pipe, _other) = nix::unistd::pipe().expect("a pipe");
        syncer.begin(job(File::from(pipe)));
        let fault = Fault { during: Operation::Sync, cause: Cause::Errno(libc::EINVAL) };
        assert_eq!(wait(&mut syncer), Err(fault));
    }
}
