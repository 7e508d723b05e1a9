//! The processes: what the command inherits, what recmode uses, and who may look into it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::{Duration, Instant};

use crate::harness::{
    Cast, Lab, Outer, SOON, Verdict, count, cpu_ticks, is_root, needs_tools, recording_side, resident_kib,
    show, tests, until,
};

tests![
    a_nested_record_says_so_and_goes_on,
    no_nested_refuses_inside_a_session,
    the_session_id_is_in_the_environment_and_the_header,
    the_environment_is_the_users_own,
    the_command_inherits_no_descriptor,
    the_command_starts_with_the_signals_of_the_caller,
    a_slow_terminal_does_not_grow_the_memory_and_gets_everything,
    a_terminal_that_stops_now_and_then_gets_everything,
    an_idle_session_uses_no_cpu,
    recmode_can_not_be_traced_by_its_user,
    the_times_of_events_are_those_of_the_output,
];

fn a_nested_record_says_so_and_goes_on() -> Verdict {
    let lab = Lab::new();
    let script = r#""$RECMODE" record -q -o nested.cast -- echo inner-output"#;
    let end = lab.outer(&lab.record(&["-q", "--", "sh", "-c", script])).end();
    assert_eq!(end.status, 0);
    let text = String::from_utf8_lossy(&end.seen).into_owned();
    assert!(text.contains("inner-output\r\n"), "{text}");
    assert!(
        text.len() > "inner-output\r\n".len() && text.contains("session"),
        "no word of the session it is in: {text}"
    );
    Cast::read(&lab.path("nested.cast")).assert_closed(0);
    Ok(())
}

fn no_nested_refuses_inside_a_session() -> Verdict {
    let lab = Lab::new();
    let script = r#""$RECMODE" record --no-nested -o nested.cast -- touch ran"#;
    let end = lab.outer(&lab.record(&["-q", "--", "sh", "-c", script])).end();
    assert_eq!(end.status, 125, "{}", show(&end.seen));
    assert!(!end.seen.is_empty(), "the reason is said");
    assert!(!lab.exists("ran") && !lab.exists("nested.cast"));
    Ok(())
}

fn the_session_id_is_in_the_environment_and_the_header() -> Verdict {
    let lab = Lab::new();
    let end = lab.outer(&lab.record(&["-q", "--", "sh", "-c", "echo $RECMODE_SESSION"])).end();
    let id = String::from_utf8(end.seen).unwrap();
    assert!(!id.trim().is_empty());
    assert_eq!(*Cast::read(&lab.cast()).ours("session"), id.trim());
    Ok(())
}

fn the_environment_is_the_users_own() -> Verdict {
    let lab = Lab::new().env("MINE", "a b");
    let own = lab.run(&["env"], b"").stdout();
    let run = lab.run(&lab.record(&["-q", "--", "env"]), b"").stdout().replace('\r', "");
    let sorted = |text: &str| {
        let mut lines: Vec<_> =
            text.lines().filter(|line| !line.starts_with("RECMODE_SESSION=")).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&own), sorted(&run));
    Ok(())
}

fn the_command_inherits_no_descriptor() -> Verdict {
    let lab = Lab::new();
    let own = lab.run(&["ls", "/proc/self/fd"], b"").stdout();
    let recorded =
        lab.run(&lab.record(&["-q", "--", "ls", "/proc/self/fd"]), b"").stdout().replace("\r\n", "\n");
    let spaced = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(spaced(&recorded), spaced(&own), "without a terminal");
    let end = lab.outer(&lab.record_to(&lab.path("b.cast"), &["-q", "--", "ls", "/proc/self/fd"])).end();
    assert_eq!(spaced(&String::from_utf8_lossy(&end.seen)), spaced(&own), "on a terminal");
    Ok(())
}

fn the_command_starts_with_the_signals_of_the_caller() -> Verdict {
    let lab = Lab::new();
    let wanted = ["grep", "-E", "^Sig(Blk|Ign|Cgt|Pnd)", "/proc/self/status"];
    let own = lab.run(&wanted, b"").stdout();
    assert_eq!(own.lines().count(), 4);
    let args: Vec<_> = ["-q", "--"].into_iter().chain(wanted).collect();
    let run = lab.run(&lab.record(&args), b"").stdout().replace('\r', "");
    assert_eq!(run, own, "without a terminal");
    let end = lab.outer(&lab.record_to(&lab.path("b.cast"), &args)).end();
    assert_eq!(String::from_utf8_lossy(&end.seen).replace('\r', ""), own, "on a terminal");
    Ok(())
}

fn a_slow_terminal_does_not_grow_the_memory_and_gets_everything() -> Verdict {
    let lab = Lab::new();
    let script = "echo ready; read x; yes 0123456789abcdef | head -n 1500000 | tee /dev/null; echo done-now";
    let mut outer = lab.outer(&lab.record(&["-q", "--mode", "strict", "--", "sh", "-c", script]));
    outer.wait_for("ready\r\n");
    let sides = [outer.pid(), recording_side(outer.pid())];
    outer.pause(true);
    outer.send("\r");
    let size = || fs::metadata(lab.cast()).map_or(0, |meta| meta.len());
    // Until nothing moves any more.
    let (mut last, mut since) = (size(), Instant::now());
    until(SOON, "a session that waits for its terminal", || {
        let now = size();
        if now != last {
            (last, since) = (now, Instant::now());
        }
        since.elapsed() > Duration::from_millis(700)
    });
    for side in sides {
        let resident = resident_kib(side);
        assert!(resident < 64 << 10, "{resident} KiB resident");
    }
    outer.pause(false);
    outer.wait_for_within(Duration::from_secs(40), "done-now");
    let end = outer.end();
    assert_eq!(end.status, 0);
    assert!(end.seen == Cast::read(&lab.cast()).output(), "shown and recorded differ");
    Ok(())
}

fn a_terminal_that_stops_now_and_then_gets_everything() -> Verdict {
    for mode in ["strict", "best_effort"] {
        let lab = Lab::new();
        let script = "echo ready; read x; yes 0123456789abcdef | head -n 600000; echo done-now";
        let mut outer = lab.outer(&lab.record(&["-q", "--mode", mode, "--", "sh", "-c", script]));
        outer.wait_for("ready\r\n");
        outer.send("\r");
        for stop in 0..12 {
            outer.pause(true);
            // What fits everywhere comes to a stop in the longer ones.
            std::thread::sleep(Duration::from_millis(10 + 20 * (stop % 4)));
            outer.pause(false);
            std::thread::sleep(Duration::from_millis(5));
        }
        outer.wait_for_within(Duration::from_secs(40), "done-now");
        let end = outer.end();
        assert_eq!(end.status, 0, "{mode}");
        assert!(end.seen == Cast::read(&lab.cast()).output(), "{mode}: shown and recorded differ");
    }
    Ok(())
}

fn an_idle_session_uses_no_cpu() -> Verdict {
    let lab = Lab::new();
    let mut outer = lab.outer(&lab.record(&["-q", "--", "sh", "-c", "echo ready; read x"]));
    outer.wait_for("ready\r\n");
    let sides = [outer.pid(), recording_side(outer.pid())];
    let used = || sides.iter().map(|&pid| cpu_ticks(pid)).sum::<u64>();
    let before = used();
    // Not to wait for anything: this is the time that is measured.
    std::thread::sleep(Duration::from_secs(1));
    assert!(used() - before <= 3, "{} ticks of CPU in an idle second", used() - before);
    outer.send("\r");
    outer.end();
    Ok(())
}

fn recmode_can_not_be_traced_by_its_user() -> Verdict {
    let mut lab = Lab::new();
    if is_root() {
        needs_tools(&["setpriv"])?;
        let copy = lab.copy_of_recmode();
        fs::set_permissions(lab.dir(), fs::Permissions::from_mode(0o777)).unwrap();
        let nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups";
        lab = lab.wrap(&nobody.split(' ').map(str::to_owned).collect::<Vec<_>>());
        let copy = copy.to_str().unwrap().to_owned();
        let mut outer =
            lab.outer(&[&copy, "record", "-q", "-o", "n.cast", "--", "sh", "-c", "echo ready; read x"]);
        check_untraceable(&mut outer);
    } else {
        let mut outer = lab.outer(&lab.record(&["-q", "--", "sh", "-c", "echo ready; read x"]));
        check_untraceable(&mut outer);
    }
    Ok(())
}

fn check_untraceable(outer: &mut Outer) {
    outer.wait_for("ready\r\n");
    let sides = [outer.pid(), recording_side(outer.pid())];
    for pid in sides {
        // The files of a process that may not be dumped belong to root.
        let owner = fs::metadata(format!("/proc/{pid}/environ")).unwrap().uid();
        assert_eq!(owner, 0, "the owner of /proc/{pid}");
    }
    outer.send("\r");
    assert_eq!(outer.end().status, 0);
}

fn the_times_of_events_are_those_of_the_output() -> Verdict {
    let lab = Lab::new();
    let mut outer = lab.outer(&lab.record(&["-q", "--", "sh", "-c", "echo one; read x; echo two"]));
    outer.wait_for("one\r\n");
    let start = Instant::now();
    // The pause that the recording must show.
    std::thread::sleep(Duration::from_millis(600));
    outer.send("\r");
    outer.wait_for("two\r\n");
    let paused = start.elapsed().as_secs_f64();
    outer.end();
    let cast = Cast::read(&lab.cast());
    assert_eq!(count(&cast.output(), "two"), 1);
    let times = cast.times();
    let (first, last) = (times[0], *times.last().unwrap());
    assert!(last - first > 0.59 && last - first < paused + 2.0, "{first} to {last}, paused for {paused}");
    Ok(())
}
