//! The user's terminal goes away, and recmode is signalled: what the command gets of it, what is recorded, who lives on.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::harness::{
    Cast, Lab, Line, Node, Outer, Recordings, SOON, Verdict, alive, find, kill, named_pid, needs_tools,
    tests, until, working_in,
};

tests![
    a_command_that_ignores_a_hang_up_is_recorded_until_it_is_silent_and_lives_on,
    a_clean_up_that_takes_a_while_is_done_and_recorded,
    a_command_that_prints_without_end_is_recorded_for_16_mib_after_a_hang_up,
    who_waits_for_input_after_a_hang_up_sees_its_end,
    signals_to_recmode_reach_the_command_as_themselves,
    a_signal_reaches_what_the_shell_is_about_to_run,
    a_second_signal_ends_a_session_whose_command_does_not,
    end_ends_what_the_command_leaves_behind,
    end_waits_for_the_command_after_a_hang_up,
    a_strict_login_ends_with_its_shell_also_when_the_client_vanishes,
    a_command_of_a_vanished_client_runs_to_its_end,
    a_hang_up_without_a_terminal_closes_the_pipes_after_a_while,
];

/// How long a silent command keeps its terminal.
const SILENCE: Duration = Duration::from_secs(5);

/// The events of a log of JSON lines.
fn events(log: &Path, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(log).unwrap_or_default();
    let events = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
    events.filter(|event| event["event"] == name).collect()
}

/// What was recorded after the marker of the disconnect.
#[track_caller]
fn after_the_marker(cast: &Cast) -> String {
    let is_marker =
        |line: &Line| matches!(line, Line::Event { code, data, .. } if code == "m" && data == "disconnected");
    let at = cast.lines.iter().position(is_marker).expect("the marker");
    let after = cast.lines[at..].iter().filter_map(|line| match line {
        Line::Event { code, data, .. } if code == "o" => Some(data.as_str()),
        _ => None,
    });
    after.collect()
}

fn record(lab: &Lab, args: &[&str], script: &str) -> Outer {
    let args = [&["-q", "--log", "log.jsonl"], args, &["--", "sh", "-c", script]].concat();
    let mut outer = lab.outer(&lab.record(&args));
    outer.wait_for("ready\r\n");
    outer
}

fn a_command_that_ignores_a_hang_up_is_recorded_until_it_is_silent_and_lives_on() -> Verdict {
    for mode in ["strict", "best_effort"] {
        let lab = Lab::new();
        let script = "trap '' HUP; echo $$ > pid; echo ready; sleep 3; echo later; sleep 1000";
        let mut outer = record(&lab, &["--mode", mode], script);
        let command = named_pid(&lab.path("pid"));
        let begun = Instant::now();
        outer.hang_up();
        assert_eq!(outer.wait_exit(SOON * 2), 129, "{mode}");
        assert!(begun.elapsed() >= SILENCE, "{mode}: it was not waited for");
        until(SOON, "the end of the recording", || Cast::read(&lab.cast()).is_closed());
        let cast = Cast::read(&lab.cast());
        cast.assert_closed(129);
        assert_eq!(cast.records("end")[0]["reason"], "hangup");
        assert_eq!(after_the_marker(&cast), "later\r\n", "{mode}");
        assert!(alive(command), "{mode}: the command was ended");
        until(SOON, "the end in the log", || !events(&lab.path("log.jsonl"), "end").is_empty());
        let survivors = events(&lab.path("log.jsonl"), "survivor");
        assert!(
            survivors.iter().any(|event| event["pid"] == command && event["program"] == "sh"),
            "{survivors:?}"
        );
        for pid in working_in(lab.dir()) {
            kill(pid, Signal::SIGKILL);
        }
    }
    Ok(())
}

fn a_clean_up_that_takes_a_while_is_done_and_recorded() -> Verdict {
    let lab = Lab::new();
    let script = "trap 'sleep 3; echo cleaned; echo yes > cleaned; exit 0' HUP; echo ready; while :; do sleep 0.1; done";
    let mut outer = record(&lab, &["--mode", "strict"], script);
    outer.hang_up();
    assert_eq!(outer.wait_exit(SOON * 2), 129);
    assert!(lab.exists("cleaned"), "it was ended before it was done");
    let cast = Cast::read(&lab.cast());
    cast.assert_closed(129);
    // The shell may tell of the sleep that the hang-up has ended.
    let after = after_the_marker(&cast);
    assert!(after.ends_with("cleaned\r\n"), "{after}");
    assert!(events(&lab.path("log.jsonl"), "survivor").is_empty());
    Ok(())
}

fn a_command_that_prints_without_end_is_recorded_for_16_mib_after_a_hang_up() -> Verdict {
    let lab = Lab::new();
    let script = "trap '' HUP; echo ready; yes 0123456789abcdef";
    let mut outer = record(&lab, &["--mode", "strict"], script);
    outer.hang_up();
    assert_eq!(outer.wait_exit(Duration::from_secs(50)), 129);
    let recorded = after_the_marker(&Cast::read(&lab.cast())).len();
    assert!((16 << 20..20 << 20).contains(&recorded), "{recorded} bytes");
    until(SOON, "the end of what has no terminal any more", || working_in(lab.dir()).is_empty());
    Ok(())
}

fn who_waits_for_input_after_a_hang_up_sees_its_end() -> Verdict {
    let lab = Lab::new();
    let mut outer = record(&lab, &[], "trap '' HUP; echo ready; read x; echo eof > got");
    outer.hang_up();
    assert_eq!(outer.wait_exit(SOON * 2), 129);
    until(SOON, "the end of the input", || lab.exists("got"));
    Ok(())
}

fn signals_to_recmode_reach_the_command_as_themselves() -> Verdict {
    for terminal in [true, false] {
        for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGUSR1, Signal::SIGUSR2] {
            let lab = Lab::new();
            let name = signal.as_str().strip_prefix("SIG").unwrap();
            // Longer than a hang-up's force took.
            let script = format!(
                "trap 'sleep 3; echo got-{name}; exit 7' {name}; echo $PPID > pid; echo ready; while :; do sleep 0.1; done"
            );
            let args = lab.record(&["-q", "--", "sh", "-c", &script]);
            let status = if terminal {
                let mut outer = lab.outer(&args);
                outer.wait_for("ready\r\n");
                outer.kill(signal);
                let end = outer.end();
                assert!(end.restored && find(&end.seen, format!("got-{name}")).is_some(), "{name}");
                end.status
            } else {
                std::thread::scope(|scope| {
                    scope.spawn(|| kill(named_pid(&lab.path("pid")), signal));
                    lab.run(&args, b"").status
                })
            };
            assert_eq!(status, 7, "{name}");
            let cast = Cast::read(&lab.cast());
            cast.assert_closed(7);
            assert_eq!(cast.records("end")[0]["reason"], "exit");
        }
    }
    Ok(())
}

fn a_signal_reaches_what_the_shell_is_about_to_run() -> Verdict {
    // A child of the shell's whose handler takes the signal, and that becomes another program then.
    let lab = Lab::new();
    let script = "trap : USR1; (trap 'exec sleep 1000' USR1; echo ready; while :; do sleep 0.1; done) & wait; wait; exit 5";
    let mut outer = record(&lab, &[], script);
    outer.kill(Signal::SIGUSR1);
    assert_eq!(outer.end().status, 5);
    Ok(())
}

fn a_second_signal_ends_a_session_whose_command_does_not() -> Verdict {
    for (first, second) in [
        (Signal::SIGTERM, Signal::SIGTERM),
        (Signal::SIGINT, Signal::SIGQUIT),
        (Signal::SIGUSR1, Signal::SIGUSR1),
    ] {
        let lab = Lab::new();
        let script = "trap '' HUP; trap 'echo heard; : > heard' TERM INT QUIT USR1; echo $$ > pid; echo ready
            while :; do sleep 0.1; done";
        let mut outer = record(&lab, &[], script);
        let command = named_pid(&lab.path("pid"));
        outer.kill(first);
        until(SOON, "the first one", || lab.exists("heard"));
        outer.kill(second);
        if first == Signal::SIGUSR1 {
            // That is none to end a session by.
            outer.wait_for("heard");
            outer.wait_for("heard");
            outer.kill(Signal::SIGTERM);
            outer.wait_for("heard");
            outer.kill(Signal::SIGTERM);
        }
        let end = outer.end();
        let by = if first == Signal::SIGUSR1 { Signal::SIGTERM } else { second };
        assert_eq!(end.status, 128 + by as i32);
        assert!(end.restored);
        let cast = Cast::read(&lab.cast());
        cast.assert_closed(end.status);
        assert_eq!(cast.records("end")[0]["reason"], "signal");
        until(SOON, "the command's end", || !alive(command));
    }
    Ok(())
}

/// Starts a job that no hang-up ends, which names itself in the file `job`.
const JOB: &str = "nohup sh -c 'echo $$ > job; exec sleep 1000' > /dev/null 2>&1 < /dev/null & \
                   until [ -s job ]; do sleep 0.01; done";

fn end_ends_what_the_command_leaves_behind() -> Verdict {
    for (mode, after, ends) in [
        ("strict", "end", true),
        ("best_effort", "end", true),
        ("strict", "leave", false),
        ("strict", "", false),
    ] {
        for script in [JOB.to_owned(), format!("setsid {JOB}")] {
            let lab = Lab::new();
            let mut args = vec!["-q", "--mode", mode];
            if !after.is_empty() {
                args.extend(["--after-session", after]);
            }
            let script = format!("{script}; exit 6");
            args.extend(["--", "sh", "-c", &script]);
            assert_eq!(lab.outer(&lab.record(&args)).end().status, 6);
            let job = named_pid(&lab.path("job"));
            assert_eq!(alive(job), !ends, "{mode}, {after:?}, {script}");
            if !ends {
                kill(job, Signal::SIGKILL);
            }
            Cast::read(&lab.cast()).assert_closed(6);
        }
    }
    Ok(())
}

fn end_waits_for_the_command_after_a_hang_up() -> Verdict {
    let lab = Lab::new();
    let script = format!("trap '' HUP; {JOB}; echo ready; sleep 8; echo unheard; : > done; exit 3");
    let mut outer = record(&lab, &["--mode", "strict", "--after-session", "end"], &script);
    let job = named_pid(&lab.path("job"));
    outer.hang_up();
    assert_eq!(outer.wait_exit(SOON * 2), 129);
    assert!(lab.exists("done"), "the command was not waited for");
    assert!(!alive(job), "the job lives on");
    let cast = Cast::read(&lab.cast());
    cast.assert_closed(129);
    assert_eq!(after_the_marker(&cast), "");
    assert!(events(&lab.path("log.jsonl"), "survivor").is_empty());
    Ok(())
}

/// Room enough.
const ROOMY: Recordings = Recordings::Small(8 * 1024);

fn a_strict_login_ends_with_its_shell_also_when_the_client_vanishes() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    let running = |user: &str| node.try_sh(&format!("pgrep -u {user} sleep")).0 == 0;
    for (user, ends) in [("stella", true), ("bess", false)] {
        for vanishes in [true, false] {
            let mut outer = node.log_in(&lab, user, &[]);
            outer.wait_for("$ ");
            outer.send("nohup sleep 1000 > /dev/null 2>&1 & sleep 0.1; echo rea''dy\r");
            outer.wait_for("ready\r\n");
            if vanishes {
                outer.kill(Signal::SIGKILL);
            } else {
                outer.send("exit\rexit\r");
            }
            outer.wait_exit(SOON);
            until(SOON, "the end of the recording", || node.latest(user).is_closed());
            let status = if vanishes { 129 } else { 0 };
            node.latest(user).assert_closed(status);
            if ends {
                until(SOON, "the job's end", || !running(user));
            } else {
                assert!(running(user), "the job of {user} was ended");
                node.sh(&format!("pkill -u {user} sleep"));
            }
        }
    }
    Ok(())
}

fn a_command_of_a_vanished_client_runs_to_its_end() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    // What sshd alone lets finish: with a terminal, and without one.
    for user in ["stella", "bess"] {
        for tty in ["-tt", "-T"] {
            node.sh(&format!(
                "printf '#!/bin/sh\\n: > began; sleep 7; echo \"$(id -un) {tty}\" > upgraded\\n' > /home/{user}/upgrade
                 chmod 755 /home/{user}/upgrade; rm -f /home/{user}/began /home/{user}/upgraded"
            ));
            let mut outer = lab.outer(&node.ssh(user, &[tty], &["nohup ./upgrade"]));
            until(SOON, "its start", || node.here(&format!("/home/{user}/began")).exists());
            outer.kill(Signal::SIGKILL);
            outer.wait_exit(SOON);
            until(SOON * 2, "its end", || node.here(&format!("/home/{user}/upgraded")).exists());
            until(SOON, "the end of the recording", || node.latest(user).is_closed());
            node.latest(user).assert_closed(if tty == "-tt" { 129 } else { 0 });
        }
    }
    Ok(())
}

fn a_hang_up_without_a_terminal_closes_the_pipes_after_a_while() -> Verdict {
    needs_tools(&["bash"])?;
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    let script = "trap '' HUP; kill -HUP $PPID; sleep 2; echo later; sleep 8; echo unheard; : > went-on";
    for (user, waits) in [("stella", true), ("bess", false)] {
        let begun = Instant::now();
        let run = node.run(&lab, user, &[&script.replace("echo unheard", "trap '' PIPE; echo unheard")], b"");
        assert_eq!((run.status, run.stdout()), (129, "later\n".to_owned()), "{user}: {}", run.stderr());
        assert!(begun.elapsed() >= SILENCE, "{user}");
        let went_on = || node.here(&format!("/home/{user}/went-on")).exists();
        if waits {
            assert!(went_on(), "it was not waited for");
        }
        until(SOON * 2, "the command's own end", went_on);
        let cast = node.latest(user);
        cast.assert_closed(129);
        assert_eq!(cast.events("m"), ["disconnected"]);
    }
    Ok(())
}
