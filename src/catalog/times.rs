//! A recording's length by the times of its file, where it does not say it itself. Pure but for the metadata.

use std::fs::Metadata;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A recorder creates its file within this after the session's start.
const CREATED: Duration = Duration::from_secs(5);

/// The last write and the last change of the file's inode are no further apart where nothing but writes changed it.
const CHANGED: Duration = Duration::from_secs(2);

/// When things happened to a file, since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileTimes {
    /// Its creation, where the file system knows.
    created: Option<Duration>,
    /// The last write, or what somebody has set in its place.
    modified: Duration,
    /// The last change of the file or its metadata, which nobody can set.
    changed: Duration,
    now: Duration,
    /// Its recorder is at work.
    live: bool,
}

impl FileTimes {
    pub(super) fn of(metadata: &Metadata, live: bool, now: SystemTime) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let since = |time: SystemTime| time.duration_since(UNIX_EPOCH).ok();
        let nanos = u32::try_from(metadata.ctime_nsec()).ok()?;
        Some(Self {
            created: metadata.created().ok().and_then(since),
            modified: since(metadata.modified().ok()?)?,
            changed: Duration::new(u64::try_from(metadata.ctime()).ok()?, nanos),
            now: since(now)?,
            live,
        })
    }

    /// Microseconds from the session's start, in seconds since 1970, to the last write. Nothing where that is not what the
    /// time of the last change is: of a copy, of a file that was checked out or unpacked, touched, or that is dated before its
    /// start or in the future.
    pub(super) fn since(self, start: i64) -> Option<u64> {
        let start = Duration::from_secs(u64::try_from(start).ok()?);
        let length = self.modified.checked_sub(start)?;
        let original = self.created.is_some_and(|created| created.abs_diff(start) <= CREATED);
        let untouched = self.changed.abs_diff(self.modified) <= CHANGED;
        if self.modified > self.now + CHANGED || !(untouched && (self.live || original)) {
            return None;
        }
        u64::try_from(length.as_micros()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_that_nothing_but_its_recorder_has_changed_tells_how_long_it_was() {
        let second = Duration::from_secs;
        let good = FileTimes {
            created: Some(second(1001)),
            modified: second(1060),
            changed: second(1060),
            now: second(5000),
            live: false,
        };
        assert_eq!(good.since(1000), Some(60_000_000));
        let (modified, changed) = (second(1060), second(1060));
        for (why, times, length) in [
            ("a copy", FileTimes { created: Some(second(4000)), ..good }, None),
            ("nobody knows when it was made", FileTimes { created: None, ..good }, None),
            ("it is being written", FileTimes { created: None, live: true, ..good }, Some(60_000_000)),
            ("another date was set", FileTimes { changed: second(4000), ..good }, None),
            ("in the future", FileTimes { modified: second(9000), changed: second(9000), ..good }, None),
            ("before its start", FileTimes { modified: second(999), changed: second(999), ..good }, None),
            (
                "written to the last moment",
                FileTimes { modified, changed, now: second(1060), ..good },
                Some(60_000_000),
            ),
        ] {
            assert_eq!(times.since(1000), length, "{why}");
        }
        assert_eq!(good.since(-1), None);
    }
}
