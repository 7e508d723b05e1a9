//! What is wrong with the input: the problem, the place, and the line it stands on. Rendering is
//! the report's business, and so is escaping: texts of files are kept here as they are.

use std::sync::Arc;

use super::limits;
use super::sets::{InSet, SetKey};
use crate::policy::Place;

/// An error or a warning about the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// Where.
    pub site: Site,
    /// The role that it is in, if that has a name.
    pub role: Option<Arc<str>>,
    /// The set that the role is in.
    pub set: SetKey,
    /// Further places that belong to it, each with what it is.
    pub related: Vec<(&'static str, Site)>,
}

impl Problem {
    pub(super) fn new(kind: ProblemKind, site: Site) -> Self {
        Self { kind, site, role: None, set: SetKey::default(), related: Vec::new() }
    }

    /// A problem of a whole file or folder.
    pub(super) fn of_file(kind: ProblemKind, file: &Arc<str>) -> Self {
        Self::new(kind, Site { file: Arc::clone(file), mark: None })
    }

    /// Line and column, for sorting within a file; a problem of the whole file comes first.
    pub(super) fn position(&self) -> (u32, u32) {
        self.site.mark.as_ref().map_or((0, 0), |mark| (mark.line, mark.column))
    }
}

impl InSet for Problem {
    fn set(&self) -> &SetKey {
        &self.set
    }
    fn set_mut(&mut self) -> &mut SetKey {
        &mut self.set
    }
    fn file(&self) -> &Arc<str> {
        &self.site.file
    }
}

/// A file, and a place in it if the problem has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The file's name as it was given or found.
    pub file: Arc<str>,
    /// The place in the file.
    pub mark: Option<Mark>,
}

impl Site {
    /// The place, if the problem has one.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        let mark = self.mark.as_ref()?;
        Some(Place { file: Arc::clone(&self.file), line: mark.line, column: mark.column })
    }
}

/// A place in a file, with the source line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// Line and column behind the last character, from 1.
    pub end: (u32, u32),
    /// The same as a range of bytes of the file.
    pub bytes: (u64, u64),
    /// The line's text.
    pub excerpt: Excerpt,
}

impl Mark {
    /// The place `start..end` of `text`, which is all of its file.
    #[must_use]
    pub fn in_text(text: &str, start: usize, end: usize) -> Self {
        let start = text.floor_char_boundary(start);
        Self::in_line(text, position(text, start), start, end)
    }

    /// The same, where line and column of `start` are known.
    pub(super) fn in_line(text: &str, (line, column): (u32, u32), start: usize, end: usize) -> Self {
        let end = text.ceil_char_boundary(end).max(start);
        Self {
            line,
            column,
            end: advance((line, column), &text[start..end]),
            bytes: (start as u64, end as u64),
            excerpt: Excerpt::new(text, start, end),
        }
    }
}

/// Line and column of the byte `at` of a text, both from 1.
fn position(text: &str, at: usize) -> (u32, u32) {
    let line_start = memchr::memrchr(b'\n', &text.as_bytes()[..at]).map_or(0, |newline| newline + 1);
    let lines = memchr::memchr_iter(b'\n', &text.as_bytes()[..line_start]).count();
    advance((count(lines).saturating_add(1), 1), &text[line_start..at])
}

/// The position behind `text`, which begins at `from`.
pub(super) fn advance(from: (u32, u32), text: &str) -> (u32, u32) {
    let (mut line, mut column) = from;
    let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count();
    if lines > 0 {
        line = line.saturating_add(count(lines));
        column = 1;
    }
    let last = text.rsplit('\n').next().unwrap_or_default();
    (line, column.saturating_add(count(last.chars().count())))
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A source line, or the part of a long one around the place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// The text, without its line break.
    pub text: Box<str>,
    /// Byte range of the span in `text`.
    pub span: (u32, u32),
    /// Whether the line begins before `text`.
    pub cut_before: bool,
    /// Whether the line goes on after `text`.
    pub cut_after: bool,
}

/// Bytes of a long line that are kept on each side of the place.
const CONTEXT: usize = 60;

impl Excerpt {
    /// The line around `start..end` of `source`. Looks at no more than a window of it, since a
    /// JSON file may be one line of megabytes.
    pub(super) fn new(source: &str, start: usize, end: usize) -> Self {
        let start = source.floor_char_boundary(start);
        let window_start = source.ceil_char_boundary(start.saturating_sub(CONTEXT));
        let before = &source[window_start..start];
        let line_start = before.rfind(['\n', '\r']).map_or(window_start, |at| window_start + at + 1);
        let cut_before =
            line_start == window_start && window_start > 0 && !source[..window_start].ends_with(['\n', '\r']);

        let window_end = source.floor_char_boundary(end.clamp(start, start + CONTEXT) + CONTEXT);
        let after = &source[start..window_end];
        let line_end = after.find(['\n', '\r']).map_or(window_end, |at| start + at);
        let cut_after = line_end == window_end
            && !source[window_end..].starts_with(['\n', '\r'])
            && window_end < source.len();

        let text = &source[line_start..line_end];
        let offset =
            |at: usize| u32::try_from(at.clamp(line_start, line_end) - line_start).unwrap_or(u32::MAX);
        Self {
            text: text.into(),
            span: (offset(start), offset(source.floor_char_boundary(end).max(start))),
            cut_before,
            cut_after,
        }
    }
}

/// Whether a problem stops the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The setting has no effect; said, but the answer stands.
    Warning,
    /// There is no answer.
    Error,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The system's error.
    #[error("cannot be read: {0}")]
    Io(String),
    /// A named pipe, a device, a socket.
    #[error("is {0}, not a role file (a stream is read as -, /dev/stdin or /dev/fd/N)")]
    NotAFile(&'static str),
    /// A link to a folder that it is in.
    #[error("leads back to a folder that it is in")]
    Loop,
    /// A link out of what is searched.
    #[error(
        "is a link that leads out of what is searched, so it is not followed: name what it leads to, to have it read"
    )]
    LinkOut,
    /// A submodule without its files.
    #[error("is a submodule that is not checked out (`git submodule update --init` checks it out)")]
    NotCheckedOut,
    /// Git does not list a repository's files; why.
    #[error("no .gitignore is honoured and everything is read, since git can't list the files here: {0}")]
    Unlisted(String),
    /// Role files that a sparse checkout leaves out; how many.
    #[error("{0} role file{s} here {are} not read, since this sparse checkout leaves {them} out", s = if *.0 == 1 { "" } else { "s" }, are = if *.0 == 1 { "is" } else { "are" }, them = if *.0 == 1 { "it" } else { "them" })]
    Sparse(usize),
    /// More folders in folders than [`limits::MAX_FOLDER_DEPTH`].
    #[error("is more than {} folders deep", limits::MAX_FOLDER_DEPTH)]
    FolderTooDeep,
    /// The same stream twice.
    #[error("is named twice, and a stream can be read only once")]
    StreamTwice,
    /// A file without a role; the kinds that it has.
    #[error("holds no role{}", only(.0))]
    NoRole(Vec<String>),
    /// A folder without a role in it.
    #[error("no role in this folder (searched for .yaml, .yml, .json, .tf and .tofu)")]
    NoRoleInFolder,
    /// Only users, access lists and connectors.
    #[error("no role was read, only who holds roles")]
    OnlyUsers,
    /// A file beyond [`limits::MAX_FILE_BYTES`].
    #[error("is larger than {} MiB", limits::MAX_FILE_BYTES >> 20)]
    FileTooLarge,
    /// A document beyond [`limits::MAX_DOCUMENT_BYTES`].
    #[error("this document is larger than {} MiB", limits::MAX_DOCUMENT_BYTES >> 20)]
    DocumentTooLarge,
    /// A Terraform file beyond [`limits::MAX_HCL_BYTES`].
    #[error("this Terraform file is larger than {} KiB", limits::MAX_HCL_BYTES >> 10)]
    TerraformTooLarge,
    /// A scalar beyond [`limits::MAX_SCALAR_BYTES`].
    #[error("this value is longer than {} KiB", limits::MAX_SCALAR_BYTES >> 10)]
    ScalarTooLong,
    /// Nesting beyond [`limits::MAX_DEPTH`].
    #[error("nested more than {} levels deep", limits::MAX_DEPTH)]
    TooDeep,
    /// More than [`limits::MAX_NODES`].
    #[error("this resource has more than {} keys and values", limits::MAX_NODES)]
    TooManyNodes,
    /// More than [`limits::MAX_EXPANDED_NODES`].
    #[error("the aliases up to here stand for more than {} keys and values", limits::MAX_EXPANDED_NODES)]
    AliasBomb,
    /// An alias inside what it stands for.
    #[error("this alias stands for a value that it is part of")]
    RecursiveAlias,
    /// A NUL byte.
    #[error("holds a NUL byte, so this is no text file")]
    Nul,
    /// A byte that is not UTF-8.
    #[error("this byte is not valid UTF-8")]
    NotUtf8,
    /// A byte order mark of UTF-16 or UTF-32.
    #[error("is UTF-16 or UTF-32; a role file is UTF-8")]
    Utf16,
    /// Not well-formed.
    #[error("not well-formed: {0}")]
    Syntax(String),
    /// `{{ }}` that no quotes keep from being YAML.
    #[error(
        "not well-formed: a template outside of quotes; if this is a template, it has to be rendered first"
    )]
    Template,
    /// A key twice in one mapping.
    #[error("the key {0:?} is here a second time; which one holds depends on the reader")]
    DuplicateKey(String),
    /// Two keys of one mapping that Teleport's decoder takes for the same.
    #[error(
        "the keys {other:?} and {key:?} are the same to Teleport, which ignores case; which one holds depends on the reader"
    )]
    DuplicateCase {
        /// The second one.
        key: String,
        /// The first one.
        other: String,
    },
    /// A merge key with something that can't be merged.
    #[error("a merge key takes a mapping or a list of mappings")]
    BadMerge,
    /// Two roles of one name.
    #[error("a second role named {0:?}")]
    DuplicateRole(String),
    /// Two users of one name.
    #[error("a second user named {0:?}")]
    DuplicateUser(String),
    /// `metadata.name` is missing.
    #[error("this {0} has no metadata.name")]
    NoName(String),
    /// `metadata.name` is not text.
    #[error("metadata.name has to be text")]
    BadName,
    /// Something other than a mapping, where a mapping is needed.
    #[error("{0} has to be a mapping")]
    NotAMapping(&'static str),
    /// `items` of a list is no list, or an item of it no resource.
    #[error("items has to be a list of resources")]
    BadItems,
    /// `spec.roles` of a user.
    #[error("spec.roles has to be a list of role names")]
    BadUserRoles,
    /// A list of roles that someone is given.
    #[error("{0} has to be a list of role names")]
    BadGrant(&'static str),
    /// A list of mappings to roles.
    #[error("{0} has to be a list of mappings")]
    BadMapping(&'static str),
    /// A mapping that lacks a key.
    #[error("this mapping of {what} needs {key}")]
    IncompleteMapping {
        /// The list that it is in.
        what: &'static str,
        /// The key.
        key: &'static str,
    },
    /// An `access_list_member` that does not say of which list.
    #[error("this access_list_member does not say in spec.access_list which list it is about")]
    NoAccessList,
    /// An assignment of scoped roles to nobody.
    #[error("this {0} names neither spec.user nor spec.bot")]
    NoAssignee(String),
    /// What a role allows to request.
    #[error("{} has to be a list{}, so this has no effect", .0, if .0.ends_with("claims_to_roles") { " of mappings" } else { " of role names" })]
    RequestRoles(&'static str),
    /// Two access lists or connectors of one name.
    #[error("a second {kind} named {name:?}")]
    DuplicateGrant {
        /// What they are.
        kind: &'static str,
        /// Their name.
        name: String,
    },
    /// A value that is no mode.
    #[error("{}", invalid_mode(.option, .option, .value.as_deref(), *.nearest))]
    InvalidMode {
        /// The key under `record_session`.
        option: &'static str,
        /// The value; `None` if it is missing.
        value: Option<String>,
        /// The right value that is near.
        nearest: Option<&'static str>,
    },
    /// An expression where a value is needed.
    #[error("{0} is an expression, so its value is unknown before Terraform has evaluated it")]
    UnknownValue(&'static str),
    /// An expression as the name of a role or of who holds roles.
    #[error("the name is an expression and unknown; this is called by its address, {0:?}")]
    UnknownName(String),
    /// An expression in the place of who holds which roles.
    #[error("{0} is an expression, so who holds what by it is unknown before Terraform has evaluated it")]
    UnknownRoles(&'static str),
    /// An expression as the name of a role that somebody is given, or as the list of such names.
    #[error("what {0} names here is an expression and unknown before Terraform has evaluated it")]
    UnknownRoleName(&'static str),
    /// A key under `record_session` that is none.
    #[error("{key:?} under record_session is no kind of session and has no effect{}", did_you_mean(*.nearest))]
    UnknownKey {
        /// The key.
        key: String,
        /// The right key that is near.
        nearest: Option<&'static str>,
    },
    /// A key that only Teleport's decoder takes for one of the fields that are read, as it ignores case.
    #[error(
        "{key:?} is not the key {right}: Teleport's decoder ignores case and acts on it, other readers ignore it"
    )]
    KeyCase {
        /// The key.
        key: String,
        /// The field's name.
        right: &'static str,
    },
    /// A value under such a key that would be no mode under the right one either. Told in detail only.
    #[error("{}", invalid_mode(.key, .meant, .value.as_deref(), *.nearest))]
    UnknownKeyValue {
        /// The key.
        key: String,
        /// The right key that is near.
        meant: &'static str,
        /// The value; `None` if it is missing.
        value: Option<String>,
        /// The right value that is near.
        nearest: Option<&'static str>,
    },
    /// `record_session` anywhere else than at `spec.options`.
    #[error("record_session has no effect here: it belongs under spec.options{}", desktop_note(*.has_desktop_mode))]
    Misplaced {
        /// Whether it holds a mode for desktop sessions.
        has_desktop_mode: bool,
        /// Whether it is a key of a mapping in braces: JSON, or YAML's flow style.
        in_braces: bool,
    },
    /// A key of recording modes where a scoped role has none.
    #[error("{0} has no effect here: a scoped role has session_recording under spec.defaults and spec.ssh")]
    MisplacedInScoped(String),
    /// `session_recording_mode` of a scoped role.
    #[error("Teleport ignores session_recording_mode: the mode is session_recording.mode")]
    DesignedMode,
    /// A key beside `record_session` that is likely meant to be it.
    #[error("{0:?} is no option and has no effect: did you mean record_session?")]
    Misspelt(String),
    /// A kind that is nearly one of ours: another case, or a version that is not known.
    #[error("{kind:?} is no kind that recmode knows, so this is skipped: did you mean {nearest}?")]
    NearKind {
        /// The kind.
        kind: String,
        /// The right one.
        nearest: &'static str,
    },
    /// `record_session` in a document of a kind that is none of ours.
    #[error("{0:?} is no kind that recmode knows, so this is no role and its record_session has no effect")]
    ForeignKind(String),
    /// `record_session` in a document without a kind.
    #[error("record_session has no effect here: this document has no kind, so it is no role")]
    NoKind,
    /// A cluster's configuration that turns recording off; whether `off` is in quotes.
    #[error("{}", recording_off(*.quoted))]
    RecordingOff {
        /// Whether Teleport reads the value as a text, and not as a boolean.
        quoted: bool,
    },
    /// A JSON document with comments.
    #[error("this comment keeps the document from being JSON or YAML, so what it holds is unknown")]
    JsonComment,
    /// HCL under a name that is not of Terraform's.
    #[error(
        "this is Terraform's language, which is read from files named .tf, .tofu, .hcl or .tf.*, and from standard \
         input with --stdin-name NAME.tf"
    )]
    Hcl,
    /// A file that was named and holds a text in place of a YAML or JSON document.
    #[error("this is plain text and no YAML or JSON document, so it holds no role")]
    PlainText,
    /// What Git LFS leaves in the place of a file.
    #[error("this is a pointer of Git LFS, and the file itself is not here (`git lfs pull` gets it)")]
    LfsPointer,
    /// What looks like a role and can't be read as one.
    #[error("this looks like a role and is not read: {why}")]
    UnreadRole {
        /// Why it is not read.
        why: &'static str,
    },
    /// More errors in one file than [`limits::MAX_PROBLEMS_PER_FILE`].
    #[error("and {0} more of these in this file")]
    MoreErrors(usize),
    /// More warnings in one file than [`limits::MAX_PROBLEMS_PER_FILE`].
    #[error("and {0} more of these in this file")]
    MoreWarnings(usize),
}

impl ProblemKind {
    /// Whether this stops the answer.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::UnknownKey { .. }
            | Self::KeyCase { .. }
            | Self::RecordingOff { .. }
            | Self::UnknownKeyValue { .. }
            | Self::Misplaced { .. }
            | Self::MisplacedInScoped(_)
            | Self::DesignedMode
            | Self::Misspelt(_)
            | Self::NearKind { .. }
            | Self::ForeignKind(_)
            | Self::NoKind
            | Self::RequestRoles(_)
            | Self::UnknownValue(_)
            | Self::UnknownName(_)
            | Self::UnknownRoles(_)
            | Self::UnknownRoleName(_)
            | Self::Unlisted(_)
            | Self::Sparse(_)
            | Self::UnreadRole { .. }
            | Self::MoreWarnings(_) => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// Whether something that looks like a role was not read as one, so that nothing is proved about all
    /// roles: [`UnreadRole`](Self::UnreadRole), and what another problem says of a kind. Text that is not well-formed is an error besides, and not among these.
    #[must_use]
    pub fn is_unread_role(&self) -> bool {
        match self {
            Self::UnreadRole { .. } | Self::ForeignKind(_) | Self::NoKind => true,
            Self::NearKind { nearest, .. } => super::signs::is_role_kind(nearest),
            _ => false,
        }
    }
}

/// What goes with every text that proposes a mode for desktop sessions.
const DESKTOP_NOTE: &str = "Teleport reads a mode at desktop as false and records no desktop session";

/// [`DESKTOP_NOTE`] in brackets, behind a text that is about desktop sessions; else nothing.
pub(crate) fn desktop_note(is_desktop: bool) -> String {
    if is_desktop { format!(" ({DESKTOP_NOTE})") } else { String::new() }
}

fn invalid_mode(option: &str, meant: &str, value: Option<&str>, nearest: Option<&str>) -> String {
    let is_desktop = meant == "desktop";
    let expected = if is_desktop { "strict, best_effort or a boolean" } else { "strict or best_effort" };
    let note = desktop_note(is_desktop);
    let Some(value) = value else {
        return format!("{option} has no value: expected {expected}{note}");
    };
    match nearest {
        Some(nearest) => format!("{option}: {value} is no recording mode: did you mean {nearest}?{note}"),
        None => format!("{option}: {value} is no recording mode: expected {expected}{note}"),
    }
}

fn recording_off(quoted: bool) -> &'static str {
    if quoted {
        "mode off turns session recording off in the whole cluster: nothing is recorded, whatever roles say"
    } else {
        "mode off without quotes is a boolean, which Teleport rejects; in quotes it turns session recording off in the whole cluster"
    }
}

fn did_you_mean(nearest: Option<&str>) -> String {
    match nearest {
        Some(nearest) => format!(": did you mean {nearest}?{}", desktop_note(nearest == "desktop")),
        None => String::new(),
    }
}

fn only(kinds: &[String]) -> String {
    if kinds.is_empty() {
        return String::new();
    }
    let kinds: Vec<_> = kinds.iter().map(|kind| format!("{kind:?}")).collect();
    format!(", only {}", kinds.join(", "))
}
