//! All that a recording tells of itself, from reading it once. Pure but for the reader.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::BufRead;

use super::State;
use crate::cast::Session;
use crate::recording::reader::{
    Code, End, Gap, Header, Item, ReadError, Reader, SftpFile, Streams, session_length,
};
use crate::screen::parse_size;

/// So many markers, gaps and sizes are kept; all are counted.
pub const MAX_LISTED: usize = 10_000;

/// So many bytes of their texts are kept.
const MAX_TEXTS: usize = 16 << 20;

/// Something, and when it was, in microseconds since the start.
#[derive(Debug, Clone, PartialEq)]
pub struct At<T> {
    /// When.
    pub time: u64,
    /// What.
    pub what: T,
}

/// A recording's facts. Texts are as they stand in the file: escape them before printing.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Its header.
    pub header: Header,
    /// What recmode notes of a session; `None` for other tools' recordings.
    pub session: Option<Session>,
    /// How long the session was, in microseconds: see [`session_length`].
    pub length: u64,
    /// How many events of each sort there are.
    pub events: u64,
    /// Bytes that the session printed.
    pub output: u64,
    /// Bytes that were typed, and that were recorded.
    pub input: u64,
    /// Sizes of the terminal after the first.
    pub resizes: Vec<At<String>>,
    /// How many there were.
    pub resize_count: u64,
    /// Markers.
    pub markers: Vec<At<String>>,
    /// How many there were.
    pub marker_count: u64,
    /// Gaps.
    pub gaps: Vec<At<Gap>>,
    /// How many there were.
    pub gap_count: u64,
    /// Bytes that are in none of the recording's files.
    pub lost: u64,
    /// The command, where the header does not hold all of it; its beginning where it is very long.
    pub command: Option<Vec<u8>>,
    /// Files that were transferred by sftp, up to [`MAX_LISTED`] of them.
    pub files: Vec<SftpFile>,
    /// How many there were.
    pub file_count: u64,
    /// What went through the streams of a session without a terminal.
    pub streams: Option<Streams>,
    /// The exit status of an exit event.
    pub exit: Option<String>,
    /// The record of the end.
    pub end: Option<End>,
    /// The line in which it is cut off.
    pub torn: Option<u64>,
}

impl Summary {
    /// The command that was run, as far as the recording holds it.
    #[must_use]
    pub fn command(&self) -> Option<Cow<'_, str>> {
        match &self.command {
            Some(command) => Some(String::from_utf8_lossy(command)),
            None => self.header.command.as_deref().map(Cow::Borrowed),
        }
    }

    /// How the recording stands, if its recorder is at work no more.
    #[must_use]
    pub fn state(&self) -> State {
        match &self.end {
            Some(end) => match State::of_end(end) {
                State::Complete if self.gap_count > 0 => State::Gap,
                state => state,
            },
            None if self.session.is_some() || self.torn.is_some() => State::CutOff,
            None => State::Complete,
        }
    }
}

/// Reads a recording to its end.
///
/// # Errors
///
/// When it can't be read, or is damaged before its end.
pub fn summarize(reader: Reader<impl BufRead>) -> Result<Summary, ReadError> {
    let mut summarizer = Summarizer::new(reader.header().clone());
    for item in reader {
        summarizer.take(item?);
    }
    Ok(summarizer.finish())
}

/// Makes a summary from the items of a recording that somebody else reads.
#[derive(Debug)]
pub struct Summarizer {
    /// What is known so far; its length is the time of the last event.
    pub summary: Summary,
    /// Bytes of texts that may still be kept.
    room: usize,
    /// Where in the list of files those stand that are open, by name.
    open_files: HashMap<String, Vec<usize>>,
}

impl Summarizer {
    /// Of a recording with this header.
    #[must_use]
    pub fn new(header: Header) -> Self {
        let session = header.recmode.as_ref().map(Session::new);
        let summary = Summary {
            header,
            session,
            length: 0,
            events: 0,
            output: 0,
            input: 0,
            resizes: Vec::new(),
            resize_count: 0,
            markers: Vec::new(),
            marker_count: 0,
            gaps: Vec::new(),
            gap_count: 0,
            lost: 0,
            command: None,
            files: Vec::new(),
            file_count: 0,
            streams: None,
            exit: None,
            end: None,
            torn: None,
        };
        Self { summary, room: MAX_TEXTS, open_files: HashMap::new() }
    }

    /// Takes note of the next item.
    pub fn take(&mut self, item: Item) {
        let Self { summary, room, .. } = self;
        match item {
            Item::Event(event) => {
                summary.length = event.time;
                summary.events += 1;
                match event.code {
                    Code::Output | Code::ErrorOutput => summary.output += event.exact_bytes().len() as u64,
                    Code::Input => summary.input += event.exact_bytes().len() as u64,
                    // What is no size changes none.
                    Code::Resize if parse_size(&event.data).is_none() => {}
                    Code::Resize => {
                        summary.resize_count += 1;
                        note(&mut summary.resizes, event.time, event.data.len(), event.data, room);
                    }
                    Code::Marker => {
                        summary.marker_count += 1;
                        note(&mut summary.markers, event.time, event.data.len(), event.data, room);
                    }
                    Code::Exit => summary.exit = Some(event.data),
                }
            }
            Item::Gap(gap) => {
                summary.gap_count += 1;
                summary.lost = summary.lost.saturating_add(gap.lost);
                note(&mut summary.gaps, summary.length, gap.error.len(), gap, room);
            }
            Item::Streams(streams) => summary.streams = Some(streams),
            Item::Command(piece) => {
                let command = summary.command.get_or_insert_default();
                let taken = piece.len().min(*room);
                *room -= taken;
                command.extend_from_slice(&piece[..taken]);
            }
            Item::Sftp(file) => self.file(file),
            Item::End(end) => summary.end = Some(end),
            Item::TornTail { line } => summary.torn = Some(line),
        }
    }

    /// The summary of the whole recording.
    #[must_use]
    pub fn finish(self) -> Summary {
        let mut summary = self.summary;
        summary.length = session_length(Some(summary.length), summary.end.as_ref()).unwrap_or_default();
        summary
    }

    fn file(&mut self, file: SftpFile) {
        let Self { summary, room, open_files } = self;
        // Its name was printed when it was opened.
        let opened = open_files.get_mut(&file.name).filter(|_| !file.open).and_then(Vec::pop);
        if let Some(n) = opened {
            summary.files[n] = file;
            return;
        }
        summary.file_count += 1;
        if summary.files.len() < MAX_LISTED
            && let Some(left) = room.checked_sub(file.name.len())
        {
            *room = left;
            if file.open {
                open_files.entry(file.name.clone()).or_default().push(summary.files.len());
            }
            summary.files.push(file);
        }
    }
}

fn note<T>(list: &mut Vec<At<T>>, time: u64, weight: usize, what: T, room: &mut usize) {
    if list.len() < MAX_LISTED
        && let Some(left) = room.checked_sub(weight)
    {
        *room = left;
        list.push(At { time, what });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_valid_sizes_are_counted() {
        let cast = "{\"version\":3,\"term\":{\"cols\":80,\"rows\":24}}\n\
                    [0.1,\"r\",\"-1x0\"]\n[0.1,\"r\",\"80x\"]\n[0.1,\"r\",\"90x30\"]\n";
        let summary = summarize(Reader::new(cast.as_bytes()).expect("a header")).expect("read");
        assert_eq!((summary.resize_count, summary.resizes.len(), summary.events), (1, 1, 3));
        assert_eq!(summary.resizes[0].what, "90x30");
    }
}
