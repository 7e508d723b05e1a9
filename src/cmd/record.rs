//! `recmode record`: from arguments, environment and roles to a session, and from its outcome to
//! words and an exit code.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use nix::unistd::{User, getuid};

use super::launch::{self, Decided, New, Request, Telling};
use crate::cli::{ColorWhen, RecordArgs};
use crate::escape;
use crate::exit;
use crate::policy::{Mode, RoleSet, SessionKind};
use crate::session::{self, Plan};
use crate::{report, roles};

/// Set for the command: the id of the session that records it.
const SESSION_VARIABLE: &str = "RECMODE_SESSION";

/// The directories of open descriptors, such as the pipe of a shell's `>(COMMAND)`.
const DESCRIPTORS: [&str; 5] = ["/dev/fd", "/proc/self/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr"];

/// Records a session and returns its exit code.
///
/// # Errors
///
/// When there can be no session: what roles, environment or system say in the way of it. The exit
/// code is 125 then.
pub fn run(args: &RecordArgs) -> anyhow::Result<u8> {
    if let Some(outer) = super::place::variable(SESSION_VARIABLE) {
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
    let new = New::session();
    let path = match &args.output {
        Some(file) => file.clone(),
        None => super::place::recordings(args.dir.as_deref(), passwd.as_ref())?.join(new.file_name(&user)),
    };
    if DESCRIPTORS.iter().any(|descriptor| path.starts_with(descriptor)) {
        bail!("{}: a recording is a new file, and can't be a pipe such as >(COMMAND)", escape::path(&path));
    }
    let (path, unreachable) = absolute(path)?;
    let mode = decided.mode;
    let mut recording = new.recording(Request {
        path: path.clone(),
        owners: None,
        sign_key: args.sign_key.as_deref().map(launch::sign_key).transpose()?,
        format: args.format,
        sync: args.sync,
        stall_timeout: args.stall_timeout,
        // Whether it can be written never matters to the session.
        log: args.log.as_deref().and_then(|log| std::path::absolute(log).ok()),
        decided,
        kind: args.kind,
        user,
        title: args.title.clone(),
        command: &command,
        shell: launch::variable("SHELL"),
        streams: None,
    });
    recording.unreachable = unreachable;
    let plan = Plan {
        recording,
        mode,
        kind: args.kind,
        command,
        argv0: None,
        env: env::vars_os().collect(),
        // The shell that started it holds the terminal anyway, and SIGKILL would leave it shut.
        exclusive: false,
        sftp: false,
        size: args.size.map(|size| (size.cols, size.rows)),
        capture_input: args.capture_input,
        buffer: args.buffer.0,
        banner: None,
        after_session: args.after_session,
    };
    let program = plan.command.first().cloned().unwrap_or_default();
    session::restore_on_panic();
    let outcome = session::run(plan).context("the session could not be started")?;
    let telling = Telling { faults: args.verbose, losses: !args.quiet, files: !args.quiet };
    launch::tell(telling, &outcome, &path, &program);
    Ok(outcome.status)
}

/// The path as an absolute one, without slashes at its end: DIR/ is what DIR is. Where there is no working directory any
/// more, it is as it was given, with the errno that says so: that is for the mode to judge, as a failure of the recording.
fn absolute(path: PathBuf) -> anyhow::Result<(PathBuf, Option<i32>)> {
    let path = if path.as_os_str().is_empty() { path } else { path.components().collect() };
    match std::path::absolute(&path) {
        Ok(path) => Ok((path, None)),
        Err(error) if error.raw_os_error().is_some() => Ok((path, error.raw_os_error())),
        Err(error) => Err(error).with_context(|| escape::path(&path)),
    }
}

/// The mode: given, or resolved from roles; from the flags first, then from the environment.
/// `None` where the roles are wrong, which has been said.
fn decide(args: &RecordArgs) -> anyhow::Result<Option<Decided>> {
    let given = |mode| Ok(Some(Decided::given(mode)));
    if let Some(mode) = args.mode {
        return given(mode);
    }
    let mut paths = args.roles.clone();
    if paths.is_empty()
        && let Some(list) = super::place::variable("RECMODE_ROLES")
    {
        paths = env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect();
        if paths.is_empty() {
            bail!("RECMODE_ROLES names no role file");
        }
    }
    if !paths.is_empty() {
        return Ok(load(args, &paths).and_then(|set| resolve(&set, args.kind)));
    }
    let selection = &args.selection;
    if !selection.role.is_empty() || selection.user.is_some() || selection.set.is_some() {
        bail!("--role, --user and --set choose from roles: give --roles, or set RECMODE_ROLES");
    }
    let Some(mode) = super::place::variable("RECMODE_MODE") else { return given(Mode::BestEffort) };
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
    super::select(&loaded, &args.selection, color).map(|(_, set)| set)
}

/// The mode of the set; says on standard error why there is none.
fn resolve(set: &RoleSet, kind: SessionKind) -> Option<Decided> {
    let answer = set.resolve(kind);
    if answer.mode.is_none() {
        super::say(&format!(
            "recmode: the mode of {kind} is unknown: {}\n",
            report::reasons(&answer).join("; ")
        ));
        return None;
    }
    if answer.recording == Some(false) {
        super::say(&format!(
            "recmode: warning: every role turns {kind} recording off; this session is recorded all the same\n"
        ));
    }
    Decided::by(set, kind)
}

/// The command to run: the given one, `$SHELL`, or the user's login shell.
fn command(args: &RecordArgs, passwd: Option<&User>) -> Vec<OsString> {
    if !args.command.is_empty() {
        return args.command.clone();
    }
    let login =
        || passwd.map(|passwd| passwd.shell.clone().into_os_string()).filter(|shell| !shell.is_empty());
    vec![super::place::variable("SHELL").or_else(login).unwrap_or_else(|| "/bin/sh".into())]
}
