//! Where a fault happens: a laboratory with a disk, and how recmode is run there.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::faulty::limited;
use crate::harness::{Disk, FaultyDisk, Lab, Outer, Pid, Skip, needs_root, needs_tools};

/// A place to record to. The disks come first: they are unmounted before their directory goes.
pub(super) struct Stage {
    pub(super) disk: Option<Disk>,
    pub(super) faulty: Option<FaultyDisk>,
    pub(super) lab: Lab,
    /// The recording, as recmode names it and as the test can read it.
    pub(super) file: PathBuf,
    here: PathBuf,
    /// Options of `record`.
    pub(super) options: Vec<&'static str>,
}

impl Stage {
    /// A directory of the laboratory.
    pub(super) fn plain() -> Result<Self, Skip> {
        Ok(Self::in_lab(Lab::new()))
    }

    fn in_lab(lab: Lab) -> Self {
        let file = lab.path("recordings/rec.cast");
        Self { disk: None, faulty: None, here: file.clone(), file, lab, options: Vec::new() }
    }

    fn on(lab: Lab, disk: Disk) -> Self {
        let (file, here) = (disk.path("rec.cast"), disk.here("rec.cast"));
        let lab = lab.wrap(disk.wrapper());
        Self { disk: Some(disk), file, here, ..Self::in_lab(lab) }
    }

    /// A tmpfs of 4 MiB.
    pub(super) fn tmpfs() -> Result<Self, Skip> {
        let lab = Lab::new();
        let disk = Disk::tmpfs(&lab, "size=4096k,mode=755")?;
        Ok(Self::on(lab, disk))
    }

    /// An ext4 on a loop device.
    pub(super) fn ext4() -> Result<Self, Skip> {
        let lab = Lab::new();
        let disk = Disk::ext4(&lab)?;
        Ok(Self::on(lab, disk))
    }

    /// A btrfs with quotas.
    pub(super) fn btrfs() -> Result<Self, Skip> {
        let lab = Lab::new();
        let disk = Disk::btrfs(&lab)?;
        Ok(Self::on(lab, disk))
    }

    /// The tests' own file system.
    pub(super) fn faulty() -> Result<Self, Skip> {
        let lab = Lab::new();
        let faulty = FaultyDisk::new(&lab)?;
        let file = faulty.path("rec.cast");
        Ok(Self { faulty: Some(faulty), here: file.clone(), file, ..Self::in_lab(lab) })
    }

    /// A directory, and no file of more than so many bytes.
    pub(super) fn file_size(bytes: u64) -> Result<Self, Skip> {
        needs_tools(&["prlimit"])?;
        Ok(Self::in_lab(limited(Lab::new(), bytes)))
    }

    /// A directory, with recmode run through this.
    pub(super) fn through(wrapper: &[&str]) -> Result<Self, Skip> {
        needs_tools(&wrapper[..1])?;
        let wrapper: Vec<_> = wrapper.iter().map(|word| (*word).to_owned()).collect();
        Ok(Self::in_lab(Lab::new().wrap(&wrapper)))
    }

    pub(super) fn options(mut self, options: &[&'static str]) -> Self {
        self.options.extend_from_slice(options);
        self
    }

    pub(super) fn env(mut self, name: &str, value: &str) -> Self {
        self.lab = self.lab.env(name, value);
        self
    }

    pub(super) fn disk(&self) -> &Disk {
        self.disk.as_ref().expect("a stage with a disk")
    }

    pub(super) fn faulty_disk(&self) -> &FaultyDisk {
        self.faulty.as_ref().expect("a stage with the tests' own file system")
    }

    /// Starts a session that runs this script.
    pub(super) fn start(&self, mode: &str, script: &str) -> Outer {
        let command = ["--", "sh", "-c", script];
        let args: Vec<_> = ["--mode", mode].iter().chain(&self.options).chain(&command).copied().collect();
        self.lab.outer(&self.lab.record_to(&self.file, &args))
    }

    /// The files that there are of the recording, in order.
    pub(super) fn segments(&self) -> Vec<PathBuf> {
        let second = self.here.with_file_name("rec.2.cast");
        [self.here.clone(), second].into_iter().filter(|file| file.exists()).collect()
    }

    pub(super) fn here(&self) -> &Path {
        &self.here
    }
}

/// Changes a limit of a running process.
pub(super) fn limit(pid: Pid, limit: &str) {
    let done = Command::new("prlimit").args(["--pid", &pid.to_string(), limit]).status();
    assert!(done.is_ok_and(|status| status.success()), "prlimit");
}

/// Skips where limits of other processes can't be changed.
pub(super) fn can_limit() -> Result<(), Skip> {
    needs_root()?;
    needs_tools(&["prlimit"])
}
