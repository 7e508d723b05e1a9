//! The options and the environment of `record`, and where its files go.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::harness::{Cast, Lab, Run, Verdict, find, is_root, needs_tools, recmode, show, tests};

tests![
    the_default_command_is_the_users_shell,
    options_after_the_command_are_the_commands,
    the_mode_is_best_effort_unless_something_says_otherwise,
    the_mode_comes_from_a_flag_before_the_environment,
    roles_of_the_environment_beat_its_mode,
    roles_of_a_flag_beat_roles_of_the_environment,
    the_mode_is_resolved_from_roles_for_the_kind,
    the_roles_that_are_named_are_the_set,
    the_directory_comes_from_a_flag_before_the_environment,
    an_existing_output_file_is_left_alone,
    a_symlink_as_output_is_refused,
    files_are_private_whatever_the_umask,
    the_default_file_name_says_when_who_and_which,
    the_default_place_is_the_state_directory,
    where_the_recording_is_is_said_on_stderr,
    quiet_does_not_say_where_the_recording_is,
    the_header_describes_the_session,
    a_command_that_is_no_utf8_has_a_valid_header,
    version_2_is_written_on_request,
    the_size_is_that_of_the_option,
    input_is_not_recorded_unless_asked_for,
    captured_input_is_recorded_and_passwords_are_masked,
    captured_input_masks_what_read_s_reads,
    captured_commands_that_come_in_one_read_are_not_masked,
    a_policy_error_is_125_and_runs_nothing,
    a_usage_error_is_125,
    a_policy_warning_is_said_before_the_session,
];

const STRICT_ROLE: &str = "kind: role\nversion: v7\nmetadata:\n  name: guarded\nspec:\n  options:\n    record_session:\n      default: best_effort\n      ssh: strict\n";
const LOOSE_ROLE: &str = "kind: role\nversion: v7\nmetadata:\n  name: loose\nspec:\n  options:\n    record_session:\n      default: best_effort\n";

fn header_mode(lab: &Lab) -> String {
    Cast::read(&lab.cast()).ours("mode").as_str().expect("a mode").to_owned()
}

/// Records `true`, and says which mode it was.
fn mode_of(lab: &Lab, args: &[&str]) -> String {
    let _ = fs::remove_file(lab.cast());
    let args: Vec<_> = ["-q"].iter().chain(args).chain(&["--", "true"]).copied().collect();
    let run = lab.run(&lab.record(&args), b"");
    assert_eq!(run.status, 0, "{}", run.stderr());
    header_mode(lab)
}

fn the_default_command_is_the_users_shell() -> Verdict {
    let lab = Lab::new();
    let shell = lab.write("my-shell", "#!/bin/sh\necho this is my shell: $#\n");
    fs::set_permissions(&shell, fs::Permissions::from_mode(0o755)).unwrap();
    let lab = lab.env("SHELL", shell.to_str().unwrap());
    let run = lab.run(&lab.record(&["-q"]), b"");
    assert_eq!((run.status, run.stdout().as_str()), (0, "this is my shell: 0\r\n"), "{}", run.stderr());
    Ok(())
}

fn options_after_the_command_are_the_commands() -> Verdict {
    let lab = Lab::new();
    let run = lab.run(&lab.record(&["-q", "echo", "--mode", "x", "-q", "--", "-v"]), b"");
    assert_eq!((run.status, run.stdout().as_str()), (0, "--mode x -q -- -v\r\n"), "{}", run.stderr());
    Ok(())
}

fn the_mode_is_best_effort_unless_something_says_otherwise() -> Verdict {
    assert_eq!(mode_of(&Lab::new(), &[]), "best_effort");
    Ok(())
}

fn the_mode_comes_from_a_flag_before_the_environment() -> Verdict {
    let lab = Lab::new().env("RECMODE_MODE", "strict");
    assert_eq!(mode_of(&lab, &[]), "strict");
    assert_eq!(mode_of(&lab, &["--mode", "best_effort"]), "best_effort");
    let roles = lab.write("strict.yaml", STRICT_ROLE);
    let lab = lab.env("RECMODE_ROLES", roles.to_str().unwrap());
    assert_eq!(mode_of(&lab, &["--mode", "best_effort"]), "best_effort");
    Ok(())
}

fn roles_of_the_environment_beat_its_mode() -> Verdict {
    let lab = Lab::new();
    let (strict, loose) = (lab.write("strict.yaml", STRICT_ROLE), lab.write("loose.yaml", LOOSE_ROLE));
    let lab = lab.env("RECMODE_MODE", "strict").env("RECMODE_ROLES", loose.to_str().unwrap());
    assert_eq!(mode_of(&lab, &[]), "best_effort");
    let both = format!("{}:{}", loose.display(), strict.display());
    let lab = lab.env("RECMODE_MODE", "best_effort").env("RECMODE_ROLES", both);
    assert_eq!(mode_of(&lab, &[]), "strict");
    Ok(())
}

fn roles_of_a_flag_beat_roles_of_the_environment() -> Verdict {
    let lab = Lab::new();
    let (strict, loose) = (lab.write("strict.yaml", STRICT_ROLE), lab.write("loose.yaml", LOOSE_ROLE));
    let lab = lab.env("RECMODE_MODE", "strict").env("RECMODE_ROLES", strict.to_str().unwrap());
    assert_eq!(mode_of(&lab, &["--roles", loose.to_str().unwrap()]), "best_effort");
    Ok(())
}

fn the_mode_is_resolved_from_roles_for_the_kind() -> Verdict {
    let lab = Lab::new();
    lab.write("strict.yaml", STRICT_ROLE);
    assert_eq!(mode_of(&lab, &["--roles", "strict.yaml"]), "strict");
    let cast = Cast::read(&lab.cast());
    assert_eq!(*cast.ours("kind"), "ssh");
    assert!(cast.ours("roles").to_string().contains("guarded"), "{}", cast.header);
    assert_eq!(mode_of(&lab, &["--roles", "strict.yaml", "--kind", "k8s"]), "best_effort");
    assert_eq!(*Cast::read(&lab.cast()).ours("kind"), "k8s");
    Ok(())
}

fn the_roles_that_are_named_are_the_set() -> Verdict {
    let lab = Lab::new();
    lab.write("roles.yaml", format!("{STRICT_ROLE}---\n{LOOSE_ROLE}---\nkind: user\nversion: v2\nmetadata:\n  name: alice\nspec:\n  roles: [loose]\n"));
    assert_eq!(mode_of(&lab, &["--roles", "roles.yaml"]), "strict");
    assert_eq!(mode_of(&lab, &["--roles", "roles.yaml", "--role", "loose"]), "best_effort");
    assert_eq!(mode_of(&lab, &["--roles", "roles.yaml", "--user", "alice"]), "best_effort");
    Ok(())
}

fn casts_in(lab: &Lab, dir: &str) -> Vec<String> {
    let entries =
        fs::read_dir(lab.path(dir)).map(|dir| dir.flatten().collect::<Vec<_>>()).unwrap_or_default();
    entries.iter().map(|entry| entry.file_name().into_string().unwrap()).collect()
}

fn the_directory_comes_from_a_flag_before_the_environment() -> Verdict {
    let lab = Lab::new();
    let lab = {
        let dir = lab.path("from-env").to_str().unwrap().to_owned();
        lab.env("RECMODE_DIR", dir)
    };
    for (args, dir, there) in [
        (["record", "-q", "true"].as_slice(), "from-env", 1),
        (&["record", "-q", "--dir", "from-flag", "true"], "from-flag", 1),
        (&["record", "-q", "-o", "one.cast", "true"], "from-env", 1),
    ] {
        let argv: Vec<_> = [recmode()].iter().chain(args).copied().collect();
        let run = lab.run(&argv, b"");
        assert_eq!(run.status, 0, "{args:?}: {}", run.stderr());
        assert_eq!(casts_in(&lab, dir).len(), there, "{args:?}");
    }
    assert!(lab.exists("one.cast"));
    Ok(())
}

fn assert_refused(lab: &Lab, run: &Run) {
    assert_eq!(run.status, 125, "{}", run.stderr());
    assert!(!run.stderr.is_empty(), "the reason is said");
    assert!(!run.stderr().contains("node error"), "no recording failure: {}", run.stderr());
    assert!(!lab.exists("ran"), "the command ran");
}

fn an_existing_output_file_is_left_alone() -> Verdict {
    for mode in ["strict", "best_effort"] {
        let lab = Lab::new();
        lab.write("rec.cast", "precious");
        let run = lab.run(&lab.record(&["--mode", mode, "--", "touch", "ran"]), b"");
        assert_refused(&lab, &run);
        assert_eq!(fs::read_to_string(lab.cast()).unwrap(), "precious");
    }
    Ok(())
}

fn a_symlink_as_output_is_refused() -> Verdict {
    for (mode, target) in [("strict", "elsewhere"), ("best_effort", "elsewhere"), ("best_effort", "precious")]
    {
        let lab = Lab::new();
        lab.write("precious", "precious");
        symlink(lab.path(target), lab.cast()).unwrap();
        let run = lab.run(&lab.record(&["--mode", mode, "--", "touch", "ran"]), b"");
        assert_refused(&lab, &run);
        assert!(!lab.exists("elsewhere"), "created through the link");
        assert_eq!(fs::read_to_string(lab.path("precious")).unwrap(), "precious");
    }
    Ok(())
}

fn files_are_private_whatever_the_umask() -> Verdict {
    for umask in ["000", "022", "077"] {
        let lab = Lab::new();
        let script =
            format!(r#"umask {umask}; exec "$RECMODE" record -q -o new/deep/rec.cast -- sh -c umask"#);
        let run = lab.run(&["sh", "-c", &script], b"");
        assert_eq!(run.status, 0, "umask {umask}: {}", run.stderr());
        let mode = |name| fs::metadata(lab.path(name)).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode("new/deep/rec.cast"), 0o600, "umask {umask}");
        assert_eq!((mode("new"), mode("new/deep")), (0o700, 0o700), "umask {umask}");
        assert_eq!(run.stdout().trim(), format!("0{umask}"), "the command's umask");
    }
    Ok(())
}

fn assert_default_name(name: &str) {
    let stem = name.strip_suffix(".cast").unwrap_or_else(|| panic!("{name}: not *.cast"));
    let parts: Vec<_> = stem.split('-').collect();
    assert!(parts.len() >= 3, "{name}: not TIME-USER-ID.cast");
    let digits = name
        .chars()
        .take_while(|c| c.is_ascii_digit() || "TZ-:".contains(*c))
        .filter(char::is_ascii_digit)
        .count();
    assert!(digits >= 12, "{name}: does not begin with a time");
    let id = parts.last().unwrap();
    assert!(
        (4..=16).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric()),
        "{name}: no short id"
    );
}

fn the_default_file_name_says_when_who_and_which() -> Verdict {
    let lab = Lab::new();
    for _ in 0..2 {
        let run = lab.run(&[recmode(), "record", "-q", "--dir", "casts", "--", "true"], b"");
        assert_eq!(run.status, 0, "{}", run.stderr());
    }
    let names = casts_in(&lab, "casts");
    assert_eq!(names.len(), 2);
    for name in &names {
        assert_default_name(name);
        let cast = Cast::read(&lab.path("casts").join(name));
        let user = cast.ours("user").as_str().expect("a user").to_owned();
        assert!(name.contains(&format!("-{user}-")), "{name}: not of {user}");
    }
    Ok(())
}

fn the_default_place_is_the_state_directory() -> Verdict {
    let mut lab = Lab::new();
    let mut program = recmode().to_owned();
    if is_root() {
        // root's own default is /var/log/recmode, which no test should write to.
        needs_tools(&["setpriv"])?;
        let copy = lab.copy_of_recmode();
        copy.to_str().unwrap().clone_into(&mut program);
        fs::set_permissions(lab.dir(), fs::Permissions::from_mode(0o777)).unwrap();
        let nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups";
        lab = lab.wrap(&nobody.split(' ').map(str::to_owned).collect::<Vec<_>>());
    }
    let run = lab.run(&[&program, "record", "-q", "--", "true"], b"");
    assert_eq!(run.status, 0, "{}", run.stderr());
    assert_eq!(casts_in(&lab, ".local/state/recmode/recordings").len(), 1);
    let state = lab.path("state").to_str().unwrap().to_owned();
    let lab = lab.env("XDG_STATE_HOME", state);
    let run = lab.run(&[&program, "record", "-q", "--", "true"], b"");
    assert_eq!(run.status, 0, "{}", run.stderr());
    assert_eq!(casts_in(&lab, "state/recmode/recordings").len(), 1);
    Ok(())
}

fn where_the_recording_is_is_said_on_stderr() -> Verdict {
    let lab = Lab::new();
    let run = lab.run(&[recmode(), "record", "--dir", "casts", "--", "echo", "hi"], b"");
    assert_eq!((run.status, run.stdout().as_str()), (0, "hi\r\n"), "{}", run.stderr());
    assert!(run.stderr().contains(&casts_in(&lab, "casts")[0]), "{:?}", run.stderr());
    Ok(())
}

fn quiet_does_not_say_where_the_recording_is() -> Verdict {
    let lab = Lab::new();
    let run = lab.run(&lab.record(&["-q", "--", "echo", "hi"]), b"");
    assert_eq!((run.stdout().as_str(), run.stderr().as_str()), ("hi\r\n", ""));
    Ok(())
}

fn the_header_describes_the_session() -> Verdict {
    let lab = Lab::new().env("SHELL", "/bin/sh");
    let args = ["-q", "--title", "A \"title\"", "--kind", "db", "--mode", "strict", "--", "echo", "hi there"];
    assert_eq!(lab.outer(&lab.record(&args)).end().status, 0);
    let cast = Cast::read(&lab.cast());
    let header = &cast.header;
    assert_eq!(header["version"], 3);
    assert_eq!(header["term"]["cols"], 80);
    assert_eq!(header["term"]["rows"], 24);
    assert_eq!(header["term"]["type"], "xterm-256color");
    assert!(header["timestamp"].as_u64().is_some_and(|time| time > 1_700_000_000), "{header}");
    assert!(header["command"].as_str().is_some_and(|command| command.contains("hi there")), "{header}");
    assert_eq!(header["title"], "A \"title\"");
    assert_eq!(header["env"]["SHELL"], "/bin/sh");
    assert_eq!(*cast.ours("mode"), "strict");
    assert_eq!(*cast.ours("kind"), "db");
    assert!(cast.ours("roles").is_array(), "{header}");
    for key in ["version", "session", "user", "host"] {
        assert!(cast.ours(key).as_str().is_some_and(|text| !text.is_empty()), "{key}: {header}");
    }
    Ok(())
}

fn a_command_that_is_no_utf8_has_a_valid_header() -> Verdict {
    let lab = Lab::new();
    let script = r#"bad=$(printf 'a\377\033[31m"\\b\nc'); exec "$RECMODE" record -q --title title -o "$CAST" -- printf %s "$bad""#;
    let run = lab.run(&["sh", "-c", script], b"");
    assert_eq!(run.stdout, b"a\xff\x1b[31m\"\\b\r\nc", "{}", run.stderr());
    let cast = Cast::read(&lab.cast());
    assert!(
        cast.header["command"].as_str().is_some_and(|command| command.starts_with("printf %s")),
        "{}",
        cast.header
    );
    assert_eq!(cast.output(), run.stdout);
    Ok(())
}

fn version_2_is_written_on_request() -> Verdict {
    let lab = Lab::new();
    let args =
        ["-q", "--format", "asciicast-v2", "--title", "two", "--", "sh", "-c", "printf 'a\\377b'; exit 3"];
    assert_eq!(lab.outer(&lab.record(&args)).end().status, 3);
    let cast = Cast::read(&lab.cast());
    assert_eq!((cast.version, &cast.header["width"], &cast.header["height"]), (2, &80.into(), &24.into()));
    assert_eq!(cast.header["title"], "two");
    assert!(cast.header["timestamp"].is_u64());
    assert!(cast.ours("session").is_string());
    assert_eq!(cast.output(), b"a\xffb");
    cast.assert_closed(3);
    assert!(find(&fs::read(lab.cast()).unwrap(), "\n#").is_none(), "v2 has no comments");
    Ok(())
}

fn the_size_is_that_of_the_option() -> Verdict {
    let lab = Lab::new();
    let mut outer = lab.outer(&lab.record(&["-q", "--size", "100x30", "--", "stty", "size"]));
    assert_eq!(outer.end().seen, b"30 100\r\n");
    let cast = Cast::read(&lab.cast());
    assert_eq!((&cast.header["term"]["cols"], &cast.header["term"]["rows"]), (&100.into(), &30.into()));
    Ok(())
}

fn input_is_not_recorded_unless_asked_for() -> Verdict {
    let lab = Lab::new();
    let mut outer =
        lab.outer(&lab.record(&["-q", "--", "sh", "-c", "stty -echo; echo ready; read x; echo end"]));
    outer.wait_for("ready\r\n");
    outer.send("hunter2\r");
    outer.wait_for("end\r\n");
    outer.end();
    assert!(Cast::read(&lab.cast()).events("i").is_empty());
    assert!(find(&fs::read(lab.cast()).unwrap(), "hunter2").is_none());
    Ok(())
}

fn captures_without_passwords(shell: &str, script: &str) {
    let lab = Lab::new();
    let mut outer = lab.outer(&lab.record(&["-q", "--capture-input", "--", shell, "-c", script]));
    outer.wait_for("ready\r\n");
    outer.send("visible\r");
    outer.wait_for("quiet\r\n");
    for key in b"hunter2\r" {
        outer.send([*key]);
    }
    outer.wait_for("got 7\r\n");
    outer.send("after\r");
    outer.wait_for("end after\r\n");
    assert_eq!(outer.end().status, 0);
    let cast = Cast::read(&lab.cast());
    let typed = cast.events("i").concat();
    assert!(typed.contains("visible\r"), "{typed:?}");
    assert!(typed.contains("after\r"), "{typed:?}");
    assert!(!typed.contains("hunter2"), "{typed:?}");
    let rest = typed.replacen("visible\r", "", 1).replacen("after\r", "", 1);
    assert!(!rest.contains(|c| "hunter2".contains(c)), "a password's keys: {rest:?}");
    let file = fs::read(lab.cast()).unwrap();
    assert!(find(&file, "hunter2").is_none(), "{}", show(&file));
}

fn captured_input_is_recorded_and_passwords_are_masked() -> Verdict {
    let script =
        r"echo ready; read a; stty -echo; echo quiet; read b; stty echo; echo got ${#b}; read c; echo end $c";
    captures_without_passwords("sh", script);
    Ok(())
}

fn captured_input_masks_what_read_s_reads() -> Verdict {
    needs_tools(&["bash"])?;
    // `read -s` switches the echo off itself, so another process says when that is done.
    let script = r"echo ready; read a
        (until stty -a < /dev/tty | grep -q -e '-echo '; do sleep 0.01; done; echo quiet) &
        read -s b; echo got ${#b}; read c; echo end $c";
    captures_without_passwords("bash", script);
    Ok(())
}

fn captured_commands_that_come_in_one_read_are_not_masked() -> Verdict {
    needs_tools(&["bash"])?;
    let lab = Lab::new();
    let shell = ["env", "PS1=prompt> ", "bash", "--noprofile", "--norc", "-i"];
    let mut outer = lab.outer(&lab.record(&[&["-q", "--capture-input", "--"][..], &shell].concat()));
    outer.wait_for("prompt> ");
    // The shell's line editor has switched the echo off, and shows the keys itself.
    outer.send("echo $((6*7))\r");
    outer.wait_for("\r42\r\n");
    outer.wait_for("prompt> ");
    outer.send("stty -echo; echo quiet; read secret; stty echo\r");
    outer.wait_for("\rquiet\r\n");
    outer.send("hunter2\r");
    outer.wait_for("prompt> ");
    outer.send("echo ${#secret}\rexit\r");
    outer.wait_for("\r7\r\n");
    assert_eq!(outer.end().status, 0);
    let typed = Cast::read(&lab.cast()).events("i").concat();
    let expected = [
        "echo $((6*7))\r",
        "stty -echo; echo quiet; read secret; stty echo\r",
        "*******\r",
        "echo ${#secret}\rexit\r",
    ];
    assert_eq!(typed, expected.concat());
    Ok(())
}

fn a_policy_error_is_125_and_runs_nothing() -> Verdict {
    let lab = Lab::new();
    lab.write("wrong.yaml", STRICT_ROLE.replace("ssh: strict", "ssh: stritc"));
    lab.write("right.yaml", LOOSE_ROLE);
    lab.write("torn.yaml", "kind: role\nversion: v7\nmetadata: {name: x\n");
    for args in [
        ["--roles", "wrong.yaml"].as_slice(),
        &["--roles", "torn.yaml"],
        &["--roles", "missing.yaml"],
        &["--roles", "right.yaml", "--role", "nobody"],
        &["--roles", "right.yaml", "--user", "nobody"],
    ] {
        let args: Vec<_> = args.iter().chain(&["--", "touch", "ran"]).copied().collect();
        let run = lab.run(&lab.record(&args), b"");
        assert_refused(&lab, &run);
        assert!(!lab.exists("rec.cast"), "{args:?} left a file");
    }
    for (name, value) in [("RECMODE_ROLES", "wrong.yaml"), ("RECMODE_MODE", "stritc")] {
        let lab = Lab::new().env(name, value);
        lab.write("wrong.yaml", STRICT_ROLE.replace("ssh: strict", "ssh: stritc"));
        let run = lab.run(&lab.record(&["--", "touch", "ran"]), b"");
        assert_refused(&lab, &run);
    }
    Ok(())
}

fn a_usage_error_is_125() -> Verdict {
    let lab = Lab::new();
    for args in [
        ["--mode", "lenient"].as_slice(),
        &["--size", "80"],
        &["--size", "65536x24"],
        &["--size", "0x24"],
        &["--no-such-option"],
        &["--kind", "telnet"],
        &["--dir", "x"],
        &["--mode", "strict", "--roles", "x"],
    ] {
        let args: Vec<_> = args.iter().chain(&["--", "touch", "ran"]).copied().collect();
        let run = lab.run(&lab.record(&args), b"");
        assert_refused(&lab, &run);
    }
    Ok(())
}

fn a_policy_warning_is_said_before_the_session() -> Verdict {
    let lab = Lab::new();
    lab.write(
        "odd.yaml",
        LOOSE_ROLE.replace("default: best_effort", "default: best_effort\n      shh: strict"),
    );
    let run = lab.run(&lab.record(&["-q", "--roles", "odd.yaml", "--", "echo", "hi"]), b"");
    assert_eq!((run.status, run.stdout().as_str()), (0, "hi\r\n"), "{}", run.stderr());
    assert!(run.stderr().contains("shh"), "{:?}", run.stderr());
    Ok(())
}
