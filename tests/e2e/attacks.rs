//! Attacks on a strict session that fail: on recmode's processes, by what they are started with, and by what lies in the
//! way of their files.

use std::fs;

use crate::harness::{
    Cast, Lab, MESSAGE_B, Node, Recordings, SOON, Verdict, find, message_a, needs_tools, recmode, show,
    tests, until,
};

tests![
    a_session_can_not_get_at_the_processes_that_record_it,
    signals_that_are_ignored_or_blocked_do_not_keep_strict_from_ending_the_session,
    strict_records_or_refuses_whatever_it_is_started_with,
    users_of_any_name_are_recorded_or_get_no_session,
    an_access_list_that_lets_others_write_is_refused,
    a_pipe_or_a_link_in_the_way_holds_nobody_and_lets_nobody_past,
];

const ROOMY: Recordings = Recordings::Small(8 * 1024);

fn a_session_can_not_get_at_the_processes_that_record_it() -> Verdict {
    needs_tools(&["strace", "perl", "pgrep"])?;
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    let script = r#"
        for pid in $pid $(pgrep -u "$USER" -x recmode-rec); do
            echo process
            timeout 1 strace -p $pid </dev/null >/dev/null 2>&1 && echo traced
            for file in mem maps environ; do head -c 1 /proc/$pid/$file 2>/dev/null | grep -q . && echo read $file; done
            ls /proc/$pid/fd /proc/$pid/map_files >/dev/null 2>&1 && echo listed
            (: >>/proc/$pid/mem) 2>/dev/null && echo wrote
            perl -e '
                my $process = syscall(434, $ARGV[0] + 0, 0);
                die "pidfd_open" if $process < 0;
                for (0 .. 63) { print "got descriptor $_\n" if syscall(438, $process, $_, 0) >= 0; }
                my $buffer = "x";
                my ($to, $from) = (pack("PQ", $buffer, 1), pack("QQ", 4096, 1));
                syscall(310, $ARGV[0] + 0, $to, 1, $from, 1, 0);
                print "may read memory\n" if $! != 1;
            ' $pid
        done; echo tried"#;
    fs::write(node.here("/home/stella/attack"), script).expect("written");
    let run = node.run(&lab, "stella", &["pid=$PPID USER=stella timeout 20 sh attack 2>&1"], b"");
    assert_eq!(run.stdout(), "process\nprocess\ntried\n");
    // The same on a process that may be had.
    let run =
        node.run(&lab, "stella", &["sleep 60 & pid=$! USER=none timeout 20 sh attack 2>&1; kill $!"], b"");
    for had in ["read maps\n", "read environ\n", "listed\n", "got descriptor 0\n", "may read memory\n"] {
        assert!(run.stdout().contains(had), "{had:?}: {}", run.stdout());
    }
    Ok(())
}

fn signals_that_are_ignored_or_blocked_do_not_keep_strict_from_ending_the_session() -> Verdict {
    for how in ["--ignore-signal", "--block-signal", "--ignore-signal --block-signal"] {
        let lab = Lab::new();
        let script = format!(
            "exec env {how} \"$RECMODE\" record -q --mode strict -o \"$CAST\" -- sh -c 'while :; do echo tick; sleep 0.1; done'"
        );
        let mut outer = lab.outer_sh(&script);
        outer.wait_for("tick\r\n");
        fs::remove_file(lab.cast()).unwrap();
        outer.wait_for(MESSAGE_B);
        let end = outer.end_within(SOON);
        assert_eq!((end.status, end.restored), (124, true), "{how}");
    }
    Ok(())
}

fn strict_records_or_refuses_whatever_it_is_started_with() -> Verdict {
    for (what, before) in [
        ("a umask", "umask 777"),
        ("closed streams", "exec 3>&1 <&- 2>&-"),
        ("few descriptors", "ulimit -n 12"),
        ("few processes", "ulimit -u 3"),
        ("small files", "ulimit -f 1"),
        ("no core, little stack", "ulimit -c 0 -s 256"),
        ("little memory", "ulimit -v 60000"),
        ("no time", "ulimit -t 1"),
    ] {
        let lab = Lab::new();
        // Only what was seen matters: whatever is refused, nothing of the command's may be shown without its recording.
        let script = format!(
            "{before}; exec \"$RECMODE\" record -q --mode strict -o \"$CAST\" -- sh -c 'echo sec''ret; seq 2000; echo la''st'"
        );
        let run = lab.run(&["bash", "-c", &script], b"");
        let recorded = Cast::try_read(&lab.cast()).map(|cast| cast.output()).unwrap_or_default();
        let shown: Vec<u8> = find(&run.stdout, "secret").map(|_| run.stdout.clone()).unwrap_or_default();
        assert!(recorded.starts_with(&shown), "{what}: shown {}, recorded {}", show(&shown), show(&recorded));
        assert!(run.status != 0 || find(&recorded, "last\r\n").is_some(), "{what}: status {}", run.status);
    }
    Ok(())
}

fn users_of_any_name_are_recorded_or_get_no_session() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    let log_in = |name: &str| {
        fs::write(node.here("/home/passwd"), format!("{name}:x:4242:4242::/home:/usr/local/bin/recmode\n"))
            .expect("written");
        node.sh("sed -i /:4242:/d /etc/passwd; cat /home/passwd >>/etc/passwd");
        node.try_sh(
            "cd /; setpriv --reuid 4242 --regid 4242 --clear-groups recmode -c 'echo hello' </dev/null | cat",
        )
    };
    for name in ["a b", "$(touch worked)", "ünïcode", "a\"b' user=root", "x".repeat(200).as_str()] {
        let directory = node.here("/var/log/recmode").join(name);
        fs::create_dir(&directory).expect("a directory");
        std::os::unix::fs::chown(&directory, Some(4242), Some(4242)).expect("chown");
        assert_eq!(log_in(name), (0, "hello\n".to_owned()), "{name}");
        let file =
            fs::read_dir(&directory).expect("it").next().expect("a recording").expect("an entry").path();
        assert_eq!(Cast::read(&file).ours("user"), name);
        let info = lab.run(&[recmode(), "info", file.to_str().expect("UTF-8")], b"");
        assert!(info.stdout().contains("Integrity   intact\n"), "{name}: {}", info.stderr());
    }
    for name in ["..", "a/b", ".", "-rf"] {
        let (_, text) = log_in(name);
        assert!(!text.contains("hello"), "{name}: {text}");
    }
    Ok(())
}

fn an_access_list_that_lets_others_write_is_refused() -> Verdict {
    needs_tools(&["setfacl"])?;
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    for (path, refused) in
        [("/var/log/recmode/stella", 125), ("/var/log/recmode", 125), ("/etc/recmode/config.yaml", 125)]
    {
        node.sh(&format!("setfacl -m u:bess:rwx {path}"));
        let run = node.run(&lab, "stella", &["echo hello"], b"");
        assert_eq!((run.status, run.stdout()), (refused, String::new()), "{path}");
        node.sh(&format!("setfacl -b {path}"));
        assert_eq!(node.run(&lab, "stella", &["echo hello"], b"").stdout(), "hello\n", "{path}");
    }
    Ok(())
}

fn a_pipe_or_a_link_in_the_way_holds_nobody_and_lets_nobody_past() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    // Roles that can't be judged: strict.
    for make in ["mkfifo -m 644", "ln -s /etc/passwd", "mkdir"] {
        node.sh(&format!("{make} /etc/recmode/roles/x.yaml"));
        let run = node.run(&lab, "bess", &["echo hello"], b"");
        assert_eq!((run.status, run.stdout()), (0, "hello\n".to_owned()), "{make}: {}", run.stderr());
        let expected = if make == "mkdir" { "best_effort" } else { "strict" };
        assert_eq!(node.latest("bess").ours("mode"), expected, "{make}");
        node.sh("rm -rf /etc/recmode/roles/x.yaml");
    }
    // A configuration that can't be read: nobody.
    for make in ["mkfifo", "mkdir", "ln -s /etc/passwd"] {
        node.sh(&format!("mv /etc/recmode/config.yaml /etc/recmode/c; {make} /etc/recmode/config.yaml"));
        assert_eq!(node.run(&lab, "stella", &["echo hello"], b"").status, 125, "{make}");
        node.sh("rm -rf /etc/recmode/config.yaml; mv /etc/recmode/c /etc/recmode/config.yaml");
    }
    // Recordings that have no place: strict refuses.
    for make in ["mkfifo -m 666", "ln -s /home/stella", "touch"] {
        node.sh(&format!("cd /var/log/recmode; mv stella s; {make} stella; chown -h stella: stella"));
        let run = node.run(&lab, "stella", &["echo hello"], b"");
        assert_eq!((run.status, run.stdout()), (125, String::new()), "{make}");
        assert_eq!(run.stderr(), message_a("ssh").replace('\r', ""), "{make}");
        node.sh("cd /var/log/recmode; rm stella; mv s stella");
    }
    // A log that nobody reads matters to nobody.
    node.sh("mkfifo -m 666 /var/log/sessions; echo 'log: /var/log/sessions' >>/etc/recmode/config.yaml");
    let run = node.run(&lab, "stella", &["echo hello"], b"");
    assert_eq!((run.status, run.stdout()), (0, "hello\n".to_owned()), "{}", run.stderr());
    until(SOON, "the end of the recording", || node.latest("stella").is_closed());
    Ok(())
}
