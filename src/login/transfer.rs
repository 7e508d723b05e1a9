//! Whether a command line is a transfer of files by scp, rsync or sftp and nothing else, so that it need not be recorded
//! byte by byte. Pure.
//!
//! It is executed without a shell, so that only what is read here is run. Whatever is not known for certain is no transfer:
//! it goes to the user's shell, and is recorded.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The programs that serve transfers, by absolute paths; `None` for those that the machine does not have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Programs {
    /// OpenSSH's `sftp-server`.
    pub sftp_server: Option<PathBuf>,
    /// OpenSSH's `scp`.
    pub scp: Option<PathBuf>,
    /// `rsync`.
    pub rsync: Option<PathBuf>,
}

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// `sftp-server`.
    Sftp,
    /// `scp -t`, `scp -f`.
    Scp,
    /// `rsync --server`.
    Rsync,
}

/// A transfer to execute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The program's kind.
    pub tool: Tool,
    /// The program, and its arguments.
    pub words: Vec<OsString>,
}

impl Transfer {
    /// The transfer that a client's command line asks for; `home` stands for `~` in it.
    #[must_use]
    pub fn of_line(line: &OsStr, programs: &Programs, home: &Path) -> Option<Self> {
        let mut words = words(line.as_bytes(), home.as_os_str().as_bytes())?;
        let (name, arguments) = words.split_first()?;
        let is = |program: &Option<PathBuf>, own: Option<&str>| {
            own.is_some_and(|own| name == own.as_bytes())
                || program.as_ref().is_some_and(|program| name == program.as_os_str().as_bytes())
        };
        let (tool, program) = if is(&programs.sftp_server, None) {
            (Tool::Sftp, &programs.sftp_server)
        } else if is(&programs.scp, Some("scp")) && is_scp(arguments) {
            (Tool::Scp, &programs.scp)
        } else if is(&programs.rsync, Some("rsync")) && is_rsync(arguments) {
            (Tool::Rsync, &programs.rsync)
        } else {
            return None;
        };
        words[0] = program.as_ref()?.as_os_str().as_bytes().to_vec();
        Some(Self { tool, words: words.into_iter().map(OsString::from_vec).collect() })
    }
}

/// The words of a command line, as every shell reads it; `None` where there is anything in it that a shell acts on.
fn words(line: &[u8], home: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut bytes = line.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b' ' | b'\t' => words.extend(word.take()),
            b'~' if word.is_none() => {
                // Another user's would have to be looked up.
                if !bytes.peek().is_none_or(|next| b" \t/".contains(next)) {
                    return None;
                }
                word = Some(home.to_vec());
            }
            b'\\' => word.get_or_insert_default().push(bytes.next().filter(|&next| next != b'\n')?),
            b'\'' | b'"' => {
                let word = word.get_or_insert_default();
                loop {
                    match bytes.next()? {
                        end if end == byte => break,
                        b'$' | b'`' | b'\\' | b'!' if byte == b'"' => return None,
                        other => word.push(other),
                    }
                }
            }
            b'#' if word.is_none() => return None,
            b'\n' | b'\r' | 0 | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' | b'$' | b'`' | b'*'
            | b'?' | b'[' | b']' | b'{' | b'}' | b'!' | b'^' => return None,
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Some(words)
}

/// Whether these are the arguments of scp's far end, as OpenSSH's scp gives them.
fn is_scp(arguments: &[Vec<u8>]) -> bool {
    let options = arguments.iter().take_while(|word| *word != b"--").filter(|word| word.starts_with(b"-"));
    let letters: Vec<u8> = options.flat_map(|word| &word[1..]).copied().collect();
    let known = letters.iter().all(|letter| b"tfrpdvq".contains(letter));
    known && letters.contains(&b't') != letters.contains(&b'f')
}

/// Letters of options that rsync gives its far end, none of which takes a value. `s` is not among them: with it more
/// options come by the stream, where nobody sees them.
const RSYNC_LETTERS: &[u8] = b"vqbunldKmOJyLkWHogDtUNpEAXrcCIRxSz";

/// Options by name that rsync gives its far end. None of them makes it execute anything.
const RSYNC_NAMES: &[&str] = &[
    "append",
    "backup-dir",
    "bwlimit",
    "checksum-choice",
    "checksum-seed",
    "compare-dest",
    "compress-choice",
    "compress-level",
    "copy-dest",
    "copy-devices",
    "copy-unsafe-links",
    "debug",
    "delay-updates",
    "delete",
    "delete-after",
    "delete-before",
    "delete-delay",
    "delete-during",
    "delete-excluded",
    "delete-missing-args",
    "existing",
    "files-from",
    "force",
    "from0",
    "fsync",
    "groupmap",
    "iconv",
    "ignore-errors",
    "ignore-existing",
    "ignore-missing-args",
    "info",
    "inplace",
    "link-dest",
    "list-only",
    "log-format",
    "max-alloc",
    "max-delete",
    "max-size",
    "min-size",
    "mkpath",
    "modify-window",
    "msgs2stderr",
    "new-compress",
    "no-W",
    "no-implied-dirs",
    "no-msgs2stderr",
    "no-r",
    "no-relative",
    "no-specials",
    "numeric-ids",
    "old-compress",
    "only-write-batch",
    "open-noatime",
    "partial",
    "partial-dir",
    "preallocate",
    "remove-sent-files",
    "remove-source-files",
    "safe-links",
    "sender",
    "size-only",
    "skip-compress",
    "specials",
    "stats",
    "suffix",
    "super",
    "temp-dir",
    "timeout",
    "use-qsort",
    "usermap",
    "write-devices",
];

/// Whether these are the arguments of rsync's far end, as rsync 3 gives them.
fn is_rsync(arguments: &[Vec<u8>]) -> bool {
    let Some((first, rest)) = arguments.split_first() else { return false };
    // A value that begins with `-` is refused, too: which option takes one is rsync's to know.
    first == b"--server"
        && rest.iter().filter(|word| word.starts_with(b"-")).all(|word| is_rsync_option(word))
}

fn is_rsync_option(word: &[u8]) -> bool {
    if let Some(long) = word.strip_prefix(b"--") {
        let name = long.split(|&byte| byte == b'=').next().unwrap_or_default();
        return RSYNC_NAMES.iter().any(|known| known.as_bytes() == name);
    }
    let letters = &word[1..];
    if let [b'B' | b'@', number @ ..] = letters {
        let number = number.strip_prefix(b"-").unwrap_or(number);
        return !number.is_empty() && number.iter().all(u8::is_ascii_digit);
    }
    // After `e` comes what this rsync can do, and not a program: that is what it means to the far end.
    let own = letters.split(|&letter| letter == b'e').next().unwrap_or_default();
    let abilities = letters.get(own.len() + 1..).is_none_or(|able| matches!(able, [b'.' | b'0'..=b'9', ..]));
    !letters.is_empty() && abilities && own.iter().all(|letter| RSYNC_LETTERS.contains(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transfer(line: &str) -> Option<(Tool, String)> {
        let path = |path: &str| Some(PathBuf::from(path));
        let programs = Programs {
            sftp_server: path("/usr/lib/openssh/sftp-server"),
            scp: path("/usr/bin/scp"),
            rsync: path("/opt/rsync"),
        };
        let Transfer { tool, words } = Transfer::of_line(OsStr::new(line), &programs, Path::new("/home/u"))?;
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        Some((tool, words.join("|")))
    }

    #[test]
    fn what_clients_send_is_a_transfer_by_the_configured_program() {
        for (line, tool, words) in [
            ("/usr/lib/openssh/sftp-server", Tool::Sftp, "/usr/lib/openssh/sftp-server"),
            ("/usr/lib/openssh/sftp-server -l INFO", Tool::Sftp, "/usr/lib/openssh/sftp-server|-l|INFO"),
            ("scp -t x", Tool::Scp, "/usr/bin/scp|-t|x"),
            ("scp -v -r -p -d -t -- -x", Tool::Scp, "/usr/bin/scp|-v|-r|-p|-d|-t|--|-x"),
            ("/usr/bin/scp -f 'a b' c\\ d", Tool::Scp, "/usr/bin/scp|-f|a b|c d"),
            ("scp -t ~/x", Tool::Scp, "/usr/bin/scp|-t|/home/u/x"),
            ("scp -t ~", Tool::Scp, "/usr/bin/scp|-t|/home/u"),
            ("scp -t a~", Tool::Scp, "/usr/bin/scp|-t|a~"),
            ("scp -t \\~/x", Tool::Scp, "/usr/bin/scp|-t|~/x"),
            (
                "rsync --server -logDtpre.iLsfxCIvu . d",
                Tool::Rsync,
                "/opt/rsync|--server|-logDtpre.iLsfxCIvu|.|d",
            ),
            (
                "rsync --server --sender -vre31.14iLsf . d",
                Tool::Rsync,
                "/opt/rsync|--server|--sender|-vre31.14iLsf|.|d",
            ),
            (
                "rsync --server -re.i -B700 --delete --partial-dir p . d",
                Tool::Rsync,
                "/opt/rsync|--server|-re.i|-B700|--delete|--partial-dir|p|.|d",
            ),
        ] {
            assert_eq!(transfer(line), Some((tool, words.to_owned())), "{line}");
        }
    }

    #[test]
    fn anything_more_than_a_transfer_is_none() {
        for line in [
            "",
            "scp",
            "scp -t x; bash",
            "scp -t x\nbash",
            "scp -t $(bash)",
            "scp -t \"$(bash)\"",
            "scp -t `bash`",
            "scp -t x && bash",
            "scp -t x | bash",
            "scp -t x & bash",
            "scp -t x > /tmp/y",
            "scp -t *",
            "scp -t ~root/x",
            "scp -t {a,b}",
            "scp -t 'x",
            "scp -t x\\",
            "scp -t -S /tmp/evil x",
            "scp -t -oProxyCommand=evil x",
            "scp -S/tmp/evil -t x",
            "scp -t -f x",
            "scp a b",
            "scp -r a b:c",
            "/tmp/scp -t x",
            "./scp -t x",
            "PATH=/tmp scp -t x",
            "exec scp -t x",
            "sudo rsync --server . d",
            "rsync --server --daemon .",
            "rsync --server --daemon --config=/tmp/evil .",
            "rsync --server -s . d",
            "rsync --server -slogDtpre.iLsfxCIvu . d",
            "rsync --server --secluded-args .",
            "rsync --server --protect-args .",
            "rsync --server --config=/tmp/evil .",
            "rsync --server --rsh=/tmp/evil .",
            "rsync --server -e /tmp/evil . d",
            "rsync --server -re/tmp/evil . d",
            "rsync --server -M--x . d",
            "rsync --server -- . d",
            "rsync --server - . d",
            "rsync -r --server . d",
            "rsync -re. a b",
            "git-upload-pack 'x'",
            "internal-sftp",
            "sftp-server",
            "/usr/lib/openssh/sftp-server; bash",
        ] {
            assert_eq!(transfer(line), None, "{line}");
        }
    }
}
