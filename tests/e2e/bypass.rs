//! Ways past a strict recording: what a user of the machine tries, and what becomes of it.

use crate::harness::{
    Cast, Lab, MESSAGE_B, Node, Outer, Recordings, SOON, Verdict, find, needs_tools, recmode, show, tests,
    until,
};

tests![
    the_users_own_terminal_has_no_name_in_the_session_and_cannot_be_opened,
    no_variable_names_the_users_terminal_in_a_recorded_command,
    the_terminal_can_be_opened_again_after_every_way_out,
    record_and_a_login_on_anothers_terminal_leave_it_open_to_others,
    a_descriptor_of_the_terminal_that_was_opened_before_is_not_closed,
    all_of_a_long_command_is_recorded,
    nothing_that_a_client_sends_makes_a_header_that_readers_refuse,
    under_strict_everything_without_a_terminal_is_recorded,
    under_best_effort_what_has_no_terminal_is_counted,
    a_transfer_runs_one_program_and_nothing_of_the_users,
    sftp_is_recorded_with_names_and_sizes,
    what_sshd_runs_of_the_users_goes_through_the_login_shell,
];

/// Room enough.
const ROOMY: Recordings = Recordings::Small(8 * 1024);

/// The terminal that recmode itself is on, in a session's shell.
const OUTER: &str = "outer=/dev/$(ps -o tty= -p $PPID | tr -d ' ')";

fn the_users_own_terminal_has_no_name_in_the_session_and_cannot_be_opened() -> Verdict {
    needs_tools(&["ps"])?;
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    let mut outer = node.log_in(&lab, "stella", &[]);
    outer.wait_for("$ ");
    outer.send("[ $SSH_TTY = $(tty) ] && echo named-inn''er; echo by-name >$SSH_TTY\r");
    outer.wait_for("named-inner\r\nby-name\r\n");
    outer.send(format!("{OUTER}; [ -c $outer -a $outer != $(tty) ] && echo found-out''er\r"));
    outer.wait_for("found-outer\r\n");
    outer.send("echo past-the-recording >$outer\r");
    outer.wait_for("Device or resource busy");
    // A whole shell on it, with recmode stopped: nothing can be seen before it goes on.
    outer.send(
        "kill -STOP $PPID; bash -ic 'touch ~/worked' <$outer >$outer 2>&1; kill -CONT $PPID; echo ba''ck\r",
    );
    outer.wait_for("back\r\n");
    assert_eq!(node.try_sh("ls /home/stella/worked").0, 2, "a shell on the user's own terminal");
    outer.send("exit\r");
    let end = outer.end();
    assert!(find(&end.seen, "past-the-recording\r\n").is_none(), "{}", show(&end.seen));
    let recorded = node.latest("stella").output();
    assert!(find(&recorded, "by-name\r\n").is_some(), "{}", show(&recorded));
    Ok(())
}

fn no_variable_names_the_users_terminal_in_a_recorded_command() -> Verdict {
    let lab = Lab::new();
    let script = r#"export SSH_TTY=$(tty) GPG_TTY=$(tty) NOTE="on $(tty)"; outer=$(tty)
        "$RECMODE" record -q -o "$CAST" -- sh -c '[ $SSH_TTY = $(tty) ] && [ $GPG_TTY = $(tty) ] && echo $NOTE'
        echo "on $outer""#;
    let end = lab.outer_sh(script).end();
    let seen = String::from_utf8_lossy(&end.seen).into_owned();
    let lines: Vec<&str> = seen.lines().collect();
    assert!(lines.len() == 2 && lines[0] == lines[1] && lines[0].starts_with("on /dev/pts/"), "{seen:?}");
    Ok(())
}

/// A session as bess on a terminal that lives on, and the terminal's name: what the user `owner` has, and `program` leads.
fn begin_on_terminal(lab: &Lab, node: &Node, owner: &str, program: &str) -> (Outer, String) {
    let script = format!("chown {owner}: $(tty); tty; exec setsid --ctty --wait {program}");
    let mut outer = lab.outer(&node.enter(&["sh", "-c", &script]));
    outer.wait_for("$ ");
    let seen = String::from_utf8(outer.seen()).expect("plain text");
    let name = seen.lines().find(|line| line.starts_with("/dev/pts/")).expect("the terminal's name");
    (outer, name.to_owned())
}

/// Becomes bess.
const AS_BESS: &str = "setpriv --reuid bess --regid bess --clear-groups";

fn record_and_a_login_on_anothers_terminal_leave_it_open_to_others() -> Verdict {
    needs_tools(&["perl"])?;
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    // TIOCGEXCL, as root can open it in any case.
    let is_exclusive = |name: &str| {
        let ask = r#"open(T, "<", $ARGV[0]) or die; ioctl(T, 0x80045440, $answer = pack("i", 0)) // die; print unpack("i", $answer)"#;
        node.sh(&format!("perl -e '{ask}' {name}")) == "1"
    };
    let record = format!("{AS_BESS} /usr/local/bin/recmode record -q -o /home/bess/rec.cast -- sh");
    let login = format!("{AS_BESS} /usr/local/bin/recmode login");
    for (owner, program, exclusive) in [
        ("bess", login.as_str(), true),
        ("root", &login, false),
        ("root", "su - bess", false),
        ("bess", &record, false),
    ] {
        let (mut outer, name) = begin_on_terminal(&lab, &node, owner, program);
        assert_eq!(is_exclusive(&name), exclusive, "{program} on a terminal of {owner}'s");
        outer.send("exit\r");
        assert_eq!(outer.end().status, 0, "{program}");
    }
    Ok(())
}

fn the_terminal_can_be_opened_again_after_every_way_out() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    let opens = |name: &str| {
        let open = format!("{AS_BESS} sh -c ': <>{name}'");
        node.try_sh(&open).0 == 0
    };
    for way in ["exit", "signals", "hang-up", "abort", "strict"] {
        if way == "strict" {
            node.sh("sed -i 's/roles: .rescue, prod./roles: [prod]/' /etc/recmode/roles/all.yaml");
        }
        let (mut outer, name) =
            begin_on_terminal(&lab, &node, "bess", &format!("{AS_BESS} /usr/local/bin/recmode login"));
        assert!(!opens(&name), "{way}: {name} can be opened during the session");
        match way {
            "exit" => outer.send("exit\r"),
            "signals" => outer.send("kill $PPID; sleep 0.3; kill $PPID\r"),
            "hang-up" => outer.send("kill -HUP $PPID\r"),
            "abort" => outer.send("kill -ABRT $PPID\r"),
            _ => {
                outer.send("rm /var/log/recmode/bess/*\r");
                outer.wait_for(MESSAGE_B);
            }
        }
        let end = outer.end_within(SOON);
        assert!(end.restored, "{way}");
        assert!(opens(&name), "{way}: {name} stays shut");
    }
    Ok(())
}

fn a_descriptor_of_the_terminal_that_was_opened_before_is_not_closed() -> Verdict {
    needs_tools(&["perl", "ps"])?;
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    // It opens each terminal of its user's as soon as there is one, and prints on the one that it is given.
    let watcher = r#"
        while (!-e "/home/stella/stop") {
            opendir(my $all, "/dev/pts");
            for my $name (grep { /^\d+$/ && !$held{$_} } readdir $all) {
                sysopen($held{$name}, "/dev/pts/$name", 258) or delete $held{$name};
            }
            next unless open(my $order, "<", "/home/stella/order");
            my ($name) = <$order> =~ m,/dev/pts/(\d+)\n,;
            syswrite($held{$name}, "past the recording\r\n") if $name && $held{$name};
            unlink "/home/stella/order" if $name;
        }"#;
    std::fs::write(node.here("/home/stella/watcher"), watcher).expect("a file");
    node.sh("cd /; setpriv --reuid stella --regid stella --clear-groups setsid perl /home/stella/watcher >/dev/null 2>&1 </dev/null &");
    // A busy machine may not let it run in time, but not each time.
    let passed = (0..5).any(|_| {
        let mut outer = node.log_in(&lab, "stella", &[]);
        outer.wait_for("$ ");
        outer.send(format!("{OUTER}; echo $outer >~/new; mv ~/new ~/order\r"));
        until(SOON, "the watcher", || node.try_sh("ls /home/stella/order").0 == 2);
        outer.send("echo do''ne; exit\r");
        outer.wait_for("done\r\n");
        let end = outer.end();
        assert!(find(&node.latest("stella").output(), "past the recording").is_none());
        find(&end.seen, "past the recording\r\n").is_some()
    });
    node.sh("touch /home/stella/stop");
    assert!(passed, "docs/security.md is out of date: a descriptor that was opened before is of no use");
    Ok(())
}

/// The command as the records after the header have it.
fn whole_command(cast: &Cast) -> String {
    cast.records("command").iter().map(|piece| piece["text"].as_str().expect("a text")).collect()
}

fn all_of_a_long_command_is_recorded() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    let command = format!("true {}; echo ev''il", " ".repeat(70_000));
    let run = node.run(&lab, "stella", &[&command], b"");
    assert_eq!((run.status, run.stdout()), (0, "evil\n".to_owned()));
    let cast = node.latest("stella");
    assert_eq!(whole_command(&cast), format!("/bin/bash -c {command}"));
    assert_eq!(cast.ours("clamped")[0], "command");
    assert!(cast.header["command"].as_str().expect("a text").ends_with('…'));
    let file = node.files("stella").pop().expect("a recording");
    let info = lab.run(&[recmode(), "info", file.to_str().expect("a plain path")], b"");
    assert!(info.stdout().contains("; echo ev''il\n"), "{}", info.stderr());
    // As many words as the system takes.
    let mut words = lab.record(&["-q", "--", "true"]);
    words.extend((0..12).map(|n| format!("{n}{}", "\u{1}".repeat(100_000))));
    assert_eq!(lab.run(&words, b"").status, 0);
    assert_eq!(whole_command(&Cast::read(&lab.cast())).len(), words[6..].join(" ").len());
    let verified = lab.run(&[recmode(), "verify", lab.cast().to_str().expect("a plain path")], b"");
    assert_eq!(verified.status, 0, "{}", verified.stdout());
    Ok(())
}

fn nothing_that_a_client_sends_makes_a_header_that_readers_refuse() -> Verdict {
    let controls = "\u{1}".repeat(100_000);
    let role = |n: i32| {
        format!(
            "kind: role\nversion: v7\nmetadata: {{name: role-{n}}}\nspec: {{options: {{record_session: {{ssh: strict}}}}}}\n"
        )
    };
    let roles = (0..3_000).map(role).collect::<Vec<_>>().join("---\n");
    for format in ["asciicast-v3", "asciicast-v2"] {
        let lab = Lab::new().env("TERM", controls.as_str());
        lab.write("roles.yaml", &roles);
        let args =
            ["-q", "--format", format, "--roles", "roles.yaml", "--size", "1200x30", "--title", &controls];
        let run = lab.run(
            &lab.record(&[&args[..], &["--", "sh", "-c", "stty size </dev/tty; echo WI''DE"]].concat()),
            b"",
        );
        assert_eq!((run.status, run.stdout()), (0, "30 1200\r\nWIDE\r\n".to_owned()), "{}", run.stderr());
        let cast = Cast::read(&lab.cast());
        for field in ["term", "title", "roles", "because"] {
            let clamped = cast.ours("clamped").as_array().expect("a list");
            assert!(clamped.iter().any(|name| name == field), "{format}: {field} in {clamped:?}");
        }
        assert_eq!(cast.records("window")[0]["cols"], 1200);
        let dir = lab.dir().to_str().expect("a plain path");
        for (words, said) in [
            (&["ls", dir][..], "complete"),
            (&["search", "WIDE", dir], "WIDE"),
            (&["verify", dir], "intact"),
            (&["cat", "rec.cast"], "WIDE"),
            (&["info", "rec.cast"], "1000x30"),
        ] {
            let run = lab.run(&[&[recmode()], words].concat(), b"");
            assert_eq!(run.status, 0, "{format}: {words:?}: {}", run.stderr());
            assert!(run.stdout().contains(said), "{format}: {words:?}: {}", show(&run.stdout));
        }
    }
    // A window that grows, of which the terminal itself has all.
    let lab = Lab::new();
    let script = "trap 'stty size; echo WI''DE; exit' WINCH; echo rea''dy; while :; do sleep 0.1; done";
    let mut outer = lab.outer(&lab.record(&["-q", "--", "sh", "-c", script]));
    outer.wait_for("ready\r\n");
    outer.resize((1200, 30));
    outer.wait_for("30 1200\r\nWIDE\r\n");
    assert_eq!(outer.end().status, 0);
    let cast = Cast::read(&lab.cast());
    assert_eq!(cast.events("r"), ["1000x30"]);
    assert_eq!(cast.records("window")[0]["cols"], 1200);
    let found = lab.run(&[recmode(), "search", "WIDE", "rec.cast"], b"");
    assert_eq!(found.status, 0, "{}", found.stderr());
    Ok(())
}

fn under_strict_everything_without_a_terminal_is_recorded() -> Verdict {
    needs_tools(&["script", "git"])?;
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    let input = b"echo sec''ret; echo err''or >&2; exit 3\n";
    for command in [
        &[][..],
        &["bash -i"],
        &["script -qec bash /dev/null"],
        &["scp -t x </dev/null; bash"],
        &["rsync --server --daemon . </dev/null; bash"],
    ] {
        let run = node.run(&lab, "stella", command, input);
        assert!(find(&run.stdout, "secret").is_some(), "{command:?}: {}", run.stderr());
        let cast = node.latest("stella");
        assert_eq!(cast.ours("streams"), "content", "{command:?}");
        assert_eq!(cast.output(), run.stdout, "{command:?}");
        assert!(cast.events("i").concat().contains("echo sec''ret"), "{command:?}");
        // A shell on a terminal of its own has its errors there.
        let errors = cast.events("e").concat() + &String::from_utf8_lossy(&cast.output());
        assert!(errors.contains("error\n") || errors.contains("error\r\n"), "{command:?}: {errors}");
    }
    // Hooks and configuration of git's run programs.
    node.sh("cd /home/stella; git init -q --bare repo; chown -R stella: repo");
    let run = node.run(&lab, "stella", &["git-upload-pack repo"], b"0000");
    assert!(!run.stdout.is_empty(), "{}", run.stderr());
    assert_eq!(node.latest("stella").output(), run.stdout);
    for (word, kind) in [("no", "counts"), ("yes", "content")] {
        node.sh(&format!("sed -i '/^capture_streams/d' /etc/recmode/config.yaml; echo 'capture_streams: {word}' >>/etc/recmode/config.yaml"));
        assert_eq!(node.run(&lab, "stella", &["scp -f /etc/hostname"], b"\0\0\0").status, 0);
        assert_eq!(node.latest("stella").ours("streams"), kind);
        assert_eq!(node.run(&lab, "stella", &["true"], b"").status, 0);
        assert_eq!(node.latest("stella").ours("streams"), kind);
    }
    Ok(())
}

fn under_best_effort_what_has_no_terminal_is_counted() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    let run = node.run(&lab, "bess", &["cat"], b"12345");
    assert_eq!((run.status, run.stdout()), (0, "12345".to_owned()));
    let cast = node.latest("bess");
    assert_eq!(cast.ours("streams"), "counts");
    assert_eq!(cast.records("streams")[0]["stdout"], 5);
    assert!(cast.output().is_empty());
    Ok(())
}

fn a_transfer_runs_one_program_and_nothing_of_the_users() -> Verdict {
    needs_tools(&["scp", "rsync", "strace"])?;
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    // All that a shell, a search path, an environment or a program's own files could be made to run.
    let traps = r#"
        cd /home/stella; mkdir bin .ssh
        printf '#!/bin/sh\ntouch /home/stella/worked-$(basename $0)\nexec /usr/bin/$(basename $0) "$@"\n' >trap; chmod +x trap
        for name in scp rsync ssh; do cp trap bin/$name; done
        for file in .bashrc .profile .bash_profile .bash_env; do echo "touch ~/worked-$file; PATH=~/bin:$PATH" >$file; done
        printf 'rsync exec --server /home/stella/trap\nrsync exec --sender /home/stella/trap\nrsync alias --numeric-ids --rsh=/home/stella/trap\n' >.popt
        echo 'ProxyCommand /home/stella/trap' >.ssh/config
        chown -R stella: ."#;
    node.sh(traps);
    let lab = lab
        .env("BASH_ENV", "/home/stella/.bash_env")
        .env("PATH_OF_MINE", "x")
        .env("RSYNC_RSH", "/home/stella/trap");
    let run = |command: &str, input: &[u8]| {
        let run =
            lab.run(&node.ssh("stella", &["-T", "-o", "SendEnv=BASH_ENV RSYNC_* PATH_*"], &[command]), input);
        let cast = node.latest("stella");
        assert_eq!(cast.ours("streams"), "counts", "{command}: {}", run.stderr());
        assert_eq!(
            node.sh("ls -A /home/stella | grep worked || :"),
            "",
            "{command}: something of the user's ran"
        );
        (run, cast.header["command"].as_str().expect("a text").to_owned())
    };
    let (done, command) = run("scp -f '/etc/host'name", b"\0\0\0");
    assert_eq!((done.status, command.as_str()), (0, "/usr/bin/scp -f /etc/hostname"), "{}", done.stderr());
    let (done, command) = run("scp -t ~/got", b"C0644 3 a\nabc\0");
    assert_eq!((done.status, command.as_str()), (0, "/usr/bin/scp -t /home/stella/got"), "{}", done.stderr());
    assert_eq!(node.sh("cat /home/stella/got"), "abc");
    let (done, command) = run("rsync --server --sender -logDtpre.iLsfxCIvu --numeric-ids . got", b"");
    assert_eq!(command, "/usr/bin/rsync --server --sender -logDtpre.iLsfxCIvu --numeric-ids . got");
    assert!(
        done.stdout.starts_with(b"\x1f\0\0\0") || done.stdout.starts_with(b"\x20\0\0\0"),
        "{}",
        show(&done.stdout)
    );
    // The programs, and what they get, are the configuration's.
    node.sh("printf '#!/bin/sh\nenv | sort >~got/env; cat' >/usr/local/bin/other; sed -i s,~got,/home/stella, /usr/local/bin/other; \
             chmod 755 /usr/local/bin/other; echo 'scp: /usr/local/bin/other' >>/etc/recmode/config.yaml");
    let (done, _) = run("scp -f x", b"abc");
    assert_eq!(done.stdout(), "abc");
    let env = node.sh("cut -d = -f 1 /home/stella/env | tr '\\n' ' '");
    let names: Vec<&str> =
        env.split(' ').filter(|name| !["", "PWD", "OLDPWD", "SHLVL", "_"].contains(name)).collect();
    assert!(names.iter().all(|name| ["HOME", "LANG", "RECMODE_SESSION", "USER"].contains(name) || name.starts_with("LC_")), "{env}");
    // Where the machine has no such program it is a command like any other.
    node.sh("sed -i s,/usr/local/bin/other,/nowhere/scp, /etc/recmode/config.yaml");
    let run = node.run(&lab, "stella", &["scp -f x"], b"");
    assert_ne!(run.status, 0);
    assert_eq!(node.latest("stella").ours("streams"), "content");
    Ok(())
}

fn sftp_is_recorded_with_names_and_sizes() -> Verdict {
    needs_tools(&["sftp"])?;
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    lab.write("large", vec![7; 3_000_000]);
    node.sh("printf 12345 >/home/stella/small; cp /home/stella/small /home/bess; cp /home/stella/small /home/forced");
    for user in ["stella", "bess", "forced"] {
        let mut words = vec![
            "sftp".to_owned(),
            "-q".to_owned(),
            "-P".to_owned(),
            node.port(),
            "-b".to_owned(),
            "-".to_owned(),
        ];
        words.extend(node.client_options());
        words.push(format!("{user}@127.0.0.1"));
        let run = lab.run(&words, b"put large\nget small\n-get missing\nput large \"odd\xff \\\"name\"\n");
        assert_eq!(run.status, 0, "{user}: {}", run.stderr());
        let cast = node.latest(user);
        cast.assert_closed(0);
        assert_eq!(cast.ours("streams"), "counts");
        let records = cast.records("sftp").into_iter();
        let (opened, closed): (Vec<&serde_json::Value>, Vec<_>) =
            records.partition(|file| file["open"] == true);
        let opened: Vec<_> = opened.iter().map(|file| file["name"].clone()).collect();
        let sizes =
            |file: &&serde_json::Value| (file["name"].clone(), file["read"].clone(), file["written"].clone());
        let files: Vec<_> = closed.iter().map(sizes).collect();
        assert!(closed[2]["base64"].is_string() && closed[1]["base64"].is_null(), "{closed:?}");
        let path = |name: &str| serde_json::Value::from(format!("/home/{user}/{name}"));
        let expected = [("large", 0, 3_000_000), ("small", 5, 0), ("odd\u{fffd} \"name", 0, 3_000_000)];
        assert_eq!(
            files,
            expected.map(|(name, read, written)| (path(name), read.into(), written.into())),
            "{user}"
        );
        // Each is recorded when it is opened already: what ends the session hides none.
        assert_eq!(opened, expected.map(|(name, ..)| path(name)), "{user}");
        let file = node.files(user).pop().expect("a recording");
        let info = lab.run(&[recmode(), "info", file.to_str().expect("a plain path")], b"").stdout();
        assert!(
            info.contains(&format!(
                "Files       3\n            /home/{user}/large: 0 bytes read, 3000000 bytes written\n"
            )),
            "{info}"
        );
        assert!(info.contains("Integrity   intact\n"), "{info}");
    }
    Ok(())
}

fn what_sshd_runs_of_the_users_goes_through_the_login_shell() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    node.sh("mkdir /home/stella/.ssh; echo 'echo from-rc >&2' >/home/stella/.ssh/rc; chown -R stella: /home/stella/.ssh");
    let run = node.run(&lab, "stella", &["echo hello"], b"");
    assert_eq!((run.stdout(), run.stderr()), ("hello\n".to_owned(), "from-rc\n".to_owned()));
    let casts: Vec<_> = node.files("stella").iter().map(|file| Cast::read(file)).collect();
    assert_eq!(casts.len(), 2);
    assert_eq!(casts[0].header["command"], "/bin/bash -c /bin/sh /home/stella/.ssh/rc");
    assert_eq!(casts[0].events("e").concat(), "from-rc\n");
    Ok(())
}
