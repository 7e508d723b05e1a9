//! What is typed while a recording is played, and what it means. Pure.

/// A key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// A character, also a control character that has no name here.
    Char(char),
    /// The Enter key.
    Enter,
    /// The Backspace key.
    Backspace,
    /// The Escape key.
    Escape,
    /// Cursor up.
    Up,
    /// Cursor down.
    Down,
    /// Cursor left.
    Left,
    /// Cursor right.
    Right,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// To the beginning.
    Home,
    /// To the end.
    End,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-Z.
    Suspend,
}

/// What a key asks for while the session is on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Pause, or go on.
    Pause,
    /// To the next event, while it is paused.
    Step,
    /// Back to the event before.
    StepBack,
    /// Five seconds back.
    Back,
    /// Five seconds on.
    Forward,
    /// To this many tenths of the recording.
    Tenth(u8),
    /// To the marker before.
    PreviousMarker,
    /// To the next marker.
    NextMarker,
    /// Faster.
    Faster,
    /// Slower.
    Slower,
    /// Skip idle time, or no longer.
    SkipIdle,
    /// Show the status line, or hide it.
    Status,
    /// Show the keys.
    Help,
    /// Show the list of markers and commands.
    List,
    /// Ask for a pattern to search for.
    Search,
    /// To the next match.
    NextMatch,
    /// To the match before.
    PreviousMatch,
    /// End it.
    Quit,
    /// End it, as Ctrl-C ends programs.
    Interrupt,
    /// Stop it, as Ctrl-Z stops programs.
    Suspend,
}

impl Key {
    /// The meaning of a key, where it has one.
    #[must_use]
    pub fn of(typed: Typed) -> Option<Self> {
        Some(match typed {
            Typed::Char(' ') => Self::Pause,
            Typed::Char('.') => Self::Step,
            Typed::Char(',') => Self::StepBack,
            Typed::Char(digit @ '0'..='9') => Self::Tenth(digit as u8 - b'0'),
            Typed::Char('[') => Self::PreviousMarker,
            Typed::Char(']') => Self::NextMarker,
            Typed::Char('+' | '=') => Self::Faster,
            Typed::Char('-') => Self::Slower,
            Typed::Char('i') => Self::SkipIdle,
            Typed::Char('s') => Self::Status,
            Typed::Char('?') => Self::Help,
            Typed::Char('m') => Self::List,
            Typed::Char('/') => Self::Search,
            Typed::Char('n') => Self::NextMatch,
            Typed::Char('N') => Self::PreviousMatch,
            Typed::Char('q' | 'Q') => Self::Quit,
            Typed::Left => Self::Back,
            Typed::Right => Self::Forward,
            Typed::Interrupt => Self::Interrupt,
            Typed::Suspend => Self::Suspend,
            _ => return None,
        })
    }
}

/// The keys and what they do: for the help, `--help` and the manual.
pub const KEYS: [(&str, &str); 15] = [
    ("space", "Pause, or go on"),
    (".", "Show the next event, while paused"),
    (",", "Pause, and go back to the event before"),
    ("left, right", "Go 5 seconds back, or on"),
    ("0-9", "Jump to this tenth of the recording"),
    ("[, ]", "Go to the previous, or the next marker"),
    ("m", "List markers and commands, to jump to one"),
    ("/", "Search the rendered text for a regular expression"),
    ("n, N", "Go to the next, or the previous match"),
    ("+, -", "Play faster, or slower"),
    ("i", "Skip idle time, or stop doing so"),
    ("s", "Show, or hide the status line"),
    ("?", "Show the keys"),
    ("Ctrl-Z", "Suspend; fg resumes"),
    ("q, Ctrl-C", "Quit"),
];

/// The keys as a part of `--help`.
#[must_use]
pub fn keys_help() -> String {
    let lines = KEYS.iter().map(|(key, meaning)| format!("  {key:<12} {meaning}"));
    std::iter::once("Keys:".to_owned()).chain(lines).collect::<Vec<_>>().join("\n")
}

/// Reads keys from bytes. Sequences and characters may be cut between two reads.
#[derive(Debug, Default)]
pub struct Keys {
    /// An escape sequence, or a character of several bytes, that has begun.
    begun: Vec<u8>,
}

impl Keys {
    /// The keys in these bytes.
    pub fn read(&mut self, bytes: &[u8]) -> Vec<Typed> {
        let mut typed = Vec::new();
        for &byte in bytes {
            self.byte(byte, &mut typed);
        }
        typed
    }

    /// Whether an escape character was typed and nothing after it: the Escape key, unless more comes soon.
    #[must_use]
    pub fn may_be_escape(&self) -> bool {
        self.begun == [0x1b]
    }

    /// Nothing more came.
    pub fn give_up(&mut self) -> Option<Typed> {
        let escape = self.may_be_escape();
        self.begun.clear();
        escape.then_some(Typed::Escape)
    }

    fn byte(&mut self, byte: u8, typed: &mut Vec<Typed>) {
        match (self.begun.as_slice(), byte) {
            (_, 0x1b) => {
                typed.extend(self.give_up());
                self.begun = vec![byte];
            }
            ([0x1b], b'[' | b'O') => self.begun.push(byte),
            ([0x1b, _, ..], 0x20..0x40) if self.begun.len() < 32 => self.begun.push(byte),
            ([0x1b, _, parameters @ ..], _) => {
                typed.extend(named(parameters, byte));
                self.begun.clear();
            }
            ([0xc0..=0xff, ..], 0x80..0xc0) => {
                self.begun.push(byte);
                self.character(typed);
            }
            (_, 0xc0..) => self.begun = vec![byte],
            _ => {
                typed.extend(self.give_up());
                typed.push(match byte {
                    b'\r' | b'\n' => Typed::Enter,
                    8 | 0x7f => Typed::Backspace,
                    3 => Typed::Interrupt,
                    0x1a => Typed::Suspend,
                    _ => Typed::Char(char::from(byte)),
                });
            }
        }
    }

    /// Takes the character that has begun, if it is whole.
    fn character(&mut self, typed: &mut Vec<Typed>) {
        if let Ok(text) = std::str::from_utf8(&self.begun) {
            typed.extend(text.chars().map(Typed::Char));
            self.begun.clear();
        } else if self.begun.len() >= 4 {
            self.begun.clear();
        }
    }
}

/// The key that sends this sequence.
fn named(parameters: &[u8], last: u8) -> Option<Typed> {
    Some(match (parameters, last) {
        ([], b'A') => Typed::Up,
        ([], b'B') => Typed::Down,
        ([], b'C') => Typed::Right,
        ([], b'D') => Typed::Left,
        ([], b'H') | (b"1" | b"7", b'~') => Typed::Home,
        ([], b'F') | (b"4" | b"8", b'~') => Typed::End,
        (b"5", b'~') => Typed::PageUp,
        (b"6", b'~') => Typed::PageDown,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_whole_and_in_pieces() {
        let mut keys = Keys::default();
        let meant: Vec<Key> =
            keys.read(b" .,[]+-is?m/nN7q\x03\x1a").into_iter().filter_map(Key::of).collect();
        assert_eq!(
            meant,
            [
                Key::Pause,
                Key::Step,
                Key::StepBack,
                Key::PreviousMarker,
                Key::NextMarker,
                Key::Faster,
                Key::Slower,
                Key::SkipIdle,
                Key::Status,
                Key::Help,
                Key::List,
                Key::Search,
                Key::NextMatch,
                Key::PreviousMatch,
                Key::Tenth(7),
                Key::Quit,
                Key::Interrupt,
                Key::Suspend,
            ]
        );
        assert_eq!(
            keys.read(b"\x1b[C\x1bOD\x1b[5~\r"),
            [Typed::Right, Typed::Left, Typed::PageUp, Typed::Enter]
        );
        assert_eq!(
            (keys.read(b"\x1b"), keys.read(b"["), keys.read(b"D")),
            (vec![], vec![], vec![Typed::Left])
        );
        assert_eq!(keys.read(b"\x1b[1;5C\x1b[200~x"), [Typed::Char('x')]);
        assert_eq!((keys.read(b"\xc3"), keys.read(b"\xa9")), (vec![], vec![Typed::Char('é')]));
        assert_eq!(keys.read(b"\xff\xffa"), [Typed::Char('a')]);
    }

    #[test]
    fn a_lone_escape_is_a_key_when_nothing_follows() {
        let mut keys = Keys::default();
        assert_eq!((keys.read(b"\x1b"), keys.may_be_escape()), (vec![], true));
        assert_eq!((keys.give_up(), keys.give_up()), (Some(Typed::Escape), None));
        assert_eq!(keys.read(b"\x1b\x1bq"), [Typed::Escape, Typed::Escape, Typed::Char('q')]);
    }
}
