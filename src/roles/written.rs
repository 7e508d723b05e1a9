//! How roles are written: the places of what they say, and the comments beside it.

use std::sync::Arc;

use super::problem::{Mark, Site};
use super::sets::{InSet, SetKey};
use crate::policy::{OptionName, Role};

/// A comment that speaks to this program: `# recmode: …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// The text behind `recmode:`, trimmed.
    pub text: Box<str>,
    /// The whole comment.
    pub mark: Mark,
    /// Whether nothing else is on its line.
    pub alone: bool,
    /// The line that it is about: its own, or where nothing else is on that, the next one that is no
    /// comment.
    pub line: u32,
}

/// A role, and how it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenRole {
    /// What it says.
    pub role: Arc<Role>,
    /// The set of roles that it is in.
    pub set: SetKey,
    /// Its name.
    pub name: Mark,
    /// Its `version`, and where.
    pub version: Option<(Box<str>, Mark)>,
    /// The key `record_session`, if it is where it belongs.
    pub record_session: Option<Mark>,
    /// Where there is room for a `record_session`.
    pub layout: Layout,
    /// The keys of `record_session` that it knows and that have a right value.
    pub options: Vec<WrittenOption>,
    /// Whether this is what a patch of kustomize makes of the role of this name; its options are those of
    /// the patch.
    pub is_patched: bool,
}

/// The mappings of a role that lead to `record_session`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// `spec`, if it is a mapping and not empty.
    pub spec: Option<Block>,
    /// `spec.options`, likewise.
    pub options: Option<Block>,
    /// The value of `spec.options`, where that is an empty mapping.
    pub empty_options: Option<Mark>,
    /// Whether there is a key `spec.options`, whatever it holds.
    pub has_options: bool,
}

/// A mapping with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The key that it is the value of.
    pub key: Mark,
    /// Its first key.
    pub first: Mark,
    /// Whether it is in braces: JSON, or YAML's flow style.
    pub in_braces: bool,
}

/// A key of `record_session`, and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenOption {
    /// Which one.
    pub option: OptionName,
    /// Where the key is.
    pub key: Mark,
    /// Where the value is.
    pub value: Mark,
}

impl WrittenRole {
    /// The place of its name.
    #[must_use]
    pub fn site(&self) -> Site {
        self.site_of(&self.name)
    }

    /// A place in the role's file.
    #[must_use]
    pub fn site_of(&self, mark: &Mark) -> Site {
        Site { file: Arc::clone(&self.role.at.file), mark: Some(mark.clone()) }
    }

    /// How an option is written.
    #[must_use]
    pub fn option(&self, option: OptionName) -> Option<&WrittenOption> {
        self.options.iter().find(|written| written.option == option)
    }
}

impl InSet for WrittenRole {
    fn set(&self) -> &SetKey {
        &self.set
    }
    fn set_mut(&mut self) -> &mut SetKey {
        &mut self.set
    }
    fn file(&self) -> &Arc<str> {
        &self.role.at.file
    }
}
