//! One recording at a glance: its header, its last lines, and whether its recorder is at work.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::owner_name;
use super::times::FileTimes;
use crate::cast::{self, SegmentFault, Segments, Session};
use crate::dirfd::FileRef;
use crate::recording::Continues;
use crate::recording::reader::{End, Header, Item, MAX_HEADER, Reader, Version, session_length};
use crate::sys;

/// How much is read of the start at first.
const HEAD: usize = 4 << 10;

/// How much is read of the end at first.
const TAIL: usize = 1 << 10;

/// How much of the end is read at most to find a whole line.
const MAX_TAIL: u64 = 1 << 20;

/// A file whose end does not tell how long it is is read whole up to this size.
const MAX_WHOLE: u64 = 1 << 20;

/// A file of version 1, or one of version 2 without an end record, is read whole up to this size.
const MAX_OTHERS: u64 = 64 << 20;

/// How a recording stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It has its end, as far as its format tells.
    Complete,
    /// Its recorder is at work.
    Live,
    /// It has no end, or got it later by `recover`.
    CutOff,
    /// It has its end, but something is missing in it.
    Gap,
    /// Strict mode ended the session.
    Strict,
    /// A line of it is wrong.
    Damaged,
}

impl State {
    /// All states.
    pub const ALL: [Self; 6] =
        [Self::Complete, Self::Live, Self::CutOff, Self::Gap, Self::Strict, Self::Damaged];

    /// The state's name on the command line and in output for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Live => "live",
            Self::CutOff => "cut-off",
            Self::Gap => "gap",
            Self::Strict => "strict",
            Self::Damaged => "damaged",
        }
    }

    /// The state in words.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::CutOff => "cut off",
            Self::Strict => "ended by strict",
            state => state.name(),
        }
    }

    /// The state of a recording of which something is missing besides.
    #[must_use]
    pub fn with_gap(self) -> Self {
        if self == Self::Complete { Self::Gap } else { self }
    }

    /// The state of a recording with this last record.
    #[must_use]
    pub fn of_end(end: &End) -> Self {
        match end.reason.as_str() {
            "strict" => Self::Strict,
            "recovered" => Self::CutOff,
            _ if end.gaps.is_some_and(|gaps| gaps > 0) => Self::Gap,
            _ => Self::Complete,
        }
    }
}

/// How long a session was, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Length {
    /// As the recording tells.
    Told(u64),
    /// From its start to the file's last change, where the recording does not tell; or the last event's time,
    /// where events that were not read may have a later one.
    About(u64),
}

impl Length {
    /// The microseconds.
    #[must_use]
    pub fn micros(self) -> u64 {
        match self {
            Self::Told(micros) | Self::About(micros) => micros,
        }
    }
}

/// A recording at a glance. Texts are as they stand in the file: escape them before printing.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The file.
    pub path: PathBuf,
    /// What its file system tells of it.
    pub metadata: Metadata,
    /// Its size in bytes.
    pub size: u64,
    /// When the session began, seconds since the epoch.
    pub start: Option<i64>,
    /// How long it was.
    pub length: Option<Length>,
    /// How it stands.
    pub state: State,
    /// What is wrong in it, safe to print: with the line, where that is known.
    pub damage: Option<String>,
    /// The command.
    pub command: Option<String>,
    /// What recmode notes of a session; empty for other tools' recordings.
    pub session: Session,
    /// The name of the file's owner.
    pub owner: String,
    /// The files of a session of several, or of one that lacks some.
    pub segments: Option<Segments>,
}

impl Entry {
    /// Whether a file is one of the recording's.
    pub(super) fn has(&self, path: &Path) -> bool {
        let mut files = self.segments.iter().flat_map(|segments| &segments.files);
        self.path == path || files.any(|segment| segment.path == path)
    }

    /// The recording of a whole session, this being the entry of its last file.
    #[must_use]
    pub(super) fn of_session(mut self, segments: Segments) -> Self {
        let Some(first) = segments.files.first() else { return self };
        self.size = segments.files.iter().map(|segment| segment.size).sum();
        let (header, begins) = (&first.header, first.begins().unwrap_or(0));
        // The first file's own start: what is before it is missing.
        let missing = if header.version == Version::V3 { begins / 1_000_000 } else { 0 };
        self.start = header.timestamp.and_then(|start| start.checked_sub(i64::try_from(missing).ok()?));
        self.command.clone_from(&header.command);
        self.path.clone_from(&first.path);
        self.session = first.session.clone();
        if segments.faults.iter().any(SegmentFault::is_loss) {
            self.state = self.state.with_gap();
        }
        self.segments = Some(segments);
        self
    }
}

/// What the end of a recording tells.
#[derive(Default)]
struct Tail {
    /// The time of the last event that was read, where that is known.
    time: Option<u64>,
    end: Option<End>,
    gap: bool,
    torn: bool,
    /// What is wrong with a line.
    damage: Option<String>,
    /// Events may have a later time than `time`.
    partial: bool,
}

impl Tail {
    /// Whether an end record has the session's length.
    fn has_length(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.seconds.is_some())
    }
}

/// Looks at a file that is named; `None` if it is no recording.
///
/// # Errors
///
/// When it can't be opened or read.
pub fn look(path: &Path) -> io::Result<Option<Entry>> {
    look_at_file(&FileRef::named(path))
}

/// Looks at a file that is named, or was found; `None` if it is no recording.
///
/// # Errors
///
/// When it can't be opened or read.
pub(super) fn look_at_file(file_ref: &FileRef) -> io::Result<Option<Entry>> {
    let file = file_ref.open()?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(None);
    }
    let size = metadata.len();
    let mut head = [0; HEAD];
    let filled = file.read_at(&mut head, 0)?;
    let head = &head[..filled];
    let plain = head.starts_with(b"{");
    if !plain && !cast::is_compressed(head) {
        return Ok(None);
    }
    let Some((header, tail)) = (if plain { ends_of(&file, head, size)? } else { whole(&file)? }) else {
        return Ok(None);
    };
    let session = header.recmode.as_ref().map(Session::new).unwrap_or_default();
    let state = match &tail.end {
        _ if tail.damage.is_some() => State::Damaged,
        Some(end) => match State::of_end(end) {
            State::Complete if tail.gap => State::Gap,
            state => state,
        },
        None if header.recmode.is_some() && cast::is_live(&file) => State::Live,
        // Other recorders hold no lock, but they have the file open.
        None if header.recmode.is_none() && sys::has_writer(&file) == Some(true) => State::Live,
        None if header.recmode.is_some() || tail.torn => State::CutOff,
        None => State::Complete,
    };
    let from = match header.version {
        // Times of a later file count from where that begins.
        Version::V3 if session.segment.is_some_and(|segment| segment > 1) => {
            session.continues.as_ref().and_then(Continues::begins)
        }
        _ => Some(0),
    };
    let events = tail.time.zip(from).and_then(|(time, from)| time.checked_add(from));
    let certain = tail.has_length() || !tail.partial;
    let length = session_length(events, tail.end.as_ref());
    let told = length.map(|micros| if certain { Length::Told(micros) } else { Length::About(micros) });
    let about = || {
        let times = FileTimes::of(&metadata, state == State::Live, SystemTime::now())?;
        // The time since this file's start, and what was before.
        let since = times.since(header.timestamp?)?;
        Some(Length::About(since.checked_add(from?)?))
    };
    Ok(Some(Entry {
        path: file_ref.path().to_owned(),
        metadata: metadata.clone(),
        size,
        start: header.timestamp,
        length: told.or_else(about),
        state,
        damage: tail.damage,
        command: header.command,
        session,
        owner: owner_name(metadata.uid()),
        segments: None,
    }))
}

/// Header and end of a file that is not compressed.
fn ends_of(file: &File, head: &[u8], size: u64) -> io::Result<Option<(Header, Tail)>> {
    let mut more = Vec::new();
    let mut head = head;
    while memchr::memchr(b'\n', head).is_none() && size > head.len() as u64 && head.len() <= MAX_HEADER {
        let longer = (head.len() * 16).min(MAX_HEADER + 1);
        more.resize(longer, 0);
        let filled = file.read_at(&mut more, 0)?;
        head = &more[..filled];
        if filled < longer {
            break;
        }
    }
    let first_line = match memchr::memchr(b'\n', head) {
        Some(newline) => &head[..=newline],
        None => head,
    };
    let header = match Reader::new(first_line) {
        Ok(reader) if reader.header().version != Version::V1 => reader.into_header(),
        _ if size <= MAX_OTHERS => return whole(file),
        _ => return Ok(None),
    };
    let head_len = first_line.len() as u64;
    let (mut least, mut more) = ([0; TAIL], Vec::new());
    let mut piece = TAIL as u64;
    let (header, tail) = loop {
        let from = size.saturating_sub(piece).max(head_len);
        let wanted = usize::try_from(size.saturating_sub(from)).unwrap_or_default();
        let bytes = if wanted <= TAIL {
            &mut least[..wanted]
        } else {
            more.resize(wanted, 0);
            &mut more[..]
        };
        let filled = file.read_at(bytes, from)?;
        let bytes = &bytes[..filled];
        if from == head_len {
            break read_tail(header, bytes, true);
        }
        // From the first line that begins in here; the last one may be torn, and hold no newline.
        let begin = memchr::memchr(b'\n', bytes).map(|newline| newline + 1);
        match begin.filter(|&begin| memchr::memchr(b'\n', &bytes[begin..]).is_some()) {
            Some(begin) => break read_tail(header, &bytes[begin..], false),
            None if piece >= MAX_TAIL => break (header, Tail { torn: true, ..Tail::default() }),
            None => piece *= 8,
        }
    };
    let most = if header.version == Version::V2 || tail.damage.is_some() { MAX_OTHERS } else { MAX_WHOLE };
    // The last lines alone give no time in version 3, and in version 2 events may be out of order.
    let is_known = tail.has_length() || (tail.time.is_some() && !tail.partial);
    if (!is_known || tail.damage.is_some()) && size <= most {
        return whole(file);
    }
    Ok(Some((header, tail)))
}

/// Reads the last lines. In v3, times count only from the first line on.
fn read_tail(header: Header, lines: &[u8], from_start: bool) -> (Header, Tail) {
    let mut reader = Reader::after(header, lines);
    let mut tail = run_through(&mut reader);
    if !from_start {
        // Lines were counted from there, too.
        tail.damage = tail.damage.map(|_| "a line near its end is wrong".to_owned());
        tail.partial = true;
        if reader.header().version == Version::V3 {
            tail.time = None;
        }
    }
    (reader.into_header(), tail)
}

/// Reads all of a file that is small or can't be read from its end.
fn whole(file: &File) -> io::Result<Option<(Header, Tail)>> {
    use std::io::Seek as _;
    let mut again = file.try_clone()?;
    again.rewind()?;
    Ok(match Reader::new(cast::reader_of(again)?) {
        Ok(mut reader) => {
            let tail = run_through(&mut reader);
            Some((reader.into_header(), tail))
        }
        Err(_) => None,
    })
}

fn run_through(reader: &mut Reader<impl io::BufRead>) -> Tail {
    let mut tail = Tail::default();
    for item in reader {
        match item {
            Ok(Item::Event(event)) => tail.time = Some(event.time),
            Ok(Item::Streams(_) | Item::Command(_) | Item::Sftp(_)) => {}
            Ok(Item::End(end)) => tail.end = Some(end),
            Ok(Item::Gap(_)) => tail.gap = true,
            Ok(Item::TornTail { .. }) => tail.torn = true,
            Err(error) => tail.damage = Some(with_cause(&error)),
        }
    }
    tail
}

/// The error's message with those of its causes.
fn with_cause(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
