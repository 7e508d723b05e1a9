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
