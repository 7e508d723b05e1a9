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
    /// Further places that belong to it, the first [`MAX_RELATED`] of them.
    pub related: Vec<Related>,
    /// How many more there are.
    pub related_omitted: usize,
    /// How many more findings of its rule there are at its place; see [`bound`].
    pub omitted_here: usize,
    /// What it stands for besides: the names of other roles, in one text.
    hidden: String,
    /// The name of the role that it is about.
    pub role: Option<Arc<str>>,
    /// The key under `record_session` that it is about.
    pub option: Option<String>,
    /// Tells this finding from others, also when its line has moved; 32 hexadecimal digits, empty until
    /// [`fingerprints`] has been called.
    pub fingerprint: String,
    /// The edits that repair it, where there is one right answer.
    pub fix: Option<Fix>,
    /// The names of the requirements or expectations that are not met by it, or by the findings that it
    /// counts.
    pub checks: Vec<Arc<str>>,
}

/// The further places that a finding shows.
pub const MAX_RELATED: usize = 20;

/// The findings of a rule that are kept at one place.
pub const MAX_HERE: usize = 10;

/// The characters of a message, a help or a label that are kept: names may be long, and many.
const MAX_TEXT: usize = 2_000;

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
            message: cut(message.into()),
            help: None,
            at,
            related: Vec::new(),
            related_omitted: 0,
            omitted_here: 0,
            hidden: String::new(),
            role: None,
            option: None,
            fingerprint: String::new(),
            fix: None,
            checks: Vec::new(),
        }
    }

    /// With a help line.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(cut(help.into()));
        self
    }

    /// With a further place, which is only counted if there are enough.
    #[must_use]
    pub fn related(mut self, label: impl Into<String>, at: Site) -> Self {
        if self.related.len() < MAX_RELATED {
            self.related.push(Related { label: cut(label.into()), at });
        } else {
            self.related_omitted += 1;
        }
        self
    }

    /// Adds a note on why it is not suppressed; the first is shown however many places there are.
    pub(super) fn not_suppressed(&mut self, at: Site) {
        const LABEL: &str = "this does not suppress an error, since it gives no reason";
        if self.related.len() < MAX_RELATED {
            self.related.push(Related { label: LABEL.to_owned(), at });
            return;
        }
        self.related_omitted += 1;
        if let Some(last) = self.related.last_mut().filter(|last| last.label != LABEL) {
            *last = Related { label: LABEL.to_owned(), at };
        }
    }

    /// Stands for these as well, so that a baseline does not hold it any more once they change.
    #[must_use]
    pub(super) fn hides<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.hidden = names.into_iter().collect::<Vec<_>>().join("\0");
        self
    }

    /// What is not shown, for people; none if all is.
    #[must_use]
    pub fn omissions(&self) -> Option<String> {
        let places = |number: usize| format!("{number} more place{}", if number == 1 { "" } else { "s" });
        let here = |number: usize| {
            format!("{number} more finding{} of this rule here", if number == 1 { "" } else { "s" })
        };
        let parts = [
            (self.related_omitted, places(self.related_omitted)),
            (self.omitted_here, here(self.omitted_here)),
        ];
        let parts: Vec<_> =
            parts.into_iter().filter(|(number, _)| *number > 0).map(|(_, text)| text).collect();
        (!parts.is_empty()).then(|| format!("and {}", parts.join(", and ")))
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

/// A text with a beginning that is long enough to know it by.
fn cut(mut text: String) -> String {
    if text.len() > MAX_TEXT
        && let Some((at, _)) = text.char_indices().nth(MAX_TEXT)
    {
        let more = text[at..].chars().count();
        text.truncate(at);
        let _ = write!(text, "… ({more} more characters)");
    }
    text
}

/// Keeps of each rule's findings at one place the first [`MAX_HERE`], the last of which counts the
/// others: requirements times users would make any number of them. May be called at any time and again.
pub(super) fn bound(findings: &mut Vec<Finding>) {
    let mut kept: Vec<Finding> = Vec::with_capacity(findings.len().min(1 << 10));
    // How many there are at a place, and the number of the last one.
    let mut places: HashMap<_, (usize, usize)> = HashMap::new();
    for finding in findings.drain(..) {
        let place = finding.at.mark.as_ref().map(|mark| (mark.line, mark.column));
        let key = (finding.rule, finding.own_severity, Arc::clone(&finding.at.file), place);
        let (count, last) = places.entry(key).or_default();
        *count += 1;
        match kept.get_mut(*last) {
            Some(last) if *count > MAX_HERE => {
                last.omitted_here += 1 + finding.omitted_here;
                let new = finding.checks.into_iter().filter(|check| !last.checks.contains(check));
                last.checks.extend(new.collect::<Vec<_>>());
            }
            _ => {
                *last = kept.len();
                kept.push(finding);
            }
        }
    }
    *findings = kept;
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
        // What is not shown must not pass for known because it was not shown before either.
        let omitted = if finding.omitted_here > 0 { finding.omitted_here.to_string() } else { String::new() };
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
        hash.update(omitted);
        hash.update(&finding.hidden);
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
