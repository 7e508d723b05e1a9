//! Noticing what others do to the recording's file, by events: nothing here wakes an idle session.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::Duration;

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent};
use nix::sys::statfs::{FsType, statfs};

/// How often a file is looked at whose file system tells no events.
const LOOK: Duration = Duration::from_secs(2);

/// File systems where others may change a file without this machine's kernel knowing (magic numbers
/// of statfs(2)): NFS, SMB, CIFS, SMB2, FUSE, 9P, AFS, Ceph, Coda.
const REMOTE: [u32; 9] = [
    0x6969,
    0x517B,
    0xFF53_4D42,
    0xFE53_4D42,
    0x6573_5546,
    0x0102_1997,
    0x5346_414F,
    0x00C3_6400,
    0x7375_7245,
];

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seen {
    /// Nothing.
    Nothing,
    /// Somebody, we ourselves as a rule, has written to it: its length tells more.
    Written,
    /// It, its name or a directory above it may have changed.
    Moved,
}

/// A watch over a file, the directories above it, and the mounts.
#[derive(Debug)]
pub struct Watch {
    inotify: Option<Inotify>,
    mounts: Option<File>,
    /// Events don't tell everything.
    must_look: bool,
}

impl Watch {
    /// Watches the file at `path`, which is absolute. Where events can't be had it says so by
    /// [`Watch::look_after`].
    #[must_use]
    pub fn new(path: &Path) -> Self {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).ok();
        let watched = inotify.as_ref().is_some_and(|inotify| add_all(inotify, path));
        let mounts = File::open("/proc/self/mountinfo").ok();
        let remote = statfs(path).is_ok_and(|stat| is_remote(stat.filesystem_type()));
        let must_look = !watched || mounts.is_none() || remote;
        Self { inotify, mounts, must_look }
    }

    /// What to poll: for input, and for mounts that changed (POLLPRI).
    #[must_use]
    pub fn events(&self) -> Option<BorrowedFd<'_>> {
        self.inotify.as_ref().map(AsFd::as_fd)
    }

    /// See [`Watch::events`].
    #[must_use]
    pub fn mounts(&self) -> Option<BorrowedFd<'_>> {
        self.mounts.as_ref().map(AsFd::as_fd)
    }

    /// Takes what events there are.
    pub fn take_events(&self) -> Seen {
        let events = self.inotify.as_ref().and_then(|inotify| inotify.read_events().ok()).unwrap_or_default();
        let only_written = |event: &InotifyEvent| event.mask == AddWatchFlags::IN_MODIFY;
        match &events[..] {
            [] => Seen::Nothing,
            events if events.iter().all(only_written) => Seen::Written,
            _ => Seen::Moved,
        }
    }

    /// How long the file may go without a look, if events don't tell everything.
    #[must_use]
    pub fn look_after(&self) -> Option<Duration> {
        self.must_look.then_some(LOOK)
    }
}

/// Links that one path may lead through; as many as Linux follows.
const MOST_LINKS: usize = 40;

fn add_all(inotify: &Inotify, path: &Path) -> bool {
    let gone = AddWatchFlags::IN_MOVE_SELF | AddWatchFlags::IN_DELETE_SELF;
    let file = AddWatchFlags::IN_ATTRIB | AddWatchFlags::IN_MODIFY | gone;
    // A directory that may be passed but not read can't be watched.
    let directory = |above: &Path| inotify.add_watch(above, gone | AddWatchFlags::IN_ONLYDIR).is_ok();
    let link = |link: &Path| {
        inotify.add_watch(link, gone | AddWatchFlags::IN_ATTRIB | AddWatchFlags::IN_DONT_FOLLOW).is_ok()
    };
    let Some(parent) = path.parent() else { return false };
    let (mut way, mut links) = (vec![parent.to_owned()], 0);
    if inotify.add_watch(path, file).is_err() {
        return false;
    }
    while let Some(end) = way.pop() {
        for above in end.ancestors() {
            // What a link leads to has directories of its own above it.
            if let (Ok(target), Some(at)) = (std::fs::read_link(above), above.parent()) {
                links += 1;
                if links > MOST_LINKS || !link(above) {
                    return false;
                }
                way.push(at.join(target));
            } else if !directory(above) {
                return false;
            }
        }
    }
    true
}

fn is_remote(kind: FsType) -> bool {
    // Some magic numbers have their high bit set, which sign-extends.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "they are 32 bits wide")]
    let magic = kind.0 as u32;
    REMOTE.contains(&magic)
}
