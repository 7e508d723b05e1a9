//! The configuration: where it is found, what it may say, and what is said of a wrong one.

use super::{all, found, lint, repository, role, stderr, stdout};

#[test]
fn a_wrong_configuration_is_an_error_at_its_place() {
    let wrong = [
        "version: 2\n",
        "dialect: rfd68\n",
        "version: 1\nrule: {}\n",
        "version: 1\nrules:\n  invalid-mod: off\n",
        "version: 1\nrules:\n  invalid-mode: fatal\n",
        "version: 1\nrules:\n  syntax: off\n  syntax: error\n",
        "version: 1\nversion: 1\n",
        "version: 1\ndialect: teleport17\n",
        "version: 1\nignore:\n- rules: []\n",
        "version: 1\nignore:\n- rules: [syntax]\n  path: '{a'\n",
        "version: 1\nignore:\n- rule: syntax\n",
        "version: 1\nrequire:\n- mode: strict\n",
        "version: 1\nrequire:\n- roles: [a]\n  users: [b]\n  mode: strict\n",
        "version: 1\nrequire:\n- roles: [a]\n  mode: Strict\n",
        "version: 1\nrequire:\n- roles: [a]\n  kinds: [kubernetes]\n  mode: strict\n",
        "version: 1\n  paths: [\n",
        "",
        "version: \"\\e[2J\"\n",
        "version: 1\npaths: roles\n",
        "version: 1\n---\nversion: 1\n",
        "version: 1\nrules: [syntax]\n",
        "version: 1\nrequire: [{roles: [~], mode: strict}]\n",
        "version: 1\nclusters:\n  eu: clusters/eu\n",
        "version: 1\nclusters:\n  eu: [clusters/eu]\n  all: [./clusters/]\n",
        "version: 1\nclusters: [clusters/eu, clusters/eu/west]\n",
        "version: 1\nclusters: {eu: [a], eu: [b]}\n",
        "version: 1\nclusters: {eu: []}\n",
        "version: 1\nclusters: {default: [a]}\n",
        "version: 1\nclusters: [../other]\n",
        "version: 1\nclusters: [.]\n",
        "version: 1\nclusters:\n  eu: [nowhere]\n",
        "version: 1\nclusters: eu\n",
    ];
    let mut said = String::new();
    for text in wrong {
        let folder = repository(&[(".recmode.yaml", text), ("a.yaml", &role("a", &["default: strict"]))]);
        let output = lint(folder.path(), &[]);
        assert_eq!(output.status.code(), Some(2), "{text}: {}", all(&output));
        assert!(output.stdout.is_empty());
        assert!(!stderr(&output).contains('\x1b'));
        said.push_str(&stderr(&output));
    }
    insta::assert_snapshot!(said);
}

#[test]
fn no_more_of_it_is_read_than_a_configuration_may_have() {
    let folder = repository(&[("a.yaml", &role("a", &["default: strict"]))]);
    let output = lint(folder.path(), &["--config", "/dev/zero"]);
    assert_eq!(
        (output.status.code(), stderr(&output).as_str()),
        (Some(2), "/dev/zero: is larger than 1 MiB\n")
    );
}

#[test]
fn it_is_found_upwards_to_the_repositorys_root_and_no_further() {
    let off = "version: 1\nrules: {invalid-mode: off}\n";
    let wrong = role("a", &["default: on"]);
    for name in [".recmode.yaml", ".github/recmode.yaml"] {
        let folder = repository(&[(name, off), ("deep/er/a.yaml", &wrong)]);
        let lint = |args: &[&str]| lint(&folder.path().join("deep/er"), args).status.code();
        assert_eq!(lint(&[]), Some(0), "{name}");
        assert_eq!(lint(&["--no-config"]), Some(1), "{name}");
    }
    let folder = repository(&[(".recmode.yaml", off), ("inner/.git/HEAD", ""), ("inner/a.yaml", &wrong)]);
    assert_eq!(lint(&folder.path().join("inner"), &[]).status.code(), Some(1));
    let given = ["--config", "../.recmode.yaml"];
    assert_eq!(lint(&folder.path().join("inner"), &given).status.code(), Some(0));
}

#[test]
fn its_paths_are_looked_at_where_none_are_given() {
    let config = "version: 1\npaths: [roles]\ndialect: teleport\nrules:\n  implicit-best-effort: error\n";
    let folder = repository(&[
        (".recmode.yaml", config),
        ("roles/a.yaml", "kind: role\nmetadata: {name: a}\n"),
        ("other/b.yaml", &role("b", &["default: on"])),
    ]);
    insta::assert_snapshot!(all(&lint(&folder.path().join("roles"), &[])));
}

#[test]
fn requirements_are_kept_as_values_with_their_places() {
    let text = "version: 1\nrequire:\n- name: prod is always recorded\n  roles: [\"prod-*\"]\n  kinds: [k8s, ssh]\n  mode: strict\n- users: [\"*@contractors.example\"]\n  mode: strict\n  except_roles: [break-glass]\n";
    let config = recmode::config::parse(text, &"c.yaml".into()).expect("a configuration");
    let [roles, users] = config.require.as_slice() else { panic!("two requirements") };
    assert_eq!(roles.name.as_deref(), Some("prod is always recorded"));
    assert_eq!(roles.kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>(), ["ssh", "k8s"]);
    assert!(roles.roles[0].matches("prod-db") && !roles.roles[0].matches("nonprod-db"));
    assert_eq!(roles.roles[0].at.place().map(|place| (place.line, place.column)), Some((4, 11)));
    assert_eq!(users.kinds.len(), 5);
    assert!(
        users.users[0].matches("eve@contractors.example") && users.except_roles[0].matches("break-glass")
    );
    assert_eq!(users.at.place().map(|place| place.line), Some(7));
}

#[test]
fn a_pattern_of_roles_that_matches_nothing_is_always_told() {
    let config = "version: 1\nrequire:\n- roles: [prod-*]\n  mode: strict\n";
    let folder = repository(&[(".recmode.yaml", config), ("dev.yaml", &role("dev", &["ssh: strict"]))]);
    for args in [&[][..], &["dev.yaml"], &["."]] {
        let output = lint(folder.path(), args);
        assert!(stdout(&output).contains("the pattern \"prod-*\" matches nothing"), "{}", stdout(&output));
        assert_eq!(output.status.code(), Some(1), "{args:?}");
    }
}

#[test]
fn a_pattern_of_roles_that_is_excepted_as_a_whole_is_told() {
    let judge = |roles: &str, except: &str| {
        let config = format!(
            "version: 1\nclusters: {{eu: [eu]}}\nrequire:\n- mode: strict\n  kinds: [ssh]\n  roles: {roles}\n  except_roles: {except}\n"
        );
        let folder = repository(&[
            (".recmode.yaml", config.as_str()),
            ("a.yaml", &role("prod-a", &["ssh: strict"])),
            ("eu/b.yaml", &role("prod-b", &["ssh: strict"])),
        ]);
        let output = lint(folder.path(), &["-q"]);
        (output.status.code(), stdout(&output))
    };
    for (roles, except) in [("[prod-*]", "[prod-*]"), ("[prod-b, prod-*]", "[prod-b]"), ("[prod-b]", "['*']")]
    {
        let (code, text) = judge(roles, except);
        assert_eq!(code, Some(1), "{roles} {except}");
        assert_eq!(
            text.matches("warning[requirement-not-met]: except_roles leaves out all").count(),
            1,
            "{text}"
        );
        assert!(text.contains("so nothing is required by it: is it a slip?"), "{text}");
    }
    // Something is left, if only in one of the clusters.
    assert_eq!(judge("[prod-*]", "[prod-b]"), (Some(0), String::new()));
}

#[test]
fn another_pattern_that_matches_nothing_is_told_only_where_everything_was_read() {
    let config = "version: 1\nrequire:\n- roles: [dev]\n  kinds: [ssh]\n  mode: strict\n  except_roles: [gone]\n- users: [nobody]\n  mode: strict\n";
    let folder = repository(&[(".recmode.yaml", config), ("dev.yaml", &role("dev", &["ssh: strict"]))]);
    let output = lint(folder.path(), &["--format", "json"]);
    assert_eq!(found(&output), ["requirement-not-met:6", "requirement-not-met:7"]);
    assert_eq!(lint(folder.path(), &["dev.yaml"]).status.code(), Some(0));
}

#[test]
fn it_says_what_fails_unless_the_command_line_does() {
    let weak = role("a", &["default: strict", "ssh: best_effort"]);
    let wrong = role("a", &["default: on"]);
    for (text, fail_on, expected) in
        [(&weak, "info", [1, 0, 0]), (&weak, "warning", [0, 0, 0]), (&wrong, "error", [1, 1, 1])]
    {
        let config = format!("version: 1\nfail-on: {fail_on}\n");
        let folder = repository(&[(".recmode.yaml", &config), ("a.yaml", text)]);
        let codes = [&[][..], &["--fail-on", "warning"], &["--fail-on", "error"]]
            .map(|args| lint(folder.path(), args).status.code());
        assert_eq!(codes, expected.map(Some), "{fail_on}");
    }
}

#[test]
fn it_leaves_files_out_of_the_search_and_never_what_is_named() {
    let wrong = |name: &str| role(name, &["default: on"]);
    let config = "version: 1\nexclude: [vendor/, '**/gen-*.yaml', deep/er]\n";
    let folder = repository(&[
        (".recmode.yaml", config),
        ("vendor/x/a.yaml", &wrong("a")),
        ("deep/gen-b.yaml", &wrong("b")),
        ("deep/er/c.yaml", &wrong("c")),
        ("deep/vendor/d.yaml", &wrong("d")),
        // Of the same name, which only counts where both are read.
        ("e.yaml", &wrong("a")),
    ]);
    let files = |inside: &str, args: &[&str]| {
        let output = lint(&folder.path().join(inside), &[args, &["--format", "json"]].concat());
        let tree: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let findings = tree["findings"].as_array().expect("findings").clone();
        findings.iter().map(|one| one["at"]["file"].as_str().expect("a file").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(files("", &[]), ["deep/vendor/d.yaml", "e.yaml"]);
    assert_eq!(files("", &["."]), ["deep/vendor/d.yaml", "e.yaml"]);
    assert_eq!(files("deep", &["."]), ["vendor/d.yaml"], "globs are from the configuration's root");
    assert_eq!(files("", &["vendor/x/a.yaml"]), ["vendor/x/a.yaml"]);
    assert_eq!(files("", &["--no-config"]).len(), 6, "{:?}", files("", &["--no-config"]));
}
