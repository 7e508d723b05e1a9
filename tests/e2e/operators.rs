//! The operator's log where it is the machine's: journald, or syslog. Their sockets are the test's, in a mount
//! namespace of the session's own.

use std::os::unix::net::UnixDatagram;

use crate::harness::{Lab, SOON, Skip, Verdict, needs_root, needs_tools, recmode, tests};

tests![journald_is_told_in_its_own_format, without_journald_syslog_is_told, journald_is_told_of_each_removal,];

/// Runs a session that is recorded to a file of this name, and in which `mount` has put the socket $SOCKET where the
/// machine's is; its log's datagrams.
fn told(file: &str, mount: &str) -> Result<Vec<String>, Skip> {
    needs_root()?;
    needs_tools(&["unshare", "mount"])?;
    let lab = Lab::new();
    let path = lab.path("socket");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(SOON)).expect("a time-out");
    let script =
        format!("set -e; SOCKET={}; mount -t tmpfs tmpfs /run; {mount}; exec \"$@\"", path.display());
    let mut words = ["unshare", "-m", "sh", "-c", &script, "sh"].map(str::to_owned).to_vec();
    words.extend(
        lab.record_to(&lab.path(file), &["-q", "--mode", "strict", "--", "sh", "-c", "echo hi; exit 3"]),
    );
    let run = lab.run(&words, b"");
    assert_eq!((run.status, run.stdout()), (3, "hi\r\n".to_owned()), "{}", run.stderr());
    let mut datagrams = Vec::new();
    while datagrams.last().is_none_or(|last: &String| !last.contains("session ended")) {
        let mut buffer = [0; 8192];
        let len = socket.recv(&mut buffer).expect("an entry in time");
        datagrams.push(String::from_utf8_lossy(&buffer[..len]).into_owned());
    }
    Ok(datagrams)
}

fn journald_is_told_in_its_own_format() -> Verdict {
    let datagrams = told(
        "rec.cast",
        "mkdir -p /run/systemd/journal; : >/run/systemd/journal/socket; \
         mount --bind $SOCKET /run/systemd/journal/socket",
    )?;
    let [started, ended] = &datagrams[..] else { panic!("{datagrams:?}") };
    for (entry, message) in [(started, "session started"), (ended, "session ended; reason=exit status=3")] {
        let fields: Vec<(&str, &str)> = entry.lines().filter_map(|line| line.split_once('=')).collect();
        let field = |name| fields.iter().find(|(other, _)| *other == name).map(|(_, value)| *value);
        assert!(field("MESSAGE").is_some_and(|text| text.starts_with(message)), "{entry}");
        assert_eq!((field("PRIORITY"), field("SYSLOG_FACILITY")), (Some("6"), Some("10")), "{entry}");
        assert_eq!((field("SYSLOG_IDENTIFIER"), field("RECMODE_MODE")), (Some("recmode"), Some("strict")));
        assert!(entry.contains("rec.cast"), "{entry}");
    }
    Ok(())
}

fn without_journald_syslog_is_told() -> Verdict {
    let datagrams = told(
        "a\" status=0 \\.cast",
        "mkdir /run/dev /run/dev/pts; cp -a /dev/null /dev/ptmx /dev/tty /run/dev/; \
         mount --bind /dev/pts /run/dev/pts; : >/run/dev/log; mount --bind $SOCKET /run/dev/log; \
         mount --rbind /run/dev /dev",
    )?;
    let [started, ended] = &datagrams[..] else { panic!("{datagrams:?}") };
    for (entry, message) in [(started, "session started"), (ended, "session ended; reason=exit status=3")] {
        // authpriv.info, in the local format of syslog(3): no host.
        let (head, text) = entry.split_once("]: ").unwrap_or_default();
        assert!(head.starts_with("<86>") && head.contains(" recmode["), "{entry}");
        assert!(text.starts_with(message) && text.contains("mode=strict"), "{entry}");
        // The quotes end where the value does.
        assert!(text.ends_with("/a\\\" status=0 \\\\.cast\""), "{entry}");
    }
    Ok(())
}

fn journald_is_told_of_each_removal() -> Verdict {
    needs_root()?;
    needs_tools(&["unshare", "mount"])?;
    let lab = Lab::new();
    let path = lab.path("socket");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(SOON)).expect("a time-out");
    let dir = lab.path("recordings");
    std::fs::create_dir(&dir).expect("mkdir");
    // More than fit into the socket: prune waits for the log.
    let many = 2000;
    for n in 0..many {
        let header = "{\"version\":3,\"term\":{\"cols\":80,\"rows\":24}}\n";
        std::fs::write(dir.join(format!("{n:04}.cast")), header).expect("written");
    }
    let script = format!(
        "set -e; SOCKET={}; mount -t tmpfs tmpfs /run; mkdir -p /run/systemd/journal; \
         : >/run/systemd/journal/socket; mount --bind $SOCKET /run/systemd/journal/socket; exec \"$@\"",
        path.display()
    );
    let mut words = ["unshare", "-m", "sh", "-c", &script, "sh"].map(str::to_owned).to_vec();
    let dir = dir.to_str().expect("a plain path").to_owned();
    words.extend([recmode(), "prune", "--max-total", "0", "--yes", &dir].map(str::to_owned));
    let entries = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut entries = Vec::new();
            while entries.len() < many {
                let mut buffer = [0; 8192];
                let len = socket.recv(&mut buffer).expect("an entry in time");
                entries.push(String::from_utf8_lossy(&buffer[..len]).into_owned());
            }
            entries
        });
        let run = lab.run(&words, b"");
        assert_eq!((run.status, run.stderr().as_str()), (0, ""));
        reader.join().expect("read")
    });
    for (n, entry) in entries.iter().enumerate() {
        assert!(
            entry.starts_with("MESSAGE=recording removed; reason=total owner=\"root\" uid=0 bytes="),
            "{entry}"
        );
        assert!(entry.contains("\nPRIORITY=6\n") && entry.contains("\nRECMODE_EVENT=pruned\n"), "{entry}");
        assert!(entry.contains(&format!("/recordings/{n:04}.cast\"\n")), "{entry}");
    }
    Ok(())
}
