//! Moves an entry out of a mapping in braces: JSON, YAML's flow style, and Terraform's HCL. Looks at the
//! text from the entry on only, and gives up where that has no simple answer.

use std::ops::Range;

use super::{Edit, Target, line_break, line_end, line_start};

/// How the text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    /// JSON or YAML's flow style.
    Flow,
    Hcl,
}

/// A key with its value.
pub(super) struct Entry<'a> {
    text: &'a str,
    syntax: Syntax,
    /// The key and its value, without a comma.
    at: Range<usize>,
    /// The comma before it, and the one behind it.
    commas: (Option<usize>, Option<usize>),
    /// Whether it begins and ends lines, but for a comma.
    on_lines: bool,
}

impl<'a> Entry<'a> {
    /// The entry whose key is at byte `key`.
    pub(super) fn at(text: &'a str, key: usize, syntax: Syntax) -> Option<Self> {
        let end = end_of_entry(text, key, syntax)?;
        let before = text[..key].trim_end();
        let behind = &text[end..];
        let is_comma = behind.trim_start().starts_with(',');
        let commas = (
            before.ends_with(',').then(|| before.len() - 1),
            is_comma.then(|| end + behind.len() - behind.trim_start().len()),
        );
        let last = commas.1.map_or(end, |comma| comma + 1);
        let rest = &text[last..line_end(text, last)];
        let on_lines = text[line_start(text, key)..key].trim().is_empty()
            && rest.ends_with('\n')
            && rest.trim().is_empty();
        Some(Self { text, syntax, at: key..end, commas, on_lines })
    }

    /// The edits that take it away.
    pub(super) fn removal(&self) -> Vec<Edit> {
        let (text, Range { start, end }) = (self.text, self.at.clone());
        let delete = |start: usize, end: usize| ((start as u64, end as u64), String::new());
        let (before, behind) = self.commas;
        let last = behind.map_or(end, |comma| comma + 1);
        if self.on_lines {
            let lines = delete(self.first_line(), line_end(text, last));
            // What is the last entry now has no comma behind it.
            let comma = before.filter(|_| behind.is_none()).map(|comma| delete(comma, comma + 1));
            return comma.into_iter().chain([lines]).collect();
        }
        let blanks = |at: usize| text[at..].len() - text[at..].trim_start_matches([' ', '\t']).len();
        vec![match (before, behind) {
            (_, Some(_)) => delete(start, last + blanks(last)),
            (Some(comma), None) => delete(comma, end),
            (None, None) => delete(text[..start].trim_end_matches([' ', '\t']).len(), end + blanks(end)),
        }]
    }

    /// Where its lines begin, with the comments right above it.
    fn first_line(&self) -> usize {
        let mut first = line_start(self.text, self.at.start);
        while self.syntax == Syntax::Hcl && first > 0 {
            let above = line_start(self.text, first - 1);
            let line = self.text[above..first].trim_start();
            if !line.starts_with('#') && !line.starts_with("//") {
                break;
            }
            first = above;
        }
        first
    }

    /// Its text, as it is to be at this indentation.
    fn indented(&self, indent: usize) -> Option<String> {
        let line = line_start(self.text, self.at.start);
        let own = self.text[line..].len() - self.text[line..].trim_start_matches(' ').len();
        let first = if self.on_lines { self.first_line() } else { self.at.start };
        let mut out = String::new();
        for (n, line) in self.text[first..self.at.end].split_inclusive('\n').enumerate() {
            let body = line.trim_start_matches(' ');
            if n == 0 && !self.on_lines || body.trim().is_empty() {
                out.push_str(line);
                continue;
            }
            if body.starts_with('\t') && own != indent {
                return None;
            }
            let width = (line.len() - body.len() + indent).checked_sub(own)?;
            // The first line's indentation is the caller's.
            out.push_str(&" ".repeat(if n == 0 { 0 } else { width }));
            out.push_str(body);
        }
        Some(out)
    }

    /// The edit that puts it first among the entries of a mapping in braces, whose first key is at
    /// byte `first`; `nested`: in a new mapping `options` there.
    pub(super) fn insertion(&self, first: usize, nested: bool) -> Option<Edit> {
        let text = self.text;
        let line = line_start(text, first);
        let indent = first - line;
        let on_lines = text[line..first].bytes().all(|byte| byte == b' ');
        // Where it is the only entry already, nothing will follow it.
        let follows = first != self.at.start || self.commas.1.is_some();
        let comma = if !follows || on_lines && self.syntax == Syntax::Hcl { "" } else { "," };
        let whole = if on_lines && nested {
            let inner = self.indented(indent + 2)?;
            let (line, inside) = (line_break(text), " ".repeat(indent + 2));
            format!("{}{line}{inside}{inner}{line}{}}}", self.options(), " ".repeat(indent))
        } else if nested {
            let blank = if self.is_compact() || self.syntax == Syntax::Flow { "" } else { " " };
            format!("{}{blank}{}{blank}}}", self.options(), self.indented(0)?)
        } else {
            self.indented(if on_lines { indent } else { 0 })?
        };
        if on_lines {
            let at = line as u64;
            return Some(((at, at), format!("{}{whole}{comma}{}", " ".repeat(indent), line_break(text))));
        }
        let blank = if comma.is_empty() || self.is_compact() { "" } else { " " };
        Some(((first as u64, first as u64), format!("{whole}{comma}{blank}")))
    }

    /// The edit that puts it into an empty mapping, whose brace is at byte `brace`.
    pub(super) fn fill_empty(&self, brace: usize) -> Option<Edit> {
        let inside = self.text.get(brace..)?.strip_prefix('{')?;
        let blanks = inside.len() - inside.trim_start_matches([' ', '\t']).len();
        if !inside[blanks..].starts_with('}') {
            return None;
        }
        let range = (brace as u64 + 1, (brace + 1 + blanks) as u64);
        if self.on_lines {
            let line = &self.text[line_start(self.text, brace)..];
            let indent = line.len() - line.trim_start_matches(' ').len();
            let inner = format!("{}{}", " ".repeat(indent + 2), self.indented(indent + 2)?);
            let line = line_break(self.text);
            // Among YAML's blocks a brace at the indentation of its key is not for every parser.
            let is_block = self.syntax == Syntax::Flow && !self.text.trim_start().starts_with(['{', '[']);
            let end = if is_block { String::new() } else { format!("{line}{}", " ".repeat(indent)) };
            return Some((range, format!("{line}{inner}{end}")));
        }
        let blank = if self.is_compact() || self.syntax == Syntax::Flow { "" } else { " " };
        Some((range, format!("{blank}{}{blank}", self.indented(0)?)))
    }

    /// The edit that puts it into a mapping of block style.
    pub(super) fn below(&self, target: &Target) -> Option<Edit> {
        let text = self.indented(target.indent)?;
        let at = target.at as u64;
        let indent = " ".repeat(target.indent);
        Some(((at, at), format!("{}{indent}{text}{}", target.head, line_break(self.text))))
    }

    /// The key `options` written like this one's, up to its brace.
    fn options(&self) -> String {
        let text = &self.text[self.at.clone()];
        let (before, behind) = text.split_once("record_session").unwrap_or(("", ": "));
        let sign = behind.find('{').map_or(": ", |brace| &behind[..brace]);
        format!("{before}options{sign}{{")
    }

    fn is_compact(&self) -> bool {
        !self.text[self.at.clone()].contains(' ')
    }
}

/// Behind the value of the entry whose key is at byte `key`.
fn end_of_entry(text: &str, key: usize, syntax: Syntax) -> Option<usize> {
    let mut depth = 0_usize;
    let mut end = key;
    let mut is_start = true;
    let mut chars = text[key..].char_indices().map(|(at, c)| (key + at, c)).peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|&(_, c)| c);
        match c {
            ',' | '}' | ']' if depth == 0 => return Some(end),
            '\n' if depth == 0 && syntax == Syntax::Hcl => return Some(end),
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            '"' | '\'' if is_start || syntax == Syntax::Hcl => {
                let close = end_of_quotes(&text[at..], c, syntax)?;
                while chars.next_if(|&(inside, _)| inside < at + close).is_some() {}
                (end, is_start) = (at + close, false);
                continue;
            }
            // Comments, anchors that others may use, heredocs: nothing simple.
            '#' if syntax == Syntax::Hcl || text[..at].ends_with([' ', '\t', '\n']) => return None,
            '/' if syntax == Syntax::Hcl && matches!(next, Some('/' | '*')) => return None,
            '<' if syntax == Syntax::Hcl && next == Some('<') => return None,
            '&' | '*' if syntax == Syntax::Flow && is_start => return None,
            _ => {}
        }
        if !c.is_whitespace() {
            end = at + c.len_utf8();
            is_start = matches!(c, '{' | '[' | ',' | ':' | '=');
        }
    }
    None
}

/// Behind the closing quote of a text that begins with a quote.
fn end_of_quotes(text: &str, quote: char, syntax: Syntax) -> Option<usize> {
    let mut escaped = false;
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|&(_, c)| c);
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            '$' | '%' if syntax == Syntax::Hcl && next == Some('{') => return None,
            '\'' if quote == '\'' && next == Some('\'') => escaped = true,
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}
