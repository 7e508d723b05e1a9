//! A run: all rules, their severities, what is suppressed, what is known; in a fixed order.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::config::Ignore;
use crate::roles::{Problem, ProblemKind};

use super::finding::bound;
use super::judged::Judged;
use super::rules::UNUSED_IGNORE;
use super::{
    Baseline, Check, Finding, Input, Report, Severity, check_name, fingerprints, registry, rules, suppress,
};

/// What a run is told beside its input.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Severities of rules by id; `None` turns a rule off. Others have their own severity.
    pub levels: BTreeMap<String, Option<Severity>>,
    /// What the configuration leaves out.
    pub ignore: Vec<Ignore>,
    /// The findings that are known.
    pub baseline: Baseline,
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
    bound(&mut findings);
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
    let judged = Judged::new(input);
    let (suppressed, mut unused) =
        suppress::apply(input, &judged, &settings.ignore, path, &is_off, &mut findings);
    drop_wrong_fixes(input, &mut unused);
    unused.iter_mut().for_each(set_severity);
    fingerprints(&mut unused, path);
    findings.append(&mut unused);
    report.summary.suppressed = suppressed;
    report.summary.unread_ignored = unread_ignored;
    let before = findings.len();
    let used = settings.baseline.apply(&mut findings);
    report.summary.baseline = before - findings.len();
    if judged.is_whole() && !is_off(UNUSED_IGNORE.id) {
        let mut stale: Vec<_> = settings.baseline.stale(&used, &is_off).into_iter().collect();
        stale.iter_mut().for_each(set_severity);
        fingerprints(&mut stale, path);
        findings.append(&mut stale);
    }
    findings.sort_by(|a, b| a.order().cmp(&b.order()));
    report.summary.roles = input.survey.roles.iter().filter(|role| !role.is_patched).count();
    report.findings = findings;
    report.files = input.survey.files.iter().map(|file| Arc::clone(&file.file)).collect();
    report.files.sort_unstable();
    report.checks = checks(input, &is_off);
    report.count();
    report
}

/// The requirements and expectations that the rules judge.
fn checks(input: &Input<'_>, is_off: &dyn Fn(&str) -> bool) -> Vec<Check> {
    let require = input.require.iter().enumerate().map(|(n, requirement)| Check {
        name: check_name::requirement(n, requirement),
        at: requirement.at.clone(),
    });
    let expect = input.expect.iter().enumerate().map(|(n, expectation)| Check {
        name: check_name::expectation(n, expectation),
        at: expectation.at.clone(),
    });
    let require = require.filter(|_| !is_off(rules::REQUIREMENT_NOT_MET.id));
    require.chain(expect.filter(|_| !is_off(rules::EXPECTATION_NOT_MET.id))).collect()
}

/// What kept the reader from looking at something, so that there is no verdict. What is not understood in a file
/// that was `named` is such a thing; in others it is a finding.
#[must_use]
pub fn is_trouble(kind: &ProblemKind, named: bool) -> bool {
    match kind {
        ProblemKind::Io(_)
        | ProblemKind::NotAFile(_)
        | ProblemKind::Loop
        | ProblemKind::LinkOut
        | ProblemKind::NotCheckedOut
        | ProblemKind::FolderTooDeep
        | ProblemKind::StreamTwice => true,
        ProblemKind::JsonComment | ProblemKind::Hcl | ProblemKind::PlainText | ProblemKind::LfsPointer => {
            named
        }
        _ => false,
    }
}

/// What the reader has to say of its own work, which is no finding.
#[must_use]
pub fn is_note(kind: &ProblemKind) -> bool {
    matches!(kind, ProblemKind::Unlisted(_) | ProblemKind::Sparse(_))
}
