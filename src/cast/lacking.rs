//! What can be wrong with the files of a session, in words.

use std::path::PathBuf;

use crate::escape;

/// Something that is wrong with a session's files. Texts are safe to print.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SegmentFault {
    /// A file is not there, or several in a row.
    #[error("{}, {}, {} missing", numbered(.numbers), escape::path(.path), if .numbers.0 == .numbers.1 { "is" } else { "and those after it are" })]
    Missing {
        /// The first and the last number.
        numbers: (u64, u64),
        /// Where the first should be.
        path: PathBuf,
    },
    /// A file has the name of one of the session's and is none.
    #[error("{}: not read as a part of the session: {why}", escape::path(.path))]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        why: Refusal,
    },
    /// Several files claim to be the same one.
    #[error("several files claim to be segment {number} of the session, and none is read: {}", listed(.paths))]
    Ambiguous {
        /// Their number.
        number: u64,
        /// The files.
        paths: Vec<PathBuf>,
    },
    /// The session's later files don't continue it.
    #[error("{}: a leftover of the session: no later segment continues it", escape::path(.path))]
    Leftover {
        /// The file.
        path: PathBuf,
    },
    /// It can't be read to where the next one goes on.
    #[error("{}: {reason}; the session goes on in segment {next}", escape::path(.path))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
        /// Where it goes on.
        next: u64,
    },
    /// It has another content than the next one continues.
    #[error("{}: not as it was when segment {next} went on", escape::path(.path))]
    Changed {
        /// The file.
        path: PathBuf,
        /// Which one went on.
        next: u64,
    },
    /// It ends before the next one goes on.
    #[error("{}: cut off: {held} of {bytes} bytes are left", escape::path(.path))]
    Short {
        /// The file.
        path: PathBuf,
        /// Bytes of its text.
        held: u64,
        /// How many there were.
        bytes: u64,
    },
}

impl SegmentFault {
    /// Whether something of the session is not there. A file that is passed over is no loss by itself.
    #[must_use]
    pub fn is_loss(&self) -> bool {
        !matches!(self, Self::Refused { .. } | Self::Leftover { .. })
    }
}

/// Why a file is not the session's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A symbolic link.
    #[error("a symbolic link, which is not followed")]
    Link,
    /// Another type.
    #[error("not a regular file")]
    Type,
    /// Another owner.
    #[error("it belongs to another user")]
    Owner,
    /// Another session's, or no recording.
    #[error("it is not a recording of this session")]
    Session,
    /// Its header has another number, or another version of the format.
    #[error("its header has another segment number or version")]
    Number,
    /// It can't be read.
    #[error("{0}")]
    Unreadable(String),
}

/// `segment 2 of the session`, or `segments 2 to 5`.
fn numbered((first, last): &(u64, u64)) -> String {
    if first == last {
        format!("segment {first} of the session")
    } else {
        format!("segments {first} to {last} of the session")
    }
}

fn listed(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| escape::path(path)).collect::<Vec<_>>().join(", ")
}
