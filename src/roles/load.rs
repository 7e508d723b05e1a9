//! From paths to roles: puts together what the files hold, in the order of the input, and finds
//! what is wrong with them as a whole.

use std::collections::{HashMap, hash_map};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Roles;
use super::found::{Found, Skipped, User};
use super::grants::{ConnectorKind, Grants};
use super::parallel::{self, Progress};
use super::patch::{self, Patch};
use super::problem::{Mark, Problem, ProblemKind, Severity, Site};
use super::survey::WrittenRole;
use super::walk::{self, Entry};

/// Why there are no roles: everything that is wrong with the input, in the order of the input.
#[derive(Debug, thiserror::Error)]
#[error("{} in the role files", if .problems.len() == 1 { "an error".to_owned() } else { format!("{} errors", .problems.len()) })]
pub struct LoadError {
    /// The errors; never empty.
    pub problems: Vec<Problem>,
    /// What has no effect.
    pub warnings: Vec<Problem>,
    /// Documents that are neither roles nor users.
    pub skipped: Vec<Skipped>,
}

/// Reads the roles under these paths: files, folders, `-` and other streams. All threads it starts
/// have ended when it returns.
///
/// # Errors
///
/// If anything that was found can't be read, isn't well-formed or says something that is no
/// policy; or if there is no role.
pub fn load(paths: &[PathBuf]) -> Result<Roles, LoadError> {
    load_with_progress(paths, &Progress::default())
}

/// Like [`load`], and tells `progress` how far it is.
///
/// # Errors
///
/// As [`load`].
pub fn load_with_progress(paths: &[PathBuf], progress: &Progress) -> Result<Roles, LoadError> {
    let entries = walk::walk(paths);
    let inputs = entries.iter().filter(|entry| matches!(entry, Entry::File(_))).count();
    progress.files.store(inputs, Ordering::Relaxed);
    let found = parallel::read(&entries, false, progress);
    combine(&entries, found)
}

/// Like [`load_with_progress`], for what is compared with what it was: in folders, only what is `wanted`;
/// and no role is an answer, too.
///
/// # Errors
///
/// If anything that was found can't be read, isn't well-formed or says something that is no policy.
pub fn load_wanted(
    paths: &[PathBuf],
    wanted: impl Fn(&Path) -> bool,
    progress: &Progress,
) -> Result<Roles, LoadError> {
    let mut entries = walk::walk(paths);
    entries.retain(|entry| match entry {
        Entry::File(input) => input.named || wanted(&input.path),
        Entry::Problem(problem) => wanted(Path::new(&*problem.site.file)),
        Entry::FolderEnd { .. } => false,
    });
    progress.files.store(entries.len(), Ordering::Relaxed);
    let found = parallel::read(&entries, false, progress);
    let mut all = Gathered::default();
    for (entry, found) in entries.into_iter().zip(found) {
        if let Entry::Problem(problem) = entry {
            all.problems.push(problem);
        }
        if let Some(found) = found {
            all.add(found);
        }
    }
    all.second_ones();
    all.finish()
}

/// Everything together, in the order of the entries.
fn combine(entries: &[Entry], mut found: Vec<Option<Found>>) -> Result<Roles, LoadError> {
    let holds_something: Vec<bool> = found
        .iter()
        .zip(entries)
        .map(|(found, entry)| match entry {
            Entry::Problem(_) => true,
            _ => found.as_ref().is_some_and(|found| found.ours || has_error(&found.problems)),
        })
        .collect();
    let mut all = Gathered::default();
    for (n, entry) in entries.iter().enumerate() {
        match entry {
            Entry::Problem(problem) => all.problems.push(problem.clone()),
            Entry::FolderEnd { file, first } => {
                // Nothing at all may be in it because a path before it led to the same files.
                let empty = !holds_something[*first..n].contains(&true);
                let elsewhere = *first == n && holds_something[..n].contains(&true);
                if empty && !elsewhere {
                    all.problems.push(Problem::of_file(ProblemKind::NoRoleInFolder, file));
                }
            }
            Entry::File(input) => {
                let Some(mut found) = found[n].take() else { continue };
                all.problems.append(&mut found.problems);
                if input.named && !holds_something[n] {
                    let kinds = kinds(&found.skipped);
                    all.problems.push(Problem::of_file(ProblemKind::NoRole(kinds), &input.file));
                }
                all.add(found);
            }
        }
    }
    all.second_ones();
    all.no_role();
    all.finish()
}

/// What these files hold together, in their order; no role is an answer, too.
pub(super) fn join(found: impl Iterator<Item = Found>) -> Result<Roles, LoadError> {
    let mut all = Gathered::default();
    found.for_each(|found| all.add(found));
    all.second_ones();
    all.finish()
}

/// What several files hold.
#[derive(Default)]
struct Gathered {
    roles: Vec<WrittenRole>,
    users: Vec<(User, Mark)>,
    grants: Grants,
    skipped: Vec<Skipped>,
    patches: Vec<Patch>,
    problems: Vec<Problem>,
}

impl Gathered {
    fn add(&mut self, mut found: Found) {
        self.problems.append(&mut found.problems);
        self.roles.append(&mut found.roles);
        self.users.append(&mut found.users);
        self.grants.append(found.grants);
        self.skipped.append(&mut found.skipped);
        self.patches.append(&mut found.patches);
    }

    /// Reports names that are there twice.
    fn second_ones(&mut self) {
        self.problems.extend(repeated(&self.roles, &self.users, &self.grants));
    }

    /// Reports that there is no role, unless an error says why.
    fn no_role(&mut self) {
        if !self.roles.is_empty() || has_error(&self.problems) {
            return;
        }
        let user = self.users.first().map(|(user, _)| &user.at);
        let list = self.grants.lists.first().map(|list| &list.at);
        let connector = self.grants.connectors.first().map(|connector| &connector.at);
        let member = self.grants.members.first().map(|member| &member.member.at);
        let first = user.or(list).or(connector).or(member);
        let file = first.map_or_else(|| "roles".into(), |at| Arc::clone(&at.file));
        self.problems.push(Problem::of_file(ProblemKind::OnlyUsers, &file));
    }

    fn finish(mut self) -> Result<Roles, LoadError> {
        self.problems.extend(patch::apply(&mut self.roles, &self.patches));
        let (errors, warnings): (Vec<_>, Vec<_>) =
            self.problems.into_iter().partition(|problem| problem.kind.severity() == Severity::Error);
        if !errors.is_empty() {
            return Err(LoadError { problems: errors, warnings, skipped: self.skipped });
        }
        let roles = self.roles.into_iter().map(|written| (written.role, written.is_patched));
        // Without a patch no name is there twice.
        let roles = match self.patches.as_slice() {
            [] => roles.map(|(role, _)| role).collect(),
            _ => patch::join(roles),
        };
        let users = self.users.into_iter().map(|(user, _)| user).collect();
        Ok(Roles::new(roles, users, self.grants, warnings, self.skipped))
    }
}

/// The first few kinds of what was skipped.
fn kinds(skipped: &[Skipped]) -> Vec<String> {
    let mut kinds: Vec<String> = Vec::new();
    for kind in skipped.iter().filter_map(|skipped| skipped.kind.as_deref()) {
        if kinds.len() == 3 {
            break;
        }
        if !kinds.iter().any(|known| known == kind) {
            kinds.push(kind.to_owned());
        }
    }
    kinds
}

fn has_error(problems: &[Problem]) -> bool {
    problems.iter().any(|problem| problem.kind.severity() == Severity::Error)
}

/// An error for each role, user, access list and connector whose name an earlier one of its sort has.
pub(super) fn repeated(roles: &[WrittenRole], users: &[(User, Mark)], grants: &Grants) -> Vec<Problem> {
    let role = |written: &WrittenRole| (Arc::clone(&written.role.name), written.site());
    let user = |(user, mark): &(User, Mark)| {
        (Arc::clone(&user.name), Site { file: Arc::clone(&user.at.file), mark: Some(mark.clone()) })
    };
    let mut problems = second_ones(roles, |written| &written.role.name, role, ProblemKind::DuplicateRole);
    problems.extend(second_ones(users, |(user, _)| &user.name, user, ProblemKind::DuplicateUser));
    problems.extend(second_grants(grants));
    problems
}

fn second_ones<T>(
    items: &[T],
    name: impl Fn(&T) -> &Arc<str>,
    site: impl Fn(&T) -> (Arc<str>, Site),
    kind: fn(String) -> ProblemKind,
) -> Vec<Problem> {
    let mut firsts = HashMap::with_capacity(items.len());
    let mut problems = Vec::new();
    for item in items {
        let first = *firsts.entry(name(item)).or_insert(item);
        if !std::ptr::eq(first, item) {
            let (name, at) = site(item);
            let mut problem = Problem::new(kind(name.to_string()), at);
            problem.related.push(("first here", site(first).1));
            problems.push(problem);
        }
    }
    problems
}

/// An error for each access list or connector whose name an earlier one of its kind has.
fn second_grants(grants: &Grants) -> Vec<Problem> {
    let lists = grants.lists.iter().map(|list| ("access list", &list.name, &list.at, &list.mark));
    let connectors = grants.connectors.iter().map(|connector| {
        let kind = match connector.kind {
            ConnectorKind::Github => "github connector",
            ConnectorKind::Saml => "saml connector",
            ConnectorKind::Oidc => "oidc connector",
        };
        (kind, &connector.name, &connector.at, &connector.mark)
    });
    let mut firsts = HashMap::new();
    let mut problems = Vec::new();
    for (kind, name, at, mark) in lists.chain(connectors) {
        let site = Site { file: Arc::clone(&at.file), mark: Some(mark.clone()) };
        match firsts.entry((kind, name)) {
            hash_map::Entry::Vacant(entry) => drop(entry.insert(site)),
            hash_map::Entry::Occupied(first) => {
                let second = ProblemKind::DuplicateGrant { kind, name: name.to_string() };
                let mut problem = Problem::new(second, site);
                problem.related.push(("first here", first.get().clone()));
                problems.push(problem);
            }
        }
    }
    problems
}
