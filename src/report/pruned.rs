//! What `prune` removes, for people and for scripts.

use std::fmt::Write as _;
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
    /// Bytes of them all.
    bytes: u64,
    /// How many recordings stay.
    kept: usize,
}

/// A recording that goes.
#[derive(Debug, Serialize)]
pub struct PrunedFile {
    file: String,
    size: u64,
    /// When it was written to last.
    modified: Option<String>,
    #[serde(skip)]
    at: i64,
    /// `age`, `total` or `free`.
    reason: &'static str,
}

impl PrunedFile {
    /// A recording of so many bytes, written to last at this second since the epoch, that goes for this reason.
    #[must_use]
    pub fn new(path: &Path, size: u64, at: i64, reason: &'static str) -> Self {
        Self { file: path.to_string_lossy().into_owned(), size, modified: utc(at), at, reason }
    }
}

impl Pruned {
    /// The tree.
    #[must_use]
    pub fn new(removed: bool, recordings: Vec<PrunedFile>, kept: usize) -> Self {
        let bytes = recordings.iter().map(|file| file.size).sum();
        Self { schema: "recmode.prune/1", removed, recordings, bytes, kept }
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
    for PrunedFile { file, size, at, reason, .. } in &pruned.recordings {
        let why = match *reason {
            "age" => "too old",
            "total" => "too much in all",
            _ => "too little free",
        };
        let time = local_time(*at, zone);
        let size = HumanBytes(*size).to_string();
        let _ = writeln!(out, "{time}  {size:>11}  {why:15}  {}", escape::controls(file));
    }
    let verb = if pruned.removed { "removed" } else { "would be removed (--yes does it)" };
    let count = pruned.recordings.len();
    let files = if count == 1 { "file" } else { "files" };
    let _ = writeln!(out, "{count} {files}, {}, {verb}; {} kept", HumanBytes(pruned.bytes), pruned.kept);
    out
}
