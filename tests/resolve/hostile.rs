//! Input that is made to exhaust, to hang or to confuse: a clear error, within a memory limit and
//! a deadline.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::{all, stderr, stdout};

/// Runs `resolve --roles PATH` with 1 GB of address space and 60 seconds at most.
fn bounded(path: &Path) -> Output {
    let mut command = Command::new("sh");
    super::clean(&mut command);
    let mut child = command
        .args(["-c", "ulimit -v 1000000 && exec \"$0\" resolve --roles \"$1\" --kind ssh --format mode"])
        .arg(env!("CARGO_BIN_EXE_recmode"))
        .arg(path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sh runs");
    let start = Instant::now();
    while child.try_wait().expect("a status").is_none() {
        if start.elapsed() > Duration::from_mins(1) {
            child.kill().expect("killed");
            panic!("{} hangs", path.display());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().expect("its output")
}

/// The first line of the error, without the folder.
fn error_of(folder: &Path, name: &str) -> String {
    let output = bounded(&folder.join(name));
    assert_eq!(output.status.code(), Some(2), "{name}: {}", all(&output));
    assert!(output.stdout.is_empty(), "{name}");
    let text = stderr(&output);
    let first = text.lines().next().unwrap_or_default();
    first.replace(&format!("{}/", folder.display()), "")
}

fn folder_with(name: &str, text: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(name), text).expect("written");
    folder
}

fn error_of_text(text: &[u8]) -> String {
    error_of(folder_with("r.yaml", text).path(), "r.yaml")
}

const ROLE: &str = "kind: role\nmetadata: {name: r}\n";

#[test]
fn deep_nesting() {
    let said = "nested more than 128 levels deep";
    assert!(error_of_text("[".repeat(100_000).as_bytes()).ends_with(said));
    assert!(error_of_text(("{a: ".repeat(100_000) + &"}".repeat(100_000)).as_bytes()).ends_with(said));
    let block: String = (0..3000).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    assert_eq!(error_of_text(block.as_bytes()), format!("r.yaml:129:129: {said}"));
    assert!(error_of_text("- ".repeat(10_000).as_bytes()).ends_with(said));
}

#[test]
fn alias_bombs() {
    let bomb: String = (1..40).map(|n| format!("a{n}: &a{n} [*a{0}, *a{0}, *a{0}]\n", n - 1)).collect();
    let error = error_of_text(format!("{ROLE}a0: &a0 [x, x]\n{bomb}").as_bytes());
    assert!(
        error.ends_with("the aliases up to here stand for more than 10000000 keys and values"),
        "{error}"
    );
    let merges: String =
        (1..40).map(|n| format!("a{n}: &a{n} {{<<: [*a{0}, *a{0}, *a{0}]}}\n", n - 1)).collect();
    let error = error_of_text(format!("{ROLE}a0: &a0 {{x: 1}}\n{merges}spec: *a39\n").as_bytes());
    assert!(error.ends_with("stand for more than 10000000 keys and values"), "{error}");
    let error = error_of_text(b"kind: role\nmetadata: &m {name: r, more: *m}\n");
    assert_eq!(error, "r.yaml:2:30: this alias stands for a value that it is part of");
}

#[test]
fn huge_scalars_documents_and_files() {
    let long = format!("{ROLE}spec: {{x: \"{}\"}}\n", "y".repeat(2 << 20));
    assert_eq!(error_of_text(long.as_bytes()), "r.yaml:3:11: this value is longer than 1024 KiB");

    let folder = folder_with("r.yaml", ROLE.as_bytes());
    let mut file = File::options().append(true).open(folder.path().join("r.yaml")).expect("opened");
    write!(file, "spec: {{x: \"").expect("written");
    let megabyte = "y".repeat(1 << 20);
    (0..80).for_each(|_| file.write_all(megabyte.as_bytes()).expect("written"));
    assert_eq!(error_of(folder.path(), "r.yaml"), "r.yaml:1:1: this document is larger than 64 MiB");

    // A sparse file of 1 GiB is NUL bytes after the first.
    file.seek(SeekFrom::Start(0)).expect("sought");
    file.set_len(0).expect("cut");
    write!(file, "{ROLE}").expect("written");
    file.set_len(1 << 30).expect("stretched");
    assert_eq!(error_of(folder.path(), "r.yaml"), "r.yaml:3:1: holds a NUL byte, so this is no text file");

    let many = format!("{{\"kind\": \"role\", \"metadata\": [{}1]}}", "1,".repeat(1_100_000));
    assert!(error_of_text(many.as_bytes()).ends_with("more than 1000000 keys and values"));
}

#[test]
fn what_is_no_utf_8_text() {
    assert_eq!(
        error_of_text(b"kind: role\nme\0ta: 1\n"),
        "r.yaml:2:3: holds a NUL byte, so this is no text file"
    );
    let error = error_of_text(b"kind: role\nmetadata: {name: \xc3\xa9\xff}\n");
    assert_eq!(error, "r.yaml:2:19: this byte is not valid UTF-8");
    let utf16: Vec<u8> = ROLE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(error_of_text(&utf16), "r.yaml: is UTF-16 or UTF-32; a role file is UTF-8");
    assert_eq!(
        error_of_text(&[b"\xff\xfe", &utf16[..]].concat()),
        "r.yaml: is UTF-16 or UTF-32; a role file is UTF-8"
    );
}

#[test]
fn loops_of_links() {
    let folder = folder_with("r.yaml", ROLE.as_bytes());
    fs::create_dir(folder.path().join("sub")).expect("created");
    symlink("..", folder.path().join("sub/up")).expect("linked");
    let error = error_of(folder.path(), "");
    assert!(error.ends_with("sub/up: leads back to a folder that it is in"), "{error}");

    let folder = folder_with("r.yaml", ROLE.as_bytes());
    symlink("self.yaml", folder.path().join("self.yaml")).expect("linked");
    assert!(error_of(folder.path(), "self.yaml").contains("too many levels of symbolic links"));
    fs::remove_file(folder.path().join("self.yaml")).expect("removed");
    symlink("nowhere", folder.path().join("dangling.yaml")).expect("linked");
    let output = bounded(folder.path());
    assert!(stderr(&output).ends_with("dangling.yaml: cannot be read: no such file or directory\n"));
}

#[test]
fn pipes_devices_and_sockets_are_never_waited_for() {
    let folder = folder_with("r.yaml", ROLE.as_bytes());
    nix::unistd::mkfifo(&folder.path().join("p.yaml"), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    assert!(error_of(folder.path(), "p.yaml").starts_with("p.yaml: is a named pipe, not a role file"));
    assert!(stderr(&bounded(folder.path())).contains("p.yaml: is a named pipe"), "in a folder too");
    let _socket = UnixListener::bind(folder.path().join("s.yaml")).expect("a socket");
    assert!(error_of(folder.path(), "s.yaml").starts_with("s.yaml: is a socket"));
    for device in ["/dev/null", "/dev/zero", "/dev/tty"] {
        let error = error_of(Path::new("/"), &device[1..]);
        assert!(error.contains("is a device, not a role file"), "{error}");
    }
}

#[test]
fn unreadable_files_are_errors_and_not_left_out() {
    let folder = folder_with("r.yaml", ROLE.as_bytes());
    let program = folder.path().join("recmode");
    fs::copy(env!("CARGO_BIN_EXE_recmode"), &program).expect("copied");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("set");
    let secret = folder.path().join("secret.yaml");
    fs::write(&secret, ROLE).expect("written");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).expect("set");
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).expect("created");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).expect("set");
    let mut command = Command::new(&program);
    super::clean(&mut command);
    command.args(["resolve", "--roles"]).arg(folder.path()).current_dir("/");
    if nix::unistd::geteuid().is_root() {
        // Permissions don't bind root.
        command.uid(65534).gid(65534);
    }
    let output = command.output().expect("recmode runs");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).expect("set");
    assert_eq!(output.status.code(), Some(2));
    let lines = stderr(&output).replace(&format!("{}/", folder.path().display()), "");
    assert_eq!(
        lines,
        "closed: cannot be read: permission denied\nsecret.yaml: cannot be read: permission denied\n"
    );
}

#[test]
fn a_file_of_very_many_documents_is_read_document_by_document() {
    let document = |n: usize| {
        format!(
            "---\nkind: role\nversion: v7\nmetadata:\n  name: role-{n}\nspec:\n  options:\n    record_session:\n      ssh: best_effort\n"
        )
    };
    let text: String = (0..100_000).map(document).collect();
    let folder = folder_with("r.yaml", text.as_bytes());
    assert_eq!(stdout(&bounded(&folder.path().join("r.yaml"))), "best_effort\n");

    // The line is right, however the file was taken apart.
    let wrong = text.replacen(
        "role-98765\nspec:\n  options:\n    record_session:\n      ssh: best_effort",
        "role-98765\nspec:\n  options:\n    record_session:\n      ssh: bestest",
        1,
    );
    let folder = folder_with("r.yaml", wrong.as_bytes());
    let line = 98_765 * 9 + 9;
    assert_eq!(
        error_of(folder.path(), "r.yaml"),
        format!("r.yaml:{line}:12: ssh: \"bestest\" is no recording mode: expected strict or best_effort")
    );
}
