//! What of the user's input may be recorded: what is typed while the terminal does not echo is
//! masked. Pure.
//!
//! A program that reads lines with the echo off asks for a secret. A program that reads keys with
//! the echo off (a shell's line editor, an editor, a password prompt that prints stars) may or may
//! not show what is typed; there only what it prints at once in answer is taken as shown.

use std::time::Duration;

use vte::{Params, Parser, Perform};

/// How long a program that reads keys has to show what was typed.
pub const ECHO_WAIT: Duration = Duration::from_millis(100);

/// What the session's terminal does with what is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    /// It shows it.
    On,
    /// It collects a line and shows nothing.
    OffForLines,
    /// It hands each key to the program and shows nothing itself.
    OffForKeys,
}

/// Decides what is recorded of the input.
#[derive(Debug, Default)]
pub struct InputMask {
    waiting: Vec<u8>,
    until: Duration,
    /// Where a line was shown and what waits was typed behind it, in one go: what the session has printed of its last line
    /// since, as it shows that later, behind a prompt.
    behind: Option<Vec<u8>>,
}

/// The most of a line that is kept to look for what was typed at its end, bytes.
const MAX_LINE: usize = 16 << 10;

impl InputMask {
    /// Takes what was typed; returns what to record of it now.
    pub fn typed(&mut self, bytes: &[u8], echo: Echo, now: Duration) -> Vec<u8> {
        match echo {
            Echo::On => {
                let mut out = self.give_up();
                out.extend_from_slice(bytes);
                out
            }
            Echo::OffForLines => {
                let mut out = self.give_up();
                out.extend(mask(bytes));
                out
            }
            Echo::OffForKeys if self.waiting.is_empty() && is_no_text(bytes) => bytes.to_vec(),
            Echo::OffForKeys => {
                if self.waiting.is_empty() {
                    self.until = now + ECHO_WAIT;
                }
                self.waiting.extend_from_slice(bytes);
                Vec::new()
            }
        }
    }

    /// Looks at what the session printed; returns what it showed of the input.
    pub fn printed(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.waiting.is_empty() {
            return Vec::new();
        }
        let shown = visible_text(bytes);
        if self.behind.is_some() {
            return self.shown_behind(&shown);
        }
        let (text, rest) = first_line(&shown);
        let common = self.waiting.iter().zip(text).take_while(|(typed, shown)| typed == shown).count();
        // A line that was typed with its end is shown, and what the command printed may have come with it.
        let is_entered = self.waiting.get(common).is_some_and(|byte| is_line_end(*byte));
        match rest {
            Some(rest) if is_entered && common == text.len() => {
                let mut out = self.entered(common);
                out.extend(self.shown_behind(rest));
                return out;
            }
            _ if text.is_empty() => return Vec::new(),
            _ => {}
        }
        // Text beyond what was typed is a line redrawn from the cursor on, which goes back afterwards;
        // anything else that happens to begin alike is no echo.
        let went_back = bytes.contains(&0x08) || ends_with_cursor_left(bytes);
        if rest.is_none() && (common == text.len() || (common == self.waiting.len() && went_back)) {
            return self.waiting.drain(..common).collect();
        }
        self.give_up()
    }

    /// A line that was shown and entered, with its end: `len` bytes and one more. What was typed behind it is shown later.
    fn entered(&mut self, len: usize) -> Vec<u8> {
        self.behind = (self.waiting.len() > len + 1).then(Vec::new);
        self.waiting.drain(..=len).collect()
    }

    /// Looks at what the session printed behind a line that was entered: the programs that it runs print first, then there
    /// is a prompt and what was typed.
    fn shown_behind(&mut self, mut shown: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        while let Some(behind) = &mut self.behind {
            let (text, rest) = first_line(shown);
            behind.extend_from_slice(&text[..text.len().min(MAX_LINE.saturating_sub(behind.len()))]);
            let len = self.waiting.iter().position(|&byte| is_line_end(byte)).unwrap_or(self.waiting.len());
            let is_entered = len < self.waiting.len();
            if behind.ends_with(&self.waiting[..len]) && (rest.is_some() || !is_entered) {
                if is_entered {
                    out.extend(self.entered(len));
                } else {
                    self.behind = None;
                    out.append(&mut self.waiting);
                }
            } else if rest.is_some() {
                behind.clear();
            }
            let Some(rest) = rest else { break };
            shown = rest;
        }
        out
    }

    /// Bytes that were typed and are not decided on.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.waiting.len() as u64
    }

    /// When to call [`InputMask::overdue`], if at all.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        (!self.waiting.is_empty()).then_some(self.until)
    }

    /// What to record of input that nothing was printed for by now.
    pub fn overdue(&mut self, now: Duration) -> Vec<u8> {
        if self.deadline().is_some_and(|until| until <= now) { self.give_up() } else { Vec::new() }
    }

    /// What to record of input whose echo nobody will wait for.
    pub fn give_up(&mut self) -> Vec<u8> {
        self.behind = None;
        mask(&std::mem::take(&mut self.waiting)).collect()
    }
}

/// A star for each character; line ends stay.
fn mask(bytes: &[u8]) -> impl Iterator<Item = u8> {
    bytes.iter().filter(|byte| !matches!(byte, 0x80..=0xbf)).map(|&byte| match byte {
        b'\r' | b'\n' => byte,
        _ => b'*',
    })
}

/// Whether this is a key without a character: a control character, or a cursor or function key.
fn is_no_text(bytes: &[u8]) -> bool {
    match bytes {
        [0x00..=0x1f | 0x7f] => true,
        [0x1b, b'O', last] => last.is_ascii_alphabetic(),
        [0x1b, b'[', parameters @ .., last] => {
            let pasted = parameters.starts_with(b"200") || parameters.starts_with(b"201");
            !pasted
                && parameters.iter().all(|byte| matches!(byte, b'0'..=b'9' | b';'))
                && (last.is_ascii_alphabetic() || *last == b'~')
        }
        _ => false,
    }
}

/// Whether the output ends with CUB or CHA: `CSI n D`, `CSI n G`.
fn ends_with_cursor_left(bytes: &[u8]) -> bool {
    let Some((b'D' | b'G', rest)) = bytes.split_last() else { return false };
    let digits = rest.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    rest[..rest.len() - digits].ends_with(b"\x1b[")
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// The text up to a line feed, and what is behind that, if there is one.
fn first_line(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b'\n', text) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// What a person sees of the output, without control sequences but line feeds.
fn visible_text(bytes: &[u8]) -> Vec<u8> {
    #[derive(Default)]
    struct Text(String);
    impl Perform for Text {
        fn print(&mut self, c: char) {
            self.0.push(c);
        }
        fn execute(&mut self, byte: u8) {
            if byte == b'\n' {
                self.0.push('\n');
            }
        }
        fn csi_dispatch(&mut self, _: &Params, _: &[u8], _: bool, _: char) {}
    }
    let mut text = Text::default();
    Parser::new().advance(&mut text, bytes);
    text.0.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1);

    #[test]
    fn what_the_terminal_echoes_is_recorded_and_a_hidden_line_is_masked() {
        let mut mask = InputMask::default();
        assert_eq!(mask.typed(b"ls\r", Echo::On, NOW), b"ls\r");
        assert_eq!(mask.typed("geheimé\r".as_bytes(), Echo::OffForLines, NOW), b"*******\r");
        assert_eq!(mask.deadline(), None);
    }

    #[test]
    fn a_line_editor_that_shows_the_keys_reveals_them() {
        let mut mask = InputMask::default();
        assert_eq!(mask.typed(b"l", Echo::OffForKeys, NOW), b"");
        assert_eq!(mask.printed(b"\x1b[32ml\x1b[m"), b"l");
        assert_eq!(mask.typed(b"s", Echo::OffForKeys, NOW), b"");
        assert_eq!(mask.typed(b"x", Echo::OffForKeys, NOW), b"");
        assert_eq!(mask.printed(b"s"), b"s");
        assert_eq!(mask.printed(b"xyz\x08\x08"), b"x", "inserted before other text");
        assert_eq!(mask.typed(b"\r", Echo::OffForKeys, NOW), b"\r");
        assert_eq!(mask.typed(b"\x1b[A", Echo::OffForKeys, NOW), b"\x1b[A");
    }

    /// What is recorded of keys that come in one read, as the session prints this.
    fn recorded(typed: &[u8], printed: &[&[u8]]) -> String {
        let mut mask = InputMask::default();
        let mut out = mask.typed(typed, Echo::OffForKeys, NOW);
        for bytes in printed {
            out.extend(mask.printed(bytes));
        }
        out.extend(mask.overdue(NOW + ECHO_WAIT));
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_command_that_comes_in_one_read_is_shown_and_not_masked() {
        let echoed = &b"ls -l\r\n\x1b[?2004l\r"[..];
        let with_output = &b"ls -l\r\n\x1b[?2004l\rtotal 0\r\n\x1b[?2004h$ "[..];
        for printed in [&[with_output][..], &[echoed, b"total 0\r\n$ "], &[b"l", b"s -l", b"\r\ntotal 0\r\n"]]
        {
            assert_eq!(recorded(b"ls -l\r", printed), "ls -l\r", "{printed:?}");
        }
        // Two at once: the second is shown behind the next prompt.
        for printed in [
            &[&b"cd /tmp\r\n\x1b[?2004l\r\x1b[?2004h/tmp$ ls\r\na\r\n/tmp$ "[..]][..],
            &[b"cd /tmp\r\n", b"/tmp$ ", b"l", b"s\r\na\r\n/tmp$ "],
        ] {
            assert_eq!(recorded(b"cd /tmp\rls\r", printed), "cd /tmp\rls\r", "{printed:?}");
        }
        assert_eq!(recorded(b"cd /tmp\rl", &[b"cd /tmp\r\n/tmp$ l"]), "cd /tmp\rl");
    }

    #[test]
    fn a_secret_that_comes_in_one_read_is_masked() {
        for printed in [
            &[][..],
            &[&b"\r\nwrong\r\n"[..]],
            &[b"******\r\n"],
            &[b"secretary\r\n"],
            &[b"secret is bad\r\n"],
        ] {
            assert_eq!(recorded(b"secret\r", printed), "******\r", "{printed:?}");
        }
        // Also behind a command that is shown.
        let printed = &b"login\r\nPassword: \r\nWelcome to secret.example\r\n$ "[..];
        assert_eq!(recorded(b"login\rsecret\r", &[printed]), "login\r******\r");
    }

    #[test]
    fn output_that_only_begins_alike_is_no_echo() {
        let mut mask = InputMask::default();
        mask.typed(b"p", Echo::OffForKeys, NOW);
        assert_eq!(mask.printed(b"processing\r\n"), b"*");
    }

    #[test]
    fn keys_that_are_not_shown_are_masked() {
        let mut mask = InputMask::default();
        mask.typed(b"a", Echo::OffForKeys, NOW);
        assert_eq!(mask.printed(b"*"), b"*", "a star for a key");
        mask.typed(b"secret", Echo::OffForKeys, NOW);
        assert_eq!(mask.overdue(NOW), b"");
        assert_eq!(mask.overdue(NOW + ECHO_WAIT), b"******");
        assert_eq!(mask.typed(b"\x1b[200~pasted\x1b[201~", Echo::OffForKeys, NOW), b"");
        assert_eq!(mask.printed(b"no match"), b"******************");
    }
}
