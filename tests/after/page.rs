//! `recmode export --to html`: the facts at its head, and what a browser, a printer and a reader of screens make of it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::browser::{asked, browse};
use crate::{arg, end, fixture, has, recording, run};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

fn written(dir: &TempDir, text: &str) -> PathBuf {
    let path = dir.path().join("session.cast");
    fs::write(&path, text).expect("written");
    path
}

/// The page of a file, and what came on standard error.
fn page_of(file: &Path, more: &[&str]) -> (String, String) {
    let (page, err, status) = run(&[&["export", "--to", "html", arg(file)], more].concat());
    assert_eq!(status, Some(0), "{err}");
    (page, err)
}

fn fact(name: &str, text: &str) -> String {
    format!("<dt>{name}</dt><dd>{text}</dd>")
}

#[test]
fn the_head_has_all_that_info_has_and_the_hashes_of_the_file() {
    let dir = folder();
    let file = written(
        &dir,
        &recording(
            "alice",
            "strict",
            1_790_000_000,
            &format!(
                "[1.5,\"o\",\"x\\r\\n\"]\n\
                 #recmode {{\"gap\":{{\"bytes\":12,\"seconds\":2.5,\"lost\":7,\"error\":\"ENOSPC\"}}}}\n{}",
                end(3, 1.5, 7)
            ),
        ),
    );
    let (page, err) = page_of(&file, &[]);
    assert_eq!(err, "");
    let (info, ..) = run(&["info", arg(&file)]);
    let mut name = String::new();
    for line in info.lines() {
        let (label, text) = line.split_at(10);
        if !label.trim().is_empty() {
            label.trim().clone_into(&mut name);
        }
        if !["Start", "File"].contains(&name.as_str()) {
            let text = text.trim_start().replace('"', "&quot;");
            assert!(page.contains(&format!("<dd>{text}</dd>")), "{name}: {text}: {page}");
            assert!(page.contains(&format!("<dt>{name}</dt>")), "{name}: {page}");
        }
    }
    let sum = |program: &str| {
        let output = Command::new(program).arg(&file).output().expect("it runs");
        String::from_utf8(output.stdout).expect("text").split(' ').next().unwrap_or_default().to_owned()
    };
    assert!(page.contains(&fact("SHA-256", &sum("sha256sum"))), "{page}");
    let blake3 = blake3::hash(&fs::read(&file).expect("a file")).to_hex();
    assert!(page.contains(&fact("BLAKE3", &blake3)), "{page}");
    assert!(page.contains(&fact("Start", "2026-09-21T14:13:20Z")), "{page}");
    assert!(page.contains("<p class=\"warn\">1 gap: 7 bytes of output are lost</p>"), "{page}");
    // A pipe is hashed and verified as it is read.
    let child = crate::support::recmode()
        .args(["export", "--to", "html", "-"])
        .stdin(fs::File::open(&file).expect("a file"))
        .stdout(Stdio::piped())
        .output();
    let piped = String::from_utf8(child.expect("recmode runs").stdout).expect("UTF-8");
    assert!(piped.contains(&fact("BLAKE3", &blake3)), "{piped}");
}

#[test]
fn what_is_wrong_stands_at_the_top_in_words() {
    let dir = folder();
    let cast = dir.path().join("session.cast");
    let (_, err, status) =
        run(&["record", "-q", "--mode", "strict", "-o", arg(&cast), "--", "echo", "what was shown"]);
    assert_eq!(status, Some(0), "{err}");
    let (page, err) = page_of(&cast, &[]);
    assert!(page.contains("<p class=\"good\">Integrity: intact</p>") && err.is_empty(), "{err}{page}");
    let text = fs::read_to_string(&cast).expect("a recording");
    let changed = dir.path().join("changed.cast");
    fs::write(&changed, text.replace("what was shown", "what was never")).expect("written");
    let (page, err) = page_of(&changed, &[]);
    assert!(page.contains("<p class=\"bad\">Integrity: changed at line"), "{page}");
    assert!(err.contains(": changed at line"), "{err}");
    let cut = dir.path().join("cut.cast");
    let without_end = text.find("#recmode {\"end\"").expect("an end");
    fs::write(&cut, &text[..without_end]).expect("written");
    let (page, _) = page_of(&cut, &[]);
    assert!(page.contains("<p class=\"bad\">Integrity: cut off after byte"), "{page}");
    assert!(page.contains("<p class=\"bad\">End: no end record"), "{page}");
    let end = page.rfind("<div class=\"bad\"").expect("a note");
    assert!(
        page[end..].contains("End: no end record") && end > page.find("what was shown").expect("it"),
        "{page}"
    );
}

#[test]
fn the_signer_is_verified_with_the_keys_that_are_given() {
    if !has("ssh-keygen") {
        return;
    }
    let dir = folder();
    let (key, signers) = (dir.path().join("key"), dir.path().join("signers"));
    let keygen = |args: &[&str]| {
        let output = Command::new("ssh-keygen").args(args).output().expect("ssh-keygen runs");
        assert!(output.status.success(), "{output:?}");
    };
    keygen(&["-q", "-t", "ed25519", "-N", "", "-f", arg(&key)]);
    let public = fs::read_to_string(key.with_extension("pub")).expect("a key");
    fs::write(&signers, format!("alice@example.org {public}")).expect("written");
    let file = written(&dir, &recording("alice", "strict", 1_790_000_000, &end(0, 1.0, 0)));
    let allowed = ["--allowed-signers", arg(&signers)];
    let (page, err) = page_of(&file, &allowed);
    assert!(
        page.contains("<p class=\"bad\">Signature: not signed</p>") && err.contains("not signed"),
        "{err}"
    );
    keygen(&["-q", "-Y", "sign", "-f", arg(&key), "-n", "recmode", arg(&file)]);
    let (page, err) = page_of(&file, &allowed);
    assert!(page.contains("<p class=\"good\">Signature: signed by alice@example.org</p>"), "{err}{page}");
    assert!(page_of(&file, &[]).0.contains(&fact("Signature", "not verified: no signers were given")));
}

/// A recording of what pages are made of.
fn samples() -> String {
    let mut lines = String::new();
    let mut say = |time: f64, text: &str| {
        let _ = writeln!(lines, "[{time},\"o\",{}]", serde_json::to_string(text).expect("a text"));
    };
    say(0.1, "\x1b]133;A\x07$ \x1b[?2004h");
    say(1.0, "ls\x1b[?2004l\r\r\n\x1b]133;C\x07see https://example.org/a\r\n\x1b]133;D;1\x07");
    for n in 0..256 {
        let other = (n * 7 + 3) % 256;
        say(0.01, &format!("\x1b[38;5;{n}mfore\x1b[48;5;{other}mboth\x1b[39mback\x1b[7mturned\x1b[0m "));
        say(0.01, &format!("\x1b[2;38;5;{n}mfaint\x1b[22;1mbold\x1b[0;7;38;5;{n}mturned\x1b[0m\r\n"));
    }
    say(0.1, "\x1b[2mfaint\x1b[7mturned\x1b[0;1;3;4;9mall\x1b[0m\r\n\x1b[47m    \x1b[40m  \x1b[0m\r\n");
    say(0.1, &format!("{} end of the long line\r\n", "word ".repeat(100)));
    say(0.1, &format!("{}end of the unbroken line\r\n", "x".repeat(500)));
    say(0.1, "\x1b[?1049h\x1b[44mfull\x1b[K");
    say(0.1, "\x1b[0m\x1b[?1049l");
    lines += "[0.1,\"m\",\"a marker\"]\n";
    lines += "#recmode {\"gap\":{\"bytes\":12,\"seconds\":2.5,\"lost\":7,\"error\":\"ENOSPC\"}}\n";
    recording(
        "alice",
        "strict",
        1_790_000_000,
        &format!("{lines}[0.1,\"o\",\"last\\r\\n\"]\n{}", end(0, 1.5, 7)),
    )
}

#[test]
fn a_page_of_samples_passes_axe_in_both_schemes() {
    let Some(axe) = std::env::var_os("RECMODE_TEST_AXE") else {
        eprintln!("skipped: needs axe-core in RECMODE_TEST_AXE");
        assert!(std::env::var_os("RECMODE_TEST_NO_SKIP").is_none(), "not skipped: needs RECMODE_TEST_AXE");
        return;
    };
    if !has("chromium") {
        return;
    }
    let axe = fs::read_to_string(axe).expect("axe-core");
    let dir = folder();
    let (page, _) = page_of(&written(&dir, &samples()), &[]);
    // All is laid out, as what is not can't be looked at.
    let page = page.replace("content-visibility: auto", "content-visibility: visible");
    for scheme in ["light", "dark"] {
        let page = page.replace("color-scheme: light dark", &format!("color-scheme: {scheme}")).replace(
            "(prefers-color-scheme: dark)",
            if scheme == "dark" { "(min-width: 0)" } else { "(max-width: 0)" },
        );
        let script = "axe.run({ resultTypes: ['violations'] }).then(({ violations, passes }) => done(\
            passes.some(rule => rule.id == 'color-contrast') ? violations.map(rule => rule.id + ': ' + \
            rule.nodes.slice(0, 5).map(node => node.html.slice(0, 200) + node.failureSummary).join('; ')).join('\\n') || 'passed' \
            : 'the contrast was not looked at'), error => done(String(error)))";
        assert_eq!(asked(&page, &[&axe], script), "passed", "{scheme}");
    }
}

#[test]
fn it_is_as_wide_as_a_telephone_and_no_line_is_cut_there() {
    if !has("chromium") {
        return;
    }
    let dir = folder();
    let (page, _) = page_of(&written(&dir, &samples()), &[]);
    // Windows have a least width; frames do not.
    let script = "const html = document.documentElement.outerHTML.replace(/<script>[^]*?<[/]script>/g, '');\
        const frame = document.createElement('iframe'); frame.width = 360; frame.height = 700; frame.srcdoc = html;\
        frame.onload = () => { const inside = frame.contentDocument; const root = inside.documentElement;\
        const wide = [...inside.querySelectorAll('.l > span, dd, h1')].filter(part => part.scrollWidth > part.clientWidth + 1 \
            && getComputedStyle(part).display != 'inline');\
        done([root.clientWidth, root.scrollWidth, wide.length, inside.querySelectorAll('.l').length > 250].join()) };\
        document.body.append(frame)";
    let answer = asked(&page, &[], script);
    let parts: Vec<&str> = answer.split(',').collect();
    assert_eq!(parts[0], parts[1], "it can be scrolled sideways: {answer}");
    assert_eq!(parts[2..], ["0", "true"], "{answer}");
}

#[test]
fn coloured_rows_touch_in_the_transcript_and_in_the_player() {
    if !has("chromium") {
        return;
    }
    let dir = folder();
    let cast = dir.path().join("blue.cast");
    let rows = "\\u001b[44mblue  \\u001b[m\\r\\n".repeat(8);
    let text = format!("{{\"version\":3,\"term\":{{\"cols\":80,\"rows\":24}}}}\n[0,\"o\",\"{rows}\"]\n");
    fs::write(&cast, text).expect("written");
    let (page, _) = page_of(&cast, &[]);
    // The widest gap between two rows, how many there are, and the heights of rows and lines.
    let script = "const gaps = (what) => { const boxes = [...document.querySelectorAll(what)].filter(part => \
            part.textContent.startsWith('blue')).map(part => part.getBoundingClientRect());\
          return [boxes.length, ...boxes.slice(1).map((box, n) => box.top - boxes[n].bottom)] };\
        const height = (what, unit) => { const part = document.querySelector(what); return Math.abs(\
            part.getBoundingClientRect().height / parseFloat(getComputedStyle(part).fontSize) - unit) < .02 };\
        setTimeout(() => done([...['.l > span > span', '#p-screen > div > span'].map(what => { const [count, ...all] = gaps(what);\
            return count + (Math.max(...all) < .05 ? ' touch' : ' apart ' + all) }), height('.l', 1.35),\
            height('#p-screen > div', 1.25)].join()), 2000)";
    assert_eq!(asked(&page, &[], script), "8 touch,8 touch,true,true");
}

#[test]
fn nothing_is_cut_on_paper() {
    if !(has("chromium") && has("pdftotext")) {
        return;
    }
    let dir = folder();
    let out = dir.path().join("page.html");
    let (_, _, status) = run(&["export", "--to", "html", arg(&written(&dir, &samples())), "-o", arg(&out)]);
    assert_eq!(status, Some(0));
    // Also with wrapping turned off on the screen.
    for page in ["wrapped", "not wrapped"] {
        if page == "not wrapped" {
            let text = fs::read_to_string(&out).expect("a page");
            fs::write(&out, text.replace("id=\"wrap\" checked", "id=\"wrap\"")).expect("written");
        }
        let pdf = dir.path().join("page.pdf");
        browse(&out, &[&format!("--print-to-pdf={}", pdf.display())]);
        let output =
            Command::new("pdftotext").args(["-raw", arg(&pdf), "-"]).output().expect("pdftotext runs");
        let text = String::from_utf8_lossy(&output.stdout);
        let printed: String = text.split_whitespace().collect();
        let unbroken = format!("{}endoftheunbrokenline", "x".repeat(500));
        for wanted in
            [unbroken.as_str(), &format!("{}endofthelongline", "word".repeat(100)), "last", "Gap:ENOSPC"]
        {
            assert!(printed.contains(wanted), "{page}: {wanted}: {text}");
        }
        assert_eq!(printed.matches("foreboth").count(), 256, "{page}");
    }
}

#[test]
fn a_full_screen_session_is_shown_by_a_browser() {
    if !has("chromium") {
        return;
    }
    let dir = folder();
    let out = dir.path().join("page.html");
    let (_, err, status) =
        run(&["export", "--to", "html", arg(&fixture("full-screen.cast")), "-o", arg(&out)]);
    assert_eq!((err.as_str(), status), ("", Some(0)));
    let shown = browse(&out, &["--dump-dom"]);
    for text in ["echo <span class=\"f1\">pass</span>word", "second page", "0:01:05.700", "the end"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
}
