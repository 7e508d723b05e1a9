//! Lines of events as every recorder writes them, read without a JSON parser: most of what reading a recording
//! costs is here. What is written in another way, or is wrong, is left to the parser. Pure.

use super::{Code, time};
use crate::recording::json::first_special;

/// Time in nanoseconds, code and data of a line; `None` where the parser has to look.
pub(super) fn event(line: &str) -> Option<(u64, Code, String)> {
    let rest = line.strip_prefix('[')?;
    let (number, rest) = rest.split_at(rest.bytes().position(|byte| !matches!(byte, b'0'..=b'9' | b'.'))?);
    let time = seconds(number)?;
    let rest = rest.strip_prefix(", \"")?;
    let code = Code::from_name(rest.get(..1)?)?;
    let data = rest[1..].strip_prefix("\", \"")?.strip_suffix("\"]")?;
    Some((time, code, unescaped(data)?))
}

/// A number as JSON has it, with a fraction and without an exponent.
fn seconds(number: &str) -> Option<u64> {
    let (whole, fraction) = number.split_once('.')?;
    let leads = whole.len() > 1 && whole.starts_with('0');
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    if leads || fraction.is_empty() || !digits {
        return None;
    }
    // Recorders write at most microseconds; these can't overflow.
    if whole.len() > 9 || fraction.len() > 9 {
        return time::nanoseconds(number);
    }
    let value = |digits: &str| digits.bytes().fold(0, |value, byte| value * 10 + u64::from(byte - b'0'));
    let scale = [1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1000, 100, 10, 1];
    (!whole.is_empty()).then(|| value(whole) * 1_000_000_000 + value(fraction) * scale[fraction.len()])
}

/// The inside of a JSON string; `None` if it is none, or one with surrogates.
fn unescaped(inside: &str) -> Option<String> {
    let mut text = String::with_capacity(inside.len());
    let mut rest = inside;
    loop {
        let Some(at) = first_special(rest.as_bytes()) else {
            text.push_str(rest);
            return Some(text);
        };
        text.push_str(&rest[..at]);
        let bytes = &rest.as_bytes()[at..];
        let (character, used) = match bytes {
            // DEL may stand for itself, too.
            [0x7f, ..] => ('\u{7f}', 1),
            [b'\\', b'n', ..] => ('\n', 2),
            [b'\\', b'r', ..] => ('\r', 2),
            [b'\\', b't', ..] => ('\t', 2),
            [b'\\', b'u', digits @ ..] => (hexadecimal(digits.get(..4)?)?, 6),
            [b'\\', b'"', ..] => ('"', 2),
            [b'\\', b'\\', ..] => ('\\', 2),
            [b'\\', b'/', ..] => ('/', 2),
            [b'\\', b'b', ..] => ('\u{8}', 2),
            [b'\\', b'f', ..] => ('\u{c}', 2),
            _ => return None,
        };
        text.push(character);
        rest = &rest[at + used..];
    }
}

/// The character of four digits, if it is one by itself.
fn hexadecimal(digits: &[u8]) -> Option<char> {
    let value =
        digits.iter().try_fold(0, |value, &digit| Some(value << 4 | char::from(digit).to_digit(16)?))?;
    char::from_u32(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the parser says of a line; a time that is none is no event here.
    fn parsed(line: &str) -> Option<(u64, Code, String)> {
        let (number, code, data): (&serde_json::value::RawValue, String, String) =
            serde_json::from_str(line).ok()?;
        Some((time::nanoseconds(number.get())?, Code::from_name(&code)?, data))
    }

    #[test]
    fn lines_as_recorders_write_them_need_no_parser() {
        for line in [
            "[0.000001, \"o\", \"\\u001b[1mé\\r\\n\\\"\\\\\"]",
            "[12345.678901, \"i\", \"\"]",
            "[1.5, \"x\", \"0\"]",
            "[18446744073.709551, \"o\", \"\\u001B\\/\"]",
        ] {
            assert!(event(line).is_some(), "{line}");
            assert_eq!(event(line), parsed(line), "{line}");
        }
        for line in [
            "[1, \"o\", \"\"]",
            "[01.0, \"o\", \"\"]",
            "[.5, \"o\", \"\"]",
            "[1.0, \"o\", \"\\ud83d\\ude00\"]",
        ] {
            assert_eq!(event(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn what_needs_no_parser_is_what_the_parser_says(
            number in "[0-9.]{0,3}|[0-9]{1,12}\\.[0-9]{0,12}|[0-9.e+-]{1,6}",
            code in "[oeirmxRz]|\\PC{0,2}",
            data in "(\\\\[nrtu\"\\\\/bfx]|\\\\u00[0-9a-f]{2}|\\\\u[0-9a-fA-F]{4}|[a\"\\\\ é😀\\x00-\\x20\\x7f]|\\PC){0,8}",
            end in "\"\\]|\"|\\]|\"\\] |\", 1\\]",
        ) {
            let line = format!("[{number}, \"{code}\", \"{data}{end}");
            if let Some(read) = event(&line) {
                prop_assert_eq!(Some(read), parsed(&line), "{}", line);
            }
        }
    }
}
