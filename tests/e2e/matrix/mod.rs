//! Every fault under both modes: the session is run through it, the contract's invariants are
//! checked, and what came of it is a line of the table in docs/faults.md.

mod cell;
mod stage;
mod table;

use std::fs;
use std::io::Write;
use std::time::Duration;

use crate::harness::{self, Call, Outer, Skip, Verdict, recording_side};
use stage::{Stage, can_limit, limit};

/// When a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Start,
    Session,
    Close,
}

/// A fault, and how it is made.
#[derive(Debug, Clone, Copy)]
struct Fault {
    name: &'static str,
    when: When,
    stage: fn() -> Result<Stage, Skip>,
    /// Makes it; at the start there is no terminal yet.
    strike: fn(&Stage, Option<&Outer>),
    /// Unmakes it, where that can be.
    heal: Option<fn(&Stage)>,
    /// The recording can't be as if nothing had been.
    harms: bool,
    /// It is met by output, not by an idle session.
    floods: bool,
    /// The recording side hangs until the disk is healed or thawed in the end.
    hangs: bool,
}

/// One that strikes in the session, is met by output and does harm.
const FAULT: Fault = Fault {
    name: "",
    when: When::Session,
    stage: Stage::plain,
    strike: |_, _| {},
    heal: None,
    harms: true,
    floods: true,
    hangs: false,
};

/// A stall that the tests need not wait ten seconds for.
const STALL: [&str; 2] = ["--stall-timeout", "2s"];
const SYNC_SOON: [&str; 2] = ["--sync", "interval:100ms"];

fn faulty_stage() -> Result<Stage, Skip> {
    Stage::faulty()
}

fn stalling_stage() -> Result<Stage, Skip> {
    Ok(Stage::faulty()?.options(&STALL))
}

fn syncing_stage() -> Result<Stage, Skip> {
    Ok(Stage::faulty()?.options(&STALL).options(&SYNC_SOON))
}

fn heal_faulty(stage: &Stage) {
    stage.faulty_disk().heal();
}

fn errno(stage: &Stage, call: Call, errno: i32) {
    stage.faulty_disk().break_now(call, harness::Fault::Errno(errno));
}

fn recorder(outer: Option<&Outer>) -> harness::Pid {
    recording_side(outer.expect("a session").pid())
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "no space before the start",
        when: When::Start,
        stage: Stage::tmpfs,
        strike: |stage, _| stage.disk().fill_leaving(0),
        heal: Some(|stage| stage.disk().free()),
        ..FAULT
    },
    Fault {
        name: "no space in the session",
        stage: Stage::tmpfs,
        strike: |stage, _| stage.disk().fill_leaving(0),
        heal: Some(|stage| stage.disk().free()),
        ..FAULT
    },
    Fault {
        name: "no space at the close",
        when: When::Close,
        stage: Stage::tmpfs,
        strike: |stage, _| stage.disk().fill_leaving(0),
        harms: false,
        ..FAULT
    },
    Fault {
        name: "no space, told by the close",
        when: When::Close,
        stage: faulty_stage,
        strike: |stage, _| errno(stage, Call::Close, libc::ENOSPC),
        ..FAULT
    },
    Fault {
        name: "quota",
        stage: Stage::btrfs,
        strike: |stage, _| stage.disk().limit_all("200K"),
        heal: Some(|stage| stage.disk().limit_all("none")),
        ..FAULT
    },
    Fault {
        name: "read-only before the start",
        when: When::Start,
        stage: Stage::ext4,
        strike: |stage, _| stage.disk().remount("ro"),
        heal: Some(|stage| stage.disk().remount("rw")),
        ..FAULT
    },
    Fault {
        name: "read-only in the session",
        stage: Stage::ext4,
        strike: |stage, _| stage.disk().remount("abort"),
        ..FAULT
    },
    Fault {
        name: "EIO on write",
        stage: faulty_stage,
        strike: |stage, _| errno(stage, Call::Write, libc::EIO),
        heal: Some(heal_faulty),
        ..FAULT
    },
    Fault {
        name: "EIO on fsync",
        stage: syncing_stage,
        strike: |stage, _| errno(stage, Call::Sync, libc::EIO),
        heal: Some(heal_faulty),
        ..FAULT
    },
    Fault {
        name: "EIO on close",
        when: When::Close,
        stage: faulty_stage,
        strike: |stage, _| errno(stage, Call::Close, libc::EIO),
        ..FAULT
    },
    Fault {
        name: "short writes",
        stage: faulty_stage,
        strike: |stage, _| stage.faulty_disk().break_now(Call::Write, harness::Fault::Short(777)),
        harms: false,
        ..FAULT
    },
    Fault { name: "file-size limit", stage: || Stage::file_size(100_000), ..FAULT },
    Fault {
        name: "hung before the start",
        when: When::Start,
        stage: stalling_stage,
        strike: |stage, _| stage.faulty_disk().break_now(Call::Create, harness::Fault::Hang),
        hangs: true,
        heal: Some(heal_faulty),
        ..FAULT
    },
    Fault {
        name: "hung write",
        stage: stalling_stage,
        strike: |stage, _| stage.faulty_disk().break_now(Call::Write, harness::Fault::Hang),
        heal: Some(heal_faulty),
        ..FAULT
    },
    Fault {
        name: "hung fsync",
        stage: syncing_stage,
        strike: |stage, _| stage.faulty_disk().break_now(Call::Sync, harness::Fault::Hang),
        heal: Some(heal_faulty),
        ..FAULT
    },
    Fault {
        name: "hung close",
        when: When::Close,
        stage: stalling_stage,
        strike: |stage, _| stage.faulty_disk().break_now(Call::Close, harness::Fault::Hang),
        ..FAULT
    },
    Fault {
        name: "frozen",
        stage: || Ok(Stage::ext4()?.options(&STALL)),
        strike: |stage, _| stage.disk().freeze(),
        hangs: true,
        ..FAULT
    },
    Fault {
        name: "slow disk",
        stage: faulty_stage,
        strike: |stage, _| {
            stage.faulty_disk().break_now(Call::Write, harness::Fault::Delay(Duration::from_millis(30)));
        },
        harms: false,
        ..FAULT
    },
    Fault {
        name: "deleted",
        strike: |stage, _| fs::remove_file(&stage.file).expect("unlink"),
        heal: Some(|_| {}),
        floods: false,
        ..FAULT
    },
    Fault {
        name: "truncated",
        strike: |stage, _| {
            let file = fs::OpenOptions::new().write(true).open(&stage.file);
            file.and_then(|file| file.set_len(20)).expect("truncate");
        },
        heal: Some(|_| {}),
        floods: false,
        ..FAULT
    },
    Fault {
        name: "written to by others",
        strike: |stage, _| {
            let file = fs::OpenOptions::new().append(true).open(&stage.file);
            file.and_then(|mut file| file.write_all(b"[0, \"m\", \"forged\"]\n")).expect("a write");
        },
        heal: Some(|_| {}),
        floods: false,
        ..FAULT
    },
    Fault {
        name: "directory gone",
        strike: |stage, _| fs::remove_dir_all(stage.file.parent().expect("a directory")).expect("rm -r"),
        heal: Some(|_| {}),
        floods: false,
        ..FAULT
    },
    Fault {
        name: "unmounted lazily",
        stage: || harness::needs_root().and_then(|()| Stage::tmpfs()),
        strike: |stage, _| stage.disk().detach(),
        heal: Some(|_| {}),
        floods: false,
        ..FAULT
    },
    Fault {
        name: "recording process killed",
        strike: |_, outer| harness::kill(recorder(outer), nix::sys::signal::Signal::SIGKILL),
        // A second one is started by itself.
        heal: Some(|_| {}),
        floods: false,
        ..FAULT
    },
    Fault {
        name: "no descriptors at the start",
        when: When::Start,
        stage: || Stage::through(&["prlimit", "--nofile=6"]),
        ..FAULT
    },
    Fault {
        name: "no descriptors in the session",
        stage: || can_limit().and_then(|()| Ok(Stage::plain()?.options(&SYNC_SOON))),
        strike: |_, outer| limit(recorder(outer), "--nofile=8"),
        harms: false,
        ..FAULT
    },
    Fault {
        name: "no memory for the buffer",
        when: When::Start,
        stage: || Ok(Stage::through(&["prlimit", "--as=300000000"])?.options(&["--buffer", "1GiB"])),
        harms: false,
        ..FAULT
    },
    Fault {
        name: "no memory in the session",
        stage: || can_limit().and_then(|()| Stage::plain()),
        strike: |_, outer| limit(recorder(outer), "--as=1"),
        harms: false,
        ..FAULT
    },
    Fault { name: "clock set back", stage: clock_stage, strike: set_clock_back, harms: false, ..FAULT },
];

/// A laboratory whose clock, as every program in it sees it, is that of a file. The clock of the
/// machine is everybody's.
fn clock_stage() -> Result<Stage, Skip> {
    let found = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut libraries = found.map(|entry| entry.path().join("faketime/libfaketime.so.1"));
    let library = libraries.find(|path| path.exists());
    let library = library.ok_or_else(|| Skip("needs libfaketime (Debian: faketime)".to_owned()))?;
    let stage = Stage::plain()?;
    let clock = stage.lab.write("clock", "+0");
    Ok(stage
        .env("FAKETIME_TIMESTAMP_FILE", clock.to_str().expect("a plain path"))
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("LD_PRELOAD", library.to_str().expect("a plain path")))
}

fn set_clock_back(stage: &Stage, _: Option<&Outer>) {
    let year = || stage.lab.run(&["date", "+%Y"], b"").stdout().trim().parse::<u32>().expect("a year");
    let before = year();
    stage.lab.write("clock", "-3650d");
    assert!(year() < before, "the clock was not set back");
}

const MODES: [&str; 2] = ["strict", "best_effort"];

fn order() -> Vec<(&'static str, &'static str)> {
    FAULTS.iter().flat_map(|fault| MODES.map(|mode| (fault.name, mode))).collect()
}

/// A cell's test, by name.
pub(crate) type Cell = (String, Box<dyn FnOnce() -> Verdict + Send>);

/// A test for each cell, and one for the table's rows.
pub(crate) fn tests() -> Vec<Cell> {
    let mut tests: Vec<Cell> = Vec::new();
    for fault in FAULTS {
        for mode in MODES {
            let name = fault.name.replace([' ', '-'], "_").replace(',', "");
            let test = move || {
                let outcome = cell::run(fault, mode)?;
                table::check(&order(), fault.name, mode, &table::line(fault.name, mode, &outcome));
                Ok(())
            };
            tests.push((format!("matrix::{name}::{mode}"), Box::new(test)));
        }
    }
    let rows = || {
        table::assert_rows(&order());
        Ok(())
    };
    tests.push(("matrix::the_table_has_a_line_for_every_cell".to_owned(), Box::new(rows)));
    tests
}
