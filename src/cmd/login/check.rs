//! `recmode login --check`: what a user would get, before anybody depends on it.

use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use nix::errno::Errno;
use nix::fcntl::AtFlags;
use nix::unistd::{AccessFlags, User, access, faccessat, gethostname, getuid, initgroups, setgid, setuid};
use serde::Serialize;
use serde_json::Value;

use super::{cause, told};
use crate::cli::InfoFormat;
use crate::login::{self, Account, Admission, Config, LoginError, admit, is_this_program};
use crate::policy::{Dialect, Mode, SessionKind};
use crate::trust::{self, Owners};
use crate::{escape, exit, report, session};

/// What was found for a user: lines that say what the user would get, what stands in the way, and what on the machine
/// lets users past recmode.
#[derive(Default)]
struct Findings {
    lines: Vec<(&'static str, String)>,
    problems: Vec<String>,
    warnings: Vec<String>,
    mode: Option<Mode>,
    kind: Option<SessionKind>,
}

impl Findings {
    fn line(&mut self, name: &'static str, text: impl Into<String>) {
        self.lines.push((name, text.into()));
    }

    fn problem(&mut self, text: impl Into<String>) {
        self.problems.push(text.into());
    }
}

/// The tree `recmode.login-check/1`. It is stable: keys are added, never changed or taken away, without a new number.
#[derive(Serialize)]
struct Tree<'a> {
    schema: &'static str,
    host: String,
    /// The user who was asked for; where none was, null if there is no such user.
    user: Option<&'a str>,
    /// Null where the user gets no session, or none could be judged.
    mode: Option<Mode>,
    kind: Option<SessionKind>,
    /// What is printed for people, by name.
    found: serde_json::Map<String, Value>,
    problems: &'a [String],
    warnings: &'a [String],
}

/// Judges and prints. The code is 1 where something stands in the way of what is configured, and 2 where that can't be
/// judged: no such user, or a configuration that can't be read or is wrong.
///
/// # Errors
///
/// Where it can't be judged, unless the report is a tree, which says so; and where standard output can't be written.
pub(super) fn run(user: Option<&str>, format: InfoFormat) -> anyhow::Result<u8> {
    let mut found = Findings::default();
    // With the caller's rights, as the user may not read all of it.
    let program = std::env::current_exe().ok();
    let warnings = login::machine::warnings(Path::new("/"), program.as_deref());
    found.warnings.extend(warnings.iter().map(ToString::to_string));
    let judged = judge(user, &mut found);
    match (judged, format) {
        (judged, InfoFormat::Json) => {
            let code = match judged {
                Ok(()) if found.problems.is_empty() => exit::OK,
                Ok(()) => exit::NO,
                Err(error) => {
                    found.problem(match error.downcast::<LoginError>() {
                        Ok(LoginError::Config(error)) => {
                            report::config_error(&error, false).trim_end().to_owned()
                        }
                        Ok(error) => error.to_string(),
                        Err(error) => format!("{error:#}"),
                    });
                    exit::TROUBLE
                }
            };
            super::super::print(json(&found, user)?.as_bytes())?;
            Ok(code)
        }
        (Err(error), InfoFormat::Human) => match error.downcast::<LoginError>() {
            Ok(LoginError::Config(error)) => {
                super::super::say(&report::config_error(&error, false));
                Ok(exit::TROUBLE)
            }
            Ok(error) => Err(error.into()),
            Err(error) => Err(error),
        },
        (Ok(()), InfoFormat::Human) => {
            let mut out = String::new();
            for (name, text) in &found.lines {
                let _ = writeln!(out, "{name:12}{text}");
            }
            super::super::print(out.as_bytes())?;
            for problem in &found.problems {
                super::super::say(&format!("recmode: {problem}\n"));
            }
            for warning in &found.warnings {
                super::super::say(&format!("recmode: warning: {warning}\n"));
            }
            Ok(if found.problems.is_empty() { exit::OK } else { exit::NO })
        }
    }
}

fn judge(user: Option<&str>, found: &mut Findings) -> anyhow::Result<()> {
    if let Some(name) = user {
        become_user(name)?;
    }
    let account = Account::own()?;
    let config = login::read_config()?;
    found.line("user", format!("{} (user id {})", escape::controls(&account.name), account.uid));
    if judge_roles(&account, &config, found) {
        judge_programs(&account, &config, found);
        judge_recordings(&account, &config, found);
        judge_log(&account, &config, found);
        judge_ending(found);
    }
    Ok(())
}

fn json(found: &Findings, user: Option<&str>) -> anyhow::Result<String> {
    let host = gethostname().map_or_else(|_| String::new(), |host| host.to_string_lossy().into_owned());
    let mut by_name = serde_json::Map::new();
    let mut last = "";
    for (name, text) in &found.lines {
        // A line without a name goes on with the one before.
        last = if name.is_empty() { last } else { name };
        match by_name.get_mut(last) {
            Some(Value::String(before)) => before.extend(["; ", text]),
            _ => drop(by_name.insert(last.to_owned(), text.clone().into())),
        }
    }
    let own = User::from_uid(getuid()).ok().flatten().map(|user| user.name);
    let tree = Tree {
        schema: "recmode.login-check/1",
        host,
        user: user.or(own.as_deref()),
        mode: found.mode,
        kind: found.kind,
        found: by_name,
        problems: &found.problems,
        warnings: &found.warnings,
    };
    Ok(escape::json(&serde_json::to_string_pretty(&tree)?) + "\n")
}

/// Becomes the user for good: what can be read and written is then what that user can.
fn become_user(name: &str) -> anyhow::Result<()> {
    let shown = escape::controls(name);
    let user = User::from_name(name).ok().flatten().with_context(|| format!("no user {shown} in passwd"))?;
    if user.uid == getuid() {
        return Ok(());
    }
    if !getuid().is_root() {
        bail!("only root can check for another user");
    }
    let name = std::ffi::CString::new(name)?;
    initgroups(&name, user.gid).and_then(|()| setgid(user.gid)).and_then(|()| setuid(user.uid))?;
    Ok(())
}

/// Whether the user gets in, and how it is recorded.
fn judge_roles(account: &Account, config: &Config, found: &mut Findings) -> bool {
    let paths: Vec<_> = config.roles.iter().map(|path| escape::path(path)).collect();
    found.line("roles", paths.join(", "));
    found.kind = Some(config.kind);
    let (admission, unjudged) = match login::read_roles(config) {
        Ok(roles) => admit(&account.name, config, Ok(&roles)),
        Err(unjudged) => admit(&account.name, config, Err(unjudged)),
    };
    if let Some(unjudged) = &unjudged {
        super::super::say(&told(unjudged));
        found.problem(format!("roles: {}", cause(unjudged)));
    }
    match admission {
        Admission::Refused => {
            found.line("mode", "none: no session");
            if unjudged.is_none() {
                found.problem(format!(
                    "the roles don't know {}, and unknown_user is refuse",
                    escape::controls(&account.name)
                ));
            }
            return false;
        }
        Admission::Session { mode, roles: None } => {
            let why = if unjudged.is_some() { "the roles could not be judged" } else { "unknown_user" };
            found.mode = Some(mode);
            found.line("mode", format!("{mode} for {}: {why}", config.kind));
        }
        Admission::Session { roles: Some(set), .. } => {
            let answer = set.answer(config.kind, Dialect::Rfd68);
            let why = report::reasons(&answer).join("; ");
            let mode = answer.mode.unwrap_or(Mode::Strict);
            found.mode = Some(mode);
            found.line("mode", format!("{mode} for {}: {why}", config.kind));
        }
    }
    true
}

/// The shell, and the program for file transfer.
fn judge_programs(account: &Account, config: &Config, found: &mut Findings) {
    match login::shell(account, config) {
        Ok(shell) => {
            judge_program(&shell, "shell", found);
            found.line("shell", escape::path(&shell));
        }
        Err(error) => found.problem(escape::controls(&error.to_string())),
    }
    match login::sftp_server(config) {
        Ok(server) => {
            judge_program(&server, "sftp_server", found);
            found.line("sftp", escape::path(&server));
        }
        Err(_) => found.line("sftp", "none: a request for internal-sftp is refused"),
    }
    for (key, program) in [("scp", &config.scp), ("rsync", &config.rsync)] {
        if let Some(program) = program {
            judge_program(program, key, found);
            found.line(key, escape::path(program));
        }
    }
    match login::sign_key(config) {
        Ok(None) => {}
        Ok(Some(_)) => found.line("signed", "yes"),
        Err(error) => found.problem(escape::controls(&error.to_string())),
    }
    if is_this_program(&account.shell) {
        found.line("reached by", "every login: the shell in passwd is recmode");
    } else {
        found.line(
            "reached by",
            "sshd's ForceCommand only, through a shell that may read the user's files first, unrecorded",
        );
    }
}

fn judge_program(path: &Path, key: &str, found: &mut Findings) {
    if let Err(errno) = access(path, AccessFlags::X_OK) {
        found.problem(format!("{key}: {}: {}", escape::path(path), errno.desc()));
    }
}

/// Whether the user can put recordings where they belong, and nobody else can touch them on the way.
fn judge_recordings(account: &Account, config: &Config, found: &mut Findings) {
    let name = escape::controls(&account.name);
    let Some(directory) = config.recordings_of(&account.name) else {
        found.problem(escape::controls(&LoginError::Name(account.name.clone()).to_string()));
        return;
    };
    let shown = escape::path(&directory);
    found.line("recordings", shown.clone());
    let mut existing: PathBuf = directory.clone();
    let opened = loop {
        match trust::directory(&existing, Owners::RootOr(account.uid), false) {
            Err(distrust) if distrust.errno() == Some(Errno::ENOENT) && existing.pop() => {}
            opened => break opened,
        }
    };
    match opened {
        Err(distrust) => found.problem(format!("recordings: {}", escape::controls(&distrust.to_string()))),
        Ok(fd) => {
            let may = AccessFlags::W_OK | AccessFlags::X_OK;
            let writable = faccessat(&fd, ".", may, AtFlags::AT_EACCESS);
            match (writable, existing == directory) {
                (Ok(()), true) => {}
                (Ok(()), false) => found.line("", "to be made at the first login"),
                (Err(errno), true) => {
                    found.problem(format!("recordings: {shown}: {name} can't write there: {}", errno.desc()));
                }
                (Err(_), false) => found.problem(format!(
                    "recordings: {shown} is missing, and {name} can't make it: install -d -o {name} -m 0700 {shown}"
                )),
            }
        }
    }
}

/// Whether processes that leave a session can be found when strict ends it.
fn judge_ending(found: &mut Findings) {
    if !session::can_be_listed() {
        found.problem(
            "/proc does not show the processes: without a control group of its own, what leaves a session outlives its \
             strict end",
        );
    }
}

/// Whether the user can append to the operator's log, where that is a file of all users. It never keeps a session from
/// being, so only this tells that nothing comes.
fn judge_log(account: &Account, config: &Config, found: &mut Findings) {
    let Some(log) = &config.log else { return };
    let (name, shown) = (escape::controls(&account.name), escape::path(log));
    match std::fs::symlink_metadata(log) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => found.problem(format!(
            "log: {shown} is missing, and would belong to whoever comes first: leave it out of the configuration, so that \
             journald has the log, or install -m 0622 /dev/null {shown}"
        )),
        Err(error) => found.problem(format!("log: {shown}: {error}")),
        Ok(metadata) if metadata.is_symlink() => found.problem(format!("log: {shown}: is a symbolic link")),
        Ok(metadata) => {
            if metadata.mode() & 0o022 != 0 {
                let warning = "every user can truncate it and write what recmode did not: without `log` journald has it";
                found.warnings.push(format!("log: {shown}: {warning}"));
            }
            if let Err(errno) = access(log, AccessFlags::W_OK) {
                found.problem(format!("log: {shown}: {name} can't append to it: {}", errno.desc()));
            }
        }
    }
    found.line("log", shown);
}
