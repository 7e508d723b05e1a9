//! From paths to roles: puts together what the files hold, in the order of the input, and finds
//! what is wrong with them as a whole.

use std::collections::{BTreeSet, HashMap, HashSet, hash_map};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Loaded;
use super::found::{Found, Reading, Skipped, User};
use super::grants::{ConnectorKind, Grants};
use super::memory::{self, Readable};
use super::modules::Modules;
use super::parallel::{self, Progress};
use super::patch::{self, Patch};
use super::problem::{Mark, Problem, ProblemKind, Severity, Site};
use super::sets::{self, InSet, Loader, SetKey, Twins};
use super::source;
use super::survey::SearchOptions;
use super::walk::{self, Entry, Search};
use super::written::WrittenRole;
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

/// Reads the roles under these paths: files, folders, `-` and other streams. Folders are searched plainly:
/// all role files in them that are not hidden, whatever git says of them, links followed wherever they lead.
/// No program is run, and all threads it starts have ended when it returns.
///
/// # Errors
///
/// If anything that was found can't be read, isn't well-formed or says something that is no
/// policy; or if there is no role.
pub fn load(paths: &[PathBuf]) -> Result<Loaded, LoadError> {
    read(&walk::walk(paths, Search::Plain, None), Dialect::default(), &Progress::default())
}

/// Like [`load`], but what git ignores and does not track is left out of folders, as it is by
/// [`survey`](super::survey()); in a repository `git` is run for it. Keeps
/// `progress` up to date.
///
/// # Errors
///
/// As [`load`]; and if a link leads out of what is searched.
pub fn load_listed(
    paths: &[PathBuf],
    options: &SearchOptions<'_>,
    progress: &Progress,
) -> Result<Loaded, LoadError> {
    let SearchOptions { dialect, stdin, exclude, clusters } = *options;
    let search = Search::Listed { left_out: None, exclude, clusters };
    read(&walk::walk(paths, search, stdin), dialect, progress)
}

fn read(entries: &[Entry], dialect: Dialect, progress: &Progress) -> Result<Loaded, LoadError> {
    let inputs = entries.iter().filter(|entry| matches!(entry, Entry::File(_))).count();
    progress.files.store(inputs, Ordering::Relaxed);
    let found = parallel::read(entries, &Modules::of(entries), Reading { detail: false, dialect }, progress);
    combine(entries, found)
}

/// Like [`load_listed`], for what is compared with what it was: the folders `left_out` are not entered, `texts`
/// (each a name and its content) belong to it, too, and no role is an answer. Only of the paths `new`, which
/// were not there, there has to be a file.
///
/// # Errors
///
/// If anything that was found can't be read, isn't well-formed or says something that is no policy.
pub fn load_compared(
    paths: &[PathBuf],
    new: &[PathBuf],
    left_out: &BTreeSet<PathBuf>,
    texts: Vec<(String, Vec<u8>)>,
    dialect: Dialect,
    progress: &Progress,
) -> Result<Loaded, LoadError> {
    let search = Search::Listed { left_out: Some(left_out), exclude: None, clusters: None };
    let entries = walk::walk(paths, search, None);
    progress.files.store(entries.len(), Ordering::Relaxed);
    let found =
        parallel::read(&entries, &Modules::of(&entries), Reading { detail: false, dialect }, progress);
    let (names, texts) = memory::read(texts, dialect);
    let twins = Twins::among(file_names(&entries).chain(&names));
    let mut all = Gathered { twins, ..Gathered::default() };
    let new: Vec<_> = new.iter().map(|path| source::shown(path)).collect();
    for (n, (entry, found)) in entries.into_iter().zip(found).enumerate() {
        match entry {
            Entry::FolderEnd { file, first, again } if first == n && !again && new.contains(&file) => {
                all.problems.push(Problem::of_file(ProblemKind::NoRoleInFolder, &file));
            }
            // The texts are what it leaves out.
            Entry::Problem(problem) if matches!(problem.kind, ProblemKind::Sparse(_)) => {}
            Entry::Problem(problem) => all.problems.push(problem),
            _ => {}
        }
        if let Some(found) = found {
            all.add(found);
        }
    }
    for found in texts {
        all.add(found);
    }
    all.second_ones();
    all.finish()
}

/// Everything together, in the order of the entries.
fn combine(entries: &[Entry], mut found: Vec<Option<Found>>) -> Result<Loaded, LoadError> {
    let holds_something = holds_something(entries, &found, |found| found.ours || has_error(&found.problems));
    let mut all = Gathered { twins: Twins::among(file_names(entries)), ..Gathered::default() };
    for (n, entry) in entries.iter().enumerate() {
        match entry {
            Entry::Problem(problem) => all.problems.push(problem.clone()),
            Entry::FolderEnd { file, first, again } => {
                all.problems.extend(empty_folder(file, &holds_something[*first..n], *again));
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

/// The names of the files among the entries.
fn file_names(entries: &[Entry]) -> impl Iterator<Item = &Arc<str>> {
    entries.iter().filter_map(|entry| match entry {
        Entry::File(input) => Some(&input.file),
        _ => None,
    })
}

/// For each entry, whether there is something in it, in whatever state, by what a file `holds`.
pub(super) fn holds_something(
    entries: &[Entry],
    found: &[Option<Found>],
    holds: impl Fn(&Found) -> bool,
) -> Vec<bool> {
    let holds = |(entry, found): (&Entry, &Option<Found>)| match entry {
        Entry::Problem(problem) => problem.kind.severity() == Severity::Error,
        _ => found.as_ref().is_some_and(&holds),
    };
    entries.iter().zip(found).map(holds).collect()
}

/// The error that nothing is in a folder that was named, by whether each entry in it holds something. What
/// is in it may have been read `again`, under a path before it.
pub(super) fn empty_folder(file: &Arc<str>, entries: &[bool], again: bool) -> Option<Problem> {
    let is_empty = !entries.contains(&true) && !again;
    is_empty.then(|| Problem::of_file(ProblemKind::NoRoleInFolder, file))
}

/// What these files hold together as far as it can be read: of several roles or holders of one name the first.
/// `files`: their names.
pub(super) fn join_readable(files: &[Arc<str>], found: Vec<Found>) -> Readable {
    let mut all = Gathered { twins: Twins::among(files.iter()), ..Gathered::default() };
    for found in found {
        all.add(found);
    }
    all.second_ones();
    all.patch();
    let problems = std::mem::take(&mut all.problems);
    let (unreadable, warnings) =
        problems.into_iter().partition(|problem| problem.kind.severity() == Severity::Error);
    Readable { roles: all.into_loaded(warnings), unreadable }
}

/// What these files hold together, in their order; no role is an answer, too. `files`: their names.
pub(super) fn join(files: &[Arc<str>], found: Vec<Found>) -> Result<Loaded, LoadError> {
    let mut all = Gathered { twins: Twins::among(files.iter()), ..Gathered::default() };
    for found in found {
        all.add(found);
    }
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
    twins: Twins,
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
        let bot = self.grants.bots.first().map(|bot| &bot.at);
        let first = user.or(list).or(connector).or(member).or(bot);
        let file = first.map_or_else(|| "roles".into(), |at| Arc::clone(&at.file));
        self.problems.push(Problem::of_file(ProblemKind::OnlyUsers, &file));
    }

    /// Adds what the patches make of the roles.
    fn patch(&mut self) {
        self.problems.extend(patch::apply(&mut self.roles, &self.patches));
    }

    fn finish(mut self) -> Result<Loaded, LoadError> {
        self.patch();
        let problems = std::mem::take(&mut self.problems);
        let (errors, warnings): (Vec<_>, Vec<_>) =
            problems.into_iter().partition(|problem| problem.kind.severity() == Severity::Error);
        if !errors.is_empty() {
            return Err(LoadError { problems: errors, warnings, skipped: self.skipped });
        }
        Ok(self.into_loaded(warnings))
    }

    /// The sets, of several of one name the first.
    fn into_loaded(self, warnings: Vec<Problem>) -> Loaded {
        let roles = patch::join(self.roles.iter());
        let users = self.users.into_iter().map(|(user, _)| user).collect();
        let sets = sets::split(&roles, users, self.grants, &self.twins);
        Loaded { sets, warnings, skipped: self.skipped }
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

/// An error for each role, user, bot, access list and connector whose name an earlier one of its sort has in the
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
    let roles = roles.iter().filter(|role| !role.is_patched && wanted(&role.role.at.file));
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
    let bots = grants.bots.iter().filter(|bot| wanted(bot.file()));
    let bots = bots.map(|bot| ((&bot.set, "bot", &bot.name), &bot.at.file, &bot.mark));
    problems.extend(second_ones(lists.chain(connectors).chain(bots), |kind, name| {
        ProblemKind::DuplicateGrant { kind, name }
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
