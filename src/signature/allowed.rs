//! Who may sign: the ALLOWED SIGNERS file of ssh-keygen(1).

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use ssh_key::public::KeyData;

use super::options::Options;
use super::public::Key;
use super::{NAMESPACE, SignatureError, pattern};

/// What is wrong with a line of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct SignersError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: &'static str,
}

/// Those who may sign recordings. A line that can't be read is passed over, as `ssh-keygen -Y verify` does.
#[derive(Debug, Clone)]
pub struct AllowedSigners {
    signers: Vec<Signer>,
    errors: Vec<SignersError>,
    now: Timestamp,
    verify_time: Option<Timestamp>,
}

#[derive(Debug, Clone)]
struct Signer {
    /// A list of patterns.
    principals: Vec<u8>,
    key: Key,
    options: Options,
}

impl AllowedSigners {
    /// Reads the file's text. `now` and its time zone are those of the machine.
    #[must_use]
    pub fn parse(text: &[u8], now: &Zoned) -> Self {
        let (mut signers, mut errors) = (Vec::new(), Vec::new());
        for (n, line) in text.split(|&byte| byte == b'\n').enumerate() {
            // OpenSSH's lines end at a NUL.
            let line = line.split(|&byte| byte == 0).next().unwrap_or_default().trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            match Signer::parse(line, now.time_zone()) {
                Ok(signer) => signers.push(signer),
                Err(message) => errors.push(SignersError { line: n + 1, message }),
            }
        }
        Self { signers, errors, now: now.timestamp(), verify_time: None }
    }

    /// Judges the keys' validity at this time, not at a recording's own.
    #[must_use]
    pub fn at(self, verify_time: Option<Timestamp>) -> Self {
        Self { verify_time, ..self }
    }

    /// Whether no line names a key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.signers.is_empty()
    }

    /// The lines that were passed over.
    #[must_use]
    pub fn errors(&self) -> &[SignersError] {
        &self.errors
    }

    /// The principals that have this key and may sign with it, separated by commas.
    pub(super) fn principals_of(
        &self,
        key: &KeyData,
        recorded: Option<Timestamp>,
    ) -> Result<String, SignatureError> {
        let time = self.verify_time.or(recorded).unwrap_or(self.now);
        let may_sign = |signer: &&Signer| {
            let is_it = matches!(&signer.key, Key::Known(known) if known == key);
            is_it && !signer.options.authority && signer.options.allow(NAMESPACE)
        };
        let mut error = SignatureError::NotAllowed;
        for signer in self.signers.iter().filter(may_sign) {
            let names: Vec<_> = pattern::names(&signer.principals).collect();
            match signer.options.valid_at(time.as_second()) {
                _ if names.is_empty() => {}
                true => return Ok(String::from_utf8_lossy(&names.join(&b","[..])).into_owned()),
                false => error = SignatureError::NotValid(time),
            }
        }
        Err(error)
    }
}

impl Signer {
    fn parse(line: &[u8], zone: &TimeZone) -> Result<Self, &'static str> {
        let (principals, text) = principals(line).ok_or("principals with a quote that does not end")?;
        if let Some(key) = Key::from_text(text) {
            return Ok(Self { principals, key, options: Options::default() });
        }
        let end = end_of_options(text).ok_or("options with a quote that does not end")?;
        let (options, rest) = text.split_at(end);
        let key = Key::from_text(rest.trim_ascii_start()).ok_or("no public key that OpenSSH knows")?;
        Ok(Self { principals, key, options: Options::parse(options, zone)? })
    }
}

/// The first word, of which a part may be in quotes, and what follows it. A quote that ends ends the word.
fn principals(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let Some(end) = line.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'"') else {
        return Some((line.to_owned(), &[]));
    };
    let (mut word, mut rest) = (line[..end].to_owned(), &line[end + 1..]);
    if line[end] == b'"' {
        let end = rest.iter().position(|&byte| byte == b'"')?;
        word.extend_from_slice(&rest[..end]);
        rest = &rest[end + 1..];
    }
    Some((word, rest.trim_ascii_start()))
}

/// Where the first blank is that is not in quotes; `None` where a quote does not end.
fn end_of_options(text: &[u8]) -> Option<usize> {
    let (mut at, mut quoted) = (0, false);
    while let Some(&byte) = text.get(at) {
        match byte {
            b' ' | b'\t' if !quoted => break,
            b'\\' if text.get(at + 1) == Some(&b'"') => at += 1,
            b'"' => quoted = !quoted,
            _ => {}
        }
        at += 1;
    }
    (!quoted).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";
    const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIHAr/I4t8tsnTyJDvmUYlFkDVAiKtXvTdBDaQHUe+CC";

    /// Who may sign with [`KEY`] at a time.
    fn principals(text: &str, recorded: &str) -> Result<String, SignatureError> {
        let now: Zoned = "2026-06-01T12:00[UTC]".parse().expect("a time");
        let Some(Key::Known(key)) = Key::from_text(KEY.as_bytes()) else { panic!("a key") };
        AllowedSigners::parse(text.as_bytes(), &now).principals_of(&key, recorded.parse().ok())
    }

    #[test]
    fn a_key_may_sign_recordings_as_its_options_let_it() {
        for (line, allowed) in [
            (format!("ops@example.org {KEY}"), true),
            (format!("\t ops \t {KEY} with a comment\r"), true),
            (format!("# {KEY}\n\n \t\n  # more\nops {KEY}"), true),
            (format!("\"ops of ours\" {KEY}"), true),
            (format!("ops namespaces=\"recmode\" {KEY}"), true),
            (format!("ops NameSpaces=\"git,rec*\" {KEY}"), true),
            (format!("ops ,namespaces=\"recmode\" {KEY}"), true),
            (format!("ops namespaces=\"a b,recmode\" {KEY}"), true),
            (format!("ops namespaces=\"git\" {KEY}"), false),
            (format!("ops namespaces=\"rec*,!recmode\" {KEY}"), false),
            (format!("ops namespaces=\"!git\" {KEY}"), false),
            (format!("ops cert-authority {KEY}"), false),
            (format!("!ops {KEY}"), false),
            (format!("*,!* {KEY}"), false),
            (format!("*,!ops {KEY}"), true),
            (format!("ops {OTHER}"), false),
            (format!("ops {OTHER}\nops {KEY}"), true),
            // Both ends are included.
            (format!("ops valid-after=\"20260601120000Z\" {KEY}"), true),
            (format!("ops valid-after=\"20260601120001Z\" {KEY}"), false),
            (format!("ops valid-before=\"202606011200Z\",namespaces=\"recmode\" {KEY}"), true),
            (format!("ops valid-before=\"20260601115959UTC\" {KEY}"), false),
        ] {
            assert_eq!(principals(&line, "").is_ok(), allowed, "{line}");
        }
        assert_eq!(principals(&format!("a,!b,b,c* {KEY}"), ""), Ok("a,c*".to_owned()));
    }

    #[test]
    fn a_line_that_can_not_be_read_is_passed_over() {
        for wrong in [
            "ops".to_owned(),
            "\"ops".to_owned(),
            "ops ssh-ed25519 AAAA".to_owned(),
            format!("ops colour=\"red\" {KEY}"),
            format!("ops namespaces=recmode {KEY}"),
            format!("ops namespaces=\"recmode {KEY}"),
            format!("ops namespaces=\"recmode\", {KEY}"),
            format!("ops namespaces=\"recmode\",namespaces=\"git\" {KEY}"),
            format!("ops namespaces =\"recmode\" {KEY}"),
            format!("ops cert-authority=\"yes\" {KEY}"),
            format!("ops valid-after=\"soon\" {KEY}"),
            format!("ops valid-before=\"19691231Z\" {KEY}"),
            format!("ops valid-after=\"20270101\",valid-before=\"20260101\" {KEY}"),
            "ops ssh-new AAAAB3NzaC1yc2E=".to_owned(),
        ] {
            let now: Zoned = "2026-06-01T12:00[UTC]".parse().expect("a time");
            let signers = AllowedSigners::parse(format!("# first\n{wrong}\n").as_bytes(), &now);
            assert!(signers.is_empty(), "{wrong}");
            assert_eq!(signers.errors().iter().map(|error| error.line).collect::<Vec<_>>(), [2], "{wrong}");
            assert_eq!(principals(&format!("{wrong}\nops {KEY}"), ""), Ok("ops".to_owned()), "{wrong}");
        }
    }

    #[test]
    fn a_key_is_judged_at_the_recording_s_time_unless_another_is_given() {
        let line = format!("ops valid-before=\"20260101Z\" {KEY}");
        assert_eq!(principals(&line, "2025-12-31T00:00:00Z"), Ok("ops".to_owned()));
        assert!(matches!(principals(&line, ""), Err(SignatureError::NotValid(_))));
        let now: Zoned = "2026-06-01T12:00[UTC]".parse().expect("a time");
        let Some(Key::Known(key)) = Key::from_text(KEY.as_bytes()) else { panic!("a key") };
        let signers = AllowedSigners::parse(line.as_bytes(), &now).at(Some(now.timestamp()));
        let recorded = "2025-12-31T00:00:00Z".parse().ok();
        assert_eq!(signers.principals_of(&key, recorded), Err(SignatureError::NotValid(now.timestamp())));
    }
}
