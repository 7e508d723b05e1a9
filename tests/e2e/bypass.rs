//! Ways past a strict recording: what a user of the machine tries, and what becomes of it.

use crate::harness::{
    Cast, Lab, MESSAGE_B, Node, Outer, Recordings, SOON, Verdict, find, needs_tools, recmode, show, tests,
    until,
};

tests![
    the_users_own_terminal_has_no_name_in_the_session_and_cannot_be_opened,
    the_terminal_can_be_opened_again_after_every_way_out,
    a_descriptor_of_the_terminal_that_was_opened_before_is_not_closed,
    all_of_a_long_command_is_recorded,
    nothing_that_a_client_sends_makes_a_header_that_readers_refuse,
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

/// A login as bess on a terminal of hers that lives on, and the terminal's name.
fn log_in_on_own_terminal(lab: &Lab, node: &Node) -> (Outer, String) {
    let script = "chown bess: $(tty); tty; exec setsid --ctty --wait setpriv --reuid bess --regid bess --clear-groups \
                  /usr/local/bin/recmode login";
    let mut outer = lab.outer(&node.enter(&["sh", "-c", script]));
    outer.wait_for("$ ");
    let seen = String::from_utf8(outer.seen()).expect("plain text");
    let name = seen.lines().find(|line| line.starts_with("/dev/pts/")).expect("the terminal's name");
    (outer, name.to_owned())
}

fn the_terminal_can_be_opened_again_after_every_way_out() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    let opens = |name: &str| {
        let open = format!("setpriv --reuid bess --regid bess --clear-groups sh -c ': <>{name}'");
        node.try_sh(&open).0 == 0
    };
    for way in ["exit", "signal", "strict"] {
        if way == "strict" {
            node.sh("sed -i 's/roles: .rescue, prod./roles: [prod]/' /etc/recmode/roles/all.yaml");
        }
        let (mut outer, name) = log_in_on_own_terminal(&lab, &node);
        assert!(!opens(&name), "{way}: {name} can be opened during the session");
        match way {
            "exit" => outer.send("exit\r"),
            "signal" => outer.send("kill -TERM $PPID\r"),
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
    // It opens each terminal of its user's as soon as there is one, and prints on the one that it is told to.
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
    std::fs::write(node.here("/tmp/watcher"), watcher).expect("a file");
    node.sh("cd /; setpriv --reuid stella --regid stella --clear-groups setsid perl /tmp/watcher >/dev/null 2>&1 </dev/null &");
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
    let roles: String = (0..30_000)
        .map(|n| format!("---\nkind: role\nversion: v7\nmetadata: {{name: role-{n}}}\nspec: {{options: {{record_session: {{ssh: strict}}}}}}\n"))
        .collect();
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
