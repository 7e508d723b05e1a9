//! Texts that hold YAML or JSON, such as heredocs: what is in them, each part at its place in the file.

use super::super::{NodeId, Span, Tree, TreeReader, Value};
use super::lines::index;
use super::term::{Budget, Origin, Spot, Term, What};
use crate::roles::split;

/// What surrounds the number of a hole in a text. Nobody writes these characters: they are for private use.
const HOLE: [char; 2] = ['\u{e000}', '\u{e001}'];

/// A text with the place of each part. What is interpolated and is no known text is a hole in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Text {
    shown: String,
    /// Where its parts are, in their order; without any, all of it is where the text is.
    pieces: Vec<Piece>,
    holes: Vec<Term>,
}

#[derive(Debug, Clone, Copy)]
struct Piece {
    /// Where it begins in the text.
    at: u32,
    spot: Spot,
    /// Whether it is written there letter by letter.
    exact: bool,
}

impl Piece {
    /// What is from `start` to `end` in the text, as far as it is in this piece.
    fn part(&self, start: usize, end: usize) -> Spot {
        if !self.exact {
            return self.spot;
        }
        let cut = |from: u32, to: u32| {
            let at = |offset: usize| from.saturating_add(index(offset).saturating_sub(self.at)).min(to);
            (at(start), at(end))
        };
        match self.spot.origin {
            None => {
                let (start, end) = cut(self.spot.start, self.spot.end);
                Spot { start, end, ..self.spot }
            }
            Some(origin) => {
                let (start, end) = cut(origin.start, origin.end);
                Spot { origin: Some(Origin { start, end, ..origin }), ..self.spot }
            }
        }
    }
}

impl Text {
    /// Its bytes.
    pub(super) fn len(&self) -> usize {
        self.shown.len()
    }

    /// The text, if it is wholly known.
    pub(super) fn known(&self) -> Option<&str> {
        self.holes.is_empty().then_some(&self.shown)
    }

    /// The text if it is wholly known.
    pub(super) fn into_known(self) -> Option<String> {
        self.holes.is_empty().then_some(self.shown)
    }

    /// The text, with marks for what is not known.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Adds a known text that is interpolated at `spot`.
    pub(super) fn push(&mut self, text: &str, spot: Spot) {
        self.pieces.push(Piece { at: index(self.shown.len()), spot, exact: false });
        self.shown.push_str(text);
    }

    /// Adds what is interpolated at `spot` and is no known text.
    pub(super) fn push_hole(&mut self, term: Term, spot: Spot) {
        let hole = format!("{}{}{}", HOLE[0], self.holes.len(), HOLE[1]);
        self.push(&hole, spot);
        self.holes.push(term);
    }

    /// Adds a literal at `spot`. `written`: the byte of the file that it begins at, and how it is written
    /// there: with more indentation, or with escapes. False if it can't be told from holes.
    pub(super) fn push_literal(&mut self, text: &str, written: Option<(usize, &str)>, spot: Spot) -> bool {
        if text.contains(HOLE) {
            return false;
        }
        let lines = |text: &str| text.split('\n').count();
        let Some((mut start, raw)) = written.filter(|(_, raw)| lines(raw) == lines(text)) else {
            self.push(text, spot);
            return true;
        };
        for (line, raw) in text.split_inclusive('\n').zip(raw.split_inclusive('\n')) {
            let (body, raw_body) = (line.trim_end_matches(['\r', '\n']), raw.trim_end_matches(['\r', '\n']));
            let exact = raw_body.ends_with(body);
            let before = if exact { raw_body.len() - body.len() } else { 0 };
            let spot = Spot::new(start + before..start + raw_body.len());
            self.pieces.push(Piece { at: index(self.shown.len()), spot, exact });
            self.shown.push_str(line);
            start += raw.len();
        }
        true
    }

    /// The same text, seen from elsewhere.
    pub(super) fn through(&self, file: u32, at: Spot, seen: impl Fn(&Term) -> Term) -> Self {
        let piece = |piece: &Piece| Piece { spot: piece.spot.through(file, at), ..*piece };
        Self {
            shown: self.shown.clone(),
            pieces: self.pieces.iter().map(piece).collect(),
            holes: self.holes.iter().map(seen).collect(),
        }
    }

    /// Where the part from `start` to `end` is; `whole`: where the text is.
    fn spot(&self, start: usize, end: usize, whole: Spot) -> Spot {
        Spot { in_text: true, ..self.parts(start, end, whole) }
    }

    fn parts(&self, start: usize, end: usize, whole: Spot) -> Spot {
        let nth = |at: usize| self.pieces.partition_point(|piece| piece.at as usize <= at).checked_sub(1);
        let last = end.saturating_sub(1).max(start);
        let (Some(first), Some(last)) = (nth(start), nth(last)) else { return whole };
        let from = self.pieces[first].part(start, end);
        if first == last {
            return from;
        }
        let to = self.pieces[last].part(start.max(self.pieces[last].at as usize), end);
        match (from.origin, to.origin) {
            (None, None) => Spot { end: to.end.max(from.end), ..from },
            (Some(origin), Some(until)) if origin.file == until.file => {
                Spot { origin: Some(Origin { end: until.end.max(origin.end), ..origin }), ..from }
            }
            _ => from,
        }
    }
}

/// A document of a text, or why it can't be read.
pub(super) type Document = Result<Term, (&'static str, Spot)>;

/// The documents of a text of YAML or JSON.
pub(super) fn documents(text: &Text, whole: Spot, budget: &Budget) -> Vec<Document> {
    let all = split::documents(&text.shown);
    let all = all.filter(|(_, document)| document.trim_start_matches("---").trim_ascii() != "");
    all.map(|(start, document)| {
        let spot = text.spot(start, start + document.len(), whole);
        let converter = Converter { text, start, whole, budget };
        converter.document(document).ok_or(("its YAML is not well-formed", spot))
    })
    .collect()
}

/// The value of a text that is one document of YAML or JSON.
pub(super) fn decode(term: &Term, budget: &Budget) -> Option<Term> {
    let text = match &term.what {
        What::Encoded { value, .. } => return Some((**value).clone()),
        What::Text(text) => (**text).clone(),
        What::Scalar { text, plain: false } => text_of(text),
        _ => return None,
    };
    if !budget.take(text.len()) {
        return None;
    }
    let mut documents = documents(&text, term.spot, budget);
    if documents.len() == 1 { documents.pop()?.ok() } else { None }
}

/// A scalar's text, all of it where the scalar is.
pub(super) fn text_of(text: &str) -> Text {
    Text { shown: text.to_owned(), ..Text::default() }
}

/// Makes terms of what is read from a text.
struct Converter<'a> {
    text: &'a Text,
    /// Where the document begins in the text.
    start: usize,
    whole: Spot,
    budget: &'a Budget,
}

impl Converter<'_> {
    fn document(&self, document: &str) -> Option<Term> {
        let (mut roots, mut items) = (Vec::new(), Vec::new());
        let read = TreeReader::default().read(document, None, |tree, id| {
            // The reader hands an array over item by item.
            let all = if id == 0 { &mut roots } else { &mut items };
            all.push(self.term(tree, id));
        });
        read.ok()?;
        match (roots.len(), items.is_empty()) {
            (1, true) => roots.pop(),
            (0, false) => {
                let spot = self.text.spot(self.start, self.start + document.len(), self.whole);
                Some(Term { spot, what: What::List(items) })
            }
            _ => None,
        }
    }

    fn spot(&self, span: Span) -> Spot {
        self.text.spot(self.start + span.start as usize, self.start + span.end as usize, self.whole)
    }

    fn term(&self, tree: &Tree<'_>, id: NodeId) -> Term {
        let spot = self.spot(tree.span(id));
        let length = tree.text(id).map_or(0, str::len);
        if !self.budget.take(length) {
            return Term::unknown(spot);
        }
        if let Some(items) = tree.items(id) {
            return Term {
                spot,
                what: What::List(items.iter().map(|&item| self.term(tree, item)).collect()),
            };
        }
        if let Some(entries) = tree.entries(id) {
            let entries = entries.map(|(key, value)| (self.key(tree, key), self.term(tree, value)));
            return Term { spot, what: What::Object(entries.collect()) };
        }
        let Value::Scalar { text, plain } = tree.value(id) else { return Term::unknown(spot) };
        if !text.contains(HOLE) {
            if tree.is_null(id) {
                return Term::scalar(spot, "null", true);
            }
            let is_text = !matches!(&**text, "true" | "false" | "<<") && text.parse::<f64>().is_err();
            return Term::scalar(spot, &**text, *plain && !is_text);
        }
        let number = text.strip_prefix(HOLE[0]).and_then(|rest| rest.strip_suffix(HOLE[1]));
        let hole = number.and_then(|number| self.text.holes.get(number.parse::<usize>().ok()?));
        match hole.map(|hole| &hole.what) {
            // In quotes it is a text, and YAML in lines of its own can't stand behind a key.
            Some(What::Encoded { value, json }) if *plain && (*json || id == 0) => (**value).clone(),
            _ => Term::unknown(spot),
        }
    }

    fn key(&self, tree: &Tree<'_>, id: NodeId) -> Term {
        let key = self.term(tree, id);
        match key.what {
            What::Scalar { .. } => key,
            _ => Term::unknown(key.spot),
        }
    }
}
