//! A file system that misbehaves on demand: memory behind FUSE, one directory, and rules that make
//! its calls fail, fall short, take their time or never return.
//!
//! It is a thread of the test's. Nothing here is read through the mount by the test itself, so that
//! a call that hangs can't hang the test; a hung call is let go when the disk is healed or dropped.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, MountOption, OpenFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyOpen, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use super::{Lab, Skip, needs, needs_root, needs_tools};

/// Nothing is cached: each look is one at what the disk holds.
const TTL: Duration = Duration::ZERO;
/// A directory has the inode 1, files have those from here on.
const FIRST_FILE: u64 = 2;

/// A call that can be made to misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Create,
    Write,
    Sync,
    /// close(2): what a network file system reports late.
    Close,
}

/// How it misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It fails with this errno.
    Errno(i32),
    /// It takes at most so many bytes.
    Short(usize),
    /// It takes so long.
    Delay(Duration),
    /// It does not return until the disk is healed.
    Hang,
}

/// The file system, mounted until it is dropped.
pub(crate) struct FaultyDisk {
    state: Arc<State>,
    path: PathBuf,
    /// Unmounts when its input ends, so also when the test runner was killed.
    keeper: Child,
    _session: BackgroundSession,
}

impl FaultyDisk {
    /// Mounts one in the laboratory.
    pub(crate) fn new(lab: &Lab) -> Result<Self, Skip> {
        needs_root()?;
        needs_tools(&["umount"])?;
        needs(Path::new("/dev/fuse").exists(), "/dev/fuse")?;
        let path = lab.path("faulty");
        fs::create_dir(&path).expect("mkdir");
        let state = Arc::new(State::default());
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("recmode-test".to_owned())];
        let session = fuser::spawn_mount(Memory(Arc::clone(&state)), &path, &config)
            .map_err(|error| Skip(format!("needs a mount of FUSE: {error}")))?;
        let keeper = Command::new("sh")
            .args(["-c", "read -r _; umount --lazy \"$1\"", "keeper"])
            .arg(&path)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh");
        Ok(Self { state, path, keeper, _session: session })
    }

    /// A file on the disk, as recmode names it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Lets `after` more of these calls pass, and then has every one meet the fault.
    pub(crate) fn break_after(&self, after: u64, call: Call, fault: Fault) {
        self.state.lock().rules.push(Rule { call, after, fault });
    }

    /// Has every one of these calls meet the fault from now on.
    pub(crate) fn break_now(&self, call: Call, fault: Fault) {
        self.break_after(0, call, fault);
    }

    /// How many syncs there were.
    pub(crate) fn syncs(&self) -> u64 {
        self.state.lock().syncs
    }

    /// How many syncs of a directory there were.
    pub(crate) fn directory_syncs(&self) -> u64 {
        self.state.lock().directory_syncs
    }

    /// Whether a file on the disk holds this text.
    pub(crate) fn holds(&self, name: &str, text: &str) -> bool {
        let inner = self.state.lock();
        inner.find(name).is_some_and(|ino| super::find(&inner.files[&ino].content, text).is_some())
    }

    /// Takes the faults away; calls that hang are done now.
    pub(crate) fn heal(&self) {
        let mut inner = self.state.lock();
        inner.rules.clear();
        inner.healed += 1;
        drop(inner);
        self.state.changed.notify_all();
    }
}

impl Drop for FaultyDisk {
    fn drop(&mut self) {
        self.heal();
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// The first `after` calls pass.
struct Rule {
    call: Call,
    after: u64,
    fault: Fault,
}

/// A file; without a name once it was removed.
#[derive(Default)]
struct Node {
    name: Option<OsString>,
    mode: u16,
    content: Vec<u8>,
}

#[derive(Default)]
struct Inner {
    files: BTreeMap<u64, Node>,
    rules: Vec<Rule>,
    healed: u64,
    syncs: u64,
    directory_syncs: u64,
}

#[derive(Default)]
struct State {
    inner: Mutex<Inner>,
    changed: Condvar,
}

impl State {
    /// A lock that a failed assertion leaves usable.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the disk is healed.
    fn hang(&self) {
        let mut inner = self.lock();
        let healed = inner.healed;
        while inner.healed == healed {
            inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Inner {
    fn find(&self, name: impl AsRef<OsStr>) -> Option<u64> {
        let mut files = self.files.iter();
        files.find(|(_, node)| node.name.as_deref() == Some(name.as_ref())).map(|(&ino, _)| ino)
    }

    /// The fault that this call meets.
    fn meets(&mut self, call: Call) -> Option<Fault> {
        let rule = self.rules.iter_mut().find(|rule| rule.call == call)?;
        if rule.after > 0 {
            rule.after -= 1;
            return None;
        }
        Some(rule.fault)
    }

    fn attributes(&self, ino: u64) -> Option<FileAttr> {
        let (kind, perm, nlink, size) = if ino == INodeNo::ROOT.0 {
            (FileType::Directory, 0o755, 2, 0)
        } else {
            let node = self.files.get(&ino)?;
            (FileType::RegularFile, node.mode, u32::from(node.name.is_some()), node.content.len() as u64)
        };
        Some(FileAttr {
            ino: INodeNo(ino),
            size,
            blocks: size.div_ceil(512),
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind,
            perm,
            nlink,
            uid: 0,
            gid: 0,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        })
    }
}

/// What the kernel talks to.
struct Memory(Arc<State>);

impl Memory {
    /// Does `work` as the rules want it: with the most bytes that it may take, or an errno. What
    /// takes time does so in a thread of its own, so that other calls are answered meanwhile.
    fn perform(&self, call: Call, work: impl FnOnce(&State, Result<usize, Errno>) + Send + 'static) {
        let state = Arc::clone(&self.0);
        let fault = state.lock().meets(call);
        let wait: Box<dyn FnOnce(&State) + Send> = match fault {
            None => return work(&state, Ok(usize::MAX)),
            Some(Fault::Errno(errno)) => return work(&state, Err(Errno::from_i32(errno))),
            Some(Fault::Short(most)) => return work(&state, Ok(most)),
            Some(Fault::Delay(time)) => Box::new(move |_| thread::sleep(time)),
            Some(Fault::Hang) => Box::new(State::hang),
        };
        thread::spawn(move || {
            wait(&state);
            work(&state, Ok(usize::MAX));
        });
    }

    fn empty(&self, call: Call, reply: ReplyEmpty) {
        self.perform(call, |_, result| match result {
            Ok(_) => reply.ok(),
            Err(errno) => reply.error(errno),
        });
    }
}

impl Filesystem for Memory {
    fn lookup(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let inner = self.0.lock();
        match inner.find(name).and_then(|ino| inner.attributes(ino)) {
            Some(attributes) => reply.entry(&TTL, &attributes, Generation(0)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.0.lock().attributes(ino.0) {
            Some(attributes) => reply.attr(&TTL, &attributes),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<std::time::SystemTime>,
        _: Option<FileHandle>,
        _: Option<std::time::SystemTime>,
        _: Option<std::time::SystemTime>,
        _: Option<std::time::SystemTime>,
        _: Option<fuser::BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut inner = self.0.lock();
        if let Some(node) = inner.files.get_mut(&ino.0) {
            if let Some(size) = size {
                node.content.resize(usize::try_from(size).expect("a small file"), 0);
            }
            if let Some(mode) = mode {
                node.mode = u16::try_from(mode & 0o7777).expect("12 bits");
            }
        }
        match inner.attributes(ino.0) {
            Some(attributes) => reply.attr(&TTL, &attributes),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn create(&self, _: &Request, _: INodeNo, name: &OsStr, mode: u32, _: u32, _: i32, reply: ReplyCreate) {
        let name = name.to_owned();
        self.perform(Call::Create, move |state, result| {
            if let Err(errno) = result {
                return reply.error(errno);
            }
            let mut inner = state.lock();
            let ino = inner.files.keys().next_back().map_or(FIRST_FILE, |last| last + 1);
            let mode = u16::try_from(mode & 0o7777).expect("12 bits");
            inner.files.insert(ino, Node { name: Some(name), mode, content: Vec::new() });
            let attributes = inner.attributes(ino).expect("just made");
            reply.created(&TTL, &attributes, Generation(0), FileHandle(ino), FopenFlags::FOPEN_DIRECT_IO);
        });
    }

    fn open(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        // Each write(2) is one call, as large as it is.
        reply.opened(FileHandle(ino.0), FopenFlags::FOPEN_DIRECT_IO);
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let inner = self.0.lock();
        let content = inner.files.get(&ino.0).map_or(&[][..], |node| &node.content);
        let from = usize::try_from(offset).map_or(content.len(), |offset| offset.min(content.len()));
        let until = content.len().min(from + size as usize);
        reply.data(&content[from..until]);
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let data = data.to_vec();
        self.perform(Call::Write, move |state, result| {
            let taken = match result {
                Ok(most) => data.len().min(most),
                Err(errno) => return reply.error(errno),
            };
            if let Some(node) = state.lock().files.get_mut(&ino.0) {
                let from = usize::try_from(offset).expect("a small file");
                let until = from + taken;
                node.content.resize(node.content.len().max(until), 0);
                node.content[from..until].copy_from_slice(&data[..taken]);
            }
            reply.written(u32::try_from(taken).expect("a small write"));
        });
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        self.empty(Call::Close, reply);
    }

    fn fsync(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.0.lock().syncs += 1;
        self.empty(Call::Sync, reply);
    }

    fn fsyncdir(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.0.lock().directory_syncs += 1;
        reply.ok();
    }

    fn unlink(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let mut inner = self.0.lock();
        match inner.find(name).and_then(|ino| inner.files.get_mut(&ino)) {
            Some(node) => {
                node.name = None;
                reply.ok();
            }
            None => reply.error(Errno::ENOENT),
        }
    }

    fn readdir(&self, _: &Request, _: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let inner = self.0.lock();
        let named = inner.files.iter().filter_map(|(&ino, node)| Some((ino, node.name.as_ref()?)));
        for (ino, name) in named.filter(|(ino, _)| *ino > offset) {
            if reply.add(INodeNo(ino), ino, FileType::RegularFile, name) {
                break;
            }
        }
        reply.ok();
    }
}
