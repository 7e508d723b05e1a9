//! Disks that fill and freeze, unmounted whatever happens to the test.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::{Lab, Skip, is_root, needs_root, needs_tools};

/// A file system of the test's own.
///
/// A keeper process mounts it and waits for the end of its input; then, so even when the test
/// runner was killed, it thaws and unmounts.
pub(crate) struct Disk {
    keeper: Child,
    /// Where recmode sees it.
    path: PathBuf,
    /// Where the test sees it.
    here: PathBuf,
    /// What recmode must be run through to see it.
    wrapper: Vec<String>,
}

const KEEP: &str = r#"
mount "$@" || exit 1
for mounted; do :; done
echo mounted
read -r _
fsfreeze --unfreeze "$mounted" 2>/dev/null
umount "$mounted" 2>/dev/null || umount --lazy "$mounted"
"#;

impl Disk {
    /// A tmpfs; without root it is mounted in a user namespace.
    pub(crate) fn tmpfs(lab: &Lab, options: &str) -> Result<Self, Skip> {
        needs_tools(&["mount", "umount", "unshare", "nsenter"])?;
        let path = lab.path("disk");
        fs::create_dir(&path).expect("mkdir");
        Self::keep(path, &["-t", "tmpfs", "-o", options, "tmpfs"])
    }

    /// An ext4 on a loop device, which can be frozen.
    pub(crate) fn ext4(lab: &Lab) -> Result<Self, Skip> {
        needs_tools(&["fsfreeze"])?;
        Self::image(lab, "ext4", 64, &["-q", "-F"])
    }

    /// A btrfs on a loop device, which can have a quota.
    pub(crate) fn btrfs(lab: &Lab) -> Result<Self, Skip> {
        needs_tools(&["btrfs"])?;
        let disk = Self::image(lab, "btrfs", 128, &["-q", "-f"])?;
        disk.btrfs_quota(&["quota", "enable"]);
        Ok(disk)
    }

    fn image(lab: &Lab, kind: &str, mib: u64, making: &[&str]) -> Result<Self, Skip> {
        let maker = format!("mkfs.{kind}");
        needs_root()?;
        needs_tools(&[&maker, "losetup", "mount"])?;
        let (path, image) = (lab.path("disk"), lab.path("disk.img"));
        fs::create_dir(&path).expect("mkdir");
        File::create(&image).and_then(|file| file.set_len(mib << 20)).expect("an image");
        let made = Command::new(&maker).args(making).arg(&image).stdout(Stdio::null()).status();
        if !made.is_ok_and(|status| status.success()) {
            return Err(Skip(format!("needs a working {maker}")));
        }
        let image = image.to_str().expect("a plain path");
        Self::keep(path, &["-t", kind, "-o", "loop,noatime", image])
    }

    /// Limits what all files of a btrfs may take: bytes, or `none`.
    pub(crate) fn limit_all(&self, bytes: &str) {
        self.btrfs_quota(&["qgroup", "limit", bytes]);
    }

    fn btrfs_quota(&self, words: &[&str]) {
        let done = Command::new("btrfs").args(words).arg(&self.path).stdout(Stdio::null()).status();
        assert!(done.is_ok_and(|status| status.success()), "btrfs {words:?}");
    }

    fn keep(path: PathBuf, mount: &[&str]) -> Result<Self, Skip> {
        let mut keeper = if is_root() {
            Command::new("sh")
        } else {
            let mut command = Command::new("unshare");
            command.args(["--user", "--map-root-user", "--mount", "sh"]);
            command
        };
        keeper.args(["-c", KEEP, "keeper"]).args(mount).arg(&path);
        keeper.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        let mut keeper =
            keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("sh");
        let mut line = String::new();
        let _ = BufReader::new(keeper.stdout.take().expect("a pipe")).read_line(&mut line);
        if line != "mounted\n" {
            let _ = keeper.wait();
            return Err(Skip(format!("needs the right to mount ({})", mount[1])));
        }
        let pid = keeper.id();
        let (here, wrapper) = if is_root() {
            (path.clone(), Vec::new())
        } else {
            let here = PathBuf::from(format!("/proc/{pid}/root{}", path.display()));
            let enter = format!("nsenter --preserve-credentials --user --mount --target {pid} --wd=.");
            (here, enter.split(' ').map(str::to_owned).collect())
        };
        Ok(Self { keeper, path, here, wrapper })
    }

    /// A file on the disk, as recmode names it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The same file, as the test can open it.
    pub(crate) fn here(&self, name: &str) -> PathBuf {
        self.here.join(name)
    }

    pub(crate) fn wrapper(&self) -> &[String] {
        &self.wrapper
    }

    /// Fills the disk, all but so much.
    pub(crate) fn fill_leaving(&self, kib: u64) {
        let mut filler =
            OpenOptions::new().create(true).append(true).open(self.here("filler")).expect("a filler");
        while filler.write_all(&[b'f'; 4096]).is_ok() {}
        let len = filler.metadata().expect("stat").len() / 4096 * 4096;
        filler.set_len(len.checked_sub(kib << 10).expect("a disk large enough")).expect("truncate");
    }

    /// Makes room again.
    pub(crate) fn free(&self) {
        fs::remove_file(self.here("filler")).expect("unlink");
    }

    /// Mounts it again with these options.
    pub(crate) fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let done = Command::new("mount").args(["-o", &options]).arg(&self.path).status();
        assert!(done.is_ok_and(|status| status.success()), "mount -o {options}");
    }

    /// Takes it out of the tree of directories while files of it are open.
    pub(crate) fn detach(&self) {
        let done = Command::new("umount").arg("--lazy").arg(&self.path).status();
        assert!(done.is_ok_and(|status| status.success()), "umount --lazy");
    }

    /// Writes to the disk block from here on, for ever.
    pub(crate) fn freeze(&self) {
        let done = Command::new("fsfreeze").arg("--freeze").arg(&self.path).status();
        assert!(done.is_ok_and(|status| status.success()), "fsfreeze");
    }

    pub(crate) fn thaw(&self) {
        let done = Command::new("fsfreeze").arg("--unfreeze").arg(&self.path).status();
        assert!(done.is_ok_and(|status| status.success()), "fsfreeze --unfreeze");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        for _ in 0..500 {
            if self.keeper.try_wait().is_ok_and(|status| status.is_some()) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}
