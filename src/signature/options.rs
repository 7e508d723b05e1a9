//! The options before a key in a file of signers, as ssh-keygen(1) reads them. Pure.

use jiff::tz::TimeZone;

use super::pattern;
use super::time::absolute_time;

/// What a line lets its key do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// The key signs certificates, not texts.
    pub(super) authority: bool,
    namespaces: Option<Vec<u8>>,
    /// Seconds since 1970.
    valid_after: Option<i64>,
    valid_before: Option<i64>,
}

impl Options {
    /// Whether the key may sign in this namespace.
    pub(super) fn allow(&self, namespace: &str) -> bool {
        self.namespaces.as_ref().is_none_or(|list| pattern::list_matches(list, namespace.as_bytes()))
    }

    /// Whether the key is valid then; both ends are included.
    pub(super) fn valid_at(&self, seconds: i64) -> bool {
        self.valid_after.is_none_or(|after| after <= seconds)
            && self.valid_before.is_none_or(|before| seconds <= before)
    }

    /// Reads them up to the first blank.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn parse(mut text: &[u8], zone: &TimeZone) -> Result<Self, &'static str> {
        let mut options = Self::default();
        while !matches!(text.first(), None | Some(b' ' | b'\t')) {
            if let Some(rest) = after(text, "cert-authority") {
                options.authority = true;
                text = rest;
            } else if let Some(rest) = after(text, "namespaces=") {
                let (value, rest) = quoted(rest)?;
                if options.namespaces.replace(value).is_some() {
                    return Err("two \"namespaces\" options");
                }
                text = rest;
            } else if let Some(rest) = after(text, "valid-after=") {
                let (value, rest) = time(rest, zone)?;
                if options.valid_after.replace(value).is_some() {
                    return Err("two \"valid-after\" options");
                }
                text = rest;
            } else if let Some(rest) = after(text, "valid-before=") {
                let (value, rest) = time(rest, zone)?;
                if options.valid_before.replace(value).is_some() {
                    return Err("two \"valid-before\" options");
                }
                text = rest;
            }
            match text {
                [] | [b' ' | b'\t', ..] => break,
                [b','] => return Err("options that end in a comma"),
                [b',', rest @ ..] => text = rest,
                _ => return Err("an option that is not known"),
            }
        }
        match (options.valid_after, options.valid_before) {
            (Some(after), Some(before)) if before <= after => {
                Err("\"valid-before\" is not after \"valid-after\"")
            }
            _ => Ok(options),
        }
    }
}

/// What follows a name, in any case.
fn after<'a>(text: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let (start, rest) = text.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name.as_bytes()).then_some(rest)
}

/// A value in quotes, in which `\"` is a quote, and what follows it.
fn quoted(text: &[u8]) -> Result<(Vec<u8>, &[u8]), &'static str> {
    let mut rest = text.strip_prefix(b"\"").ok_or("an option's value without quotes")?;
    let mut value = Vec::new();
    loop {
        match rest {
            [b'\\', b'"', after @ ..] => {
                value.push(b'"');
                rest = after;
            }
            [b'"', after @ ..] => return Ok((value, after)),
            [byte, after @ ..] => {
                value.push(*byte);
                rest = after;
            }
            [] => return Err("a quote that does not end"),
        }
    }
}

fn time<'a>(text: &'a [u8], zone: &TimeZone) -> Result<(i64, &'a [u8]), &'static str> {
    let (value, rest) = quoted(text)?;
    let seconds = std::str::from_utf8(&value).ok().and_then(|value| absolute_time(value, zone));
    Ok((seconds.ok_or("a time that can't be read")?, rest))
}
