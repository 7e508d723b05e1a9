//! What on this machine lets a user past recmode as the login shell, as far as files tell: what a check warns of. It
//! changes nothing, and what can't be read is passed over.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use globset::Glob;

use super::is_this_program;
use crate::escape;

/// How deep sshd follows `Include`.
const MAX_DEPTH: usize = 16;

/// Something that lets users past recmode, or close to it. Messages are safe to print.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// recmode is a shell that users may choose, and so may leave.
    #[error(
        "/etc/shells:{line}: lists recmode, so that chsh lets a user leave it for another shell: remove the line; logins \
         work without it"
    )]
    Shells {
        /// The line, from 1.
        line: usize,
    },
    /// PAM takes variables from a file of the user's.
    #[error(
        "{}:{line}: user_readenv=1 takes variables from ~/.pam_environment, LD_PRELOAD among them, which the dynamic \
         linker loads into recmode: remove it",
        escape::path(.file)
    )]
    UserReadEnv {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// sshd takes variables from files of the user's.
    #[error(
        "{}:{line}: PermitUserEnvironment takes variables from ~/.ssh/environment and authorized_keys, LD_PRELOAD among \
         them, which the dynamic linker loads into recmode: set it to no",
        escape::path(.file)
    )]
    UserEnvironment {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The program can be read, so that its processes can be traced until they forbid it.
    #[error(
        "{}: mode {mode:04o} lets another process of the user's take hold of the recorder as it starts: chmod 0711",
        escape::path(.file)
    )]
    Readable {
        /// The program.
        file: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

/// Looks at the machine whose files are below `root`, and at the program that is this one.
#[must_use]
pub fn warnings(root: &Path, program: Option<&Path>) -> Vec<Warning> {
    let mut found = Vec::new();
    let etc = root.join("etc");
    for (line, text) in lines(&etc.join("shells")) {
        let text = text.trim();
        if text.starts_with('/') && is_this_program(Path::new(text)) {
            found.push(Warning::Shells { line });
        }
    }
    for file in directory(&etc.join("pam.d")) {
        let user_readenv = |text: &str| {
            let mut words = text.split('#').next().unwrap_or_default().split_whitespace();
            words.any(|word| Path::new(word).ends_with("pam_env.so"))
                && words.any(|word| word == "user_readenv=1")
        };
        let bad = lines(&file).into_iter().filter(|(_, text)| user_readenv(text));
        found.extend(bad.map(|(line, _)| Warning::UserReadEnv { file: named(root, &file), line }));
    }
    let config = etc.join("ssh/sshd_config");
    if let Some((file, line, value)) = keyword(&config, "permituserenvironment", 0)
        && value != "no"
    {
        found.push(Warning::UserEnvironment { file: named(root, &file), line });
    }
    if let Some(program) = program
        && let Ok(metadata) = fs::metadata(program)
        && metadata.permissions().mode() & 0o044 != 0
    {
        let mode = metadata.permissions().mode() & 0o7777;
        found.push(Warning::Readable { file: program.to_owned(), mode });
    }
    found
}

/// The path that a file below `root` has on its machine.
fn named(root: &Path, file: &Path) -> PathBuf {
    file.strip_prefix(root).map_or_else(|_| file.to_owned(), |below| Path::new("/").join(below))
}

/// The lines of a text file that can be read, with their numbers; those that a backslash continues are one.
fn lines(file: &Path) -> Vec<(usize, String)> {
    let text = fs::read(file).unwrap_or_default();
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut continued = false;
    for (n, line) in String::from_utf8_lossy(&text).lines().enumerate() {
        match lines.last_mut().filter(|_| continued) {
            Some((_, last)) => last.push_str(line),
            None => lines.push((n + 1, line.to_owned())),
        }
        continued = false;
        if let Some((_, last)) = lines.last_mut()
            && last.ends_with('\\')
        {
            last.pop();
            last.push(' ');
            continued = true;
        }
    }
    lines
}

/// The files of a directory, sorted.
fn directory(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

/// The first value of a keyword of sshd's that is none of `Match`, as sshd_config(5) has it: the first one holds.
fn keyword(file: &Path, wanted: &str, depth: usize) -> Option<(PathBuf, usize, String)> {
    for (n, line) in lines(file) {
        let mut words = line.trim().splitn(2, |c: char| c.is_whitespace() || c == '=');
        let name = words.next().unwrap_or_default().to_ascii_lowercase();
        let value = words.next().unwrap_or_default().trim_matches(|c: char| c.is_whitespace() || c == '=');
        if name == wanted {
            return Some((file.to_owned(), n, value.trim_matches('"').to_owned()));
        }
        if name == "include" && depth < MAX_DEPTH {
            let files =
                value.split_whitespace().flat_map(|pattern| included(file, pattern.trim_matches('"')));
            let found = files.into_iter().find_map(|file| keyword(&file, wanted, depth + 1));
            if found.is_some() {
                return found;
            }
        }
    }
    None
}

/// The files that `Include` names in a file of sshd's; patterns are those of the last part of the path.
fn included(file: &Path, pattern: &str) -> Vec<PathBuf> {
    // Relative to /etc/ssh, where the first file is, and so is every one below another root.
    let ssh = file.ancestors().find(|path| path.ends_with("etc/ssh")).unwrap_or(Path::new("/etc/ssh"));
    let root = ssh.parent().and_then(Path::parent).unwrap_or(Path::new("/"));
    let path = match Path::new(pattern).strip_prefix("/") {
        Ok(absolute) => root.join(absolute),
        Err(_) => ssh.join(pattern),
    };
    let (Some(parent), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Vec::new();
    };
    let Ok(glob) = Glob::new(name) else { return Vec::new() };
    let glob = glob.compile_matcher();
    let matches = |path: &PathBuf| path.file_name().is_some_and(|name| glob.is_match(name));
    directory(parent).into_iter().filter(matches).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine with these files.
    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let root = tempfile::tempdir().expect("a directory");
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(path, text).expect("a file");
        }
        let told = warnings(root.path(), None).into_iter().map(|warning| warning.to_string());
        told.map(|text| text.split(": ").next().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn a_machine_of_debian_12_is_warned_of_and_one_that_was_seen_to_is_not() {
        let shells = "# /etc/shells: valid login shells\n/bin/sh\n";
        let sshd = "session    required     pam_env.so # comment\nsession    required     pam_env.so user_readenv=1 envfile=/etc/default/locale\n";
        let config = "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n";
        let machine = [("etc/shells", shells), ("etc/pam.d/sshd", sshd), ("etc/ssh/sshd_config", config)];
        assert_eq!(found(&machine), ["/etc/pam.d/sshd:2"]);
        let seen_to = sshd.replace("user_readenv=1", "#user_readenv=1");
        assert!(found(&[("etc/shells", shells), ("etc/pam.d/sshd", &seen_to)]).is_empty());
        assert!(found(&[]).is_empty());
        let with_recmode = format!("{shells}/usr/bin/recmode\n");
        assert_eq!(found(&[("etc/shells", &with_recmode)]), ["/etc/shells:3"]);
        let split = "auth required pam_env.so \\\n  user_readenv=1\n";
        assert_eq!(found(&[("etc/pam.d/login", split)]), ["/etc/pam.d/login:1"]);
    }

    #[test]
    fn of_sshds_keyword_the_first_value_holds_also_of_an_included_file() {
        let main = "etc/ssh/sshd_config";
        for value in
            ["PermitUserEnvironment yes", "permituserenvironment=LANG,LC_*", " PermitUserEnvironment \"yes\""]
        {
            assert_eq!(found(&[(main, value)]), ["/etc/ssh/sshd_config:1"], "{value}");
        }
        for value in ["PermitUserEnvironment no", "#PermitUserEnvironment yes", "PermitUserRC yes"] {
            assert!(found(&[(main, value)]).is_empty(), "{value}");
        }
        let text = "Include sshd_config.d/*.conf\nPermitUserEnvironment no\n";
        let (yes, no) = ("PermitUserEnvironment yes\n", "PermitUserEnvironment no\n");
        let [a, b] = ["etc/ssh/sshd_config.d/a.conf", "etc/ssh/sshd_config.d/b.conf"];
        assert_eq!(found(&[(main, text), (b, yes)]), ["/etc/ssh/sshd_config.d/b.conf:1"]);
        assert!(found(&[(main, text), (a, no), (b, yes)]).is_empty());
        assert!(found(&[(main, text), ("etc/ssh/sshd_config.d/b.off", yes)]).is_empty());
    }

    #[test]
    fn a_program_that_others_can_read_is_warned_of() {
        let root = tempfile::tempdir().expect("a directory");
        let program = root.path().join("recmode");
        fs::write(&program, "").expect("a file");
        for (mode, count) in [(0o755, 1), (0o711, 0), (0o715, 1), (0o751, 1)] {
            fs::set_permissions(&program, fs::Permissions::from_mode(mode)).expect("chmod");
            assert_eq!(warnings(root.path(), Some(&program)).len(), count, "{mode:o}");
        }
    }
}
