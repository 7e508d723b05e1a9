//! Independent readers of the format: asciinema 2 (Debian's) for v2, asciinema 3 (crates.io) for v3 and v2.

use std::env;
use std::process::Command;

use crate::harness::{Cast, Lab, Skip, Verdict, show, tests};

tests![
    asciinema_2_reads_version_2,
    asciinema_2_plays_version_2,
    asciinema_3_reads_version_3,
    asciinema_3_reads_version_2,
    asciinema_3_plays_version_3,
];

/// The first asciinema of this major version: the one the variable names, or the one on the path.
fn asciinema(major: &str) -> Result<String, Skip> {
    let named = env::var(format!("RECMODE_TEST_ASCIINEMA{major}")).ok();
    let candidates = named.into_iter().chain([
        "asciinema".to_owned(),
        format!("asciinema{major}"),
        "/usr/bin/asciinema".to_owned(),
    ]);
    for program in candidates {
        let version = Command::new(&program).arg("--version").output();
        let version =
            version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        if version.starts_with(&format!("asciinema {major}.")) {
            return Ok(program);
        }
    }
    Err(Skip(format!("needs asciinema {major} (on the path, or named by RECMODE_TEST_ASCIINEMA{major})")))
}

/// A recording with all that ours has: text, controls, bytes that are no UTF-8, a resize, input, an exit.
fn recording(lab: &Lab, format: &str, script: &str) -> Cast {
    let mut outer =
        lab.outer(&lab.record(&["-q", "--format", format, "--capture-input", "--", "sh", "-c", script]));
    outer.wait_for("ready");
    outer.resize((100, 40));
    outer.send("typed\r");
    assert_eq!(outer.end().status, 3);
    Cast::read(&lab.cast())
}

const TEXT: &str = r"echo ready; read x; printf 'h\303\251llo \033[1mworld\033[0m\n'; seq 1 2000; echo '\u20ac \360\237\230\200'; exit 3";

/// What a reader must give for the recording: its events' text.
fn output_text(cast: &Cast) -> String {
    cast.events("o").concat()
}

/// `asciinema cat` of version 2, which needs a terminal even when it prints to a file.
fn is_printed_by_asciinema_2(program: &str, lab: &Lab, cast: &Cast) {
    let script = format!(r#"exec {program} cat "$CAST" > printed"#);
    let end = lab.outer_sh(&script).end();
    assert_eq!(end.status, 0, "{}", show(&end.seen));
    let printed = std::fs::read(lab.path("printed")).unwrap();
    assert!(printed == output_text(cast).as_bytes(), "printed {}", show(&printed));
}

/// Takes out the resize sequences that asciinema's raw format has before and between the output.
fn without_resizes(text: &str) -> String {
    let mut parts = text.split("\x1b[8;");
    let mut rest = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        rest.push_str(part.split_once('t').expect("a resize sequence").1);
    }
    rest
}

fn asciinema_2_reads_version_2() -> Verdict {
    let program = asciinema("2")?;
    let lab = Lab::new();
    let cast = recording(&lab, "asciicast-v2", TEXT);
    assert_eq!(output_text(&cast).as_bytes(), cast.output());
    is_printed_by_asciinema_2(&program, &lab, &cast);
    let lab = Lab::new();
    let cast = recording(&lab, "asciicast-v2", r"echo ready; read x; printf 'a\377b\n'; exit 3");
    is_printed_by_asciinema_2(&program, &lab, &cast);
    Ok(())
}

/// Plays a recording on a terminal of its own, as fast as it goes.
fn plays(program: &str, format: &str) {
    let lab = Lab::new();
    let cast = recording(&lab, format, TEXT);
    let file = lab.cast().to_str().unwrap().to_owned();
    let end = lab.outer(&[program, "play", "--speed", "10000", "--idle-time-limit", "0.01", &file]).end();
    assert_eq!(end.status, 0, "{}", show(&end.seen));
    let expected = output_text(&cast);
    let plain = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('\r', "");
    assert!(plain(&end.seen).contains(&plain(expected.as_bytes())), "played {}", show(&end.seen));
}

fn asciinema_2_plays_version_2() -> Verdict {
    plays(&asciinema("2")?, "asciicast-v2");
    Ok(())
}

fn asciinema_3_plays_version_3() -> Verdict {
    plays(&asciinema("3")?, "asciicast-v3");
    Ok(())
}

fn asciinema_3_reads(format: &str) -> Verdict {
    let program = asciinema("3")?;
    for script in [TEXT, r"echo ready; read x; printf 'a\377b\n'; exit 3"] {
        let lab = Lab::new();
        let cast = recording(&lab, format, script);
        let (from, to) = (lab.cast(), lab.path("converted"));
        let argv =
            [&program, "convert", "--output-format", "raw", from.to_str().unwrap(), to.to_str().unwrap()];
        let run = lab.run(&argv, b"");
        assert_eq!(run.status, 0, "{}", run.stderr());
        let converted = without_resizes(&std::fs::read_to_string(&to).unwrap());
        assert!(converted == output_text(&cast), "read {}", show(converted.as_bytes()));
        // And back into its own newest format: every event is understood.
        let again = lab.path("again.cast");
        let argv = [
            &program,
            "convert",
            "--output-format",
            "asciicast-v3",
            from.to_str().unwrap(),
            again.to_str().unwrap(),
        ];
        let run = lab.run(&argv, b"");
        assert_eq!(run.status, 0, "{}", run.stderr());
        let again = Cast::read(&again);
        for code in ["o", "i", "r", "x"] {
            assert_eq!(again.events(code), cast.events(code), "{code} events");
        }
    }
    Ok(())
}

fn asciinema_3_reads_version_3() -> Verdict {
    asciinema_3_reads("asciicast-v3")
}

fn asciinema_3_reads_version_2() -> Verdict {
    asciinema_3_reads("asciicast-v2")
}
