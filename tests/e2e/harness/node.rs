//! A machine to log in to: a real sshd on the loopback address, with users, passwd, sshd and recmode
//! configurations, and a disk for recordings of its own.
//!
//! All of it lives in namespaces of mounts and processes, under an overlay of /etc, and is gone with them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::Duration;

use super::{Cast, Lab, Outer, Run, Skip, needs_root, needs_tools, recmode};

/// What the recordings are on.
#[derive(Clone, Copy)]
pub(crate) enum Recordings {
    /// A tmpfs of so many KiB.
    Small(u32),
    /// An ext4 that can be frozen.
    Freezable,
}

/// The machine. Its users: `stella`, strict, and `bess`, best effort, whose login shell is recmode;
/// `uma`, unknown to the roles; `forced`, strict, with a plain shell and sshd's ForceCommand; `both`,
/// strict, with both.
pub(crate) struct Node {
    keeper: Child,
    /// The first process of the namespaces.
    init: String,
    port: u16,
    key: PathBuf,
}

const CONFIG: &str = "roles: [/etc/recmode/roles]\nshell: /bin/bash\nstall_timeout: 3s\n";

const ROLES: &str = r"
kind: role
version: v7
metadata: {name: prod}
spec: {options: {record_session: {default: strict}}}
---
kind: role
version: v7
metadata: {name: rescue}
spec: {options: {record_session: {ssh: best_effort}}}
---
kind: user
version: v2
metadata: {name: stella}
spec: {roles: [prod]}
---
kind: user
version: v2
metadata: {name: forced}
spec: {roles: [prod]}
---
kind: user
version: v2
metadata: {name: both}
spec: {roles: [prod]}
---
kind: user
version: v2
metadata: {name: bess}
spec: {roles: [rescue, prod]}
";

/// Runs as the first process of the namespaces: sets all up, says so, and cleans up at the end of its input.
const KEEP: &str = r#"
set -e
scratch=$1 port=$2 disk=$3 recmode=$4
mkdir -p "$scratch"
mount -t tmpfs -o mode=755 node "$scratch"
mkdir "$scratch/upper" "$scratch/work" "$scratch/disk"
mount -t overlay -o "lowerdir=/etc,upperdir=$scratch/upper,workdir=$scratch/work" node /etc
for place in /home /usr/local/bin /run /var/log; do mount -t tmpfs -o mode=755 node "$place"; done
install -m 711 "$recmode" /usr/local/bin/recmode
for user in stella bess uma both; do useradd --create-home --shell /usr/local/bin/recmode "$user"; done
useradd --create-home --shell /bin/bash forced
for user in stella bess uma forced both; do usermod --password '*' "$user"; done
mkdir -p /etc/recmode/roles /run/sshd /var/log/recmode
chmod 755 /etc/recmode /etc/recmode/roles
printf %s "$CONFIG" >/etc/recmode/config.yaml
printf %s "$ROLES" >/etc/recmode/roles/all.yaml
case $disk in
    freezable)
        truncate --size 64M "$scratch/disk.img"
        mkfs.ext4 -q -F "$scratch/disk.img"
        mount -o loop,noatime "$scratch/disk.img" /var/log/recmode ;;
    *) mount -t tmpfs -o "mode=755,size=${disk}k" recordings /var/log/recmode ;;
esac
for user in stella bess uma forced both; do
    install -d -o "$user" -g "$user" -m 700 "/var/log/recmode/$user"
done
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/node_host_key
install -m 644 "$KEY.pub" /etc/ssh/node_users
cat >/etc/ssh/node_config <<end
Port $port
ListenAddress 127.0.0.1
HostKey /etc/ssh/node_host_key
AuthorizedKeysFile /etc/ssh/node_users
StrictModes no
UsePAM no
PasswordAuthentication no
PrintMotd no
PrintLastLog no
AcceptEnv *
PidFile none
Subsystem sftp /usr/lib/openssh/sftp-server
Subsystem inner internal-sftp
Match User forced,both
    ForceCommand /usr/local/bin/recmode login
end
/usr/sbin/sshd -D -e -f /etc/ssh/node_config 2>"$scratch/sshd.log" &
sshd=$!
until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    kill -0 $sshd || { cat "$scratch/sshd.log" >&2; exit 1; }
    sleep 0.05
done
echo ready
read -r _ || :
fsfreeze --unfreeze /var/log/recmode 2>/dev/null || :
umount --lazy /var/log/recmode || :
"#;

impl Node {
    /// Starts the machine.
    pub(crate) fn start(lab: &Lab, recordings: Recordings) -> Result<Self, Skip> {
        needs_root()?;
        needs_tools(&["unshare", "nsenter", "useradd", "usermod", "bash", "ssh-keygen", "ssh", "sshd"])?;
        let key = lab.path("key");
        let made =
            Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
        assert!(made.is_ok_and(|status| status.success()), "ssh-keygen");
        let port = free_port();
        let disk = match recordings {
            Recordings::Small(kib) => kib.to_string(),
            Recordings::Freezable => "freezable".to_owned(),
        };
        let mut keeper = Command::new("unshare");
        keeper.args([
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            "--propagation",
            "private",
        ]);
        keeper.args(["bash", "-c", KEEP, "keeper"]).arg(lab.path("node"));
        keeper.args([&port.to_string(), &disk, recmode()]);
        keeper.env("KEY", &key).env("CONFIG", CONFIG).env("ROLES", ROLES);
        keeper.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        let log = fs::File::create(lab.path("node.log")).expect("a log");
        keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut keeper = keeper.spawn().expect("unshare");
        let mut line = String::new();
        let _ = BufReader::new(keeper.stdout.take().expect("a pipe")).read_line(&mut line);
        if line != "ready\n" {
            let _ = keeper.wait();
            let log = fs::read_to_string(lab.path("node.log")).unwrap_or_default();
            return Err(Skip(format!("needs namespaces, an overlay and sshd: {}", log.trim())));
        }
        let children = format!("/proc/{0}/task/{0}/children", keeper.id());
        let init = fs::read_to_string(children).expect("the keeper's child").trim().to_owned();
        Ok(Self { keeper, init, port, key })
    }

    /// The words that run a client's command on the machine.
    pub(crate) fn ssh(&self, user: &str, options: &[&str], command: &[&str]) -> Vec<String> {
        let mut words = vec!["ssh".to_owned(), "-p".to_owned(), self.port.to_string()];
        words.extend(self.client_options());
        words.extend(options.iter().map(|&option| option.to_owned()));
        words.push(format!("{user}@127.0.0.1"));
        words.extend(command.iter().map(|&word| word.to_owned()));
        words
    }

    /// What every client of the machine is called with, but for the port.
    pub(crate) fn client_options(&self) -> Vec<String> {
        let key = self.key.to_str().expect("a plain path");
        let options = ["-F", "none", "-i", key, "-o", "StrictHostKeyChecking=no"];
        let quiet = ["-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes"];
        options.iter().chain(&quiet).map(|&word| word.to_owned()).collect()
    }

    /// A port for another server.
    pub(crate) fn free_port() -> u16 {
        free_port()
    }

    pub(crate) fn port(&self) -> String {
        self.port.to_string()
    }

    /// Logs in without a terminal.
    #[track_caller]
    pub(crate) fn run(&self, lab: &Lab, user: &str, command: &[&str], input: &[u8]) -> Run {
        lab.run(&self.ssh(user, &["-T"], command), input)
    }

    /// Logs in from a terminal.
    pub(crate) fn log_in(&self, lab: &Lab, user: &str, command: &[&str]) -> Outer {
        lab.outer(&self.ssh(user, &["-tt"], command))
    }

    /// The words that run a command on the machine, as root.
    pub(crate) fn enter(&self, command: &[&str]) -> Vec<String> {
        let words = ["nsenter", "--target", &self.init, "--mount", "--pid", "--wd=/"];
        words.iter().chain(command).map(|&word| word.to_owned()).collect()
    }

    /// Runs a script on the machine, as root, and gives what it prints.
    #[track_caller]
    pub(crate) fn sh(&self, script: &str) -> String {
        let (status, text) = self.try_sh(script);
        assert_eq!(status, 0, "{script}: {text}");
        text
    }

    /// The same, for a script that may fail: its status, and what it prints on both streams.
    pub(crate) fn try_sh(&self, script: &str) -> (i32, String) {
        let words = self.enter(&["bash", "-c", &format!("exec 2>&1; {script}")]);
        let done = Command::new(&words[0]).args(&words[1..]).output().expect("nsenter");
        (done.status.code().unwrap_or(-1), String::from_utf8_lossy(&done.stdout).into_owned())
    }

    /// A path of the machine, as the test can open it.
    pub(crate) fn here(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.init))
    }

    /// The files of a user's recordings, oldest first.
    pub(crate) fn files(&self, user: &str) -> Vec<PathBuf> {
        let directory = self.here(&format!("/var/log/recmode/{user}"));
        let mut files: Vec<_> = fs::read_dir(directory)
            .expect("the user's directory")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "cast"))
            .collect();
        files.sort_by_key(|path| path.metadata().and_then(|metadata| metadata.modified()).ok());
        files
    }

    /// The user's latest recording.
    #[track_caller]
    pub(crate) fn latest(&self, user: &str) -> Cast {
        Cast::read(self.files(user).last().unwrap_or_else(|| panic!("no recording of {user}")))
    }

    pub(crate) fn freeze(&self) {
        self.sh("fsfreeze --freeze /var/log/recmode");
    }

    pub(crate) fn thaw(&self) {
        self.sh("fsfreeze --unfreeze /var/log/recmode");
    }
}

/// A port that nobody has, no other test will get, and no connection is given as its own.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = 20_000 + u16::try_from(std::process::id() % 8_000).expect("a small number");
    let mut ports = std::iter::repeat_with(|| begin + NEXT.fetch_add(1, Ordering::Relaxed));
    ports.find(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok()).expect("a port")
}

impl Drop for Node {
    fn drop(&mut self) {
        // The first process thaws and unmounts; with it go all others.
        drop(self.keeper.stdin.take());
        for _ in 0..1000 {
            if self.keeper.try_wait().is_ok_and(|status| status.is_some()) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}
