//! A glob of names or paths, and where it is written.

use globset::{Glob, GlobBuilder, GlobMatcher};

use crate::roles::Site;

/// A glob: `*`, `?`, `[…]`, `{a,b}`; in paths `*` stops at `/` and `**` does not.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// The glob as it is written.
    pub text: String,
    /// Where.
    pub at: Site,
    matcher: GlobMatcher,
}

impl Pattern {
    /// A glob of names, in which `*` is anything.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn name(text: &str, at: Site) -> Result<Self, String> {
        Self::new(Glob::new(text), text, at)
    }

    /// A glob of paths.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn path(text: &str, at: Site) -> Result<Self, String> {
        Self::new(GlobBuilder::new(text).literal_separator(true).build(), text, at)
    }

    fn new(glob: Result<Glob, globset::Error>, text: &str, at: Site) -> Result<Self, String> {
        let glob = glob.map_err(|error| error.kind().to_string())?;
        Ok(Self { text: text.to_owned(), at, matcher: glob.compile_matcher() })
    }

    /// Whether it matches all of `text`.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.matcher.is_match(text)
    }
}
