//! What is done to the recording or its process under a running session.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::harness::{
    Call, Cast, Fault, FaultyDisk, Lab, MESSAGE_B, MESSAGE_C, Outer, SOON, Verdict, assert_shown_is_recorded,
    children, count, find, kill, recmode, recording_side, show, strip_escapes, tests, until, waits,
};

tests![
    strict_ends_the_session_when_the_file_vanishes,
    a_file_that_vanishes_at_once_is_noticed,
    a_file_that_vanishes_during_a_sync_has_a_successor,
    strict_end_in_the_middle_of_a_line_gets_lines_of_its_own,
    a_warning_in_the_middle_of_a_line_gets_a_line_of_its_own,
    strict_ends_the_session_when_the_file_is_cut,
    strict_ends_the_session_when_another_writes_to_the_file,
    best_effort_goes_on_in_a_new_file_when_the_file_vanishes,
    strict_ends_the_session_when_the_recording_side_is_killed,
    best_effort_goes_on_when_the_recording_side_is_killed,
    of_two_files_only_the_one_that_vanished_is_told_of,
    a_link_on_the_way_that_leads_elsewhere_is_noticed,
    output_without_a_pause_hides_nothing_that_is_done_to_the_file,
    a_file_that_was_left_is_not_recovered_while_its_session_runs,
    the_files_of_a_session_that_went_on_are_one_session,
    a_session_whose_first_file_was_removed_lacks_it,
    what_a_killed_recorder_left_is_one_session_with_the_rest,
];

/// A session that prints a line now and then, and the file it is recorded to.
fn ticking(lab: &Lab, mode: &str) -> Outer {
    ticking_with(lab, &["-q", "--mode", mode])
}

fn ticking_with(lab: &Lab, options: &[&str]) -> Outer {
    let script = "echo ready; i=0; while [ $i -lt 600 ]; do i=$((i+1)); echo tick $i; sleep 0.1; done";
    let mut outer = lab.outer(&lab.record(&[options, &["--", "sh", "-c", script]].concat()));
    outer.wait_for("ready\r\n");
    outer.wait_for("tick 2\r\n");
    // Best effort shows first. A byte that came just before the write would be written over, and nothing be wrong.
    let is_recorded = || {
        let cast = Cast::try_read(&lab.cast());
        cast.is_some_and(|cast| cast.output().ends_with(b"tick 2\r\n"))
    };
    until(SOON, "tick 2 in the recording", is_recorded);
    outer
}

fn strict_ends_the_session_when_the_file_vanishes() -> Verdict {
    let lab = Lab::new();
    let mut outer = ticking(&lab, "strict");
    fs::remove_file(lab.cast()).unwrap();
    let end = outer.end();
    assert_eq!(end.status, 124);
    assert!(end.seen.ends_with(MESSAGE_B.as_bytes()), "{}", show(&end.seen));
    Ok(())
}

fn a_file_that_vanishes_at_once_is_noticed() -> Verdict {
    // Nothing is printed, and the session is over before much has been set up for it.
    for words in [&["rm", "rec.cast"][..], &["mv", "rec.cast", "other.cast"]] {
        for (mode, status, message) in [("strict", 124, MESSAGE_B), ("best_effort", 0, MESSAGE_C)] {
            let lab = Lab::new();
            let end = lab.outer(&lab.record(&[&["-q", "--mode", mode, "--"], words].concat())).end();
            assert_eq!(end.status, status, "{words:?}: {}", show(&end.seen));
            assert!(end.seen.ends_with(message.as_bytes()), "{}", show(&end.seen));
            if mode == "best_effort" {
                Cast::read(&lab.path("rec.2.cast")).assert_closed(0);
            }
        }
    }
    Ok(())
}

fn a_file_that_vanishes_during_a_sync_has_a_successor() -> Verdict {
    let lab = Lab::new();
    let disk = FaultyDisk::new(&lab)?;
    disk.break_now(Call::Sync, Fault::Hang);
    // A file that is being synced can't be removed on such a disk; the way to it can.
    let way = lab.path("way");
    symlink(disk.path("."), &way).unwrap();
    let remove = format!("sleep 0.1; rm {}", way.display());
    let args = ["-q", "--mode", "best_effort", "--", "sh", "-c", &remove];
    let mut outer = lab.outer(&lab.record_to(&way.join("rec.cast"), &args));
    until(SOON, "its removal", || !lab.exists("way"));
    // The command is gone, and the end has come to the sync.
    let (pid, side) = (outer.pid(), recording_side(outer.pid()));
    until(SOON, "the end that waits", || children(pid) == [side] && waits(pid) && waits(side));
    disk.heal();
    let end = outer.end();
    assert_eq!(end.status, 0, "{}", show(&end.seen));
    assert!(end.seen.ends_with(MESSAGE_C.as_bytes()), "{}", show(&end.seen));
    Cast::read(&way.join("rec.2.cast")).assert_closed(0);
    Ok(())
}

/// A session that never ends its line.
fn dribbling(lab: &Lab, mode: &str) -> Outer {
    let script = "printf partial; i=0; while [ $i -lt 300 ]; do i=$((i+1)); sleep 0.1; printf .; done";
    let mut outer = lab.outer(&lab.record(&["-q", "--mode", mode, "--", "sh", "-c", script]));
    outer.wait_for("partial.");
    outer
}

fn strict_end_in_the_middle_of_a_line_gets_lines_of_its_own() -> Verdict {
    let lab = Lab::new();
    let mut outer = dribbling(&lab, "strict");
    fs::remove_file(lab.cast()).unwrap();
    let end = outer.end();
    assert_eq!(end.status, 124);
    let plain = strip_escapes(&end.seen);
    let last = format!(".\r\n{MESSAGE_B}");
    assert!(plain.ends_with(last.as_bytes()), "the line ended, and an empty one: {}", show(&plain));
    Ok(())
}

fn a_warning_in_the_middle_of_a_line_gets_a_line_of_its_own() -> Verdict {
    let lab = Lab::new();
    let mut outer = dribbling(&lab, "best_effort");
    fs::remove_file(lab.cast()).unwrap();
    outer.wait_for(format!("\r\n{MESSAGE_C}"));
    outer.wait_for(".");
    outer.send("\x03");
    assert_eq!(outer.end().status, 130);
    Ok(())
}

fn strict_ends_the_session_when_the_file_is_cut() -> Verdict {
    let lab = Lab::new();
    let mut outer = ticking(&lab, "strict");
    OpenOptions::new().write(true).open(lab.cast()).unwrap().set_len(20).unwrap();
    let end = outer.end();
    assert_eq!(end.status, 124);
    assert!(end.seen.ends_with(MESSAGE_B.as_bytes()), "{}", show(&end.seen));
    Ok(())
}

fn strict_ends_the_session_when_another_writes_to_the_file() -> Verdict {
    let lab = Lab::new();
    let mut outer = ticking(&lab, "strict");
    OpenOptions::new().append(true).open(lab.cast()).unwrap().write_all(b"[1, \"o\", \"forged\"]\n").unwrap();
    let end = outer.end();
    assert_eq!(end.status, 124);
    assert!(end.seen.ends_with(MESSAGE_B.as_bytes()), "{}", show(&end.seen));
    Ok(())
}

fn best_effort_goes_on_in_a_new_file_when_the_file_vanishes() -> Verdict {
    let lab = Lab::new();
    let mut outer = ticking(&lab, "best_effort");
    fs::remove_file(lab.cast()).unwrap();
    outer.wait_for(MESSAGE_C);
    let new = || {
        let names = fs::read_dir(lab.dir()).unwrap().flatten().map(|entry| entry.path());
        names.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "cast"))
    };
    until(SOON, "a new recording", || {
        new().and_then(|file| Cast::try_read(&file)).is_some_and(|cast| !cast.events("o").is_empty())
    });
    outer.send("\x03");
    assert_eq!(outer.end().status, 130);
    let cast = Cast::read(&new().unwrap());
    cast.assert_closed(130);
    assert!(!cast.events("m").is_empty(), "a word of what is not in it");
    Ok(())
}

fn strict_ends_the_session_when_the_recording_side_is_killed() -> Verdict {
    let lab = Lab::new();
    let mut outer = ticking(&lab, "strict");
    kill(recording_side(outer.pid()), Signal::SIGKILL);
    let end = outer.end();
    assert_eq!(end.status, 124);
    assert!(end.restored);
    assert!(end.seen.ends_with(MESSAGE_B.as_bytes()), "{}", show(&end.seen));
    assert_shown_is_recorded(&end.seen, &Cast::read(&lab.cast()).output());
    Ok(())
}

fn best_effort_goes_on_when_the_recording_side_is_killed() -> Verdict {
    let lab = Lab::new();
    let mut outer = ticking(&lab, "best_effort");
    kill(recording_side(outer.pid()), Signal::SIGKILL);
    outer.wait_for(MESSAGE_C);
    // A new one goes on in a file of its own.
    let second = lab.path("rec.2.cast");
    until(SOON, "the second file", || {
        Cast::try_read(&second).is_some_and(|cast| find(&cast.output(), "tick ").is_some())
    });
    outer.wait_for("tick ");
    outer.send("\x03");
    let end = outer.end();
    assert_eq!(end.status, 130);
    assert!(end.restored);
    assert_eq!(count(&end.seen, "node error"), 1);
    let (first, second) = (Cast::read(&lab.cast()), Cast::read(&second));
    second.assert_closed(130);
    assert_eq!((second.ours("segment"), second.ours("first")), (&2.into(), &"rec.cast".into()));
    let gap = second.records("gap")[0];
    assert_eq!(gap["error"], "recorder_gone");
    assert!(gap["seconds"].as_f64().is_some_and(|seconds| seconds > 0.9), "{gap}");
    // All that was shown is in the first file, in the gap, or in the second.
    let shown = end.seen.len() as u64 - MESSAGE_C.len() as u64;
    let (before, after) = (first.output(), second.output());
    assert!(end.seen.starts_with(&before) && end.seen.ends_with(&after), "{}", show(&end.seen));
    let held = (before.len() + after.len()) as u64;
    assert!(held + second.lost() >= shown - 2, "{held} held, {} lost, {shown} shown", second.lost());
    assert_eq!(second.records("end")[0]["bytes"], held);
    Ok(())
}

fn of_two_files_only_the_one_that_vanished_is_told_of() -> Verdict {
    let lab = Lab::new();
    let mut outer = ticking_with(&lab, &["--mode", "best_effort"]);
    kill(recording_side(outer.pid()), Signal::SIGKILL);
    let second = lab.path("rec.2.cast");
    until(SOON, "the second file", || {
        Cast::try_read(&second).is_some_and(|cast| find(&cast.output(), "tick ").is_some())
    });
    // Nor can there be a third one.
    let aside = lab.dir().with_extension("aside");
    fs::rename(lab.dir(), &aside).unwrap();
    fs::write(lab.dir(), "").unwrap();
    outer.send("\x03");
    let end = outer.end();
    fs::remove_file(lab.dir()).unwrap();
    fs::rename(&aside, lab.dir()).unwrap();
    assert_eq!(end.status, 130);
    let seen = show(&end.seen);
    let told = |file: &str| seen.contains(&format!("{file}: the recording was moved, removed or changed"));
    assert!(told("/rec.2.cast") && !told("/rec.cast"), "{seen}");
    Ok(())
}

fn a_link_on_the_way_that_leads_elsewhere_is_noticed() -> Verdict {
    for change in ["unlink", "rename", "above its target"] {
        let lab = Lab::new();
        for directory in ["one/deep", "two", "way"] {
            fs::create_dir_all(lab.path(directory)).unwrap();
        }
        symlink("../one/deep", lab.path("way/link")).unwrap();
        // Nothing that is due makes it look by chance within five seconds.
        let args = ["-q", "--mode", "strict", "--sync", "none", "--", "sh", "-c", "echo ready; sleep 60"];
        let mut outer = lab.outer(&lab.record_to(&lab.path("way/link/rec.cast"), &args));
        outer.wait_for("ready\r\n");
        match change {
            "unlink" => fs::remove_file(lab.path("way/link")).unwrap(),
            "rename" => {
                symlink("../two", lab.path("new")).unwrap();
                fs::rename(lab.path("new"), lab.path("way/link")).unwrap();
            }
            _ => fs::rename(lab.path("one"), lab.path("other")).unwrap(),
        }
        outer.wait_for_within(Duration::from_secs(3), MESSAGE_B);
        assert_eq!(outer.end().status, 124, "{change}");
    }
    Ok(())
}

fn output_without_a_pause_hides_nothing_that_is_done_to_the_file() -> Verdict {
    let lab = Lab::new();
    let disk = FaultyDisk::new(&lab)?;
    // Slow enough that there is always more to write.
    disk.break_now(Call::Write, Fault::Delay(Duration::from_millis(50)));
    let args = ["-q", "--mode", "best_effort", "--sync", "none", "--", "sh", "-c", "yes; exit 3"];
    let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args));
    outer.wait_for_bytes(2_000_000);
    lab.run(&["umount", "--lazy", disk.path(".").to_str().unwrap()], b"");
    let begun = Instant::now();
    outer.wait_for(MESSAGE_C);
    assert!(begun.elapsed() < Duration::from_secs(3), "noticed after {:?}", begun.elapsed());
    outer.send("\x03");
    outer.end();
    Ok(())
}

fn a_file_that_was_left_is_not_recovered_while_its_session_runs() -> Verdict {
    let lab = Lab::new();
    let mut outer = ticking(&lab, "best_effort");
    OpenOptions::new().append(true).open(lab.cast()).unwrap().write_all(b"\n").unwrap();
    outer.wait_for(MESSAGE_C);
    until(SOON, "a second file", || Cast::try_read(&lab.path("rec.2.cast")).is_some());
    let left = fs::read(lab.cast()).unwrap();
    let recover = || lab.run(&[recmode(), "recover", "rec.cast"], b"").stdout();
    assert_eq!(recover(), "rec.cast: still being recorded\n");
    assert!(fs::read(lab.cast()).unwrap() == left, "it was changed");
    outer.send("\x03");
    assert_eq!(outer.end().status, 130);
    until(SOON, "the end of the recorder", || recover() != "rec.cast: still being recorded\n");
    assert_eq!(recover(), "rec.cast: complete\n");
    Ok(())
}

/// Waits for output in the second file, and ends the session.
fn end_in_second_file(lab: &Lab, mut outer: Outer) {
    let second = lab.path("rec.2.cast");
    let goes_on = || Cast::try_read(&second).is_some_and(|cast| find(&cast.output(), "tick ").is_some());
    until(SOON, "the second file", goes_on);
    outer.send("\x03");
    assert_eq!(outer.end().status, 130);
    Cast::read(&second).assert_closed(130);
}

/// What a command says of a file, as JSON.
fn json(lab: &Lab, command: &str, file: &str) -> serde_json::Value {
    let out = lab.run(&[recmode(), command, "--format", "json", file], b"").stdout();
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{command} {file}: {error}: {out}"))
}

fn the_files_of_a_session_that_went_on_are_one_session() -> Verdict {
    let lab = Lab::new();
    let mut outer = ticking(&lab, "best_effort");
    OpenOptions::new().append(true).open(lab.cast()).unwrap().write_all(b"[9, \"o\", \"forged\"]\n").unwrap();
    outer.wait_for(MESSAGE_C);
    end_in_second_file(&lab, outer);
    let (first, second) = (Cast::read(&lab.cast()), Cast::read(&lab.path("rec.2.cast")));
    let first = first.output();
    let own = first.strip_suffix(b"forged").expect("what was appended is last");
    for file in ["rec.cast", "rec.2.cast"] {
        let run = lab.run(&[recmode(), "cat", "--raw", file], b"");
        assert_eq!(
            run.stdout().as_bytes(),
            [own, &second.output()].concat(),
            "{file}: only what was recorded"
        );
        let verified = lab.run(&[recmode(), "verify", file], b"");
        assert_eq!(verified.status, 0, "{}", verified.stdout());
        assert!(verified.stdout().ends_with(", 2 files: intact\n"), "{}", verified.stdout());
        let (info, list) = (json(&lab, "info", file), json(&lab, "ls", file));
        let row = &list["recordings"][0];
        assert_eq!(list["recordings"].as_array().map(Vec::len), Some(1), "{list}");
        assert_eq!((&info["duration"], &info["state"]), (&row["duration"], &"gap".into()));
        assert_eq!(info["duration"], second.records("end")[0]["seconds"]);
        assert_eq!(info["segments"], row["segments"]);
    }
    Ok(())
}

fn a_session_whose_first_file_was_removed_lacks_it() -> Verdict {
    let lab = Lab::new();
    let mut outer = ticking(&lab, "best_effort");
    fs::remove_file(lab.cast()).unwrap();
    outer.wait_for(MESSAGE_C);
    end_in_second_file(&lab, outer);
    let missing = "segment 1 of the session, rec.cast, is missing";
    let verified = lab.run(&[recmode(), "verify", "rec.2.cast"], b"");
    assert_eq!(verified.status, 1, "{}", verified.stdout());
    assert!(
        verified.stdout().ends_with(&format!(", 1 file: incomplete; {missing}\n")),
        "{}",
        verified.stdout()
    );
    let info = json(&lab, "info", "rec.2.cast");
    assert_eq!(info["missing"][0], missing);
    assert_eq!(info["duration"], json(&lab, "ls", "rec.2.cast")["recordings"][0]["duration"]);
    assert_eq!(info["start"], json(&lab, "ls", "rec.2.cast")["recordings"][0]["start"]);
    Ok(())
}

fn what_a_killed_recorder_left_is_one_session_with_the_rest() -> Verdict {
    let lab = Lab::new();
    let mut outer = ticking(&lab, "best_effort");
    kill(recording_side(outer.pid()), Signal::SIGKILL);
    outer.wait_for(MESSAGE_C);
    end_in_second_file(&lab, outer);
    let (first, second) = (Cast::read(&lab.cast()), Cast::read(&lab.path("rec.2.cast")));
    let raw = lab.run(&[recmode(), "cat", "--raw", "rec.cast"], b"").stdout();
    assert_eq!(raw.as_bytes(), [first.output(), second.output()].concat());
    // The pause is in the session's time, as it is in the end record.
    assert_eq!(json(&lab, "info", "rec.cast")["duration"], second.records("end")[0]["seconds"]);
    // Nobody knows whether all of the first file is there.
    assert_eq!(lab.run(&[recmode(), "verify", "rec.cast"], b"").status, 1);
    Ok(())
}
