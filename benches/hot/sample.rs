//! What is measured: a session's output, roles as `tctl get roles` prints them, recordings. The same in every run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use recmode::policy::{Mode, SessionKind};
use recmode::recording::chain::{self, Chain};
use recmode::recording::{Encoder, Ending, Format, Header, Reason, Record, Session, Term, incomplete_tail};

/// Coloured output of at least `bytes` bytes: listings, a log, prompts with what was typed.
pub fn output(bytes: usize) -> String {
    const WORDS: [&str; 8] =
        ["systemd", "naïve", "kernel: eth0", "\"quoted\"", "/usr/lib/x", "日本語", "error", "accepted"];
    let mut text = String::with_capacity(bytes + 200);
    let mut n = 0_u32;
    while text.len() < bytes {
        let word =
            |at: u32| WORDS[(n.wrapping_mul(2_654_435_761).rotate_left(at) >> 7) as usize % WORDS.len()];
        let _ = match n % 8 {
            0 => write!(
                text,
                "\x1b]0;alice@web-7: ~\x07\x1b[?2004h\x1b[01;32malice@web-7\x1b[00m:\x1b[01;34m~\x1b[00m$ \
                 journalctl -n {n}\r\n\x1b[?2004l\r"
            ),
            1..4 => write!(
                text,
                "drwxr-xr-x 2 root root {:>6} Nov 22 20:45 \x1b[01;34m{}-{n}\x1b[0m\r\n",
                n % 70_000,
                word(3)
            ),
            _ => write!(
                text,
                "Nov 22 20:45:00 web-7 {}[{n}]: {} by {} in {n} ms\r\n",
                word(1),
                word(5),
                word(9)
            ),
        };
        n += 1;
    }
    text
}

/// A document with one role.
pub fn role(n: usize) -> String {
    let (team, mode) = (n % 37, if n.is_multiple_of(2) { "strict" } else { "best_effort" });
    let ssh = if n.is_multiple_of(3) { "best_effort" } else { "strict" };
    format!(
        "---
kind: role
version: v7
metadata:
  name: role-{n:06}
  description: Access for team {team} to its own servers and databases
  id: 1695061238452334{n:06}
  revision: 3b7d7f0e-6a5c-4e3c-9c6e-{n:012}
  labels:
    team: team-{team}
    \"cost-center\": \"{n}\"
spec:
  allow:
    app_labels:
      '*': '*'
    db_labels:
      env: [dev, staging]
    db_names:
    - '*'
    db_users:
    - '{{{{internal.db_users}}}}'
    kubernetes_groups:
    - system:masters
    kubernetes_labels:
      '*': '*'
    kubernetes_resources:
    - kind: pod
      name: '*'
      namespace: '*'
      verbs:
      - '*'
    logins:
    - '{{{{internal.logins}}}}'
    - ubuntu  # the image's default
    node_labels:
      env: dev
      team: team-{team}
    rules:
    - resources:
      - session
      verbs: [read, list]
      where: contains(session.participants, user.metadata.name)
  deny:
    logins: [root]
  options:
    cert_format: standard
    create_host_user: false
    desktop_clipboard: true
    enhanced_recording:
    - command
    - network
    forward_agent: true
    max_session_ttl: 30h0m0s
    pin_source_ip: false
    port_forwarding: true
    record_session:
      default: {mode}
      ssh: {ssh}
      desktop: true
    ssh_file_copy: true
"
    )
}

/// A closed recording with its chain, of about `bytes` bytes: `output` over and over, in pieces as a terminal gives them.
pub fn recording(n: usize, bytes: usize, output: &[u8], mut write: impl FnMut(&[u8])) {
    let mut encoder = Encoder::new(Format::AsciicastV3, 0);
    let mut chain = Chain::new(false);
    let mut lines = Vec::with_capacity(128 << 10);
    let (mut time, mut written, mut shown) = (0, 0, 0);
    encoder.header(&header(n), &mut lines);
    let mut rest = output;
    while written + lines.len() < bytes {
        // A prompt's few bytes, a program's line, a flood's full read.
        time += [90_000, 1_500, 40][shown % 3];
        let most = [24, 180, 4096][shown % 3].min(rest.len());
        let whole = most - incomplete_tail(&rest[..most]);
        encoder.bytes(time, 'o', &rest[..whole], &mut lines);
        shown += whole;
        rest = if whole == rest.len() { output } else { &rest[whole..] };
        if lines.len() as u64 >= chain::EVERY_BYTES {
            check(&mut encoder, &mut chain, &mut lines);
            write(&lines);
            written += lines.len();
            lines.clear();
        }
    }
    let ending = Ending { reason: Reason::Exit, status: 0 };
    encoder.event(time, 'x', &ending.status.to_string(), &mut lines);
    let end = Record::End {
        reason: ending.reason,
        status: Some(ending.status),
        bytes: shown as u64,
        seconds: recmode::recording::seconds(time),
        gaps: 0,
        lost: 0,
    };
    encoder.record(&end, &mut lines);
    check(&mut encoder, &mut chain, &mut lines);
    write(&lines);
}

/// Appends a check over all that was written, and takes all of `lines` into the chain.
fn check(encoder: &mut Encoder, chain: &mut Chain, lines: &mut Vec<u8>) {
    chain.push(lines);
    let mut line = Vec::new();
    encoder.record(&Record::EMPTY_CHECK, &mut line);
    if let Some(value) = chain::value_in(&line) {
        chain.fill(&mut line, value.start);
    }
    chain.push(&line);
    lines.extend_from_slice(&line);
}

fn header(n: usize) -> Header {
    Header {
        term: Term { cols: 120, rows: 40, kind: Some("xterm-256color".to_owned()) },
        timestamp: 1_795_000_000 + i64::try_from(n).unwrap_or_default() * 61,
        command: b"/bin/bash".to_vec(),
        title: None,
        env: BTreeMap::from([("SHELL", "/bin/bash".to_owned()), ("TERM", "xterm-256color".to_owned())]),
        session: Session {
            version: env!("CARGO_PKG_VERSION"),
            session: format!("7d1c0c6e-94a5-4e5b-8a55-{n:012}"),
            mode: if n.is_multiple_of(2) { Mode::Strict } else { Mode::BestEffort },
            kind: SessionKind::Ssh,
            roles: vec![format!("role-{:06}", n % 500), "access".to_owned()],
            because: Vec::new(),
            user: format!("user-{}", n % 100),
            host: "web-7".to_owned(),
            streams: None,
            chain: chain::NAME,
            segment: None,
            first: None,
            continues: None,
            clamped: Vec::new(),
        },
    }
}

/// The least that a listing has to do with a file: open it, ask for its size, read its head and its tail.
pub fn ends(path: &Path) -> io::Result<usize> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let (mut head, mut tail) = ([0; 4 << 10], [0; 1 << 10]);
    let read = file.read_at(&mut head, 0)?;
    Ok(read + file.read_at(&mut tail, size.saturating_sub(1 << 10))?)
}

/// The least that a verification has to do with a file: read and hash it.
pub fn hash(path: &Path) -> io::Result<blake3::Hash> {
    let mut file = File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize()),
            n => hasher.update(&buffer[..n]),
        };
    }
}
