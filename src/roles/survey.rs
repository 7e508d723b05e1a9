//! What files hold, for those who judge how it is written: the linter. Where [`load`](super::load)
//! answers with roles or errors, this keeps both, and the places of everything.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use super::found::{Found, Reading, Skipped, User};
use super::grants::Grants;
use super::modules::Modules;
use super::parallel::{self, Progress};
use super::patch::Patch;
use super::problem::{Mark, Problem, ProblemKind, Site};
use super::sets::{self, Router, SetKey, Twins, put_into};
use super::source::{Identity, Piece, Source};
use super::walk::{self, Clusters, Entry, Exclude, Search, Whereabouts};
use super::written::{Comment, WrittenRole};
use super::{Roles, load, parse, patch, signs};
use crate::policy::{Dialect, Place};

/// All that was read.
#[derive(Debug, Default)]
pub struct Survey {
    /// The files and streams, in the order they were read.
    pub files: Vec<SurveyedFile>,
    /// The folders that were named.
    pub folders: Vec<Arc<str>>,
    /// The roles in the order of the input; names may repeat.
    pub roles: Vec<WrittenRole>,
    /// The users, likewise.
    pub users: Vec<User>,
    /// What gives roles to someone besides users' own documents, likewise.
    pub grants: Grants,
    /// Documents of other kinds.
    pub skipped: Vec<Skipped>,
    /// Errors and warnings of the reading, in the order of the input.
    pub problems: Vec<Problem>,
    /// Whose reading this is.
    pub dialect: Dialect,
    /// Where the users' names are.
    names: Vec<Mark>,
    /// What kustomize changes of the roles.
    patches: Vec<Patch>,
    /// The number of each file.
    index: HashMap<Arc<str>, usize>,
    /// Where Terraform's files find their locals.
    modules: Modules,
}

/// How files are looked for and read.
#[derive(Clone, Copy, Default)]
pub struct SearchOptions<'a> {
    /// Which semantics apply to the roles.
    pub dialect: Dialect,
    /// The name of the text from standard input.
    pub stdin: Option<&'a str>,
    /// What is left out of folders.
    pub exclude: Option<&'a Exclude>,
    /// Which folders are clusters.
    pub clusters: Option<&'a Clusters>,
}

/// Reads everything under these paths, which are searched as by [`load_listed`](super::load_listed). All
/// threads it starts have ended when it returns.
#[must_use]
pub fn survey(paths: &[PathBuf], options: &SearchOptions<'_>, progress: &Progress) -> Survey {
    let SearchOptions { dialect, stdin, exclude, clusters } = *options;
    let mut entries = walk::walk(paths, Search::Listed { left_out: None, exclude, clusters }, stdin);
    entries.iter_mut().for_each(drop_dot);
    let files = entries.iter().filter(|entry| matches!(entry, Entry::File(_))).count();
    progress.files.store(files, Ordering::Relaxed);
    let modules = Modules::of(&entries);
    let found = parallel::read(&entries, &modules, Reading { detail: true, dialect }, progress);
    let holds_something =
        load::holds_something(&entries, &found, |found| found.ours || !found.problems.is_empty());
    let mut survey = Survey { dialect, modules, ..Survey::default() };
    let mut users = Vec::new();
    for (n, (entry, found)) in entries.into_iter().zip(found).enumerate() {
        match (entry, found) {
            (Entry::Problem(problem), _) => survey.problems.push(problem),
            (Entry::FolderEnd { file, first, again }, _) => {
                survey.folders.push(Arc::clone(&file));
                survey.problems.extend(load::empty_folder(&file, &holds_something[first..n], again));
            }
            (Entry::File(input), Some(mut found)) => {
                let before = survey.problems.len();
                survey.problems.append(&mut found.problems);
                survey.roles.append(&mut found.roles);
                survey.skipped.append(&mut found.skipped);
                survey.patches.append(&mut found.patches);
                users.append(&mut found.users);
                survey.grants.append(found.grants);
                // A template that nobody named and that shows nothing is nobody's.
                let is_silent = survey.problems.len() == before;
                if !input.named && is_silent && signs::may_hold_signs(&input.path) {
                    continue;
                }
                survey.index.insert(Arc::clone(&input.file), survey.files.len());
                survey.files.push(SurveyedFile {
                    file: input.file,
                    path: (input.source == Source::File).then_some(input.path),
                    named: input.named,
                    id: input.id,
                    cluster: None,
                    text: found.text,
                    comments: found.comments,
                    fragile: found.fragile,
                    lines: OnceLock::new(),
                });
            }
            _ => {}
        }
    }
    (survey.users, survey.names) = users.into_iter().unzip();
    survey.combine();
    if let Some(clusters) = clusters {
        survey.put_into_clusters(|file| match clusters(Path::new(file)) {
            Whereabouts::In(cluster) => Some(cluster),
            Whereabouts::Elsewhere | Whereabouts::Above(_) => None,
        });
    }
    survey
}

/// Takes `./` from the names of what is in the current directory: findings are compared by them.
fn drop_dot(entry: &mut Entry) {
    let file = match entry {
        Entry::File(input) => &mut input.file,
        Entry::Problem(problem) => &mut problem.site.file,
        Entry::FolderEnd { .. } => return,
    };
    if let Some(rest) = file.strip_prefix("./").filter(|rest| !rest.is_empty()) {
        *file = rest.into();
    }
}

impl Survey {
    /// Puts into a cluster what is in the folders that are the cluster's: `folder` gives each file's cluster.
    pub fn put_into_clusters(&mut self, folder: impl Fn(&str) -> Option<Arc<str>>) {
        for file in &mut self.files {
            file.cluster = folder(&file.file);
        }
        if self.files.iter().any(|file| file.cluster.is_some()) {
            put_into(&mut self.roles, &folder);
            put_into(&mut self.users, &folder);
            self.grants.put_into(&folder);
            put_into(&mut self.problems, &folder);
            put_into(&mut self.patches, &folder);
            self.combine();
        }
    }

    /// Adds what only all files together tell, in place of what was known of it: the names that a set has twice,
    /// and what patches make of roles.
    fn combine(&mut self) {
        let is_result = |problem: &Problem| {
            matches!(
                problem.kind,
                ProblemKind::DuplicateRole(_)
                    | ProblemKind::DuplicateUser(_)
                    | ProblemKind::DuplicateGrant { .. }
            ) || patch::is_result(&problem.kind)
        };
        self.roles.retain(|role| !role.is_patched);
        self.problems.retain(|problem| !is_result(problem));
        let users: Vec<_> = self.users.iter().zip(&self.names).collect();
        let repeated = load::repeated(&self.roles, &users, &self.grants, &self.twins());
        self.problems.extend(repeated);
        self.problems.extend(patch::apply(&mut self.roles, &self.patches));
    }

    fn twins(&self) -> Twins {
        Twins::among(self.files.iter().map(|file| &file.file))
    }

    /// The same with other texts of these files.
    #[must_use]
    pub fn with_texts(&self, texts: &HashMap<Arc<str>, String>) -> Self {
        let mut new = Self::default();
        let modules = self.modules.with_texts(texts);
        for (file, text) in texts {
            let cluster = self.file(file).and_then(|file| file.cluster.as_ref());
            let one = survey_one(file, text, self.dialect, cluster, &modules);
            new.files.extend(one.files);
            new.roles.extend(one.roles);
            new.users.extend(one.users);
            new.names.extend(one.names);
            new.grants.append(one.grants);
            new.skipped.extend(one.skipped);
            new.patches.extend(one.patches);
            new.problems.extend(one.problems);
        }
        let nth = |name: &str| self.index.get(name).copied().unwrap_or(usize::MAX);
        let is_other = |name: &Arc<str>| !texts.contains_key(name);
        let mut files = self.files.clone();
        for file in new.files {
            if let Some(old) = files.get_mut(nth(&file.file)) {
                *old = SurveyedFile { path: old.path.take(), named: old.named, id: old.id, ..file };
            }
        }
        let written = |role: &&WrittenRole| !role.is_patched;
        let others = self.roles.iter().filter(|role| is_other(&role.role.at.file)).filter(written).cloned();
        let new_roles = new.roles.into_iter().filter(|role| !role.is_patched);
        let mut roles: Vec<_> = others.chain(new_roles).collect();
        roles.sort_by_key(|role| nth(&role.role.at.file));
        let users = |survey: &Self| -> Vec<_> {
            survey.users.iter().cloned().zip(survey.names.iter().cloned()).collect()
        };
        let mut all: Vec<_> = users(self).into_iter().filter(|(user, _)| is_other(&user.at.file)).collect();
        all.append(&mut new.users.into_iter().zip(new.names).collect());
        all.sort_by_key(|(user, _)| nth(&user.at.file));
        let others = self.problems.iter().filter(|problem| is_other(&problem.site.file)).cloned();
        let mut problems: Vec<_> = others.chain(new.problems).collect();
        problems.sort_by_key(|problem| nth(&problem.site.file));
        let mut grants = self.grants.only(is_other);
        grants.append(new.grants);
        let others = self.skipped.iter().filter(|skipped| is_other(&skipped.at.file)).cloned();
        let skipped = others.chain(new.skipped).collect();
        let (users, names) = all.into_iter().unzip();
        let others = self.patches.iter().filter(|patch| is_other(&patch.at.file)).cloned();
        let patches = others.chain(new.patches).collect();
        let (dialect, index, folders) = (self.dialect, self.index.clone(), self.folders.clone());
        let mut survey = Self {
            files,
            folders,
            roles,
            users,
            grants,
            skipped,
            problems,
            dialect,
            names,
            patches,
            index,
            modules,
        };
        survey.combine();
        survey
    }

    /// Reads another text of one of its files, as if that were the only file that was named. Terraform's
    /// locals are still those of the file's folder.
    #[must_use]
    pub fn other_text(&self, file: &Arc<str>, text: &str) -> Self {
        let texts = HashMap::from([(Arc::clone(file), text.to_owned())]);
        let cluster = self.file(file).and_then(|file| file.cluster.as_ref());
        survey_one(file, text, self.dialect, cluster, &self.modules.with_texts(&texts))
    }

    /// The file of this name.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&SurveyedFile> {
        self.files.get(*self.index.get(name)?)
    }

    /// The files that hold a document with a kind, or have a problem.
    #[must_use]
    pub fn files_with_something(&self) -> HashSet<&Arc<str>> {
        let roles = self.roles.iter().map(|role| &role.role.at.file);
        let users = self.users.iter().map(|user| &user.at.file);
        let skipped = self.skipped.iter().filter(|skipped| skipped.kind.is_some());
        let skipped = skipped.map(|skipped| &skipped.at.file);
        let problems = self.problems.iter().map(|problem| &problem.site.file);
        roles.chain(users).chain(skipped).chain(problems).chain(self.grants.files()).collect()
    }

    /// The settings in the files, without how they are written: the sets that hold anything, sorted; at least one.
    #[must_use]
    pub fn sets(&self) -> Vec<Roles> {
        let roles = patch::join(self.roles.iter());
        sets::split(&roles, self.users.clone(), self.grants.clone(), &self.twins())
    }

    /// The roles of each set, in the order of the input; names may repeat.
    #[must_use]
    pub fn roles_by_set(&self) -> Vec<Vec<&WrittenRole>> {
        let twins = self.twins();
        let mut router = Router::new(&twins);
        router.see(&self.roles);
        let mut sets: BTreeMap<SetKey, Vec<&WrittenRole>> = BTreeMap::new();
        for role in &self.roles {
            for set in router.sets(role) {
                sets.entry(set).or_default().push(role);
            }
        }
        sets.into_values().collect()
    }

    /// The addresses that stand for names of roles which are expressions, sorted.
    #[must_use]
    pub fn unnamed_roles(&self) -> Vec<Arc<str>> {
        let mut names: Vec<Arc<str>> = self
            .problems
            .iter()
            .filter_map(|problem| match &problem.kind {
                ProblemKind::UnknownName(address) => Some(address.as_str().into()),
                _ => None,
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// A place with its source line. What is there ends with its quotes, or after `width` characters at
    /// most.
    #[must_use]
    pub fn site(&self, place: &Place, width: usize) -> Site {
        let file = self.file(&place.file);
        let mark = file.and_then(|file| {
            let text = file.text.as_deref()?;
            let (start, is_ascii) = file.line_start(place.line)?;
            let line = text[start..].lines().next()?;
            let bare = line.trim_start_matches('\u{feff}');
            let start = start + line.len() - bare.len();
            let offset = |column: usize| {
                if is_ascii {
                    column.min(bare.len())
                } else {
                    bare.char_indices().nth(column).map_or(bare.len(), |(at, _)| at)
                }
            };
            let column = place.column.saturating_sub(1) as usize;
            let from = offset(column);
            let to = end_of_scalar(&bare[from..]).map_or(bare.len(), |length| from + length);
            let to = if bare[from..].starts_with(['"', '\'']) { to } else { to.min(offset(column + width)) };
            Some(Mark::in_line(text, (place.line, place.column), start + from, start + to))
        });
        Site { file: Arc::clone(&place.file), mark }
    }
}

/// How long the scalar is that a line's rest begins with; none if it does not end there.
fn end_of_scalar(rest: &str) -> Option<usize> {
    match rest.chars().next()? {
        '"' => {
            let mut escaped = false;
            let closes = |c: char| {
                let closes = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                closes
            };
            rest[1..].find(closes).map(|at| at + 2)
        }
        '\'' => rest[1..].find('\'').map(|at| at + 2),
        _ => rest.find([',', ']', '}']),
    }
}

/// Reads a text that is called `name`, as if it were a file that was named.
#[must_use]
pub fn survey_text(name: &str, text: &str) -> Survey {
    survey_one(name, text, Dialect::default(), None, &Modules::default())
}

/// The same in a dialect.
#[must_use]
pub fn survey_text_in(name: &str, text: &str, dialect: Dialect) -> Survey {
    survey_one(name, text, dialect, None, &Modules::default())
}

/// The same for a file in a folder of this cluster and in one of these modules.
fn survey_one(
    name: &str,
    text: &str,
    dialect: Dialect,
    cluster: Option<&Arc<str>>,
    modules: &Modules,
) -> Survey {
    let file: Arc<str> = name.into();
    let mut found = Found::new(Reading { detail: true, dialect }).named(true);
    let piece = Piece { bytes: text.as_bytes().into(), first_line: 1, first_byte: 0 };
    parse::read(&file, &piece, modules, &mut found);
    found.finish(&file);
    let mut survey = Survey { problems: found.problems, dialect, ..Survey::default() };
    survey.roles = found.roles;
    survey.patches = found.patches;
    survey.grants = found.grants;
    survey.skipped = found.skipped;
    (survey.users, survey.names) = found.users.into_iter().unzip();
    let (text, comments, fragile) = (Some(text.to_owned()), found.comments, found.fragile);
    survey.index.insert(Arc::clone(&file), 0);
    let lines = OnceLock::new();
    survey.files.push(SurveyedFile {
        file,
        path: None,
        named: true,
        id: None,
        cluster: None,
        text,
        comments,
        fragile,
        lines,
    });
    survey.combine();
    if cluster.is_some() {
        survey.put_into_clusters(|_| cluster.cloned());
    }
    survey
}

/// A file that was looked at.
#[derive(Debug, Clone)]
pub struct SurveyedFile {
    /// Its name as it was given or found.
    pub file: Arc<str>,
    /// Where it is; none for a stream.
    pub path: Option<PathBuf>,
    /// Whether it was given by name.
    pub named: bool,
    /// What makes it the same as a file of another name, which is in another cluster.
    pub(crate) id: Option<Identity>,
    /// The cluster that its folder is of.
    pub cluster: Option<Arc<str>>,
    /// Its text; none if it could not be read.
    pub text: Option<String>,
    /// Comments that speak to this program, in their order.
    pub comments: Vec<Comment>,
    /// Ranges of bytes in which nothing may be edited, since what is written there is not what is read: in
    /// quoted and folded strings and in patches.
    pub fragile: Vec<(u64, u64)>,
    /// Where its lines begin, and whether a column is a byte in it, once somebody has asked.
    lines: OnceLock<(Vec<usize>, bool)>,
}

impl SurveyedFile {
    /// Where the line of this number (from 1) begins in the text, and whether the text is ASCII, so that a
    /// column in a long line need not be counted.
    fn line_start(&self, line: u32) -> Option<(usize, bool)> {
        let (starts, is_ascii) = self.lines.get_or_init(|| {
            let text = self.text.as_deref().unwrap_or_default();
            let behind = memchr::memchr_iter(b'\n', text.as_bytes()).map(|newline| newline + 1);
            (std::iter::once(0).chain(behind).collect(), text.is_ascii())
        });
        let start = starts.get(usize::try_from(line).ok()?.checked_sub(1)?)?;
        Some((*start, *is_ascii))
    }
}
