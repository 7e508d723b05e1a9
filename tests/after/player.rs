//! The player of an exported page, in a browser, under the page's own policy.

use std::fs;
use std::path::Path;
use std::process::Command;

use recmode::recording::reader::{Code, Item, Reader};
use recmode::screen::{Options, Screen, parse_size};
use tempfile::TempDir;

use crate::{arg, fixture, has, run};

/// Moments of the fixture, in seconds: an empty screen, a prompt, colours, wide characters and marks, two while it
/// scrolls, a full-screen program before and after a resize, the screen it leaves, a wrapped line, no cursor, the end.
const MOMENTS: [&str; 12] =
    ["0", "0.5", "1.2", "1.6", "2.42", "3.97", "5.5", "6.15", "7.5", "8.5", "0:15", "21"];

/// A character with the columns that it takes, whether it is bold, and which of the theme's colours it has.
#[derive(Debug, Clone, PartialEq)]
struct Cell(char, usize, bool, Option<u8>);

/// What a screen shows: the columns, the rows without blanks at their ends, and the cursor's column and row.
#[derive(Debug, PartialEq)]
struct Shown {
    cols: usize,
    rows: Vec<Vec<Cell>>,
    cursor: Option<(usize, usize)>,
}

fn trimmed(mut row: Vec<Cell>) -> Vec<Cell> {
    let used = row.iter().rposition(|cell| cell.0 != ' ').map_or(0, |last| last + 1);
    row.truncate(used);
    row
}

/// What the library's screen shows after all events up to a time in microseconds.
fn rendered(recording: &Path, time: u64) -> Shown {
    let text = fs::read(recording).expect("a fixture");
    let reader = Reader::new(text.as_slice()).expect("a header");
    let mut screen = Screen::of(reader.header(), Options::default()).expect("a size");
    for item in reader {
        let Item::Event(event) = item.expect("an item") else { continue };
        if event.time > time {
            break;
        }
        match event.code {
            Code::Output => screen.output(event.time, &event.data),
            Code::Resize => {
                let (cols, rows) = parse_size(&event.data).expect("a size");
                screen.resize(event.time, cols, rows).expect("a size");
            }
            _ => {}
        }
    }
    let terminal = screen.terminal();
    let row = |line: &avt::Line| {
        let cells = line.cells().iter().filter(|cell| cell.width() > 0).map(|cell| {
            let pen = cell.pen();
            let colour = match (pen.foreground(), pen.background()) {
                (Some(avt::Color::Indexed(index @ 0..16)), None) if !pen.is_inverse() => Some(index),
                _ => None,
            };
            let bright = if pen.is_bold() { 8 } else { 0 };
            let colour = colour.map(|index| if index < 8 { index + bright } else { index });
            Cell(cell.char(), usize::from(cell.width()), pen.is_bold(), colour)
        });
        trimmed(cells.collect())
    };
    let cols = terminal.size().0;
    Shown {
        cols,
        rows: terminal.screen().visible_lines().map(row).collect(),
        cursor: terminal.cursor().position().map(|(col, row)| (col.min(cols - 1), row)),
    }
}

/// What the player shows, by the browser's DOM.
fn played(dom: &str) -> Shown {
    let player = between(dom, "<section id=\"player\"", "</section>");
    assert!(!player.split('>').next().expect("a tag").contains("hidden"), "the player is hidden: {player}");
    let screen = between(player, "<div id=\"p-screen\"", "</div></div>\n");
    let width = between(screen, "width: ", "ch");
    let (mut rest, mut rows) = (screen, Vec::new());
    while let Some((_, row)) = rest.split_once("<div>") {
        let (row, after) = row.split_once("</div>").expect("the end of a row");
        rows.push(trimmed(cells(row)));
        rest = after;
    }
    let cursor = between(screen, "<span id=\"p-cursor\"", ">");
    let cursor = (!cursor.contains(" hidden")).then(|| {
        let place = |name: &str, unit: &str| between(cursor, name, unit).parse().expect("a number");
        (place("left: ", "ch"), place("top: ", "lh"))
    });
    Shown { cols: width.parse().expect("a number"), rows, cursor }
}

/// The cells of a row's markup.
fn cells(row: &str) -> Vec<Cell> {
    let (mut cells, mut classes, mut rest) = (Vec::new(), Vec::new(), row);
    while let Some(next) = rest.chars().next() {
        if let Some(tag) = rest.strip_prefix("<span class=\"") {
            let (class, after) = tag.split_once('"').expect("the end of an attribute");
            classes.push(class);
            rest = after.split_once('>').expect("the end of a tag").1;
        } else if let Some(after) = rest.strip_prefix("</span>") {
            classes.pop();
            rest = after;
        } else {
            let (c, length) = [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&nbsp;", '\u{a0}')]
                .iter()
                .find(|(entity, _)| rest.starts_with(entity))
                .map_or((next, next.len_utf8()), |(entity, c)| (*c, entity.len()));
            let classes: Vec<&str> = classes.iter().flat_map(|class| class.split(' ')).collect();
            let colour = classes.iter().find_map(|class| class.strip_prefix('f')?.parse().ok());
            let width = if classes.contains(&"p-wide") { 2 } else { 1 };
            cells.push(Cell(c, width, classes.contains(&"d"), colour));
            rest = &rest[length..];
        }
    }
    cells
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, text) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    text.split_once(after).unwrap_or_else(|| panic!("no {after} in {text}")).0
}

/// The fixture's page, with a folder around it.
fn page(more: &[&str]) -> (TempDir, String) {
    let dir = tempfile::tempdir().expect("a directory");
    let out = dir.path().join("page.html");
    let file = fixture("player.cast");
    let (_, err, status) = run(&[&["export", "--to", "html", arg(&file), "-o", arg(&out)], more].concat());
    assert_eq!((err.as_str(), status), ("", Some(0)));
    let page = fs::read_to_string(&out).expect("the page");
    (dir, page)
}

/// The DOM that a browser makes of the page with this fragment, and what it reported on the console.
fn browsed(dir: &TempDir, fragment: &str) -> (String, String) {
    let output = Command::new("timeout")
        .args([
            "120",
            "chromium",
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
        ])
        .args(["--virtual-time-budget=10000", "--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--user-data-dir={}", dir.path().join("profile").display()))
        .arg(format!("file://{}/page.html#{fragment}", dir.path().display()))
        .env("HOME", dir.path())
        .output()
        .expect("chromium runs");
    assert!(output.status.success(), "{output:?}");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let console = errors.lines().filter(|line| line.contains("CONSOLE")).collect::<Vec<_>>().join("\n");
    (String::from_utf8_lossy(&output.stdout).into_owned(), console)
}

#[test]
fn the_player_shows_at_each_moment_what_the_screen_was() {
    if !has("chromium") {
        return;
    }
    let (dir, page) = page(&[]);
    assert!(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-"));
    let mut seen = Vec::new();
    for moment in MOMENTS {
        let (dom, console) = browsed(&dir, &format!("t={moment}"));
        assert_eq!(console, "", "at {moment}");
        assert!(dom.contains("<title>Player</title>"), "the recording's own script ran");
        let seconds = moment.trim_start_matches("0:").parse::<f64>().expect("a number");
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds")]
        let expected = rendered(&fixture("player.cast"), (seconds * 1e6).round() as u64);
        let shown = played(&dom);
        assert_eq!(shown, expected, "at {moment}");
        assert!(!seen.contains(&shown), "two moments are the same: {moment}");
        seen.push(shown);
    }
    // A line of the transcript is a moment, too: the one when the second marked line came.
    let (dom, _) = browsed(&dir, "L3");
    assert_eq!(played(&dom), seen[3]);
    // A fragment that is no moment is ignored.
    for fragment in ["t=abc", "t=%E0", "%", "elsewhere"] {
        let (dom, console) = browsed(&dir, fragment);
        assert_eq!(console, "", "{fragment}");
        assert_eq!(played(&dom), seen[0], "{fragment}");
    }
}

/// What is done in turn, and the moment, in seconds, that the player shows then.
const STEPS: [(&str, &str); 23] = [
    ("key('.')", "0.2"),
    ("key('.')", "0.8"),
    ("key('.')", "0.9"),
    ("key(',')", "0.8"),
    ("key('ArrowRight')", "5.8"),
    ("key('ArrowLeft')", "0.8"),
    ("key('5')", "10.5"),
    ("key('9')", "18.9"),
    ("key('[')", "4.5"),
    ("key('0')", "0"),
    ("key(']')", "4.5"),
    // A line of the transcript, a row of the table, and a link in one.
    ("click('#L4')", "1.5"),
    ("click('#C2')", "4.5"),
    ("click('#C1 a')", "0.8"),
    ("location.hash = '#t=0:12.5'", "12.5"),
    ("location.hash = '#t=x'", "12.5"),
    ("location.hash = '#t=%E0'", "12.5"),
    // No key of the player's while it isn't in use.
    ("key('5', document.body)", "12.5"),
    // It plays at twice the speed to the end, and makes the pause from 12.5 to 20 the recording's limit of 3 s.
    ("key('+'), key('+'), click('#p-toggle')", "12.5"),
    ("wait(1200)", "14.9"),
    ("wait(400)", "20"),
    ("wait(1000)", "21"),
    ("key(' ')", "0"),
];

#[test]
fn the_player_is_used_by_keys_and_clicks() {
    use base64::Engine as _;
    use sha2::Digest as _;

    if !has("chromium") {
        return;
    }
    let (dir, page) = page(&[]);
    let steps: Vec<&str> = STEPS.iter().map(|(step, _)| *step).collect();
    let script = format!(
        "addEventListener('load', async () => {{
           const wait = (time) => new Promise((done) => setTimeout(done, time));
           const view = document.getElementById('p-view');
           const key = (key, target = view) =>
             target.dispatchEvent(new KeyboardEvent('keydown', {{ key, bubbles: true, cancelable: true }}));
           const click = (what) => document.querySelector(what).click();
           const log = [];
           await wait(500);
           for (const step of [{}]) {{
             await step();
             await wait(20);
             log.push(document.getElementById('player').dataset.t);
           }}
           document.title = log.join();
         }});",
        steps.iter().map(|step| format!("() => ({step})")).collect::<Vec<_>>().join(", ")
    );
    let hash = base64::prelude::BASE64_STANDARD.encode(sha2::Sha256::digest(&script));
    let page = page.replacen("script-src ", &format!("script-src 'sha256-{hash}' "), 1).replacen(
        "</body>",
        &format!("<script>{script}</script></body>"),
        1,
    );
    fs::write(dir.path().join("page.html"), page).expect("a file");
    let (dom, console) = browsed(&dir, "");
    assert_eq!(console, "");
    let log: Vec<f64> = between(&dom, "<title>", "</title>")
        .split(',')
        .map(|time| time.parse().unwrap_or_else(|_| panic!("{time}: {dom}")))
        .collect();
    assert_eq!(log.len(), STEPS.len());
    for ((step, expected), shown) in STEPS.iter().zip(log) {
        let expected: f64 = expected.parse().expect("a number");
        // The page's clock is virtual; the player wakes up every 16 to 100 ms.
        let late =
            if step.contains("wait") || step.contains("p-toggle") || *step == "key(' ')" { 0.3 } else { 0.0 };
        assert!(shown >= expected && shown <= expected + late, "{step}: {shown} instead of {expected}");
    }
}

#[test]
fn without_its_script_the_page_has_no_player() {
    if !has("chromium") {
        return;
    }
    let (dir, page) = page(&[]);
    // One character of the script is another: the policy does not let it run.
    let changed = page.replacen("loads nothing", "loads nothinG", 1);
    assert_ne!(changed, page);
    fs::write(dir.path().join("page.html"), &changed).expect("a file");
    let (dom, console) = browsed(&dir, "t=1.2");
    assert!(console.contains("Content Security Policy"), "{console}");
    assert!(between(&dom, "<section id=\"player\"", ">").contains("hidden"));
    assert!(dom.contains("line 39"), "the transcript is there");
    let (_, plain) = self::page(&["--no-player"]);
    assert!(
        !plain.contains("<script") && !plain.contains("player\"") && !plain.contains("script-src"),
        "{plain}"
    );
    // All else is the same.
    let body = |page: &str| between(page, "<h2 id=\"transcript\"", "</main>").to_owned();
    assert_eq!(body(&page), body(&plain));
}
