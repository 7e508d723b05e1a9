//! Separate sets of roles: each is compared with itself.

use std::fs;

use tempfile::TempDir;

use super::{all, diff, stdout};

/// Two folders with these files.
fn sides(old: &[(&str, &str)], new: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (side, files) in [("old", old), ("new", new)] {
        fs::create_dir(folder.path().join(side)).expect("a folder");
        for (name, text) in files {
            fs::write(folder.path().join(side).join(name), text).expect("written");
        }
    }
    folder
}

fn compared(folder: &TempDir, args: &[&str]) -> String {
    let path = folder.path().to_str().expect("UTF-8");
    let (old, new) = (format!("{path}/old"), format!("{path}/new"));
    all(&diff(&[&[old.as_str(), new.as_str()], args].concat())).replace(&format!("{path}/"), "")
}

fn role(address: &str, provider: &str, mode: &str) -> String {
    format!(
        "resource \"teleport_role\" \"{address}\" {{\n{provider}  metadata = {{ name = \"dev\" }}\n  spec = {{ options = {{ record_session = {{ ssh = \"{mode}\" }} }} }}\n}}\n"
    )
}

#[test]
fn a_role_is_compared_with_the_one_of_its_own_cluster() {
    let both =
        |eu, us| role("eu", "  provider = teleport.eu\n", eu) + &role("us", "  provider = teleport.us\n", us);
    let folder = sides(&[("a.tf", &both("strict", "best_effort"))], &[("a.tf", &both("strict", "strict"))]);
    let text = compared(&folder, &[]);
    assert!(
        text.starts_with("exit 0")
            && text.contains("role \"dev\" in \"us\" (new/a.tf:8:23)\n  ssh      tightened"),
        "{text}"
    );
    assert!(!text.contains("\"eu\""), "{text}");
    // The other way round in the two, which would look the same in one set.
    let folder =
        sides(&[("a.tf", &both("strict", "best_effort"))], &[("a.tf", &both("best_effort", "strict"))]);
    insta::assert_snapshot!(compared(&folder, &[]));
    insta::assert_snapshot!(compared(&folder, &["--format", "markdown"]));
    let path = folder.path().to_str().expect("UTF-8");
    let json: serde_json::Value = serde_json::from_str(&stdout(&diff(&[
        &format!("{path}/old"),
        &format!("{path}/new"),
        "--format",
        "json",
    ])))
    .expect("JSON");
    let sets: Vec<_> =
        json["changes"].as_array().expect("changes").iter().map(|one| &one["subject"]["set"]).collect();
    assert_eq!(sets, ["eu", "us"]);
}

#[test]
fn a_scoped_role_is_compared_with_itself() {
    let scoped = |scope: &str, mode: &str| {
        format!(
            "kind: scoped_role\nversion: v1\nmetadata: {{name: dev}}\nscope: {scope}\nspec: {{ssh: {{session_recording: {{mode: {mode}}}}}}}\n"
        )
    };
    let both = |a, b| scoped("/a", a) + "---\n" + &scoped("/b", b);
    let folder = sides(
        &[("r.yaml", &both("strict", "best_effort"))],
        &[("r.yaml", &both("best_effort", "best_effort"))],
    );
    let text = compared(&folder, &[]);
    assert!(
        text.starts_with("exit 1")
            && text.contains("role \"dev\" in \"/a::dev\" (new/r.yaml:3:18)\n  ssh      loosened"),
        "{text}"
    );
    assert!(text.ends_with("From old to new: 1 loosened.\n--- stderr\n"), "{text}");
}

#[test]
fn a_file_for_opentofu_beside_terraforms_is_a_change_of_what_opentofu_loads() {
    let (strict, loose) = (role("x", "", "strict"), role("x", "", "best_effort"));
    let folder = sides(&[("a.tf", &strict)], &[("a.tf", &strict), ("a.tofu", &loose)]);
    let text = compared(&folder, &[]);
    assert!(
        text.starts_with("exit 1")
            && text.contains("role \"dev\" in \"tofu\" (new/a.tofu:2:23)\n  ssh      loosened"),
        "{text}"
    );
    assert!(!text.contains("\"terraform\""), "{text}");
    let folder = sides(&[("a.tf", &strict), ("a.tofu", &loose)], &[("a.tf", &strict)]);
    let text = compared(&folder, &[]);
    assert!(
        text.starts_with("exit 0")
            && text.contains("role \"dev\" in \"tofu\" (new/a.tf:2:23)\n  ssh      tightened"),
        "{text}"
    );
}
