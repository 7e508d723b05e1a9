//! What is right or wrong with a recording, in words and by level. Pure.

use super::FileFacts;
use crate::catalog::Summary;
use crate::escape;
use crate::report::{ended, integrity, signature};
use crate::verify::{Checked, Continued, Followed, Signed};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// As it should be.
    Good,
    /// Something is missing or can't be known.
    Warn,
    /// It can't be relied on.
    Bad,
}

impl Level {
    /// The class in the style sheet.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

/// A sentence.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) level: Level,
    /// It needs escaping.
    pub(super) text: String,
}

/// The verdicts, integrity first.
pub(super) fn verdicts(summary: &Summary, file: &FileFacts<'_>) -> Vec<Verdict> {
    let several = file.files.len() > 1;
    let mut verdicts = Vec::new();
    for (path, checked) in file.files {
        let of = match path.file_name() {
            Some(name) if several => format!(" of {}", escape::utf8(name.as_encoded_bytes())),
            _ => String::new(),
        };
        let level = match checked.chain {
            Followed::Changed { .. } | Followed::NoRecording => Level::Bad,
            _ if checked.continued == Some(Continued::AsItWas) => Level::Good,
            _ if checked.continued == Some(Continued::Changed) => Level::Bad,
            Followed::Intact { .. } => Level::Good,
            Followed::CutOff { .. } if checked.live => Level::Warn,
            Followed::NoChain | Followed::Recovered { .. } => Level::Warn,
            Followed::CutOff { .. } => Level::Bad,
        };
        verdicts.push(Verdict { level, text: format!("Integrity{of}: {}", integrity(checked)) });
        if let Some(signed) = &checked.signed {
            let level = match signed {
                Signed::By(_) => Level::Good,
                // The signature of the last file covers it.
                Signed::Missing if checked.continued == Some(Continued::AsItWas) => continue,
                Signed::Wrong(error) if error.is_open() => Level::Warn,
                Signed::Missing | Signed::Wrong(_) => Level::Bad,
            };
            verdicts.push(Verdict { level, text: format!("Signature{of}: {}", signature(signed)) });
        }
    }
    for fault in file.losses() {
        verdicts.push(Verdict { level: Level::Bad, text: format!("Session: {fault}") });
    }
    if summary.gap_count > 0 {
        let gaps = if summary.gap_count == 1 { "gap" } else { "gaps" };
        let is_changed = |checked: &Checked| {
            matches!(checked.chain, Followed::Changed { .. }) || checked.continued == Some(Continued::Changed)
        };
        let text = if file.files.iter().any(|(_, checked)| is_changed(checked)) {
            // Nothing is counted in lines that were not verified.
            "Gaps are recorded, in lines that were not verified".to_owned()
        } else {
            format!("{} {gaps}: {} bytes of output are lost", summary.gap_count, summary.lost)
        };
        verdicts.push(Verdict { level: Level::Warn, text });
    }
    match end_level(summary, file.is_live()) {
        Level::Good => {}
        level => verdicts.push(Verdict { level, text: format!("End: {}", end(summary, file.is_live())) }),
    }
    verdicts
}

/// How the session ended.
pub(super) fn end(summary: &Summary, live: bool) -> String {
    if live && summary.end.is_none() {
        return "the session was still being recorded".to_owned();
    }
    ended(summary)
}

/// Whether it ended as it should.
pub(super) fn end_level(summary: &Summary, live: bool) -> Level {
    match &summary.end {
        None if live => Level::Warn,
        None if summary.torn.is_some() || summary.session.is_some() => Level::Bad,
        None => Level::Good,
        Some(end) => match end.reason.as_str() {
            "exit" => Level::Good,
            "recovered" | "terminal_side_died" => Level::Bad,
            _ => Level::Warn,
        },
    }
}
