//! What is known from an earlier run: its JSON output, of which only the fingerprints count.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde::Deserialize;

use super::rules::UNUSED_IGNORE;
use super::{Finding, Severity};
use crate::roles::Site;

/// The schema that is read.
const SCHEMA: &str = "recmode.lint/1";

/// Why a text is no baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// Not the JSON that is expected.
    #[error("is not the output of recmode lint --format json")]
    Json(#[from] serde_json::Error),
    /// Another schema.
    #[error("is of the schema {0:?}, expected {SCHEMA:?}")]
    Schema(String),
}

/// The findings of an earlier run.
#[derive(Debug, Clone, Default)]
pub struct Baseline {
    /// The name of its file; empty without one.
    file: Arc<str>,
    /// The rule of each, and the file that it was found in, by fingerprint.
    known: BTreeMap<String, (String, String)>,
}

#[derive(Deserialize)]
struct Tree {
    schema: String,
    findings: Vec<Known>,
}

#[derive(Deserialize)]
struct Known {
    fingerprint: String,
    #[serde(default)]
    rule: String,
    #[serde(default)]
    at: At,
}

#[derive(Default, Deserialize)]
struct At {
    #[serde(default)]
    file: String,
}

impl Baseline {
    /// The baseline in a run's JSON, which is called `file`.
    ///
    /// # Errors
    ///
    /// If it is something else.
    pub fn parse(text: &str, file: Arc<str>) -> Result<Self, BaselineError> {
        let tree: Tree = serde_json::from_str(text)?;
        if tree.schema != SCHEMA {
            return Err(BaselineError::Schema(tree.schema));
        }
        let one = |known: Known| (known.fingerprint, (known.rule, known.at.file));
        Ok(Self { file, known: tree.findings.into_iter().map(one).collect() })
    }

    /// Takes what is known out of the findings, and gives the fingerprints that were of use.
    pub(super) fn apply(&self, findings: &mut Vec<Finding>) -> HashSet<String> {
        let mut used = HashSet::new();
        findings.retain_mut(|finding| {
            let is_known = self.known.contains_key(&finding.fingerprint);
            if is_known {
                used.insert(std::mem::take(&mut finding.fingerprint));
            }
            !is_known
        });
        used
    }

    /// One finding for all that is not found any more; none if everything is. Nothing is known of rules
    /// that are off.
    pub(super) fn stale(&self, used: &HashSet<String>, is_off: &dyn Fn(&str) -> bool) -> Option<Finding> {
        let unused = self.known.iter().filter(|(print, (rule, _))| !used.contains(*print) && !is_off(rule));
        let mut stale: Vec<_> = unused.map(|(_, known)| known).collect();
        stale.sort_unstable();
        let message = match stale.len() {
            0 => return None,
            1 => "a finding of this baseline is not found any more".to_owned(),
            more => format!("{more} findings of this baseline are not found any more"),
        };
        let at = |file: &str| Site { file: file.into(), mark: None };
        let mut finding = Finding::new(UNUSED_IGNORE.id, message, at(&self.file)).help("write it anew");
        for (rule, file) in stale {
            finding = finding.related(format!("{rule} is not found here any more"), at(file));
        }
        finding.own_severity = Some(Severity::Info);
        Some(finding)
    }
}
