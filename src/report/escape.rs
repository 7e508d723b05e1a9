//! Makes foreign text safe to print: a role's name must not move the cursor, hide a line or turn
//! the reading direction around.

use std::borrow::Cow;
use std::fmt::Write;

/// The text with control characters, line breaks and bidirectional controls as `\u{…}`.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c if is_unsafe(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_spelt_out() {
        assert_eq!(escape("plain ü 漢"), "plain ü 漢");
        assert_eq!(escape("a\u{1b}[2Jb\u{7}\u{9b}c\u{7f}"), "a\\u{1b}[2Jb\\u{7}\\u{9b}c\\u{7f}");
        assert_eq!(escape("tab\tnew\nline\r\u{202e}x"), "tab\\tnew\\nline\\r\\u{202e}x");
    }
}
