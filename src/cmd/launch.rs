//! What `record` and `login` have in common: a session's identity, and what is said when it is over.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use nix::unistd::gethostname;
use uuid::Uuid;

use crate::escape;
use crate::exit;
use crate::oplog::Identity;
use crate::policy::{Mode, RoleSet, SessionKind};
use crate::recording::{
    Decider, Format, Header, Operation, Session, StreamCapture, SyncPolicy, Term, chain, name, side,
};
use crate::session::{Outcome, Survivor};
use crate::signature::{SigningKey, signature_path};
use crate::trust::Owners;

/// The mode that holds, and why.
pub(super) struct Decided {
    pub(super) mode: Mode,
    pub(super) roles: Vec<String>,
    pub(super) because: Vec<Decider>,
}

impl Decided {
    /// A mode that no role gave.
    pub(super) fn given(mode: Mode) -> Self {
        Self { mode, roles: Vec::new(), because: Vec::new() }
    }

    /// The mode that these roles give this kind; `None` where unknown settings leave both possible.
    pub(super) fn by(set: &RoleSet, kind: SessionKind) -> Option<Self> {
        let decision = set.resolve(kind);
        let decider = |ground: &crate::policy::Ground| Decider {
            role: ground.role.to_string(),
            option: ground.option.name().to_owned(),
        };
        Some(Self {
            mode: decision.mode?,
            roles: set.names().iter().map(ToString::to_string).collect(),
            because: decision.because.iter().map(decider).collect(),
        })
    }
}

/// A session that begins now.
pub(super) struct New {
    id: String,
    now: jiff::Timestamp,
}

/// How it is to be recorded.
pub(super) struct Request<'a> {
    pub(super) path: PathBuf,
    pub(super) owners: Option<Owners>,
    pub(super) sign_key: Option<SigningKey>,
    pub(super) format: Format,
    pub(super) sync: SyncPolicy,
    pub(super) stall_timeout: Duration,
    pub(super) log: Option<PathBuf>,
    pub(super) decided: Decided,
    pub(super) kind: SessionKind,
    pub(super) user: String,
    pub(super) title: Option<String>,
    pub(super) command: &'a [OsString],
    /// SHELL as the command gets it.
    pub(super) shell: Option<String>,
    pub(super) streams: Option<StreamCapture>,
}

impl New {
    pub(super) fn session() -> Self {
        Self { id: Uuid::new_v4().to_string(), now: jiff::Timestamp::now() }
    }

    /// The name of its recording's file.
    pub(super) fn file_name(&self, user: &str) -> String {
        name::file_name(&self.now.strftime("%Y%m%dT%H%M%SZ").to_string(), user, &self.id)
    }

    /// The recording side's part of it.
    pub(super) fn recording(self, request: Request<'_>) -> side::Plan {
        let Request { path, owners, sign_key, format, sync, stall_timeout, log, decided, kind, user, .. } =
            request;
        let words: Vec<_> = request.command.iter().map(|word| word.as_bytes()).collect();
        let shell = request.shell.map(|shell| ("SHELL", shell));
        let terminal = variable("TERM");
        let session = Session {
            version: env!("CARGO_PKG_VERSION"),
            session: self.id,
            mode: decided.mode,
            kind,
            roles: decided.roles,
            because: decided.because,
            user,
            host: gethostname().map_or_else(|_| String::new(), |host| host.to_string_lossy().into_owned()),
            streams: request.streams,
            chain: chain::NAME,
            segment: None,
            first: None,
            continues: None,
            clamped: Vec::new(),
        };
        let identity = Identity {
            session: session.session.clone(),
            user: session.user.clone(),
            mode: session.mode,
            kind,
            because: session.because.clone(),
            recording: path.clone(),
        };
        let header = Header {
            term: Term { cols: 0, rows: 0, kind: terminal.clone() },
            timestamp: self.now.as_second(),
            command: words.join(&b' '),
            title: request.title,
            env: shell.into_iter().chain(terminal.map(|kind| ("TERM", kind))).collect::<BTreeMap<_, _>>(),
            session,
        };
        let retry = decided.mode == Mode::BestEffort;
        side::Plan {
            path,
            unreachable: None,
            owners,
            sign_key,
            format,
            header,
            retry,
            started: 0,
            sync,
            stall_timeout,
            identity,
            log,
            resume: None,
        }
    }
}

/// Reads the key that a recording is signed with.
pub(super) fn sign_key(path: &Path) -> anyhow::Result<SigningKey> {
    SigningKey::read(path).with_context(|| format!("--sign-key {}", escape::path(path)))
}

/// An environment variable for the recording's header.
pub(super) fn variable(name: &str) -> Option<String> {
    env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// What is said on standard error when a session is over.
#[derive(Clone, Copy)]
pub(super) struct Telling {
    /// What went wrong with the recording.
    pub(super) faults: bool,
    /// What is missing from it.
    pub(super) losses: bool,
    /// Where it is.
    pub(super) files: bool,
}

/// Says on standard error how it went; `program` is what was executed.
pub(super) fn tell(telling: Telling, outcome: &Outcome, path: &Path, program: &OsStr) {
    let text = told(telling, outcome, path, program);
    if outcome.faults.is_empty() {
        super::say(&text);
    } else {
        super::say_in_passing(text);
    }
}

/// Why a recording can't be where it was to be.
fn refusal(outcome: &Outcome, path: &Path) -> String {
    let is_signature = outcome.faults.last().is_some_and(|fault| fault.during == Operation::Sign);
    if is_signature {
        let path = escape::path(&signature_path(path));
        return format!(
            "recmode: {path}: the file exists, and would be taken for the recording's signature\n"
        );
    }
    let shown = escape::path(path);
    format!("recmode: {shown}: the file exists, and recordings are never overwritten\n")
}

fn told(telling: Telling, outcome: &Outcome, path: &Path, program: &OsStr) -> String {
    if outcome.file_exists {
        return refusal(outcome, path);
    }
    let mut lines = Vec::new();
    if let Some(error) = &outcome.not_executed {
        let program = escape::controls(&program.to_string_lossy());
        lines.push(match error.kind() {
            io::ErrorKind::NotFound => format!("{program}: command not found"),
            _ => format!("{program}: {error}"),
        });
    }
    if let Some(error) = &outcome.output_error {
        lines.push(format!("standard output: {error}"));
    }
    if telling.faults {
        lines.extend(outcome.faults.iter().map(ToString::to_string));
    }
    for Survivor { pid, name } in &outcome.survivors {
        let name = escape::controls(name);
        lines.push(format!("process {pid} ({name}) runs as another user and could not be ended"));
    }
    if let Some(bytes) = outcome.smaller_buffer.filter(|_| telling.losses) {
        lines.push(format!("there was memory for a buffer of {bytes} bytes only"));
    }
    if telling.losses {
        for file in &outcome.spoiled {
            let file = escape::path(file);
            lines.push(format!("{file}: the recording was moved, removed or changed by others"));
        }
    }
    if telling.files {
        lines.extend(outcome.files.iter().map(|file| format!("recorded to {}", escape::path(file))));
    }
    // Strict's message, or a refusal, has said it all.
    let ended = [exit::RECORD_TROUBLE, exit::ENDED_BY_STRICT].contains(&outcome.status);
    match outcome.lost {
        _ if ended || !telling.losses => {}
        Some(0) => {}
        Some(lost) => lines.push(format!("{lost} bytes of output are not in the recording")),
        None => lines.push("the recording was not complete when the session ended".to_owned()),
    }
    lines.iter().flat_map(|line| ["recmode: ", line, "\n"]).collect()
}
