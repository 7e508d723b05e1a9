//! A recorded login: what a user gets who comes in through recmode, by passwd, the configuration
//! and the roles of this machine, and by nothing that the user brings.
//!
//! Identity is the real user id. No environment variable is believed; what a client asked sshd for
//! comes as a [`Request`], which can't change how it is recorded.

mod account;
mod admission;
mod config;
pub mod machine;
mod request;
mod transfer;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::ConfigError;
use crate::holders::SelectError;
use crate::roles::{self, LoadError, Loaded};
use crate::signature::{KeyError, SigningKey};
use crate::trust::{self, Distrust, Owners};

pub use account::{Account, is_this_program};
pub use admission::Admission;
pub use config::{CaptureStreams, Config, PATH, UnknownUser, parse};
pub use request::{BadCall, Request};
pub use transfer::{Programs, Tool, Transfer};

/// The most bytes of one role file.
const MAX_ROLE_FILE: u64 = roles::limits::MAX_FILE_BYTES;

/// Where sshd's file transfer is on the systems that have it.
const SFTP_SERVERS: &[&str] = &[
    "/usr/lib/openssh/sftp-server",
    "/usr/libexec/openssh/sftp-server",
    "/usr/lib/ssh/sftp-server",
    "/usr/libexec/sftp-server",
];

/// Where scp and rsync are, unless the configuration says otherwise.
const SCP: &str = "/usr/bin/scp";
const RSYNC: &str = "/usr/bin/rsync";

/// Why there is no login.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The real user id has no entry in passwd.
    #[error("user id {0} has no entry in passwd")]
    NoAccount(u32),
    /// recmode runs with another's rights.
    #[error("it is set-id, which it is not made for")]
    SetId,
    /// The configuration can't be relied on.
    #[error(transparent)]
    Untrusted(#[from] Distrust),
    /// The configuration is wrong.
    #[error("{}", .0.message)]
    Config(ConfigError),
    /// passwd gives recmode itself as the shell, and the configuration no other.
    #[error("{PATH}: needs a `shell` for {user}, whose shell in passwd is recmode")]
    NoShell {
        /// The user.
        user: String,
    },
    /// The configuration's shell is recmode itself.
    #[error("{PATH}: shell is recmode itself")]
    ShellIsRecmode,
    /// The recordings' directory can't have this user's name in it.
    #[error("the user name {0:?} can't be part of a path")]
    Name(String),
    /// The key that recordings are to be signed with can't be used.
    #[error("sign_key {}: {source}", crate::escape::path(.path))]
    SignKey {
        /// The key.
        path: PathBuf,
        /// Why.
        source: KeyError,
    },
    /// No program for file transfer.
    #[error("{PATH}: needs an `sftp_server`, as none is where systems have it")]
    NoSftpServer,
}

/// Why the roles could not be judged.
#[derive(Debug)]
pub enum Unjudged {
    /// A role file can't be relied on.
    Untrusted(Distrust),
    /// The roles are wrong.
    Wrong(LoadError),
    /// There is no role at all.
    NoRole,
    /// What this user holds is not all known.
    Held(Vec<SelectError>),
}

/// Reads the configuration.
///
/// # Errors
/// What is wrong with it, or why it can't be relied on.
pub fn read_config() -> Result<Config, LoginError> {
    let bytes = trust::read(Path::new(PATH), Owners::Root, config::MAX_BYTES)?;
    let name: Arc<str> = PATH.into();
    parse(&String::from_utf8_lossy(&bytes), &name).map_err(LoginError::Config)
}

/// Reads the roles that the configuration names.
///
/// # Errors
/// Why they can't be judged.
pub fn read_roles(config: &Config) -> Result<Loaded, Unjudged> {
    let mut texts = Vec::new();
    for path in &config.roles {
        let files = trust::read_all(path, Owners::Root, MAX_ROLE_FILE, |name| {
            roles::is_role_file_name(Path::new(name))
        })
        .map_err(Unjudged::Untrusted)?;
        texts.extend(files.into_iter().map(|(path, text)| (path.to_string_lossy().into_owned(), text)));
    }
    let roles = roles::load_texts(texts).map_err(Unjudged::Wrong)?;
    if roles.has_roles() { Ok(roles) } else { Err(Unjudged::NoRole) }
}

/// A user's way in, by the roles as far as they can be judged.
#[must_use]
pub fn admit(user: &str, config: &Config, roles: Result<&Loaded, Unjudged>) -> (Admission, Option<Unjudged>) {
    let (roles, unjudged) = match roles {
        Ok(roles) => (Some(roles), None),
        Err(unjudged) => (None, Some(unjudged)),
    };
    let (admission, errors) = Admission::of(user, config.kind, config.unknown_user, roles);
    (admission, unjudged.or((!errors.is_empty()).then_some(Unjudged::Held(errors))))
}

/// The shell that stands behind recmode for a user: that of passwd, or the configuration's where passwd has recmode.
///
/// # Errors
/// Where there is none.
pub fn shell(account: &Account, config: &Config) -> Result<PathBuf, LoginError> {
    if !is_this_program(&account.shell) {
        return Ok(account.shell.clone());
    }
    match &config.shell {
        Some(shell) if is_this_program(shell) => Err(LoginError::ShellIsRecmode),
        Some(shell) => Ok(shell.clone()),
        None => Err(LoginError::NoShell { user: account.name.clone() }),
    }
}

/// The program for sshd's file transfer.
///
/// # Errors
/// Where there is none.
pub fn sftp_server(config: &Config) -> Result<PathBuf, LoginError> {
    let found = || SFTP_SERVERS.iter().map(PathBuf::from).find(|path| path.is_file());
    config.sftp_server.clone().or_else(found).ok_or(LoginError::NoSftpServer)
}

/// The transfer of files that a request asks for, and nothing else.
#[must_use]
pub fn transfer(request: &Request, account: &Account, config: &Config) -> Option<Transfer> {
    let there = |configured: &Option<PathBuf>, otherwise: &str| {
        configured.clone().or_else(|| Some(otherwise.into())).filter(|path: &PathBuf| path.is_file())
    };
    let programs = Programs {
        sftp_server: sftp_server(config).ok(),
        scp: there(&config.scp, SCP),
        rsync: there(&config.rsync, RSYNC),
    };
    match request {
        Request::Command(line, more) if more.is_empty() => Transfer::of_line(line, &programs, &account.home),
        Request::Sftp(arguments) => {
            let words = [programs.sftp_server?.into_os_string()].into_iter().chain(arguments.iter().cloned());
            Some(Transfer { tool: Tool::Sftp, words: words.collect() })
        }
        Request::Command(..) | Request::Shell => None,
    }
}

/// The environment of a transfer, of `given`: what it needs, and nothing that a program acts on in other ways.
#[must_use]
pub fn transfer_environment(
    tool: Tool,
    account: &Account,
    given: impl Iterator<Item = (OsString, OsString)>,
) -> Vec<(OsString, OsString)> {
    let language = |name: &OsString| name == "LANG" || name.as_encoded_bytes().starts_with(b"LC_");
    let mut env: Vec<_> = given.filter(|(name, _)| language(name)).collect();
    env.push(("USER".into(), account.name.clone().into()));
    // rsync would read ~/.popt, in which an option can stand for a program.
    if tool != Tool::Rsync {
        env.push(("HOME".into(), account.home.clone().into()));
    }
    env
}

/// The key that recordings are signed with, if the configuration names one.
///
/// # Errors
/// Why it can't be used.
pub fn sign_key(config: &Config) -> Result<Option<SigningKey>, LoginError> {
    let read = |path: &PathBuf| {
        SigningKey::read(path).map_err(|source| LoginError::SignKey { path: path.clone(), source })
    };
    config.sign_key.as_ref().map(read).transpose()
}

/// The words to execute for a request, and the name that the program is called by.
///
/// # Errors
/// Where there is no program for file transfer.
pub fn command(
    request: &Request,
    shell: &Path,
    config: &Config,
) -> Result<(Vec<OsString>, Option<OsString>), LoginError> {
    let base = || shell.file_name().unwrap_or(shell.as_os_str()).to_owned();
    Ok(match request {
        Request::Shell => {
            let mut name = OsString::from("-");
            name.push(base());
            (vec![shell.into()], Some(name))
        }
        Request::Command(line, more) => {
            let words = [shell.into(), "-c".into(), line.clone()].into_iter().chain(more.iter().cloned());
            (words.collect(), Some(base()))
        }
        Request::Sftp(arguments) => {
            let server = sftp_server(config)?.into_os_string();
            (std::iter::once(server).chain(arguments.iter().cloned()).collect(), None)
        }
    })
}
