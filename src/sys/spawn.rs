//! Starting a command in a control group of its own and without a copy of this process's memory, which std can't.

use std::ffi::{CString, OsStr, OsString, c_char, c_void};
use std::io::{self, Read as _};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use super::process::{exit_now, has_one_thread, reset_signal};

/// Since Linux 5.7; in libc only for some targets.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// Whether the new process runs in this one's memory until it executes the command. A copy would cost the
/// start and end of a session a tenth; but to do without one takes a system call that the C library has no function for.
const MAY_SHARE: bool = cfg!(target_arch = "x86_64");

/// struct clone_args of clone3(2).
#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// Where a command belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belongs {
    /// It leads a session of its own, whose controlling terminal is its standard output.
    ToItsTerminal,
    /// It stays in this session, and gets SIGHUP when this process dies.
    ToUs,
}

/// A command to start, and what it starts with.
#[derive(Debug)]
pub struct Spawn<'a> {
    /// The program, looked for in this process's PATH where it has no slash, and its arguments.
    pub words: &'a [OsString],
    /// The name that it is called by, where that is not the program's.
    pub argv0: Option<&'a OsStr>,
    /// Its environment, all of it, each name once.
    pub env: &'a [(&'a OsStr, &'a OsStr)],
    /// Its standard streams, none of them one of ours: their numbers are from 3 up.
    pub streams: [BorrowedFd<'a>; 3],
    /// Where it belongs.
    pub belongs: Belongs,
    /// The signals that are blocked in it.
    pub mask: SigSet,
    /// Signals that get their default action.
    pub reset: &'a [Signal],
    /// The directory of its control group, which it is in from its first moment on; it is started in ours where the
    /// kernel won't.
    pub cgroup: Option<BorrowedFd<'a>>,
}

impl Spawn<'_> {
    /// Starts it. For a process that has a single thread, and no handler for a signal that is not blocked: the new process
    /// would run it in this one's memory.
    ///
    /// # Errors
    /// Those of pipe(2) and clone(2), EINVAL for a text with a NUL in it, EBUSY where there is another thread, and why the
    /// command could not be executed.
    pub fn start(&self) -> io::Result<Pid> {
        if !has_one_thread() {
            return Err(Errno::EBUSY.into());
        }
        debug_assert!(self.streams.iter().all(|stream| stream.as_raw_fd() > 2), "one of our own streams");
        let program = self.words.first().ok_or(Errno::EINVAL)?;
        let name = self.argv0.unwrap_or(program);
        let text = |bytes: &OsStr| CString::new(bytes.as_bytes()).map_err(|_| Errno::EINVAL);
        let program = text(program)?;
        let words: Vec<CString> = [name]
            .into_iter()
            .chain(self.words[1..].iter().map(OsString::as_os_str))
            .map(text)
            .collect::<Result<_, _>>()?;
        let env = self.env.iter().map(|&(name, value)| {
            let mut variable = name.to_owned();
            variable.push("=");
            variable.push(value);
            text(&variable)
        });
        let env: Vec<CString> = env.collect::<Result<_, _>>()?;
        let pointers = |texts: &[CString]| {
            texts.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect::<Vec<_>>()
        };
        let (words, env) = (pointers(&words), pointers(&env));
        let (mut told, tell) = io::pipe()?;
        let child = Child {
            spawn: self,
            parent: nix::unistd::getpid(),
            program: program.as_ptr(),
            words: &words,
            env: &env,
            tell: tell.as_raw_fd(),
        };
        let pid = child.start()?;
        drop(tell);
        let mut errno = [0; 4];
        // Its end is closed when the command is executed.
        if told.read_exact(&mut errno).is_ok() {
            let _ = waitpid(pid, None);
            return Err(io::Error::from_raw_os_error(i32::from_ne_bytes(errno)));
        }
        Ok(pid)
    }
}

/// What the new process needs, which shares this one's memory until the command is executed.
struct Child<'a> {
    spawn: &'a Spawn<'a>,
    parent: Pid,
    program: *const c_char,
    words: &'a [*const c_char],
    env: &'a [*const c_char],
    /// Where the number of the error goes.
    tell: RawFd,
}

impl Child<'_> {
    fn start(&self) -> nix::Result<Pid> {
        let vfork = u64::try_from(libc::CLONE_VM | libc::CLONE_VFORK).unwrap_or(0);
        let args = CloneArgs {
            flags: if MAY_SHARE { vfork } else { 0 },
            exit_signal: u64::try_from(libc::SIGCHLD).unwrap_or(0),
            ..CloneArgs::default()
        };
        let cgroup = self.spawn.cgroup.and_then(|cgroup| u64::try_from(cgroup.as_raw_fd()).ok());
        cgroup
            .and_then(|cgroup| {
                let flags = args.flags | CLONE_INTO_CGROUP;
                self.clone3(&CloneArgs { flags, cgroup, ..args }).ok()
            })
            .map_or_else(|| self.clone3(&args).or_else(|_| self.fork()), Ok)
    }

    /// fork(2), for a kernel before 5.3 and for filters of system calls that know no clone3(2).
    fn fork(&self) -> nix::Result<Pid> {
        // SAFETY: one thread, as was checked, and the child only executes the command or exits.
        match unsafe { libc::fork() } {
            0 => self.run(),
            pid => Errno::result(pid).map(Pid::from_raw),
        }
    }

    /// clone3(2) of this process: the parent is told the child's id, the child runs.
    #[cfg(target_arch = "x86_64")]
    fn clone3(&self, args: &CloneArgs) -> nix::Result<Pid> {
        extern "C" fn run(child: &Child<'_>) -> ! {
            child.run()
        }
        let result: libc::c_long;
        // SAFETY: with CLONE_VFORK this process does not go on before the child has executed the command or ended. Until
        // then the child uses this memory, and of this stack what is below the frame that the call begins at, which
        // nothing of ours is in: it never returns, and writes no other memory than its own frames and `errno`. Without
        // CLONE_VM it has a copy of all of it. The system call changes rax, rcx and r11 only.
        unsafe {
            std::arch::asm!(
                "syscall",
                "test rax, rax",
                "jnz 2f",
                "xor ebp, ebp",
                "mov rdi, r8",
                "call r9",
                "ud2",
                "2:",
                inlateout("rax") libc::SYS_clone3 => result,
                in("rdi") std::ptr::from_ref(args),
                in("rsi") size_of::<CloneArgs>(),
                in("r8") std::ptr::from_ref(self),
                in("r9") run as extern "C" fn(&Child<'_>) -> !,
                out("rcx") _,
                out("r11") _,
            );
        }
        // The kernel's own convention: no error number goes through the C library's `errno`.
        match i32::try_from(result) {
            Ok(pid @ 1..) => Ok(Pid::from_raw(pid)),
            Ok(errno) => Err(Errno::from_raw(-errno)),
            Err(_) => Err(Errno::EINVAL),
        }
    }

    /// clone3(2) of this process, which shares no memory with the child: the parent is told its id, the child runs.
    #[cfg(not(target_arch = "x86_64"))]
    fn clone3(&self, args: &CloneArgs) -> nix::Result<Pid> {
        // SAFETY: without a stack and CLONE_VM it is fork(2), of a process that has a single thread; the
        // child only executes a command or exits, so that what libc caches of its thread is not used.
        let pid =
            unsafe { libc::syscall(libc::SYS_clone3, std::ptr::from_ref(args), size_of::<CloneArgs>()) };
        match Errno::result(pid)? {
            0 => self.run(),
            pid => i32::try_from(pid).map(Pid::from_raw).map_err(|_| Errno::EINVAL),
        }
    }

    /// What the new process does: it executes the command, or tells why it can't. It allocates nothing and makes
    /// async-signal-safe calls only.
    fn run(&self) -> ! {
        let errno = match self.prepare() {
            Ok(()) => {
                // SAFETY: texts that end with a NUL, and lists of them that end with a null pointer; all of them live on in
                // the caller, which waits, or has made this process by copying itself.
                unsafe { libc::execvpe(self.program, self.words.as_ptr(), self.env.as_ptr()) };
                Errno::last()
            }
            Err(errno) => errno,
        };
        let errno = (errno as i32).to_ne_bytes();
        // SAFETY: four bytes that are there.
        unsafe { libc::write(self.tell, errno.as_ptr().cast::<c_void>(), errno.len()) };
        exit_now(127)
    }

    fn prepare(&self) -> nix::Result<()> {
        for (stream, number) in self.spawn.streams.iter().zip(0..) {
            // SAFETY: numbers only. The new process owns nothing but what it leaves to the command.
            Errno::result(unsafe { libc::dup2(stream.as_raw_fd(), number) })?;
        }
        match self.spawn.belongs {
            Belongs::ToItsTerminal => {
                nix::unistd::setsid()?;
                // SAFETY: an ioctl without a pointer argument.
                Errno::result(unsafe { libc::ioctl(1, libc::TIOCSCTTY, 0) })?;
            }
            Belongs::ToUs => {
                nix::sys::prctl::set_pdeathsig(Some(Signal::SIGHUP))?;
                // It may have died before that.
                if nix::unistd::getppid() != self.parent {
                    return Err(Errno::ESRCH);
                }
            }
        }
        for &signal in self.spawn.reset {
            reset_signal(signal)?;
        }
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.spawn.mask), None)
    }
}
