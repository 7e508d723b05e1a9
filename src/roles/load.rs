//! From paths to roles: puts together what the files hold, in the order of the input, and finds
//! what is wrong with them as a whole.

use std::collections::{HashMap, HashSet, hash_map};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Loaded;
use super::found::{Found, Reading, Skipped, User};
use super::grants::{ConnectorKind, Grants};
use super::parallel::{self, Progress};
use super::problem::{Mark, Problem, ProblemKind, Severity, Site};
use super::sets::{self, InSet, Keyed, Loader, SetKey, Twins};
use super::survey::WrittenRole;
use super::walk::{self, Entry};
use crate::policy::Dialect;

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
pub fn load(paths: &[PathBuf]) -> Result<Loaded, LoadError> {
    load_with_progress(paths, Dialect::default(), &Progress::default())
}

/// Like [`load`], as the readers of `dialect` read the files; keeps `progress` up to date.
///
/// # Errors
///
/// As [`load`].
pub fn load_with_progress(
    paths: &[PathBuf],
    dialect: Dialect,
    progress: &Progress,
) -> Result<Loaded, LoadError> {
    let entries = walk::walk(paths);
    let inputs = entries.iter().filter(|entry| matches!(entry, Entry::File(_))).count();
    progress.files.store(inputs, Ordering::Relaxed);
    let found = parallel::read(&entries, Reading { detail: false, dialect }, progress);
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
    dialect: Dialect,
    progress: &Progress,
) -> Result<Loaded, LoadError> {
    let mut entries = walk::walk(paths);
    entries.retain(|entry| match entry {
        Entry::File(input) => input.named || wanted(&input.path),
        Entry::Problem(problem) => wanted(Path::new(&*problem.site.file)),
        Entry::FolderEnd { .. } => false,
    });
    progress.files.store(entries.len(), Ordering::Relaxed);
    let found = parallel::read(&entries, Reading { detail: false, dialect }, progress);
    let mut all = Gathered { twins: twins(&entries), ..Gathered::default() };
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
fn combine(entries: &[Entry], mut found: Vec<Option<Found>>) -> Result<Loaded, LoadError> {
    let holds_something: Vec<bool> = found
        .iter()
        .zip(entries)
        .map(|(found, entry)| match entry {
            Entry::Problem(_) => true,
            _ => found.as_ref().is_some_and(|found| found.ours || has_error(&found.problems)),
        })
        .collect();
    let mut all = Gathered { twins: twins(entries), ..Gathered::default() };
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

fn twins(entries: &[Entry]) -> Twins {
    let files = entries.iter().filter_map(|entry| match entry {
        Entry::File(input) => Some(&input.file),
        _ => None,
    });
    Twins::among(files)
}

/// What these files hold together, in their order; no role is an answer, too. `files`: their names.
pub(super) fn join(files: &[Arc<str>], found: impl Iterator<Item = Found>) -> Result<Loaded, LoadError> {
    let mut all = Gathered { twins: Twins::among(files.iter()), ..Gathered::default() };
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
    problems: Vec<Problem>,
    twins: Twins,
}

impl Gathered {
    fn add(&mut self, mut found: Found) {
        self.problems.append(&mut found.problems);
        self.roles.append(&mut found.roles);
        self.users.append(&mut found.users);
        self.grants.append(found.grants);
        self.skipped.append(&mut found.skipped);
    }

    /// Reports names that are there twice.
    fn second_ones(&mut self) {
        let users: Vec<_> = self.users.iter().map(|(user, mark)| (user, mark)).collect();
        self.problems.extend(repeated(&self.roles, &users, &self.grants, &self.twins));
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

    fn finish(self) -> Result<Loaded, LoadError> {
        let (errors, warnings): (Vec<_>, Vec<_>) =
            self.problems.into_iter().partition(|problem| problem.kind.severity() == Severity::Error);
        if !errors.is_empty() {
            return Err(LoadError { problems: errors, warnings, skipped: self.skipped });
        }
        let keyed = |written: WrittenRole| Keyed { set: written.set, role: written.role };
        let roles: Vec<_> = self.roles.into_iter().map(keyed).collect();
        let users = self.users.into_iter().map(|(user, _)| user).collect();
        let sets = sets::split(&roles, users, self.grants, &self.twins);
        Ok(Loaded { sets, warnings, skipped: self.skipped })
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

/// An error for each role, user, access list and connector whose name an earlier one of its sort has in the
/// same set.
pub(super) fn repeated(
    roles: &[WrittenRole],
    users: &[(&User, &Mark)],
    grants: &Grants,
    twins: &Twins,
) -> Vec<Problem> {
    if twins.is_empty() {
        return repeated_in(roles, users, grants, &|_| true);
    }
    // What both programs load twice is one error.
    let mut known = HashSet::new();
    let mut problems = Vec::new();
    for loader in [Loader::Terraform, Loader::OpenTofu] {
        let found = repeated_in(roles, users, grants, &|file| twins.is_loaded(file, loader));
        let place = |problem: &Problem| (Arc::clone(&problem.site.file), problem.position());
        problems.extend(found.into_iter().filter(|problem| known.insert(place(problem))));
    }
    problems
}

/// The same among the files that are `wanted`.
fn repeated_in(
    roles: &[WrittenRole],
    users: &[(&User, &Mark)],
    grants: &Grants,
    wanted: &dyn Fn(&str) -> bool,
) -> Vec<Problem> {
    let roles = roles.iter().filter(|role| wanted(&role.role.at.file));
    let roles = roles.map(|role| ((&role.set, "", &role.role.name), &role.role.at.file, &role.name));
    let mut problems = second_ones(roles, |_, name| ProblemKind::DuplicateRole(name));
    // One may be assigned any number of scoped roles.
    let users = users.iter().filter(|(user, _)| wanted(&user.at.file) && user.set.scoped.is_none());
    let users = users.map(|&(user, mark)| ((&user.set, "", &user.name), &user.at.file, mark));
    problems.extend(second_ones(users, |_, name| ProblemKind::DuplicateUser(name)));
    let lists = grants.lists.iter().filter(|list| wanted(list.file()));
    let lists = lists.map(|list| ((&list.set, "access list", &list.name), &list.at.file, &list.mark));
    let connectors = grants.connectors.iter().filter(|connector| wanted(connector.file()));
    let connectors = connectors.map(|connector| {
        let kind = match connector.kind {
            ConnectorKind::Github => "github connector",
            ConnectorKind::Saml => "saml connector",
            ConnectorKind::Oidc => "oidc connector",
        };
        ((&connector.set, kind, &connector.name), &connector.at.file, &connector.mark)
    });
    problems.extend(second_ones(lists.chain(connectors), |kind, name| ProblemKind::DuplicateGrant {
        kind,
        name,
    }));
    problems
}

/// What makes two things of one sort the same: their set, kind and name.
type Identity<'a> = (&'a SetKey, &'static str, &'a Arc<str>);

fn second_ones<'a>(
    items: impl Iterator<Item = (Identity<'a>, &'a Arc<str>, &'a Mark)>,
    kind: fn(&'static str, String) -> ProblemKind,
) -> Vec<Problem> {
    let mut firsts = HashMap::new();
    let mut problems = Vec::new();
    let site = |file: &Arc<str>, mark: &Mark| Site { file: Arc::clone(file), mark: Some(mark.clone()) };
    for (identity, file, mark) in items {
        match firsts.entry(identity) {
            hash_map::Entry::Vacant(entry) => drop(entry.insert((file, mark))),
            hash_map::Entry::Occupied(first) => {
                let (_, what, name) = identity;
                let mut problem = Problem::new(kind(what, name.to_string()), site(file, mark));
                let (file, mark) = *first.get();
                problem.related.push(("first here", site(file, mark)));
                problems.push(problem);
            }
        }
    }
    problems
}
