//! Wrong input: what is said about it, with the place and the source line; and nothing on stdout.

use super::{all, fixtures, resolve, stderr};

#[test]
fn each_wrong_file_alone() {
    for file in fixtures("bad").into_iter().filter(|file| !file.contains("two-of-a-name")) {
        let name = file.rsplit('/').next().expect("a name").to_owned();
        let output = resolve(&["--roles", &file]);
        assert_eq!(output.status.code(), Some(2), "{file}");
        assert!(output.stdout.is_empty(), "{file}");
        insta::assert_snapshot!(name, stderr(&output));
    }
}

#[test]
fn two_roles_of_one_name_show_both_places() {
    insta::assert_snapshot!(all(&resolve(&["--roles", "tests/fixtures/bad/two-of-a-name"])));
}

#[test]
fn all_bad_files_are_reported_in_one_run_and_in_order() {
    let output = resolve(&["--roles", "tests/fixtures/bad"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let text = stderr(&output);
    let places: Vec<&str> = text.lines().filter(|line| line.starts_with("tests/")).collect();
    insta::assert_snapshot!(places.join("\n"));
    for _ in 0..5 {
        assert_eq!(stderr(&resolve(&["--roles", "tests/fixtures/bad"])), text);
    }
}

#[test]
fn names_that_were_not_read_list_the_nearest() {
    let roles = "tests/fixtures/roles";
    insta::assert_snapshot!(all(&resolve(&[
        "--roles",
        roles,
        "--role",
        "devloper",
        "--role",
        "access",
        "--role",
        "x\u{1b}[2J"
    ])));
    insta::assert_snapshot!(all(&resolve(&["--roles", roles, "--user", "alice"])));
    insta::assert_snapshot!(all(&resolve(&["--roles", roles, "--user", "eve"])));
}

#[test]
fn a_second_user_of_one_name_is_an_error() {
    let file = "kind: user\nmetadata: {name: u}\n---\nkind: user\nmetadata: {name: u}\n---\nkind: role\nmetadata: {name: r}\n";
    insta::assert_snapshot!(all(&super::resolve_stdin(&["--roles", "-"], file.as_bytes())));
}

#[test]
fn kinds_twice_are_an_error_and_not_another_kind() {
    let file = "kind: role\nmetadata: {name: r}\nkind: token\n";
    insta::assert_snapshot!(all(&super::resolve_stdin(&["--roles", "-"], file.as_bytes())));
}

#[test]
fn paths_that_are_no_role_files() {
    insta::assert_snapshot!(all(&resolve(&[
        "--roles",
        "tests/no-such-file.yaml",
        "/dev/null",
        "tests/fixtures/bad/empty.yaml",
        "tests/snapshots-of-nothing/",
    ])));
}

#[test]
fn a_list_with_its_items_twice_is_an_error() {
    let file = "kind: List\nitems:\n- {kind: role, metadata: {name: a}}\nitems: []\n";
    insta::assert_snapshot!(all(&super::resolve_stdin(&["--roles", "-"], file.as_bytes())));
}

#[test]
fn of_very_many_errors_in_a_file_the_first_are_shown_and_the_others_counted() {
    let role = |n| {
        format!(
            "---\nkind: role\nmetadata: {{name: r{n}}}\nspec: {{options: {{record_session: {{ssh: x, y: strict}}}}}}\n"
        )
    };
    let file: String = (0..250).map(role).collect();
    let output = super::resolve_stdin(&["--roles", "-"], file.as_bytes());
    assert_eq!(output.status.code(), Some(2));
    let text = stderr(&output);
    assert_eq!(text.matches("is no recording mode").count(), 100);
    assert_eq!(text.matches("is no kind of session").count(), 100);
    assert_eq!(text.matches("<stdin>: and 150 more of these in this file\n").count(), 1);
    assert_eq!(text.matches("<stdin>: warning: and 150 more of these in this file\n").count(), 1);
}
