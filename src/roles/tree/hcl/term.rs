//! What an expression is known to be, with the place of each part: a tree in which some parts may be
//! unknown. Evaluates nothing.

use std::cell::Cell;
use std::ops::Range;

use super::lines::index;
use super::text::Text;
use crate::roles::limits;

/// A place in a file of the module: where a value is written that comes from a local.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::roles) struct Origin {
    /// The number of the file in its module.
    pub(super) file: u32,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// Where a value is in the file that is read.
///
/// A value that comes from a local is where the file refers to the local. Its literal, which may be
/// in another file, is the origin. So a place never leaves its file, and no edit is made there: what is
/// written at the place is not the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Spot {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) origin: Option<Origin>,
    /// Whether it is in a text that is itself a value, such as a heredoc of YAML.
    pub(super) in_text: bool,
}

impl Spot {
    pub(super) fn new(at: Range<usize>) -> Self {
        Self { start: index(at.start), end: index(at.end), ..Self::default() }
    }

    /// The same value, seen from a reference at `at` to a local of the module's file `file`.
    pub(super) fn through(self, file: u32, at: Self) -> Self {
        let origin = self.origin.unwrap_or(Origin { file, start: self.start, end: self.end });
        Self { origin: Some(origin), ..at }
    }
}

/// What an expression is known to be.
#[derive(Debug, Clone)]
pub(super) struct Term {
    pub(super) spot: Spot,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Scalar {
        text: Box<str>,
        /// Whether it is a number, a boolean or null, or a merge key of YAML.
        plain: bool,
    },
    /// A text of several lines, or one that is not wholly known.
    Text(Box<Text>),
    List(Vec<Term>),
    /// Keys are scalars, or unknown.
    Object(Vec<(Term, Term)>),
    /// The text of this value as JSON or YAML, whose letters don't matter.
    Encoded {
        value: Box<Term>,
        /// Whether it is JSON, which may be a part of a text of YAML.
        json: bool,
    },
    Unknown,
}

/// What evaluation may still cost.
#[derive(Debug)]
pub(super) struct Budget(Cell<usize>);

impl Default for Budget {
    fn default() -> Self {
        Self(Cell::new(limits::MAX_EVALUATED_BYTES))
    }
}

impl Budget {
    /// Takes the cost of a part with this many bytes of text; false if that is too much.
    pub(super) fn take(&self, text: usize) -> bool {
        const PART: usize = 128;
        let left = self.0.get().checked_sub(text + PART);
        self.0.set(left.unwrap_or(0));
        left.is_some()
    }
}

impl Term {
    pub(super) fn unknown(spot: Spot) -> Self {
        Self { spot, what: What::Unknown }
    }

    pub(super) fn scalar(spot: Spot, text: impl Into<Box<str>>, plain: bool) -> Self {
        Self { spot, what: What::Scalar { text: text.into(), plain } }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(&self.what, What::Scalar { text, plain: true } if **text == *"null")
    }

    /// The text that it is inside of a template, if that is known.
    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.what {
            What::Scalar { text, plain: false } => Some(text),
            // Other numbers may be written in another way than they are shown.
            What::Scalar { text, plain: true } => {
                let is_shown_so = matches!(&**text, "true" | "false")
                    || text.parse::<i64>().is_ok_and(|number| number.to_string() == **text);
                is_shown_so.then_some(text)
            }
            What::Text(text) => text.known(),
            _ => None,
        }
    }

    /// The value of this key, if it is known which one that is.
    pub(super) fn attribute(&self, name: &str) -> Option<&Self> {
        let What::Object(entries) = &self.what else { return None };
        if entries.iter().any(|(key, _)| key.name().is_none()) {
            return None;
        }
        entries.iter().rev().find(|(key, _)| key.name() == Some(name)).map(|(_, value)| value)
    }

    /// The key that it is, if that is known; not for a merge key of YAML, which stands for others.
    pub(super) fn name(&self) -> Option<&str> {
        match &self.what {
            What::Scalar { text, plain } if !(*plain && **text == *"<<") => Some(text),
            _ => None,
        }
    }

    /// How many parts it has.
    pub(super) fn len(&self) -> usize {
        match &self.what {
            What::List(items) => items.len(),
            What::Object(entries) => entries.len(),
            _ => 0,
        }
    }

    pub(super) fn item(&self, number: usize) -> Option<&Self> {
        match &self.what {
            What::List(items) => items.get(number),
            _ => None,
        }
    }

    /// The same value, seen from a reference at `at` to a local of the module's file `file`. What is too
    /// deep or too much is unknown.
    pub(super) fn through(&self, file: u32, at: Spot, budget: &Budget) -> Self {
        self.seen(file, at, budget, 0)
    }

    fn seen(&self, file: u32, at: Spot, budget: &Budget, depth: usize) -> Self {
        let spot = self.spot.through(file, at);
        let length = match &self.what {
            What::Scalar { text, .. } => text.len(),
            What::Text(text) => text.len(),
            _ => 0,
        };
        if depth >= limits::MAX_DEPTH || !budget.take(length) {
            return Self::unknown(spot);
        }
        let seen = |term: &Self| term.seen(file, at, budget, depth + 1);
        let what = match &self.what {
            What::Text(text) => What::Text(Box::new(text.through(file, at, seen))),
            What::List(items) => What::List(items.iter().map(seen).collect()),
            What::Object(entries) => {
                What::Object(entries.iter().map(|(key, value)| (seen(key), seen(value))).collect())
            }
            What::Encoded { value, json } => What::Encoded { value: Box::new(seen(value)), json: *json },
            What::Scalar { .. } | What::Unknown => self.what.clone(),
        };
        Self { spot, what }
    }
}
