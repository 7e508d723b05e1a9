//! The edits that repair a finding, worked out on the text of its file. Whether they may be made is
//! decided in [`repair`](super::repair), which reads the outcome again.

use crate::roles::{Layout, Mark, Problem, Site, Survey};

use super::Fix;

/// Replaces a slip by the right word, keeping its quotes, if it is near enough to leave no doubt.
pub(super) fn spelling(survey: &Survey, at: &Site, right: &str) -> Option<Fix> {
    let mark = at.mark.as_ref()?;
    let text = survey.file(&at.file)?.text.as_deref()?;
    let (mut start, mut end) = range(mark)?;
    let mut written = text.get(start..end)?;
    for quote in ['"', '\''] {
        if written.len() > 1 && written.starts_with(quote) && written.ends_with(quote) {
            (start, end) = (start + 1, end - 1);
            written = text.get(start..end)?;
        }
    }
    let plain = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' ');
    let allowed = if right.len() > 6 { 2 } else { 1 };
    let near = strsim::damerau_levenshtein(&plain(written), &plain(right)) <= allowed;
    let is_slip = near && !written.is_empty() && written.chars().all(is_word);
    is_slip.then(|| Fix { edits: vec![((start as u64, end as u64), right.to_owned())] })
}

/// Moves a misplaced `record_session` of block YAML under `spec.options`, with its comments. None
/// where there is one already or the text's shape gives no simple answer.
pub(super) fn to_options(survey: &Survey, problem: &Problem) -> Option<Fix> {
    let mark = problem.site.mark.as_ref()?;
    let text = survey.file(&problem.site.file)?.text.as_deref()?;
    let name = problem.role.as_ref()?;
    let mut named =
        survey.roles.iter().filter(|role| role.role.name == *name && role.role.at.file == problem.site.file);
    let (role, None) = (named.next()?, named.next()) else { return None };
    if role.record_session.is_some() {
        return None;
    }
    let (key, _) = range(mark)?;
    let block = Block::at(text, key)?;
    let target = Target::of(text, &role.layout)?;
    let spec_line = role.layout.spec.as_ref().and_then(|spec| Some(line_start(text, range(&spec.key)?.0)))?;

    let mut moved = target.head;
    for line in text[block.start..block.end].split_inclusive('\n') {
        let body = line.trim_start_matches(' ');
        let indent = line.len() - body.len();
        if body.trim().is_empty() {
            moved.push_str(line);
            continue;
        }
        let indent = (indent + target.indent).checked_sub(block.indent)?;
        moved.push_str(&" ".repeat(indent));
        moved.push_str(body);
    }
    if !moved.ends_with('\n') {
        moved.push_str(line_break(text));
    }
    let start = block.without_empty_parents(text, spec_line);
    if (start..block.end).contains(&target.at) && target.at != start {
        return None;
    }
    let at = target.at as u64;
    Some(Fix { edits: vec![((at, at), moved), ((start as u64, block.end as u64), String::new())] })
}

/// Removes a comment: its line if nothing else is on it, else what is before the line's end.
pub(super) fn remove_comment(text: &str, mark: &Mark, alone: bool) -> Option<Fix> {
    let (start, end) = range(mark)?;
    text.get(start..end)?;
    let (start, end) = if alone {
        (line_start(text, start), line_end(text, end))
    } else {
        let before = &text[..start];
        (before.trim_end_matches([' ', '\t']).len(), end)
    };
    Some(Fix { edits: vec![((start as u64, end as u64), String::new())] })
}

/// Lines of block YAML: a key and its value.
struct Block {
    start: usize,
    end: usize,
    indent: usize,
}

impl Block {
    /// The key at byte `key`, which has to be the first thing on its line.
    fn at(text: &str, key: usize) -> Option<Self> {
        let start = line_start(text, key);
        let indent = key - start;
        if !text.get(start..key)?.bytes().all(|byte| byte == b' ') || indent == 0 {
            return None;
        }
        let mut first = start;
        // Comments right above it belong to it.
        while first > 0 {
            let above = line_start(text, first - 1);
            let line = &text[above..first];
            if line.trim_start_matches(' ').starts_with('#') && line.find('#') == Some(indent) {
                first = above;
            } else {
                break;
            }
        }
        let mut end = line_end(text, key);
        let mut seen = end;
        for line in text[end..].split_inclusive('\n') {
            seen += line.len();
            let body = line.trim_start_matches(' ');
            if body.trim().is_empty() {
                continue;
            }
            if line.len() - body.len() <= indent {
                break;
            }
            end = seen;
        }
        Some(Self { start: first, end, indent })
    }

    /// Where it starts when the keys above go with it that hold nothing else, down to `spec`.
    fn without_empty_parents(&self, text: &str, spec_line: usize) -> usize {
        let (mut start, mut indent) = (self.start, self.indent);
        loop {
            let above = text[..start].trim_end_matches('\n').trim_end_matches('\r');
            let parent = line_start(text, above.len());
            let line = text[parent..start].trim_end();
            let own = line.len() - line.trim_start_matches(' ').len();
            let is_key = line.ends_with(':') && !line.trim_start().starts_with(['#', '-']) && own < indent;
            let next = text[self.end..].lines().find(|line| !line.trim().is_empty());
            let next = next.map_or(0, |line| line.len() - line.trim_start_matches(' ').len());
            if !is_key || parent <= spec_line || parent == start || next > own {
                return start;
            }
            (start, indent) = (parent, own);
        }
    }
}

/// Where a `record_session` is to go.
struct Target {
    at: usize,
    indent: usize,
    head: String,
}

impl Target {
    fn of(text: &str, layout: &Layout) -> Option<Self> {
        let (block, nested) = match (&layout.options, &layout.spec) {
            (Some(options), _) => (options, false),
            (None, Some(spec)) if !layout.has_options => (spec, true),
            _ => return None,
        };
        let (key, _) = range(&block.key)?;
        let (first, _) = range(&block.first)?;
        let line = line_start(text, first);
        let indent = first - line;
        // In block style, and the first key not on the line of the mapping's own.
        if line <= key || !text[line..first].bytes().all(|byte| byte == b' ') {
            return None;
        }
        let at = line_end(text, key);
        if !nested {
            return Some(Self { at, indent, head: String::new() });
        }
        let head = format!("{}options:{}", " ".repeat(indent), line_break(&text[key..]));
        Some(Self { at, indent: indent + 2, head })
    }
}

fn range(mark: &Mark) -> Option<(usize, usize)> {
    Some((usize::try_from(mark.bytes.0).ok()?, usize::try_from(mark.bytes.1).ok()?))
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// Behind the line break.
fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |newline| at + newline + 1)
}

fn line_break(text: &str) -> &'static str {
    if text.split_inclusive('\n').next().is_some_and(|line| line.ends_with("\r\n")) { "\r\n" } else { "\n" }
}
