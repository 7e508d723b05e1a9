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
use super::record_session::{self, Read, Wrong, unknown_keys};
use super::survey::WrittenOption;
use super::tree::{NodeId, Tree};
use crate::policy::{Desktop, OptionName, SessionKind, Setting};

/// The mappings under `spec` that may hold a mode, and what it is the mode of.
const SECTIONS: [(&str, &str, OptionName); 2] = [
    ("defaults", "spec.defaults", OptionName::Default),
    ("ssh", "spec.ssh", OptionName::Kind(SessionKind::Ssh)),
];

/// The names of the mapping that holds the mode; protobuf's JSON has both.
const RECORDING: [&str; 2] = ["session_recording", "sessionRecording"];

/// The names of the mode's own key in the design.
const DESIGNED: [&str; 2] = ["session_recording_mode", "sessionRecordingMode"];

/// Reads the modes of the scoped role `id`.
pub(super) fn read(document: Document<'_>, tree: &Tree<'_>, id: NodeId, found: &mut Found) -> Read {
    let mut read = Read::default();
    let Some(spec) = mapping(document, tree, id, "spec", "spec", found) else { return read };
    for (name, path, option) in SECTIONS {
        let Some(section) = mapping(document, tree, spec, name, path, found) else { continue };
        let Some((key, value)) = mode(document, tree, section, option, found) else { continue };
        if document.is_unknown(tree, value) {
            let kind = ProblemKind::UnknownValue(option.name());
            found.report(document.problem(kind, tree.span(value)));
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
) -> Option<(NodeId, NodeId)> {
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
    let Some((key, value)) = recording else { return designed };
    if document.is_unknown(tree, value) {
        found.report(document.problem(ProblemKind::UnknownValue(RECORDING[0]), tree.span(value)));
        return None;
    }
    if !tree.is_mapping(value) {
        found.report(document.problem(ProblemKind::NotAMapping(RECORDING[0]), tree.span(key)));
        return None;
    }
    unknown_keys(document, tree, value, RECORDING[0], found);
    match tree.get(value, "mode").filter(is_set) {
        None if option != OptionName::Default => {
            let kind = ProblemKind::InvalidMode { option: option.name(), value: None, nearest: None };
            found.report(document.problem(kind, tree.span(key)));
            None
        }
        mode => mode,
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
) -> Option<NodeId> {
    unknown_keys(document, tree, id, path, found);
    let (key, value) = tree.get(id, name)?;
    if tree.is_null(value) {
        return None;
    }
    if document.is_unknown(tree, value) {
        found.report(document.problem(ProblemKind::UnknownValue(path), tree.span(value)));
        return None;
    }
    if !tree.is_mapping(value) {
        found.report(document.problem(ProblemKind::NotAMapping(path), tree.span(key)));
        return None;
    }
    Some(value)
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
