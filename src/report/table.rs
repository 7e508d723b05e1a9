//! The answer of `resolve` for people: a line a kind, and why in words.

use std::fmt::Write as _;

use super::style::{BOLD, DIM, GREEN, RED, YELLOW, paint};
use crate::escape;
use crate::policy::{Answer, DecidedBy, Ground, Mode, SessionKind, Value};

/// So many settings are shown of each sort; JSON has them all.
const MAX_SHOWN: usize = 5;

/// The decisions as a table with a heading.
#[must_use]
pub fn table(decisions: &[Answer], color: bool) -> String {
    let mut out = String::new();
    let heading = format!("{:7}  {:11}  {:12}  WHY", "KIND", "MODE", "RECORDED");
    let _ = writeln!(out, "{}", paint(color, BOLD, &heading));
    for decision in decisions {
        let mode = paint(
            color,
            if decision.mode == Some(Mode::Strict) { GREEN } else { YELLOW },
            &format!("{:11}", decision.mode.map_or("no mode", Mode::name)),
        );
        let recorded = format!("{:12}", if decision.recording { "recorded" } else { "not recorded" });
        let recorded = if decision.recording { recorded } else { paint(color, RED, &recorded) };
        let mut why = why(decision, color).into_iter();
        let first = why.next().unwrap_or_default();
        let _ = writeln!(out, "{:7}  {mode}  {recorded}  {first}", decision.kind);
        for more in why {
            let _ = writeln!(out, "{:36}{more}", "");
        }
    }
    out
}

/// A mode for `--format mode`; `none` where roles give the kind none.
#[must_use]
pub fn mode_name(mode: Option<Mode>) -> &'static str {
    mode.map_or("none", Mode::name)
}

/// What is recorded and how strictly, in a word or two: the mode, or what there is in its place.
#[must_use]
pub(super) fn word(answer: &Answer) -> &'static str {
    match answer.mode {
        _ if !answer.recording => "not recorded",
        Some(mode) => mode.name(),
        // A boolean says of desktops whether they are recorded.
        None if answer.kind == SessionKind::Desktop => "recorded",
        None => "no mode",
    }
}

/// Why a decision is less than what is required, in a line.
#[must_use]
pub fn short_fall(decision: &Answer, required: Mode) -> String {
    let recorded = if decision.recording { "" } else { ", not recorded" };
    let mode = decision.mode.map_or_else(|| "has no mode".to_owned(), |mode| format!("is {mode}"));
    format!(
        "{} falls short of {required}: it {mode}{recorded} ({})",
        decision.kind,
        reasons(decision).join("; ")
    )
}

fn why(decision: &Answer, color: bool) -> Vec<String> {
    let mut lines = reasons(decision);
    // What has no effect in a dialect was not overridden by anything.
    let verb = if decision.decided_by == DecidedBy::NoMode { "not honoured:" } else { "overrides" };
    let overridden = grounds(&decision.overridden);
    lines.extend(overridden.iter().map(|line| paint(color, DIM, &format!("{verb} {line}"))));
    lines
}

/// The settings that decided, in words, or what holds without any.
#[must_use]
pub fn reasons(decision: &Answer) -> Vec<String> {
    let mut lines = grounds(&decision.because);
    let built_in = match (decision.decided_by, decision.kind) {
        (DecidedBy::BuiltIn, _) => "no role gives a mode: the built-in default",
        (DecidedBy::NoMode, SessionKind::K8s) => "no mode in Teleport: in effect always strict",
        (DecidedBy::NoMode, SessionKind::Desktop) if !decision.recording => {
            "no mode in Teleport, where only a true value means recorded"
        }
        (DecidedBy::NoMode, _) => "no mode in Teleport",
        _ => return lines,
    };
    lines.insert(0, built_in.to_owned());
    lines
}

/// The reasons for what is weak about an answer: of what is not recorded those for that, and not those
/// for its mode.
pub(super) fn weakness(decision: &Answer) -> Vec<String> {
    if decision.recording || decision.decided_by == DecidedBy::NoMode {
        return reasons(decision);
    }
    let off = decision.because.iter().filter(|ground| ground.value == Value::Recorded(false));
    grounds(&off.cloned().collect::<Vec<_>>())
}

fn grounds(grounds: &[Ground]) -> Vec<String> {
    let mut lines: Vec<_> = grounds.iter().take(MAX_SHOWN).map(in_words).collect();
    if grounds.len() > MAX_SHOWN {
        lines.push(format!("{} more (--format json has all)", grounds.len() - MAX_SHOWN));
    }
    lines
}

/// `default: strict in role "alice" (roles/alice.yaml:9:16)`
pub(super) fn in_words(ground: &Ground) -> String {
    let Ground { role, option, value, at } = ground;
    format!("{option}: {value} in role {role:?} ({})", escape::controls(&at.to_string()))
}
