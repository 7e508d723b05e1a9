//! One page that needs nothing else: what the session was and whether its recording is intact, a table of its commands
//! and markers, and the transcript in colours with the time of each line. It is read as a whole before it is written,
//! as its head depends on its end. Pure.

mod commands;
mod head;
mod player;
mod style;
mod transcript;
mod verdict;

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use self::commands::Commands;
use self::player::{Film, Mark};
use self::transcript::Transcript;
use super::{ExportError, markup};
use crate::cast::{SegmentFault, Segments};
use crate::catalog::{State, Summarizer, Summary};
use crate::recording::reader::{Code, Event, Item, Reader, Version};
use crate::screen::{Ending, Options, RenderError, Screen, parse_size};
use crate::verify::{Checked, Hashes};

/// What a page shows of a recording, once that is read.
#[derive(Debug)]
pub struct Page {
    title: String,
    summary: Summary,
    ending: Ending,
    /// The line of the file from which on parts of the screen were left out, as they asked for too much drawing.
    left_out: Option<u64>,
    commands: Commands,
    transcript: Transcript,
    /// What the player shows, if there is one.
    film: Option<Film>,
}

/// What a page shows of the file that it was made from.
#[derive(Debug, Clone, Copy)]
pub struct FileFacts<'a> {
    /// Its path as it was given; it need not be safe to print.
    pub name: &'a Path,
    /// The name of its owner, where it is a file.
    pub owner: Option<&'a str>,
    /// The files of a session of several, or of one that lacks some.
    pub segments: Option<&'a Segments>,
    /// Each file, in order, with what verifying it came to.
    pub files: &'a [(PathBuf, Checked)],
    /// The hashes of each file, in order.
    pub hashes: &'a [Hashes],
    /// When that was, as RFC 3339 in UTC.
    pub verified: &'a str,
}

impl FileFacts<'_> {
    fn state(&self, summary: &Summary) -> State {
        if self.is_live() && summary.end.is_none() {
            return State::Live;
        }
        let loses = self.losses().next().is_some();
        if loses { summary.state().with_gap() } else { summary.state() }
    }

    /// Whether the last file is still being written.
    fn is_live(&self) -> bool {
        self.files.last().is_some_and(|(_, checked)| checked.live)
    }

    /// What is missing of the session's files.
    fn losses(&self) -> impl Iterator<Item = &SegmentFault> {
        self.segments.into_iter().flat_map(|segments| &segments.faults).filter(|fault| fault.is_loss())
    }
}

impl Page {
    /// Reads and renders a recording; `name` is the title where the recording has none. With `player` there is a player
    /// above the transcript.
    ///
    /// # Errors
    ///
    /// When the recording can't be read or rendered.
    pub fn read(mut reader: Reader<impl BufRead>, name: &str, player: bool) -> Result<Self, ExportError> {
        let header = reader.header().clone();
        let mut screen = Screen::of(&header, Options { styles: true, replaced: false })
            .map_err(|size| RenderError::TooLarge { line: 1, size })?;
        let title = header.title.clone().filter(|title| !title.is_empty());
        let title = title.unwrap_or_else(|| format!("Session {name}"));
        let mut ending = Ending::before_any(&header);
        let mut summarizer = Summarizer::new(header);
        let mut commands = Commands::default();
        let mut transcript = Transcript::default();
        let take = |lines, screen: &Screen, commands: &mut Commands, transcript: &mut Transcript| {
            for line in lines {
                if let Some(number) = transcript.push(&line) {
                    commands.line(&line, number, screen.commands());
                }
            }
        };
        let mut film = player.then(Film::default);
        let mut left_out = None;
        for item in &mut reader {
            let item = item?;
            match &item {
                Item::Event(event) => {
                    if let (Some(film), Code::Output | Code::ErrorOutput | Code::Resize) =
                        (&mut film, event.code)
                    {
                        film.before(event.time, event.data.len(), &screen);
                    }
                    show(&mut screen, event)?;
                    if left_out.is_none() && screen.left_out() {
                        left_out = Some(event.line);
                    }
                    if event.code == Code::Marker {
                        commands.marker(event.time, &event.data);
                    }
                    take(screen.take(), &screen, &mut commands, &mut transcript);
                }
                Item::Gap(gap) => transcript.gap(summarizer.summary.length, gap),
                Item::Streams(_) | Item::Command(_) | Item::Sftp(_) => {}
                Item::End(_) => ending = Ending::Complete,
                Item::TornTail { line } => ending = Ending::Torn { line: *line },
            }
            summarizer.take(item);
        }
        take(screen.finish(), &screen, &mut commands, &mut transcript);
        transcript.finish();
        commands.finish(transcript.lines(), screen.commands());
        if let Some(film) = &mut film {
            film.finish(&screen);
        }
        Ok(Self { title, summary: summarizer.finish(), ending, left_out, commands, transcript, film })
    }

    /// The version of the recording.
    #[must_use]
    pub fn version(&self) -> Version {
        self.summary.header.version
    }

    /// How the recording ends.
    #[must_use]
    pub fn ending(&self) -> Ending {
        self.ending
    }

    /// What the time bar of the player marks, in order.
    fn marks(&self) -> Vec<Mark<'_>> {
        let rows = self.commands.rows().map(|(time, what, text)| Mark { time, what, text });
        let gaps = self.summary.gaps.iter();
        let gaps = gaps.map(|gap| Mark { time: gap.time, what: "gap", text: &gap.what.error });
        let mut marks: Vec<_> = rows.chain(gaps).collect();
        marks.sort_by_key(|mark| mark.time);
        marks
    }

    /// The line of the file, from 1, from which on parts of the screen were left out: see [`Screen::left_out`].
    #[must_use]
    pub fn left_out(&self) -> Option<u64> {
        self.left_out
    }

    /// Writes the page, of a recording in this file.
    ///
    /// # Errors
    ///
    /// When it can't be written.
    pub fn write(&self, file: &FileFacts<'_>, out: &mut impl Write) -> Result<(), ExportError> {
        out.write_all(head::open(&markup(&self.title), self.film.is_some()).as_bytes())?;
        out.write_all(head::verdict(self, file).as_bytes())?;
        out.write_all(head::list(self, file).as_bytes())?;
        if let Some(film) = &self.film {
            out.write_all(player::section(film, &self.summary.header).as_bytes())?;
        }
        write!(out, "{}", self.commands)?;
        self.transcript.write(&self.summary, file.is_live(), out)?;
        writeln!(out, "</main>")?;
        if let Some(film) = &self.film {
            let summary = &self.summary;
            let data = player::data(film, &summary.header, summary.length, self.marks().into_iter());
            out.write_all(data.as_bytes())?;
        }
        writeln!(out, "</body>\n</html>")?;
        Ok(())
    }
}

fn show(screen: &mut Screen, event: &Event) -> Result<(), RenderError> {
    match event.code {
        Code::Output | Code::ErrorOutput => screen.output(event.time, &event.data),
        Code::Resize => {
            if let Some((cols, rows)) = parse_size(&event.data) {
                screen
                    .resize(event.time, cols, rows)
                    .map_err(|size| RenderError::TooLarge { line: event.line, size })?;
            }
        }
        Code::Marker | Code::Exit | Code::Input => {}
    }
    Ok(())
}

/// Seconds since the start as `data-t` holds them, as exact as the recording's.
fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

#[cfg(test)]
mod tests;
