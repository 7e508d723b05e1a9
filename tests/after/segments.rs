//! More of sessions in several files: version 2, exports, signatures, forged headers.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::sessions::{START, json, three, write};
use crate::{arg, has, run};

#[test]
fn in_version_2_times_count_from_the_sessions_start_in_every_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let header = |more: &str| {
        format!(
            "{{\"version\":2,\"width\":80,\"height\":24,\"timestamp\":{START},\"recmode\":{{\"session\":\"s\"{more}}}}}\n"
        )
    };
    let first = header("") + "[0.5, \"o\", \"one\\r\\n\"]\n";
    let continues = format!(
        ",\"segment\":2,\"first\":\"rec.cast\",\"continues\":{{\"segment\":1,\"file\":\"rec.cast\",\"bytes\":{},\"time\":1.0,\"output\":5}}",
        first.len()
    );
    let second = header(&continues)
        + "[3.0, \"o\", \"two\\r\\n\"]\n[4.5, \"x\", \"0\"]\n\
           [4.5, \"R\", \"{\\\"end\\\":{\\\"reason\\\":\\\"exit\\\",\\\"seconds\\\":4.5}}\"]\n";
    // Surplus, of which nothing is read.
    let files = write(&dir, &[first + "[9.0, \"o\", \"surplus\"]\n", second]);
    let expected =
        "[0.500000, \"o\", \"one\\r\\n\"]\n[3.000000, \"o\", \"two\\r\\n\"]\n[4.500000, \"x\", \"0\"]\n";
    let events = |file: &Path| {
        let (out, _, _) = run(&["export", "--to", "asciicast-v2", arg(file)]);
        let lines = out.lines().skip(1).filter(|line| !line.contains("\"R\""));
        lines.map(|line| line.to_owned() + "\n").collect::<String>()
    };
    for file in &files[..2] {
        assert_eq!(events(file), expected);
        assert_eq!(json(&["info", "--format", "json", arg(file)])["duration"], 4.5);
    }
    fs::remove_file(&files[0]).expect("removed");
    assert!(
        events(&files[1])
            .starts_with("[1.000000, \"m\", \"Gap: segment 1 of the session is missing\"]\n[3.0")
    );
    let list = json(&["ls", "--format", "json", arg(&files[1])]);
    assert_eq!(
        (&list["recordings"][0]["duration"], &list["recordings"][0]["start"]),
        (&4.5.into(), &"2026-11-22T00:00:00Z".into())
    );
}

#[test]
fn an_export_of_a_session_is_one_file_that_continues_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let files = write(&dir, &three());
    fs::remove_file(&files[0]).expect("removed");
    let (out, _, _) = run(&["export", "--to", "asciicast-v3", arg(&files[2])]);
    let header: Value = serde_json::from_str(out.lines().next().expect("a header")).expect("JSON");
    for key in ["segment", "first", "continues", "chain"] {
        assert_eq!(header["recmode"][key], Value::Null, "{key}");
    }
    // Read again, it is as long as the session was, and lacks nothing that could be looked for.
    let exported = dir.path().join("exported.cast");
    fs::write(&exported, out).expect("written");
    let info = json(&["info", "--format", "json", arg(&exported)]);
    assert_eq!((&info["duration"], &info["missing"]), (&4.5.into(), &Value::Null));
}

#[test]
fn the_signature_of_the_last_file_covers_those_before_it() {
    if !has("ssh-keygen") {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name);
    let [key, file, second, signers] = ["key", "rec.cast", "rec.2.cast", "signers"].map(path);
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f", arg(&key)])
        .status();
    assert!(made.is_ok_and(|status| status.success()), "ssh-keygen");
    let public = fs::read_to_string(path("key.pub")).expect("a key");
    fs::write(&signers, format!("ops {public}")).expect("written");
    // The session's own command writes to its file, and waits for the next one.
    let script = "echo one; until grep -qF '\"o\", \"one' \"$1\"; do sleep 0.1; done; echo >>\"$1\"; \
                  until [ -s \"$2\" ]; do sleep 0.1; done; echo two";
    let command = ["--", "sh", "-c", script, "sh", arg(&file), arg(&second)];
    let options = ["record", "-q", "--mode", "best_effort", "--sign-key", arg(&key), "-o", arg(&file)];
    let output =
        crate::support::recmode().args(options).args(command).stdin(std::process::Stdio::null()).output();
    assert!(output.is_ok_and(|output| output.status.success()), "recorded");
    assert_eq!(run(&["cat", arg(&file)]).0, "one\ntwo\n");
    let verify = || run(&["verify", "--allowed-signers", arg(&signers), arg(&file)]);
    let (out, err, status) = verify();
    assert_eq!((err.as_str(), status), ("", Some(0)), "{out}");
    assert!(
        !path("rec.cast.sig").exists()
            && out.contains("; signed by ops\n")
            && out.ends_with(", 2 files: intact\n"),
        "{out}"
    );
    // The same session without its first file's last line.
    let text = fs::read_to_string(&file).expect("a recording");
    let line = text.rfind("\n[0").expect("an event");
    fs::write(&file, &text[..=line]).expect("written");
    let (out, _, status) = verify();
    assert!(out.contains("rec.cast: not as it was when segment 2 went on\n") && status == Some(1), "{out}");
    // The page and `info` come to the same verdict, whichever file is named.
    for named in [&file, &second] {
        let (page, err, status) = run(&["export", "--to", "html", "--no-player", arg(named)]);
        assert_eq!(status, Some(0));
        let verdict = "<p class=\"bad\">Integrity of rec.cast: changed: not as it was when the session went on in another file</p>";
        let head: Vec<_> = page.lines().filter(|line| line.starts_with("<p class")).collect();
        let second_is_good = |line: &&str| line.contains("\"good\">Integrity of rec.2.cast: intact");
        assert!(head.contains(&verdict) && head.iter().any(second_is_good), "{head:#?}");
        assert!(err.contains("rec.cast: changed: not as it was"), "{err}");
        let info = run(&["info", arg(named)]).0;
        assert!(
            info.contains("Integrity   changed: ") && info.contains("Duration    not verified"),
            "{info}"
        );
    }
}

#[test]
fn a_forged_header_costs_neither_time_nor_memory() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("rec.5000.cast");
    let header = |number: &str, time: &str| {
        format!(
            "{{\"version\":3,\"term\":{{\"cols\":80,\"rows\":24}},\"timestamp\":-9223372036854775808,\"recmode\":{{\"session\":\"s\",\
             \"segment\":{number},\"continues\":{{\"segment\":4294967295,\"file\":\"x\",\"time\":{time},\"output\":0}}}}}}\n\
             [1.0,\"o\",\"x\\r\\n\"]\n"
        )
    };
    for number in ["0", "5000", "18446744073709551615"] {
        for time in ["1e300", "-1", "9e9", "0"] {
            fs::write(&file, header(number, time)).expect("written");
            for command in [&["cat"][..], &["info"], &["ls"], &["search", "x"], &["verify"]] {
                let (out, err, status) = run(&[command, &[arg(&file)]].concat());
                assert!(status.is_some_and(|status| status < 3), "{command:?} {number} {time}: {out}{err}");
                assert!(out.lines().count() + err.lines().count() < 25, "{out}{err}");
            }
            let (out, err, status) = run(&["cat", arg(&file)]);
            assert_eq!((out.as_str(), status), ("x\n", Some(0)), "{number} {time}: {err}");
            let first = dir.path().join("rec.cast");
            let missing = format!(
                "segments 1 to 4999 of the session, {}, and those after it are missing",
                first.display()
            );
            assert_eq!(err.contains(&missing), number == "5000", "{err}");
        }
    }
}

#[test]
fn many_sessions_need_few_open_files() {
    const SESSIONS: usize = 60;
    let dir = tempfile::tempdir().expect("a directory");
    for n in 0..SESSIONS {
        let header = |more: &str| {
            format!(
                "{{\"version\":3,\"term\":{{\"cols\":80,\"rows\":24}},\"recmode\":{{\"session\":\"s{n}\"{more}}}}}\n"
            )
        };
        let first = header("") + "[0.5,\"o\",\"first\\r\\n\"]\n";
        let second = header(&format!(",\"segment\":2,\"first\":\"a{n}.cast\""))
            + "[0.5,\"o\",\"needle\\r\\n\"]\n[0.0,\"x\",\"0\"]\n";
        fs::write(dir.path().join(format!("a{n}.cast")), first).expect("written");
        fs::write(dir.path().join(format!("a{n}.2.cast")), second).expect("written");
    }
    let program = crate::support::recmode().get_program().to_owned();
    let limited = |files: usize, args: &[&str]| {
        let limit = format!("ulimit -n {files}; exec \"$@\"");
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &limit, "sh"]).arg(&program).args(args).arg(dir.path());
        crate::outcome(&command.output().expect("it runs"))
    };
    let rows = |out: &str| out.lines().filter(|line| line.contains("more of its session")).count();
    for files in (3..20).chain([50]) {
        for (args, whole) in
            [(&["ls"][..], SESSIONS + 1), (&["search", "needle"], SESSIONS), (&["verify"], 3 * SESSIONS)]
        {
            let (out, err, status) = limited(files, args);
            let what = format!("{args:?} with {files} files: {out}{err}");
            assert!(!out.contains("missing") && !err.contains("missing"), "{what}");
            if files == 50 || !err.contains("Too many open files") {
                assert!(files < 50 || out.lines().count() == whole, "{what}");
                assert!(args != ["ls"] || out.is_empty() || rows(&out) == SESSIONS, "{what}");
                assert!(!err.contains("Too many"), "{what}");
            } else {
                assert_eq!(status, Some(2), "{what}");
            }
        }
    }
}

#[test]
fn a_glance_and_a_verdict_tell_of_an_earlier_file_that_is_cut_off_or_damaged() {
    let dir = tempfile::tempdir().expect("a directory");
    let texts = three();
    let no_hash = |text: &str| {
        let mut header: Value = serde_json::from_str(text.lines().next().expect("a header")).expect("JSON");
        header["recmode"]["continues"].as_object_mut().expect("an object").remove("blake3");
        let rest = text.split_once('\n').expect("lines").1;
        format!("{header}\n{rest}")
    };
    let [first, second, _] = &texts;
    let end = "[0.0,\"x\",\"0\"]\n#recmode {\"end\":{\"reason\":\"exit\",\"seconds\":4.5}}\n";
    let second = no_hash(second) + end;
    for (broken, told) in [
        (first[..first.len() - 8].to_owned(), "cut off: "),
        (first.replace("[0.5,\"o\"", "[x.5,\"o\""), "; the session goes on in segment 2"),
    ] {
        let files = write(&dir, &[broken, second.clone()]);
        for path in [dir.path(), &files[0], &files[1]] {
            let list = json(&["ls", "--format", "json", arg(path)]);
            let entry = &list["recordings"][0];
            assert_eq!(
                (&entry["state"], list["recordings"].as_array().map(Vec::len)),
                (&"gap".into(), Some(1))
            );
            assert!(entry["missing"].to_string().contains(told), "{list}");
        }
        let info = json(&["info", "--format", "json", arg(&files[0])]);
        assert!(info["state"] == "gap" && info["missing"].to_string().contains(told), "{info}");
        if told == "cut off: " {
            let (out, err, status) = run(&["verify", arg(dir.path())]);
            assert!(status == Some(1) && out.contains("rec.cast: cut off: "), "{out}{err}");
        }
    }
}
