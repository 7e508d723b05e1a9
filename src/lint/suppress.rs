//! What comments and the configuration say is not to be reported, and whether they said it for
//! nothing.

use std::cell::LazyCell;
use std::collections::HashSet;
use std::sync::Arc;

use crate::config::Ignore;
use crate::roles::{Comment, Problem, ProblemKind, Site, Survey, SurveyedFile};

use super::judged::Judged;
use super::rules::{
    MISPLACED_RECORD_SESSION, SYNTAX, UNKNOWN_VERSION, UNREAD_ROLE, UNUSED_IGNORE, is_syntax, may_hold_a_role,
};
use super::{Finding, Input, Severity, fix, registry};

/// A comment `# recmode: ignore[rule, …] reason`.
struct Suppression<'a> {
    file: &'a SurveyedFile,
    comment: &'a Comment,
    /// The ids it names, and whether each was of use.
    rules: Vec<(&'a str, bool)>,
    has_reason: bool,
    /// What is wrong with it.
    wrong: Option<String>,
}

/// Takes out of `findings` what is suppressed, and gives how many those are and a finding for each
/// suppression that suppresses nothing. Nothing is found of one whose finding could not be judged.
/// `is_off`: rules that were not asked.
pub(super) fn apply(
    input: &Input<'_>,
    judged: &Judged<'_>,
    ignores: &[Ignore],
    path: &dyn Fn(&str) -> String,
    is_off: &dyn Fn(&str) -> bool,
    findings: &mut Vec<Finding>,
) -> (usize, Vec<Finding>) {
    let mut comments = of_survey(input.survey);
    let mut used: HashSet<usize> = HashSet::new();
    let before = findings.len();
    findings.retain_mut(|finding| {
        let by_comment = suppressed_by_comment(&mut comments, finding);
        let by_config = suppressed_by_config(ignores, path, &mut used, finding);
        !by_comment && !by_config
    });
    let suppressed = before - findings.len();
    let mut unused = Vec::new();
    if !is_off(UNUSED_IGNORE.id) {
        unused.extend(comments.iter().filter_map(|comment| {
            let (file, line) = (&*comment.file.file, comment.comment.line);
            unused_comment(comment, &|rule| !is_off(rule) && judged.judges(rule, file, line))
        }));
        if input.is_whole {
            unused.extend(ignores.iter().enumerate().filter_map(|(n, ignore)| {
                let idle = !used.contains(&n) && !ignore.rules.iter().all(|rule| is_off(rule));
                idle.then(|| {
                    Finding::new(UNUSED_IGNORE.id, "this entry suppresses nothing", ignore.at.clone())
                        .help("remove it")
                })
            }));
        }
    }
    (suppressed, unused)
}

/// Of the roles that were not read those that nobody left out with a reason, and how many were. Their
/// findings may be turned off or known, which is no reason.
pub(super) fn unread<'a>(
    survey: &'a Survey,
    ignores: &[Ignore],
    path: &dyn Fn(&str) -> String,
) -> (Vec<&'a Site>, usize) {
    let mut broken = HashSet::new();
    let mut rule = |problem: &'a Problem| match problem.kind {
        ProblemKind::NoKind => Some(MISPLACED_RECORD_SESSION.id),
        ProblemKind::UnreadRole { .. } => Some(UNREAD_ROLE.id),
        _ if problem.kind.is_unread_role() => Some(UNKNOWN_VERSION.id),
        // One finding for a file is all that may be left out.
        _ if is_syntax(&problem.kind) && broken.insert(&problem.site.file) => {
            may_hold_a_role(problem, survey.file(&problem.site.file)).then_some(SYNTAX.id)
        }
        _ => None,
    };
    let problems = survey.problems.iter().filter_map(|problem| Some((rule(problem)?, problem)));
    let problems: Vec<_> = problems.collect();
    if problems.is_empty() {
        return (Vec::new(), 0);
    }
    let comments = of_survey(survey);
    let has_reason = |rule: &str, problem: &Problem| {
        let site = &problem.site;
        comments.iter().any(|comment| {
            comment.has_reason
                && comment.file.file == site.file
                && site.mark.as_ref().is_some_and(|mark| mark.line == comment.comment.line)
                && comment.rules.iter().any(|(named, _)| *named == rule)
        }) || ignores.iter().any(|ignore| {
            ignore.reason.is_some() && matches(ignore, rule, &path(&site.file), problem.role.as_deref())
        })
    };
    let before = problems.len();
    let left: Vec<_> = problems
        .into_iter()
        .filter(|(rule, problem)| !has_reason(rule, problem))
        .map(|(_, problem)| &problem.site)
        .collect();
    let accepted = before - left.len();
    (left, accepted)
}

/// Whether an entry of the configuration is about this.
fn matches(ignore: &Ignore, id: &str, path: &str, role: Option<&str>) -> bool {
    ignore.rules.iter().any(|named| named == id)
        && ignore.path.as_ref().is_none_or(|glob| glob.matches(path))
        && ignore.role.as_ref().is_none_or(|glob| role.is_some_and(|role| glob.matches(role)))
}

fn of_survey(survey: &Survey) -> Vec<Suppression<'_>> {
    let files = survey.files.iter();
    files.flat_map(|file| file.comments.iter().map(move |comment| parse(file, comment))).collect()
}

fn parse<'a>(file: &'a SurveyedFile, comment: &'a Comment) -> Suppression<'a> {
    let mut suppression = Suppression { file, comment, rules: Vec::new(), has_reason: false, wrong: None };
    let list =
        comment.text.strip_prefix("ignore").map(str::trim_start).and_then(|rest| rest.strip_prefix('['));
    let Some((list, reason)) = list.and_then(|rest| rest.split_once(']')) else {
        suppression.wrong =
            Some("this comment is not understood: expected ignore[RULE, ...] REASON".to_owned());
        return suppression;
    };
    suppression.has_reason = reason.chars().any(char::is_alphanumeric);
    suppression.rules =
        list.split(',').map(|rule| (rule.trim(), false)).filter(|(rule, _)| !rule.is_empty()).collect();
    suppression.wrong = match suppression.rules.iter().find(|(rule, _)| registry::find(rule).is_none()) {
        Some((rule, _)) => Some(registry::unknown(rule)),
        None if suppression.rules.is_empty() => Some("this names no rule".to_owned()),
        None => None,
    };
    suppression
}

fn suppressed_by_comment(comments: &mut [Suppression<'_>], finding: &mut Finding) -> bool {
    let Some(mark) = finding.at.mark.clone() else { return false };
    let mut suppressed = false;
    for suppression in comments {
        if suppression.comment.line != mark.line || suppression.file.file != finding.at.file {
            continue;
        }
        for (rule, used) in &mut suppression.rules {
            if *rule != finding.rule {
                continue;
            }
            *used = true;
            if finding.severity == Severity::Error && !suppression.has_reason {
                finding.not_suppressed(site(suppression.file, suppression.comment));
            } else {
                suppressed = true;
            }
        }
    }
    suppressed
}

fn suppressed_by_config(
    ignores: &[Ignore],
    path: &dyn Fn(&str) -> String,
    used: &mut HashSet<usize>,
    finding: &mut Finding,
) -> bool {
    let mut suppressed = false;
    let path = LazyCell::new(|| path(&finding.at.file));
    let mut without_reason = Vec::new();
    for (n, ignore) in ignores.iter().enumerate() {
        let matches = matches(ignore, finding.rule, &path, finding.role.as_deref());
        if !matches {
            continue;
        }
        used.insert(n);
        if finding.severity == Severity::Error && ignore.reason.is_none() {
            without_reason.push(&ignore.at);
        } else {
            suppressed = true;
        }
    }
    if !suppressed {
        for at in without_reason {
            finding.not_suppressed(at.clone());
        }
    }
    suppressed
}

fn unused_comment(suppression: &Suppression<'_>, is_judged: &dyn Fn(&str) -> bool) -> Option<Finding> {
    let at = site(suppression.file, suppression.comment);
    if let Some(wrong) = &suppression.wrong {
        return Some(Finding::new(UNUSED_IGNORE.id, wrong.clone(), at));
    }
    let idle: Vec<&str> = suppression
        .rules
        .iter()
        .filter(|(rule, used)| !used && *rule != UNUSED_IGNORE.id && is_judged(rule))
        .map(|(rule, _)| *rule)
        .collect();
    if idle.is_empty() {
        return None;
    }
    let message = format!("this suppresses nothing: no finding of {} here", idle.join(", "));
    let help = if idle.len() == suppression.rules.len() { "remove it" } else { "take it out of the list" };
    let mut finding = Finding::new(UNUSED_IGNORE.id, message, at).help(help);
    if let Some(text) = &suppression.file.text {
        let (mark, all) = (&suppression.comment.mark, suppression.rules.iter().map(|(rule, _)| *rule));
        let kept: Vec<&str> = all.filter(|rule| !idle.contains(rule)).collect();
        finding.fix = if kept.is_empty() {
            fix::remove_comment(text, mark, suppression.comment.alone)
        } else {
            fix::shorten_list(text, mark, &kept)
        };
    }
    Some(finding)
}

fn site(file: &SurveyedFile, comment: &Comment) -> Site {
    Site { file: Arc::clone(&file.file), mark: Some(comment.mark.clone()) }
}
