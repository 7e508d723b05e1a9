//! What a recording side is given to do.

use std::path::PathBuf;
use std::time::Duration;

use crate::oplog::Identity;
use crate::recording::{Format, Header, SyncPolicy};
use crate::signature::SigningKey;
use crate::trust::Owners;

/// What to record, and where.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The file to create, absolute.
    pub path: PathBuf,
    /// Why there is no such path, where there is none: an errno.
    pub unreachable: Option<i32>,
    /// Whose every directory above it must be, where that matters.
    pub owners: Option<Owners>,
    /// The key that it is signed with when it is finished.
    pub sign_key: Option<SigningKey>,
    /// Its format.
    pub format: Format,
    /// Its header.
    pub header: Header,
    /// Whether a failing disk is tried again.
    pub retry: bool,
    /// When the session began, microseconds of the session's clock.
    pub started: u64,
    /// When it is synced.
    pub sync: SyncPolicy,
    /// A sync without an end for this long has failed.
    pub stall_timeout: Duration,
    /// Whose session it is, for the operator's log.
    pub identity: Identity,
    /// The operator's log, where it is a file, which another process writes; absolute.
    pub log: Option<PathBuf>,
    /// Where to go on, for one that takes the place of another that died.
    pub resume: Option<Resume>,
}

/// What another recording side has left.
#[derive(Debug, Clone, Copy)]
pub struct Resume {
    /// How many files there are, at least one.
    pub segments: u32,
    /// Bytes of output that it has dealt with.
    pub stream: u64,
    /// How many of them are in its files.
    pub recorded: u64,
    /// Bytes of output that came until now: those after `stream` are lost.
    pub came: u64,
    /// Bytes of input that came until now.
    pub typed: u64,
    /// When it died, microseconds of the session's clock.
    pub since: u64,
}
