//! Whose login it is: the entry in passwd of the real user id.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{Uid, User, geteuid, getuid};

use super::LoginError;

/// A user of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user id.
    pub uid: Uid,
    /// The name; the first one, where several share the id.
    pub name: String,
    /// The home directory.
    pub home: PathBuf,
    /// The shell; passwd(5) says that an empty one is /bin/sh.
    pub shell: PathBuf,
}

impl Account {
    /// The account that this process runs for.
    ///
    /// # Errors
    /// Where passwd has none, or another's rights are in use.
    pub fn own() -> Result<Self, LoginError> {
        let uid = getuid();
        if uid != geteuid() {
            return Err(LoginError::SetId);
        }
        let entry = User::from_uid(uid).ok().flatten();
        entry.map(Self::from).ok_or(LoginError::NoAccount(uid.as_raw()))
    }
}

impl From<User> for Account {
    fn from(user: User) -> Self {
        let shell = if user.shell.as_os_str().is_empty() { "/bin/sh".into() } else { user.shell };
        Self { uid: user.uid, name: user.name, home: user.dir, shell }
    }
}

/// Whether this path leads to recmode: to the program that runs, or to one of its name.
#[must_use]
pub fn is_this_program(path: &Path) -> bool {
    let identity =
        |path: &Path| std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
    let own = identity(Path::new("/proc/self/exe"));
    path.file_name().is_some_and(|name| name == "recmode") || (own.is_some() && identity(path) == own)
}
