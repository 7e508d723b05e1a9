//! `action.yml` and `.pre-commit-hooks.yaml`, which other repositories run.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn parse(name: &str) -> Value {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("a file");
    serde_yaml::from_str(&text).expect("YAML")
}

#[test]
fn the_action_builds_in_its_own_folder_and_not_in_the_checkout() {
    let action = parse("action.yml");
    let steps = action["runs"]["steps"].as_array().expect("steps");
    let script = steps[0]["run"].as_str().expect("a script");
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    for name in ["action", "checkout/.cargo", "bin", "temp"] {
        fs::create_dir_all(at(name)).expect("a folder");
    }
    fs::write(at("checkout/rust-toolchain.toml"), "[toolchain]\nchannel = 'theirs'\n").expect("a file");
    fs::write(at("bin/cargo"), "#!/bin/sh\npwd\nprintf '%s\\n' \"$@\"\n").expect("a program");
    fs::set_permissions(at("bin/cargo"), fs::Permissions::from_mode(0o755)).expect("set");
    let path = format!("{}:{}", at("bin").display(), std::env::var("PATH").expect("a path"));
    let output = Command::new("bash")
        .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
        .current_dir(at("checkout"))
        .env("PATH", path)
        .env("GITHUB_ACTION_PATH", at("action"))
        .env("RUNNER_TEMP", at("temp"))
        .output()
        .expect("bash runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let lines: Vec<_> = text.lines().collect();
    let real = at("action").canonicalize().expect("a folder");
    assert_eq!(lines[0], real.to_str().expect("UTF-8"));
    assert_eq!(lines[1..5], ["install", "--quiet", "--locked", "--path"]);
    assert_eq!(lines[5], ".");
}

#[test]
fn the_hook_runs_at_every_commit() {
    let hooks = parse(".pre-commit-hooks.yaml");
    let hook = &hooks[0];
    // A commit that only deletes a role has no file that a pattern could match.
    assert_eq!((&hook["always_run"], &hook["pass_filenames"]), (&Value::Bool(true), &Value::Bool(false)));
    assert!(hook["files"].is_null() && hook["types"].is_null());
}
