//! DESIGN §3's first row: a recording that can't be started, in both modes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use crate::faulty::{
    CHATTER, WRITES, assert_gaps, chatter_bytes, injecting, limited, on_tmpfs, with_disk, without_notes,
};
use crate::harness::{
    Cast, End, Lab, MESSAGE_C, Skip, Verdict, count, find, is_root, message_a, needs_tools, recmode, show,
    tests, until,
};

tests![
    strict_on_a_full_disk_refuses_the_start,
    strict_without_inodes_refuses_the_start,
    strict_names_the_kind_when_it_refuses_the_start,
    strict_refusal_goes_to_stderr_without_a_terminal_even_when_quiet,
    strict_under_a_file_size_limit_refuses_the_start,
    strict_where_it_may_not_write_refuses_the_start,
    strict_on_a_read_only_disk_refuses_the_start,
    strict_below_a_file_refuses_the_start,
    best_effort_on_a_full_disk_starts_and_records_once_there_is_room,
    best_effort_on_a_full_disk_that_stays_full_leaves_no_empty_file,
    best_effort_warning_goes_to_stderr_without_a_terminal_even_when_quiet,
    quiet_leaves_nothing_but_the_message,
    messages_go_to_the_terminal_when_only_stderr_goes_elsewhere,
    best_effort_under_a_file_size_limit_starts,
    best_effort_where_it_may_not_write_starts,
    best_effort_on_a_read_only_disk_starts,
    a_quota_at_the_start_is_a_recording_failure,
];

#[track_caller]
fn assert_start_refused(lab: &Lab, end: &End, kind: &str, file: &Path) {
    assert_eq!(String::from_utf8_lossy(&end.seen), message_a(kind));
    assert_eq!(end.status, 125);
    assert!(end.restored, "the terminal's modes");
    assert!(!lab.exists("ran"), "the command ran");
    assert!(!file.exists(), "a file was left");
}

const TOUCH: [&str; 6] = ["-q", "--mode", "strict", "--", "touch", "ran"];

fn strict_on_a_full_disk_refuses_the_start() -> Verdict {
    let (lab, disk) = with_disk(256, 0)?;
    let end = lab.outer(&lab.record_to(&disk.path("rec.cast"), &TOUCH)).end();
    assert_start_refused(&lab, &end, "ssh", &disk.here("rec.cast"));
    Ok(())
}

fn strict_without_inodes_refuses_the_start() -> Verdict {
    let (lab, disk) = on_tmpfs("size=256k,nr_inodes=1,mode=755")?;
    let end = lab.outer(&lab.record_to(&disk.path("rec.cast"), &TOUCH)).end();
    assert_start_refused(&lab, &end, "ssh", &disk.here("rec.cast"));
    Ok(())
}

fn strict_names_the_kind_when_it_refuses_the_start() -> Verdict {
    let (lab, disk) = with_disk(256, 0)?;
    for kind in ["ssh", "k8s", "desktop", "db", "app"] {
        let args = ["--kind", kind, "--mode", "strict", "--", "touch", "ran"];
        let end = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args)).end();
        assert_start_refused(&lab, &end, kind, &disk.here("rec.cast"));
    }
    Ok(())
}

fn strict_refusal_goes_to_stderr_without_a_terminal_even_when_quiet() -> Verdict {
    let (lab, disk) = with_disk(256, 0)?;
    let run = lab.run(&lab.record_to(&disk.path("rec.cast"), &TOUCH), b"");
    assert_eq!((run.status, run.stdout().as_str()), (125, ""));
    assert_eq!(run.stderr(), message_a("ssh").replace('\r', ""));
    assert!(!lab.exists("ran") && !disk.here("rec.cast").exists());
    Ok(())
}

fn strict_under_a_file_size_limit_refuses_the_start() -> Verdict {
    needs_tools(&["prlimit"])?;
    for limit in [0, 100] {
        let lab = limited(Lab::new(), limit);
        let end = lab.outer(&lab.record(&TOUCH)).end();
        assert_start_refused(&lab, &end, "ssh", &lab.cast());
    }
    Ok(())
}

/// The laboratory of a user who may not write below `closed`, and the program to run there.
fn without_rights() -> Result<(Lab, String), Skip> {
    let lab = Lab::new();
    fs::create_dir(lab.path("closed")).unwrap();
    fs::set_permissions(lab.path("closed"), fs::Permissions::from_mode(0o555)).unwrap();
    if !is_root() {
        return Ok((lab, recmode().to_owned()));
    }
    needs_tools(&["setpriv"])?;
    let copy = lab.copy_of_recmode();
    let nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups";
    let lab = lab.wrap(&nobody.split(' ').map(str::to_owned).collect::<Vec<_>>());
    Ok((lab, copy.to_str().unwrap().to_owned()))
}

fn strict_where_it_may_not_write_refuses_the_start() -> Verdict {
    let (lab, recmode) = without_rights()?;
    for place in [["-o", "closed/rec.cast"], ["-o", "closed/new/rec.cast"], ["--dir", "closed/new"]] {
        let argv = [&[recmode.as_str(), "record"], &place[..], &TOUCH].concat();
        let end = lab.outer(&argv).end();
        assert_start_refused(&lab, &end, "ssh", &lab.path("closed/rec.cast"));
    }
    Ok(())
}

fn strict_on_a_read_only_disk_refuses_the_start() -> Verdict {
    let (lab, disk) = on_tmpfs("size=256k,ro")?;
    let end = lab.outer(&lab.record_to(&disk.path("new/rec.cast"), &TOUCH)).end();
    assert_start_refused(&lab, &end, "ssh", &disk.here("new"));
    Ok(())
}

fn strict_below_a_file_refuses_the_start() -> Verdict {
    let lab = Lab::new();
    lab.write("file", "");
    let end = lab.outer(&lab.record_to(&lab.path("file/rec.cast"), &TOUCH)).end();
    assert_start_refused(&lab, &end, "ssh", &lab.cast());
    Ok(())
}

fn best_effort_on_a_full_disk_starts_and_records_once_there_is_room() -> Verdict {
    let (lab, disk) = with_disk(1024, 0)?;
    let file = disk.here("rec.cast");
    let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &["-q", "--", "sh", "-c", CHATTER]));
    outer.wait_for("ready\r\n");
    outer.send("10\r");
    outer.wait_for("done 10\r\n");
    disk.free();
    until(Duration::from_secs(7), "a recording, with the disk back for 5 s", || {
        Cast::try_read(&file).is_some_and(|cast| !cast.records("gap").is_empty() || !cast.lines.is_empty())
    });
    outer.send("20\r");
    outer.wait_for("done 20\r\n");
    outer.send("\x04");
    let end = outer.end();
    assert_eq!(end.status, 3);
    assert!(end.restored);
    let begin = format!("{MESSAGE_C}\r\nready\r\n");
    assert!(end.seen.starts_with(begin.as_bytes()), "{}", show(&end.seen));
    assert_eq!(count(&end.seen, "node error"), 1);
    let cast = Cast::read(&file);
    cast.assert_closed(3);
    assert!(find(&cast.output(), "done 20\r\n").is_some(), "{}", show(&cast.output()));
    assert_gaps(&cast, chatter_bytes(&[10, 20]), "ENOSPC");
    Ok(())
}

fn best_effort_on_a_full_disk_that_stays_full_leaves_no_empty_file() -> Verdict {
    let (lab, disk) = with_disk(256, 0)?;
    let args = ["-q", "--", "sh", "-c", "echo hi; exit 5"];
    let end = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args)).end();
    assert_eq!(end.status, 5);
    assert_eq!(without_notes(&end.seen), format!("{MESSAGE_C}\r\nhi\r\n"));
    assert!(!disk.here("rec.cast").exists());
    Ok(())
}

fn best_effort_warning_goes_to_stderr_without_a_terminal_even_when_quiet() -> Verdict {
    let (lab, disk) = with_disk(256, 0)?;
    let run = lab.run(&lab.record_to(&disk.path("rec.cast"), &["-q", "--", "echo", "hi"]), b"");
    assert_eq!((run.status, run.stdout().as_str()), (0, "hi\r\n"));
    assert_eq!(without_notes(&run.stderr), format!("{MESSAGE_C}\r\n").replace('\r', ""));
    Ok(())
}

fn quiet_leaves_nothing_but_the_message() -> Verdict {
    let (lab, disk) = with_disk(256, 0)?;
    let run = lab.run(&lab.record_to(&disk.path("rec.cast"), &["-q", "--", "echo", "hi"]), b"");
    assert_eq!(run.stderr(), format!("{MESSAGE_C}\r\n").replace('\r', ""));
    Ok(())
}

fn messages_go_to_the_terminal_when_only_stderr_goes_elsewhere() -> Verdict {
    let (lab, disk) = with_disk(256, 0)?;
    let file = disk.path("rec.cast");
    let script = r#""$RECMODE" record -q --mode "$0" -o "$1" -- echo hi 2> err; echo $?"#;
    for (mode, seen) in [
        ("strict", format!("{}125\r\n", message_a("ssh"))),
        ("best_effort", format!("{MESSAGE_C}\r\nhi\r\n0\r\n")),
    ] {
        let end = lab.outer(&["sh", "-c", script, mode, file.to_str().unwrap()]).end();
        assert_eq!(String::from_utf8_lossy(&end.seen), seen);
        assert!(!fs::read_to_string(lab.path("err")).unwrap().contains("node error"));
    }
    Ok(())
}

/// Asserts that a best effort session that could not be recorded ran all the same.
#[track_caller]
fn assert_started_with_warning(end: &End) {
    assert_eq!(without_notes(&end.seen), format!("{MESSAGE_C}\r\nhi\r\n"));
    assert_eq!(end.status, 5);
    assert!(end.restored, "the terminal's modes");
}

const HI: [&str; 6] = ["-q", "--", "sh", "-c", "echo hi; exit 5", "sh"];

fn best_effort_under_a_file_size_limit_starts() -> Verdict {
    needs_tools(&["prlimit"])?;
    let lab = limited(Lab::new(), 0);
    assert_started_with_warning(&lab.outer(&lab.record(&HI)).end());
    assert!(!lab.cast().exists(), "an empty file was left");
    Ok(())
}

fn best_effort_where_it_may_not_write_starts() -> Verdict {
    let (lab, recmode) = without_rights()?;
    let argv = [&[recmode.as_str(), "record", "-o", "closed/rec.cast"], &HI[..]].concat();
    assert_started_with_warning(&lab.outer(&argv).end());
    Ok(())
}

fn best_effort_on_a_read_only_disk_starts() -> Verdict {
    let (lab, disk) = on_tmpfs("size=256k,ro")?;
    assert_started_with_warning(&lab.outer(&lab.record_to(&disk.path("rec.cast"), &HI)).end());
    Ok(())
}

fn a_quota_at_the_start_is_a_recording_failure() -> Verdict {
    let lab = injecting(WRITES, "error=EDQUOT")?;
    let end = lab.outer(&lab.record(&TOUCH)).end();
    assert_start_refused(&lab, &end, "ssh", &lab.cast());
    assert_started_with_warning(&lab.outer(&lab.record(&HI)).end());
    Ok(())
}
