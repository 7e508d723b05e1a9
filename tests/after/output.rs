//! Where `-o` writes to: never where another user leads root.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, lchown, symlink};

use crate::support::recmode;
use crate::{arg, fixture, is_root, run};

#[test]
fn root_writes_through_no_link_and_no_pipe_of_another_user() {
    if !is_root() {
        return;
    }
    let [dir, outside] = [(), ()].map(|()| tempfile::tempdir().expect("a directory"));
    let target = outside.path().join("target");
    fs::write(&target, "untouched").expect("written");
    let links = [("session.txt", target.as_path(), "session.txt"), ("below", outside.path(), "below/target")];
    for (name, leads_to, out) in links {
        let link = dir.path().join(name);
        symlink(leads_to, &link).expect("a link");
        let export = || {
            run(&["export", arg(&fixture("raw-v3.cast")), "-o", arg(&dir.path().join(out)), "--to", "txt"])
        };
        lchown(&link, Some(1000), Some(1000)).expect("chown");
        let (_, err, status) = export();
        assert!(
            err.ends_with(&format!(
                "{name} is a symbolic link of user id 1000, which root does not follow to write\n"
            )),
            "{err}"
        );
        assert_eq!((status, fs::read_to_string(&target).expect("read").as_str()), (Some(2), "untouched"));
        // Root's own is followed, and stays.
        lchown(&link, Some(0), Some(0)).expect("chown");
        assert_eq!(export().2, Some(0));
        assert!(link.is_symlink() && fs::read_to_string(&target).expect("read") != "untouched");
        fs::write(&target, "untouched").expect("written");
    }
    let pipe = dir.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    chown(&pipe, Some(1000), None).expect("chown");
    let (_, err, status) = run(&["export", arg(&fixture("raw-v3.cast")), "--to", "txt", "-o", arg(&pipe)]);
    assert!(
        err.ends_with("pipe: a pipe of user id 1000, which root does not write to\n") && status == Some(2),
        "{err}"
    );
    // What another user made executable for all does not become root's program.
    let file = dir.path().join("file");
    fs::write(&file, "theirs").expect("written");
    fs::set_permissions(&file, Permissions::from_mode(0o4755)).expect("chmod");
    assert_eq!(run(&["export", arg(&fixture("raw-v3.cast")), "--to", "txt", "-o", arg(&file)]).2, Some(0));
    let mode = fs::metadata(&file).expect("a file").mode();
    assert_eq!(mode & 0o7777, 0o755);
}

#[test]
fn output_goes_to_open_descriptors_of_any_sort() {
    let dir = tempfile::tempdir().expect("a directory");
    let session = fixture("raw-v3.cast");
    let expected = run(&["export", arg(&session), "--to", "txt"]).0;
    for out in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        assert_eq!(run(&["export", arg(&session), "--to", "txt", "-o", out]).0, expected, "{out}");
    }
    let file = fs::File::create(dir.path().join("out")).expect("a file");
    let status = recmode()
        .args(["export", arg(&session), "--to", "txt", "-o", "/dev/stdout"])
        .stdout(file)
        .status()
        .expect("recmode runs");
    assert!(status.success());
    assert_eq!(fs::read_to_string(dir.path().join("out")).expect("read"), expected);
}
