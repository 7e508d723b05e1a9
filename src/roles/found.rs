//! What was found in a piece of a file: roles, users, what was skipped, what is wrong. Only this
//! is kept of what was read.

use std::sync::Arc;

use super::embed::Embedded;
use super::grants::Grants;
use super::limits::{MAX_FINDINGS_PER_FILE, MAX_PROBLEMS_PER_FILE};
use super::patch::Patch;
use super::problem::{Excerpt, Mark, Problem, ProblemKind, Severity, Site, advance};
use super::sets::SetKey;
use super::tree::{Locals, NodeId, Origin, Span, Tree};
use super::written::{Comment, WrittenRole};
use crate::policy::{Dialect, Place};

/// A `kind: user` document: who holds which roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user's name.
    pub name: Arc<str>,
    /// Where the name is written.
    pub at: Place,
    /// The names of the user's roles, and where each is written.
    pub roles: Vec<(Arc<str>, Place)>,
    /// The set of roles that they are in.
    pub set: SetKey,
}

/// A document that is neither a role nor a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Where it begins.
    pub at: Place,
    /// Its `kind`; `None` if it has none.
    pub kind: Option<Box<str>>,
}

/// How a file is read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reading {
    /// Whether everything about how roles are written is wanted, not only what they say.
    pub(super) detail: bool,
    /// Whose reading counts where readers differ.
    pub(super) dialect: Dialect,
}

/// What was found in one file, or in a part of it.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Whether everything about how roles are written is wanted, not only what they say.
    pub(super) detail: bool,
    /// Whose reading counts where readers differ.
    pub(super) dialect: Dialect,
    /// The whole text, and the comments that speak to this program; both only in detail.
    pub(super) text: Option<String>,
    pub(super) comments: Vec<Comment>,
    pub(super) roles: Vec<WrittenRole>,
    pub(super) users: Vec<(User, Mark)>,
    pub(super) grants: Grants,
    pub(super) skipped: Vec<Skipped>,
    /// What kustomize changes of roles that are elsewhere.
    pub(super) patches: Vec<Patch>,
    /// Ranges of bytes in which nothing may be edited, since what is written there is not what it says.
    pub(super) fragile: Vec<(u64, u64)>,
    pub(super) problems: Vec<Problem>,
    /// Whether the document that is being read may hold anything of ours; `None` before anyone has looked.
    pub(super) may_hold: Option<bool>,
    /// Whether a role that was not read is among the problems.
    has_unread: bool,
    /// How many of the problems are warnings.
    warnings: usize,
    /// Errors and warnings beyond [`MAX_PROBLEMS_PER_FILE`] of each.
    more_errors: usize,
    more_warnings: usize,
    /// Whether a document was ours, in whatever state.
    pub(super) ours: bool,
    /// Whether the file was named, so that all in it has to be understood.
    pub(super) named: bool,
    /// Whether a document was a mapping or a list.
    pub(super) structured: bool,
    /// The first document that is plain text.
    pub(super) plain: Option<Mark>,
}

impl Found {
    /// Empty, to be filled by such a reading.
    pub(super) fn new(Reading { detail, dialect }: Reading) -> Self {
        Self { detail, dialect, ..Self::default() }
    }

    /// The same for a file that was named, or was not.
    pub(super) fn named(self, named: bool) -> Self {
        Self { named, ..self }
    }

    /// Adds what a later part of the same file holds.
    pub(super) fn append(&mut self, mut later: Self) {
        self.comments.append(&mut later.comments);
        self.roles.append(&mut later.roles);
        self.users.append(&mut later.users);
        self.grants.append(later.grants);
        self.skipped.append(&mut later.skipped);
        self.patches.append(&mut later.patches);
        self.fragile.append(&mut later.fragile);
        self.more_errors += later.more_errors;
        self.more_warnings += later.more_warnings;
        for problem in later.problems {
            self.report(problem);
        }
        self.ours |= later.ours;
        self.structured |= later.structured;
        self.plain = self.plain.take().or(later.plain);
    }

    /// Adds a problem; beyond the bound it is only counted.
    pub(super) fn report(&mut self, problem: Problem) {
        let is_warning = problem.kind.severity() == Severity::Warning;
        let (kept, more) = if is_warning {
            (self.warnings, &mut self.more_warnings)
        } else {
            (self.problems.len() - self.warnings, &mut self.more_errors)
        };
        let most = if self.detail { MAX_FINDINGS_PER_FILE } else { MAX_PROBLEMS_PER_FILE };
        // One role that was not read is enough to prove nothing, so the first is never left out.
        let first_unread = problem.kind.is_unread_role() && !self.has_unread;
        if kept >= most && !first_unread {
            *more += 1;
            return;
        }
        self.has_unread |= first_unread;
        self.warnings += usize::from(is_warning);
        self.problems.push(problem);
    }

    /// How much of ours was found so far.
    pub(super) fn count(&self) -> usize {
        let grants = &self.grants;
        let grants = grants.lists.len() + grants.members.len() + grants.connectors.len();
        self.roles.len() + self.users.len() + grants + self.patches.len()
    }

    /// How many problems are kept so far.
    pub(super) fn mark(&self) -> usize {
        self.problems.len()
    }

    /// Says which role, and of which set, all problems since `mark` are in.
    pub(super) fn attribute(&mut self, mark: usize, role: &Arc<str>, set: &SetKey) {
        for problem in self.problems.iter_mut().skip(mark) {
            problem.role = Some(Arc::clone(role));
            problem.set.clone_from(set);
        }
    }

    /// Sorts by place and says how many were not kept.
    pub(super) fn finish(&mut self, file: &Arc<str>) {
        if let Some(mark) = self.plain.take().filter(|_| self.named && !self.structured && !self.ours) {
            let site = Site { file: Arc::clone(file), mark: Some(mark) };
            self.problems.push(Problem::new(ProblemKind::PlainText, site));
        }
        // Most files hold one role, and there may be very many files.
        self.roles.shrink_to_fit();
        self.problems.sort_by_key(Problem::position);
        self.problems.dedup();
        if self.more_errors > 0 {
            self.problems.push(Problem::of_file(ProblemKind::MoreErrors(self.more_errors), file));
        }
        if self.more_warnings > 0 {
            self.problems.push(Problem::of_file(ProblemKind::MoreWarnings(self.more_warnings), file));
        }
    }
}

/// A document's text and where it stands, to tell places in it.
#[derive(Clone, Copy)]
pub(super) struct Document<'a> {
    pub(super) file: &'a Arc<str>,
    pub(super) text: &'a str,
    /// The line of the file that the text begins with, from 1.
    pub(super) first_line: u32,
    /// The byte of the file that the text begins with.
    pub(super) first_byte: u64,
    /// In Terraform, where values are written that the text refers to.
    pub(super) origins: Option<(&'a [Origin], &'a Locals)>,
    /// The string that the text is in.
    pub(super) embedded: Option<Embedded<'a>>,
}

impl Document<'_> {
    /// Whether this mapping is written in braces.
    pub(super) fn in_braces(&self, tree: &Tree<'_>, id: NodeId) -> bool {
        let span = tree.span(tree.alias(id).unwrap_or(id));
        self.text.as_bytes().get(span.start as usize) == Some(&b'{')
    }

    /// How many strings this text is in.
    pub(super) fn depth(&self) -> u8 {
        self.embedded.map_or(0, |embedded| embedded.depth)
    }

    /// This place in the text of the outermost document.
    pub(super) fn outermost(&self, span: Span) -> Span {
        match self.embedded {
            None => span,
            Some(Embedded { root, map, base, .. }) => map.outermost(root, base + span.start, base + span.end),
        }
    }

    pub(super) fn place(&self, span: Span) -> Place {
        let span = self.outermost(span);
        Place { file: Arc::clone(self.file), line: self.line(span), column: span.column }
    }

    pub(super) fn excerpt(&self, span: Span) -> Excerpt {
        Excerpt::new(self.text, span.start as usize, span.end as usize)
    }

    pub(super) fn mark(&self, span: Span) -> Mark {
        let root = self.embedded.map_or(self.text, |embedded| embedded.root);
        let span = self.outermost(span);
        let text = root.get(span.start as usize..span.end as usize).unwrap_or_default();
        let start = (self.line(span), span.column);
        Mark {
            line: start.0,
            column: start.1,
            end: advance(start, text),
            bytes: (self.first_byte + u64::from(span.start), self.first_byte + u64::from(span.end)),
            excerpt: Excerpt::new(root, span.start as usize, span.end as usize),
        }
    }

    pub(super) fn site(&self, span: Span) -> Site {
        Site { file: Arc::clone(self.file), mark: Some(self.mark(span)) }
    }

    pub(super) fn problem(&self, kind: ProblemKind, span: Span) -> Problem {
        let mut problem = Problem::new(kind, self.site(span));
        if let Some((origins, locals)) = self.origins
            && let Some(&origin) = (span.origin as usize).checked_sub(1).and_then(|n| origins.get(n))
            && let Some(site) = locals.site(origin)
        {
            problem.related.push(("the value is written here", site));
        }
        problem
    }

    /// The line of a span of the outermost document.
    fn line(&self, span: Span) -> u32 {
        self.first_line.saturating_add(span.line.saturating_sub(1))
    }
}
