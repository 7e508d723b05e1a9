//! The role reader and the linter on any text: the first byte picks the format.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recmode::lint::{Input, Settings, repairs, run};
use recmode::policy::Dialect;
use recmode::roles::{self, Survey};

fuzz_target!(|text: &str| {
    let Some(first) = text.chars().next() else { return };
    let names = ["a.yaml", "a.json", "a.tf", "a.tf.json"];
    let name = names[first as usize % names.len()];
    let dialect = Dialect::ALL[first as usize / names.len() % 2];
    let survey = roles::survey_text_in(name, &text[first.len_utf8()..], dialect);
    let judge = |survey: &Survey| {
        let input = Input { dialect, ..Input::new(survey) };
        run(&input, &Settings::default(), &str::to_owned)
    };
    let _ = repairs(&survey, &judge);
});
