//! docs/login.md, as somebody deploys it who reads every word.

use std::fs;
use std::path::Path;

use crate::harness::{
    Lab, Node, Recordings, SOON, Verdict, count, find, needs, needs_tools, show, tests, until,
};

tests![
    every_test_that_the_table_of_attacks_names_is_there,
    the_documented_set_up_prints_what_is_documented,
    the_documented_sshd_configuration_loads_on_a_stock_debian_and_holds,
    a_bastion_lets_through_and_gives_no_session,
    as_debian_ships_pam_it_takes_variables_of_the_users,
    users_can_not_choose_another_shell_where_recmode_is_none_of_those_to_choose,
    a_program_that_can_not_be_read_is_never_traced,
    check_warns_of_what_lets_users_past_and_prints_a_tree,
];

const ROOMY: Recordings = Recordings::Small(8 * 1024);

/// Debian's configuration of sshd as it is installed.
const STOCK: &str = "/usr/share/openssh/sshd_config";

fn repository(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a file of the repository")
}

/// The fenced blocks of docs/login.md in this language, without the indentation that a list gives them.
fn blocks(language: &str) -> Vec<String> {
    let text = repository("docs/login.md");
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let indent = line.len() - line.trim_start().len();
        let Some(found) = line.trim_start().strip_prefix("```") else { continue };
        let body = lines.by_ref().take_while(|line| line.trim_start() != "```");
        let body: String = body.map(|line| line.get(indent..).unwrap_or("").to_owned() + "\n").collect();
        if found == language {
            blocks.push(body);
        }
    }
    blocks
}

fn the_documented_set_up_prints_what_is_documented() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    // Step 1, where the tests have it.
    assert!(repository("docs/login.md").contains("`install -m 711 target/release/recmode /usr/bin/recmode`"));
    assert_eq!(node.sh("stat -c %a /usr/local/bin/recmode"), "711\n");
    // Steps 2 and 3.
    let yaml = blocks("yaml");
    node.sh(
        "rm /etc/recmode/roles/all.yaml; rmdir /var/log/recmode/stella; usermod --shell /bin/bash stella",
    );
    fs::write(node.here("/etc/recmode/config.yaml"), &yaml[0]).expect("written");
    fs::write(node.here("/etc/recmode/roles/access.yaml"), &yaml[1]).expect("written");
    assert_eq!(
        node.try_sh("recmode lint /etc/recmode/roles"),
        (0, "no findings in 2 roles in 1 file\n".to_owned())
    );
    node.sh(&blocks("sh")[0]);
    // Step 4.
    let (command, printed) =
        blocks("console")[0].split_once('\n').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("lines");
    let command = command.strip_prefix("# ").expect("root's prompt");
    node.sh("mkdir -p /etc/pam.d; sed -i d /etc/pam.d/*; yes '' | head -n 46 >/etc/pam.d/sshd; \
             echo 'session required pam_env.so user_readenv=1 envfile=/etc/default/locale' >>/etc/pam.d/sshd");
    let uid = node.sh("id -u stella");
    let (status, text) = node.try_sh(&format!("{command} 2>&1"));
    assert_eq!(text, printed.replace("1001", uid.trim()));
    assert_eq!(status, 0);
    // Step 5.
    node.sh("usermod --shell /usr/local/bin/recmode stella");
    let (_, text) = node.try_sh(command);
    assert!(text.contains("reached by  every login: the shell in passwd is recmode\n"), "{text}");
    let run = node.run(&lab, "stella", &["echo hello"], b"");
    assert_eq!((run.status, run.stdout()), (0, "hello\n".to_owned()), "{}", run.stderr());
    assert_eq!(node.latest("stella").ours("mode"), "strict");
    assert_eq!(node.run(&lab, "bess", &["echo hello"], b"").status, 0);
    assert_eq!(node.latest("bess").ours("mode"), "best_effort");
    Ok(())
}

/// The names of tests that docs/security.md gives as `module::name`.
fn every_test_that_the_table_of_attacks_names_is_there() -> Verdict {
    let text = repository("docs/security.md");
    let table = text.split("## Attacks").nth(1).expect("the table");
    let named: Vec<_> = table.split('`').filter(|word| word.contains("::") && !word.ends_with('…')).collect();
    assert!(named.len() > 20, "{named:?}");
    for name in named {
        let (module, function) = name.split_once("::").expect("a module");
        let has = |path: String, signature: String| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
            fs::read_to_string(path).is_ok_and(|source| source.contains(&signature))
        };
        let is_there = has(format!("tests/e2e/{module}.rs"), format!("fn {function}() -> Verdict"))
            || has(format!("tests/after/{module}.rs"), format!("#[test]\nfn {function}()"));
        assert!(is_there, "{name}");
    }
    Ok(())
}

/// Starts an sshd of the machine's with Debian's own configuration, and gives its port.
fn start_stock_sshd(node: &Node, pam: &str) -> String {
    let port = Node::free_port().to_string();
    let options = format!(
        "-f {STOCK} -h /etc/ssh/node_host_key -p {port} -o ListenAddress=127.0.0.1 -o AuthorizedKeysFile=/etc/ssh/node_users \
         -o StrictModes=no -o UsePAM={pam} -o PidFile=none"
    );
    node.sh(&format!("/usr/sbin/sshd {options} >/dev/null 2>&1 </dev/null"));
    until(SOON, "sshd", || node.try_sh(&format!("(exec 3<>/dev/tcp/127.0.0.1/{port})")).0 == 0);
    port
}

fn the_documented_sshd_configuration_loads_on_a_stock_debian_and_holds() -> Verdict {
    needs(Path::new(STOCK).exists(), "Debian's openssh-server")?;
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    let file = repository("dist/recmode-sshd.conf");
    let [snippet, bastion] = &blocks("")[..] else { panic!("docs/login.md has other blocks") };
    assert!(file.ends_with(snippet.as_str()), "dist/recmode-sshd.conf is not what docs/login.md shows");
    for text in [snippet, bastion] {
        assert!(text.ends_with("\nMatch all\n"), "it ends inside a Match");
    }
    node.sh("rm -f /etc/ssh/sshd_config.d/*; mkdir -p /etc/ssh/sshd_config.d");
    fs::write(node.here("/etc/ssh/sshd_config.d/10-recmode.conf"), &file).expect("written");
    let stock = format!("-f {STOCK} -h /etc/ssh/node_host_key");
    assert_eq!(node.try_sh(&format!("/usr/sbin/sshd -t {stock}")), (0, String::new()));
    let holds =
        |user: &str| node.sh(&format!("/usr/sbin/sshd -T {stock} -C user={user},host=h,addr=192.0.2.1"));
    let (stella, rescue) = (holds("stella"), holds("rescue-account"));
    for line in [
        "disableforwarding yes\n",
        "permituserrc no\n",
        "permituserenvironment no\n",
        "subsystem sftp /usr/lib/openssh/sftp-server\n",
        "acceptenv LANG\n",
        "acceptenv LC_*\n",
    ] {
        assert!(stella.contains(line), "{line:?}: {stella}");
    }
    assert!(rescue.contains("disableforwarding no\n"), "{rescue}");
    fs::write(node.here("/etc/ssh/sshd_config.d/05-bastion.conf"), bastion).expect("written");
    assert_eq!(node.try_sh(&format!("/usr/sbin/sshd -t {stock}")), (0, String::new()));
    assert!(holds("stella").contains("disableforwarding yes\n"), "the bastion's file is not for all");

    // With it: nothing is forwarded, nothing of the user's runs before the shell, files are copied.
    let port = start_stock_sshd(&node, "no");
    node.sh("mkdir -p /home/stella/.ssh; echo 'touch ~/worked' >/home/stella/.ssh/rc; echo LD_PRELOAD=/x >/home/stella/.ssh/environment; chown -R stella: /home/stella/.ssh");
    let ssh = |more: &[&str]| {
        let mut words = vec!["ssh", "-p", &port];
        let options = node.client_options();
        words.extend(options.iter().map(String::as_str));
        words.extend(more);
        lab.run(&words, b"")
    };
    let run = ssh(&["stella@127.0.0.1", "echo hello; echo ${LD_PRELOAD-none}"]);
    assert_eq!((run.status, run.stdout()), (0, "hello\nnone\n".to_owned()), "{}", run.stderr());
    assert_eq!(node.try_sh("ls /home/stella/worked").0, 2, "~/.ssh/rc was run");
    let run = ssh(&["-W", &format!("127.0.0.1:{port}"), "stella@127.0.0.1"]);
    assert!(run.status != 0 && run.stdout.is_empty(), "{}", show(&run.stdout));
    Ok(())
}

fn a_bastion_lets_through_and_gives_no_session() -> Verdict {
    needs(Path::new(STOCK).exists(), "Debian's openssh-server")?;
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    let target = node.port();
    let bastion = blocks("")[1].replace("web1.example:22 db1.example:22", &format!("127.0.0.1:{target}"));
    node.sh("rm -f /etc/ssh/sshd_config.d/*; mkdir -p /etc/ssh/sshd_config.d; groupadd -f bastion; usermod -a -G bastion forced");
    fs::write(node.here("/etc/ssh/sshd_config.d/05-bastion.conf"), bastion).expect("written");
    fs::write(node.here("/etc/ssh/sshd_config.d/10-recmode.conf"), repository("dist/recmode-sshd.conf"))
        .expect("written");
    let port = start_stock_sshd(&node, "no");
    let through = |words: &[&str]| {
        let mut all = vec!["ssh", "-p", &port];
        let options = node.client_options();
        all.extend(options.iter().map(String::as_str));
        all.extend(words);
        all.iter().map(|&word| word.to_owned()).collect::<Vec<_>>()
    };
    // As `ssh -J` does it.
    let proxy = through(&["-W", "127.0.0.1:%p", "forced@127.0.0.1"]).join(" ");
    let run =
        lab.run(&node.ssh("stella", &["-T", "-o", &format!("ProxyCommand={proxy}")], &["echo through"]), b"");
    assert_eq!((run.status, run.stdout()), (0, "through\n".to_owned()), "{}", run.stderr());
    assert_eq!(node.files("stella").len(), 1);
    let run = lab.run(&through(&["-W", &format!("127.0.0.1:{port}"), "forced@127.0.0.1"]), b"");
    assert!(run.status != 0 && run.stdout.is_empty(), "another port: {}", show(&run.stdout));
    for command in [&["id"][..], &[], &["-s", "sftp"]] {
        let run = lab.run(&through(&[&["forced@127.0.0.1"], command].concat()), b"");
        assert!(run.status != 0 && find(&run.stdout, "uid=").is_none(), "{command:?}: {}", show(&run.stdout));
    }
    Ok(())
}

fn as_debian_ships_pam_it_takes_variables_of_the_users() -> Verdict {
    needs(Path::new(STOCK).exists() && Path::new("/etc/pam.d/sshd").exists(), "Debian's openssh-server")?;
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    needs(node.try_sh("grep -q user_readenv=1 /etc/pam.d/sshd").0 == 0, "PAM as Debian 12 ships it")?;
    node.sh("echo 'LD_PRELOAD DEFAULT=/nowhere.so' >/home/stella/.pam_environment; chown stella: /home/stella/.pam_environment");
    let port = start_stock_sshd(&node, "yes");
    let preloaded = || {
        let mut words = vec!["ssh", "-T", "-p", &port];
        let options = node.client_options();
        words.extend(options.iter().map(String::as_str));
        words.extend(["stella@127.0.0.1", "echo ${LD_PRELOAD-none}"]);
        let run = lab.run(&words, b"");
        // The linker complains of what it can't load, in recmode first.
        (run.stdout(), run.stderr().contains("object '/nowhere.so' from LD_PRELOAD cannot be preloaded"))
    };
    assert_eq!(preloaded(), ("/nowhere.so\n".to_owned(), true), "docs/login.md is out of date");
    // As the documentation has it.
    node.sh("sed -i 's/user_readenv=1//' /etc/pam.d/sshd");
    assert_eq!(preloaded(), ("none\n".to_owned(), false));
    Ok(())
}

fn users_can_not_choose_another_shell_where_recmode_is_none_of_those_to_choose() -> Verdict {
    needs_tools(&["chsh"])?;
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    let choose =
        || node.try_sh("setpriv --reuid stella --regid stella --clear-groups chsh -s /bin/sh </dev/null").1;
    let refused = "You may not change the shell";
    assert!(choose().contains(refused), "{}", choose());
    assert_eq!(node.run(&lab, "stella", &["echo in"], b"").status, 0, "logins work without it");
    node.sh("echo /usr/local/bin/recmode >>/etc/shells");
    assert!(!choose().contains(refused), "docs/login.md is out of date: {}", choose());
    Ok(())
}

fn a_program_that_can_not_be_read_is_never_traced() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    // The owner of its files in /proc is root where nobody else may trace it. This command does not forbid it by itself.
    let owner = |mode: &str| {
        let script = format!(
            "chmod {mode} /usr/local/bin/recmode; exec 2>/dev/null; mkfifo -m 666 /home/{mode}; exec 3<>/home/{mode}; rm -f /home/stella/pid; \
             su stella -s /bin/sh -c 'echo $$ >/home/stella/pid; exec recmode cat -' <&3 >/dev/null & \
             until readlink /proc/$(cat /home/stella/pid)/exe | grep -q recmode; do sleep 0.01; done 2>/dev/null; \
             pid=$(cat /home/stella/pid); stat -c %U /proc/$pid/mem; kill $pid"
        );
        node.sh(&script)
    };
    assert_eq!(owner("0711"), "root\n");
    assert_eq!(owner("0755"), "stella\n", "docs/security.md is out of date");
    Ok(())
}

fn check_warns_of_what_lets_users_past_and_prints_a_tree() -> Verdict {
    let lab = Lab::new();
    let node = Node::start(&lab, ROOMY)?;
    node.sh("sed -i d /etc/pam.d/*; rm -rf /etc/ssh/sshd_config.d; : >/etc/ssh/sshd_config");
    let check = |more: &str| node.try_sh(&format!("recmode login --check --user stella {more}"));
    let (status, text) = check("");
    assert_eq!((status, count(text.as_bytes(), "warning")), (0, 0), "{text}");
    node.sh(
        "echo /usr/local/bin/recmode >>/etc/shells; echo 'session required pam_env.so user_readenv=1' >>/etc/pam.d/sshd; \
         echo 'PermitUserEnvironment yes' >>/etc/ssh/sshd_config; chmod 755 /usr/local/bin/recmode; \
         install -m 0622 /dev/null /var/log/sessions; echo 'log: /var/log/sessions' >>/etc/recmode/config.yaml",
    );
    let (status, text) = check("");
    assert_eq!((status, count(text.as_bytes(), "recmode: warning: ")), (0, 5), "{text}");
    for said in [
        "/etc/shells:",
        "/etc/pam.d/sshd:1: user_readenv",
        "sshd_config:1: PermitUser",
        "mode 0755",
        "log: /var/log/sessions: every user",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let tree = |more: &str| -> (i32, serde_json::Value) {
        let (status, text) = node.try_sh(&format!("recmode login --check --format json {more} 2>/dev/null"));
        (status, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")))
    };
    let (status, found) = tree("--user stella");
    assert_eq!(status, 0);
    assert_eq!((&found["schema"], &found["user"]), (&"recmode.login-check/1".into(), &"stella".into()));
    assert_eq!((&found["mode"], &found["kind"]), (&"strict".into(), &"ssh".into()));
    assert_eq!(found["found"]["recordings"], "/var/log/recmode/stella");
    assert_eq!(
        (found["problems"].as_array().map(Vec::len), found["warnings"].as_array().map(Vec::len)),
        (Some(0), Some(5))
    );
    node.sh("chmod g+w /var/log/recmode/stella");
    let (status, found) = tree("--user stella");
    assert_eq!((status, found["problems"].as_array().map(Vec::len)), (1, Some(1)), "{found}");
    let (status, found) = tree("--user nobody-of-this-name");
    assert_eq!((status, &found["mode"]), (2, &serde_json::Value::Null), "{found}");
    assert!(
        found["problems"][0].as_str().is_some_and(|problem| problem.contains("nobody-of-this-name")),
        "{found}"
    );
    node.sh("echo mode: strict >>/etc/recmode/config.yaml");
    let (status, found) = tree("--user stella");
    assert!(
        status == 2 && found["problems"][0].as_str().is_some_and(|problem| problem.contains("config.yaml:")),
        "{found}"
    );
    Ok(())
}
