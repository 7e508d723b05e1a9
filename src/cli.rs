//! The command line: every clap definition, and nothing that decides.

mod quick;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::{ArgAction, ArgGroup, Args, Parser, Subcommand, ValueEnum, ValueHint};
use jiff::Span;

use crate::catalog::{SortBy, State};
use crate::play::{self, Place, Speed};
use crate::policy::{Dialect, Mode, SessionKind};
use crate::quantity::{self, ByteSize, Share};
use crate::recording::{Format, SyncPolicy};
use crate::session::AfterSession;

/// Resolve the session recording mode of access roles, and record a shell under it
///
/// Roles say what happens when a session can't be recorded: strict (no recording, no session) or
/// best_effort (the session goes on, with a warning). recmode resolves the mode that holds for a
/// set of roles and records a local session under it.
#[derive(Debug, Parser)]
#[command(
    name = "recmode",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say which recording mode holds for a set of roles, and why
    Resolve(ResolveArgs),
    /// Say whose sessions are recorded otherwise after a change of the roles, and why
    Diff(DiffArgs),
    /// Find in role files what a person overlooks
    Lint(LintArgs),
    /// Explain a rule of lint, or list them all
    Explain(ExplainArgs),
    /// Print the JSON Schema of a file's format
    Schema(SchemaArgs),
    /// Run a command in a terminal, record it, and enforce the mode when the disk fails
    Record(RecordArgs),
    /// Be a recorded login: sshd's forced command, or, called by a login's name, the login shell
    Login(LoginArgs),
    /// Play a recording on this terminal
    Play(PlayArgs),
    /// Print what a session showed, as text or bit for bit
    Cat(CatArgs),
    /// Say what is known of a recording: who, where, when, under which mode, how it ended
    Info(InfoArgs),
    /// List recordings
    Ls(LsArgs),
    /// Find a pattern in what was seen, or typed, in recorded sessions
    Search(SearchArgs),
    /// Say whether recordings are as they were written: intact, cut off, changed, and signed by whom
    Verify(VerifyArgs),
    /// Write a recording in another format: a page, an animation, text, another asciicast
    Export(ExportArgs),
    /// Remove recordings that are too old, or too many for the disk
    Prune(PruneArgs),
    /// Close recordings that a crash left open
    Recover(RecoverArgs),
    /// Print the completion script of a shell
    Completions(CompletionsArgs),
    /// Print the manual, or write one page a subcommand into a directory
    Man(ManArgs),
}

/// Which roles a question is about.
#[derive(Debug, Args)]
pub struct RoleSelection {
    /// Use the role of this name only (repeatable; default: every role that was read)
    #[arg(long = "role", value_name = "NAME")]
    pub role: Vec<String>,

    /// Use the roles that this `kind: user` document holds
    #[arg(long, value_name = "NAME", conflicts_with = "role")]
    pub user: Option<String>,

    /// Use this set of roles where several were read that nobody holds together: a cluster, a scoped role
    #[arg(long, value_name = "NAME")]
    pub set: Option<String>,
}

/// `recmode resolve`
#[derive(Debug, Args)]
pub struct ResolveArgs {
    /// Role files, directories (searched for .yaml, .yml, .json, .tf and .tofu), or `-` for standard input
    #[arg(long, value_name = "PATH", num_args = 1.., required = true, value_hint = ValueHint::AnyPath)]
    pub roles: Vec<PathBuf>,

    /// Name of the text from standard input, in messages; NAME.tf makes it Terraform's
    #[arg(long, value_name = "NAME")]
    pub stdin_name: Option<String>,

    /// Which of the roles that were read.
    #[command(flatten)]
    pub selection: RoleSelection,

    /// Print the matrix: a row for each user and group, a column for each kind
    #[arg(long, conflicts_with_all = ["role", "user"])]
    pub all: bool,

    /// With --all: count the roles that a holder may request, and show the weakest that it could come to
    #[arg(long, requires = "all")]
    pub with_requests: bool,

    /// By whose rules: those of RFD 68, or what Teleport 18 acts on
    #[arg(long, value_name = "DIALECT", value_enum, default_value_t = Dialect::Rfd68)]
    pub dialect: Dialect,

    /// Answer for this kind of session only (default: all five)
    #[arg(long, value_name = "KIND", value_enum, required_if_eq("format", "mode"))]
    pub kind: Option<SessionKind>,

    /// How to print the answer; `mode` prints just the mode and needs --kind
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ResolveFormat::Table)]
    pub format: ResolveFormat,

    /// Exit with 1 unless at least this mode holds, for --kind or for all kinds
    #[arg(long, value_name = "MODE", value_enum)]
    pub require: Option<Mode>,

    /// Colour the table and the errors
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = ColorWhen::Auto)]
    pub color: ColorWhen,

    /// Say on stderr which documents were skipped
    #[arg(short, long, action = ArgAction::SetTrue)]
    pub verbose: bool,
}

/// Output formats of `resolve`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ResolveFormat {
    /// A line a kind, with the reason in words
    Table,
    /// The stable tree, for scripts
    Json,
    /// The same tree as YAML
    Yaml,
    /// Just the mode; `none` where there is none in the dialect
    Mode,
    /// The matrix of --all for spreadsheets
    Csv,
}

/// `recmode diff`
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// OLD and NEW, files or directories; with --base: what to compare (default: .)
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,

    /// Compare with this revision in git instead of with OLD
    #[arg(long, value_name = "REV", allow_hyphen_values = true)]
    pub base: Option<OsString>,

    /// How to print the changes
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = DiffFormat::Human)]
    pub format: DiffFormat,

    /// Exit with 1 if there is such a change
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = DiffFailOn::Loosened)]
    pub fail_on: DiffFailOn,

    /// Count the roles that a holder may request, and compare the weakest that it could come to
    #[arg(long)]
    pub with_requests: bool,

    /// By whose rules: those of RFD 68, or what Teleport 18 acts on
    #[arg(long, value_name = "DIALECT", value_enum, default_value_t = Dialect::Rfd68)]
    pub dialect: Dialect,

    /// Colour the changes and the errors
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = ColorWhen::Auto)]
    pub color: ColorWhen,
}

/// Output formats of `diff`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    /// For people
    Human,
    /// The stable tree, for scripts
    Json,
    /// For a comment on a pull request
    Markdown,
}

/// Which changes make `diff` fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DiffFailOn {
    /// A mode is looser, or recording is off, for someone who was there before
    Loosened,
    /// Any change, also of what is not known
    Any,
    /// None
    None,
}

/// `recmode lint`
#[derive(Debug, Args)]
pub struct LintArgs {
    /// Files, directories (without hidden files, and those that git ignores and does not track), or `-` for
    /// standard input (default: the configuration's paths, else .)
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,

    /// Read this configuration (default: .recmode.yaml or .yml, or .github/recmode.yaml or .yml, in this
    /// directory or, in a repository, above it)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "no_config")]
    pub config: Option<PathBuf>,

    /// Read no configuration
    #[arg(long)]
    pub no_config: bool,

    /// Whose reading of the roles counts (default: the configuration's, else rfd68)
    #[arg(long, value_name = "DIALECT", value_enum)]
    pub dialect: Option<Dialect>,

    /// How to print the findings
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LintFormat::Human)]
    pub format: LintFormat,

    /// Write the findings, or the patch of --dry-run, to this file, which is replaced when they are complete; in
    /// colour only with --color always. `-` is standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,

    /// Turn a rule off (repeatable)
    #[arg(short = 'A', long, value_name = "RULE")]
    pub allow: Vec<String>,

    /// Make a rule's findings warnings (repeatable)
    #[arg(short = 'W', long, value_name = "RULE")]
    pub warn: Vec<String>,

    /// Make a rule's findings errors (repeatable)
    #[arg(short = 'D', long, value_name = "RULE")]
    pub deny: Vec<String>,

    /// Exit with 1 if there is a finding of at least this severity (default: the configuration's, else warning)
    #[arg(long, value_name = "SEVERITY", value_enum)]
    pub fail_on: Option<FailOn>,

    /// Exit with 0 whatever is found
    #[arg(long)]
    pub exit_zero: bool,

    /// Repair what has one right answer; a mode is never weakened and never chosen. With `-`, print the
    /// repaired text, and the findings on stderr
    #[arg(long)]
    pub fix: bool,

    /// With --fix: print the changes as a patch instead of making them
    #[arg(long, requires = "fix")]
    pub dry_run: bool,

    /// Leave out the findings of this earlier run (its --format json output)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub baseline: Option<PathBuf>,

    /// Name of the text from standard input, in messages; NAME.tf makes it Terraform's
    #[arg(long, value_name = "NAME")]
    pub stdin_name: Option<String>,

    /// Accept directories without any role
    #[arg(long)]
    pub allow_empty: bool,

    /// Print no summary and no progress
    #[arg(short, long)]
    pub quiet: bool,

    /// Colour the findings
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = ColorWhen::Auto)]
    pub color: ColorWhen,
}

/// Output formats of `lint`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LintFormat {
    /// The source lines, annotated, for people
    Human,
    /// A stable tree, for scripts; also what --baseline reads
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands, which GitHub Actions shows as annotations
    Github,
    /// A GitLab Code Quality report
    Gitlab,
    /// A JUnit report, in which a finding from --fail-on up is a failed test
    Junit,
}

/// From which severity on findings make `lint` fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// All findings
    Info,
    /// Warnings and errors
    Warning,
    /// Errors only
    Error,
}

/// `recmode explain`
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The rule, or the beginning of its name (default: list all)
    #[arg(value_name = "RULE")]
    pub rule: Option<String>,
}

/// `recmode schema`
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Which format
    #[arg(value_name = "WHAT", value_enum)]
    pub what: SchemaOf,
}

/// The formats that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// The configuration, .recmode.yaml
    Config,
    /// A role, as far as session recording goes
    Role,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set; everywhere with CLICOLOR_FORCE
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// `recmode record`
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// The mode; without it and without roles: best_effort
    #[arg(long, value_name = "MODE", value_enum, conflicts_with_all = ["roles", "role", "user"])]
    pub mode: Option<Mode>,

    /// Resolve the mode from these role files or directories (repeatable)
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub roles: Vec<PathBuf>,

    /// Which of the roles that were read.
    #[command(flatten)]
    pub selection: RoleSelection,

    /// The kind of session that the mode is resolved for and the recording is marked with
    #[arg(long, value_name = "KIND", value_enum, default_value_t = SessionKind::Ssh)]
    pub kind: SessionKind,

    /// Write the recording to this new file
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "dir")]
    pub output: Option<PathBuf>,

    /// Write the recording to a new file in this directory
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,

    /// The recording's format
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::AsciicastV3)]
    pub format: Format,

    /// Record what is typed too; what is typed while the terminal does not echo is masked
    #[arg(long)]
    pub capture_input: bool,

    /// The size of the session's terminal; a recording has at most 1000x1000 of it (default: the user's terminal, else 80x24)
    #[arg(long, value_name = "COLSxROWS")]
    pub size: Option<TerminalSize>,

    /// When to sync the recording to the disk: `none`, `interval`, `interval:DURATION` after a write
    /// (when it is new, after 10 ms), or `always`, which under strict means that output is shown only when it is on the disk
    #[arg(long, value_name = "POLICY", default_value = "interval:1s", value_parser = str::parse::<SyncPolicy>)]
    pub sync: SyncPolicy,

    /// How long a write, sync or open may take before it counts as failed
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = quantity::duration)]
    pub stall_timeout: Duration,

    /// How much output is kept for a disk that fails or is slow
    #[arg(long, value_name = "SIZE", default_value = "8MiB")]
    pub buffer: ByteSize,

    /// Log starts, failures, gaps and ends to this file as JSON lines (default: to journald, else to
    /// syslog's authpriv)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub log: Option<PathBuf>,

    /// Sign the finished recording with this OpenSSH ed25519 private key, as FILE.sig
    #[arg(long, value_name = "KEY", value_hint = ValueHint::FilePath)]
    pub sign_key: Option<PathBuf>,

    /// What becomes of processes that the command leaves behind
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = AfterSession::Leave)]
    pub after_session: AfterSession,

    /// A title for the recording
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,

    /// Refuse to record inside a session that is already recorded
    #[arg(long)]
    pub no_nested: bool,

    /// Don't say where the recording is, nor what is missing from it
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Say after the session what went wrong with the recording
    #[arg(short, long)]
    pub verbose: bool,

    /// The command and its arguments (default: $SHELL, else the user's login shell)
    #[arg(value_name = "COMMAND", trailing_var_arg = true, value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

// Here and not beside the types: the policy knows nothing of clap.
impl ValueEnum for Mode {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(match self {
            Self::BestEffort => "The session goes on, with a warning",
            Self::Strict => "No recording, no session",
        }))
    }
}

impl ValueEnum for AfterSession {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(match self {
            Self::Leave => "They live on",
            Self::End => "They are ended when the session is over",
        }))
    }
}

impl ValueEnum for Dialect {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(match self {
            Self::Rfd68 => "The modes as they are specified",
            Self::Teleport => "What Teleport 18 acts on",
        }))
    }
}

impl ValueEnum for SessionKind {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::AsciicastV3, Self::AsciicastV2]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::AsciicastV3 => PossibleValue::new("asciicast-v3"),
            Self::AsciicastV2 => PossibleValue::new("asciicast-v2").help("For older players"),
        })
    }
}

/// A terminal's size in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalSize {
    /// Columns, from 1.
    pub cols: u16,
    /// Rows, from 1.
    pub rows: u16,
}

impl std::str::FromStr for TerminalSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once(['x', 'X']).and_then(|(cols, rows)| {
            let (cols, rows) = (cols.parse().ok()?, rows.parse().ok()?);
            (cols > 0 && rows > 0).then_some(Self { cols, rows })
        });
        parsed.ok_or_else(|| "expected COLSxROWS, such as 80x24, at most 65535x65535".to_owned())
    }
}

/// `recmode login`
#[derive(Debug, Args)]
pub struct LoginArgs {
    /// Start nothing: judge the configuration, the roles and the directories, and say what the user would get
    #[arg(long)]
    pub check: bool,

    /// With --check: for this user (default: the one who runs it; for another, root only)
    #[arg(long, value_name = "NAME", requires = "check")]
    pub user: Option<String>,

    /// With --check: how to print it
    #[arg(long, value_enum, default_value_t = InfoFormat::Human, value_name = "FORMAT", requires = "check")]
    pub format: InfoFormat,
}

/// `recmode cat`
#[derive(Debug, Args)]
pub struct CatArgs {
    /// Print the exact bytes, terminal control sequences included
    #[arg(long)]
    pub raw: bool,

    /// Print before each line when it last changed, since the start of the session
    #[arg(short, long, conflicts_with = "raw")]
    pub timestamps: bool,

    /// The recording, or `-` for standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
}

/// `recmode info`
#[derive(Debug, Args)]
pub struct InfoArgs {
    /// How to print it
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = InfoFormat::Human)]
    pub format: InfoFormat,

    /// Print times in UTC instead of local time
    #[arg(long)]
    pub utc: bool,

    /// The recording, or `-` for standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
}

/// Output formats of `info`, `search`, `verify`, `prune` and `login --check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InfoFormat {
    /// For people
    Human,
    /// A stable tree, for scripts
    Json,
}

/// `recmode ls`
#[derive(Debug, Args)]
pub struct LsArgs {
    /// How to print the list
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LsFormat::Table)]
    pub format: LsFormat,

    /// Only this user's recordings (repeatable)
    #[arg(long, value_name = "NAME")]
    pub user: Vec<String>,

    /// Only those of this kind (repeatable)
    #[arg(long, value_name = "KIND", value_enum)]
    pub kind: Vec<SessionKind>,

    /// Only those under this mode
    #[arg(long, value_name = "MODE", value_enum)]
    pub mode: Option<Mode>,

    /// Only those in this state (repeatable)
    #[arg(long, value_name = "STATE", value_enum)]
    pub state: Vec<State>,

    /// Only those begun then or later: 2026-11-22, "2026-11-22 18:00", yesterday, "2 days ago"
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,

    /// Only those begun before
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,

    /// What to sort by: newest, longest or largest first, names in their order
    #[arg(long, value_name = "BY", value_enum, default_value_t = SortBy::Start)]
    pub sort: SortBy,

    /// Turn the order round
    #[arg(short, long)]
    pub reverse: bool,

    /// Print times in UTC instead of local time
    #[arg(long)]
    pub utc: bool,

    /// The directory, searched with all below it, or one file (default: where recordings go)
    #[arg(value_name = "DIR", value_hint = ValueHint::AnyPath)]
    pub dir: Option<PathBuf>,
}

/// Output formats of `ls`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LsFormat {
    /// For people
    Table,
    /// A stable tree, for scripts
    Json,
    /// For spreadsheets
    Csv,
}

impl ValueEnum for State {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(match self {
            Self::Complete => "It has its end",
            Self::Live => "Its session still runs",
            Self::CutOff => "It has no end",
            Self::Gap => "Something is missing in it",
            Self::Strict => "Strict mode ended the session",
            Self::Damaged => "A line of it is wrong",
        }))
    }
}

impl ValueEnum for SortBy {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::Start,
            Self::Duration,
            Self::Size,
            Self::User,
            Self::Kind,
            Self::Mode,
            Self::State,
            Self::Name,
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Self::Start => "start",
            Self::Duration => "duration",
            Self::Size => "size",
            Self::User => "user",
            Self::Kind => "kind",
            Self::Mode => "mode",
            Self::State => "state",
            Self::Name => "name",
        }))
    }
}

/// `recmode search`
#[derive(Debug, Args)]
pub struct SearchArgs {
    /// Search what was typed, where that was recorded, instead of what was seen
    #[arg(long)]
    pub input: bool,

    /// Search for this regular expression too (repeatable); PATTERN is then the first PATH
    #[arg(short = 'e', long, value_name = "PATTERN")]
    pub regexp: Vec<String>,

    /// Search case-insensitively
    #[arg(short, long)]
    pub ignore_case: bool,

    /// Treat patterns as literal text, not as regular expressions
    #[arg(short = 'F', long)]
    pub fixed_strings: bool,

    /// Print only how many lines match in each recording
    #[arg(short, long, conflicts_with = "files_with_matches")]
    pub count: bool,

    /// Print only the names of recordings with a match
    #[arg(short = 'l', long)]
    pub files_with_matches: bool,

    /// Stop after NUM matching lines in each recording
    #[arg(short, long, value_name = "NUM")]
    pub max_count: Option<usize>,

    /// Print NUM lines after each match
    #[arg(short = 'A', long, value_name = "NUM")]
    pub after_context: Option<usize>,

    /// Print NUM lines before each match
    #[arg(short = 'B', long, value_name = "NUM")]
    pub before_context: Option<usize>,

    /// Print NUM lines before and after each match
    #[arg(short = 'C', long, value_name = "NUM")]
    pub context: Option<usize>,

    /// Print the date and time with its zone instead of the time since the start
    #[arg(long)]
    pub date: bool,

    /// Print dates and times in UTC instead of local time (implies --date)
    #[arg(long)]
    pub utc: bool,

    /// How to print what was found; `json` is an object a line
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = InfoFormat::Human)]
    pub format: InfoFormat,

    /// Short for --format json
    #[arg(long)]
    pub json: bool,

    /// A regular expression, for one line
    #[arg(value_name = "PATTERN", required_unless_present = "regexp")]
    pub pattern: Option<OsString>,

    /// Recordings, directories to search with all below, or `-` for standard input (default: where recordings go)
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
}

/// `recmode verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Recordings, or directories that are searched for .cast files
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,

    /// Each recording must be signed by one of those in this file, as ssh-keygen(1) describes it
    #[arg(long, value_name = "SIGNERS", value_hint = ValueHint::FilePath)]
    pub allowed_signers: Option<PathBuf>,

    /// Judge the signers' keys at this time (default: when each recording began)
    #[arg(long, value_name = "TIME", requires = "allowed_signers")]
    pub verify_time: Option<String>,

    /// How to print the answers
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = InfoFormat::Human)]
    pub format: InfoFormat,

    /// Print only what is not intact
    #[arg(short, long)]
    pub quiet: bool,
}

/// `recmode export`
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The format
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub to: ExportFormat,

    /// Write to this file, which is replaced when it is complete (default: standard output)
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,

    /// In svg: make pauses at most this long: a duration, such as 500ms, or seconds
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = quantity::pause)]
    pub idle_limit: Duration,

    /// In svg: whether it is light or dark
    #[arg(long, value_name = "THEME", value_enum, default_value = "auto")]
    pub theme: ExportTheme,

    /// In html: verify the signature in FILE.sig against the keys in SIGNERS, as `verify` does
    #[arg(long, value_name = "SIGNERS", value_hint = ValueHint::FilePath)]
    pub allowed_signers: Option<PathBuf>,

    /// In html: leave the player out, and with it the only script
    #[arg(long)]
    pub no_player: bool,

    /// The recording, or `-` for standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
}

/// Whether a picture is light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportTheme {
    /// As the viewer prefers
    Auto,
    /// Light
    Light,
    /// Dark
    Dark,
}

/// What a recording is exported to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// For older players, with every byte and every microsecond
    AsciicastV2,
    /// For newer players, with every byte and every microsecond
    AsciicastV3,
    /// The text that was seen
    Txt,
    /// A page to file: the facts, whether the file is intact, a player, commands, the transcript in colours
    Html,
    /// An animation
    Svg,
    /// OUT and OUT.timing, for scriptreplay
    Typescript,
}

/// `recmode play`
#[derive(Debug, Args)]
#[command(after_help = play::keys_help())]
pub struct PlayArgs {
    /// Playback speed multiplier, from 0.01 to 10000
    #[arg(short, long, value_name = "TIMES", default_value = "1", value_parser = speed)]
    pub speed: Speed,

    /// Cut pauses to this: 500ms, or seconds (default: the recording's idle_time_limit)
    #[arg(short, long, value_name = "DURATION", value_parser = quantity::pause)]
    pub idle_limit: Option<Duration>,

    /// Begin here: a time since the start, such as 90s, 1m30s or 0:01:30.5, or the text of a marker
    #[arg(long, value_name = "PLACE", value_parser = place, conflicts_with = "follow")]
    pub from: Option<Place>,

    /// End here, after --from
    #[arg(long, value_name = "PLACE", value_parser = place)]
    pub to: Option<Place>,

    /// Draw the screen, as is done where this terminal would show something else than the recorded one
    #[arg(long, conflicts_with = "unsafe_raw")]
    pub fit: bool,

    /// Show what is being recorded, from now on and until its end
    #[arg(short, long)]
    pub follow: bool,

    /// Let everything through that was printed, also what drives this terminal
    #[arg(long)]
    pub unsafe_raw: bool,

    /// The recording, or `-` for standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
}

/// A speed.
fn speed(text: &str) -> Result<Speed, String> {
    let times = text.parse().ok().and_then(Speed::new);
    times.ok_or_else(|| "expected a number from 0.01 to 10000".to_owned())
}

/// A time, or else a marker.
#[expect(clippy::unnecessary_wraps, reason = "as clap calls it")]
fn place(text: &str) -> Result<Place, String> {
    let micros = |duration: jiff::SignedDuration| u64::try_from(duration.as_micros()).ok();
    let clock = || {
        let mut seconds = 0_f64;
        for part in text.split(':') {
            let part: f64 = part.parse().ok().filter(|part: &f64| *part >= 0.0 && part.is_finite())?;
            seconds = seconds * 60.0 + part;
        }
        micros(jiff::SignedDuration::try_from_secs_f64(seconds).ok()?)
    };
    let time = clock().or_else(|| text.parse().ok().and_then(micros));
    Ok(time.map_or_else(|| Place::Marker(text.to_owned()), Place::Time))
}

/// `recmode prune`
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("limit").required(true).multiple(true))]
pub struct PruneArgs {
    /// Remove what was written to last longer ago than this
    #[arg(long, value_name = "AGE", value_parser = quantity::age, group = "limit")]
    pub older_than: Option<Span>,

    /// Limit what all recordings take on the disk; whoever holds most loses the oldest
    #[arg(long, value_name = "SIZE", value_parser = whole_size, group = "limit")]
    pub max_total: Option<u64>,

    /// Keep this much of the disk free, a size or a part such as 5%; whoever holds most loses the oldest
    #[arg(long, value_name = "SIZE|PERCENT", group = "limit")]
    pub keep_free: Option<Share>,

    /// Keep what was written to more recently than this, whatever the other options ask for
    #[arg(long, value_name = "AGE", default_value = "0", value_parser = quantity::age_or_none)]
    pub min_age: Span,

    /// Log each removal to this file as a JSON line (default: to journald, else to syslog's authpriv)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub log: Option<PathBuf>,

    /// Do it; without this it is only shown
    #[arg(short, long)]
    pub yes: bool,

    /// How to print what is removed
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = InfoFormat::Human)]
    pub format: InfoFormat,

    /// Print times in UTC instead of local time
    #[arg(long)]
    pub utc: bool,

    /// The directory, searched with all below it (default: where record puts recordings)
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

/// A size for a number of files.
fn whole_size(text: &str) -> Result<u64, String> {
    quantity::size(text).ok_or_else(|| "expected a size, such as 500MiB or 10GiB".to_owned())
}

/// `recmode recover`
#[derive(Debug, Args)]
pub struct RecoverArgs {
    /// Recordings, or directories that are searched for .cast files
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
}

/// `recmode completions`
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: CompletionShell,
}

/// The shells that completions are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompletionShell {
    /// GNU Bash
    Bash,
    /// Z shell
    Zsh,
    /// fish
    Fish,
}

/// `recmode man`
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write recmode.1 and one page a subcommand into this directory
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}
