//! The table in docs/faults.md: read, compared, and with `RECMODE_TEST_UPDATE=1` written.

use std::env;
use std::fs;
use std::sync::{Mutex, PoisonError};

use super::cell::Outcome;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/faults.md");
const BEGIN: &str =
    "<!-- The table is made by the tests: RECMODE_TEST_UPDATE=1 cargo test --test e2e -- matrix -->\n";
const END: &str = "<!-- The end of what is made. -->\n";
const HEAD: &str = "\
| fault | mode | the user sees | exit | the recording | gap told | goes on | shown, not recorded | told as lost |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
";

/// Tests run beside each other, and there is one page.
static LOCK: Mutex<()> = Mutex::new(());

/// A line of the table.
pub(super) fn line(fault: &str, mode: &str, outcome: &Outcome) -> String {
    let Outcome { seen, exit, recording, gap, resumes, unrecorded, lost } = outcome;
    format!(
        "{}{seen} | {exit} | {recording} | {gap} | {resumes} | {unrecorded} | {lost} |\n",
        start(fault, mode)
    )
}

fn start(fault: &str, mode: &str) -> String {
    format!("| {fault} | {mode} | ")
}

fn updates() -> bool {
    env::var_os("RECMODE_TEST_UPDATE").is_some()
}

/// The page before the table, its lines, and the page after it.
fn parts(page: &str) -> (&str, Vec<&str>, &str) {
    let (before, rest) = page.split_once(BEGIN).expect("the table's begin in docs/faults.md");
    let (table, after) = rest.split_once(END).expect("the table's end in docs/faults.md");
    (before, table.split_inclusive('\n').skip(2).collect(), after)
}

/// Compares what was measured with the page's line, or writes it there; `order` is that of the rows.
pub(super) fn check(order: &[(&str, &str)], fault: &str, mode: &str, measured: &str) {
    let _alone = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let page = fs::read_to_string(PAGE).expect("docs/faults.md");
    let (before, lines, after) = parts(&page);
    let find =
        |fault: &str, mode: &str| lines.iter().find(|line| line.starts_with(&start(fault, mode))).copied();
    if !updates() {
        let told = find(fault, mode).unwrap_or("(no such line)\n");
        assert_eq!(measured, told, "measured, and what docs/faults.md tells");
        return;
    }
    let line = |&(f, m): &(&str, &str)| {
        if (f, m) == (fault, mode) { measured.to_owned() } else { find(f, m).unwrap_or("").to_owned() }
    };
    let table: String = order.iter().map(line).collect();
    fs::write(PAGE, format!("{before}{BEGIN}{HEAD}{table}{END}{after}")).expect("docs/faults.md");
}

/// Asserts that the table has these rows, and no others.
pub(super) fn assert_rows(order: &[(&str, &str)]) {
    let _alone = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let page = fs::read_to_string(PAGE).expect("docs/faults.md");
    let (_, lines, _) = parts(&page);
    let same = lines.len() == order.len()
        && lines.iter().zip(order).all(|(line, (fault, mode))| line.starts_with(&start(fault, mode)));
    assert!(same || updates(), "the rows of docs/faults.md are not those of the tests: {lines:#?}");
}
