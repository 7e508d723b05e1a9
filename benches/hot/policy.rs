//! Reading roles, resolving and linting them.

use std::fs;
use std::path::PathBuf;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use recmode::lint::{self, Settings};
use recmode::policy::{RoleSet, SessionKind};
use recmode::roles::{self, Progress, SearchOptions};

use crate::sample;

const ROLES: usize = 1000;

fn documents() -> String {
    (0..ROLES).map(sample::role).collect()
}

/// A thousand roles as one file, and as a directory.
struct Files {
    _dir: tempfile::TempDir,
    file: PathBuf,
    folder: PathBuf,
    bytes: usize,
}

fn files() -> Files {
    let dir = tempfile::tempdir().expect("a directory");
    let (file, folder) = (dir.path().join("roles.yaml"), dir.path().join("roles"));
    fs::create_dir(&folder).expect("made");
    let text = documents();
    fs::write(&file, &text).expect("written");
    for n in 0..ROLES {
        fs::write(folder.join(format!("role-{n:06}.yaml")), sample::role(n)).expect("written");
    }
    Files { _dir: dir, file, folder, bytes: text.len() }
}

/// From bytes in memory to roles, on one core: what one core does of `resolve` and `diff`.
#[divan::bench]
fn read(bencher: Bencher<'_, '_>) {
    let text = documents();
    bencher
        .counter(BytesCount::of_str(&text))
        .with_inputs(|| vec![("roles.yaml".to_owned(), text.clone().into_bytes())])
        .bench_values(|files| roles::load_texts(files).expect("roles").sets()[0].roles().len());
}

/// The floor of [`read`]: the parser's events, one document at a time, thrown away.
#[divan::bench]
fn read_floor_events(bencher: Bencher<'_, '_>) {
    let text = documents();
    bencher.counter(BytesCount::of_str(&text)).bench(|| {
        let documents = text.split_inclusive("ssh_file_copy: true\n");
        documents
            .map(|document| {
                let options = granit_parser::options! { emit_comments: false };
                granit_parser::Parser::new_from_str_with_options(black_box(document), options).count()
            })
            .sum::<usize>()
    });
}

/// The same text with `serde-saphyr` to untyped values, which have no spans.
#[divan::bench]
fn read_other_serde(bencher: Bencher<'_, '_>) {
    let text = documents();
    bencher.counter(BytesCount::of_str(&text)).bench(|| {
        let documents = text.split_inclusive("ssh_file_copy: true\n");
        documents
            .filter(|document| serde_yaml::from_str::<serde_json::Value>(black_box(document)).is_ok())
            .count()
    });
}

/// `resolve` over one file, with all cores.
#[divan::bench]
fn load_file(bencher: Bencher<'_, '_>) {
    let files = files();
    let paths = [files.file.clone()];
    bencher
        .counter(BytesCount::new(files.bytes))
        .bench(|| roles::load(black_box(&paths)).expect("roles").sets()[0].roles().len());
}

/// `resolve` over a directory, with all cores.
#[divan::bench]
fn load_directory(bencher: Bencher<'_, '_>) {
    let files = files();
    let paths = [files.folder.clone()];
    bencher
        .counter(BytesCount::new(files.bytes))
        .bench(|| roles::load(black_box(&paths)).expect("roles").sets()[0].roles().len());
}

/// All kinds for a set of a thousand roles.
#[divan::bench]
fn resolve(bencher: Bencher<'_, '_>) {
    let roles = roles::load_texts(vec![("roles.yaml".to_owned(), documents().into_bytes())]).expect("roles");
    let set: RoleSet = roles.sets()[0].roles().iter().cloned().collect();
    bencher
        .counter(divan::counter::ItemsCount::new(ROLES))
        .bench(|| SessionKind::ALL.map(|kind| black_box(&set).resolve(kind).mode));
}

/// `lint` over one file, all rules.
#[divan::bench]
fn lint_file(bencher: Bencher<'_, '_>) {
    let files = files();
    bencher.counter(BytesCount::new(files.bytes)).bench(|| lint(files.file.clone()));
}

/// `lint` over a directory, all rules.
#[divan::bench]
fn lint_directory(bencher: Bencher<'_, '_>) {
    let files = files();
    bencher.counter(BytesCount::new(files.bytes)).bench(|| lint(files.folder.clone()));
}

fn lint(path: PathBuf) -> usize {
    let survey = roles::survey(&[path], &SearchOptions::default(), &Progress::default());
    let input = lint::Input { is_whole: false, ..lint::Input::new(&survey) };
    lint::run(&input, &Settings::default(), &str::to_owned).findings.len()
}
