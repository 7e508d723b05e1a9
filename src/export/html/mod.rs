//! One page that needs nothing else: what the session was, a table of its commands and markers, and the transcript in
//! colours with the time of each line. It is read as a whole before it is written, as its head depends on its end. Pure.

mod commands;
mod head;
mod player;
mod style;
mod transcript;

use std::io::{BufRead, Write};

use self::commands::Commands;
use self::player::{Film, Mark};
use self::transcript::Transcript;
use super::{ExportError, markup};
use crate::recording::reader::{Code, Header, Item, Reader};
use crate::screen::{Ending, Options, RenderError, Screen, parse_size};

/// What a page shows of a recording, once that is read.
#[derive(Debug)]
pub struct Page {
    title: String,
    header: Header,
    /// Microseconds.
    length: u64,
    exit: Option<String>,
    gaps: u64,
    ending: Ending,
    commands: Commands,
    transcript: Transcript,
    /// What the player shows, if there is one.
    film: Option<Film>,
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
        let too_large = |line| move |size| RenderError::TooLarge { line, size };
        let mut screen =
            Screen::of(&header, Options { styles: true, replaced: false }).map_err(too_large(1))?;
        let title = header.title.clone().filter(|title| !title.is_empty());
        let mut page = Self {
            title: title.unwrap_or_else(|| format!("Session {name}")),
            ending: Ending::before_any(&header),
            header,
            length: 0,
            exit: None,
            gaps: 0,
            commands: Commands::default(),
            transcript: Transcript::default(),
            film: player.then(Film::default),
        };
        for item in &mut reader {
            match item? {
                Item::Event(event) => {
                    page.length = event.time;
                    if let (Some(film), Code::Output | Code::ErrorOutput | Code::Resize) =
                        (&mut page.film, event.code)
                    {
                        film.before(event.time, &screen);
                    }
                    match event.code {
                        Code::Output | Code::ErrorOutput => screen.output(event.time, &event.data),
                        Code::Resize => {
                            if let Some((cols, rows)) = parse_size(&event.data) {
                                screen.resize(event.time, cols, rows).map_err(too_large(event.line))?;
                            }
                        }
                        Code::Marker => page.commands.marker(event.time, &event.data),
                        Code::Exit => page.exit = Some(event.data),
                        Code::Input => {}
                    }
                    page.take(&mut screen, false);
                }
                Item::Gap(_) => page.gaps += 1,
                Item::Streams(_) | Item::Command(_) | Item::Sftp(_) => {}
                Item::End(_) => page.ending = Ending::Complete,
                Item::TornTail { line } => page.ending = Ending::Torn { line },
            }
        }
        page.take(&mut screen, true);
        page.commands.finish(page.transcript.lines());
        if let Some(film) = &mut page.film {
            film.finish(&screen);
        }
        Ok(page)
    }

    /// How the recording ends.
    #[must_use]
    pub fn ending(&self) -> Ending {
        self.ending
    }

    /// Adds the lines that are complete; with `all`, all that are left.
    fn take(&mut self, screen: &mut Screen, all: bool) {
        for line in if all { screen.finish() } else { screen.take() } {
            if let Some(number) = self.transcript.push(&line) {
                self.commands.line(&line, number);
            }
        }
    }

    /// What the time bar of the player marks, in order.
    fn marks(&self) -> impl Iterator<Item = Mark<'_>> {
        self.commands.rows().map(|(time, what, text)| Mark { time, what, text })
    }

    /// Writes the page.
    ///
    /// # Errors
    ///
    /// When it can't be written.
    pub fn write(&self, out: &mut impl Write) -> Result<(), ExportError> {
        write!(out, "{}", head::open(&markup(&self.title), self.film.is_some()))?;
        write!(out, "{}", head::facts(self))?;
        if let Some(film) = &self.film {
            write!(out, "{}", player::section(film, &self.header))?;
        }
        write!(out, "{}", self.commands)?;
        write!(out, "{}", self.transcript)?;
        writeln!(out, "</main>")?;
        if let Some(film) = &self.film {
            write!(out, "{}", player::data(film, &self.header, self.length, self.marks()))?;
        }
        writeln!(out, "</body>\n</html>")?;
        Ok(())
    }
}

/// Seconds since the start as `data-t` holds them, as exact as the recording's.
fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(lines: &str) -> String {
        let text = format!("{{\"version\":3,\"term\":{{\"cols\":80,\"rows\":24}}}}\n{lines}");
        let mut out = Vec::new();
        let page = Page::read(Reader::new(text.as_bytes()).expect("a header"), "a<b", false).expect("read");
        page.write(&mut out).expect("written");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn nothing_from_the_recording_is_markup() {
        let page =
            page("[0,\"o\",\"<script>alert('1')</script>&amp;\\r\\n\"]\n[0,\"m\",\"</table><b>\\u202e\"]\n");
        assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;"), "{page}");
        assert!(page.contains("<code>&lt;/table&gt;&lt;b&gt;\\u{202e}</code>"));
        assert!(page.contains("<title>Session a&lt;b</title>") && !page.contains("<script"));
    }

    #[test]
    fn links_go_to_http_and_https_only() {
        let page = page(
            "[0,\"o\",\"see https://example.org/a?b=\\u001b[1mc&d\\u001b[0m. javascript:alert(1) file:///etc http://\\\"x\\r\\n\"]\n",
        );
        assert_eq!(page.matches("<a href=\"https://example.org/a?b=c&amp;d\" rel").count(), 2, "{page}");
        assert!(
            !page.contains("href=\"java")
                && !page.contains("href=\"file")
                && !page.contains("href=\"http://")
        );
    }

    #[test]
    fn colours_are_classes_of_the_theme_or_fixed() {
        let page = page("[0,\"o\",\"\\u001b[31;7mred\\u001b[0;38;5;196;1mfixed\\u001b[0m\\r\\n\"]\n");
        assert!(
            page.contains("<span class=\"\" style=\"background:#b3261e;color:#ffffff;\">red</span>"),
            "{page}"
        );
        assert!(page.contains("<span class=\"d\" style=\"color:#ff0000;\">fixed</span>"), "{page}");
        let page = self::page("[0,\"o\",\"\\u001b[38;5;231mwhite\\u001b[0;31mred\\u001b[0m\\r\\n\"]\n");
        assert!(page.contains(";color:light-dark(#") && page.contains(",#ffffff);\">white"), "{page}");
        assert!(page.contains("<span class=\"f1\">red</span>"), "{page}");
    }

    #[test]
    fn a_marker_of_any_length_is_a_row_of_the_table() {
        let page = page(&format!("[0,\"o\",\"x\\r\\n\"]\n[0,\"m\",\"{}\"]\n", "é".repeat(5000)));
        assert!(page.contains(&format!("<code>{}…</code>", "é".repeat(1000))), "{}", page.len());
    }
}
