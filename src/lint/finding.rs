//! What a rule found: what, where, how bad, and how to mend it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::roles::Site;

/// How bad a finding is; ordered, `info < warning < error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Likely not what was meant.
    Warning,
    /// Wrong.
    Error,
}

impl Severity {
    /// All severities, the mildest first.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Error];

    /// The name in output and in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// The severity of this exact name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.name() == name)
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// Something that a rule found. Texts of files are in it as they are; formats escape them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's id.
    pub rule: &'static str,
    /// How bad it is in this run.
    pub severity: Severity,
    /// The severity that this finding has where nobody says otherwise, if not its rule's.
    pub own_severity: Option<Severity>,
    /// What is wrong, in a sentence without a full stop.
    pub message: String,
    /// What would mend it.
    pub help: Option<String>,
    /// Where, with the source line; without a mark it is about the whole file.
    pub at: Site,
    /// Further places that belong to it.
    pub related: Vec<Related>,
    /// The name of the role that it is about.
    pub role: Option<Arc<str>>,
    /// The key under `record_session` that it is about.
    pub option: Option<String>,
    /// Tells this finding from others, also when its line has moved; 32 hexadecimal digits, empty until
    /// [`fingerprints`] has been called.
    pub fingerprint: String,
    /// The edits that repair it, where there is one right answer.
    pub fix: Option<Fix>,
    /// The name of the requirement or expectation that is not met.
    pub check: Option<Arc<str>>,
}

/// A further place of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// What is there.
    pub label: String,
    /// Where.
    pub at: Site,
}

/// Edits to the file that the finding is in: each replaces a range of bytes. They don't overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The range of bytes of the file, and the new text.
    pub edits: Vec<((u64, u64), String)>,
}

impl Finding {
    /// A finding of this rule; its severity is set by the run.
    #[must_use]
    pub fn new(rule: &'static str, message: impl Into<String>, at: Site) -> Self {
        Self {
            rule,
            severity: Severity::Error,
            own_severity: None,
            message: message.into(),
            help: None,
            at,
            related: Vec::new(),
            role: None,
            option: None,
            fingerprint: String::new(),
            fix: None,
            check: None,
        }
    }

    /// With a help line.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With a further place.
    #[must_use]
    pub fn related(mut self, label: impl Into<String>, at: Site) -> Self {
        self.related.push(Related { label: label.into(), at });
        self
    }

    /// About this role.
    #[must_use]
    pub fn role(mut self, role: &Arc<str>) -> Self {
        self.role = Some(Arc::clone(role));
        self
    }

    /// About this key under `record_session`.
    #[must_use]
    pub fn option(mut self, option: impl Into<String>) -> Self {
        self.option = Some(option.into());
        self
    }

    /// The line it is at; 0 for a whole file.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.at.mark.as_ref().map_or(0, |mark| mark.line)
    }

    /// What findings are sorted by: path, line, rule, then whatever makes the order total.
    pub(super) fn order(&self) -> impl Ord + '_ {
        let column = self.at.mark.as_ref().map_or(0, |mark| mark.column);
        (&self.at.file, self.line(), self.rule, column, &self.message)
    }
}

/// Sorts findings by path, line and rule, and gives each its fingerprint.
///
/// It is made of the rule, the path, the role, the option and the words of the source line, so it
/// survives lines that move; several of the same are numbered in their order. The path is what
/// `path` makes of the file's name, so that it need not depend on where the program was started.
pub fn fingerprints(findings: &mut [Finding], path: impl Fn(&str) -> String) {
    findings.sort_by(|a, b| a.order().cmp(&b.order()));
    let mut seen: HashMap<[u8; 32], u32> = HashMap::new();
    for finding in findings {
        let line = finding.at.mark.as_ref().map_or("", |mark| &mark.excerpt.text);
        let words: Vec<_> = line.split_whitespace().collect();
        let parts = [
            finding.rule,
            &path(&finding.at.file),
            finding.role.as_deref().unwrap_or_default(),
            finding.option.as_deref().unwrap_or_default(),
            &words.join(" "),
        ];
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let sum: [u8; 32] = hash.finalize().into();
        let number = seen.entry(sum).or_default();
        *number += 1;
        let sum = if *number == 1 {
            sum
        } else {
            Sha256::new().chain_update(sum).chain_update(number.to_le_bytes()).finalize().into()
        };
        finding.fingerprint = sum[..16].iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
    }
}
