//! What can go wrong with a recording, as a value that crosses from process to process.

use std::fmt;
use std::io;

use nix::errno::Errno;
use serde::{Deserialize, Serialize};

/// A recording failure: what was being done, and what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What was being done.
    pub during: Operation,
    /// What happened.
    pub cause: Cause,
}

/// What was being done to the recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Making the directories above the file.
    CreateDirectory,
    /// Creating the file.
    Create,
    /// Locking the file, as one that is being recorded.
    Lock,
    /// Setting space aside for the closing records.
    Reserve,
    /// Writing to the file.
    Write,
    /// Syncing the file.
    Sync,
    /// Closing the file.
    Close,
    /// Writing the file's signature.
    Sign,
    /// Looking whether the file is still as it was left.
    Watch,
    /// Running the recording process.
    Run,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// A system call failed with this errno.
    Errno(i32),
    /// The file is no longer where it was created.
    Vanished,
    /// The file got shorter without us.
    Shrunk,
    /// The file got longer without us.
    Grown,
    /// No progress within the stall timeout.
    Stalled,
    /// The recording process is gone.
    RecorderGone,
    /// A directory above the file could be changed by others.
    Untrusted,
    /// More output came than the buffer holds while the disk was slow.
    BufferFull,
}

impl Fault {
    /// The fault behind an I/O error; EIO where it carries no errno.
    #[must_use]
    pub fn io(during: Operation, error: &io::Error) -> Self {
        Self { during, cause: Cause::Errno(error.raw_os_error().unwrap_or(libc::EIO)) }
    }

    /// The cause's short name in a gap record.
    #[must_use]
    pub fn code(self) -> String {
        self.cause.code()
    }

    /// Whether the file is no longer ours alone: what it holds now is not what was recorded.
    #[must_use]
    pub fn is_spoiled_file(self) -> bool {
        matches!(self.cause, Cause::Vanished | Cause::Shrunk | Cause::Grown)
    }

    /// Whether the file at the chosen place exists already, or what would be its signature.
    #[must_use]
    pub fn is_existing_file(self) -> bool {
        matches!(self.during, Operation::Create | Operation::Sign) && self.cause == Cause::Errno(libc::EEXIST)
    }
}

impl Cause {
    /// The cause's short name in a gap record: an errno's name, or a word.
    #[must_use]
    pub fn code(self) -> String {
        match self {
            Self::Errno(errno) => format!("{:?}", Errno::from_raw(errno)),
            Self::Vanished => "vanished".to_owned(),
            Self::Shrunk => "shrunk".to_owned(),
            Self::Grown => "grown".to_owned(),
            Self::Stalled => "stalled".to_owned(),
            Self::RecorderGone => "recorder_gone".to_owned(),
            Self::Untrusted => "untrusted".to_owned(),
            Self::BufferFull => "buffer_full".to_owned(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let during = match self.during {
            Operation::CreateDirectory => "creating the recording's directory",
            Operation::Create => "creating the recording",
            Operation::Lock => "locking the recording",
            Operation::Reserve => "setting space aside for the recording",
            Operation::Write => "writing the recording",
            Operation::Sync => "syncing the recording",
            Operation::Close => "closing the recording",
            Operation::Sign => "signing the recording",
            Operation::Watch => "watching the recording",
            Operation::Run => "running the recorder",
        };
        match self.cause {
            Cause::Errno(errno) => {
                let errno = Errno::from_raw(errno);
                write!(f, "{during}: {} ({errno:?})", errno.desc())
            }
            Cause::Vanished => write!(f, "{during}: the file is no longer where it was"),
            Cause::Shrunk => write!(f, "{during}: the file got shorter"),
            Cause::Grown => write!(f, "{during}: the file got longer"),
            Cause::Stalled => write!(f, "{during}: no progress within the stall timeout"),
            Cause::RecorderGone => write!(f, "{during}: the recording process is gone"),
            Cause::Untrusted => write!(f, "{during}: a directory above it could be changed by others"),
            Cause::BufferFull => write!(f, "{during}: more output than the buffer holds"),
        }
    }
}

impl std::error::Error for Fault {}
