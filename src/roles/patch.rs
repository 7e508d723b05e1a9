//! What kustomize makes of roles: a patch changes a role that another file holds. Both are judged, the role
//! as it is written and as it is patched, since the one may be applied as well as the other. Pure.
//!
//! In a set of roles a patched role counts once, with the loosest of what it may say for each key. That is
//! never stricter than what any cluster gets: a direct value is looser the later it is in *strict, nothing,
//! best_effort*, and so is a default.

use std::collections::HashMap;
use std::sync::Arc;

use super::problem::{Mark, Problem, ProblemKind, Site};
use super::survey::{Layout, WrittenOption, WrittenRole};
use crate::policy::{Desktop, Mode, OptionName, Place, RecordSession, Role, SessionKind, Setting};

/// A change of one role's `record_session`.
#[derive(Debug, Clone)]
pub(super) struct Patch {
    /// The role's name.
    pub(super) name: Arc<str>,
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
}

fn is_set(said: &RecordSession, option: OptionName) -> bool {
    match option {
        OptionName::Default => said.default.is_some(),
        OptionName::Kind(SessionKind::Ssh) => said.ssh.is_some(),
        OptionName::Kind(SessionKind::K8s) => said.k8s.is_some(),
        OptionName::Kind(SessionKind::Desktop) => said.desktop.is_some(),
        OptionName::Kind(SessionKind::Db) => said.db.is_some(),
        OptionName::Kind(SessionKind::App) => said.app.is_some(),
    }
}

/// Why a patch is not read.
const NO_BASE: &str = "the role that this patch changes was not read";
const MIXED: &str = "of the role and this patch, one gives desktop a mode and one does not";

/// Whether this is what [`apply`] has found.
pub(super) fn is_result(kind: &ProblemKind) -> bool {
    matches!(kind, ProblemKind::UnreadRole { why } if [NO_BASE, MIXED].contains(why))
}

/// Adds to the roles what the patches make of them. A patch of a role that was not read, or that can't be
/// told together with it, is a role that is not read.
pub(super) fn apply(roles: &mut Vec<WrittenRole>, patches: &[Patch]) -> Vec<Problem> {
    if patches.is_empty() {
        return Vec::new();
    }
    let mut bases = HashMap::new();
    for written in roles.iter() {
        let of_base = || (Arc::clone(&written.role), written.role.record_session.desktop.clone());
        bases.entry(Arc::clone(&written.role.name)).or_insert_with(of_base);
    }
    let mut problems = Vec::new();
    for patch in patches {
        let unread = |why| {
            let site = Site { file: Arc::clone(&patch.at.file), mark: Some(patch.mark.clone()) };
            let role = Some(Arc::clone(&patch.name));
            Problem { role, ..Problem::new(ProblemKind::UnreadRole { why }, site) }
        };
        let Some((base, desktop)) = bases.get_mut(&patch.name) else {
            problems.extend(patch.is_of_role.then(|| unread(NO_BASE)));
            continue;
        };
        let said = patch.apply(&base.record_session);
        let Ok(looser) = looser_desktop(desktop.as_ref(), said.desktop.as_ref()) else {
            problems.push(unread(MIXED));
            continue;
        };
        *desktop = looser;
        let role = Role { name: Arc::clone(&patch.name), at: patch.at.clone(), record_session: said };
        roles.push(WrittenRole {
            role: Arc::new(role),
            name: patch.mark.clone(),
            version: None,
            record_session: patch.key.clone(),
            layout: Layout::default(),
            options: patch.options.clone(),
            is_patched: true,
        });
    }
    problems
}

/// The roles as they count in a set: one of each name, patched ones together with what they were before.
/// Of several of one name that are not patched the first.
pub(super) fn join(roles: impl Iterator<Item = (Arc<Role>, bool)>) -> Vec<Arc<Role>> {
    let mut joined: Vec<Arc<Role>> = Vec::new();
    let mut numbers: HashMap<Arc<str>, usize> = HashMap::new();
    for (role, is_patched) in roles {
        match numbers.get(&role.name) {
            None => {
                numbers.insert(Arc::clone(&role.name), joined.len());
                joined.push(role);
            }
            Some(&n) if is_patched => {
                let said = loosest(&joined[n].record_session, &role.record_session);
                Arc::make_mut(&mut joined[n]).record_session = said;
            }
            Some(_) => {}
        }
    }
    joined
}

/// For each key the looser of both.
fn loosest(a: &RecordSession, b: &RecordSession) -> RecordSession {
    let desktop = looser_desktop(a.desktop.as_ref(), b.desktop.as_ref());
    RecordSession {
        default: looser(a.default.as_ref(), b.default.as_ref()),
        ssh: looser(a.ssh.as_ref(), b.ssh.as_ref()),
        k8s: looser(a.k8s.as_ref(), b.k8s.as_ref()),
        desktop: desktop.unwrap_or_else(|Mixed| a.desktop.clone()),
        db: looser(a.db.as_ref(), b.db.as_ref()),
        app: looser(a.app.as_ref(), b.app.as_ref()),
    }
}

fn looser(a: Option<&Setting<Mode>>, b: Option<&Setting<Mode>>) -> Option<Setting<Mode>> {
    let rank = |setting: Option<&Setting<Mode>>| match setting.map(|setting| setting.value) {
        Some(Mode::Strict) => 0,
        None => 1,
        Some(Mode::BestEffort) => 2,
    };
    if rank(b) > rank(a) { b.cloned() } else { a.cloned() }
}

/// Neither of two settings of `desktop` is the looser one.
struct Mixed;

/// The looser of both. An error if neither is: a mode beside none or a boolean, since one dialect reads a
/// mode there as a recording that is off.
fn looser_desktop(
    a: Option<&Setting<Desktop>>,
    b: Option<&Setting<Desktop>>,
) -> Result<Option<Setting<Desktop>>, Mixed> {
    let rank = |setting: Option<&Setting<Desktop>>| match setting.map(|setting| setting.value) {
        Some(Desktop::Mode(Mode::Strict)) => (true, 0),
        Some(Desktop::Mode(Mode::BestEffort)) => (true, 1),
        Some(Desktop::Recorded(true)) | None => (false, 0),
        Some(Desktop::Recorded(false)) => (false, 1),
    };
    let (of_a, of_b) = (rank(a), rank(b));
    if of_a.0 != of_b.0 {
        return Err(Mixed);
    }
    Ok(if of_b > of_a { b.cloned() } else { a.cloned() })
}
