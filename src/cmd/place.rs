//! Where recordings go and are looked for, by the environment.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use nix::unistd::User;

use crate::recording::name;

/// The directory that was given, else RECMODE_DIR, else the user's.
pub(super) fn recordings(given: Option<&Path>, passwd: Option<&User>) -> anyhow::Result<PathBuf> {
    if let Some(dir) = given.map(Path::to_owned).or_else(|| variable("RECMODE_DIR").map(PathBuf::from)) {
        return Ok(dir);
    }
    let state = variable("XDG_STATE_HOME").map(PathBuf::from);
    let home = variable("HOME").map(PathBuf::from).or_else(|| passwd.map(|passwd| passwd.dir.clone()));
    name::default_directory(nix::unistd::geteuid().is_root(), state.as_deref(), home.as_deref())
        .context("no home directory to keep recordings in: name one")
}

/// Where to look for recordings: the path that was given, else where this user's go.
pub(super) fn to_look_in(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let passwd = User::from_uid(nix::unistd::getuid()).ok().flatten();
    recordings(given, passwd.as_ref())
}

/// An environment variable; an empty one counts as unset.
pub(super) fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}
