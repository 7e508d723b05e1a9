//! One fault under one mode: the session is driven through it, and what came of it is measured.

use std::fs;
use std::time::Duration;

use super::stage::Stage;
use super::{Fault, When};
use crate::faulty::chatter_bytes;
use crate::harness::{
    Cast, End, MESSAGE_B, MESSAGE_C, Outer, SOON, Skip, alive, assert_shown_is_recorded, count, find,
    message_a, recording_side, show, until,
};

/// Prints a line of 18 bytes as often as it is told to, until the end of its input.
const CHATTER: &str = r#"stty -echo; echo ready; while read -r n; do yes 0123456789abcdef | head -n "$n"; echo "done $n"; done; exit 3"#;
/// What is printed while all is well, enough to meet any fault, while it lasts, and after it.
const BEFORE: u64 = 30;
const FLOOD: u64 = 20_000;
const DURING: u64 = 10;
const AFTER: u64 = 20;
/// How long a fault may take to be noticed, on a busy machine.
const NOTICED: Duration = Duration::from_secs(20);

/// What came of a fault under a mode: the cells of the table, all but their row's name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Which of the messages the user saw.
    pub(super) seen: String,
    pub(super) exit: i32,
    /// What there is of a recording.
    pub(super) recording: String,
    /// The error of the gap that it tells.
    pub(super) gap: String,
    /// Whether what was printed after the fault is in it.
    pub(super) resumes: &'static str,
    /// Bytes that the user saw and no file holds.
    pub(super) unrecorded: &'static str,
    /// Bytes that the recording, or recmode at its end, says are lost.
    pub(super) lost: &'static str,
}

/// Runs a session of this mode through the fault.
pub(super) fn run(fault: &Fault, mode: &str) -> Result<Outcome, Skip> {
    let stage = (fault.stage)()?;
    let strict = mode == "strict";
    if fault.when == When::Start {
        (fault.strike)(&stage, None);
    }
    let mut outer = stage.start(mode, CHATTER);
    let mut numbers = Vec::new();
    let mut say = |outer: &mut Outer, number: u64| {
        outer.send(format!("{number}\r"));
        outer.wait_for_within(NOTICED, format!("done {number}\r\n"));
        numbers.push(number);
    };
    let mut before = None;
    let mut recorder = None;
    if fault.when != When::Start || fault.hangs {
        recorder = Some(recording_side(outer.pid()));
    }
    let starts = outer.shows_or_ends(NOTICED, "ready\r\n");
    assert!(starts || fault.when == When::Start, "no session: {}", show(&outer.seen()));
    if fault.when != When::Start {
        say(&mut outer, BEFORE);
        let all = chatter_bytes(&[BEFORE]);
        until(SOON, "a recording of what was printed", || recorded_bytes(&stage) == all);
        before = fs::read(stage.here()).ok();
        (fault.strike)(&stage, Some(&outer));
    }
    let ends = !starts || strict && fault.harms;
    if fault.when == When::Session && ends {
        if fault.floods {
            outer.send(format!("{FLOOD}\r"));
        }
    } else if fault.when != When::Close && !ends {
        if fault.when == When::Session && fault.floods {
            say(&mut outer, FLOOD);
        }
        if fault.harms {
            until(NOTICED, "the warning", || find(&outer.seen(), MESSAGE_C).is_some());
        }
        say(&mut outer, DURING);
        if let (true, Some(heal)) = (fault.harms, fault.heal) {
            heal(&stage);
            until(NOTICED, "the recording to go on", || stage.segments().iter().any(|file| has_gap(file)));
        }
        say(&mut outer, AFTER);
    }
    if !ends || fault.when == When::Close {
        outer.send("\x04");
    }
    let end = outer.end_within(NOTICED);
    assert!(end.restored, "the terminal's modes");
    // What hung is over now, and what the recording side still has to write it may write.
    if let Some(faulty) = &stage.faulty {
        faulty.heal();
    }
    if let (Some(disk), true) = (&stage.disk, fault.hangs) {
        disk.thaw();
    }
    if let Some(recorder) = recorder {
        until(SOON, "the end of the recording side", || !alive(recorder));
    }
    Ok(measure(&stage, strict, &end, before, &numbers))
}

fn measure(stage: &Stage, strict: bool, end: &End, before: Option<Vec<u8>>, numbers: &[u64]) -> Outcome {
    let files = stage.segments();
    // One that others have cut may have no header any more.
    let casts: Vec<Cast> = files.iter().filter_map(|file| Cast::try_read(file)).collect();
    let cut = casts.len() < files.len();
    let seen = messages(&end.seen);
    let output: Vec<u8> = casts.iter().flat_map(Cast::output).collect();
    assert!(find(&output, "node error").is_none(), "messages are no output");
    let gaps: Vec<_> = casts.iter().flat_map(|cast| cast.records("gap")).collect();
    let unrecorded = if strict {
        // A file that was taken or cut held, until then, what had been shown.
        let own = casts.first().map_or_else(Vec::new, Cast::output);
        let held =
            before.and_then(|bytes| Cast::parse(&bytes).ok()).map_or_else(Vec::new, |cast| cast.output());
        let recorded = if own.len() < held.len() { held } else { own };
        assert_shown_is_recorded(&without_words(&end.seen), &recorded);
        0
    } else if end.status == 125 {
        0
    } else {
        let all = chatter_bytes(numbers);
        assert!(shows_all(&end.seen, &expected(numbers)), "best effort shows all: {}", show(&end.seen));
        all - u64::try_from(output.len()).expect("a length")
    };
    let told: u64 = casts.iter().map(Cast::lost).sum();
    let note = lost_note(&end.seen);
    if !strict && end.status != 125 && !cut && casts.last().is_some_and(Cast::is_closed) {
        // What a failed sync leaves in doubt counts as lost, though it may be in the first file.
        let doubtful = casts.iter().any(|cast| !cast.is_closed());
        assert!(
            told == unrecorded || doubtful && told > unrecorded,
            "{unrecorded} bytes lost, told: {gaps:?}"
        );
    }
    let lost = told.max(note.unwrap_or(0));
    let unknown = find(&end.seen, "recmode: the recording was not complete").is_some();
    let is_zero = |number: u64| if number == 0 { "0" } else { "> 0" };
    let after = format!("done {AFTER}\r\n");
    Outcome {
        seen,
        exit: end.status,
        recording: if casts.is_empty() && cut { "cut".to_owned() } else { describe(&casts) },
        gap: gaps
            .first()
            .map_or("none".to_owned(), |gap| format!("`{}`", gap["error"].as_str().expect("an error"))),
        resumes: match () {
            () if gaps.is_empty() && !strict && !casts.is_empty() && unrecorded == 0 => "–",
            () if strict || end.status == 125 => "–",
            () if output.ends_with(after.as_bytes()) => "yes",
            () => "no",
        },
        unrecorded: is_zero(unrecorded),
        lost: match () {
            () if strict || end.status == 125 => "–",
            () if unknown => "unknown",
            () => is_zero(lost),
        },
    }
}

/// What kind of files there are: how the last one ends, and how many there are.
fn describe(casts: &[Cast]) -> String {
    let Some(last) = casts.last() else { return "none".to_owned() };
    let ending = match last.records("end").first() {
        Some(end) => format!("closed, `{}`", end["reason"].as_str().expect("a reason")),
        None => "not closed".to_owned(),
    };
    let file = last.ours("segment").as_u64().map_or(String::new(), |n| format!(", in file {n}"));
    ending + &file
}

fn has_gap(file: &std::path::Path) -> bool {
    Cast::try_read(file).is_some_and(|cast| !cast.records("gap").is_empty())
}

fn recorded_bytes(stage: &Stage) -> u64 {
    Cast::try_read(stage.here()).map_or(0, |cast| cast.output().len() as u64)
}

/// Which of the three messages were shown, each at most once.
fn messages(seen: &[u8]) -> String {
    let texts = [("A", message_a("ssh")), ("B", MESSAGE_B.to_owned()), ("C", MESSAGE_C.to_owned())];
    let found: Vec<_> =
        texts.iter().filter(|(_, text)| find(seen, text).is_some()).map(|(name, _)| *name).collect();
    assert_eq!(found.len(), count(seen, "node error"), "a message, once: {}", show(seen));
    if !found.is_empty() {
        return found.join(", ");
    }
    let own = find(seen, "recmode: ").filter(|_| find(seen, "ready").is_none());
    if own.is_some() { "an error".to_owned() } else { "nothing".to_owned() }
}

/// What was shown, without recmode's notes at the end.
fn without_words(seen: &[u8]) -> Vec<u8> {
    let at = find(seen, MESSAGE_B).or_else(|| find(seen, "recmode: ")).unwrap_or(seen.len());
    let shown = &seen[..at];
    if find(shown, "Session could not start").is_some() { Vec::new() } else { shown.to_vec() }
}

/// Whether what was shown is all that the command printed, but for recmode's words on lines of their own.
fn shows_all(seen: &[u8], expected: &str) -> bool {
    let text = String::from_utf8_lossy(seen);
    let text: String = text.split_inclusive('\n').filter(|line| !line.starts_with("recmode: ")).collect();
    let Some((before, after)) = text.split_once(MESSAGE_C) else { return text == expected };
    // A line that the message came into was ended for it; at the start an empty line follows it.
    let rest = if before.is_empty() { after.strip_prefix("\r\n").unwrap_or(after) } else { after };
    let own_line = before.strip_suffix("\r\n").unwrap_or(before);
    [before, own_line].iter().any(|before| [*before, rest].concat() == expected)
}

/// All that the command prints when it is told these numbers.
fn expected(numbers: &[u64]) -> String {
    let lines = |number: &u64| {
        let lines = "0123456789abcdef\r\n".repeat(usize::try_from(*number).expect("a number of lines"));
        format!("{lines}done {number}\r\n")
    };
    "ready\r\n".to_owned() + &numbers.iter().map(lines).collect::<String>()
}

/// What recmode said at the end of bytes that are lost.
fn lost_note(seen: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(seen);
    let (before, _) = text.split_once(" bytes of output are not in the recording")?;
    before.rsplit(' ').next()?.parse().ok()
}
