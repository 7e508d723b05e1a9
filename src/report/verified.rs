//! What `verify` found, for people and for scripts.

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use super::file_name::{FileName, FileNames};
use super::style::{GREEN, RED, YELLOW, paint};
use crate::escape;
use crate::verify::{Checked, Continued, Copies, Followed, SessionVerdict, Signed};

/// The stable tree of `--format json`.
#[derive(Debug, Default, Serialize)]
pub struct Verified {
    schema: &'static str,
    files: Vec<File>,
    intact: usize,
    not_intact: usize,
    /// Sessions of several files, or that lack some.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sessions: Vec<Whole>,
    /// Files that claim to be the same segment of one session.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    copies: Vec<Copied>,
}

#[derive(Debug, Serialize)]
struct Whole {
    session: String,
    /// `intact`, `live`, `not_intact` or `incomplete`.
    state: &'static str,
    #[serde(flatten)]
    files: FileNames,
    /// What is missing or not read.
    missing: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Copied {
    session: String,
    segment: u64,
    #[serde(flatten)]
    files: FileNames,
}

#[derive(Debug, Serialize)]
struct File {
    #[serde(flatten)]
    path: FileName,
    state: &'static str,
    /// Those of the text; null where not all of them were verified.
    bytes: Option<u64>,
    /// Where the last check ends; all before it is as it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    intact_until: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gaps: Option<u64>,
    /// The first and the last line between which something was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_between: Option<[u64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<Signature>,
}

#[derive(Debug, Serialize)]
struct Signature {
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    principals: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Verified {
    /// The tree of these files, in their order.
    #[must_use]
    pub fn new<'a>(files: impl IntoIterator<Item = (&'a Path, &'a Checked)>) -> Self {
        let mut verified = Self { schema: "recmode.verify/1", ..Self::default() };
        for (path, checked) in files {
            let count = if checked.is_good() { &mut verified.intact } else { &mut verified.not_intact };
            *count += 1;
            verified.files.push(File::new(path, checked));
        }
        verified
    }

    /// With the verdicts on sessions.
    #[must_use]
    pub fn with_sessions(mut self, sessions: &[SessionVerdict]) -> Self {
        self.sessions = sessions
            .iter()
            .map(|session| Whole {
                session: session.session.clone(),
                state: session_state(session),
                files: FileNames::new(session.files.iter().map(AsRef::as_ref)),
                missing: session.faults.iter().map(ToString::to_string).collect(),
            })
            .collect();
        self
    }

    /// With these copies among the files.
    #[must_use]
    pub fn with_copies(mut self, copies: &[Copies<'_>]) -> Self {
        self.copies = copies
            .iter()
            .map(|copies| Copied {
                session: copies.session.to_owned(),
                segment: copies.segment,
                files: FileNames::new(copies.files.iter().map(AsRef::as_ref)),
            })
            .collect();
        self
    }

    /// The tree as JSON, with a line break at its end.
    ///
    /// # Errors
    /// None for what is in it.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| escape::json(&text) + "\n")
    }
}

impl File {
    fn new(path: &Path, checked: &Checked) -> Self {
        let mut file = Self {
            path: FileName::new(path),
            state: state(checked),
            bytes: checked.verified_bytes(),
            intact_until: None,
            gaps: None,
            changed_between: None,
            signature: checked.signed.as_ref().map(Signature::new),
        };
        match checked.chain {
            Followed::Intact { gaps } => file.gaps = Some(gaps),
            Followed::CutOff { after, .. } | Followed::Recovered { after, .. } => {
                file.intact_until = Some(after);
            }
            Followed::Changed { from, to } => file.changed_between = Some([from, to]),
            Followed::NoChain | Followed::NoRecording => {}
        }
        file
    }
}

impl Signature {
    fn new(signed: &Signed) -> Self {
        match signed {
            Signed::By(principals) => Self { valid: true, principals: Some(principals.clone()), error: None },
            Signed::Missing => Self { valid: false, principals: None, error: Some("missing".to_owned()) },
            Signed::Wrong(error) => Self { valid: false, principals: None, error: Some(error.to_string()) },
        }
    }
}

/// Its name in a tree.
pub(super) fn state(checked: &Checked) -> &'static str {
    match checked.chain {
        _ if checked.continued == Some(Continued::AsItWas) => "continued",
        _ if checked.continued == Some(Continued::Changed) => "changed",
        Followed::Changed { .. } => "changed",
        Followed::NoChain => "no_chain",
        Followed::NoRecording => "no_recording",
        Followed::Intact { .. } => "intact",
        Followed::CutOff { .. } if checked.live => "live",
        Followed::CutOff { .. } => "cut_off",
        Followed::Recovered { .. } => "recovered",
    }
}

/// What the chain came to, in words.
#[must_use]
pub fn integrity(checked: &Checked) -> String {
    match checked.chain {
        Followed::Changed { from, to } if from == to => format!("changed at line {from}"),
        Followed::Changed { from, to } => {
            format!("changed at line {from}, or up to line {to}: no check is between them")
        }
        _ if checked.continued == Some(Continued::AsItWas) => {
            "intact up to where the session goes on in another file".to_owned()
        }
        _ if checked.continued == Some(Continued::Changed) => {
            "changed: not as it was when the session went on in another file".to_owned()
        }
        Followed::Intact { gaps: 0 } => "intact".to_owned(),
        Followed::Intact { gaps: 1 } => "intact, with a gap that it tells of".to_owned(),
        Followed::Intact { gaps } => format!("intact, with {gaps} gaps that it tells of"),
        Followed::CutOff { after, .. } if checked.live => {
            format!("still being written; intact up to byte {after}")
        }
        Followed::CutOff { after, unchecked } => {
            format!("cut off after byte {after}; all before it is intact{}", left(unchecked))
        }
        Followed::Recovered { after, unchecked } => {
            format!("recovered after a crash; intact up to byte {after}{}", left(unchecked))
        }
        Followed::NoChain => "without checks".to_owned(),
        Followed::NoRecording => "no recording".to_owned(),
    }
}

/// What was found of a file, in a line.
#[must_use]
pub fn verified_text(path: &Path, checked: &Checked, color: bool) -> String {
    let style = match checked.chain {
        _ if checked.continued == Some(Continued::AsItWas) => GREEN,
        _ if checked.continued == Some(Continued::Changed) => RED,
        Followed::Intact { .. } => GREEN,
        Followed::CutOff { .. } if checked.live => YELLOW,
        Followed::Recovered { .. } | Followed::NoChain => YELLOW,
        Followed::CutOff { .. } | Followed::Changed { .. } | Followed::NoRecording => RED,
    };
    let mut text = integrity(checked);
    let mut wrong = None;
    if let Some(signed) = &checked.signed {
        let signature = escape::controls(&signature(signed));
        match signed {
            Signed::By(_) => {
                let _ = write!(text, "; {signature}");
            }
            // The signature of the last file covers it.
            Signed::Missing if checked.continued.is_some() => {}
            Signed::Missing | Signed::Wrong(_) => wrong = Some(signature),
        }
    }
    let mut line = format!("{}: {}", escape::path(path), paint(color, style, &text));
    if let Some(wrong) = wrong {
        let open = matches!(&checked.signed, Some(Signed::Wrong(error)) if error.is_open());
        let _ = write!(line, "; {}", paint(color, if open { YELLOW } else { RED }, &wrong));
    }
    line.push('\n');
    line
}

/// Files that claim to be one segment, in a line.
#[must_use]
pub fn copies_text(copies: &Copies<'_>, color: bool) -> String {
    let files: Vec<_> = copies.files.iter().map(|path| escape::path(path)).collect();
    let (last, first) = files.split_last().map_or(("", &[][..]), |(last, first)| (last, first));
    let text =
        format!("the same segment ({}) of session {}", copies.segment, escape::controls(copies.session));
    format!("{} and {last}: {}\n", first.join(", "), paint(color, RED, &text))
}

/// What the signature came to, in words that need escaping.
#[must_use]
pub fn signature(signed: &Signed) -> String {
    match signed {
        Signed::By(principals) => format!("signed by {principals}"),
        Signed::Missing => "not signed".to_owned(),
        Signed::Wrong(error) => error.to_string(),
    }
}

fn session_state(session: &SessionVerdict) -> &'static str {
    if !session.is_complete() {
        "incomplete"
    } else if session.is_good() {
        "intact"
    } else if session.live {
        "live"
    } else {
        "not_intact"
    }
}

/// The verdict on a session of several files, in a line.
#[must_use]
pub fn session_text(session: &SessionVerdict, color: bool) -> String {
    let (style, verdict) = match session_state(session) {
        "intact" => (GREEN, "intact"),
        "incomplete" => (RED, "incomplete"),
        "live" => (YELLOW, "still being written"),
        _ => (RED, "not intact"),
    };
    let files = if session.files.len() == 1 { "file" } else { "files" };
    let mut line = format!(
        "session {}, {} {files}: {}",
        escape::controls(&session.session),
        session.files.len(),
        paint(color, style, verdict)
    );
    for fault in &session.faults {
        let _ = write!(line, "; {fault}");
    }
    line.push('\n');
    line
}

/// What no check covers.
fn left(unchecked: u64) -> String {
    match unchecked {
        0 => String::new(),
        1 => "; 1 byte after it is not checked".to_owned(),
        n => format!("; {n} bytes after it are not checked"),
    }
}
