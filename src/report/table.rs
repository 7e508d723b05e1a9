//! The answer of `resolve` for people: a line a kind, and why in words.

use std::fmt::Write as _;

use super::style::{BOLD, DIM, GREEN, RED, YELLOW, paint};
use crate::escape;
use crate::policy::{Answer, DecidedBy, Ground, Mode, SessionKind, UnknownSetting, Value};

/// So many settings are shown of each sort; JSON has them all.
const MAX_SHOWN: usize = 5;

/// The decisions as a table with a heading.
#[must_use]
pub fn table(decisions: &[Answer], color: bool) -> String {
    let mut out = String::new();
    let mode_width = decisions.iter().map(|decision| modes(decision).len()).max().unwrap_or(0).max(11);
    let indent = 7 + 2 + mode_width + 2 + 12 + 2;
    let heading = format!("{:7}  {:mode_width$}  {:12}  WHY", "KIND", "MODE", "RECORDED");
    let _ = writeln!(out, "{}", paint(color, BOLD, &heading));
    for decision in decisions {
        let mode = paint(
            color,
            if decision.mode == Some(Mode::Strict) { GREEN } else { YELLOW },
            &format!("{:mode_width$}", modes(decision)),
        );
        let recorded = match decision.recording {
            Some(true) => format!("{:12}", "recorded"),
            Some(false) => paint(color, RED, &format!("{:12}", "not recorded")),
            None => paint(color, RED, &format!("{:12}", "unknown")),
        };
        let mut why = why(decision, color).into_iter();
        let first = why.next().unwrap_or_default();
        let _ = writeln!(out, "{:7}  {mode}  {recorded}  {first}", decision.kind);
        for more in why {
            let _ = writeln!(out, "{:indent$}{more}", "");
        }
    }
    out
}

/// A mode for `--format mode`; `none` where roles give the kind none.
#[must_use]
pub fn mode_name(mode: Option<Mode>) -> &'static str {
    mode.map_or("none", Mode::name)
}

/// The mode, both modes where unknown settings leave both possible, or that there is none.
pub(super) fn modes(answer: &Answer) -> &'static str {
    match answer.mode {
        Some(mode) => mode.name(),
        None if answer.decided_by == DecidedBy::Unknown => "strict or best_effort",
        None => "no mode",
    }
}

/// What is recorded and how strictly, in a word or two: the mode, or what there is in its place.
#[must_use]
pub(super) fn word(answer: &Answer) -> &'static str {
    match answer.recording {
        Some(false) => "not recorded",
        None => "unknown",
        // A boolean at `desktop` decides whether desktop sessions are recorded.
        Some(true) if answer.decided_by == DecidedBy::NoMode && answer.kind == SessionKind::Desktop => {
            "recorded"
        }
        Some(true) => modes(answer),
    }
}

/// Why a decision is less than what is required, in a line.
#[must_use]
pub fn short_fall(decision: &Answer, required: Mode) -> String {
    let recorded = match decision.recording {
        Some(true) => "",
        Some(false) => ", not recorded",
        None => ", possibly not recorded",
    };
    let mode = match decision.decided_by {
        DecidedBy::NoMode => "has no mode".to_owned(),
        DecidedBy::Unknown => format!("may be {}", Mode::BestEffort),
        _ => format!("is {}", modes(decision)),
    };
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
    let unknown = decision.unknown.iter().map(unknown_in_words);
    if decision.unknown.len() > MAX_SHOWN {
        lines.extend(unknown.take(MAX_SHOWN));
        lines
            .push(format!("{} more expressions (--format json has all)", decision.unknown.len() - MAX_SHOWN));
    } else {
        lines.extend(unknown);
    }
    let built_in = match (decision.decided_by, decision.kind) {
        (DecidedBy::BuiltIn, _) => "no role gives a mode: the built-in default",
        (DecidedBy::NoMode, SessionKind::K8s) => "no mode in Teleport: in effect always strict",
        (DecidedBy::NoMode, SessionKind::Desktop) if decision.recording == Some(false) => {
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
    if decision.recording != Some(false) || decision.decided_by == DecidedBy::NoMode {
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

/// `default is an expression in role "app" (roles.tf:6:15)`
fn unknown_in_words(setting: &UnknownSetting) -> String {
    let UnknownSetting { role, option, at, reason } = setting;
    format!("{option} {reason} in role {role:?} ({})", escape::controls(&at.to_string()))
}

/// `default: strict in role "alice" (roles/alice.yaml:9:16)`
pub(super) fn in_words(ground: &Ground) -> String {
    let Ground { role, option, value, at } = ground;
    format!("{option}: {value} in role {role:?} ({})", escape::controls(&at.to_string()))
}
