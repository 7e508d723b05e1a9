//! Which escape sequence a text begins with, as far as a session at a prompt uses them. Pure.

/// What a sequence does, and how many bytes it takes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sequence<'a> {
    /// Nothing to the text.
    Nothing(usize),
    /// It changes how what comes next looks: the parameters of SGR.
    Look(usize, &'a str),
    /// Something to the row of the cursor.
    Edit(usize, Edit),
    /// The screen is left behind, and the cursor goes to its first cell.
    Clear(usize),
    /// Its end is still to come.
    Unfinished,
    /// Perhaps more.
    Doubtful,
}

/// What happens to the row, at the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edit {
    Left(usize),
    Right(usize),
    /// To a column, from 0.
    Column(usize),
    EraseToEnd,
    /// To the end of the screen.
    EraseBelow,
    EraseRow,
    Delete(usize),
    Insert(usize),
}

/// More parameters than this are doubtful.
const MAX_PARAMETERS: usize = 64;

/// More parameters of SGR than this are doubtful: terminals leave some out.
const MAX_LOOKS: usize = 16;

/// The sequence that the text begins with; its first byte is ESC.
pub(super) fn sequence(text: &str) -> Sequence<'_> {
    const CLEARS: [&str; 3] = ["\x1b[H\x1b[2J\x1b[3J", "\x1b[3J\x1b[H\x1b[2J", "\x1b[H\x1b[2J"];
    let bytes = text.as_bytes();
    match bytes.get(1) {
        None => Sequence::Unfinished,
        Some(b'[') => {
            if matches!(bytes.get(2), None | Some(b'H' | b'3')) {
                if let Some(clear) = CLEARS.iter().find(|clear| text.starts_with(*clear)) {
                    return Sequence::Clear(clear.len());
                }
                if CLEARS.iter().any(|clear| clear.starts_with(text)) {
                    return Sequence::Unfinished;
                }
            }
            control(text)
        }
        Some(b']') => command(text),
        Some(b'(') => match bytes.get(2) {
            None => Sequence::Unfinished,
            Some(b'B') => Sequence::Nothing(3),
            Some(_) => Sequence::Doubtful,
        },
        Some(b'=' | b'>') => Sequence::Nothing(2),
        Some(_) => Sequence::Doubtful,
    }
}

/// Titles, links and the like; a control inside is doubtful.
fn command(text: &str) -> Sequence<'_> {
    let bytes = text.as_bytes();
    let end = bytes[2..].iter().position(|&byte| byte < 0x20 || byte == 0x7f).map(|at| at + 2);
    let inside = &text[2..end.unwrap_or(bytes.len())];
    if !inside.is_ascii() && inside.chars().any(|c| ('\u{80}'..'\u{a0}').contains(&c)) {
        return Sequence::Doubtful;
    }
    match end {
        None => Sequence::Unfinished,
        Some(at) if bytes[at] == 7 => Sequence::Nothing(at + 1),
        Some(at) if bytes[at] == 0x1b => match bytes.get(at + 1) {
            None => Sequence::Unfinished,
            Some(b'\\') => Sequence::Nothing(at + 2),
            Some(_) => Sequence::Doubtful,
        },
        Some(_) => Sequence::Doubtful,
    }
}

/// A control sequence.
fn control(text: &str) -> Sequence<'_> {
    let bytes = text.as_bytes();
    let parameters = bytes[2..].iter().take_while(|byte| (0x30..0x40).contains(*byte)).count();
    let inside = &text[2..2 + parameters];
    let Some(&last) = bytes.get(2 + parameters) else { return Sequence::Unfinished };
    let used = 3 + parameters;
    if parameters > MAX_PARAMETERS {
        return Sequence::Doubtful;
    }
    let edit = |edit| Sequence::Edit(used, edit);
    let number = || match inside {
        "" | "0" => Some(1),
        digits => digits.parse::<u16>().ok().filter(|&n| n > 0).map(usize::from),
    };
    let numbered =
        |of: fn(usize) -> Edit| number().map_or(Sequence::Doubtful, |n| Sequence::Edit(used, of(n)));
    let is_private = inside.starts_with(['<', '=', '>', '?']);
    match (inside, last) {
        (_, b'm') if !is_private && is_look(inside) => Sequence::Look(used, inside),
        // How keys and the cursor behave, bracketed paste, the mouse: of no account to the text.
        (
            "?1" | "?9" | "?12" | "?25" | "?1000" | "?1002" | "?1003" | "?1004" | "?1005" | "?1006" | "?1015"
            | "?2004" | "?2026" | "?2031" | "?12;25",
            b'h' | b'l',
        )
        // What keys send, and questions that the terminal answers.
        | (_, b'c' | b'n')
        // The title's stack.
        | ("22;0;0" | "22;0" | "22;1" | "22;2" | "23;0;0" | "23;0" | "23;1" | "23;2", b't') => Sequence::Nothing(used),
        (_, b'm' | b'u') if is_private => Sequence::Nothing(used),
        // The cursor's look.
        (_, b' ') => match bytes.get(used) {
            None => Sequence::Unfinished,
            Some(b'q') if !is_private => Sequence::Nothing(used + 1),
            Some(_) => Sequence::Doubtful,
        },
        ("" | "0", b'K') => edit(Edit::EraseToEnd),
        ("" | "0", b'J') => edit(Edit::EraseBelow),
        ("2", b'K') => edit(Edit::EraseRow),
        (_, b'C') => numbered(Edit::Right),
        (_, b'D') => numbered(Edit::Left),
        (_, b'G') => numbered(|n| Edit::Column(n - 1)),
        (_, b'P') => numbered(Edit::Delete),
        (_, b'@') => numbered(Edit::Insert),
        _ => Sequence::Doubtful,
    }
}

/// Whether these are parameters of SGR as everybody understands them.
fn is_look(parameters: &str) -> bool {
    parameters.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b';' | b':'))
        && !parameters.starts_with(':')
        && parameters.bytes().filter(|byte| !byte.is_ascii_digit()).count() < MAX_LOOKS
}
