//! Scoped roles, and who is assigned them: where they hold their recording modes, and where such a key has no
//! effect.
//!
//! Source: Teleport's `api/proto/teleport/scopes/access/v1` and `lib/services/ssh_access_checker.go` (v18 line,
//! 2026). `spec.ssh.session_recording.mode` is the mode of SSH sessions, else `spec.defaults.session_recording.mode`,
//! else `best_effort`. An `ssh.session_recording` without a mode keeps the default from being looked at.
//! `session_recording_mode`, in place of `session_recording.mode`, is the name in the design (gravitational/teleport
//! #65996); Teleport ignores it, so it is read with a warning.

use std::collections::HashSet;

use super::found::{Document, Found};
use super::problem::ProblemKind;
use super::record_session::{self, Read, Wrong, unknown, unknown_key};
use super::tree::{NodeId, Tree};
use super::written::WrittenOption;
use crate::policy::{Desktop, OptionName, RecordSession, SessionKind, Setting};

/// The mappings under `spec` that may hold a mode, and what it is the mode of.
const SECTIONS: [(&str, &str, OptionName); 2] = [
    ("defaults", "spec.defaults", OptionName::Default),
    ("ssh", "spec.ssh", OptionName::Kind(SessionKind::Ssh)),
];

/// The names of the mapping that holds the mode; protobuf's JSON has both.
const RECORDING: [&str; 2] = ["session_recording", "sessionRecording"];

/// The names of the mode's own key in the design.
const DESIGNED: [&str; 2] = ["session_recording_mode", "sessionRecordingMode"];

/// An expression in the place of a mapping, or as a key of it; it was reported.
struct Expression(NodeId);

/// Reads the modes of the scoped role `id`.
pub(super) fn read(document: Document<'_>, tree: &Tree<'_>, id: NodeId, found: &mut Found) -> Read {
    let mut read = Read::default();
    let spec = match mapping(document, tree, id, "spec", "spec", found) {
        Ok(Some(spec)) => spec,
        Ok(None) => return read,
        Err(Expression(at)) => {
            let unknown = RecordSession::unknown(&unknown(document, tree, at)).unknown;
            let has_section = |option| SECTIONS.iter().any(|(_, _, other)| *other == option);
            read.said.unknown = unknown.into_iter().filter(|(option, _)| has_section(*option)).collect();
            return read;
        }
    };
    for (name, path, option) in SECTIONS {
        let section = mapping(document, tree, spec, name, path, found);
        let section = section.and_then(|section| match section {
            Some(section) => mode(document, tree, section, option, found),
            None => Ok(None),
        });
        let (key, value) = match section {
            Ok(Some(entry)) => entry,
            Ok(None) => continue,
            Err(Expression(at)) => {
                read.said.unknown.insert(option, unknown(document, tree, at));
                continue;
            }
        };
        if tree.is_unknown(value) {
            let kind = ProblemKind::UnknownValue(option.name());
            found.report(document.problem(kind, tree.span(value)));
            read.said.unknown.insert(option, unknown(document, tree, value));
            continue;
        }
        let Some(Desktop::Mode(mode)) = record_session::setting(tree, option, value) else {
            let (Wrong { value, nearest }, at) = record_session::invalid(tree, key, value);
            let kind = ProblemKind::InvalidMode { option: option.name(), value, nearest };
            found.report(document.problem(kind, tree.span(at)));
            continue;
        };
        if found.detail {
            let (key, value) = (document.mark(tree.span(key)), document.mark(tree.span(value)));
            read.options.push(WrittenOption { option, key, value });
        }
        let setting = Some(Setting::new(mode, document.place(tree.span(value))));
        if option == OptionName::Default { read.said.default = setting } else { read.said.ssh = setting }
    }
    read
}

/// The key and value of a section's mode. A mode of `ssh` that is missing from its mapping is the mapping's key
/// and null.
fn mode(
    document: Document<'_>,
    tree: &Tree<'_>,
    section: NodeId,
    option: OptionName,
    found: &mut Found,
) -> Result<Option<(NodeId, NodeId)>, Expression> {
    let entry = |names: [&str; 2]| names.into_iter().find_map(|name| tree.get(section, name));
    let is_set = |entry: &(NodeId, NodeId)| !tree.is_null(entry.1);
    let recording = entry(RECORDING).filter(is_set);
    let designed = entry(DESIGNED).filter(is_set);
    if let Some((key, _)) = designed {
        let mut problem = document.problem(ProblemKind::DesignedMode, tree.span(key));
        if let Some((key, _)) = recording {
            problem.related.push(("this is what Teleport reads", document.site(tree.span(key))));
        }
        found.report(problem);
    }
    let Some((key, value)) = recording else { return Ok(designed) };
    if tree.is_unknown(value) {
        found.report(document.problem(ProblemKind::UnknownValue(RECORDING[0]), tree.span(value)));
        return Err(Expression(value));
    }
    if !tree.is_mapping(value) {
        found.report(document.problem(ProblemKind::NotAMapping(RECORDING[0]), tree.span(key)));
        return Ok(None);
    }
    if let Some(key) = unknown_key(document, tree, value, RECORDING[0], found) {
        return Err(Expression(key));
    }
    match tree.get(value, "mode").filter(is_set) {
        None if option != OptionName::Default => {
            let kind = ProblemKind::InvalidMode { option: option.name(), value: None, nearest: None };
            found.report(document.problem(kind, tree.span(key)));
            Ok(None)
        }
        mode => Ok(mode),
    }
}

/// The mapping at a key, if there is one; what else is there is reported.
fn mapping(
    document: Document<'_>,
    tree: &Tree<'_>,
    id: NodeId,
    name: &str,
    path: &'static str,
    found: &mut Found,
) -> Result<Option<NodeId>, Expression> {
    if let Some(key) = unknown_key(document, tree, id, path, found) {
        return Err(Expression(key));
    }
    let Some((key, value)) = tree.get(id, name).filter(|(_, value)| !tree.is_null(*value)) else {
        return Ok(None);
    };
    if tree.is_unknown(value) {
        found.report(document.problem(ProblemKind::UnknownValue(path), tree.span(value)));
        return Err(Expression(value));
    }
    if !tree.is_mapping(value) {
        found.report(document.problem(ProblemKind::NotAMapping(path), tree.span(key)));
        return Ok(None);
    }
    Ok(Some(value))
}

/// The mappings of a scoped role in which a key of recording modes has an effect.
pub(super) fn places(tree: &Tree<'_>, id: NodeId) -> HashSet<NodeId> {
    let spec = tree.get(id, "spec").map(|(_, spec)| spec);
    let section = |(name, ..): (&str, &str, OptionName)| Some(tree.get(spec?, name)?.1);
    SECTIONS.into_iter().filter_map(section).flat_map(|section| tree.parts(section)).collect()
}

/// Whether a key is meant to say how sessions are recorded, and has no effect outside of those mappings.
pub(super) fn is_about_recording(key: &str) -> bool {
    key == "record_session" || RECORDING.contains(&key) || DESIGNED.contains(&key)
}
