//! Untrusted text made safe to print: file names, and pieces of files, in messages.

use std::path::Path;

use std::fmt::Write as _;

/// The text with every character that could drive or confuse a terminal (C0, DEL, C1, line and
/// paragraph separators, bidirectional controls) as its Rust escape, such as `\u{1b}`.
#[must_use]
pub fn controls(text: &str) -> String {
    if text.bytes().all(is_plain) {
        return text.to_owned();
    }
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Bytes as text. Those that are not UTF-8 are spelt out, such as `\xff`, so that two names stay two.
#[must_use]
pub fn utf8(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// A path, safe to print.
#[must_use]
pub fn path(path: &Path) -> String {
    controls(&utf8(path.as_os_str().as_encoded_bytes()))
}

/// The JSON text with the same characters as JSON's own escapes, such as `\u001b`, so that it means
/// what it meant. Outside of strings JSON has none of them but line breaks, which stay.
#[must_use]
pub fn json(text: &str) -> String {
    if text.bytes().all(|byte| is_plain(byte) || byte == b'\n') {
        return text.to_owned();
    }
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) && c != '\n' {
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    safe
}

/// The text without what a runner of GitHub Actions takes for a command, on either stream of a step's output:
/// `::` at the beginning of a line, and `##[` anywhere. It skips blanks in front, and its comparisons pass
/// over characters that have no width (actions/runner, ActionCommand.cs), so all but ASCII counts as that.
#[must_use]
pub fn commands(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    // What came before, on this line.
    let mut last = None;
    for c in text.chars() {
        match (last, c) {
            (None, ':') => safe.push_str("\\u{3a}"),
            (Some('#'), '[') => safe.push_str("\\u{5b}"),
            _ => safe.push(c),
        }
        if matches!(c, '\n' | '\r') {
            last = None;
        } else if c.is_ascii_graphic() || c == ' ' && last.is_some() {
            last = Some(c);
        }
    }
    safe
}

/// Whether this is printable ASCII, as most texts are from end to end.
fn is_plain(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte)
}

fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::{commands, controls, json, utf8};

    #[test]
    fn a_text_holds_no_command_of_a_runner() {
        assert_eq!(commands("::error::x\n \u{a0}::x\na::b"), "\\u{3a}:error::x\n \u{a0}\\u{3a}:x\na::b");
        assert_eq!(commands("x ##[error]y #\u{ad}[ # ["), "x ##\\u{5b}error]y #\u{ad}\\u{5b} # [");
    }

    #[test]
    fn names_that_are_not_utf_8_stay_apart() {
        assert_eq!(utf8(b"r\xff.yaml"), "r\\xff.yaml");
        assert_ne!(utf8(b"r\xff.yaml"), utf8(b"r\xfe.yaml"));
        assert_eq!(utf8("für".as_bytes()), "für");
    }

    #[test]
    fn control_characters_are_escaped_and_the_rest_stays() {
        assert_eq!(controls("é \u{1b}[31m\n\u{9b}\u{7f}"), "é \\u{1b}[31m\\n\\u{9b}\\u{7f}");
        assert_eq!(controls("a\u{202e}b"), "a\\u{202e}b");
    }

    #[test]
    fn json_means_the_same_and_is_safe_to_print() {
        let text = "\u{1b}\u{7f}\u{9b}\u{202e}\n\"\\é";
        let safe = json(&serde_json::to_string_pretty(&[text]).expect("JSON"));
        assert_eq!(safe, "[\n  \"\\u001b\\u007f\\u009b\\u202e\\n\\\"\\\\é\"\n]");
        assert_eq!(serde_json::from_str::<[String; 1]>(&safe).expect("JSON"), [text]);
    }
}
