//! Findings as SARIF 2.1.0, the OASIS standard that code scanning reads.
//!
//! Lines and columns are from 1 and an end column is the one behind the last character, as in
//! [`Mark`](crate::roles::Mark). Its columns are characters, in SARIF's words `unicodeCodePoints`, and
//! its lines end in LF or CR LF, which is SARIF's default. Paths are relative to `%SRCROOT%`.
//!
//! A log keeps to what GitHub takes: 20 runs (it has one), 25,000 results in a run, of which the 5,000 most
//! severe are kept, 1,000 locations in a result, of which 100 are shown (a finding has fewer), and 10 MB
//! when it is compressed. See "SARIF support for code scanning" in GitHub's documentation.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::io::{self, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;

use super::View;
use crate::escape;
use crate::lint::{Finding, Report, Rule, Severity, registry};
use crate::roles::Site;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The results that GitHub takes in a run; it refuses a log with more.
const MAX_RESULTS: usize = 25_000;

/// The results of a run that GitHub keeps.
const KEPT_RESULTS: usize = 5_000;

/// The bytes of a compressed log that GitHub takes are 10 MB; another program may compress it less well.
const MAX_COMPRESSED: usize = 9_500_000;

/// Where the rules' pages are.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// The name of the root that the URIs are relative to; GitHub and others know it.
const ROOT: &str = "%SRCROOT%";

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool,
    original_uri_base_ids: BaseIds,
    column_kind: &'static str,
    results: Vec<One<'a>>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    information_uri: &'static str,
    rules: Vec<Descriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    id: &'static str,
    short_description: Message,
    full_description: Message,
    help_uri: String,
    help: Help,
    default_configuration: Configuration,
    properties: RuleProperties,
}

#[derive(Serialize)]
struct Help {
    text: &'static str,
    markdown: &'static str,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct RuleProperties {
    tags: [&'static str; 1],
    #[serde(rename = "security-severity")]
    security_severity: &'static str,
}

#[derive(Serialize)]
struct BaseIds {
    #[serde(rename = "%SRCROOT%")]
    root: Base,
}

#[derive(Serialize)]
struct Base {
    description: Message,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct One<'a> {
    rule_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Message,
    locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    partial_fingerprints: Fingerprints<'a>,
    properties: Properties<'a>,
}

/// GitHub's own key, `primaryLocationLineHash`, is left to its upload action, which warns where it
/// finds another value than its own.
#[derive(Serialize)]
struct Fingerprints<'a> {
    #[serde(rename = "recmodeFinding/v1")]
    finding: &'a str,
}

#[derive(Serialize)]
struct Properties<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    option: Option<&'a str>,
}

#[derive(Serialize)]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    #[serde(rename = "physicalLocation")]
    physical: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

/// The whole log, with a line break at its end; says what GitHub's limits leave out of it.
pub(super) fn write(report: &Report, view: &View<'_>, out: &mut dyn io::Write) -> io::Result<Vec<String>> {
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    if findings.len() > KEPT_RESULTS {
        findings.sort_by_key(|finding| Reverse(finding.severity));
    }
    findings.truncate(MAX_RESULTS);
    let mut text = log(&findings, view)?;
    let mut compressed = compressed_len(&text)?;
    while compressed > MAX_COMPRESSED && !findings.is_empty() {
        // What is left out is the least severe; somewhat more than its share, so that few rounds are needed.
        findings.sort_by_key(|finding| Reverse(finding.severity));
        findings.truncate(findings.len() * MAX_COMPRESSED / compressed * 9 / 10);
        text = log(&findings, view)?;
        compressed = compressed_len(&text)?;
    }
    out.write_all(text.as_bytes())?;
    let (written, all) = (findings.len(), report.findings.len());
    let mut cut = Vec::new();
    if written < all {
        let limit = if written == MAX_RESULTS { "25,000 results" } else { "10 MB, compressed" };
        cut.push(format!(
            "the SARIF log holds the {written} most severe of {all} findings, since GitHub takes no more than {limit}"
        ));
    }
    if written > KEPT_RESULTS {
        cut.push(format!("of {written} results in a SARIF log GitHub keeps the 5,000 most severe"));
    }
    Ok(cut)
}

fn log(findings: &[&Finding], view: &View<'_>) -> io::Result<String> {
    let driver = Driver {
        name: env!("CARGO_PKG_NAME"),
        semantic_version: env!("CARGO_PKG_VERSION"),
        information_uri: REPOSITORY,
        rules: registry::RULES.iter().map(descriptor).collect(),
    };
    let run = Run {
        tool: Tool { driver },
        original_uri_base_ids: BaseIds {
            root: Base { description: Message { text: "The root of the repository".to_owned() } },
        },
        column_kind: "unicodeCodePoints",
        results: findings.iter().map(|finding| one(finding, view)).collect(),
    };
    let text = serde_json::to_string_pretty(&Log { schema: SCHEMA, version: "2.1.0", runs: [run] })?;
    // A runner of GitHub Actions takes `##[` for a command wherever it is.
    Ok(escape::json(&text).replace("#[", "#\\u005b") + "\n")
}

fn compressed_len(text: &str) -> io::Result<usize> {
    // A log that is small enough as it is need not be compressed to know it.
    if text.len() <= MAX_COMPRESSED {
        return Ok(text.len());
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes())?;
    Ok(encoder.finish()?.len())
}

/// What a rule finds, from its page: the first paragraph under `## What`.
fn full_description(rule: &Rule) -> String {
    let what = rule.docs.split_once("\n## What\n").map_or("", |(_, rest)| rest.trim_start());
    let paragraph = what.split_once("\n\n").map_or(what, |(paragraph, _)| paragraph);
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn descriptor(rule: &Rule) -> Descriptor {
    Descriptor {
        id: rule.id,
        short_description: Message { text: rule.summary.to_owned() },
        full_description: Message { text: full_description(rule) },
        help_uri: format!("{REPOSITORY}/blob/main/docs/rules/{}.md", rule.id),
        help: Help { text: rule.docs, markdown: rule.docs },
        default_configuration: Configuration { level: level(rule.severity) },
        properties: RuleProperties {
            // GitHub reads the number only where there is this tag: high is from 7.0 on, medium from 4.0.
            tags: ["security"],
            security_severity: match rule.severity {
                Severity::Error => "7.5",
                Severity::Warning => "5.0",
                Severity::Info => "2.0",
            },
        },
    }
}

fn one<'a>(finding: &'a Finding, view: &View<'_>) -> One<'a> {
    let more = finding.omissions().map(|text| format!("note: {text}"));
    let help = finding.help.as_ref().map(|help| format!("help: {}", message(help)));
    let lines = std::iter::once(message(&finding.message)).chain(more).chain(help);
    let text = lines.collect::<Vec<_>>().join("\n");
    let related = finding.related.iter().enumerate().map(|(n, related)| {
        let label = Message { text: message(&related.label) };
        Location { id: Some(n + 1), message: Some(label), ..location(&related.at, view) }
    });
    One {
        rule_id: finding.rule,
        rule_index: registry::RULES.iter().position(|rule| rule.id == finding.rule),
        level: level(finding.severity),
        message: Message { text },
        locations: [location(&finding.at, view)],
        related_locations: related.collect(),
        partial_fingerprints: Fingerprints { finding: &finding.fingerprint },
        properties: Properties { role: finding.role.as_deref(), option: finding.option.as_deref() },
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn location(site: &Site, view: &View<'_>) -> Location {
    let path = (view.path)(&site.file);
    let artifact_location = if path.starts_with('/') {
        ArtifactLocation { uri: format!("file://{}", percent_encoded(&path)), uri_base_id: None }
    } else {
        ArtifactLocation { uri: percent_encoded(&path), uri_base_id: Some(ROOT) }
    };
    let region = site.mark.as_ref().map(|mark| Region {
        start_line: mark.line,
        start_column: mark.column,
        end_line: mark.end.0,
        end_column: mark.end.1,
    });
    Location { id: None, physical: PhysicalLocation { artifact_location, region }, message: None }
}

/// The path as a URI's (RFC 3986): all but unreserved characters and the slash is encoded.
fn percent_encoded(path: &str) -> String {
    path.bytes().fold(String::with_capacity(path.len()), |mut uri, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
        uri
    })
}

/// A message of plain text, in which `[text](target)` is a link (3.11.6): brackets that would make
/// one are escaped. Braces stay, since a message without arguments has no placeholders.
fn message(text: &str) -> String {
    let text = escape::controls(text);
    if text.contains("](") { text.replace('[', "\\[").replace(']', "\\]") } else { text }
}

#[cfg(test)]
mod tests {
    use super::{message, percent_encoded};

    #[test]
    fn a_path_is_a_uri_of_the_same_bytes() {
        assert_eq!(percent_encoded("a b/%0A:é?#.yaml"), "a%20b/%250A%3A%C3%A9%3F%23.yaml");
    }

    #[test]
    fn a_message_holds_no_link_that_a_file_made() {
        assert_eq!(message("[here](http://x)"), "\\[here\\](http://x)");
        assert_eq!(message("ignore[RULE] (why)"), "ignore[RULE] (why)");
    }
}
