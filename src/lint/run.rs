//! A run: all rules, their severities, what is suppressed, what is known; in a fixed order.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::config::Ignore;
use crate::roles::{Problem, ProblemKind};

use super::{Finding, Input, Report, Severity, fingerprints, registry, rules, suppress};

/// What a run is told beside its input.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Severities of rules by id; `None` turns a rule off. Others have their own severity.
    pub levels: BTreeMap<String, Option<Severity>>,
    /// What the configuration leaves out.
    pub ignore: Vec<Ignore>,
    /// Fingerprints of findings that are known; one that is there twice is known twice.
    pub baseline: HashSet<String>,
}

/// A template that is not rendered is one finding for a file: what it makes of the lines it is in
/// says nothing more.
fn keep_one_of_each_template(input: &Input<'_>, findings: &mut Vec<Finding>) {
    let is_template = |problem: &&Problem| matches!(problem.kind, ProblemKind::Template);
    let templated: HashSet<&str> =
        input.survey.problems.iter().filter(is_template).map(|problem| &*problem.site.file).collect();
    if templated.is_empty() {
        return;
    }
    let mut told = HashSet::new();
    findings.sort_by(|a, b| a.order().cmp(&b.order()));
    findings.retain(|finding| {
        let affected = templated.contains(&*finding.at.file)
            && finding.at.mark.as_ref().is_some_and(|mark| mark.excerpt.text.contains("{{"));
        !affected || finding.rule == "syntax" && told.insert(finding.at.file.to_string())
    });
}

/// A repair knows the bytes of a file. In a string with escapes or folded lines they are not what is read.
fn drop_wrong_fixes(input: &Input<'_>, findings: &mut [Finding]) {
    for finding in findings {
        let Some(file) = input.survey.file(&finding.at.file) else { continue };
        let is_inside = |(start, end): (u64, u64)| {
            file.fragile.iter().any(|&(first, behind)| start <= behind && first <= end)
        };
        if finding.fix.as_ref().is_some_and(|fix| fix.edits.iter().any(|(range, _)| is_inside(*range))) {
            finding.fix = None;
        }
    }
}

/// Judges the input. `path` makes the path that globs and fingerprints see of a file's name.
#[must_use]
pub fn run(input: &Input<'_>, settings: &Settings, path: &dyn Fn(&str) -> String) -> Report {
    let level = |id: &str| settings.levels.get(id).copied();
    let is_off = |id: &str| level(id) == Some(None);
    let mut findings = Vec::new();
    for rule in registry::RULES.iter().filter(|rule| !is_off(rule.id)) {
        (rule.check)(input, &mut findings);
    }
    keep_one_of_each_template(input, &mut findings);
    let (unread, unread_ignored) = suppress::unread(input.survey, &settings.ignore, path);
    if !is_off(rules::REQUIREMENT_NOT_MET.id) {
        findings.extend(rules::unread(input, &unread));
    }
    drop_wrong_fixes(input, &mut findings);
    let severities: HashMap<&str, Severity> =
        registry::RULES.iter().map(|rule| (rule.id, rule.severity)).collect();
    let set_severity = |finding: &mut Finding| {
        let own = finding.own_severity;
        let default = severities.get(finding.rule).copied().unwrap_or(Severity::Error);
        finding.severity = match (level(finding.rule).flatten(), own) {
            (Some(level), _) | (None, Some(level)) => level,
            (None, None) => default,
        };
    };
    findings.iter_mut().for_each(set_severity);
    fingerprints(&mut findings, path);

    let mut report = Report::default();
    let (suppressed, mut unused) =
        suppress::apply(input.survey, &settings.ignore, path, &is_off, input.is_whole, &mut findings);
    drop_wrong_fixes(input, &mut unused);
    unused.iter_mut().for_each(set_severity);
    fingerprints(&mut unused, path);
    findings.append(&mut unused);
    findings.sort_by(|a, b| a.order().cmp(&b.order()));
    let before = findings.len();
    findings.retain(|finding| !settings.baseline.contains(&finding.fingerprint));

    report.summary.suppressed = suppressed;
    report.summary.unread_ignored = unread_ignored;
    report.summary.baseline = before - findings.len();
    report.summary.roles = input.survey.roles.iter().filter(|role| !role.is_patched).count();
    report.findings = findings;
    report.files = input.survey.files.iter().map(|file| Arc::clone(&file.file)).collect();
    report.files.sort_unstable();
    report.count();
    report
}

/// What kept the reader from looking at a file at all: then there is no verdict.
#[must_use]
pub fn is_trouble(kind: &ProblemKind) -> bool {
    matches!(
        kind,
        ProblemKind::Io(_)
            | ProblemKind::NotAFile(_)
            | ProblemKind::Loop
            | ProblemKind::FolderTooDeep
            | ProblemKind::StreamTwice
    )
}
