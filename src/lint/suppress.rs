//! What comments and the configuration say is not to be reported, and whether they said it for
//! nothing.

use std::cell::LazyCell;
use std::collections::HashSet;
use std::sync::Arc;

use crate::config::Ignore;
use crate::roles::{Comment, Site, SurveyedFile};

use super::judged::Judged;
use super::rules::UNUSED_IGNORE;
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
    let files = input.survey.files.iter();
    let mut comments: Vec<Suppression<'_>> =
        files.flat_map(|file| file.comments.iter().map(move |comment| parse(file, comment))).collect();
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
        let matches = ignore.rules.iter().any(|rule| rule == finding.rule)
            && ignore.path.as_ref().is_none_or(|glob| glob.matches(&path))
            && ignore
                .role
                .as_ref()
                .is_none_or(|glob| finding.role.as_ref().is_some_and(|role| glob.matches(role)));
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
