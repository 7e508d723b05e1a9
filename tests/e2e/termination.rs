//! Strict termination's reach: a control group of the session's own, where one can be had.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::faulty::with_disk;
use crate::harness::{
    Cast, Lab, MESSAGE_B, Outer, SOON, Skip, Verdict, alive, kill, named_pid, needs, needs_root, needs_tools,
    recmode, recording_side, show, tests, until,
};
use nix::sys::signal::Signal;

tests![
    a_session_is_in_a_group_of_its_own_which_is_gone_at_its_end,
    strict_ends_what_forks_faster_than_it_is_found,
    strict_ends_what_runs_as_another_user_where_the_group_may_be_had,
    a_background_job_lives_on_after_a_normal_end_and_its_group_is_removed_later,
    the_groups_of_nested_sessions_that_were_killed_are_removed_later,
    strict_ends_what_has_the_id_that_a_spared_process_had,
    strict_without_proc_and_a_control_group_tells_that_others_may_live_on,
];

/// This process's control group, if one can be made below it.
fn own_group() -> Result<PathBuf, Skip> {
    needs_root()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("mountinfo");
    let mounted = mounts.lines().find(|line| line.contains(" - cgroup2 "));
    let Some(mounted) = mounted.and_then(|line| line.split(' ').nth(4)) else {
        return Err(Skip("needs control groups, version 2".to_owned()));
    };
    let own = fs::read_to_string("/proc/self/cgroup").expect("cgroup");
    let own = own.lines().find_map(|line| line.strip_prefix("0::/")).expect("a group").to_owned();
    let own = Path::new(mounted).join(own);
    needs(own.join("cgroup.procs").exists(), "its own control group below its mount")?;
    Ok(own)
}

/// A directory that is removed with this, if it still is there.
struct Group(PathBuf);

impl Group {
    /// A group that this user owns, as systemd delegates them.
    fn delegated(own: &Path, name: &str, uid: u32) -> Result<Self, Skip> {
        let path = own.join(name);
        needs(fs::create_dir(&path).is_ok(), "the right to make control groups")?;
        for file in ["", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"] {
            std::os::unix::fs::chown(path.join(file), Some(uid), Some(uid)).expect("chown");
        }
        Ok(Self(path))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for _ in 0..100 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The group of a session with this id.
fn group_of(own: &Path, outer: &Outer) -> PathBuf {
    let seen = String::from_utf8_lossy(&outer.seen()).into_owned();
    own.join(format!("recmode-{}", seen.split_whitespace().next().expect("the session's id")))
}

fn a_session_is_in_a_group_of_its_own_which_is_gone_at_its_end() -> Verdict {
    let own = own_group()?;
    for script in ["echo $RECMODE_SESSION ready; read x", "echo $RECMODE_SESSION ready; read x; kill -9 $$"] {
        let lab = Lab::new();
        let mut outer = lab.outer(&lab.record(&["-q", "--", "sh", "-c", script]));
        outer.wait_for("ready\r\n");
        let group = group_of(&own, &outer);
        let inside = fs::read_to_string(group.join("cgroup.procs")).expect("the session's group");
        assert_eq!(inside.lines().count(), 1, "the command alone: {inside}");
        outer.send("\r");
        outer.end();
        assert!(!group.exists(), "the group is left behind");
    }
    Ok(())
}

fn strict_ends_what_forks_faster_than_it_is_found() -> Verdict {
    own_group()?;
    needs_tools(&["perl"])?;
    let (lab, disk) = with_disk(1024, 200)?;
    // One process at each time, of another number each time, that left group and session.
    let script = r#"perl -MPOSIX -e '$SIG{$_} = "IGNORE" for qw(HUP TERM INT);
            open STDOUT, ">", "/dev/null"; open STDERR, ">&", *STDOUT; open STDIN, "<", "/dev/null";
            while (1) { my $child = fork; _exit(0) if $child; setsid;
                if (++$n % 50 == 0) { open my $beat, ">", "beat" or _exit(1); print $beat $n; close $beat } }' &
        until [ -s beat ]; do sleep 0.01; done; echo ready; read x; yes 0123456789abcdef"#;
    let args = ["-q", "--mode", "strict", "--", "sh", "-c", script];
    let mut outer = lab.outer(&lab.record_to(&disk.path("rec.cast"), &args));
    outer.wait_for("ready\r\n");
    outer.send("\r");
    let end = outer.end();
    assert_eq!(end.status, 124, "{}", show(&end.seen));
    assert!(end.seen.ends_with(MESSAGE_B.as_bytes()), "{}", show(&end.seen));
    let beat = || fs::read_to_string(lab.path("beat")).unwrap();
    let last = beat();
    // Long enough for thousands of forks.
    thread::sleep(Duration::from_millis(500));
    assert_eq!(beat(), last, "it lives on");
    Ok(())
}

fn strict_ends_what_runs_as_another_user_where_the_group_may_be_had() -> Verdict {
    const NOBODY: u32 = 65534;
    let own = own_group()?;
    needs_tools(&["setpriv"])?;
    let lab = Lab::new();
    let copy = |from: &str, to: &str, mode| {
        let path = lab.path(to);
        // Not by this process: a child that another thread forks meanwhile would have it open for writing, and keep it from
        // being executed.
        let copied = lab.run(&["cp", from, to], b"");
        assert_eq!(copied.status, 0, "{}", copied.stderr());
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("chmod");
    };
    copy(recmode(), "recmode", 0o755);
    copy("/usr/bin/setpriv", "become", 0o4755);
    fs::set_permissions(lab.dir(), fs::Permissions::from_mode(0o777)).unwrap();
    let name = format!("test-recmode-{}", std::process::id());
    let delegated = Group::delegated(&own, &name, NOBODY)?;
    // The group first, then the user.
    let enter = format!(
        "echo $$ > {}/cgroup.procs; exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups ./recmode \
         record -q --mode strict -o r.cast -- sh -c './become --reuid=0 --regid=0 --keep-groups sh -c \"trap \\\"\\\" HUP; echo \\$\\$ > pid; exec \
         sleep 60\" & until [ -s pid ]; do sleep 0.01; done; echo ready; sleep 60'",
        delegated.0.display()
    );
    let mut outer = lab.outer_sh(&enter);
    outer.wait_for("ready\r\n");
    let pid = named_pid(&lab.path("pid"));
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    needs(status.contains("Uid:\t0\t0\t0\t0"), "set-user-id programs in the temporary directory")?;
    fs::remove_file(lab.path("r.cast")).unwrap();
    let end = outer.end();
    assert_eq!(end.status, 124, "{}", show(&end.seen));
    assert!(end.seen.ends_with(MESSAGE_B.as_bytes()), "no word of a survivor: {}", show(&end.seen));
    assert!(!alive(pid), "root's process is alive");
    Ok(())
}

fn a_background_job_lives_on_after_a_normal_end_and_its_group_is_removed_later() -> Verdict {
    let own = own_group()?;
    let lab = Lab::new();
    let script = "setsid sh -c 'trap \"\" HUP; echo $$ > pid; exec sleep 60' > /dev/null 2>&1 < /dev/null & \
         until [ -s pid ]; do sleep 0.01; done; echo $RECMODE_SESSION ready";
    let mut outer = lab.outer(&lab.record(&["-q", "--", "sh", "-c", script]));
    outer.wait_for("ready\r\n");
    let group = group_of(&own, &outer);
    assert_eq!(outer.end().status, 0);
    let job = named_pid(&lab.path("pid"));
    assert!(alive(job), "the job was ended");
    assert!(group.exists(), "a group in use is kept");
    kill(job, Signal::SIGKILL);
    until(SOON, "the job's end", || !alive(job));
    // One that was killed leaves its group, too; another session's end removes both.
    let mut killed =
        lab.outer(&lab.record_to(
            &lab.path("k.cast"),
            &["-q", "--", "sh", "-c", "echo $RECMODE_SESSION ready; sleep 60"],
        ));
    killed.wait_for("ready\r\n");
    let side = recording_side(killed.pid());
    let left = group_of(&own, &killed);
    killed.kill(Signal::SIGKILL);
    until(SOON, "the recording's end", || !alive(side));
    until(SOON, "the end of what was in the group", || {
        fs::read_to_string(left.join("cgroup.events")).map_or(true, |events| events.contains("populated 0"))
    });
    lab.run(&lab.record_to(&lab.path("b.cast"), &["-q", "--", "true"]), b"");
    assert!(!group.exists() && !left.exists(), "a group that nobody uses is left behind");
    assert!(Cast::read(&lab.path("k.cast")).is_closed());
    Ok(())
}

const NO_CONTROL_GROUPS: &str = "mount -t tmpfs none /sys/fs/cgroup";

fn strict_ends_what_has_the_id_that_a_spared_process_had() -> Verdict {
    needs_root()?;
    needs_tools(&["unshare", "mount", "bash"])?;
    needs(Path::new("/proc/sys/kernel/ns_last_pid").exists(), "/proc/sys/kernel/ns_last_pid")?;
    // In a namespace, whose first process looks for who lives on.
    let keep = format!(
        "{NO_CONTROL_GROUPS}; \"$@\"; status=$?; before=$(wc -c < beat); sleep 0.5
         [ $before = $(wc -c < beat) ] || exit 99; exit $status"
    );
    let words =
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", &keep, "sh"];
    let lab = Lab::new().wrap(&words.map(str::to_owned));
    // The log's process is killed, and another one takes its id.
    let script = r#"for child in $(cat /proc/$PPID/task/$PPID/children); do
            [ "$(cat /proc/$child/comm)" = recmode-log ] && log=$child; done
        kill -KILL $log
        while [ -e /proc/$log ]; do sleep 0.01; done
        until [ "$job" = "$log" ]; do
            [ -n "$job" ] && kill $job
            echo $((log - 1)) > /proc/sys/kernel/ns_last_pid
            (trap '' HUP TERM INT; while :; do echo x >> beat; sleep 0.05; done) < /dev/null > /dev/null 2>&1 &
            job=$!
        done
        until [ -s beat ]; do sleep 0.01; done
        disown; echo ready; sleep 60"#;
    let args = ["-q", "--mode", "strict", "--log", "log.jsonl", "--", "bash", "-c", script];
    let mut outer = lab.outer(&lab.record(&args));
    outer.wait_for("ready\r\n");
    fs::remove_file(lab.cast()).unwrap();
    let end = outer.end();
    assert_ne!(end.status, 99, "it lives on");
    assert_eq!(end.status, 124, "{}", show(&end.seen));
    assert!(end.seen.ends_with(MESSAGE_B.as_bytes()), "no word of a survivor: {}", show(&end.seen));
    Ok(())
}

fn strict_without_proc_and_a_control_group_tells_that_others_may_live_on() -> Verdict {
    needs_root()?;
    needs_tools(&["unshare", "mount", "setsid"])?;
    for hidden in [true, false] {
        let hide =
            if hidden { format!("{NO_CONTROL_GROUPS}; mount -t tmpfs none /proc") } else { ":".to_owned() };
        let lab = Lab::new();
        let words =
            ["unshare", "--mount", "sh", "-c", &format!("{hide}; exec \"$@\""), "sh"].map(str::to_owned);
        let lab = lab.wrap(&words);
        let script = "setsid sh -c 'trap \"\" HUP; echo $$ > pid; exec sleep 60' > /dev/null 2>&1 < /dev/null & \
             until [ -s pid ]; do sleep 0.01; done; echo ready; sleep 60";
        let args = ["-q", "--mode", "strict", "--log", "log.jsonl", "--", "sh", "-c", script];
        let mut outer = lab.outer(&lab.record(&args));
        outer.wait_for("ready\r\n");
        fs::remove_file(lab.cast()).unwrap();
        assert_eq!(outer.end().status, 124);
        let daemon = named_pid(&lab.path("pid"));
        let log = || fs::read_to_string(lab.path("log.jsonl")).unwrap_or_default();
        until(SOON, "the end in the log", || log().contains("\"event\":\"end\""));
        assert_eq!((alive(daemon), log().contains("\"event\":\"unseen\"")), (hidden, hidden), "{}", log());
        if hidden {
            kill(daemon, Signal::SIGKILL);
        }
    }
    Ok(())
}

fn the_groups_of_nested_sessions_that_were_killed_are_removed_later() -> Verdict {
    let own = own_group()?;
    // The nested one alone is killed, and the outer session ends later; or both are killed.
    for both in [false, true] {
        let lab = Lab::new();
        let inner = "echo $PPID > inner; echo $RECMODE_SESSION ready; sleep 60";
        lab.write("script", format!("\"$RECMODE\" record -q -o inner.cast -- sh -c '{inner}'; read x\n"));
        let args = ["-q", "--", "sh", "-c", "echo $RECMODE_SESSION; exec sh script"];
        let mut outer = lab.outer(&lab.record(&args));
        outer.wait_for("ready\r\n");
        let group = group_of(&own, &outer);
        let nested = fs::read_dir(&group).expect("the session's group").flatten();
        let nested = nested.map(|entry| entry.path()).find(|path| path.is_dir()).expect("the nested one's");
        if both {
            outer.kill(Signal::SIGKILL);
        }
        let inner = named_pid(&lab.path("inner"));
        if alive(inner) {
            kill(inner, Signal::SIGKILL);
        }
        until(SOON, "the end of what ran in it", || {
            let events = fs::read_to_string(nested.join("cgroup.events")).unwrap_or_default();
            !events.contains("populated 1")
        });
        if !both {
            // The killed one has left its terminal raw.
            outer.send("\n");
        }
        outer.end();
        until(SOON, "the end of what is in the session's group", || {
            let events = fs::read_to_string(group.join("cgroup.events")).unwrap_or_default();
            !events.contains("populated 1")
        });
        lab.run(&lab.record_to(&lab.path("later.cast"), &["-q", "--", "true"]), b"");
        assert!(!nested.exists() && !group.exists(), "left behind; both: {both}");
    }
    Ok(())
}
