//! The edits that repair a finding, worked out on the text of its file. Whether they may be made is
//! decided in [`repair`](super::repair), which reads the outcome again.

mod braces;

use crate::roles::{self, Layout, Mark, Problem, ProblemKind, Site, Survey, WrittenRole};

use self::braces::{Entry, Syntax};
use super::Fix;
use crate::spelling;

/// A range of bytes, and the text that replaces it.
type Edit = ((u64, u64), String);

/// Whether two texts are the same word, but for case, spaces, hyphens and underscores.
pub(super) fn is_same_word(written: &str, right: &str) -> bool {
    written.chars().all(is_word) && !written.starts_with('-') && plain(written) == plain(right)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' ')
}

fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether what is written could mean the opposite of the right word: something before it, such as `un` or
/// `no`, or such a word behind it. A first letter typed twice is a slip.
fn may_negate(written: &str, right: &str) -> bool {
    const BEHIND: [&str; 9] = ["no", "not", "non", "n", "0", "off", "false", "none", "never"];
    let (plain, right) = (plain(written), plain(right));
    let before =
        plain.strip_suffix(&right).is_some_and(|before| !before.is_empty() && !right.starts_with(before));
    let behind = plain.strip_prefix(&right).is_some_and(|behind| BEHIND.contains(&behind));
    written.trim_start().starts_with('-') || before || behind
}

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
    let allowed = if right.len() > 6 { 2 } else { 1 };
    let near = spelling::slips(&plain(written), &plain(right), allowed).is_some();
    let is_slip = near && !may_negate(written, right) && !written.is_empty() && written.chars().all(is_word);
    is_slip.then(|| Fix { edits: vec![((start as u64, end as u64), right.to_owned())] })
}

/// Moves a misplaced `record_session` under `spec.options`, with its comments. None where there is one
/// already or the text's shape gives no simple answer.
pub(super) fn to_options(survey: &Survey, problem: &Problem) -> Option<Fix> {
    let mark = problem.site.mark.as_ref()?;
    let text = survey.file(&problem.site.file)?.text.as_deref()?;
    let name = problem.role.as_ref()?;
    let mut named = survey
        .roles
        .iter()
        .filter(|role| role.role.name == *name && role.role.at.file == problem.site.file)
        .filter(|role| role.set == problem.set);
    let (role, None) = (named.next()?, named.next()) else { return None };
    if role.record_session.is_some() {
        return None;
    }
    let (key, end) = range(mark)?;
    // What comes from somewhere else, by a local of Terraform, can't be moved here.
    if !text.get(key..end)?.contains("record_session") {
        return None;
    }
    let ProblemKind::Misplaced { in_braces, .. } = problem.kind else { return None };
    let is_hcl = roles::is_terraform(&problem.site.file);
    if is_hcl || in_braces {
        let entry = Entry::at(text, key, if is_hcl { Syntax::Hcl } else { Syntax::Flow })?;
        return out_of_braces(text, role, &entry, is_hcl);
    }
    let block = Block::at(text, key)?;
    let (target, braces) = if let Some(target) = Target::of(text, &role.layout) {
        (target, None)
    } else {
        let (target, braces) = Target::of_empty(text, role.layout.empty_options.as_ref()?)?;
        (target, Some((braces, String::new())))
    };
    let spec_line = role.layout.spec.as_ref().and_then(|spec| Some(line_start(text, range(&spec.key)?.0)))?;

    let (start, comments) = block.without_empty_parents(text, spec_line);
    let mut moved = target.head;
    for comment in comments {
        moved.push_str(&" ".repeat(target.indent));
        moved.push_str(comment);
    }
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
    if (start..block.end).contains(&target.at) && target.at != start {
        return None;
    }
    let at = target.at as u64;
    let moved = ((at, at), moved);
    let removed = ((start as u64, block.end as u64), String::new());
    Some(Fix { edits: braces.into_iter().chain([moved, removed]).collect() })
}

/// Moves an entry of a mapping in braces to where there is room for it.
fn out_of_braces(text: &str, role: &WrittenRole, entry: &Entry<'_>, is_hcl: bool) -> Option<Fix> {
    let layout = &role.layout;
    let first = |block: &roles::Block| range(&block.first).map(|(first, _)| first);
    let new = match (&layout.options, &layout.empty_options, &layout.spec) {
        (Some(options), ..) if is_hcl || options.in_braces => entry.insertion(first(options)?, false)?,
        (None, Some(empty), _) => entry.fill_empty(range(empty)?.0)?,
        (None, None, Some(spec)) if !layout.has_options && (is_hcl || spec.in_braces) => {
            entry.insertion(first(spec)?, true)?
        }
        _ => entry.below(&Target::of(text, layout)?)?,
    };
    let mut edits = entry.removal();
    let (mut at, new) = new;
    // What is put where something is taken away is put in front of it.
    if let Some(((start, _), _)) = edits.iter().find(|((start, end), _)| (*start..*end).contains(&at.0))
        && at.0 == at.1
    {
        at = (*start, *start);
    }
    edits.insert(0, (at, new));
    Some(Fix { edits })
}

/// Removes the rules that are of no use from the list of a comment that names others too.
pub(super) fn shorten_list(text: &str, mark: &Mark, kept: &[&str]) -> Option<Fix> {
    let (start, end) = range(mark)?;
    let comment = text.get(start..end)?;
    let open = comment.find('[')? + 1;
    let close = open + comment[open..].find(']')?;
    let edit = (((start + open) as u64, (start + close) as u64), kept.join(", "));
    Some(Fix { edits: vec![edit] })
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

    /// Where it starts when the keys above go with it that hold nothing else, down to `spec`; and the
    /// comments right above those keys, which go where it goes.
    fn without_empty_parents<'t>(&self, text: &'t str, spec_line: usize) -> (usize, Vec<&'t str>) {
        let (mut start, mut indent) = (self.start, self.indent);
        let mut comments = Vec::new();
        loop {
            let above = text[..start].trim_end_matches('\n').trim_end_matches('\r');
            let parent = line_start(text, above.len());
            let line = text[parent..start].trim_end();
            let own = line.len() - line.trim_start_matches(' ').len();
            let is_key = line.ends_with(':') && !line.trim_start().starts_with(['#', '-']) && own < indent;
            let next = text[self.end..].lines().find(|line| !line.trim().is_empty());
            let next = next.map_or(0, |line| line.len() - line.trim_start_matches(' ').len());
            if !is_key || parent <= spec_line || parent == start || next > own {
                return (start, comments);
            }
            (start, indent) = (parent, own);
            while start > 0 {
                let above = line_start(text, start - 1);
                let line = &text[above..start];
                if line.find('#') != Some(own) || !line[..own].trim_start_matches(' ').is_empty() {
                    break;
                }
                comments.insert(0, line.trim_start());
                start = above;
            }
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
        if block.in_braces {
            return None;
        }
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

impl Target {
    /// Below an `options: {}`, and the braces, which have to go then.
    fn of_empty(text: &str, empty: &Mark) -> Option<(Self, (u64, u64))> {
        let (brace, _) = range(empty)?;
        let line = line_start(text, brace);
        let own = text[line..brace].len() - text[line..brace].trim_start_matches(' ').len();
        let key = text[line + own..brace].trim_end().len();
        let end = line_end(text, brace);
        let inside = text[brace..end].strip_prefix('{')?.trim_start_matches([' ', '\t']).strip_prefix('}')?;
        let is_rest = inside.trim().is_empty() || inside.trim_start().starts_with('#');
        if text[line + own..brace].trim_end() != "options:" || !is_rest || !text[..end].ends_with('\n') {
            return None;
        }
        let braces = ((line + own + key) as u64, (end - inside.len()) as u64);
        Some((Self { at: end, indent: own + 2, head: String::new() }, braces))
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
