//! `recmode record` from the outside: real terminals, real full and frozen disks, real signals.
//!
//! A test whose tool or kernel feature is missing is reported as ignored, with the reason;
//! with `RECMODE_TEST_NO_SKIP=1` (as in CI) that is a failure.

#![expect(clippy::unnecessary_wraps, reason = "every test has one type, whether it may skip or not")]

mod aftermath;
mod attacks;
mod bypass;
mod deploy;
mod disconnect;
mod drawn;
mod faults;
mod faulty;
mod frozen;
mod hardship;
mod harness;
mod kill;
mod leftovers;
mod login;
mod matrix;
mod operators;
mod options;
mod play;
mod player;
mod process;
mod reader;
mod soak;
mod start;
mod streams;
mod tampering;
mod terminal;
mod termination;

use std::env;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use harness::Verdict;

fn main() -> ExitCode {
    let mut args = Arguments::from_args();
    // The tests wait far more than they compute.
    args.test_threads.get_or_insert(6);
    let tests = [
        frozen::TESTS,
        login::TESTS,
        bypass::TESTS,
        attacks::TESTS,
        deploy::TESTS,
        start::TESTS,
        faults::TESTS,
        tampering::TESTS,
        kill::TESTS,
        reader::TESTS,
        operators::TESTS,
        options::TESTS,
        play::TESTS,
        drawn::TESTS,
        player::TESTS,
        process::TESTS,
        streams::TESTS,
        terminal::TESTS,
        leftovers::TESTS,
        disconnect::TESTS,
        termination::TESTS,
        soak::TESTS,
        aftermath::TESTS,
        hardship::TESTS,
    ];
    let tests = tests.concat().into_iter().map(|(name, test)| trial(name, test));
    let long = trial(soak::LONG.0, soak::LONG.1).with_ignored_flag(true);
    let tests = tests.chain([long]);
    let trials = tests.chain(matrix::tests().into_iter().map(|(name, test)| trial(&name, test))).collect();
    libtest_mimic::run(&args, trials).exit_code()
}

fn trial(name: &str, test: impl FnOnce() -> Verdict + Send + 'static) -> Trial {
    let name = name.strip_prefix("e2e::").unwrap_or(name).to_owned();
    Trial::ignorable_test(name.clone(), move || match test() {
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
