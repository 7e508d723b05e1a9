//! What kustomize makes of roles: a patch changes a role that another file holds. Both are judged, the role
//! as it is written and as it is patched, since the one may be applied as well as the other. Pure.
//!
//! In a set of roles a patched role counts once. An option for which the role and what a patch makes of it
//! differ is unknown there, since a cluster may get the one as well as the other.

use std::collections::HashMap;
use std::sync::Arc;

use super::problem::{Mark, Problem, ProblemKind, Site};
use super::sets::{InSet, Keyed, SetKey};
use super::written::{Layout, WrittenOption, WrittenRole};
use crate::policy::{Desktop, OptionName, Place, RecordSession, Role, SessionKind, Unknown, UnknownReason};

/// A change of one role's `record_session`.
#[derive(Debug, Clone)]
pub(super) struct Patch {
    /// The role's name.
    pub(super) name: Arc<str>,
    /// The set that the patch is in.
    pub(super) set: SetKey,
    /// Where the patch names it, or is.
    pub(super) at: Place,
    pub(super) mark: Mark,
    /// Whether it is surely of a role; if not, it is of one only where such a role was read.
    pub(super) is_of_role: bool,
    /// Whether all that the role said is removed first.
    pub(super) clears: bool,
    /// The keys that are removed.
    pub(super) removes: Vec<OptionName>,
    /// What is set.
    pub(super) sets: RecordSession,
    /// How that is written; only in detail.
    pub(super) key: Option<Mark>,
    pub(super) options: Vec<WrittenOption>,
}

impl InSet for Patch {
    fn set(&self) -> &SetKey {
        &self.set
    }
    fn set_mut(&mut self) -> &mut SetKey {
        &mut self.set
    }
    fn file(&self) -> &Arc<str> {
        &self.at.file
    }
}

impl Patch {
    /// Makes the change of a later operation as well.
    pub(super) fn then(&mut self, later: Self) {
        let before = std::mem::take(&mut self.sets);
        self.sets = later.apply(&before);
        self.removes.retain(|&option| !is_set(&later.sets, option));
        if later.clears {
            self.clears = true;
            self.removes.clear();
            self.options.clear();
        }
        self.removes.extend(&later.removes);
        self.options.retain(|old| !is_set(&later.sets, old.option) && !later.removes.contains(&old.option));
        self.options.extend(later.options);
        self.is_of_role |= later.is_of_role;
        self.key = self.key.take().or(later.key);
    }

    /// What a role that says this says when it is patched.
    fn apply(&self, base: &RecordSession) -> RecordSession {
        let mut said = if self.clears { RecordSession::default() } else { base.clone() };
        for &option in &self.removes {
            copy(&mut said, &RecordSession::default(), option);
        }
        for option in OptionName::ALL {
            if is_set(&self.sets, option) {
                copy(&mut said, &self.sets, option);
            }
        }
        said
    }
}

/// Sets one key to what it is in `from`.
fn copy(to: &mut RecordSession, from: &RecordSession, option: OptionName) {
    match option {
        OptionName::Default => to.default.clone_from(&from.default),
        OptionName::Kind(SessionKind::Ssh) => to.ssh.clone_from(&from.ssh),
        OptionName::Kind(SessionKind::K8s) => to.k8s.clone_from(&from.k8s),
        OptionName::Kind(SessionKind::Desktop) => to.desktop.clone_from(&from.desktop),
        OptionName::Kind(SessionKind::Db) => to.db.clone_from(&from.db),
        OptionName::Kind(SessionKind::App) => to.app.clone_from(&from.app),
    }
    to.unknown.remove(&option);
    to.unknown.extend(from.unknown.get(&option).map(|unknown| (option, unknown.clone())));
}

fn is_set(said: &RecordSession, option: OptionName) -> bool {
    said.unknown.contains_key(&option) || value(said, option).is_some()
}

/// What is known of an option, in words; and where it is written.
fn value(said: &RecordSession, option: OptionName) -> Option<(&'static str, &Place)> {
    let setting = match option {
        OptionName::Default => &said.default,
        OptionName::Kind(SessionKind::Ssh) => &said.ssh,
        OptionName::Kind(SessionKind::K8s) => &said.k8s,
        OptionName::Kind(SessionKind::Db) => &said.db,
        OptionName::Kind(SessionKind::App) => &said.app,
        OptionName::Kind(SessionKind::Desktop) => {
            let setting = said.desktop.as_ref()?;
            let value = match setting.value {
                Desktop::Mode(mode) => mode.name(),
                Desktop::Recorded(true) => "true",
                Desktop::Recorded(false) => "false",
            };
            return Some((value, &setting.at));
        }
    };
    setting.as_ref().map(|setting| (setting.value.name(), &setting.at))
}

/// Why a patch is not read.
const NO_BASE: &str = "the role that this patch changes was not read";

/// Whether this is what [`apply`] has found.
pub(super) fn is_result(kind: &ProblemKind) -> bool {
    matches!(kind, ProblemKind::UnreadRole { why } if *why == NO_BASE)
}

/// Adds to the roles what the patches make of them. A patch of a role that was not read is a role that is not
/// read.
pub(super) fn apply(roles: &mut Vec<WrittenRole>, patches: &[Patch]) -> Vec<Problem> {
    if patches.is_empty() {
        return Vec::new();
    }
    let mut bases: HashMap<Arc<str>, Vec<(SetKey, Arc<Role>)>> = HashMap::new();
    for written in roles.iter() {
        let of_name = bases.entry(Arc::clone(&written.role.name)).or_default();
        if of_name.iter().all(|(set, _)| *set != written.set) {
            of_name.push((written.set.clone(), Arc::clone(&written.role)));
        }
    }
    let mut problems = Vec::new();
    for patch in patches {
        let Some(of_name) = bases.get(&patch.name) else {
            if patch.is_of_role {
                let site = Site { file: Arc::clone(&patch.at.file), mark: Some(patch.mark.clone()) };
                let role = Some(Arc::clone(&patch.name));
                let problem = Problem::new(ProblemKind::UnreadRole { why: NO_BASE }, site);
                problems.push(Problem { role, set: patch.set.clone(), ..problem });
            }
            continue;
        };
        // A patch in a folder that is a cluster's changes the role there, wherever the role itself is.
        let own = of_name.iter().filter(|(set, _)| *set == patch.set);
        let mut changed: Vec<_> = own.cloned().collect();
        if changed.is_empty() {
            changed = if patch.set.is_default() {
                of_name.clone()
            } else {
                of_name.iter().take(1).map(|(_, base)| (patch.set.clone(), Arc::clone(base))).collect()
            };
        }
        for (set, base) in changed {
            let said = patch.apply(&base.record_session);
            let role = Role { name: Arc::clone(&patch.name), at: patch.at.clone(), record_session: said };
            roles.push(WrittenRole {
                role: Arc::new(role),
                set,
                name: patch.mark.clone(),
                version: None,
                record_session: patch.key.clone(),
                layout: Layout::default(),
                options: patch.options.clone(),
                is_patched: true,
            });
        }
    }
    problems
}

/// The roles as they count in a set: patched ones together with what they were before.
pub(super) fn join<'a>(roles: impl Iterator<Item = &'a WrittenRole>) -> Vec<Keyed> {
    let mut joined: Vec<Keyed> = Vec::new();
    let mut numbers: HashMap<(&SetKey, &Arc<str>), usize> = HashMap::new();
    for WrittenRole { role, set, is_patched, .. } in roles {
        match numbers.get(&(set, &role.name)) {
            Some(&n) if *is_patched => {
                let base = Arc::make_mut(&mut joined[n].role);
                may_become(&mut base.record_session, role);
            }
            first => {
                if first.is_none() {
                    numbers.insert((set, &role.name), joined.len());
                }
                joined.push(Keyed { set: set.clone(), role: Arc::clone(role) });
            }
        }
    }
    joined
}

/// Makes unknown what a patched role says otherwise.
fn may_become(said: &mut RecordSession, patched: &Role) {
    let words = |said: &RecordSession, option| match said.unknown.get(&option) {
        Some(unknown) => unknown.expression.to_string(),
        None => value(said, option).map_or("nothing", |(value, _)| value).to_owned(),
    };
    for option in OptionName::ALL {
        let later = &patched.record_session;
        let (before, after) = (words(said, option), words(later, option));
        let is_unknown = |said: &RecordSession| said.unknown.contains_key(&option);
        if before == after && is_unknown(said) == is_unknown(later) {
            continue;
        }
        let place = later.unknown.get(&option).map(|unknown| &unknown.at);
        let place = place.or(value(later, option).map(|(_, at)| at)).unwrap_or(&patched.at);
        let known = before.split(" or ").any(|one| one == after);
        let expression = if known { before.into() } else { format!("{before} or {after}").into() };
        said.make_unknown(option, Unknown { reason: UnknownReason::Patched, expression, at: place.clone() });
    }
}
