//! Separate sets of roles in one tree: each is judged as if it were alone.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use proptest::prelude::*;
use recmode::config::{Pattern, Requirement};
use recmode::lint::{Finding, Input, Settings, repairs, run};
use recmode::policy::{Bound, Mode, SessionKind};
use recmode::roles::{self, Progress, SearchOptions, Site, Survey};

use super::{all, found, lint, read, repository, role, stdout};

/// A role of Terraform's; `more` are further lines of it.
fn terraform(address: &str, name: &str, more: &str, options: &str) -> String {
    format!(
        "resource \"teleport_role\" \"{address}\" {{\n{more}  version  = \"v7\"\n  metadata = {{ name = \"{name}\" }}\n  spec     = {{ options = {{ record_session = {{ {options} }} }} }}\n}}\n"
    )
}

const EU: &str = "  provider = teleport.eu\n";
const US: &str = "  provider = teleport.us\n";

#[test]
fn one_name_in_two_clusters_of_terraform_is_no_duplicate() {
    let strict = "default = \"strict\"";
    let eu = terraform("eu", "dev", EU, strict);
    let both = eu.clone() + &terraform("us", "dev", US, strict);
    let folder = repository(&[("main.tf", &both)]);
    assert_eq!(found(&lint(folder.path(), &["--format", "json"])), [""; 0]);

    // Of one cluster it is, and so it is without a provider.
    for (first, second) in [(EU, EU), ("", "  provider = teleport\n"), (EU, "  provider = \"teleport.eu\"\n")]
    {
        let text = terraform("a", "dev", first, strict) + &terraform("b", "dev", second, strict);
        let folder = repository(&[("main.tf", &text)]);
        let line = 5 + usize::from(!first.is_empty()) + 4 - usize::from(second.is_empty());
        assert_eq!(
            found(&lint(folder.path(), &["--format", "json"])),
            [format!("duplicate-role:{line}")],
            "{text}"
        );
    }

    let json = r#"{"resource": {"teleport_role": {
  "eu": {"provider": "teleport.eu", "metadata": {"name": "dev"}, "spec": {"options": {"record_session": {"ssh": "strict"}}}},
  "eu2": {"provider": "teleport.eu", "metadata": {"name": "dev"}, "spec": {"options": {"record_session": {"ssh": "strict"}}}}
}}}"#;
    let folder = repository(&[("main.tf", &terraform("us", "dev", US, strict)), ("eu.tf.json", json)]);
    assert_eq!(found(&lint(folder.path(), &["--format", "json"])), ["duplicate-role:3"]);
}

#[test]
fn one_name_in_two_clusters_folders_is_no_duplicate() {
    let dev = role("dev", &["default: strict"]);
    let files = [("clusters/eu/dev.yaml", dev.as_str()), ("clusters/us/dev.yaml", dev.as_str())];
    for clusters in
        ["clusters: {eu: [clusters/eu], us: [clusters/us/]}", "clusters: [./clusters/eu, clusters/us]"]
    {
        let config = format!("version: 1\n{clusters}\n");
        let folder = repository(&[(".recmode.yaml", config.as_str()), files[0], files[1]]);
        assert_eq!(found(&lint(folder.path(), &["--format", "json"])), [""; 0], "{clusters}");
        assert_eq!(
            found(&lint(&folder.path().join("clusters"), &["--format", "json"])),
            [""; 0],
            "{clusters}"
        );
        let without = lint(folder.path(), &["--no-config", "--format", "json"]);
        assert_eq!(found(&without), ["duplicate-role:4"], "{clusters}");
    }
    // A folder of a similar name is another one.
    let config = "version: 1\nclusters: {eu: [clusters/e]}\n";
    let folder = repository(&[(".recmode.yaml", config), ("clusters/e/x.txt", ""), files[0], files[1]]);
    assert_eq!(found(&lint(folder.path(), &["--format", "json"])), ["duplicate-role:4"]);
}

#[test]
fn roles_of_two_clusters_do_not_weaken_each_other_and_users_hold_those_of_their_own() {
    let strict = terraform("eu", "prod", EU, "default = \"strict\"");
    let loose = |provider| terraform("us", "dev", provider, "ssh = \"best_effort\"");
    let user = "resource \"teleport_user\" \"alice\" {\n  provider = teleport.us\n  metadata = { name = \"alice\" }\n  spec = { roles = [\"prod\", \"dev\"] }\n}\n";
    let folder = repository(&[("main.tf", &(strict.clone() + &loose(US) + user))]);
    let rules = ["--format", "json", "-A", "implicit-best-effort"];
    assert_eq!(found(&lint(folder.path(), &rules)), ["unknown-role:16"]);
    let user = user.replace(".us", ".eu");
    let folder = repository(&[("main.tf", &(strict + &loose(EU) + &user))]);
    assert_eq!(found(&lint(folder.path(), &rules)), ["weakening-role:11"]);
}

#[test]
fn a_requirement_is_about_each_cluster_and_names_the_one_that_falls_short() {
    let config = "version: 1\nclusters: {eu: [eu], us: [us]}\nrequire:\n- name: ssh\n  roles: ['prod*']\n  kinds: [ssh]\n  mode: strict\n- users: [alice]\n  kinds: [ssh]\n  mode: strict\n";
    let user = "---\nkind: user\nversion: v2\nmetadata: {name: alice}\nspec: {roles: [prod]}\n";
    let strict = role("prod", &["ssh: strict"]) + user;
    let loose = role("prod", &["ssh: best_effort"]) + user;
    let folder = repository(&[(".recmode.yaml", config), ("eu/r.yaml", &strict), ("us/r.yaml", &loose)]);
    let text = stdout(&lint(folder.path(), &["-A", "lockout"]));
    assert!(
        text.contains("the requirement \"ssh\" is not met in the cluster \"us\": whoever holds \"prod\" is best_effort on ssh"),
        "{text}"
    );
    assert!(
        text.contains(
            "a requirement is not met in the cluster \"us\": the user \"alice\" is best_effort on ssh"
        ),
        "{text}"
    );
    assert!(text.contains("us/r.yaml:8:12") && !text.contains("eu/r.yaml"), "{text}");
    // A pattern that matches in one cluster only is no slip.
    let folder = repository(&[
        (".recmode.yaml", config),
        ("eu/r.yaml", &strict),
        ("us/r.yaml", &role("x", &["ssh: strict"])),
    ]);
    assert_eq!(found(&lint(folder.path(), &["-A", "lockout", "--format", "json"])), [""; 0]);
}

const TWO: &str = "version: 1\nclusters: {eu: [eu], us: [us]}\nrequire:\n- roles: ['prod-*']\n  kinds: [ssh]\n  mode: strict\n";

#[test]
fn a_file_that_clusters_share_by_a_link_is_in_each() {
    let strict = role("prod-a", &["default: strict"]);
    let loose = role("helpdesk", &["ssh: best_effort"]);
    let unmet = "a requirement is not met in the cluster \"us\": whoever holds \"prod-a\" and \"helpdesk\" is best_effort on ssh";
    // Files by a symbolic link and a hard one, and a folder; beside the clusters and in the first of them.
    for (target, link) in [("base", "prod.yaml"), ("base", "shared"), ("eu", "prod.yaml"), ("eu", "shared")] {
        let file =
            if link == "shared" { format!("{target}/shared/r.yaml") } else { format!("{target}/{link}") };
        let files =
            [(".recmode.yaml", TWO), (&file, strict.as_str()), ("us/h.yaml", &loose), ("eu/x.txt", "")];
        for hard in [false, true] {
            if hard && link == "shared" {
                continue;
            }
            let folder = repository(&files);
            for cluster in ["eu", "us"].into_iter().filter(|cluster| *cluster != target) {
                let path = folder.path().join(cluster).join(link);
                if hard {
                    fs::hard_link(folder.path().join(target).join(link), path).expect("a hard link");
                } else {
                    symlink(format!("../{target}/{link}"), path).expect("a link");
                }
            }
            let output = lint(folder.path(), &["-A", "weakening-role"]);
            assert!(stdout(&output).contains(unmet), "{file} {hard}: {}", all(&output));
            assert!(stdout(&output).contains("1 finding in"), "{file} {hard}: {}", all(&output));
        }
    }
}

#[test]
fn a_link_from_elsewhere_takes_nothing_out_of_a_cluster() {
    let strict = role("prod-a", &["default: strict"]);
    let loose = role("helpdesk", &["ssh: best_effort"]);
    let config = TWO.replace("[eu]", "[clusters/eu]").replace("[us]", "[clusters/us]");
    let files = [
        (".recmode.yaml", config.as_str()),
        ("clusters/eu/x.txt", ""),
        ("clusters/us/prod.yaml", &strict),
        ("clusters/us/h.yaml", &loose),
    ];
    // To a file, to a cluster, and to what the clusters are in.
    for (target, link) in [
        ("clusters/us/h.yaml", "a.yaml"),
        ("clusters/us", "all"),
        ("clusters", "all"),
        ("us", "clusters/all"),
    ] {
        let folder = repository(&files);
        symlink(target, folder.path().join(link)).expect("a link");
        let text = stdout(&lint(folder.path(), &["-A", "weakening-role"]));
        assert!(text.contains("is not met in the cluster \"us\""), "{target}: {text}");
    }
}

#[test]
fn two_names_in_one_cluster_are_one_file() {
    let folder = repository(&[
        (".recmode.yaml", TWO),
        ("eu/a.yaml", &role("prod-a", &["ssh: strict"])),
        ("us/x.txt", ""),
    ]);
    symlink("a.yaml", folder.path().join("eu/b.yaml")).expect("a link");
    symlink("eu/a.yaml", folder.path().join("c.yaml")).expect("a link");
    symlink("eu/a.yaml", folder.path().join("d.yaml")).expect("a link");
    for paths in [&[][..], &["eu", "eu/b.yaml", "./eu", "."]] {
        let output = lint(folder.path(), paths);
        assert!(stdout(&output).contains("no findings in 2 roles in 2 files"), "{}", all(&output));
    }
}

#[test]
fn a_shared_file_is_repaired_only_as_each_cluster_would_have_it() {
    // Beside a strict default the repair would loosen the role.
    let wrong = role("a", &["ssh: best-effort"]);
    let strict = role("b", &["default: strict"]);
    let config = "version: 1\nclusters: {eu: [eu], us: [us]}\n";
    for (beside, repaired) in [("ssh: strict", true), ("default: strict", false)] {
        let other = strict.replace("default: strict", beside);
        let folder = repository(&[(".recmode.yaml", config), ("eu/a.yaml", &wrong), ("us/b.yaml", &other)]);
        symlink("../eu/a.yaml", folder.path().join("us/a.yaml")).expect("a link");
        lint(folder.path(), &["--fix"]);
        let text = read(&folder, "eu/a.yaml");
        assert_eq!(text.contains("best_effort"), repaired, "{beside}: {text}");
    }
}

/// A scoped role of this scope and name, with these lines under `spec`.
fn scoped(scope: &str, name: &str, spec: &str) -> String {
    format!(
        "kind: scoped_role\nversion: v1\nmetadata:\n  name: {name}\nscope: {scope}\nspec:\n  assignable_scopes: [{scope}/**]\n{spec}"
    )
}

const SCOPED: &str = "  defaults:\n    session_recording:\n      mode: strict\n";

#[test]
fn a_scoped_role_is_a_set_of_its_own() {
    let loose = "  ssh:\n    logins: [root]\n    session_recording: {mode: best_effort}\n";
    // Neither scoped roles of two scopes nor roles without a scope have anything in common.
    let text = [
        scoped("/staging", "dev", SCOPED),
        scoped("/prod", "dev", loose),
        scoped("/prod", "ops", loose),
        role("dev", &["default: strict"]),
    ]
    .join("---\n");
    let folder = repository(&[("r.yaml", &text)]);
    assert_eq!(found(&lint(folder.path(), &["--format", "json"])), [""; 0]);
    let twice = scoped("/prod", "dev", loose) + "---\n" + &scoped("/prod", "dev", loose);
    let folder = repository(&[("r.yaml", &twice)]);
    assert_eq!(found(&lint(folder.path(), &["--format", "json"])), ["duplicate-role:15"]);
}

#[test]
fn a_requirement_is_about_each_scoped_role_and_is_mended_where_its_modes_are() {
    let config = "version: 1\nrequire:\n- roles: ['*']\n  kinds: [ssh, k8s]\n  mode: strict\n";
    let loose = "  ssh:\n    session_recording: {mode: best_effort}\n";
    let text = [scoped("/a", "dev", SCOPED), scoped("/b", "dev", loose)].join("---\n");
    let folder = repository(&[(".recmode.yaml", config), ("r.yaml", &text)]);
    let text = stdout(&lint(folder.path(), &[]));
    for (message, help) in [
        ("whoever holds \"dev\" is best_effort on ssh", "write spec.ssh.session_recording.mode: strict\n"),
        (
            "whoever holds \"dev\" is best_effort on k8s",
            "write spec.defaults.session_recording.mode: strict\n",
        ),
    ] {
        let message = format!("a requirement is not met for the scoped role \"/b::dev\": {message}");
        assert!(text.contains(&message) && text.contains(help), "{text}");
    }
    assert!(text.contains("2 findings in 2 roles in 1 file: 2 errors"), "{text}");
}

#[test]
fn a_wrong_mode_of_a_scoped_role_is_an_error_at_its_place() {
    let operator = "apiVersion: resources.teleport.dev/v1\nkind: TeleportScopedRoleV1\nmetadata: {name: operator}\nscope: /a\nspec:\n  ssh:\n    session_recording:\n      mode: best-effort\n";
    let terraform = "resource \"teleport_scoped_role\" \"dev\" {\n  version  = \"v1\"\n  metadata = { name = \"terraform\" }\n  scope    = \"/a\"\n  spec = {\n    defaults = { session_recording = { mode = \"Strict\" } }\n    ssh      = { session_recording = {} }\n  }\n}\n";
    let plain = scoped(
        "/a",
        "dev",
        "  defaults:\n    session_recording: strict\n  ssh:\n    session_recording_mode: strct\n",
    );
    let folder =
        repository(&[("operator.yaml", operator), ("t/main.tf", terraform), ("x/plain.yaml", &plain)]);
    insta::assert_snapshot!(stdout(&lint(folder.path(), &[])));
}

#[test]
fn rules_of_record_session_speak_of_scoped_roles_in_their_own_terms() {
    let silent = scoped("/a", "silent", "");
    let misplaced = scoped(
        "/a",
        "misplaced",
        "  options:\n    record_session: {ssh: strict}\n  kube:\n    session_recording: {mode: strict}\n  session_recording: {mode: strict}\n  defaults:\n    session_recording: {mode: strict}\n",
    );
    let version = scoped("/a", "version", SCOPED).replace("v1", "v8");
    let designed = scoped("/a", "designed", "  ssh:\n    session_recording_mode: strict\n");
    let folder = repository(&[("r.yaml", &[silent, misplaced, version, designed].join("---\n"))]);
    insta::assert_snapshot!(stdout(&lint(folder.path(), &[])));
}

#[test]
fn an_assigned_scoped_role_that_was_not_read_is_unknown() {
    let assignment = |role: &str| {
        format!(
            "---\nkind: scoped_role_assignment\nversion: v1\nsub_kind: dynamic\nmetadata: {{name: a}}\nscope: /a\nspec:\n  user: alice\n  assignments:\n  - role: {role}\n    scope: /a/b\n"
        )
    };
    let rules = ["-A", "lockout", "--format", "json"];
    for (role, expected) in [
        ("/a::dev", vec![]),
        ("dev", vec![]),
        ("/b::dev", vec!["unknown-role:20"]),
        ("gone", vec!["unknown-role:20"]),
    ] {
        let folder = repository(&[("r.yaml", &(scoped("/a", "dev", SCOPED) + &assignment(role)))]);
        assert_eq!(found(&lint(folder.path(), &rules)), expected, "{role}");
    }
    let nobody = scoped("/a", "dev", SCOPED) + &assignment("/a::dev").replace("  user: alice\n", "");
    let folder = repository(&[("r.yaml", &nobody)]);
    assert_eq!(found(&lint(folder.path(), &rules)), ["syntax:18"]);
}

#[test]
fn opentofu_and_terraform_each_load_one_of_two_files() {
    let strict = terraform("prod", "prod", "", "default = \"strict\"");
    let loose = terraform("prod", "prod", "", "ssh = \"best_effort\"");
    // The role that both load is weakened by the one that OpenTofu loads.
    let shared = role("shared", &["default: strict"]);
    let folder = repository(&[("a/main.tf", &strict), ("a/main.tofu", &loose), ("b/shared.yaml", &shared)]);
    assert_eq!(found(&lint(folder.path(), &["--format", "json"])), ["weakening-role:4"]);
    // Each file is judged.
    let wrong = terraform("prod", "prod", "", "ssh = \"strct\"");
    for (tf, tofu, file) in [(&strict, &wrong, "main.tofu"), (&wrong, &strict, "main.tf")] {
        let folder = repository(&[("main.tf", tf), ("main.tofu", tofu)]);
        let text = stdout(&lint(folder.path(), &[]));
        assert!(text.contains("error[invalid-mode]") && text.contains(&format!("{file}:4:")), "{text}");
    }
    // Files of other names or folders are loaded together.
    for name in ["other.tofu", "x/main.tofu"] {
        let folder = repository(&[("main.tf", &strict), (name, &strict)]);
        assert_eq!(found(&lint(folder.path(), &["--format", "json"])), ["duplicate-role:3"], "{name}");
    }
    let json = r#"{"resource": {"teleport_role": {"prod": {"metadata": {"name": "prod"}, "spec": {"options": {"record_session": {"ssh": "strict"}}}}}}}"#;
    let folder = repository(&[("main.tf.json", json), ("main.tofu.json", json)]);
    assert_eq!(found(&lint(folder.path(), &["--format", "json"])), [""; 0]);
}

#[test]
fn a_requirement_is_about_what_either_loads() {
    let config = "version: 1\nrequire:\n- roles: ['*']\n  kinds: [ssh]\n  mode: strict\n";
    let strict = terraform("prod", "prod", "", "ssh = \"strict\"");
    let loose = terraform("prod", "prod", "", "ssh = \"best_effort\"");
    let both = role("both", &["ssh: best_effort"]);
    let folder = repository(&[(".recmode.yaml", config), ("main.tf", &strict), ("main.tofu", &loose)]);
    let output = lint(folder.path(), &["--format", "json"]);
    assert_eq!(found(&output), ["requirement-not-met:4"]);
    assert!(stdout(&output).contains("main.tofu"), "{}", all(&output));
    let folder = repository(&[
        (".recmode.yaml", config),
        ("main.tf", &strict),
        ("main.tofu", &strict),
        ("a.yaml", &both),
    ]);
    assert_eq!(found(&lint(folder.path(), &["--format", "json"])), ["requirement-not-met:8"], "once");
}

/// Roles of a cluster: what each says of `default` and `ssh`, right or slightly wrong.
fn cluster() -> impl Strategy<Value = String> {
    let values = proptest::sample::select(&["strict", "best_effort", "Strict", "best-effort"][..]);
    let options = (proptest::option::of(values.clone()), proptest::option::of(values));
    proptest::collection::vec(options, 1..4).prop_map(|roles| {
        let role = |(n, (default, ssh)): (usize, (Option<&str>, Option<&str>))| {
            let options = [("default", default), ("ssh", ssh)].into_iter();
            let options: Vec<_> =
                options.filter_map(|(key, value)| Some(format!("{key}: {}", value?))).collect();
            super::role(&format!("r{n}"), &options.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let user = "kind: user\nversion: v2\nmetadata: {name: alice}\nspec: {roles: [r0, r2]}\n".to_owned();
        roles.into_iter().enumerate().map(role).chain([user]).collect::<Vec<_>>().join("---\n")
    })
}

fn surveyed(paths: &[PathBuf]) -> Survey {
    let mut survey = roles::survey(paths, &SearchOptions::default(), &Progress::default());
    survey.put_into_clusters(|file| {
        ["/eu/", "/us/"].into_iter().find(|name| file.contains(name)).map(Into::into)
    });
    survey
}

/// The findings, and the repaired texts.
fn judged(survey: &Survey) -> (Vec<Finding>, Vec<(String, String)>) {
    let at = || Site { file: "config".into(), mark: None };
    let require = [Requirement {
        name: None,
        roles: vec![Pattern::name("*", at()).expect("a glob")],
        users: Vec::new(),
        kinds: vec![SessionKind::Ssh],
        bound: Bound::AtLeast(Mode::Strict),
        except_roles: Vec::new(),
        at: at(),
    }];
    let judge = |survey: &Survey| {
        let input = Input { require: &require, ..Input::new(survey) };
        run(&input, &Settings::default(), &str::to_owned)
    };
    let repaired = repairs(survey, &judge).into_iter().map(|repair| (repair.file.to_string(), repair.after));
    (judge(survey).findings, repaired.collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn clusters_side_by_side_are_judged_and_repaired_as_each_alone(eu in cluster(), us in cluster()) {
        let folder = repository(&[("eu/r.yaml", &eu), ("us/r.yaml", &us)]);
        let paths = ["eu", "us"].map(|name| folder.path().join(name));
        let (both, repaired) = judged(&surveyed(&paths));
        let (mut alone, mut repaired_alone) = (Vec::new(), Vec::new());
        for path in &paths {
            let (findings, texts) = judged(&surveyed(std::slice::from_ref(path)));
            alone.extend(findings);
            repaired_alone.extend(texts);
        }
        prop_assert_eq!(both, alone);
        prop_assert_eq!(repaired, repaired_alone);
    }
}
