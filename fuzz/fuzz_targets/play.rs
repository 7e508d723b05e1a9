//! The play filter on any output: what passed passes again as it is, and holds no control that is not known.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recmode::play::Filter;

fuzz_target!(|output: &str| {
    let passed = Filter::default().pass(output).to_owned();
    assert!(!passed.contains(['\x05', '\x07', '\x7f']));
    assert!(!passed.chars().any(|c| ('\u{80}'..'\u{a0}').contains(&c)));
    assert!(!passed.contains("\x1b]") && !passed.contains("\x1bP"));
    assert_eq!(Filter::default().pass(&passed), passed);
});
