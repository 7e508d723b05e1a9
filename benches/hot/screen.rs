//! Recordings of 1 MB that ask for as much drawing as they can, on the largest terminal: the bound is 3 s and 200 MB.

use divan::Bencher;
use divan::counter::BytesCount;
use recmode::recording::reader::Reader;
use recmode::search;
use regex::Regex;

/// What is asked for, again and again; a resize where nothing is printed.
const REQUESTS: [(&str, &str); 9] = [
    ("alternate screen", "\u{9b}?1049hx\u{9b}?1049l"),
    ("alignment test", "\u{1b}#8"),
    ("full reset", "\u{1b}cx"),
    ("clear", "x\u{9b}2J"),
    ("scroll up", "x\u{9b}65535S"),
    ("insert lines", "x\u{9b}65535L"),
    ("repeat", "x\u{9b}65535b"),
    ("line feeds", "\n"),
    ("resize", ""),
];

/// An event's line with this many requests.
fn event(request: &str, count: usize, n: usize) -> String {
    if request.is_empty() {
        return format!("[0,\"r\",\"{}x1000\"]\n", 1000 - n % 2);
    }
    let data = serde_json::to_string(&request.repeat(count)).expect("JSON");
    format!("[0,\"o\",{data}]\n")
}

fn recording(request: &str, count: usize) -> String {
    let bytes = if cfg!(debug_assertions) { 20_000 } else { 1_000_000 };
    let mut text = "{\"version\":3,\"term\":{\"cols\":1000,\"rows\":1000}}\n".to_owned();
    for n in 0.. {
        if text.len() >= bytes {
            break;
        }
        text.push_str(&event(request, count, n));
    }
    text
}

/// With this many requests an event.
#[divan::bench(args = REQUESTS.map(|(name, _)| name), consts = [1, 50], sample_count = 3)]
fn search_hostile<const COUNT: usize>(bencher: Bencher<'_, '_>, name: &str) {
    let request = REQUESTS.iter().find(|(own, _)| *own == name).map_or("", |(_, request)| request);
    let text = recording(request, COUNT);
    let query = search::Query {
        pattern: Regex::new("needle").expect("a pattern"),
        before: 0,
        after: 0,
        input: false,
        max: None,
    };
    bencher.counter(BytesCount::of_str(&text)).bench(|| {
        let reader = Reader::new(text.as_bytes()).expect("a recording");
        search::find(reader, &query, &mut |_| true).expect("searched")
    });
}
