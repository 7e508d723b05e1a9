//! The commands that read many recordings, or a large one.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use rayon::prelude::*;
use recmode::catalog;
use recmode::export::Page;
use recmode::recording::reader::Reader;
use recmode::search;
use recmode::verify::verify_file;
use regex::Regex;

use crate::sample;

const RECORDINGS: usize = 1000;

const LARGE: usize = 16 << 20;

fn directory(count: usize, bytes: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let output = sample::output(64 << 10);
    for n in 0..count {
        let mut text = Vec::with_capacity(bytes + 8192);
        sample::recording(n, bytes, output.as_bytes(), |lines| text.extend_from_slice(lines));
        fs::write(dir.path().join(format!("{n:06}.cast")), text).expect("written");
    }
    dir
}

fn paths(dir: &Path) -> Vec<PathBuf> {
    let files = catalog::files(dir, &mut Vec::new()).expect("files");
    files.iter().map(|file| file.path().to_owned()).collect()
}

/// What `ls` does.
#[divan::bench]
fn list(bencher: Bencher<'_, '_>) {
    let dir = directory(RECORDINGS, 10 << 10);
    bencher
        .counter(ItemsCount::new(RECORDINGS))
        .bench(|| catalog::list(dir.path(), &catalog::Progress::default()).expect("listed").entries.len());
}

/// The floor of [`list`]: each file opened, and 4 KiB of its head and 1 KiB of its tail read.
#[divan::bench]
fn list_floor_read(bencher: Bencher<'_, '_>) {
    let dir = directory(RECORDINGS, 10 << 10);
    bencher.counter(ItemsCount::new(RECORDINGS)).bench(|| {
        paths(dir.path()).into_par_iter().map(|path| sample::ends(&path).expect("read")).sum::<usize>()
    });
}

/// What `verify` does with a large recording.
#[divan::bench]
fn verify(bencher: Bencher<'_, '_>) {
    let dir = directory(1, LARGE);
    let path = &paths(dir.path())[0];
    let bytes = fs::metadata(path).expect("there").len();
    bencher
        .counter(BytesCount::new(bytes))
        .bench(|| verify_file(path, None, |_| ()).expect("verified").is_good());
}

/// The floor of [`verify`]: the same file read and hashed.
#[divan::bench]
fn verify_floor_hash(bencher: Bencher<'_, '_>) {
    let dir = directory(1, LARGE);
    let path = &paths(dir.path())[0];
    let bytes = fs::metadata(path).expect("there").len();
    bencher.counter(BytesCount::new(bytes)).bench(|| sample::hash(path).expect("hashed"));
}

/// What `search` does with a session at a prompt in which nothing matches.
#[divan::bench]
fn search_without_a_match(bencher: Bencher<'_, '_>) {
    search_for(bencher, "Permission denied", |reader, query, count| {
        search::follow(reader, query, count).expect("searched");
    });
}

/// The same, in which something matches.
#[divan::bench]
fn search_with_a_match(bencher: Bencher<'_, '_>) {
    search_for(bencher, "journalctl -n 512", |reader, query, count| {
        search::follow(reader, query, count).expect("searched");
    });
}

/// What `search` does with any other session: it is rendered.
#[divan::bench]
fn search_rendered(bencher: Bencher<'_, '_>) {
    search_for(bencher, "journalctl -n 512", |reader, query, count| {
        search::find(reader, query, count).expect("searched");
    });
}

/// What `export --to html` does to read a session into a page.
#[divan::bench(args = [false, true])]
fn page(bencher: Bencher<'_, '_>, player: bool) {
    let dir = directory(1, 256 << 10);
    let path = &paths(dir.path())[0];
    bencher.counter(BytesCount::new(fs::metadata(path).expect("there").len())).bench(|| {
        let input = BufReader::new(File::open(path).expect("opened"));
        Page::read(Reader::new(input).expect("a recording"), "session", player).expect("read").ending()
    });
}

type Recording = Reader<BufReader<File>>;

fn search_for(
    bencher: Bencher<'_, '_>,
    pattern: &str,
    search: impl Fn(Recording, &search::Query, &mut dyn FnMut(search::Found) -> bool) + Sync,
) {
    let dir = directory(1, 256 << 10);
    let path = &paths(dir.path())[0];
    let pattern = Regex::new(pattern).expect("a pattern");
    let query = search::Query { pattern, before: 0, after: 0, input: false, max: None };
    bencher.counter(BytesCount::new(fs::metadata(path).expect("there").len())).bench(|| {
        let input = BufReader::new(File::open(path).expect("opened"));
        let mut found = 0;
        search(Reader::new(input).expect("a recording"), &query, &mut |_| {
            found += 1;
            true
        });
        found
    });
}
