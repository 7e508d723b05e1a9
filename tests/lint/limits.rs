//! What grows with the product of roles and patterns, or of names and names, is bounded.

use std::fmt::Write as _;

use serde_json::Value;

use super::{lint, repository, role, stdout};

/// Roles of this option, parted.
fn roles(count: usize, option: &str) -> String {
    (0..count).map(|n| role(&format!("r{n}"), &[option]) + "---\n").collect()
}

fn findings(output: &std::process::Output) -> Vec<Value> {
    let tree: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    tree["findings"].as_array().expect("findings").clone()
}

#[test]
fn a_finding_shows_twenty_further_places_and_counts_the_rest() {
    // Entries that would suppress it if they gave a reason.
    let entry = "- rules: [invalid-mode]\n  path: '**'\n";
    let config = format!("version: 1\nignore:\n{}", entry.repeat(200));
    let folder = repository(&[(".recmode.yaml", &config), ("a.yaml", &role("a", &["ssh: on"]))]);
    let found = findings(&lint(folder.path(), &["--format", "json"]));
    assert_eq!(found[0]["related"].as_array().map(Vec::len), Some(20));
    assert_eq!(found[0]["related_omitted"], 180);
    for format in ["human", "github", "gitlab", "junit", "sarif"] {
        let text = stdout(&lint(folder.path(), &["--format", format]));
        assert!(text.contains("and 180 more places"), "{format}: {text}");
    }
}

#[test]
fn findings_at_one_place_are_bounded_and_counted() {
    let mut text = role("weak", &["ssh: best_effort"]);
    for n in 0..50 {
        let _ = write!(text, "---\nkind: user\nmetadata: {{name: u{n:02}}}\nspec: {{roles: [weak]}}\n");
    }
    let config =
        |users: &str| format!("version: 1\nrequire: [{{users: [{users}], kinds: [ssh], mode: strict}}]\n");
    let folder = repository(&[(".recmode.yaml", &config("'*'")), ("a.yaml", &text)]);
    let all = ["-A", "implicit-best-effort", "--format", "json"];
    let output = lint(folder.path(), &all);
    let found = findings(&output);
    assert_eq!(found.len(), 10);
    let omitted: Vec<_> = found.iter().filter_map(|finding| finding["omitted_here"].as_u64()).collect();
    assert_eq!(omitted, [40]);
    assert!(stdout(&lint(folder.path(), &[])).contains("note: and 40 more findings of this rule here"));
    // What was not shown is not known either.
    std::fs::write(folder.path().join("known"), &output.stdout).expect("a file");
    let known = ["-A", "implicit-best-effort", "--format", "json", "--baseline", "known"];
    assert_eq!(findings(&lint(folder.path(), &known)).len(), 0);
    let more = format!("{text}---\nkind: user\nmetadata: {{name: u99}}\nspec: {{roles: [weak]}}\n");
    std::fs::write(folder.path().join("a.yaml"), more).expect("a file");
    let found = findings(&lint(folder.path(), &known));
    assert!(found.iter().any(|finding| finding["omitted_here"] == 41), "{found:?}");
}

#[test]
fn output_does_not_grow_with_the_product_of_roles_and_patterns() {
    let entry = "- rules: [invalid-mode]\n  path: '**'\n";
    let ignores = format!("version: 1\nignore:\n{}", entry.repeat(200));
    let require: String =
        (0..200).map(|n| format!("- name: q{n}\n  users: ['*']\n  mode: strict\n")).collect();
    let require = format!("version: 1\nrequire:\n{require}");
    let names: Vec<_> = (0..800).map(|n| format!("r{n}")).collect();
    let user = format!("kind: user\nmetadata: {{name: u}}\nspec: {{roles: [{}]}}\n", names.join(", "));
    let wrong = roles(800, "ssh: on");
    let weak = roles(800, "ssh: best_effort") + &user;
    for (config, text) in [(&ignores, &wrong), (&require, &weak)] {
        let folder = repository(&[(".recmode.yaml", config), ("a.yaml", text)]);
        let output = lint(folder.path(), &["--format", "json"]);
        assert_eq!(output.status.code(), Some(1));
        // 800 findings with 20 places each; a product would have 160,000 places.
        assert!(output.stdout.len() < 800 * 20 * 400, "{}", output.stdout.len());
    }
}

#[test]
fn a_text_is_as_long_as_is_needed_to_know_it_by() {
    let name = "x".repeat(40_000);
    let folder = repository(&[(
        "a.yaml",
        &format!("{}---\n{}", role(&name, &["ssh: strict"]), role(&name, &["ssh: strict"])),
    )]);
    let found = findings(&lint(folder.path(), &["--format", "json"]));
    let message = found[0]["message"].as_str().expect("a message");
    assert!(message.len() < 2_100 && message.ends_with("more characters)"), "{}", message.len());
}
