//! What `prune` removes, for people and for scripts.

use std::fmt::Write as _;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use indicatif::HumanBytes;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::{local_time, utc};
use crate::escape;

/// The stable tree of `--format json`.
#[derive(Debug, Serialize)]
pub struct Pruned {
    schema: &'static str,
    /// Whether they are gone, or would be.
    removed: bool,
    recordings: Vec<PrunedFile>,
    /// Bytes that they all have on the disk.
    bytes: u64,
    /// How many recordings stay.
    kept: usize,
    /// Why nothing is removed, where a limit can't be met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
}

/// A limit that can't be met.
#[derive(Debug, Serialize)]
pub struct Refused {
    /// `total` or `free`.
    pub limit: &'static str,
    /// Bytes that are missing.
    pub missing: u64,
    /// Who holds most and has nothing that may go; the user's name, where it has one.
    pub owner: Option<String>,
    /// The same user's id.
    pub uid: Option<u32>,
    /// Bytes that this user holds.
    pub held: Option<u64>,
}

/// A recording that goes.
#[derive(Debug, Serialize)]
pub struct PrunedFile {
    file: String,
    /// The name of the user who owns it, where it has one.
    owner: Option<String>,
    uid: u32,
    /// Its length.
    size: u64,
    /// Bytes that it has on the disk.
    pub allocated: u64,
    /// When it was written to last.
    pub modified: Option<String>,
    #[serde(skip)]
    at: i64,
    /// `age`, `total` or `free`.
    reason: &'static str,
}

impl PrunedFile {
    /// A recording with what its file system tells of it, that goes for this reason.
    #[must_use]
    pub fn new(path: &Path, metadata: &Metadata, owner: Option<&str>, reason: &'static str) -> Self {
        Self {
            file: path.to_string_lossy().into_owned(),
            owner: owner.map(str::to_owned),
            uid: metadata.uid(),
            size: metadata.len(),
            allocated: metadata.blocks().saturating_mul(512),
            modified: utc(metadata.mtime()),
            at: metadata.mtime(),
            reason,
        }
    }
}

impl Pruned {
    /// The tree.
    #[must_use]
    pub fn new(removed: bool, recordings: Vec<PrunedFile>, kept: usize, refused: Option<Refused>) -> Self {
        let bytes = recordings.iter().map(|file| file.allocated).sum();
        Self { schema: "recmode.prune/1", removed, recordings, bytes, kept, refused }
    }

    /// As JSON, with a line break at its end.
    ///
    /// # Errors
    ///
    /// Never for the values that this type can hold.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        Ok(escape::json(&serde_json::to_string_pretty(self)?) + "\n")
    }
}

/// A line a recording, and a summary.
#[must_use]
pub fn pruned_text(pruned: &Pruned, zone: &TimeZone) -> String {
    let mut out = String::new();
    if pruned.refused.is_some() {
        return out;
    }
    for PrunedFile { file, owner, uid, allocated, at, reason, .. } in &pruned.recordings {
        let why = match *reason {
            "age" => "too old",
            "total" => "too much in all",
            _ => "too little free",
        };
        let time = local_time(*at, zone);
        let size = HumanBytes(*allocated).to_string();
        let owner = owner.as_ref().map_or_else(|| uid.to_string(), |name| escape::controls(name));
        let _ = writeln!(out, "{time}  {size:>11}  {why:15}  {owner:8}  {}", escape::controls(file));
    }
    let verb = if pruned.removed { "removed" } else { "would be removed (--yes does it)" };
    let count = pruned.recordings.len();
    let files = if count == 1 { "file" } else { "files" };
    let _ = writeln!(out, "{count} {files}, {}, {verb}; {} kept", HumanBytes(pruned.bytes), pruned.kept);
    out
}
