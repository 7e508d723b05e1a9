//! What shells report of their commands: bracketed paste, which most turn on for a prompt and off when a command was entered,
//! and OSC 133 (FinalTerm's "semantic prompt"), which has the exit status too. Pure.

/// The most commands that are kept.
const MAX_RUNS: usize = 10_000;

/// A longer sequence is none of these.
const MAX_SEQUENCE: usize = 256;

const PASTE: &str = "\x1b[?2004";
const OSC: &str = "\x1b]133;";

/// What a line is to the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A command was entered in it: the one with this index in [`super::Screen::commands`].
    Command(usize),
    /// A further line in which that command was typed.
    Continued,
    /// The prompt begins in it.
    Prompt,
    /// The prompt ends in it (OSC 133), and what is typed begins.
    Input,
}

/// A command that was entered. Times are microseconds since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// When it was entered, or where the shell reports that (OSC 133), when it began.
    pub start: u64,
    /// When it ended, or where the shell doesn't report that, when the next prompt came.
    pub end: Option<u64>,
    /// Its exit status, where the shell reports it (OSC 133).
    pub status: Option<i32>,
}

/// A sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// A prompt comes; whether OSC 133 is the source.
    Prompt { osc: bool },
    /// The prompt is over.
    Input,
    /// A command was entered; whether OSC 133 is the source.
    Entered { osc: bool },
    /// The command has ended.
    Finished { status: Option<i32> },
}

/// Follows the sequences.
#[derive(Debug, Default)]
pub(super) struct Shell {
    runs: Vec<Run>,
    /// The command that was entered last.
    current: Option<usize>,
    /// The one of which OSC 133 reported the beginning, and not yet the end.
    reported: Option<usize>,
    /// A prompt came since a command was entered.
    prompted: bool,
    /// OSC 133 reported the last prompt, and no command since. It reports the next command, too: lines that are entered until
    /// then may be empty, abandoned, or a part of one.
    awaited: bool,
    /// A sequence that the last text ended in.
    tail: String,
}

impl Shell {
    pub(super) fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The sequences in a text, and where in it each ends. One may have begun in the text before.
    pub(super) fn split(&mut self, text: &str) -> Vec<(usize, Found)> {
        let begun = std::mem::take(&mut self.tail);
        let joined;
        let whole = if begun.is_empty() {
            text
        } else {
            joined = format!("{begun}{text}");
            &joined
        };
        let mut found = Vec::new();
        for at in memchr::memchr_iter(0x1b, whole.as_bytes()) {
            match parse(&whole[at..]) {
                Parsed::Sign(sign, length) => found.push((at + length - begun.len(), Found(sign))),
                Parsed::Begun => {
                    whole[at..].clone_into(&mut self.tail);
                    break;
                }
                Parsed::Other => {}
            }
        }
        found
    }

    /// Takes note of a sequence at `time`; gives what the row of the cursor is to the shell.
    pub(super) fn note(&mut self, Found(sign): Found, time: u64) -> Option<Mark> {
        let open = self.current.filter(|&n| self.runs[n].end.is_none());
        match sign {
            Sign::Prompt { osc: false } | Sign::Entered { osc: false } if self.awaited => None,
            Sign::Input => self.awaited.then_some(Mark::Input),
            Sign::Prompt { osc } => {
                self.prompted = true;
                self.awaited = osc;
                // A program that a command runs, such as an interpreter, has prompts of its own.
                if let Some(n) = open.filter(|&n| osc || self.reported != Some(n)) {
                    self.end(n, time);
                    self.reported = self.reported.filter(|&reported| reported != n);
                }
                Some(Mark::Prompt)
            }
            Sign::Entered { osc } => {
                let n = match open {
                    Some(n) if !self.prompted => n,
                    _ if !self.prompted && !self.runs.is_empty() => return None,
                    _ if self.runs.len() >= MAX_RUNS => return None,
                    _ => {
                        self.runs.push(Run { start: time, end: None, status: None });
                        self.runs.len() - 1
                    }
                };
                let new = self.current != Some(n);
                self.current = Some(n);
                self.prompted = false;
                if osc {
                    self.awaited = false;
                    self.reported = Some(n);
                }
                new.then_some(Mark::Command(n))
            }
            Sign::Finished { status } => {
                let finished = self.reported.take().or(open);
                if let Some(n) = open {
                    self.end(n, time);
                }
                if let Some(n) = finished {
                    self.end(n, time);
                    self.runs[n].status = status;
                }
                None
            }
        }
    }

    fn end(&mut self, n: usize, time: u64) {
        self.runs[n].end.get_or_insert(time);
    }
}

/// A sequence that [`Shell::note`] takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found(Sign);

impl Found {
    /// Whether bracketed paste was turned off: what was shown until then was seen, also where more came with it.
    pub(super) fn may_be_entered(self) -> bool {
        self.0 == Sign::Entered { osc: false }
    }
}

enum Parsed {
    Sign(Sign, usize),
    /// The text ends within a sequence that may be one.
    Begun,
    Other,
}

/// The sequence that the text begins with.
fn parse(text: &str) -> Parsed {
    if let Some(rest) = text.strip_prefix(PASTE) {
        return match rest.bytes().next() {
            Some(b'h') => Parsed::Sign(Sign::Prompt { osc: false }, PASTE.len() + 1),
            Some(b'l') => Parsed::Sign(Sign::Entered { osc: false }, PASTE.len() + 1),
            Some(_) => Parsed::Other,
            None => Parsed::Begun,
        };
    }
    let Some(rest) = text.strip_prefix(OSC) else {
        return if PASTE.starts_with(text) || OSC.starts_with(text) { Parsed::Begun } else { Parsed::Other };
    };
    // It ends with BEL, or ESC and a backslash.
    let Some(end) = rest.bytes().take(MAX_SEQUENCE).position(|byte| byte < 0x20) else {
        return if rest.len() < MAX_SEQUENCE { Parsed::Begun } else { Parsed::Other };
    };
    let terminator = match &rest.as_bytes()[end..] {
        [0x07, ..] => 1,
        [0x1b, b'\\', ..] => 2,
        [0x1b] => return Parsed::Begun,
        _ => return Parsed::Other,
    };
    let mut fields = rest[..end].split(';');
    let sign = match fields.next() {
        Some("A") => Sign::Prompt { osc: true },
        Some("B") => Sign::Input,
        Some("C") => Sign::Entered { osc: true },
        Some("D") => Sign::Finished { status: fields.next().and_then(|status| status.parse().ok()) },
        _ => return Parsed::Other,
    };
    Parsed::Sign(sign, OSC.len() + end + terminator)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The commands of events a second apart.
    fn runs(events: &[&str]) -> Vec<(u64, Option<u64>, Option<i32>)> {
        let mut shell = Shell::default();
        for (time, text) in (0..).zip(events) {
            for (_, found) in shell.split(text) {
                shell.note(found, time);
            }
        }
        shell.runs.iter().map(|run| (run.start, run.end, run.status)).collect()
    }

    const ON: &str = "\x1b[?2004h";
    const OFF: &str = "\x1b[?2004l";

    #[test]
    fn a_command_lasts_until_the_next_prompt_or_its_end_with_a_status() {
        assert_eq!(runs(&[ON, "ls", OFF, "file", ON, "exit", OFF]), [(2, Some(4), None), (6, None, None)]);
        let reported = "\x1b]133;C\x07";
        let first = "\x1b]133;D\x07\x1b]133;A\x07$ \x1b]133;B\x07";
        let done = "\x1b]133;D;3;aid=7\x1b\\\x1b]133;A\x1b\\";
        assert_eq!(runs(&[first, ON, OFF, reported, "out", done, ON]), [(3, Some(5), Some(3))]);
        assert_eq!(runs(&[first, reported, "out", done]), [(1, Some(3), Some(3))]);
    }

    #[test]
    fn prompts_inside_of_a_command_do_not_end_one_whose_end_is_reported() {
        let (reported, done) = ("\x1b]133;C\x07", "\x1b]133;D;0\x07");
        let events = ["\x1b]133;A\x07", ON, OFF, reported, ON, OFF, ON, OFF, done];
        assert_eq!(runs(&events), [(3, Some(8), Some(0)), (5, Some(6), None), (7, Some(8), None)]);
    }

    #[test]
    fn where_the_beginning_of_commands_is_reported_other_lines_are_none() {
        let prompt = "\x1b[?2004h\x1b]133;D\x07\x1b]133;A\x07$ \x1b]133;B\x07";
        let begun = "\x1b]133;C\x07";
        // An empty line, one that is abandoned, and a command of three lines.
        let events = [
            prompt, OFF, prompt, "x^C", OFF, prompt, OFF, ON, "> ", OFF, ON, "> ", OFF, begun, "out", prompt,
        ];
        assert_eq!(runs(&events), [(13, Some(15), None)]);
    }

    #[test]
    fn an_editor_that_turns_bracketed_paste_off_at_its_end_has_entered_no_command() {
        assert_eq!(runs(&[ON, OFF, "\x1b[?1049h", OFF, "\x1b[?1049l", ON]), [(1, Some(5), None)]);
    }

    #[test]
    fn a_sequence_may_be_cut_between_two_events() {
        let text = format!("{ON}é{OFF}\x1b]133;C\x1b\\é\x1b]133;D;42\x07");
        for cut in (0..text.len()).filter(|&cut| text.is_char_boundary(cut)) {
            let found = runs(&[&text[..cut], &text[cut..]]);
            assert_eq!(found.len(), 1, "{cut}");
            assert_eq!(found[0].2, Some(42), "{cut}");
        }
        assert_eq!(runs(&["\x1b]133;D;1", &"x".repeat(300), "\x07"]), []);
    }
}
