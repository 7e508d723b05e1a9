//! The reader of the configuration on any text.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = recmode::config::parse(text, &".recmode.yaml".into());
});
