//! `recmode verify`, on recordings that recmode has just made, whole, cut, changed and signed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::{arg, fixture, run, support};

/// Records what a script prints.
fn record(file: &Path, more: &[&str], script: &str) {
    let output = support::recmode()
        .args(["record", "--mode", "strict", "-q", "-o", arg(file)])
        .args(more)
        .args(["--", "sh", "-c", script])
        .stdin(Stdio::null())
        .output()
        .expect("recmode runs");
    assert!(output.status.success(), "{}", support::all(&output));
}

/// The state of one file by `--format json`, and the exit status.
fn state(file: &Path) -> (String, Option<i32>) {
    let (out, err, status) = run(&["verify", "--format", "json", arg(file)]);
    let tree: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(tree["schema"], "recmode.verify/1");
    (tree["files"][0]["state"].as_str().map_or(err, str::to_owned), status)
}

fn checks(text: &str) -> usize {
    text.lines()
        .filter(|line| line.starts_with("#recmode {\"check\":") || line.contains("\"{\\\"check\\\":"))
        .count()
}

/// 300 KiB, some of it no UTF-8.
const MUCH: &str = "seq 50000; printf 'a\\377b\\n'";

#[test]
fn a_recording_is_intact_in_either_format_and_packed() {
    let dir = tempfile::tempdir().expect("a directory");
    for (name, more) in [("v3.cast", &[][..]), ("v2.cast", &["--format", "asciicast-v2"][..])] {
        let file = dir.path().join(name);
        record(&file, more, MUCH);
        let text = fs::read_to_string(&file).expect("a recording");
        let expected = text.len() / (64 * 1024);
        assert!(
            (expected / 2..=expected + 1).contains(&checks(&text)),
            "{} checks in {} bytes",
            checks(&text),
            text.len()
        );
        assert_eq!(state(&file), ("intact".to_owned(), Some(0)), "{name}");
        let last = text.lines().last().expect("a line");
        assert_eq!(checks(last), 1, "the last line is a check: {last}");
        let packed = Command::new("gzip").arg(arg(&file)).status();
        assert!(packed.is_ok_and(|status| status.success()), "gzip");
    }
    let (out, err, status) = run(&["verify", arg(dir.path())]);
    assert_eq!((err.as_str(), status), ("", Some(0)));
    assert_eq!(out.matches(": intact\n").count(), 2, "{out}");
    assert_eq!(run(&["verify", "-q", arg(dir.path())]).0, "");
}

#[test]
fn a_file_that_was_cut_is_cut_off_wherever_it_was_cut() {
    let dir = tempfile::tempdir().expect("a directory");
    let whole = dir.path().join("whole.cast");
    record(&whole, &[], "seq 30; echo end");
    let bytes = fs::read(&whole).expect("a recording");
    let header = bytes.iter().position(|&byte| byte == b'\n').expect("a line") + 1;
    let file = dir.path().join("cut.cast");
    // Without the last newline alone it is whole.
    for cut in header..bytes.len() - 1 {
        fs::write(&file, &bytes[..cut]).expect("written");
        let (out, _, status) = run(&["verify", arg(&file)]);
        let said = ": cut off after byte 0; all before it is intact";
        assert!(out.contains(said) && status == Some(1), "cut at {cut}: {out}");
    }
    // Larger ones are told up to their last check.
    record(&dir.path().join("much.cast"), &[], MUCH);
    let bytes = fs::read(dir.path().join("much.cast")).expect("a recording");
    let text = String::from_utf8(bytes.clone()).expect("UTF-8");
    let check = text.find("#recmode {\"check\":").expect("a check");
    let after = check + text[check..].find('\n').expect("a line") + 1;
    fs::write(&file, &bytes[..after + 1000]).expect("written");
    let (out, _, status) = run(&["verify", arg(&file)]);
    assert_eq!(status, Some(1));
    assert!(
        out.ends_with(&format!(
            ": cut off after byte {after}; all before it is intact; 1000 bytes after it are not checked\n"
        )),
        "{out}"
    );
}

#[test]
fn a_byte_that_was_changed_is_seen_wherever_it_is() {
    let dir = tempfile::tempdir().expect("a directory");
    for more in [&[][..], &["--format", "asciicast-v2"][..]] {
        let whole = dir.path().join("whole.cast");
        record(&whole, more, "seq 20");
        let bytes = fs::read(&whole).expect("a recording");
        let file = dir.path().join("changed.cast");
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            fs::write(&file, &changed).expect("written");
            let (state, status) = state(&file);
            assert!(state != "intact" && status != Some(0), "byte {at} of {}: {state}", bytes.len());
        }
        fs::remove_file(&whole).expect("removed");
    }
}

#[test]
fn a_line_that_was_taken_out_put_in_or_moved_is_told_with_its_place() {
    let dir = tempfile::tempdir().expect("a directory");
    let whole = dir.path().join("whole.cast");
    record(&whole, &[], MUCH);
    let text = fs::read_to_string(&whole).expect("a recording");
    let lines: Vec<&str> = text.lines().collect();
    let check = lines.iter().position(|line| checks(line) == 1).expect("a check");
    let second = check + 1 + lines[check + 1..].iter().position(|line| checks(line) == 1).expect("another");
    let file = dir.path().join("changed.cast");
    let changed = |lines: &[&str]| {
        fs::write(&file, lines.iter().flat_map(|line| [line, "\n"]).collect::<String>()).expect("written");
        let (out, _, status) = run(&["verify", arg(&file)]);
        assert_eq!(status, Some(1), "{out}");
        out.split_once(": ").expect("a line").1.trim_end().to_owned()
    };
    let told = |from: usize, to: usize| {
        format!("changed at line {from}, or up to line {to}: no check is between them")
    };
    let mut removed = lines.clone();
    removed.remove(check + 2);
    assert_eq!(changed(&removed), told(check + 2, second));
    let mut added = lines.clone();
    added.insert(check + 1, "[0.0, \"o\", \"never\"]");
    assert_eq!(changed(&added), told(check + 2, second + 2));
    let mut unchecked = lines.clone();
    unchecked.retain(|line| checks(line) == 0);
    let found = changed(&unchecked);
    assert!(found.starts_with("cut off after byte 0; all before it is intact;"), "{found}");
    let mut appended = lines.clone();
    appended.push("[0.0, \"o\", \"more\"]");
    assert_eq!(changed(&appended), format!("changed at line {}", lines.len() + 1));
    let mut header = lines.clone();
    let other = lines[0].replace("\"mode\":\"strict\"", "\"mode\":\"best_effort\"");
    header[0] = &other;
    assert_eq!(changed(&header), told(1, check + 1));
}

#[test]
fn a_session_is_live_then_recovered_where_its_recorder_died() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("a.cast");
    let mut session = support::recmode()
        .args(["record", "-q", "-o", arg(&file), "--", "sh", "-c", "echo hello; read _"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("recmode runs");
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    // Five seconds after a write there is a check, without any other cause.
    while fs::read_to_string(&file).map_or(0, |text| checks(&text)) == 0 {
        assert!(std::time::Instant::now() < deadline, "no check");
        std::thread::sleep(Duration::from_millis(50));
    }
    let (out, _, status) = run(&["verify", arg(&file)]);
    assert!(out.contains(": still being written; intact up to byte ") && status == Some(1), "{out}");
    // Both at once: nobody is left to close it.
    let recorder =
        fs::read_to_string(format!("/proc/{0}/task/{0}/children", session.id())).expect("children");
    let recorder = recorder.split_whitespace().next().expect("the recording side").to_owned();
    let killed = Command::new("kill").args(["-KILL", &recorder, &session.id().to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()), "kill");
    session.wait().expect("ended");
    while state(&file).0 == "live" {
        assert!(std::time::Instant::now() < deadline, "the recorder's end");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(state(&file), ("cut_off".to_owned(), Some(1)));
    assert_eq!(run(&["recover", arg(&file)]).2, Some(0));
    let (out, _, status) = run(&["verify", arg(&file)]);
    assert!(out.contains(": recovered after a crash; intact up to byte ") && status == Some(1), "{out}");
}

#[test]
fn what_has_no_checks_is_not_judged() {
    let (out, _, status) = run(&["verify", arg(&fixture("asciinema-v2.cast"))]);
    assert!(out.ends_with(": without checks\n"), "{out}");
    assert_eq!(status, Some(2));
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("notes.txt"), "no recording\n").expect("a file");
    assert_eq!(run(&["verify", arg(dir.path())]), (String::new(), String::new(), Some(0)));
    let (_, err, status) = run(&["verify", arg(&dir.path().join("notes.txt"))]);
    assert!(err.contains("no recording: ") && status == Some(2), "{err}");
    assert_eq!(run(&["verify", "/nowhere.cast"]).2, Some(2));
}

/// A key of ssh-keygen's, and the file of those who may sign.
fn key(dir: &Path, kind: &str, passphrase: &str) -> PathBuf {
    let key = dir.join(format!("key-{kind}-{}", passphrase.len()));
    let mut words = vec!["-q", "-t", kind, "-N", passphrase, "-C", "comment", "-f", arg(&key)];
    if kind == "rsa" {
        words.extend(["-b", "1024"]);
    }
    let made = Command::new("ssh-keygen").args(words).status();
    assert!(made.is_ok_and(|status| status.success()), "ssh-keygen, of openssh-client");
    key
}

#[test]
fn a_signature_is_what_ssh_keygen_makes_and_takes() {
    let dir = tempfile::tempdir().expect("a directory");
    if Command::new("ssh-keygen").arg("-?").output().is_err() {
        assert!(std::env::var_os("RECMODE_TEST_NO_SKIP").is_none(), "needs ssh-keygen");
        eprintln!("skipped: needs ssh-keygen");
        return;
    }
    let key = key(dir.path(), "ed25519", "");
    let file = dir.path().join("a.cast");
    record(&file, &["--sign-key", arg(&key)], MUCH);
    let signature = dir.path().join("a.cast.sig");
    assert_eq!(fs::metadata(&signature).expect("a signature").permissions().mode() & 0o777, 0o600);
    let public = fs::read_to_string(key.with_extension("pub")).expect("a public key");
    let signers = dir.path().join("signers");
    fs::write(&signers, format!("ops@example.org namespaces=\"recmode\" {public}")).expect("a file");
    let verify = || run(&["verify", "--allowed-signers", arg(&signers), arg(&file)]);
    let (out, err, status) = verify();
    assert_eq!((err.as_str(), status), ("", Some(0)));
    assert!(out.ends_with(": intact; signed by ops@example.org\n"), "{out}");

    let by_ssh_keygen = || {
        let words = [
            "-Y",
            "verify",
            "-f",
            arg(&signers),
            "-I",
            "ops@example.org",
            "-n",
            "recmode",
            "-s",
            arg(&signature),
        ];
        let text = fs::File::open(&file).expect("a recording");
        Command::new("ssh-keygen").args(words).stdin(text).output().expect("ssh-keygen").status.success()
    };
    assert!(by_ssh_keygen());

    // One that ssh-keygen makes is as good, with either hash.
    for hash in ["sha512", "sha256"] {
        fs::remove_file(&signature).expect("removed");
        let option = format!("hashalg={hash}");
        let words = ["-q", "-Y", "sign", "-f", arg(&key), "-n", "recmode", "-O", &option, arg(&file)];
        assert!(Command::new("ssh-keygen").args(words).output().expect("ssh-keygen").status.success());
        assert_eq!(verify().2, Some(0), "{hash}");
    }

    // Another namespace, another text, another signer, none.
    fs::remove_file(&signature).expect("removed");
    let words = ["-q", "-Y", "sign", "-f", arg(&key), "-n", "git", arg(&file)];
    assert!(Command::new("ssh-keygen").args(words).output().expect("ssh-keygen").status.success());
    let (out, _, status) = verify();
    assert!(out.contains("another purpose (\"git\")") && status == Some(1), "{out}");
    fs::remove_file(&file).expect("removed");
    fs::remove_file(&signature).expect("removed");
    record(&file, &["--sign-key", arg(&key)], "echo one");
    let other = dir.path().join("b.cast");
    record(&other, &["--sign-key", arg(&key)], "echo two");
    fs::copy(dir.path().join("b.cast.sig"), &signature).expect("copied");
    let (out, _, status) = verify();
    assert!(out.contains("intact; the signature is not over this recording") && status == Some(1), "{out}");
    assert!(!by_ssh_keygen());
    fs::remove_file(&signature).expect("removed");
    let (out, _, status) = verify();
    assert!(out.ends_with(": intact; not signed\n") && status == Some(1), "{out}");
    fs::write(&signers, format!("ops namespaces=\"git\" {public}")).expect("a file");
    let (out, _, status) = run(&["verify", "--allowed-signers", arg(&signers), arg(&other)]);
    assert!(out.contains("not among the allowed signers") && status == Some(1), "{out}");
    fs::write(&signers, "ops no-key\n").expect("a file");
    let (_, err, status) = run(&["verify", "--allowed-signers", arg(&signers), arg(&other)]);
    assert!(err.contains("line 1: ") && status == Some(2), "{err}");
}

#[test]
fn a_key_that_can_not_sign_is_refused_before_the_start() {
    let dir = tempfile::tempdir().expect("a directory");
    if Command::new("ssh-keygen").arg("-?").output().is_err() {
        assert!(std::env::var_os("RECMODE_TEST_NO_SKIP").is_none(), "needs ssh-keygen");
        eprintln!("skipped: needs ssh-keygen");
        return;
    }
    let encrypted = key(dir.path(), "ed25519", "secret");
    let rsa = key(dir.path(), "rsa", "");
    let exposed = key(dir.path(), "ed25519", "");
    fs::set_permissions(&exposed, fs::Permissions::from_mode(0o644)).expect("chmod");
    let text = dir.path().join("text");
    fs::write(&text, "no key\n").expect("a file");
    fs::set_permissions(&text, fs::Permissions::from_mode(0o600)).expect("chmod");
    let missing = dir.path().join("missing");
    for (key, said) in [
        (&encrypted, "is encrypted"),
        (&rsa, "ssh-rsa; only ed25519 is used"),
        (&exposed, "mode 0644"),
        (&text, "no private key"),
        (&missing, "No such file"),
    ] {
        let file = dir.path().join("a.cast");
        let ran = dir.path().join("ran");
        let (_, err, status) =
            run(&["record", "-o", arg(&file), "--sign-key", arg(key), "--", "touch", arg(&ran)]);
        assert!(err.contains(said) && err.contains(arg(key)), "{err}");
        assert_eq!(status, Some(125));
        assert!(!file.exists() && !ran.exists(), "{said}");
    }
}

#[test]
fn info_tells_what_the_chain_comes_to_and_an_export_has_none() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("a.cast");
    record(&file, &[], "echo hello");
    let integrity = |file: &Path| {
        let (out, err, _) = run(&["info", arg(file)]);
        out.lines().find_map(|line| line.strip_prefix("Integrity   ")).map_or(err, str::to_owned)
    };
    assert_eq!(integrity(&file), "intact");
    let exported = dir.path().join("b.cast");
    assert_eq!(run(&["export", "--to", "asciicast-v3", "-o", arg(&exported), arg(&file)]).2, Some(0));
    assert_eq!(integrity(&exported), "without checks");
    assert_eq!(state(&exported), ("no_chain".to_owned(), Some(2)));
    let text = fs::read_to_string(&file).expect("a recording").replace("hello", "hallo");
    fs::write(&file, text).expect("written");
    assert!(integrity(&file).starts_with("changed at line 1, or up to line "));
    let (out, _, _) = run(&["info", "--format", "json", arg(&file)]);
    let tree: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(tree["integrity"], serde_json::json!({"chain": true, "state": "changed"}));
}

#[test]
fn what_is_called_a_recording_and_is_none_is_not_passed_over() {
    let dir = tempfile::tempdir().expect("a directory");
    let whole = dir.path().join("a.cast");
    record(&whole, &[], "seq 20");
    fs::write(dir.path().join("notes.txt"), "no recording").expect("written");
    fs::write(dir.path().join("tree.json"), "{\"a\":1}\n").expect("written");
    assert_eq!(run(&["verify", arg(dir.path())]).2, Some(0));
    let text = fs::read_to_string(&whole).expect("a recording");
    // A first line that was damaged hides nothing: the checks are there.
    let checked = text.lines().count();
    for damaged in [
        text.replacen('{', "x", 1),
        format!("\u{feff}{text}"),
        format!("\n{text}"),
        "\0".repeat(3 << 19) + &text,
    ] {
        fs::write(dir.path().join("b.cast"), &damaged).expect("written");
        let (out, err, status) = run(&["verify", arg(dir.path())]);
        let to = checked + usize::from(damaged.starts_with('\n'));
        let said = format!("b.cast: changed at line 1, or up to line {to}: ");
        assert!(out.contains(&said) && err.is_empty() && status == Some(1), "{out}{err}");
    }
    // Nor does a file that was emptied.
    for damaged in [String::new(), "\0".repeat(3 << 20)] {
        fs::write(dir.path().join("b.cast"), damaged).expect("written");
        let (out, err, status) = run(&["verify", arg(dir.path())]);
        assert_eq!((out.matches(": intact\n").count(), status), (1, Some(2)), "{out}");
        assert!(err.contains("b.cast: no recording"), "{err}");
    }
    fs::remove_file(dir.path().join("b.cast")).expect("removed");
    // And a recording is one by whatever name.
    fs::write(dir.path().join("session.txt"), text.replacen("20", "21", 1)).expect("written");
    let (out, _, status) = run(&["verify", arg(dir.path())]);
    assert!(out.contains("session.txt: changed at line 1") && status == Some(1), "{out}");
}

#[test]
fn a_packed_recording_that_was_cut_is_told_up_to_its_last_check() {
    let dir = tempfile::tempdir().expect("a directory");
    let whole = dir.path().join("whole.cast");
    record(&whole, &[], "seq 100000");
    let text = fs::read(&whole).expect("a recording");
    let gzip = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, &text).expect("packed");
        encoder.finish().expect("packed")
    };
    let zstd = ruzstd::encoding::compress_to_vec(&text[..], ruzstd::encoding::CompressionLevel::Fastest);
    for (name, packed) in [("cut.cast.gz", gzip), ("cut.cast.zst", zstd)] {
        let file = dir.path().join(name);
        for cut in [packed.len() * 9 / 10, packed.len() - 1] {
            fs::write(&file, &packed[..cut]).expect("written");
            let (out, err, status) = run(&["verify", arg(&file)]);
            assert_eq!((err.as_str(), status), ("", Some(1)), "{name} at {cut}");
            let after = out.split("cut off after byte ").nth(1).and_then(|rest| rest.split(';').next());
            assert!(after.is_some_and(|after| after != "0"), "{out}");
            let (out, _, status) = run(&["info", arg(&file)]);
            assert!(out.contains("Integrity   cut off after byte ") && status == Some(0), "{out}");
            let (out, err, status) = run(&["cat", arg(&file)]);
            assert!(out.starts_with("1\n2\n3\n") && out.lines().count() > 50_000, "{name} at {cut}");
            assert!(err.contains("the recording is cut off in line ") && status == Some(0), "{err}");
        }
    }
}

#[test]
fn a_stream_is_judged_as_a_file_is() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("a.cast");
    record(&file, &[], "seq 20");
    let script = "cat \"$1\" | \"$0\" verify - && \"$0\" verify <(cat \"$1\") && \"$0\" info <(cat \"$1\")";
    let piped = |file: &Path| {
        let program = env!("CARGO_BIN_EXE_recmode");
        crate::outcome(&Command::new("bash").args(["-c", script, program, arg(file)]).output().expect("bash"))
    };
    let (out, err, status) = piped(&file);
    assert_eq!((err.as_str(), status), ("", Some(0)));
    assert!(out.starts_with("-: intact\n/dev/fd/") && out.contains("\nIntegrity   intact\n"), "{out}");
    let text = fs::read_to_string(&file).expect("a recording");
    fs::write(&file, text.replacen("20", "21", 1)).expect("written");
    let (out, _, status) = piped(&file);
    assert!(out.contains("-: changed at line 1") && status == Some(1), "{out}");
}

#[test]
fn version_1_is_a_recording_without_checks() {
    let file = crate::fixture("asciinema-v1.cast");
    assert_eq!(state(&file), ("no_chain".to_owned(), Some(2)));
    assert!(run(&["info", arg(&file)]).0.contains("Integrity   without checks\n"));
}

#[test]
fn a_copy_of_a_session_is_reported_with_both_names() {
    let dir = tempfile::tempdir().expect("a directory");
    let (a, b) = (dir.path().join("a.cast"), dir.path().join("b.cast"));
    record(&a, &[], "echo one");
    record(&b, &[], "echo two");
    let verify = || run(&["verify", arg(dir.path())]);
    assert_eq!(verify().2, Some(0));
    // The same file by two names is one, and so is one that is named twice.
    fs::hard_link(&a, dir.path().join("link.cast")).expect("linked");
    assert_eq!(verify().2, Some(0));
    assert_eq!(run(&["verify", arg(&a), arg(dir.path())]).2, Some(0));
    let session = fs::read_to_string(&a).expect("a recording");
    let session =
        session.split("\"session\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("an id");
    for copy in ["copy.cast", "copy.cast.gz"] {
        let copy = dir.path().join(copy);
        if copy.extension().is_some_and(|end| end == "gz") {
            let packed = Command::new("gzip").args(["--stdout", arg(&a)]).output().expect("gzip").stdout;
            fs::write(&copy, packed).expect("written");
        } else {
            fs::copy(&a, &copy).expect("copied");
        }
        let (out, err, status) = run(&["verify", "-q", arg(dir.path())]);
        let said = format!("{} and {}: the same segment (1) of session {session}\n", arg(&a), arg(&copy));
        assert_eq!((out, err, status), (said, String::new(), Some(1)));
        let (out, _, status) = run(&["verify", "--format", "json", arg(dir.path())]);
        let tree: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        assert_eq!(status, Some(1));
        let expected =
            serde_json::json!([{"session": session, "segment": 1, "files": [arg(&a), arg(&copy)]}]);
        assert_eq!(tree["copies"], expected);
        fs::remove_file(&copy).expect("removed");
    }
}

#[test]
fn a_signature_that_can_not_be_read_hides_no_verdict() {
    if !crate::has("ssh-keygen") {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name);
    let keygen = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f", arg(&path("key"))])
        .status();
    assert!(keygen.is_ok_and(|status| status.success()));
    let public = fs::read_to_string(path("key.pub")).expect("a key");
    fs::write(path("signers"), format!("ops {public}")).expect("written");
    let file = path("a.cast");
    let recorded = run(&["record", "-q", "-o", arg(&file), "--", "echo", "one"]);
    assert_eq!(recorded.2, Some(0), "{}", recorded.1);
    fs::create_dir(path("a.cast.sig")).expect("a directory");
    let verify = || run(&["verify", "--allowed-signers", arg(&path("signers")), arg(&file)]);
    let (out, _, status) = verify();
    assert!(out.contains("a.cast: intact; ") && out.contains("can't be read") && status == Some(2), "{out}");
    let text = fs::read_to_string(&file).expect("a recording").replace("\"o\", \"one", "\"o\", \"two");
    fs::write(&file, text).expect("written");
    let (out, _, status) = verify();
    assert!(out.contains("a.cast: changed at line 1, or up to line ") && status == Some(1), "{out}");
}
