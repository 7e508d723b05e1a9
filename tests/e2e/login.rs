//! A recorded login: a real sshd, real users, real clients, on disks that are full or hang.

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::harness::{
    Cast, Lab, MESSAGE_B, MESSAGE_C, Node, Recordings, SOON, Verdict, count, find, message_a, needs_tools,
    recmode, show, tests, until,
};

tests![
    the_login_shell_is_the_users_own_recorded_and_believes_no_environment,
    a_command_without_a_terminal_has_its_streams_untouched_and_counted,
    files_are_copied_by_scp_sftp_and_rsync,
    the_streams_content_is_recorded_where_the_configuration_says_so,
    recordings_are_signed_with_the_configurations_key_and_not_made_without_it,
    a_slow_reader_gets_all_of_it,
    a_full_disk_keeps_strict_users_out_and_lets_the_others_free_it,
    a_disk_that_fills_ends_strict_transfers_and_no_others,
    a_hung_disk_holds_nobody,
    a_client_that_vanishes_closes_the_recording,
    a_command_without_a_terminal_does_not_outlive_recmode,
    a_forced_command_lets_the_shell_read_files_first_and_the_login_shell_does_not,
    what_others_could_change_is_not_relied_on,
    users_that_the_roles_do_not_know_get_what_the_configuration_says,
    check_says_what_a_user_would_get_and_what_stands_in_the_way,
];

/// Room enough.
const ROOMY: Recordings = Recordings::Small(8 * 1024);

/// The stall timeout of the machine's configuration.
const STALL: Duration = Duration::from_secs(3);

/// What a busy machine and two handshakes may add.
const SLACK: Duration = Duration::from_secs(4);

/// Adds a line to the configuration.
fn configure(node: &Node, line: &str) {
    node.sh(&format!("echo '{line}' >>/etc/recmode/config.yaml"));
}

fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let step = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(step).take(len).collect()
}

fn the_login_shell_is_the_users_own_recorded_and_believes_no_environment() -> Verdict {
    let lab = Lab::new()
        .env("RECMODE_MODE", "best_effort")
        .env("RECMODE_DIR", "/tmp/elsewhere")
        .env("RECMODE_ROLES", "/nowhere")
        .env("XDG_STATE_HOME", "/tmp/elsewhere")
        .env("SSH_ORIGINAL_COMMAND", "echo not this");
    let node = Node::start(&lab, ROOMY)?;
    configure(&node, "banner: This session is recorded.");
    let send = ["-o", "SendEnv=RECMODE_* XDG_* SSH_ORIGINAL_COMMAND", "-tt"];
    let mut outer = lab.outer(&node.ssh("stella", &send, &[]));
    outer.wait_for("This session is recorded.\r\n");
    outer.wait_for("$ ");
    outer.send("echo \"I am $0 with $SHELL\"; stty size; exit 7\r");
    outer.wait_for("I am -bash with /bin/bash\r\n24 80\r\n");
    let end = outer.end();
    assert_eq!(end.status, 7);
    assert!(end.restored);
    let cast = node.latest("stella");
    cast.assert_closed(7);
    assert_eq!(cast.ours("mode"), "strict");
    assert_eq!(cast.ours("user"), "stella");
    assert_eq!(cast.ours("because")[0]["role"], "prod");
    assert_eq!(cast.header["env"]["SHELL"], "/bin/bash");
    assert!(find(&cast.output(), "I am -bash with /bin/bash").is_some());
    assert!(find(&cast.output(), "This session is recorded").is_none(), "the banner is no output");
    assert_eq!(node.sh("stat -c '%a %U' /var/log/recmode/stella/*.cast"), "600 stella\n");
    assert_eq!(node.try_sh("ls /tmp/elsewhere").0, 2);

    // A command with a terminal.
    let end = node.log_in(&lab, "bess", &["tty && echo on a terminal; exit 4"]).end();
    assert_eq!(end.status, 4);
    assert!(find(&end.seen, "/dev/pts/").is_some() && find(&end.seen, "on a terminal\r\n").is_some());
    let cast = node.latest("bess");
    cast.assert_closed(4);
    assert_eq!(cast.ours("mode"), "best_effort");
    assert_eq!(cast.ours("because")[0]["role"], "rescue");
    Ok(())
}

fn a_command_without_a_terminal_has_its_streams_untouched_and_counted() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    configure(&node, "capture_streams: no");
    let noise = noise(3_000_000);
    for user in ["stella", "bess", "forced"] {
        let run = node.run(&lab, user, &["cat; echo problem >&2; exit 9"], &noise);
        assert_eq!(run.status, 9, "{user}");
        assert!(run.stdout == noise, "{user}: {}", show(&run.stdout));
        assert_eq!(run.stderr(), "problem\n", "{user}");
        let cast = node.latest(user);
        cast.assert_closed(9);
        assert_eq!(cast.ours("streams"), "counts");
        assert_eq!(cast.header["command"], "/bin/bash -c cat; echo problem >&2; exit 9");
        let streams = cast.records("streams");
        assert_eq!(streams.len(), 1);
        assert_eq!(streams[0]["stdin"], 3_000_000);
        assert_eq!(streams[0]["stdout"], 3_000_000);
        assert_eq!(streams[0]["stderr"], 8);
        assert!(cast.output().is_empty(), "not asked for");
    }
    // Who stops reading, and who never does.
    let run = node.run(&lab, "stella", &["head -c 5 | tr a-z A-Z"], &vec![b'a'; 4_000_000]);
    assert_eq!((run.status, run.stdout()), (0, "AAAAA".to_owned()));
    let pipe = format!("{} | head -n 1", shell_words(&node.ssh("stella", &["-T"], &["yes"])));
    let run = lab.run(&["sh", "-c", &pipe], b"");
    assert_eq!(run.stdout(), "y\n");
    until(SOON, "the end of what nobody reads", || node.latest("stella").is_closed());
    // The command's end is not its children's: their output belongs to it.
    let run = node.run(&lab, "bess", &["(sleep 0.5; echo late) & echo early"], b"");
    assert_eq!(run.stdout(), "early\nlate\n");
    // A shell without a terminal reads its commands from the stream.
    let run = node.run(&lab, "stella", &[], b"echo $0; exit 3\n");
    assert_eq!((run.status, run.stdout()), (3, "-bash\n".to_owned()));
    let run = node.run(&lab, "stella", &["kill -KILL $$"], b"");
    assert_eq!(run.status, 137);
    Ok(())
}

/// Words for a shell.
fn shell_words(words: &[String]) -> String {
    words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ")
}

fn files_are_copied_by_scp_sftp_and_rsync() -> Verdict {
    needs_tools(&["scp", "sftp", "rsync"])?;
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    let noise = noise(2_000_000);
    let file = lab.write("noise", &noise);
    let port = node.port();
    for user in ["stella", "bess", "forced"] {
        let client = |program: &str, more: &[&str]| {
            let mut words = vec![program.to_owned(), "-q".to_owned(), "-P".to_owned(), port.clone()];
            words.extend(node.client_options());
            words.extend(more.iter().map(|&word| word.to_owned()));
            let run = lab.run(&words, b"put noise by-sftp\n");
            assert_eq!(run.status, 0, "{user}: {words:?}: {}", run.stderr());
        };
        let target = |name: &str| format!("{user}@127.0.0.1:{name}");
        client("scp", &["noise", &target("by-scp")]);
        client("scp", &["-O", "noise", &target("by-old-scp")]);
        client("scp", &[&target("by-scp"), "back"]);
        client("sftp", &["-b", "-", &format!("{user}@127.0.0.1")]);
        let shell = shell_words(&node.ssh("nobody", &[], &[])[..]);
        let shell = shell.replace(" 'nobody@127.0.0.1'", "").replace('\'', "");
        let run = lab.run(&["rsync", "-a", "-e", &shell, "noise", &target("by-rsync")], b"");
        assert_eq!(run.status, 0, "{user}: rsync: {}", run.stderr());
        for name in ["by-scp", "by-old-scp", "by-sftp", "by-rsync"] {
            let copied = fs::read(node.here(&format!("/home/{user}/{name}"))).expect("the copy");
            assert!(copied == noise, "{user}: {name}: {}", show(&copied));
        }
        assert!(fs::read(lab.path("back")).expect("the copy") == noise, "{user}: back");
        let casts: Vec<_> = node.files(user).iter().map(|file| Cast::read(file)).collect();
        assert_eq!(casts.len(), 5, "{user}: each transfer is recorded");
        let through = |cast: &Cast| {
            let streams = cast.records("streams")[0];
            streams["stdin"].as_u64().expect("a count") + streams["stdout"].as_u64().expect("a count")
        };
        assert!(casts.iter().all(|cast| cast.is_closed() && through(cast) > 2_000_000 / 100), "{user}");
    }
    // sshd's own server is replaced where the command is forced.
    let before = node.files("forced").len();
    let mut words = vec!["sftp".to_owned(), "-s".to_owned(), "inner".to_owned()];
    words.extend(["-q".to_owned(), "-P".to_owned(), node.port(), "-b".to_owned(), "-".to_owned()]);
    words.extend(node.client_options());
    words.push("forced@127.0.0.1".to_owned());
    let run = lab.run(&words, b"put noise by-inner\n");
    assert_eq!(run.status, 0, "{}", run.stderr());
    assert_eq!(node.files("forced").len(), before + 1);
    assert_eq!(node.latest("forced").header["command"], "/usr/lib/openssh/sftp-server");
    drop(file);
    Ok(())
}

fn the_streams_content_is_recorded_where_the_configuration_says_so() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    configure(&node, "capture_streams: yes");
    let noise = noise(300_000);
    for user in ["stella", "bess"] {
        let run = node.run(&lab, user, &["cat; printf 'problem\\377\\n' >&2"], &noise);
        assert_eq!(run.status, 0);
        assert!(run.stdout == noise, "{user}: {}", show(&run.stdout));
        assert_eq!(run.stderr, b"problem\xff\n");
        let cast = node.latest(user);
        cast.assert_closed(0);
        assert_eq!(cast.ours("streams"), "content");
        assert!(cast.output() == noise, "{user}: recorded {}", show(&cast.output()));
        assert_eq!(cast.events("e").concat(), "problem\u{fffd}\n");
        assert!(cast.events("i").len() > 10);
        assert_eq!(cast.records("end")[0]["bytes"], 300_009);
        // What comes after the session reads it.
        let file = node.files(user).pop().expect("a recording");
        let file = file.to_str().expect("a plain path");
        let info = lab.run(&[recmode(), "info", file], b"");
        assert!(
            info.stdout().contains("Streams     300000 bytes to the command, 300000 from it, 9 of errors\n")
                && info.stdout().contains("Integrity   intact\n"),
            "{}{}",
            info.stdout(),
            info.stderr()
        );
        assert!(lab.run(&[recmode(), "cat", "--raw", file], b"").stdout == noise, "{user}");
    }
    Ok(())
}

fn recordings_are_signed_with_the_configurations_key_and_not_made_without_it() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    configure(&node, "sign_key: /etc/recmode/key");
    let key =
        "rm -f /etc/recmode/key*; ssh-keygen -q -t ed25519 -f /etc/recmode/key; chown bess /etc/recmode/key";
    node.sh(&key.replace("-q", "-q -N \"\""));
    node.sh("echo \"bess $(cat /etc/recmode/key.pub)\" >/etc/recmode/signers");
    let run = node.run(&lab, "bess", &["echo hello"], b"");
    assert_eq!((run.status, run.stdout()), (0, "hello\n".to_owned()), "{}", run.stderr());
    let files =
        || node.files("bess").into_iter().filter(|file| file.extension().is_some_and(|end| end == "cast"));
    let file = files().next_back().expect("a recording");
    let signature = file.with_extension("cast.sig");
    until(SOON, "the signature", || signature.exists());
    let signers = node.here("/etc/recmode/signers");
    let words = ["verify", "--allowed-signers", signers.to_str().unwrap(), file.to_str().unwrap()];
    let verified = lab.run(&[&[recmode()], &words[..]].concat(), b"");
    assert_eq!(verified.status, 0, "{}", verified.stdout());
    assert!(verified.stdout().ends_with(": intact; signed by bess\n"), "{}", verified.stdout());
    // A key that can't be read, and one that needs a passphrase, let nobody in.
    let refused = |user: &str, why: &str| {
        let run = node.run(&lab, user, &["echo hello"], b"");
        assert!(run.status != 0 && run.stdout().is_empty(), "{user}: {}", run.stdout());
        let check = node.try_sh(&format!("recmode login --check --user {user}"));
        assert!(check.0 != 0 && check.1.contains(why), "{user}: {}", check.1);
    };
    refused("stella", "sign_key");
    node.sh(&key.replace("-q", "-q -N secret"));
    refused("bess", "passphrase");
    assert_eq!(files().count(), 1);
    Ok(())
}

/// Fills the disk of the recordings with a file of bess's.
fn fill(node: &Node) {
    node.sh(
        "cat /dev/zero >/var/log/recmode/bess/filler 2>/dev/null; chown bess: /var/log/recmode/bess/filler",
    );
}

fn a_slow_reader_gets_all_of_it() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    configure(&node, "capture_streams: no");
    for capture in ["counts", "content"] {
        for user in ["stella", "bess"] {
            let client = shell_words(&node.ssh(user, &["-T"], &["seq 400000"]));
            let run = lab.run(&["sh", "-c", &format!("{client} | (sleep 1; cat)")], b"");
            let expected = lab.run(&["seq", "400000"], b"").stdout;
            assert!(run.stdout == expected, "{user}, {capture}: {}", show(&run.stdout));
        }
        if capture == "counts" {
            node.sh("sed -i 's/^capture_streams: no/capture_streams: yes/' /etc/recmode/config.yaml");
            node.sh("rm /var/log/recmode/*/*");
        }
    }
    Ok(())
}

fn a_full_disk_keeps_strict_users_out_and_lets_the_others_free_it() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, Recordings::Small(400))?;
    fill(&node);

    let mut refused = node.log_in(&lab, "stella", &[]);
    let end = refused.end();
    assert_eq!((end.status, String::from_utf8_lossy(&end.seen).into_owned()), (125, message_a("ssh")));
    let run = node.run(&lab, "stella", &["echo ran"], b"");
    assert_eq!((run.status, run.stdout()), (125, String::new()));
    assert_eq!(run.stderr(), message_a("ssh").replace('\r', ""));

    let mut rescuer = node.log_in(&lab, "bess", &[]);
    rescuer.wait_for(MESSAGE_C);
    rescuer.wait_for("$ ");
    rescuer.send("df /var/log/recmode | tail -n 1\r");
    rescuer.wait_for("100% /var/log/recmode");
    let run = node.run(&lab, "bess", &["echo in"], b"");
    assert_eq!((run.status, run.stdout()), (0, "in\n".to_owned()));
    assert!(run.stderr().starts_with(&MESSAGE_C.replace('\r', "")), "{}", run.stderr());
    rescuer.send("rm /var/log/recmode/bess/filler; echo freed\r");
    rescuer.wait_for("freed\r\n");

    // The recording resumes by itself, and the strict user gets in.
    until(SOON, "the recording", || !node.files("bess").is_empty());
    let run = node.run(&lab, "stella", &["echo ran"], b"");
    assert_eq!((run.status, run.stdout()), (0, "ran\n".to_owned()));
    rescuer.send("echo after; exit\r");
    rescuer.wait_for("after\r\n");
    assert_eq!(rescuer.end().status, 0);
    let cast = node
        .files("bess")
        .iter()
        .map(|file| Cast::read(file))
        .find(|cast| find(&cast.output(), "freed").is_some())
        .expect("the rescuer's recording");
    cast.assert_closed(0);
    assert_eq!(cast.records("gap").len(), 1);
    assert_eq!((cast.records("gap")[0]["error"].as_str(), cast.lost()), (Some("ENOSPC"), 0));
    assert!(find(&cast.output(), "100% /var/log/recmode").is_some(), "what was held is in it");
    Ok(())
}

fn a_disk_that_fills_ends_strict_transfers_and_no_others() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, Recordings::Small(400))?;
    configure(&node, "capture_streams: yes");
    let run = node.run(&lab, "stella", &["seq 1000000; echo never"], b"");
    assert_eq!(run.status, 124);
    assert_eq!(run.stderr(), MESSAGE_B.replace('\r', ""));
    assert!(find(&run.stdout, "never").is_none());
    let recorded = node.latest("stella").output();
    assert!(recorded.starts_with(&run.stdout), "shown {}, recorded {}", show(&run.stdout), show(&recorded));
    node.sh("rm /var/log/recmode/stella/*");
    let run = node.run(&lab, "bess", &["seq 300000; echo all"], b"");
    assert_eq!(run.status, 0);
    assert!(run.stdout.ends_with(b"300000\nall\n"), "{}", show(&run.stdout));
    assert_eq!(count(&run.stderr, "node error"), 1, "{}", run.stderr());
    Ok(())
}

fn a_hung_disk_holds_nobody() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, Recordings::Freezable)?;
    let mut strict = node.log_in(&lab, "stella", &[]);
    let mut best_effort = node.log_in(&lab, "bess", &[]);
    for outer in [&mut strict, &mut best_effort] {
        outer.wait_for("$ ");
        outer.send("echo rea''dy\r");
        outer.wait_for("ready\r\n");
    }
    node.freeze();

    // Sessions that were there: strict's is ended, the other one goes on; both come back to their prompts.
    let begun = Instant::now();
    strict.send("seq 2000\r");
    best_effort.send("echo works on; exit 5\r");
    best_effort.wait_for("works on\r\n");
    let end = best_effort.end_within(SOON);
    assert_eq!(end.status, 5);
    assert!(end.restored);
    let end = strict.end_within(STALL + Duration::from_secs(4) + SLACK);
    assert_eq!(end.status, 124, "{}", show(&end.seen));
    assert!(end.restored && find(&end.seen, MESSAGE_B).is_some(), "{}", show(&end.seen));
    assert!(begun.elapsed() >= STALL, "ended before the timeout");

    // Logins that come: strict is refused at the timeout, the other one gets in.
    let mut refused = node.log_in(&lab, "stella", &[]);
    let run = node.run(&lab, "bess", &["echo in"], b"");
    assert_eq!((run.status, run.stdout()), (0, "in\n".to_owned()));
    let end = refused.end_within(STALL + SLACK);
    assert_eq!((end.status, String::from_utf8_lossy(&end.seen).into_owned()), (125, message_a("ssh")));
    node.thaw();
    Ok(())
}

fn a_client_that_vanishes_closes_the_recording() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    let mut outer = node.log_in(&lab, "stella", &[]);
    outer.wait_for("$ ");
    outer.send("echo rea''dy; sleep 1000\r");
    outer.wait_for("ready\r\n");
    outer.kill(Signal::SIGKILL);
    outer.wait_exit(SOON);
    until(SOON, "the end of the recording", || node.latest("stella").is_closed());
    let cast = node.latest("stella");
    cast.assert_closed(129);
    assert_eq!(cast.records("end")[0]["reason"], "hangup");
    until(SOON, "the end of the session", || node.try_sh("pgrep -u stella sleep").0 == 1);
    Ok(())
}

fn a_command_without_a_terminal_does_not_outlive_recmode() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    let kill = node.ssh("bess", &["-T"], &["kill -KILL $PPID; exec sleep 1000"]);
    let run = lab.run(&kill, b"");
    assert_ne!(run.status, 0);
    until(SOON, "the command's end", || node.try_sh("pgrep -u bess sleep").0 == 1);
    until(SOON, "the end of the recording", || node.latest("bess").is_closed());
    assert_eq!(node.latest("bess").records("end")[0]["reason"], "terminal_side_died");

    // Nor do those that it has started, where recmode can still tell them.
    let end = node.ssh("stella", &["-T"], &["sleep 1000 & kill -TERM $PPID; wait"]);
    let run = lab.run(&end, b"");
    assert_eq!(run.status, 143, "{}", run.stderr());
    assert_eq!(node.try_sh("pgrep -u stella sleep").0, 1, "the command's child lives on");
    node.latest("stella").assert_closed(143);
    Ok(())
}

fn a_forced_command_lets_the_shell_read_files_first_and_the_login_shell_does_not() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    let startup = "echo sneaked-$$ >>~/proof; echo startup-was-here";
    // bash reads it where it believes that sshd runs it.
    for user in ["forced", "stella"] {
        node.sh(&format!("sed -i '1i {startup}' /home/{user}/.bashrc"));
    }
    let run = node.run(&lab, "forced", &["echo asked"], b"");
    assert_eq!(run.status, 0);
    // Once by the shell that sshd started, and once by the one that is recorded.
    assert_eq!(count(&run.stdout, "startup-was-here\n"), 2, "bash no longer does that: {}", run.stdout());
    let recorded = node.latest("forced").records("streams")[0]["stdout"].as_u64().expect("a count");
    let unrecorded = run.stdout.len() as u64 - recorded;
    assert_eq!(
        unrecorded,
        "startup-was-here\n".len() as u64,
        "what ran before recmode is not in the recording"
    );

    // With the login shell nothing runs before recmode: what the shell reads, it reads recorded.
    let mut outer = node.log_in(&lab, "stella", &[]);
    outer.wait_for("startup-was-here\r\n");
    outer.wait_for("$ ");
    outer.send("exit\r");
    assert_eq!(outer.end().status, 0);
    assert!(find(&node.latest("stella").output(), "startup-was-here").is_some());

    // Both at once are one session.
    let run = node.run(&lab, "both", &["echo asked; exit 6"], b"");
    assert_eq!((run.status, run.stdout()), (6, "asked\n".to_owned()), "{}", run.stderr());
    assert_eq!(node.files("both").len(), 1);
    assert_eq!(node.latest("both").header["command"], "/bin/bash -c echo asked; exit 6");

    // sshd's own file transfer never gets to a login shell; the documented set-up has a program instead.
    let before = node.files("stella").len();
    let mut words = vec!["sftp".to_owned(), "-s".to_owned(), "inner".to_owned()];
    words.extend(["-q".to_owned(), "-P".to_owned(), node.port(), "-b".to_owned(), "-".to_owned()]);
    words.extend(node.client_options());
    words.push("stella@127.0.0.1".to_owned());
    assert_eq!(lab.run(&words, b"pwd\n").status, 0);
    assert_eq!(node.files("stella").len(), before, "sshd has changed: docs/security.md is out of date");
    Ok(())
}

fn what_others_could_change_is_not_relied_on() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    let bess = |said: &str| {
        let run = node.run(&lab, "bess", &["echo in"], b"");
        assert_eq!((run.status, run.stdout()), (125, String::new()), "{}", run.stderr());
        assert!(run.stderr().contains(said), "{}", run.stderr());
    };
    // The configuration: nobody gets in.
    for (change, undo, said) in [
        ("chmod g+w /etc/recmode/config.yaml", "chmod g-w /etc/recmode/config.yaml", "mode 0664"),
        ("chmod o+w /etc/recmode", "chmod o-w /etc/recmode", "/etc/recmode: can be written"),
        ("chown bess /etc/recmode/config.yaml", "chown root /etc/recmode/config.yaml", "not to root"),
        (
            "cd /etc/recmode; mv config.yaml c; ln -s c config.yaml",
            "cd /etc/recmode; mv c config.yaml",
            "symbolic link",
        ),
        (
            "mv /etc/recmode /etc/moved; ln -s moved /etc/recmode",
            "rm /etc/recmode; mv /etc/moved /etc/recmode",
            "symbolic link",
        ),
        (
            "mv /etc/recmode/config.yaml /etc/recmode/c",
            "mv /etc/recmode/c /etc/recmode/config.yaml",
            "No such file",
        ),
        (
            "echo shel: /bin/sh >>/etc/recmode/config.yaml",
            "sed -i '$d' /etc/recmode/config.yaml",
            "config.yaml:4:1",
        ),
    ] {
        node.sh(change);
        bess(said);
        node.sh(undo);
    }
    // The roles: everybody is a user that they don't know, and none gets less than strict.
    configure(&node, "unknown_user: best_effort");
    for (change, undo, said) in [
        ("chmod o+w /etc/recmode/roles/all.yaml", "chmod o-w /etc/recmode/roles/all.yaml", "mode 0646"),
        ("chown stella /etc/recmode/roles", "chown root /etc/recmode/roles", "not to root"),
        ("ln -s /etc/passwd /etc/recmode/roles/x.yaml", "rm /etc/recmode/roles/x.yaml", "symbolic link"),
        ("echo 'kind: role' >/etc/recmode/roles/x.yaml", "rm /etc/recmode/roles/x.yaml", "x.yaml:1"),
        ("mv /etc/recmode/roles/all.yaml /etc", "mv /etc/all.yaml /etc/recmode/roles", "no role"),
        (
            "sed -i 's/rescue, prod/rescue, gone/' /etc/recmode/roles/all.yaml",
            "sed -i 's/rescue, gone/rescue, prod/' /etc/recmode/roles/all.yaml",
            "\"gone\"",
        ),
    ] {
        node.sh(change);
        let run = node.run(&lab, "bess", &["echo in"], b"");
        assert_eq!((run.status, run.stdout()), (0, "in\n".to_owned()), "{change}: {}", run.stderr());
        assert!(run.stderr().contains(said) && run.stderr().contains("strict holds"), "{}", run.stderr());
        assert_eq!(node.latest("bess").ours("mode"), "strict", "{change}");
        node.sh(undo);
    }
    // The recordings: they fail.
    for (change, undo) in [
        ("chmod o+w /var/log/recmode", "chmod o-w /var/log/recmode"),
        ("chown stella /var/log/recmode/bess", "chown bess /var/log/recmode/bess"),
        ("cd /var/log/recmode; mv bess b; ln -s b bess", "cd /var/log/recmode; rm bess; mv b bess"),
    ] {
        node.sh(change);
        let run = node.run(&lab, "bess", &["echo in"], b"");
        assert_eq!((run.status, run.stdout()), (0, "in\n".to_owned()), "{change}: {}", run.stderr());
        assert!(run.stderr().starts_with(&MESSAGE_C.replace('\r', "")), "{change}: {}", run.stderr());
        node.sh(undo);
    }
    node.sh("chmod g+w /var/log/recmode/stella");
    let run = node.run(&lab, "stella", &["echo in"], b"");
    assert_eq!((run.status, run.stdout()), (125, String::new()));
    Ok(())
}

fn users_that_the_roles_do_not_know_get_what_the_configuration_says() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    let run = node.run(&lab, "uma", &["echo in"], b"");
    assert_eq!((run.status, run.stderr()), (0, String::new()));
    assert_eq!(node.latest("uma").ours("mode"), "strict");
    configure(&node, "unknown_user: best_effort");
    assert_eq!(node.run(&lab, "uma", &["echo in"], b"").status, 0);
    assert_eq!(node.latest("uma").ours("mode"), "best_effort");
    node.sh("sed -i 's/unknown_user: .*/unknown_user: refuse/' /etc/recmode/config.yaml");
    let run = node.run(&lab, "uma", &["echo in"], b"");
    assert_eq!((run.status, run.stdout()), (125, String::new()));
    assert_eq!(run.stderr(), "recmode: no session for uma: the roles don't know this user\n");
    assert_eq!(node.run(&lab, "bess", &["echo in"], b"").status, 0);
    Ok(())
}

fn check_says_what_a_user_would_get_and_what_stands_in_the_way() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    let check = |user: &str| node.try_sh(&format!("recmode login --check --user {user}"));
    let (status, text) = check("stella");
    assert_eq!(status, 0, "{text}");
    for said in [
        "user        stella (",
        "strict for ssh: default: strict in role \"prod\"",
        "/bin/bash",
        "/var/log/recmode/stella",
    ] {
        assert!(text.contains(said), "{said:?} in {text}");
    }
    let (status, text) = check("bess");
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("best_effort for ssh: ssh: best_effort in role \"rescue\""), "{text}");
    let (status, text) = check("forced");
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("ForceCommand only"), "{text}");
    assert!(check("uma").1.contains("strict for ssh: unknown_user"));
    assert_eq!(check("nobody-of-this-name").0, 2);

    for (change, undo, said) in [
        (
            "chmod 755 /var/log/recmode/stella; chown root /var/log/recmode/stella",
            "chown stella /var/log/recmode/stella",
            "can't write there",
        ),
        (
            "mv /var/log/recmode/stella /s",
            "mv /s /var/log/recmode/stella",
            "install -d -o stella -m 0700 /var/log/recmode/stella",
        ),
        ("chmod g+w /var/log/recmode", "chmod g-w /var/log/recmode", "can be written by group or others"),
        (
            "sed -i s,/bin/bash,/bin/nosh, /etc/recmode/config.yaml",
            "sed -i s,/bin/nosh,/bin/bash, /etc/recmode/config.yaml",
            "/bin/nosh: No such file",
        ),
        (
            "sed -i '/^shell/d' /etc/recmode/config.yaml",
            "echo 'shell: /bin/bash' >>/etc/recmode/config.yaml",
            "needs a `shell`",
        ),
        (
            "chmod 700 /etc/recmode/roles",
            "chmod 755 /etc/recmode/roles",
            "/etc/recmode/roles: Permission denied",
        ),
        (
            "echo unknown_user: refuse >>/etc/recmode/config.yaml; sed -i s/stella/estelle/ /etc/recmode/roles/all.yaml",
            "sed -i s/estelle/stella/ /etc/recmode/roles/all.yaml",
            "unknown_user is refuse",
        ),
    ] {
        node.sh(change);
        let (status, text) = check("stella");
        assert_eq!(status, 1, "{change}: {text}");
        assert!(text.contains(said), "{change}: {text}");
        node.sh(undo);
        let (status, text) = check("stella");
        assert_eq!(status, 0, "{undo}: {text}");
    }
    // Without /proc nobody finds what leaves a session.
    let hidden =
        "unshare --mount sh -c 'mount -t tmpfs none /proc; exec recmode login --check --user stella'";
    let (status, text) = node.try_sh(hidden);
    assert!(status == 1 && text.contains("/proc does not show the processes"), "{text}");
    // A log that the user can't append to would tell nothing of the user.
    configure(&node, "log: /var/log/sessions");
    for (change, said) in [
        ("true", "install -m 0622 /dev/null /var/log/sessions"),
        ("install -m 0600 /dev/null /var/log/sessions", "stella can't append to it: Permission denied"),
        ("ln -sf /dev/null /var/log/sessions", "/var/log/sessions: is a symbolic link"),
    ] {
        node.sh(change);
        let (status, text) = check("stella");
        assert_eq!(status, 1, "{change}: {text}");
        assert!(text.contains(said), "{change}: {text}");
    }
    node.sh("rm /var/log/sessions; install -m 0622 /dev/null /var/log/sessions");
    let (status, text) = check("stella");
    assert_eq!(status, 0, "{text}");
    for user in ["stella", "bess"] {
        assert_eq!(node.run(&lab, user, &["true"], b"").status, 0);
        let told = format!("grep -c '\"event\":\"end\".*\"user\":\"{user}\"' /var/log/sessions");
        until(SOON, "the log", || node.try_sh(&told).1 == "1\n");
    }
    node.sh("echo mode: strict >>/etc/recmode/config.yaml");
    assert_eq!(check("stella").0, 2);
    // Another user's may not be asked for, but everyone's own.
    let as_stella =
        |words: &str| node.try_sh(&format!("setpriv --reuid stella --regid stella --clear-groups {words}"));
    assert_eq!(as_stella("recmode login --check --user bess").0, 2);
    node.sh("sed -i '$d' /etc/recmode/config.yaml");
    let (status, text) = as_stella("recmode login --check");
    assert_eq!(status, 0, "{text}");
    Ok(())
}
