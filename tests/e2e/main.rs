//! `recmode record` from the outside: real terminals, real full and frozen disks, real signals.
//!
//! A test whose tool or kernel feature is missing is reported as ignored, with the reason;
//! with `RECMODE_TEST_NO_SKIP=1` (as in CI) that is a failure.

#![expect(clippy::unnecessary_wraps, reason = "every test has one type, whether it may skip or not")]

mod aftermath;
mod faults;
mod faulty;
mod frozen;
mod hardship;
mod harness;
mod kill;
mod options;
mod play;
mod process;
mod reader;
mod start;
mod streams;
mod tampering;
mod terminal;

use std::env;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use harness::Test;

fn main() -> ExitCode {
    let mut args = Arguments::from_args();
    // The tests wait far more than they compute.
    args.test_threads.get_or_insert(6);
    let tests = [
        frozen::TESTS,
        start::TESTS,
        faults::TESTS,
        tampering::TESTS,
        kill::TESTS,
        reader::TESTS,
        options::TESTS,
        play::TESTS,
        process::TESTS,
        streams::TESTS,
        terminal::TESTS,
        aftermath::TESTS,
        hardship::TESTS,
    ];
    let trials = tests.concat().into_iter().map(trial).collect();
    libtest_mimic::run(&args, trials).exit_code()
}

fn trial((name, test): Test) -> Trial {
    let name = name.strip_prefix("e2e::").unwrap_or(name);
    Trial::ignorable_test(name, move || match test() {
        Ok(()) => Ok(Completion::Completed),
        Err(skip) => {
            eprintln!("skipped: {name}: {skip}");
            if env::var_os("RECMODE_TEST_NO_SKIP").is_some() {
                Err(Failed::from(format!("not skipped under RECMODE_TEST_NO_SKIP: {skip}")))
            } else {
                Ok(Completion::ignored_with(skip))
            }
        }
    })
}
