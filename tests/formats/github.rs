//! Workflow commands, read as the runner reads them (actions/runner, ActionCommand.cs).

use std::collections::BTreeMap;

use super::{findings, hostile, plain, text};

struct Annotation {
    command: String,
    properties: BTreeMap<String, String>,
    message: String,
}

/// Reads each line as a command: up to the first `::`, the properties parted by commas.
fn read(output: &str) -> Vec<Annotation> {
    let parse = |line: &str| {
        let (head, message) = line.strip_prefix("::")?.split_once("::")?;
        let (command, properties) = head.split_once(' ')?;
        let pair = |pair: &str| {
            let (key, value) = pair.split_once('=')?;
            let value = value.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":");
            Some((key.to_owned(), value.replace("%2C", ",").replace("%25", "%")))
        };
        Some(Annotation {
            command: command.to_owned(),
            properties: properties.split(',').map(pair).collect::<Option<_>>()?,
            message: message.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%"),
        })
    };
    output.lines().map(|line| parse(line).unwrap_or_else(|| panic!("no command: {line:?}"))).collect()
}

#[test]
fn plain_roles() {
    insta::assert_snapshot!(text(plain().path(), "github"));
}

#[test]
fn hostile_roles() {
    insta::assert_snapshot!(text(hostile().path(), "github"));
}

#[test]
fn a_file_makes_no_command_and_no_property_of_its_own() {
    for folder in [plain(), hostile()] {
        let annotations = read(&text(folder.path(), "github"));
        let findings = findings(folder.path());
        assert_eq!(annotations.len(), findings.len());
        for (annotation, finding) in annotations.iter().zip(&findings) {
            let level = match finding["severity"].as_str() {
                Some("info") => "notice",
                level => level.expect("a severity"),
            };
            assert_eq!(annotation.command, level);
            let file = finding["at"]["file"].as_str().expect("a file").trim_start_matches("./");
            let shown = &annotation.properties["file"];
            // Line breaks reach the runner, which knows the file by its name; nothing else does that
            // could drive a terminal.
            assert!(shown == file || file.chars().any(|c| c.is_control() || c == '\u{202e}'), "{shown:?}");
            assert_eq!(annotation.properties["title"], finding["rule"].as_str().expect("a rule"));
            assert_eq!(annotation.properties["line"], finding["at"]["line"].to_string());
            assert!(annotation.properties.keys().all(|key| {
                ["file", "line", "endLine", "col", "endColumn", "title"].contains(&key.as_str())
            }));
            let ours = |line: &str| line.starts_with("help: ") || line.starts_with("note: ");
            assert!(annotation.message.lines().skip(1).all(ours), "{:?}", annotation.message);
        }
    }
}

/// Whether a runner would take this line of a step's output for a command.
fn is_command(line: &str) -> bool {
    line.trim_start().starts_with("::") || line.contains("##[")
}

#[test]
fn nothing_on_stderr_is_a_command() {
    let good = "kind: role\nversion: v7\nmetadata: {name: a}\n";
    let name = "::error title=x::##[error]y.yaml";
    let config = "version: 1\nrules: {'::error::##[error]x': off}\n";
    let folder = super::repository(&[(name, good), ("::error::##[error]c", config), ("::k##[error]", "{}")]);
    let (link, file) = (folder.path().join("##[add-mask]x.yaml"), folder.path().join(name));
    std::os::unix::fs::symlink("/dev/null", &link).expect("a link");
    let hostile = ["##[add-mask]x.yaml", "::error::##[error]nowhere.yaml"];
    for format in ["github", "sarif"] {
        for args in [
            &hostile[..1],
            &hostile[1..],
            &["--config", "::error::##[error]c"],
            &["--baseline", "::k##[error]"],
            &["-A", "::error::##[error]x"],
            &["-o", file.to_str().expect("UTF-8"), "."],
            &["-o", "::x##[error]/y"],
        ] {
            let output = super::lint(folder.path(), &[args, &["--format", format]].concat());
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
            assert!(!text.is_empty() && !text.lines().any(is_command), "{args:?}: {text}");
        }
    }
    let plain = super::lint(folder.path(), &[hostile[1]]);
    assert!(String::from_utf8_lossy(&plain.stderr).lines().any(is_command), "people read it as it is");
}

#[test]
fn a_sarif_log_on_stdout_holds_no_command() {
    let text = "kind: role\nversion: v7\nmetadata: {name: a}\nspec: {options: {record_session: {ssh: '##[error]x'}}}\n";
    let folder = super::repository(&[("##[error]a.yaml", text)]);
    let output = super::lint(folder.path(), &["--format", "sarif"]);
    let log = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!log.lines().any(is_command), "{log}");
    let log: serde_json::Value = serde_json::from_str(&log).expect("JSON");
    let message = log["runs"][0]["results"][0]["message"]["text"].as_str().expect("a text");
    assert!(message.contains("##[error]x"), "{message}");
}
