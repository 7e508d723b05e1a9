//! SARIF logs, held against the published schema and the files that they are about.

use std::fs;

use recmode::lint::registry;
use serde_json::{Value, json};

use super::{HOSTILE_NAMES, findings, hostile, json as run, plain, read, repository};

/// The log without the rules, whose texts are their pages', and with no version.
fn without_rules(mut log: Value) -> String {
    let driver = &mut log["runs"][0]["tool"]["driver"];
    driver["rules"] = json!("…");
    driver["semanticVersion"] = json!("…");
    serde_json::to_string_pretty(&log).expect("JSON")
}

/// The bytes that a URI's path stands for.
fn decoded(uri: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = uri.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().expect("a digit"), rest.next().expect("a digit")];
            let digits = str::from_utf8(&digits).expect("digits");
            bytes.push(u8::from_str_radix(digits, 16).expect("a byte"));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn plain_roles() {
    insta::assert_snapshot!(without_rules(run(plain().path(), "sarif")));
}

#[test]
fn every_log_is_valid() {
    let schema = read("schemas/sarif-2.1.0.json");
    // As published it has a bracket too many, which only ECMA's older regular expressions allow.
    let schema = schema.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let validator =
        jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema of SARIF");
    let empty = repository(&[("good.yaml", &read("formats/plain/roles/good.yaml"))]);
    let torn = repository(&[("torn.yaml", "kind: role\nspec: [\n"), ("utf16.yaml", "k\0i\0n\0d\0:\0")]);
    for folder in [plain(), hostile(), empty, torn] {
        let log = run(folder.path(), "sarif");
        let errors: Vec<_> = validator.iter_errors(&log).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
        let broken = json!({"version": "2.1.0", "runs": [{"results": []}]});
        assert!(!validator.is_valid(&broken), "the schema is in force");
    }
}

#[test]
fn every_rule_is_described() {
    let log = run(plain().path(), "sarif");
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().expect("rules").clone();
    let ids: Vec<_> = rules.iter().map(|rule| rule["id"].as_str().expect("an id")).collect();
    assert_eq!(ids, registry::RULES.iter().map(|rule| rule.id).collect::<Vec<_>>());
    for rule in &rules {
        let id = rule["id"].as_str().expect("an id");
        let full = rule["fullDescription"]["text"].as_str().expect("a description");
        assert!((20..1024).contains(&full.len()) && !full.contains('\n'), "{id}: {full}");
        let page = format!("https://github.com/OWNER/recmode/blob/main/docs/rules/{id}.md");
        assert_eq!(rule["helpUri"], page);
        assert!(rule["help"]["text"].as_str().is_some_and(|text| !text.is_empty()), "{rule}");
        let severity = rule["properties"]["security-severity"].as_str().expect("a severity");
        let severity: f64 = severity.parse().expect("a number");
        let range = match rule["defaultConfiguration"]["level"].as_str().expect("a level") {
            "error" => 7.0..9.0,
            "warning" => 4.0..7.0,
            _ => 0.1..4.0,
        };
        assert!(range.contains(&severity), "{rule}");
    }
    for result in log["runs"][0]["results"].as_array().expect("results") {
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small");
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
}

#[test]
fn a_uri_leads_back_to_the_file_and_a_region_to_its_text() {
    let folder = hostile();
    let log = run(folder.path(), "sarif");
    assert_eq!(log["runs"][0]["columnKind"], "unicodeCodePoints");
    let results = log["runs"][0]["results"].as_array().expect("results").clone();
    assert_eq!(results.len(), findings(folder.path()).len());
    let mut texts = Vec::new();
    for result in &results {
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uriBaseId"], "%SRCROOT%");
        let path = decoded(place["artifactLocation"]["uri"].as_str().expect("a URI"));
        assert!(HOSTILE_NAMES.contains(&path.as_str()), "{path:?}");
        let text = fs::read_to_string(folder.path().join(path)).expect("the file");
        let region = &place["region"];
        let number = |key: &str| usize::try_from(region[key].as_u64().expect("a number")).expect("small");
        assert_eq!(number("startLine"), number("endLine"), "{region}");
        let line: Vec<char> = text.lines().nth(number("startLine") - 1).expect("a line").chars().collect();
        texts.push(line[number("startColumn") - 1..number("endColumn") - 1].iter().collect::<String>());
    }
    assert!(texts.iter().any(|text| text == "é漢𝄞"), "{texts:?}");
    assert!(texts.iter().any(|text| text.starts_with("\"strict%0A") && text.ends_with("z\"")), "{texts:?}");
}

#[test]
fn a_message_holds_no_link() {
    for result in run(hostile().path(), "sarif")["runs"][0]["results"].as_array().expect("results") {
        let text = result["message"]["text"].as_str().expect("a text");
        assert!(!text.replace("\\]", "").contains("]("), "{text}");
    }
}

/// So many roles with an error each, and 20 that give no mode, which is an info, in a file that comes first.
fn many(errors: usize) -> tempfile::TempDir {
    let head = |name: usize| format!("kind: role\nversion: v7\nmetadata:\n  name: r{name}\n");
    let silent: String = (0..20).map(|n| head(n) + "---\n").collect();
    let mut files = vec![("a.yaml".to_owned(), silent)];
    // The reader keeps a number of problems of a file.
    for file in 0..errors.div_ceil(50) {
        let roles: String = (0..50)
            .map(|n| {
                head(1000 + file * 50 + n) + "spec:\n  options:\n    record_session:\n      ssh: on\n---\n"
            })
            .collect();
        files.push((format!("b{file}.yaml"), roles));
    }
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    repository(&files)
}

#[test]
fn a_log_keeps_to_githubs_limits_and_what_is_cut_is_said() {
    for (errors, results, said) in [
        (5_000, 5_020, "recmode: of 5020 results in a SARIF log GitHub keeps the 5,000 most severe\n"),
        (
            25_000,
            25_000,
            "recmode: the SARIF log holds the 25000 most severe of 25020 findings, since GitHub takes no more than 25,000 results\n\
             recmode: of 25000 results in a SARIF log GitHub keeps the 5,000 most severe\n",
        ),
    ] {
        let folder = many(errors);
        let output = super::lint(folder.path(), &["--format", "sarif"]);
        let log: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let levels: Vec<_> = log["runs"][0]["results"]
            .as_array()
            .expect("results")
            .iter()
            .map(|result| result["level"].as_str().expect("a level"))
            .collect();
        assert_eq!(levels.len(), results);
        assert!(levels[..5_000].iter().all(|level| *level == "error"), "the most severe first");
        assert_eq!(String::from_utf8_lossy(&output.stderr), said);
    }
}

#[test]
fn a_log_that_is_too_large_when_compressed_is_cut() {
    // Names that do not compress well.
    let mut state = 1_u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(
            b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[(state >> 58) as usize],
        )
    };
    let files: Vec<(String, String)> = (0..50)
        .map(|file| {
            let roles = (0..10).map(|_| {
                let name: String = (0..30_000).map(|_| random()).collect();
                format!("kind: role\nversion: v7\nmetadata:\n  name: n{name}\nspec:\n  options:\n    record_session:\n      ssh: on\n---\n")
            });
            (format!("{file}.yaml"), roles.collect())
        })
        .collect();
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let folder = repository(&files);
    let output = super::lint(folder.path(), &["--format", "sarif"]);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, &output.stdout).expect("memory");
    assert!(encoder.finish().expect("memory").len() < 10_000_000);
    let log: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let written = log["runs"][0]["results"].as_array().map_or(0, Vec::len);
    assert!((100..500).contains(&written), "{written}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.starts_with(&format!("recmode: the SARIF log holds the {written} most severe of 500 findings")),
        "{said}"
    );
}
