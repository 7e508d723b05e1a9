//! Errors and warnings as text: `file:line:column: message`, and the source line with the span
//! underlined.

use std::fmt::Write;

use super::source;
use super::style::{BLUE, BOLD, RED, YELLOW, paint};
use crate::config::ConfigError;
use crate::escape;
use crate::holders::SelectError;
use crate::roles::{LoadError, Problem, Severity, Site, Skipped};

/// All of a [`LoadError`]: its warnings, then its errors. Ends with a line break.
#[must_use]
pub fn load_error(error: &LoadError, color: bool) -> String {
    problems(&error.warnings, color) + &problems(&error.problems, color)
}

/// What is wrong with the configuration.
#[must_use]
pub fn config_error(error: &ConfigError, color: bool) -> String {
    let mut out = String::new();
    head(&mut out, &error.at, &paint(color, RED, &escape::controls(&error.message)), color);
    out
}

/// Problems in the order they are given.
#[must_use]
pub fn problems(problems: &[Problem], color: bool) -> String {
    problems.iter().fold(String::new(), |text, next| text + &problem(next, color))
}

/// Errors that stop no answer, as warnings.
#[must_use]
pub fn warnings(problems: &[Problem], color: bool) -> String {
    problems.iter().map(|problem| labelled(problem, (YELLOW, "warning: "), color)).collect()
}

/// What is wrong with a selection, a line each.
#[must_use]
pub fn select_errors(errors: &[SelectError], color: bool) -> String {
    let mut out = String::new();
    for error in errors {
        let _ = writeln!(out, "{}", paint(color, RED, &escape::controls(&error.to_string())));
    }
    out
}

/// The documents that are neither roles nor users, a line each.
#[must_use]
pub fn skipped(skipped: &[Skipped], color: bool) -> String {
    let mut out = String::new();
    for Skipped { at, kind } in skipped {
        let place = paint(color, BOLD, &escape::controls(&at.to_string()));
        let _ = match kind {
            Some(kind) => writeln!(out, "{place}: skipped: {kind:?} is neither a role nor a user"),
            None => writeln!(out, "{place}: skipped: no role, since it has no kind"),
        };
    }
    out
}

/// One problem, with its source line and the further places that belong to it.
#[must_use]
pub fn problem(problem: &Problem, color: bool) -> String {
    let label = match problem.kind.severity() {
        Severity::Error => (RED, ""),
        Severity::Warning => (YELLOW, "warning: "),
    };
    labelled(problem, label, color)
}

fn labelled(problem: &Problem, (style, label): (&str, &str), color: bool) -> String {
    let mut out = String::new();
    let message = format!("{label}{}", escape::controls(&problem.kind.to_string()));
    head(&mut out, &problem.site, &paint(color, style, &message), color);
    for (note, site) in &problem.related {
        head(&mut out, site, &paint(color, BLUE, note), color);
    }
    out
}

fn head(out: &mut String, site: &Site, message: &str, color: bool) {
    let file = escape::controls(&site.file);
    let Some(mark) = &site.mark else {
        let _ = writeln!(out, "{}: {message}", paint(color, BOLD, &file));
        return;
    };
    let place = format!("{file}:{}:{}", mark.line, mark.column);
    let _ = writeln!(out, "{}: {message}", paint(color, BOLD, &place));
    source::line(out, mark, mark.line.to_string().len(), (RED, '^'), color);
}
