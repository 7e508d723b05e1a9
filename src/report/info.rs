//! What is known of one recording. As a tree `recmode.info/1` is stable: keys are added, never changed or
//! taken away, without a new number.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;

use indicatif::HumanBytes;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::file_name::FileName;
use super::{duration, local_time, marked_user, offset, utc};
use crate::cast::{Decider, Segment, Segments};
use crate::catalog::{State, Summary};
use crate::escape;
use crate::recording::reader::{Gap, SftpFile, Streams, Version};
use crate::recording::seconds;
use crate::verify::{Checked, Continued, Followed};

/// So many markers and gaps are shown to people; JSON has more.
const MAX_SHOWN: usize = 20;

/// What is known of a recording besides what it holds.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The file, or the first one of its session.
    pub file: &'a Path,
    /// Bytes of all its files; nothing for a stream.
    pub size: Option<u64>,
    /// How it stands.
    pub state: State,
    /// The name of the file's owner, where it is a file.
    pub owner: Option<&'a str>,
    /// The files of a session of several, or of one that lacks some.
    pub segments: Option<&'a Segments>,
}

/// The facts as a tree.
#[derive(Debug, Serialize)]
pub struct Info<'a> {
    schema: &'static str,
    #[serde(flatten)]
    file: FileName,
    /// Bytes of the file; null for a stream.
    size: Option<u64>,
    format: &'static str,
    state: &'static str,
    session: Option<&'a str>,
    user: Option<&'a str>,
    /// The name of the file's owner; null for a stream.
    owner: Option<&'a str>,
    host: Option<&'a str>,
    recmode_version: Option<&'a str>,
    kind: Option<&'a str>,
    mode: Option<&'a str>,
    roles: &'a [String],
    because: &'a [Decider],
    segment: Option<u64>,
    first: Option<&'a str>,
    /// The files of a session of several, in order, and what is missing of them or not read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    segments: Vec<SegmentLine>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<String>,
    title: Option<&'a str>,
    command: Option<Cow<'a, str>>,
    start: Option<String>,
    /// Seconds. It and the counts below are null where the recording was changed: nothing was verified then.
    duration: Option<f64>,
    exit: Option<&'a str>,
    ended: Option<&'a str>,
    cut_off_in_line: Option<u64>,
    terminal: Terminal<'a>,
    events: Option<u64>,
    output_bytes: Option<u64>,
    input_bytes: Option<u64>,
    lost_bytes: Option<u64>,
    gap_count: Option<u64>,
    gaps: Vec<GapLine<'a>>,
    marker_count: Option<u64>,
    markers: Vec<Marker<'a>>,
    /// Bytes through standard input, output and error of a session without a terminal.
    #[serde(skip_serializing_if = "Option::is_none")]
    streams: Option<[u64; 3]>,
    /// Files that were transferred by sftp; their names as the client gave them.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    files: &'a [SftpFile],
    #[serde(skip_serializing_if = "is_zero")]
    file_count: u64,
    integrity: Integrity,
}

#[derive(Debug, Serialize)]
struct Terminal<'a> {
    cols: u16,
    rows: u16,
    #[serde(rename = "type")]
    kind: Option<&'a str>,
    resizes: Option<u64>,
}

#[derive(Debug, Serialize)]
struct GapLine<'a> {
    time: f64,
    bytes: u64,
    lost: u64,
    seconds: f64,
    error: &'a str,
}

#[derive(Debug, Serialize)]
struct Marker<'a> {
    time: f64,
    text: &'a str,
}

/// One file of a session.
#[derive(Debug, Serialize)]
pub(super) struct SegmentLine {
    segment: u64,
    #[serde(flatten)]
    file: FileName,
    /// Bytes.
    size: u64,
}

impl SegmentLine {
    pub(super) fn new(segment: &Segment) -> Self {
        Self { segment: segment.number, file: FileName::new(&segment.path), size: segment.size }
    }
}

/// What protects the recording against changes.
#[derive(Debug, Serialize)]
struct Integrity {
    /// Whether it has a chain of checks.
    chain: bool,
    /// What following it comes to.
    state: &'static str,
}

impl<'a> Info<'a> {
    /// The tree of what was found in a file.
    #[must_use]
    pub fn new(about: &About<'a>, summary: &'a Summary, checked: &Checked) -> Self {
        let About { file, size, state, owner, segments } = *about;
        let header = &summary.header;
        let session = summary.session.as_ref();
        let counted = is_counted(checked);
        let count = |count: u64| counted.then_some(count);
        Self {
            schema: "recmode.info/1",
            file: FileName::new(file),
            size,
            format: format(header.version),
            state: state.name(),
            session: session.and_then(|session| session.session.as_deref()),
            user: session.and_then(|session| session.user.as_deref()),
            owner,
            host: session.and_then(|session| session.host.as_deref()),
            recmode_version: session.and_then(|session| session.version.as_deref()),
            kind: session.and_then(|session| session.kind.as_deref()),
            mode: session.and_then(|session| session.mode.as_deref()),
            roles: session.map_or(&[], |session| &session.roles),
            because: session.map_or(&[], |session| &session.because),
            segment: session.and_then(|session| session.segment),
            first: session.and_then(|session| session.first.as_deref()),
            segments: segments.into_iter().flat_map(|all| &all.files).map(SegmentLine::new).collect(),
            missing: segments.into_iter().flat_map(|all| &all.faults).map(ToString::to_string).collect(),
            title: header.title.as_deref(),
            command: summary.command(),
            start: header.timestamp.and_then(utc),
            duration: counted.then(|| seconds(summary.length)),
            exit: summary.exit.as_deref(),
            ended: summary.end.as_ref().map(|end| end.reason.as_str()),
            cut_off_in_line: summary.torn,
            terminal: Terminal {
                cols: header.cols,
                rows: header.rows,
                kind: header.term_type.as_deref(),
                resizes: count(summary.resize_count),
            },
            events: count(summary.events),
            output_bytes: count(summary.output),
            input_bytes: count(summary.input),
            lost_bytes: count(summary.lost),
            gap_count: count(summary.gap_count),
            gaps: summary
                .gaps
                .iter()
                .filter(|_| counted)
                .map(|gap| GapLine {
                    time: seconds(gap.time),
                    bytes: gap.what.bytes,
                    lost: gap.what.lost,
                    seconds: gap.what.seconds,
                    error: &gap.what.error,
                })
                .collect(),
            marker_count: count(summary.marker_count),
            markers: summary
                .markers
                .iter()
                .filter(|_| counted)
                .map(|marker| Marker { time: seconds(marker.time), text: &marker.what })
                .collect(),
            streams: summary
                .streams
                .filter(|_| counted)
                .map(|streams| [streams.stdin, streams.stdout, streams.stderr]),
            files: if counted { &summary.files } else { &[] },
            file_count: if counted { summary.file_count } else { 0 },
            integrity: Integrity {
                chain: checked.chain != Followed::NoChain,
                state: super::verified::state(checked),
            },
        }
    }

    /// As JSON, with a line break at its end.
    ///
    /// # Errors
    ///
    /// Never for the values that this type can hold.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        Ok(escape::json(&serde_json::to_string_pretty(self)?) + "\n")
    }
}

/// The facts for people.
#[must_use]
pub fn info_text(about: &About<'_>, summary: &Summary, checked: &Checked, zone: &TimeZone) -> String {
    let mut out = String::new();
    for (name, text) in facts(about, summary, checked, zone, MAX_SHOWN) {
        let _ = writeln!(out, "{name:10}  {}", escape::controls(&text));
    }
    out
}

/// The facts as pairs of a name and a text, which needs escaping; a name of "" continues the fact before. Of gaps, markers and
/// files the first `most` are listed.
#[must_use]
pub fn facts(
    about: &About<'_>,
    summary: &Summary,
    checked: &Checked,
    zone: &TimeZone,
    most: usize,
) -> Vec<(&'static str, String)> {
    let About { file, size, state, owner, segments } = *about;
    let header = &summary.header;
    let mut facts = Vec::new();
    let mut line = |name: &'static str, text: &str| facts.push((name, text.to_owned()));
    line("File", &escape::utf8(file.as_os_str().as_encoded_bytes()));
    if let Some(size) = size {
        line("Size", &HumanBytes(size).to_string());
    }
    line("Format", format(header.version));
    line("State", state.in_words());
    if let Some(title) = header.title.as_deref().filter(|title| !title.is_empty()) {
        line("Title", title);
    }
    if let Some(session) = &summary.session {
        let user = session.user.as_deref().map(|user| marked_user(user, owner));
        for (name, text) in [
            ("Session", session.session.as_deref()),
            ("User", user.as_deref()),
            ("Host", session.host.as_deref()),
        ] {
            if let Some(text) = text {
                line(name, text);
            }
        }
    }
    if let Some(start) = header.timestamp {
        line("Start", &local_time(start, zone));
    }
    let counted = is_counted(checked);
    let not_verified = || "not verified".to_owned();
    line("Duration", &if counted { duration(summary.length) } else { not_verified() });
    if let Some(command) = summary.command() {
        line("Command", &command);
    }
    if let Some(session) = &summary.session {
        if let Some(kind) = &session.kind {
            line("Kind", kind);
        }
        if let Some(mode) = &session.mode {
            let because: Vec<_> = session
                .because
                .iter()
                .map(|decider| format!("{} in role {:?}", decider.option, decider.role))
                .collect();
            let because = because.join("; ");
            line("Mode", &if because.is_empty() { mode.clone() } else { format!("{mode}, by {because}") });
        }
        if !session.roles.is_empty() {
            line("Roles", &session.roles.join(", "));
        }
    }
    if let Some(segments) = segments {
        files_of_session(&mut line, segments);
    }
    let kind = header.term_type.as_deref().map(|kind| format!(", {kind}")).unwrap_or_default();
    let resizes = match summary.resize_count {
        _ if !counted => String::new(),
        0 => String::new(),
        1 => ", resized once".to_owned(),
        count => format!(", resized {count} times"),
    };
    line("Terminal", &format!("{}x{}{kind}{resizes}", header.cols, header.rows));
    let how = match summary.end {
        None if state == State::Live => "the session is still being recorded".to_owned(),
        _ => ended(summary),
    };
    line("Ended", &how);
    let recorded = || {
        let Summary { output, input, events, .. } = summary;
        format!("{output} bytes of output, {input} bytes of input, {events} events")
    };
    line("Recorded", &if counted { recorded() } else { not_verified() });
    if let Some(streams) = summary.streams.as_ref().filter(|_| counted) {
        let Streams { stdin, stdout, stderr } = streams;
        line("Streams", &format!("{stdin} bytes to the command, {stdout} from it, {stderr} of errors"));
    }
    if counted {
        files(&mut line, summary, most);
    }
    let integrity = super::verified::integrity(checked);
    line("Integrity", &integrity);
    if counted {
        gaps_and_markers(&mut line, summary, most);
    }
    facts
}

/// The files of the session, and what is wrong with them.
fn files_of_session(line: &mut impl FnMut(&'static str, &str), segments: &Segments) {
    for (n, segment) in segments.files.iter().enumerate() {
        let path = escape::utf8(segment.path.as_os_str().as_encoded_bytes());
        let size = HumanBytes(segment.size);
        line(if n == 0 { "Segments" } else { "" }, &format!("{}  {path}, {size}", segment.number));
    }
    for (n, fault) in segments.faults.iter().enumerate() {
        line(if n == 0 { "Missing" } else { "" }, &fault.to_string());
    }
}

fn gaps_and_markers(line: &mut impl FnMut(&'static str, &str), summary: &Summary, most: usize) {
    if summary.gap_count > 0 {
        line("Gaps", &format!("{}, {} bytes of output are lost", summary.gap_count, summary.lost));
        for gap in summary.gaps.iter().take(most) {
            line("", &format!("{}  {}", offset(gap.time), gap_text(&gap.what)));
        }
        more(line, summary.gap_count, most);
    }
    if summary.marker_count > 0 {
        line("Markers", &summary.marker_count.to_string());
        for marker in summary.markers.iter().take(most) {
            line("", &format!("{}  {}", offset(marker.time), marker.what));
        }
        more(line, summary.marker_count, most);
    }
}

/// A gap in words that need escaping.
#[must_use]
pub fn gap_text(gap: &Gap) -> String {
    format!("{} for {:.1} s: {} bytes came, {} are lost", gap.error, gap.seconds, gap.bytes, gap.lost)
}

/// Whether what was counted is reported: lines of a recording that was changed were not verified.
fn is_counted(checked: &Checked) -> bool {
    !matches!(checked.chain, Followed::Changed { .. }) && checked.continued != Some(Continued::Changed)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn files(line: &mut impl FnMut(&'static str, &str), summary: &Summary, most: usize) {
    if summary.file_count > 0 {
        line("Files", &summary.file_count.to_string());
        for SftpFile { name, read, written, open, .. } in summary.files.iter().take(most) {
            let sizes = format!("{read} bytes read, {written} bytes written");
            line("", &format!("{name}: {}", if *open { "not known to be closed" } else { &sizes }));
        }
        more(line, summary.file_count, most);
    }
}

fn more(line: &mut impl FnMut(&'static str, &str), count: u64, most: usize) {
    if count > most as u64 {
        line("", &format!("{} more (`info --format json` has them)", count - most as u64));
    }
}

/// How a recording ended, in words that need escaping.
#[must_use]
pub fn ended(summary: &Summary) -> String {
    let status = match (&summary.exit, summary.end.as_ref().and_then(|end| end.status)) {
        (_, Some(status)) => format!(", exit status {status}"),
        (Some(status), None) => format!(", exit status {status}"),
        (None, None) => String::new(),
    };
    let reason = match (&summary.end, summary.torn) {
        (Some(end), _) => match end.reason.as_str() {
            "exit" => "the command ended",
            "not_started" => "the command could not be started",
            "signal" => "recmode was ended by a signal",
            "hangup" => "the terminal went away",
            "output_failed" => "output could not be written",
            "strict" => "ended by strict mode, as the recording failed",
            "terminal_side_died" => "recmode was killed",
            "recovered" => "the recorder died; closed by recover",
            other => other,
        }
        .to_owned(),
        (None, Some(line)) => format!("cut off in line {line}"),
        (None, None) if summary.session.is_some() => "no end record".to_owned(),
        (None, None) => "at the end of the file".to_owned(),
    };
    format!("{reason}{status}")
}

fn format(version: Version) -> &'static str {
    match version {
        Version::V1 => "asciicast-v1",
        Version::V2 => "asciicast-v2",
        Version::V3 => "asciicast-v3",
    }
}
