//! Who may sign: the ALLOWED SIGNERS file of ssh-keygen(1).

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use ssh_key::PublicKey;
use ssh_key::authorized_keys::ConfigOpts;
use ssh_key::public::KeyData;

use super::NAMESPACE;

/// What is wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct SignersError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: &'static str,
}

/// Those who may sign recordings.
#[derive(Debug, Clone, Default)]
pub struct AllowedSigners(Vec<(String, KeyData)>);

impl AllowedSigners {
    /// Reads the file's text; `now` is for keys that are valid for a time only. Keys for other namespaces and authorities'
    /// keys are left out.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &str, now: &Zoned) -> Result<Self, SignersError> {
        let mut signers = Vec::new();
        for (n, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |message| SignersError { line: n + 1, message };
            let (principals, rest) =
                word(line).ok_or(wrong("expected principals, options and a public key"))?;
            let (options, key) = if let Ok(key) = PublicKey::from_openssh(rest) {
                (ConfigOpts::default(), key)
            } else {
                let (options, key) = word(rest).ok_or(wrong("no public key"))?;
                let options = ConfigOpts::new(options).map_err(|_| wrong("options that can't be read"))?;
                (options, PublicKey::from_openssh(key).map_err(|_| wrong("no public key"))?)
            };
            if holds(&options, now).map_err(wrong)? {
                signers.push((principals.trim_matches('"').to_owned(), key.key_data().clone()));
            }
        }
        Ok(Self(signers))
    }

    /// The principals that have this key.
    pub(super) fn principals_of(&self, key: &KeyData) -> Option<&str> {
        self.0.iter().find(|(_, known)| known == key).map(|(principals, _)| principals.as_str())
    }
}

/// The first word, whose quoted parts may have spaces in them, and what follows it.
fn word(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let end = text.find(|c: char| {
        quoted ^= c == '"';
        c.is_whitespace() && !quoted
    })?;
    Some((&text[..end], text[end..].trim_start()))
}

/// Whether the options let a key sign recordings now.
fn holds(options: &ConfigOpts, now: &Zoned) -> Result<bool, &'static str> {
    let mut holds = true;
    for option in options.iter() {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let value = value.trim_matches('"');
        let moment = || moment(value, now.time_zone()).ok_or("a time that can't be read");
        match name.to_ascii_lowercase().as_str() {
            "namespaces" => holds &= value.split(',').any(|pattern| matches(pattern, NAMESPACE)),
            "valid-after" => holds &= moment()? <= now.timestamp(),
            "valid-before" => holds &= now.timestamp() < moment()?,
            "cert-authority" => holds = false,
            _ => return Err("an option that is not known"),
        }
    }
    Ok(holds)
}

/// Whether a pattern of `*` and `?` is that of a text.
fn matches(pattern: &str, text: &str) -> bool {
    let (mut rest, text) = (pattern.chars(), text);
    match rest.next() {
        None => text.is_empty(),
        Some('*') => (0..=text.len()).any(|at| matches(rest.as_str(), &text[at..])),
        Some(c) => text.chars().next().is_some_and(|first| {
            (c == '?' || c == first) && matches(rest.as_str(), &text[first.len_utf8()..])
        }),
    }
}

/// `YYYYMMDD[HHMM[SS]][Z]`, local time without the Z.
fn moment(text: &str, local: &TimeZone) -> Option<Timestamp> {
    let (text, zone) = match text.strip_suffix(['Z', 'z']) {
        Some(text) => (text, TimeZone::UTC),
        None => (text, local.clone()),
    };
    let format = match text.len() {
        8 => return Some(date(text)?.to_zoned(zone).ok()?.timestamp()),
        12 => "%Y%m%d%H%M",
        14 => "%Y%m%d%H%M%S",
        _ => return None,
    };
    DateTime::strptime(format, text).ok()?.to_zoned(zone).ok().map(|zoned| zoned.timestamp())
}

fn date(text: &str) -> Option<DateTime> {
    Some(jiff::civil::Date::strptime("%Y%m%d", text).ok()?.to_datetime(jiff::civil::Time::midnight()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

    fn allowed(line: &str) -> Result<usize, SignersError> {
        let now: Zoned = "2026-06-01T12:00[UTC]".parse().expect("a time");
        AllowedSigners::parse(line, &now).map(|signers| signers.0.len())
    }

    #[test]
    fn a_key_may_sign_recordings_if_its_options_say_nothing_else() {
        for (line, count) in [
            (format!("ops@example.org {KEY}"), 1),
            (format!("a@x,b@x {KEY} with a comment"), 1),
            (format!("# {KEY}\n\nops {KEY}"), 1),
            (format!("ops namespaces=\"recmode\" {KEY}"), 1),
            (format!("ops namespaces=\"git,rec*\" {KEY}"), 1),
            (format!("ops namespaces=\"git\" {KEY}"), 0),
            (format!("ops cert-authority {KEY}"), 0),
            (format!("ops valid-after=\"20260101\" {KEY}"), 1),
            (format!("ops valid-after=\"20260601120001Z\" {KEY}"), 0),
            (format!("ops valid-before=\"202606011201Z\",namespaces=\"recmode\" {KEY}"), 1),
            (format!("ops valid-before=\"20260601Z\" {KEY}"), 0),
        ] {
            assert_eq!(allowed(&line), Ok(count), "{line}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (line, at) in [
            ("ops".to_owned(), 1),
            (format!("ops {KEY}\nops ssh-ed25519 AAAA"), 2),
            (format!("ops colour=\"red\" {KEY}"), 1),
            (format!("ops valid-after=\"soon\" {KEY}"), 1),
        ] {
            assert_eq!(allowed(&line).map_err(|error| error.line), Err(at), "{line}");
        }
    }
}
