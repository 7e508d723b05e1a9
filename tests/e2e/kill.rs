//! SIGKILL for either process of the recorder under heavy output: what was shown in strict mode is in the file.

use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::sys::signal::Signal;

use crate::harness::{
    Cast, Lab, Outer, SOON, Verdict, alive, assert_shown_is_recorded, find, kill, named_pid, recording_side,
    tests, until,
};

tests![
    what_strict_showed_is_recorded_when_the_terminal_side_is_killed,
    what_strict_showed_is_recorded_when_the_recording_side_is_killed,
    what_strict_showed_is_recorded_when_both_sides_are_killed,
    a_recording_is_readable_at_every_moment_and_holds_what_was_shown,
    the_command_does_not_live_on_unrecorded_when_both_sides_are_killed,
    the_next_prompt_works_when_the_terminal_side_was_killed,
];

const ROUNDS: u32 = 6;

/// A number of bytes to wait for, another each time.
fn moment(round: u32) -> usize {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").subsec_nanos();
    let spread = [4_000, 60_000, 700_000][round as usize % 3];
    1_000 + (now / 7 % spread) as usize
}

/// A strict session that prints numbers until it is stopped.
fn heavy(lab: &Lab) -> Outer {
    let outer = lab.outer(&lab.record(&["-q", "--mode", "strict", "--", "seq", "1", "100000000"]));
    outer.wait_for_bytes(1);
    outer
}

fn a_recording_is_readable_at_every_moment_and_holds_what_was_shown() -> Verdict {
    let lab = Lab::new();
    let script = "i=0; while :; do seq $i $((i+200)); i=$((i+200)); sleep 0.005; done";
    let mut outer = lab.outer(&lab.record(&["-q", "--mode", "strict", "--", "sh", "-c", script]));
    for n in 1..=20 {
        outer.wait_for_bytes(n * 3_000);
        let seen = outer.seen();
        let recorded = Cast::read(&lab.cast()).output();
        assert!(recorded.starts_with(&seen), "{} bytes shown, {} recorded", seen.len(), recorded.len());
    }
    outer.send("\x03");
    assert_eq!(outer.end().status, 130);
    Cast::read(&lab.cast()).assert_closed(130);
    Ok(())
}

fn what_strict_showed_is_recorded_when_the_terminal_side_is_killed() -> Verdict {
    for round in 0..ROUNDS {
        let lab = Lab::new();
        let mut outer = heavy(&lab);
        let side = recording_side(outer.pid());
        outer.wait_for_bytes(moment(round));
        outer.kill(Signal::SIGKILL);
        let end = outer.end();
        assert_eq!(end.status, 137);
        until(SOON, "the end of the recording side", || !alive(side));
        let cast = Cast::read(&lab.cast());
        cast.assert_closed(137);
        assert!(cast.output().starts_with(&end.seen), "round {round}: shown but not recorded");
    }
    Ok(())
}

fn what_strict_showed_is_recorded_when_the_recording_side_is_killed() -> Verdict {
    for round in 0..ROUNDS {
        let lab = Lab::new();
        let mut outer = heavy(&lab);
        let side = recording_side(outer.pid());
        outer.wait_for_bytes(moment(round));
        kill(side, Signal::SIGKILL);
        let end = outer.end_within(Duration::from_secs(15));
        assert_eq!(end.status, 124, "round {round}");
        assert!(end.restored);
        assert_shown_is_recorded(&end.seen, &Cast::read(&lab.cast()).output());
    }
    Ok(())
}

fn what_strict_showed_is_recorded_when_both_sides_are_killed() -> Verdict {
    for round in 0..ROUNDS {
        let lab = Lab::new();
        let mut outer = heavy(&lab);
        let side = recording_side(outer.pid());
        outer.wait_for_bytes(moment(round));
        kill(side, Signal::SIGKILL);
        outer.kill(Signal::SIGKILL);
        let end = outer.end();
        // Between the two, the terminal side may have ended the session by itself.
        assert_shown_is_recorded(&end.seen, &Cast::read(&lab.cast()).output());
    }
    Ok(())
}

fn the_command_does_not_live_on_unrecorded_when_both_sides_are_killed() -> Verdict {
    for terminal in [true, false] {
        let lab = Lab::new();
        // A builtin that is interrupted: the trap is run at once.
        let script = "trap 'echo hang-up > got; exit' HUP; echo $$ > pid; while :; do sleep 0.05; done";
        let record = lab.record(&["-q", "--mode", "strict", "--", "sh", "-c", script]);
        let (mut on_terminal, mut piped) = (None, None);
        let recmode = if terminal {
            on_terminal.insert(lab.outer(&record)).pid()
        } else {
            let mut command = lab.command(false, &record);
            let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
            piped.insert(child).id().cast_signed()
        };
        let command = named_pid(&lab.path("pid"));
        let side = recording_side(recmode);
        // Neither may see the other's end before its own.
        kill(side, Signal::SIGSTOP);
        kill(recmode, Signal::SIGKILL);
        kill(side, Signal::SIGKILL);
        until(SOON, "the command's end", || !alive(command));
        assert!(lab.exists("got"), "no SIGHUP came");
        if let Some(mut child) = piped {
            child.wait().unwrap();
        }
    }
    Ok(())
}

fn the_next_prompt_works_when_the_terminal_side_was_killed() -> Verdict {
    let lab = Lab::new().env("PS1", "$ ");
    let mut outer = lab.outer(&["bash", "--norc", "--noprofile"]);
    outer.wait_for("$ ");
    outer.send("stty -a\r");
    outer.wait_for("stty -a\r\n");
    outer.wait_for("$ ");
    let before = outer.seen();
    let at = |seen: &[u8]| find(seen, "speed ").expect("what stty prints");
    let before = before[at(&before)..].to_vec();
    outer.send("\"$RECMODE\" record -q --mode strict -o \"$CAST\" -- sh -c 'echo $PPID > pid; echo rea\"\"dy; sleep 60'\r");
    outer.wait_for("ready\r\n");
    assert!(outer.is_raw());
    kill(named_pid(&lab.path("pid")), Signal::SIGKILL);
    outer.wait_for("Killed");
    outer.wait_for("$ ");
    let from = outer.seen_len();
    outer.send("stty -a\r");
    outer.wait_for("stty -a\r\n");
    outer.wait_for("$ ");
    let after = outer.seen()[from..].to_vec();
    assert_eq!(String::from_utf8_lossy(&after[at(&after)..]), String::from_utf8_lossy(&before));
    Ok(())
}
