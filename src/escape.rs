//! Untrusted text made safe to print: file names, and pieces of files, in messages.

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

#[cfg(test)]
mod tests {
    use super::controls;

    #[test]
    fn control_characters_are_escaped_and_the_rest_stays() {
        assert_eq!(controls("é \u{1b}[31m\n\u{9b}\u{7f}"), "é \\u{1b}[31m\\n\\u{9b}\\u{7f}");
        assert_eq!(controls("a\u{202e}b"), "a\\u{202e}b");
    }
}
