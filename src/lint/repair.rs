//! Makes the edits of findings, one finding after the other, and reads the outcome again: an edit
//! that would loosen a mode, turn a recording off or break the file is left out.

use std::sync::Arc;

use crate::policy::{Role, RoleSet, SessionKind};
use crate::roles::{self, Problem, ProblemKind, Severity, Survey};

use super::{Fix, Report};

/// A file's text as it would be when repaired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// The file.
    pub file: Arc<str>,
    /// The text before.
    pub before: String,
    /// The text after.
    pub after: String,
    /// How many findings are repaired.
    pub findings: usize,
}

/// After so many rounds there is nothing more to gain.
const MAX_ROUNDS: usize = 16;

/// The repairs of what `judge` finds, file by file, in their order. A repair may show what another one
/// is needed for, so it goes on until nothing is left that may be repaired.
#[must_use]
pub fn repairs(survey: &Survey, judge: &dyn Fn(&Survey) -> Report) -> Vec<Repair> {
    let mut repairs: Vec<Repair> = Vec::new();
    let mut current: Option<Survey> = None;
    for _ in 0..MAX_ROUNDS {
        let Some(next) = round(current.as_ref().unwrap_or(survey), judge, &mut repairs) else { break };
        current = Some(next);
    }
    let order = |repair: &Repair| survey.files.iter().position(|file| file.file == repair.file);
    repairs.sort_by_key(order);
    repairs
}

/// One round over all files; nothing if it changes none.
fn round(survey: &Survey, judge: &dyn Fn(&Survey) -> Report, repairs: &mut Vec<Repair>) -> Option<Survey> {
    let findings = judge(survey).findings;
    let mut current: Option<Survey> = None;
    for file in &survey.files {
        let fixes: Vec<&Fix> = findings
            .iter()
            .filter(|finding| finding.at.file == file.file)
            .filter_map(|finding| finding.fix.as_ref())
            .collect();
        let (Some(before), false) = (&file.text, fixes.is_empty()) else { continue };
        let now = current.as_ref().unwrap_or(survey);
        let (after, findings) = repair(now, &file.file, before, &fixes);
        if findings == 0 {
            continue;
        }
        current = Some(now.with_text(&file.file, &after));
        if let Some(repair) = repairs.iter_mut().find(|repair| repair.file == file.file) {
            repair.after = after;
            repair.findings += findings;
        } else {
            let (file, before) = (Arc::clone(&file.file), before.clone());
            repairs.push(Repair { file, before, after, findings });
        }
    }
    current
}

/// The text with as many of the fixes as may be made, and how many those are.
fn repair(survey: &Survey, file: &str, before: &str, fixes: &[&Fix]) -> (String, usize) {
    let elsewhere = survey.roles.iter().filter(|role| *role.role.at.file != *file);
    let elsewhere: Vec<Arc<Role>> = elsewhere.map(|role| Arc::clone(&role.role)).collect();
    let mut made: Vec<&Fix> = Vec::new();
    let mut text = before.to_owned();
    let mut read = roles::survey_text(file, before);
    for fix in fixes {
        if made.iter().any(|earlier| overlap(earlier, fix)) {
            continue;
        }
        made.push(fix);
        let tried = apply(before, &made);
        let outcome = tried.map(|tried| (roles::survey_text(file, &tried), tried));
        match outcome {
            Some((outcome, tried)) if is_fine(&read, &outcome, &elsewhere) => (text, read) = (tried, outcome),
            _ => drop(made.pop()),
        }
    }
    (text, made.len())
}

fn overlap(a: &Fix, b: &Fix) -> bool {
    a.edits.iter().any(|(a, _)| b.edits.iter().any(|(b, _)| a.0 <= b.1 && b.0 <= a.1))
}

/// The text with all edits made; they are given by the text as it was before all of them.
fn apply(text: &str, fixes: &[&Fix]) -> Option<String> {
    let mut edits: Vec<_> = fixes.iter().flat_map(|fix| &fix.edits).collect();
    edits.sort_by_key(|(range, _)| *range);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for ((start, end), new) in edits {
        let (start, end) = (usize::try_from(*start).ok()?, usize::try_from(*end).ok()?);
        out.push_str(text.get(done..start)?);
        out.push_str(new);
        done = end.max(start);
    }
    out.push_str(text.get(done..)?);
    Some(out)
}

/// Whether nothing is worse after a fix: no new error, the same roles, and no set of roles that was
/// strict, or recorded, and is not any more.
fn is_fine(before: &Survey, after: &Survey, elsewhere: &[Arc<Role>]) -> bool {
    // A key that is mended may show that its value is wrong too, which was so before.
    let breaks = |problem: &&Problem| {
        let kind = &problem.kind;
        kind.severity() == Severity::Error && !matches!(kind, ProblemKind::InvalidMode { .. })
    };
    let errors = |survey: &Survey| survey.problems.iter().filter(breaks).count();
    if errors(after) > errors(before)
        || after.problems.len() > before.problems.len()
        || before.roles.len() != after.roles.len()
        || before.users != after.users && before.users.len() != after.users.len()
    {
        return false;
    }
    let here = before.roles.iter().map(|role| &role.role);
    let others: Vec<&Arc<Role>> = elsewhere.iter().chain(here).collect();
    before.roles.iter().zip(&after.roles).all(|(before, after)| {
        let same = says_the_same(&before.role, &after.role);
        before.role.name == after.role.name && (same || !loosens(&before.role, &after.role, &others))
    })
}

fn says_the_same(before: &Role, after: &Role) -> bool {
    let (before, after) = (&before.record_session, &after.record_session);
    let default = |said: &crate::policy::RecordSession| said.default.as_ref().map(|setting| setting.value);
    let desktop = |said: &crate::policy::RecordSession| said.desktop.as_ref().map(|setting| setting.value);
    default(before) == default(after)
        && desktop(before) == desktop(after)
        && SessionKind::ALL.iter().all(|&kind| {
            before.direct(kind).map(|(mode, _)| mode) == after.direct(kind).map(|(mode, _)| mode)
        })
}

/// Whether a kind is less strict, alone or beside any one role. More roles show nothing that one
/// does not: what can be loosened is a default, and one role holds it.
fn loosens(before: &Arc<Role>, after: &Arc<Role>, others: &[&Arc<Role>]) -> bool {
    let with = |role: &Arc<Role>, other: Option<&Arc<Role>>| -> RoleSet {
        std::iter::once(role).chain(other).cloned().collect()
    };
    let beside = others.iter().filter(|other| other.name != before.name).map(|other| Some(*other));
    std::iter::once(None).chain(beside).any(|other| {
        let (before, after) = (with(before, other), with(after, other));
        SessionKind::ALL.iter().any(|&kind| {
            let (before, after) = (before.resolve(kind), after.resolve(kind));
            after.mode < before.mode || before.recording && !after.recording
        })
    })
}
