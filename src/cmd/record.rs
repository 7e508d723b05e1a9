//! `recmode record`: from arguments, environment and roles to a session, and from its outcome to
//! words and an exit code.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use nix::unistd::{User, gethostname, getuid};
use uuid::Uuid;

use crate::cli::{ColorWhen, RecordArgs};
use crate::escape;
use crate::exit;
use crate::oplog::Identity;
use crate::policy::{Mode, RoleSet, SessionKind};
use crate::recording::{Decider, Header, Session, Term, name, side};
use crate::session::{self, Outcome, Plan};
use crate::{report, roles};

/// Set for the command: the id of the session that records it.
const SESSION_VARIABLE: &str = "RECMODE_SESSION";

/// Records a session and returns its exit code.
///
/// # Errors
///
/// When there can be no session: what roles, environment or system say in the way of it. The exit
/// code is 125 then.
pub fn run(args: &RecordArgs) -> anyhow::Result<u8> {
    if let Some(outer) = variable(SESSION_VARIABLE) {
        let outer = escape::controls(&outer.to_string_lossy());
        if args.no_nested {
            bail!("already inside the recorded session {outer}");
        }
        super::say(&format!(
            "recmode: already inside the recorded session {outer}; recording this one too\n"
        ));
    }
    let Some(decided) = decide(args)? else { return Ok(exit::RECORD_TROUBLE) };
    let passwd = User::from_uid(getuid()).ok().flatten();
    let command = command(args, passwd.as_ref());
    let user = passwd.as_ref().map_or_else(|| getuid().to_string(), |passwd| passwd.name.clone());
    let id = Uuid::new_v4().to_string();
    let now = jiff::Timestamp::now();
    let path = match &args.output {
        Some(file) => file.clone(),
        None => directory(args, passwd.as_ref())?.join(name::file_name(
            &now.strftime("%Y%m%dT%H%M%SZ").to_string(),
            &user,
            &id,
        )),
    };
    let path = std::path::absolute(&path).with_context(|| escape::path(&path))?;
    let text = |name| env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    let header = Header {
        term: Term { cols: 0, rows: 0, kind: text("TERM") },
        timestamp: now.as_second(),
        command: shortened(command.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")),
        title: args.title.clone().map(shortened),
        env: ["SHELL", "TERM"]
            .into_iter()
            .filter_map(|name| Some((name, text(name)?)))
            .collect::<BTreeMap<_, _>>(),
        session: Session {
            version: env!("CARGO_PKG_VERSION"),
            session: id,
            mode: decided.mode,
            kind: args.kind,
            roles: decided.roles,
            because: decided.because,
            user,
            host: gethostname().map_or_else(|_| String::new(), |host| host.to_string_lossy().into_owned()),
            segment: None,
            first: None,
        },
    };
    let identity = Identity {
        session: header.session.session.clone(),
        user: header.session.user.clone(),
        mode: decided.mode,
        kind: args.kind,
        because: header.session.because.clone(),
        recording: path.clone(),
    };
    let log = args.log.as_deref().map(std::path::absolute).transpose().context("--log")?;
    let retry = decided.mode == Mode::BestEffort;
    let plan = Plan {
        recording: side::Plan {
            path: path.clone(),
            format: args.format,
            header,
            retry,
            started: 0,
            sync: args.sync,
            stall_timeout: args.stall_timeout,
            identity,
            log,
        },
        mode: decided.mode,
        kind: args.kind,
        command,
        size: args.size.map(|size| (size.cols, size.rows)),
        capture_input: args.capture_input,
        buffer: args.buffer.0,
    };
    let program = plan.command.first().cloned().unwrap_or_default();
    session::restore_on_panic();
    let outcome = session::run(plan).context("the session could not be started")?;
    tell(args, &outcome, &path, &program);
    Ok(outcome.status)
}

/// The mode that holds, and why.
struct Decided {
    mode: Mode,
    roles: Vec<String>,
    because: Vec<Decider>,
}

/// The mode: given, or resolved from roles; from the flags first, then from the environment.
/// `None` where the roles are wrong, which has been said.
fn decide(args: &RecordArgs) -> anyhow::Result<Option<Decided>> {
    let given = |mode| Ok(Some(Decided { mode, roles: Vec::new(), because: Vec::new() }));
    if let Some(mode) = args.mode {
        return given(mode);
    }
    let mut paths = args.roles.clone();
    if paths.is_empty()
        && let Some(list) = variable("RECMODE_ROLES")
    {
        paths = env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect();
        if paths.is_empty() {
            bail!("RECMODE_ROLES names no role file");
        }
    }
    if !paths.is_empty() {
        return Ok(load(args, &paths).map(|set| resolve(&set, args.kind)));
    }
    if !args.selection.role.is_empty() || args.selection.user.is_some() {
        bail!("--role and --user choose from roles: give --roles, or set RECMODE_ROLES");
    }
    let Some(mode) = variable("RECMODE_MODE") else { return given(Mode::BestEffort) };
    let mode = mode.to_string_lossy();
    match Mode::from_name(&mode) {
        Some(mode) => given(mode),
        None => bail!("RECMODE_MODE: \"{}\" is neither strict nor best_effort", escape::controls(&mode)),
    }
}

/// Reads and selects the roles; says on standard error what is wrong with them.
fn load(args: &RecordArgs, paths: &[PathBuf]) -> Option<RoleSet> {
    let color = super::color::wanted(ColorWhen::Auto, &io::stderr());
    let loaded = match roles::load(paths) {
        Ok(loaded) => loaded,
        Err(error) => {
            super::say(&report::load_error(&error, color));
            return None;
        }
    };
    super::say(&report::problems(loaded.warnings(), color));
    match loaded.select(&args.selection.role, args.selection.user.as_deref()) {
        Ok(set) => Some(set),
        Err(errors) => {
            super::say(&report::select_errors(&errors, color));
            None
        }
    }
}

fn resolve(set: &RoleSet, kind: SessionKind) -> Decided {
    let decision = set.resolve(kind);
    if !decision.recording {
        super::say(&format!(
            "recmode: warning: every role turns {kind} recording off; this session is recorded all the same\n"
        ));
    }
    let decider = |ground: &crate::policy::Ground| Decider {
        role: ground.role.to_string(),
        option: ground.option.name().to_owned(),
    };
    Decided {
        mode: decision.mode,
        roles: set.names().iter().map(ToString::to_string).collect(),
        because: decision.because.iter().map(decider).collect(),
    }
}

/// A text for the header, which readers take up to a bound.
fn shortened(mut text: String) -> String {
    const MOST: usize = 64 * 1024;
    if text.len() > MOST {
        text.truncate(text.floor_char_boundary(MOST));
        text.push('…');
    }
    text
}

/// The command to run: the given one, `$SHELL`, or the user's login shell.
fn command(args: &RecordArgs, passwd: Option<&User>) -> Vec<OsString> {
    if !args.command.is_empty() {
        return args.command.clone();
    }
    let login =
        || passwd.map(|passwd| passwd.shell.clone().into_os_string()).filter(|shell| !shell.is_empty());
    vec![variable("SHELL").or_else(login).unwrap_or_else(|| "/bin/sh".into())]
}

fn directory(args: &RecordArgs, passwd: Option<&User>) -> anyhow::Result<PathBuf> {
    if let Some(dir) = args.dir.clone().or_else(|| variable("RECMODE_DIR").map(PathBuf::from)) {
        return Ok(dir);
    }
    let state = variable("XDG_STATE_HOME").map(PathBuf::from);
    let home = variable("HOME").map(PathBuf::from).or_else(|| passwd.map(|passwd| passwd.dir.clone()));
    name::default_directory(nix::unistd::geteuid().is_root(), state.as_deref(), home.as_deref())
        .context("no home directory to keep recordings in: give -o or --dir")
}

/// Says on standard error how it went.
fn tell(args: &RecordArgs, outcome: &Outcome, path: &Path, program: &OsStr) {
    if outcome.file_exists {
        super::say(&format!(
            "recmode: {}: the file exists, and recordings are never overwritten\n",
            escape::path(path)
        ));
        return;
    }
    if let Some(error) = &outcome.not_executed {
        let program = escape::controls(&program.to_string_lossy());
        match error.kind() {
            io::ErrorKind::NotFound => super::say(&format!("recmode: {program}: command not found\n")),
            _ => super::say(&format!("recmode: {program}: {error}\n")),
        }
    }
    if let Some(error) = &outcome.output_error {
        super::say(&format!("recmode: standard output: {error}\n"));
    }
    if args.verbose {
        for fault in &outcome.faults {
            super::say(&format!("recmode: {fault}\n"));
        }
    }
    for pid in &outcome.survivors {
        super::say(&format!("recmode: process {pid} runs as another user and could not be ended\n"));
    }
    if args.quiet {
        return;
    }
    if let Some(bytes) = outcome.smaller_buffer {
        super::say(&format!("recmode: there was memory for a buffer of {bytes} bytes only\n"));
    }
    for file in &outcome.spoiled {
        super::say(&format!(
            "recmode: {}: the recording was moved, removed or changed by others\n",
            escape::path(file)
        ));
    }
    for file in &outcome.files {
        super::say(&format!("recmode: recorded to {}\n", escape::path(file)));
    }
    // Strict's message, or a refusal, has said it all.
    let ended = [exit::RECORD_TROUBLE, exit::ENDED_BY_STRICT].contains(&outcome.status);
    match outcome.lost {
        Some(0) => {}
        _ if ended => {}
        Some(lost) => super::say(&format!("recmode: {lost} bytes of output are not in the recording\n")),
        None => super::say("recmode: the recording was not complete when the session ended\n"),
    }
}

/// An environment variable; an empty one counts as unset.
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}
