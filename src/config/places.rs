//! From the YAML parser's values and errors to places in a file, for every configuration there is.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_yaml::Location;

use super::ConfigError;
use crate::roles::{Mark, Site};

/// The error without its place, which is shown in front of it.
fn message(error: &serde_yaml::Error) -> String {
    let text = error.without_snippet().to_string();
    let text = text.lines().next().unwrap_or_default();
    // What follows speaks of the parser's own options.
    let ends = [" at line ", ", set "].map(|end| text.find(end).unwrap_or(text.len()));
    let text = &text[..ends[0].min(ends[1])];
    // What a reader of YAML knows, in place of what the parser calls it.
    let plain = match text {
        "expected sequence start" => "expected a list",
        "expected mapping start" => "expected a mapping",
        text if text.starts_with("cannot deserialize null into string") => "expected a text",
        text if text.starts_with("multiple YAML documents") => "a configuration is one document",
        text => text,
    };
    plain.to_owned()
}

/// Turns the parser's locations in a text into places in the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places<'a> {
    /// The file's text.
    pub(crate) text: &'a str,
    /// Its name in messages.
    pub(crate) name: &'a Arc<str>,
}

impl Places<'_> {
    /// The text as a value of this shape.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        let options = serde_yaml::options! { with_snippet: false };
        serde_yaml::from_str_with_options(self.text, options).map_err(|error| {
            let at = error.location().map_or_else(|| self.whole(), |location| self.site(location));
            ConfigError { message: message(&error), at }
        })
    }

    pub(crate) fn whole(&self) -> Site {
        Site { file: Arc::clone(self.name), mark: None }
    }

    pub(crate) fn site(&self, location: Location) -> Site {
        let span = location.span();
        let start = span.byte_offset().and_then(|start| usize::try_from(start).ok()).unwrap_or(0);
        let length = span.byte_len().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        let (start, end) = (start.min(self.text.len()), start.saturating_add(length).min(self.text.len()));
        Site { file: Arc::clone(self.name), mark: Some(Mark::in_text(self.text, start, end)) }
    }

    pub(crate) fn error<T>(&self, location: Location, message: impl Into<String>) -> Result<T, ConfigError> {
        Err(ConfigError { message: message.into(), at: self.site(location) })
    }
}
