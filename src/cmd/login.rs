//! `recmode login`: from sshd's or login(1)'s call to a recorded session, and `--check`.
//!
//! What goes wrong is said on standard error and in the machine's log: nobody may be there to read it.

mod check;

use std::env;
use std::ffi::OsString;
use std::io::{IsTerminal as _, stdin, stdout};
use std::path::PathBuf;

use anyhow::Context as _;

use super::launch::{self, Decided, New, Request as Launch, Telling};
use crate::cli::LoginArgs;
use crate::login::{
    self, Account, Admission, CaptureStreams, Config, LoginError, Request, Tool, Transfer, Unjudged, admit,
    is_this_program,
};
use crate::oplog::{Happening, Identity, LogSocket};
use crate::policy::{Mode, SessionKind};
use crate::recording::{Format, StreamCapture};
use crate::session::{self, Plan};
use crate::trust::Owners;
use crate::{escape, exit, report};

/// What sshd keeps of the client's own wish. It says what to run, never how it is recorded.
const ORIGINAL_COMMAND: &str = "SSH_ORIGINAL_COMMAND";

/// Serves as the login shell that recmode was called as, if it was; gives the exit code.
#[must_use]
pub fn as_login_shell() -> Option<u8> {
    let words: Vec<OsString> = env::args_os().collect();
    let request = Request::of_login_shell(&words, is_this_program, || env::var_os(ORIGINAL_COMMAND))?;
    let done = request.map_err(anyhow::Error::from).and_then(|request| serve(&request));
    Some(done.unwrap_or_else(|error| {
        super::say(&format!("recmode: {error:#}\n"));
        exit::RECORD_TROUBLE
    }))
}

/// Serves as sshd's forced command, or judges what a login would be.
///
/// # Errors
///
/// Where there can be no session. The exit code is 125 then; with `--check` it is 2.
pub fn run(args: &LoginArgs) -> anyhow::Result<u8> {
    if args.check {
        return check::run(args.user.as_deref(), args.format);
    }
    serve(&Request::of_client(env::var_os(ORIGINAL_COMMAND)))
}

/// Runs the session that is asked for, as this machine's configuration has it.
fn serve(request: &Request) -> anyhow::Result<u8> {
    let account = Account::own().inspect_err(|error| log_refusal("?", &error.to_string()))?;
    let config = match login::read_config() {
        Ok(config) => config,
        Err(error) => return Ok(refused(&account, &error)),
    };
    let read = login::read_roles(&config);
    let (admission, unjudged) = match read {
        Ok(roles) => {
            super::say(&report::problems(roles.warnings(), false));
            admit(&account.name, &config, Ok(&roles))
        }
        Err(unjudged) => admit(&account.name, &config, Err(unjudged)),
    };
    if let Some(unjudged) = &unjudged {
        super::say(&told(unjudged));
        log(&account.name, Mode::Strict, &Happening::Unjudged { cause: cause(unjudged) });
    }
    let decided = match admission {
        Admission::Refused => {
            super::say(&format!(
                "recmode: no session for {}: the roles don't know this user\n",
                escape::controls(&account.name)
            ));
            log_refusal(&account.name, "the roles don't know this user");
            return Ok(exit::RECORD_TROUBLE);
        }
        Admission::Session { mode, roles: None } => Decided::given(mode),
        Admission::Session { mode, roles: Some(set) } => {
            Decided::by(&set, config.kind).unwrap_or_else(|| Decided::given(mode))
        }
    };
    match plan(request, &account, &config, decided) {
        Ok(plan) => session(plan),
        Err(error) => Ok(refused(&account, &error)),
    }
}

fn session(plan: Plan) -> anyhow::Result<u8> {
    let path = plan.recording.path.clone();
    let program = plan.command.first().cloned().unwrap_or_default();
    session::restore_on_panic();
    let outcome = session::run(plan).context("the session could not be started")?;
    launch::tell(Telling { faults: false, losses: true, files: false }, &outcome, &path, &program);
    Ok(outcome.status)
}

/// The session for a request.
fn plan(request: &Request, account: &Account, config: &Config, decided: Decided) -> Result<Plan, LoginError> {
    let shell = login::shell(account, config)?;
    let directory =
        config.recordings_of(&account.name).ok_or_else(|| LoginError::Name(account.name.clone()))?;
    let terminal = stdin().is_terminal() || stdout().is_terminal();
    let auto = config.capture_streams == CaptureStreams::Auto;
    // What is not recorded is nothing but that: no shell, no environment and no search path of the user's runs something else.
    let transfer = if auto && !terminal { login::transfer(request, account, config) } else { None };
    let counts = match config.capture_streams {
        CaptureStreams::Yes => false,
        CaptureStreams::No => true,
        CaptureStreams::Auto => transfer.is_some() || decided.mode == Mode::BestEffort,
    };
    let capture = if counts { StreamCapture::Counts } else { StreamCapture::Content };
    let sftp = transfer.as_ref().is_some_and(|transfer| transfer.tool == Tool::Sftp);
    let (command, argv0, env) = if let Some(Transfer { tool, words }) = transfer {
        (words, None, login::transfer_environment(tool, account, env::vars_os()))
    } else {
        let (words, argv0) = login::command(request, &shell, config)?;
        let mut env: Vec<_> = env::vars_os().filter(|(name, _)| name != "SHELL").collect();
        env.push(("SHELL".into(), shell.clone().into_os_string()));
        (words, argv0, env)
    };
    let new = New::session();
    let path = directory.join(new.file_name(&account.name));
    let mode = decided.mode;
    let recording = new.recording(Launch {
        path,
        owners: Some(Owners::RootOr(account.uid)),
        sign_key: login::sign_key(config)?,
        format: Format::AsciicastV3,
        sync: config.sync,
        stall_timeout: config.stall_timeout,
        log: config.log.clone(),
        decided,
        kind: config.kind,
        user: account.name.clone(),
        title: None,
        command: &command,
        shell: Some(shell.to_string_lossy().into_owned()),
        streams: (!terminal).then_some(capture),
    });
    Ok(Plan {
        recording,
        mode,
        kind: config.kind,
        command,
        argv0,
        env,
        exclusive: true,
        sftp,
        size: None,
        capture_input: config.capture_input,
        buffer: config.buffer,
        banner: config.banner.as_deref().map(banner),
        after_session: config.after_session(mode),
    })
}

/// The banner as whole lines, without what could steer a terminal.
fn banner(text: &str) -> String {
    text.lines().map(|line| escape::controls(line) + "\n").collect()
}

/// Says that there is no session, to the user and to the operator.
fn refused(account: &Account, error: &LoginError) -> u8 {
    super::say(&match error {
        LoginError::Config(error) => report::config_error(error, false),
        error => format!("recmode: {}\n", escape::controls(&error.to_string())),
    });
    log_refusal(&account.name, &error.to_string());
    exit::RECORD_TROUBLE
}

/// Why the roles could not be judged, and what holds therefore.
fn told(unjudged: &Unjudged) -> String {
    let text = match unjudged {
        Unjudged::Untrusted(distrust) => format!("recmode: {}\n", escape::controls(&distrust.to_string())),
        Unjudged::Wrong(error) => report::load_error(error, false),
        Unjudged::NoRole => "recmode: there is no role in the role files\n".to_owned(),
        Unjudged::Held(errors) => report::select_errors(errors, false),
    };
    text + "recmode: the roles could not be judged, so that strict holds at least\n"
}

/// The same in a line.
fn cause(unjudged: &Unjudged) -> String {
    match unjudged {
        Unjudged::Untrusted(distrust) => distrust.to_string(),
        Unjudged::Wrong(error) => {
            let text = report::load_error(error, false);
            text.lines().next().map_or_else(|| error.to_string(), str::to_owned)
        }
        Unjudged::NoRole => "no role in the role files".to_owned(),
        Unjudged::Held(errors) => errors.first().map_or_else(String::new, ToString::to_string),
    }
}

fn log_refusal(user: &str, cause: &str) {
    log(user, Mode::Strict, &Happening::NotAdmitted { cause: cause.to_owned() });
}

/// Tells the machine's log of a login that has no session yet.
fn log(user: &str, mode: Mode, happening: &Happening) {
    let identity = Identity {
        session: String::new(),
        user: user.to_owned(),
        mode,
        kind: SessionKind::Ssh,
        because: Vec::new(),
        recording: PathBuf::new(),
    };
    if let Some(socket) = LogSocket::connect() {
        socket.send(jiff::Timestamp::now().as_second(), &identity, happening);
    }
}
