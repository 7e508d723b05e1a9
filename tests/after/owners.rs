//! `recmode prune` as root over recordings of several users, on a disk of its own: what one of them does costs no other
//! anything.

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{MetadataExt as _, chown, lchown, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use nix::sys::statvfs::statvfs;
use tempfile::TempDir;

use crate::{arg, end, has, is_root, recording, run};

const ALICE: u32 = 61_001;
const BOB: u32 = 61_002;
const DAY: u64 = 86_400;

/// A tmpfs of 8 MiB.
struct Disk(TempDir);

impl Disk {
    fn mounted() -> Option<Self> {
        if !is_root() || !has("mount") {
            return None;
        }
        let dir = tempfile::tempdir().expect("a directory");
        let mount = ["-t", "tmpfs", "-o", "size=8m,mode=1777", "tmpfs", arg(dir.path())];
        let mounted =
            Command::new("mount").args(mount).stderr(Stdio::inherit()).status().expect("mount runs");
        assert!(mounted.success(), "a tmpfs");
        Some(Self(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// A file of a user's, last written to this many days ago.
    fn write(&self, name: &str, owner: u32, days: u64, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("mkdir");
        fs::write(&path, text).expect("written");
        self.date(name, SystemTime::now() - Duration::from_secs(days * DAY));
        chown(&path, Some(owner), None).expect("chown");
    }

    fn date(&self, name: &str, when: SystemTime) {
        let file = File::options().write(true).open(self.path().join(name)).expect("the file");
        file.set_times(FileTimes::new().set_modified(when)).expect("utimes");
    }

    /// A recording of about this many KiB.
    fn record(&self, name: &str, owner: u32, days: u64, kib: usize) {
        let line = format!("[0.0,\"o\",\"{}\"]\n", "x".repeat(1000));
        let text = recording("alice", "strict", 1, &(line.repeat(kib) + &end(0, 1.0, 0)));
        self.write(name, owner, days, &text);
    }

    /// Bytes that are free.
    fn free(&self) -> u64 {
        let stat = statvfs(self.path()).expect("statvfs");
        stat.blocks_available() * stat.fragment_size()
    }

    /// A file that leaves this many bytes free, and isn't a recording.
    fn fill(&self, name: &str, owner: u32, leave: u64) {
        let bytes = usize::try_from(self.free() - leave).expect("a small disk");
        self.write(name, owner, 0, &"x".repeat(bytes));
    }

    fn has(&self, name: &str) -> bool {
        self.path().join(name).exists()
    }

    fn bytes(&self, name: &str) -> u64 {
        512 * fs::metadata(self.path().join(name)).expect("a file").blocks()
    }

    fn prune(&self, args: &[&str]) -> (String, String, Option<i32>) {
        run(&[&["prune", "--yes"], args, &[arg(self.path())]].concat())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["--lazy", arg(self.path())]).status();
    }
}

#[test]
fn junk_of_one_user_costs_another_no_recording() {
    let Some(disk) = Disk::mounted() else { return };
    disk.record("bob/old.cast", BOB, 300, 4);
    disk.record("alice/small.cast", ALICE, 1, 1);
    disk.record("bob/large.cast", BOB, 300, 30);
    disk.fill("alice/junk", ALICE, 65_536);
    let (out, err, status) = disk.prune(&["--keep-free", "5%"]);
    assert_eq!((out.as_str(), status), ("", Some(1)));
    assert!(err.contains("--keep-free can't be met"), "{err}");
    assert!(err.contains(&format!("user id {ALICE}, who holds most")), "{err}");
    // Bob's would be enough for this, and still he holds less.
    assert!(disk.bytes("bob/large.cast") > 20_000);
    let (_, err, status) = disk.prune(&["--keep-free", &(disk.free() + 20_000).to_string()]);
    assert_eq!(status, Some(1), "{err}");
    assert!(disk.has("bob/old.cast") && disk.has("bob/large.cast") && disk.has("alice/small.cast"));
    // What is too old goes by another run.
    assert_eq!(disk.prune(&["--older-than", "90d"]).2, Some(0));
    assert!(!disk.has("bob/old.cast") && disk.has("alice/small.cast"));
}

#[test]
fn who_holds_most_loses_the_oldest_first() {
    let Some(disk) = Disk::mounted() else { return };
    disk.record("bob/a.cast", BOB, 300, 10);
    for n in 0..6 {
        disk.record(&format!("alice/{n}.cast"), ALICE, 10 - n, 100);
    }
    let total: u64 =
        (0..6).map(|n| disk.bytes(&format!("alice/{n}.cast"))).sum::<u64>() + disk.bytes("bob/a.cast");
    let (out, err, status) = disk.prune(&["--max-total", &(total - 150_000).to_string()]);
    assert_eq!((err.as_str(), status), ("", Some(0)));
    assert!(out.contains(&format!("  {ALICE}  ")) && !out.contains(&BOB.to_string()), "{out}");
    assert!(disk.has("bob/a.cast") && !disk.has("alice/0.cast") && !disk.has("alice/1.cast"));
    assert!((2..6).all(|n| disk.has(&format!("alice/{n}.cast"))));
}

#[test]
fn a_sparse_file_of_the_future_takes_no_room() {
    let Some(disk) = Disk::mounted() else { return };
    disk.record("bob/a.cast", BOB, 300, 10);
    disk.record("alice/huge.cast", ALICE, 0, 1);
    let file = File::options().write(true).open(disk.path().join("alice/huge.cast")).expect("the file");
    file.set_len(4 << 40).expect("a sparse file");
    drop(file);
    disk.date("alice/huge.cast", SystemTime::UNIX_EPOCH + Duration::from_secs(4_070_908_800));
    let (_, err, status) = disk.prune(&["--max-total", "1M"]);
    assert_eq!((err.as_str(), status), ("", Some(0)));
    assert!(disk.has("bob/a.cast") && disk.has("alice/huge.cast"));
}

#[test]
fn what_is_live_or_new_is_held_by_its_owner_alone() {
    let Some(disk) = Disk::mounted() else { return };
    disk.record("bob/a.cast", BOB, 300, 200);
    disk.record("alice/new.cast", ALICE, 1, 400);
    let both = disk.bytes("bob/a.cast") + disk.bytes("alice/new.cast");
    let total = (both - 1).to_string();
    let (_, err, status) = disk.prune(&["--min-age", "7d", "--max-total", &total]);
    assert_eq!(status, Some(1), "{err}");
    let recorder = File::open(disk.path().join("alice/new.cast")).expect("a file");
    recorder.try_lock().expect("locked");
    let live = fs::read_to_string(disk.path().join("alice/new.cast")).expect("read");
    let without_end = live.split_once("[0.0,\"x\"").expect("an end").0;
    fs::write(disk.path().join("alice/new.cast"), without_end).expect("written");
    let (_, err, status) = disk.prune(&["--max-total", &(disk.bytes("bob/a.cast") + 1).to_string()]);
    assert_eq!(status, Some(1), "{err}");
    assert!(disk.has("bob/a.cast") && disk.has("alice/new.cast"));
}

#[test]
fn a_file_with_names_elsewhere_is_not_counted_on() {
    let Some(disk) = Disk::mounted() else { return };
    disk.record("recordings/bob.cast", BOB, 300, 100);
    disk.record("recordings/alice.cast", ALICE, 1, 200);
    for n in 0..20 {
        let name = disk.path().join(format!("recordings/alice{n}.cast"));
        fs::hard_link(disk.path().join("recordings/alice.cast"), name).expect("a link");
    }
    // They count once.
    let dir = disk.path().join("recordings");
    let prune = |args: &[&str]| run(&[&["prune", "--yes"], args, &[arg(&dir)]].concat());
    let once = (disk.bytes("recordings/bob.cast") + disk.bytes("recordings/alice.cast")).to_string();
    let (out, _, status) = prune(&["--max-total", &once]);
    assert_eq!((out.as_str(), status), ("0 files, 0 B, removed; 22 kept\n", Some(0)));
    // With a name elsewhere nothing is gained.
    fs::hard_link(dir.join("alice.cast"), disk.path().join("elsewhere.cast")).expect("a link");
    let (_, err, status) = prune(&["--keep-free", &(disk.free() + 1).to_string()]);
    assert_eq!(status, Some(1), "{err}");
    assert_eq!(fs::read_dir(&dir).expect("read").count(), 22);
}

#[test]
fn what_a_header_claims_holds_and_takes_nothing_of_anothers() {
    let Some(disk) = Disk::mounted() else { return };
    // One directory for all.
    disk.record("bob.cast", BOB, 100, 1);
    let claim = recording("bob", "strict", 1, &end(0, 1.0, 0))
        .replace("\"version\":\"0.1.0\"", "\"version\":\"0.1.0\",\"segment\":2,\"first\":\"bob.cast\"");
    disk.write("claim.cast", ALICE, 1, &claim);
    disk.write("bob.cast.sig", ALICE, 1, "no signature of bob's");
    assert_eq!(disk.prune(&["--older-than", "90d"]).2, Some(0));
    assert!(!disk.has("bob.cast") && disk.has("claim.cast") && disk.has("bob.cast.sig"));
    disk.record("bob.cast", BOB, 1, 1);
    disk.write("claim.cast", ALICE, 100, &claim);
    assert_eq!(disk.prune(&["--older-than", "90d"]).2, Some(0));
    assert!(disk.has("bob.cast") && !disk.has("claim.cast"));
}

#[test]
fn special_files_and_links_are_passed_over() {
    let Some(disk) = Disk::mounted() else { return };
    disk.record("bob.cast", BOB, 100, 1);
    nix::unistd::mkfifo(&disk.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let _socket = std::os::unix::net::UnixListener::bind(disk.path().join("socket")).expect("a socket");
    symlink("bob.cast", disk.path().join("link.cast")).expect("a link");
    lchown(disk.path().join("link.cast"), Some(ALICE), None).expect("chown");
    let (out, err, status) = disk.prune(&["--older-than", "90d"]);
    assert_eq!((err.as_str(), status), ("", Some(0)), "{out}");
    assert!(!disk.has("bob.cast") && disk.has("pipe") && disk.has("socket"));
}

#[test]
fn the_shipped_service_lets_no_user_cost_another_anything() {
    let Some(disk) = Disk::mounted() else { return };
    let unit = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("dist/recmode-prune.service"));
    let unit = unit.expect("a unit");
    let commands: Vec<Vec<&str>> = unit
        .lines()
        .filter_map(|line| {
            line.strip_prefix("ExecStart=")?.trim_start_matches('-').strip_prefix("/usr/bin/recmode ")
        })
        .map(|words| {
            words.split(' ').map(|word| if word == "/var/log/recmode" { arg(disk.path()) } else { word })
        })
        .map(Iterator::collect)
        .collect();
    assert_eq!(commands.len(), 2);
    disk.record("bob/ancient.cast", BOB, 100, 1);
    disk.record("bob/a.cast", BOB, 30, 1);
    disk.record("alice/a.cast", ALICE, 30, 1);
    disk.record("alice/new.cast", ALICE, 1, 100);
    disk.fill("alice/junk", ALICE, 8_192);
    let statuses: Vec<_> = commands.iter().map(|command| run(command).2).collect();
    assert_eq!(statuses, [Some(0), Some(1)]);
    assert!(!disk.has("bob/ancient.cast") && disk.has("bob/a.cast"), "age alone");
    assert!(disk.has("alice/a.cast") && disk.has("alice/new.cast"), "nothing where it is not enough");
    // Where it is enough, the old ones of the user who holds most go.
    fs::remove_file(disk.path().join("alice/junk")).expect("removed");
    disk.record("alice/large.cast", ALICE, 20, 400);
    disk.fill("alice/junk", ALICE, 100_000);
    let statuses: Vec<_> = commands.iter().map(|command| run(command).2).collect();
    assert_eq!(statuses, [Some(0), Some(0)]);
    assert!(disk.has("bob/a.cast") && disk.has("alice/new.cast") && !disk.has("alice/large.cast"));
}
