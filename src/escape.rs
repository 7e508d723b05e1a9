//! Untrusted text made safe to print: file names, and pieces of files, in messages.

use std::fmt::Write as _;

/// The text with every character that could drive or confuse a terminal (C0, DEL, C1, line and
/// paragraph separators, bidirectional controls) as its Rust escape, such as `\u{1b}`.
#[must_use]
pub fn controls(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// JSON with the control characters that JSON itself lets pass (DEL, C1, line and paragraph
/// separators, bidirectional controls) as its escapes; the same value. These are only ever inside of
/// strings.
#[must_use]
pub fn json(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        let is_unsafe = c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if is_unsafe && c != '\n' {
            // Writing to a string does not fail.
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::{controls, json};

    #[test]
    fn json_keeps_its_value() {
        let text = serde_json::to_string_pretty(&["a\u{9b}\u{202e}\n\u{7f}"]).expect("JSON");
        let safe = json(&text);
        assert_eq!(safe, "[\n  \"a\\u009b\\u202e\\n\\u007f\"\n]");
        let (a, b): (Vec<String>, Vec<String>) =
            (serde_json::from_str(&text).expect("JSON"), serde_json::from_str(&safe).expect("JSON"));
        assert_eq!(a, b);
    }

    #[test]
    fn control_characters_are_escaped_and_the_rest_stays() {
        assert_eq!(controls("é \u{1b}[31m\n\u{9b}\u{7f}"), "é \\u{1b}[31m\\n\\u{9b}\\u{7f}");
        assert_eq!(controls("a\u{202e}b"), "a\\u{202e}b");
    }
}
