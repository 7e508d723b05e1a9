//! The recording's file: created safely, written without ever leaving a torn line behind, and
//! with room for its closing records set aside.

mod create;

use std::fs::{File, Permissions};
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, fallocate};
use nix::sys::resource::{Resource, getrlimit};

use crate::dirfd::{DirEntry, FileRef};
use crate::signature::{EXTENSION, SigningKey, signature_path};
use crate::sys;
use crate::trust::Owners;

use super::chain::{self, Chain};
use super::{Batch, Cause, Fault, Operation, Unit};
use create::{create_new, lock, missing_directories, remove_directories};

/// Bytes that are kept free, beyond what is written, for the records that close a recording.
const CLOSING_ROOM: u64 = 16 * 1024;

/// Space is set aside in steps of at most this, so that it costs a system call now and then only.
const RESERVE_STEP: u64 = 1024 * 1024;

/// How much is written before the disk is asked to begin with it.
const WRITEBACK_STEP: u64 = 4 * 1024 * 1024;

/// A recording being written.
///
/// `end` is where the last whole unit ends; the next write goes there. After a failed write `torn`
/// more bytes may follow, which the next write overwrites: truncating them first would give back
/// blocks that a full disk won't give again.
#[derive(Debug)]
pub struct RecordingFile {
    file: Arc<File>,
    /// Where it is new, to be synced once; not of every directory that may be written to.
    directory: Option<Arc<File>>,
    path: PathBuf,
    /// The directories above it that were made for it, the deepest first.
    made: Vec<PathBuf>,
    end: u64,
    torn: u64,
    reserved: u64,
    can_reserve: bool,
    limit: u64,
    /// Up to where the disk was asked to begin.
    writeback: u64,
    chain: Chain,
}

impl RecordingFile {
    /// Creates the file (mode 0600, never an existing one, never through a link) and the
    /// directories above it (0700). With `owners` every directory above it must be theirs alone. `signed` says that
    /// it will be signed.
    ///
    /// # Errors
    /// The fault, with the errno of mkdir(2) or open(2), or that a directory can't be relied on.
    pub fn create(path: &Path, owners: Option<Owners>, signed: bool) -> Result<Self, Fault> {
        // It would be taken for this one's.
        if signature_path(path).symlink_metadata().is_ok() {
            return Err(Fault { during: Operation::Sign, cause: Cause::Errno(libc::EEXIST) });
        }
        let made = missing_directories(path);
        let file = create_new(path, owners).inspect_err(|_| remove_directories(&made))?;
        let limit = getrlimit(Resource::RLIMIT_FSIZE).map_or(u64::MAX, |(soft, _)| soft);
        let new = Self {
            file: Arc::new(file),
            directory: path.parent().and_then(|parent| File::open(parent).ok()).map(Arc::new),
            path: path.to_owned(),
            made,
            end: 0,
            torn: 0,
            reserved: 0,
            can_reserve: true,
            limit,
            writeback: 0,
            chain: Chain::new(signed),
        };
        if let Err(fault) = lock(&new.file) {
            new.discard();
            return Err(fault);
        }
        // The umask may have taken even the owner's bits.
        if let Err(error) = new.file.set_permissions(Permissions::from_mode(0o600)) {
            new.discard();
            return Err(Fault::io(Operation::Create, &error));
        }
        Ok(new)
    }

    /// Does beforehand what takes a while at the first use.
    pub fn prepare(&mut self) {
        self.chain.prepare();
    }

    /// Where the file was created.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the file again, if it is still the one at its path, and the directories that were made for it.
    pub fn discard(self) {
        if self.is_at_its_path() && std::fs::remove_file(&self.path).is_ok() {
            remove_directories(&self.made);
        }
    }

    /// Writes a batch after the last whole unit. Returns the last unit that the file holds now, if
    /// any of this batch; the batch keeps what the file doesn't hold, so that it can be written later. A check that it
    /// begins with gets its value.
    ///
    /// # Errors
    /// The fault beside it: the file's state, or the errno of what failed.
    pub fn append(&mut self, batch: &mut Batch) -> (Option<Unit>, Result<(), Fault>) {
        let check = self.fill_check(batch.first(), 0);
        let ready = self.check().and_then(|()| self.reserve(batch.bytes.len() as u64));
        let (written, result) = match ready {
            Ok(()) => self.write_at_end(&batch.bytes),
            Err(fault) => (0, Err(fault)),
        };
        let unit = batch.complete(written);
        let kept = unit.map_or(0, |unit| unit.end);
        let overwrote = self.torn > 0 && written > 0;
        self.advance(kept, written);
        let (checked, unchecked) = batch.bytes[..kept].split_at(check.min(kept));
        if !checked.is_empty() {
            self.chain.push(checked);
            self.chain.checked();
        }
        self.chain.push(unchecked);
        batch.cut(kept);
        if self.end - self.writeback >= WRITEBACK_STEP {
            sys::start_writeback(&*self.file, self.writeback, self.end - self.writeback);
            self.writeback = self.end;
        }
        // What follows of a longer torn line is cut; and a torn line over an older one may have a
        // newline inside.
        let result = match result {
            Ok(()) if self.torn > 0 => self.cut(),
            Err(fault) if overwrote => {
                let _ = self.cut();
                Err(fault)
            }
            result => result,
        };
        (unit, result)
    }

    /// How many bytes were accepted, up to the end of the last whole unit, and their hash.
    #[must_use]
    pub fn accepted(&self) -> (u64, blake3::Hash) {
        (self.end, self.chain.value())
    }

    /// How many bytes of the file no check covers.
    #[must_use]
    pub fn unchecked(&self) -> u64 {
        self.chain.unchecked()
    }

    /// Writes the closing records, at most 16 KiB, into the room set aside for
    /// them, over a torn line if there is one. The last of them is a check, in which there is room for the value.
    ///
    /// # Errors
    /// The fault; a recording without closing records is still valid.
    pub fn append_closing(&mut self, closing: &mut [u8]) -> Result<(), Fault> {
        self.check()?;
        let lines = closing.len().saturating_sub(1);
        // Not by `memchr`, which asks the processor what it can do when it is used first: the session's end waits here.
        let last = closing[..lines].iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
        let result = self.write_check(closing, last);
        // Whatever happened, no torn line may stay.
        let cut = self.cut();
        result.and(cut)
    }

    /// Signs all that the file holds: beside it, as `FILE.sig`, on the disk when this returns.
    ///
    /// # Errors
    /// The fault of writing the signature.
    pub fn sign(&self, key: &SigningKey, owners: Option<Owners>) -> Result<(), Fault> {
        let fault = |cause| Fault { during: Operation::Sign, cause };
        let io = |error: io::Error| Fault::io(Operation::Sign, &error);
        let Some(text) = self.chain.signed().and_then(|hash| key.sign(hash)) else {
            return Err(fault(Cause::Errno(libc::EKEYREJECTED)));
        };
        let beside =
            self.entry().and_then(|entry| entry.with_suffix(&format!(".{EXTENSION}"))).map_err(io)?;
        let mut file = match owners {
            Some(_) => {
                create_new(&signature_path(&self.path), owners).map_err(|Fault { cause, .. }| fault(cause))?
            }
            None => beside.create_new(0o600).map_err(io)?,
        };
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
        if written.is_err() {
            // Half a signature is none.
            let _ = beside.unlink();
        }
        written.map_err(io)
    }

    /// The file's name in the directory that it is in: whoever owns that may have put another one at its path.
    fn entry(&self) -> std::io::Result<DirEntry> {
        let entry = FileRef::named(&self.path).entry()?;
        let (stat, own) = (entry.stat()?, self.file.metadata()?);
        if (stat.st_dev, stat.st_ino) == (own.dev(), own.ino()) {
            Ok(entry)
        } else {
            Err(Errno::ENOENT.into())
        }
    }

    /// The file, to be synced beside the writing.
    #[must_use]
    pub fn shared(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// The directory that it was created in, where that can be opened.
    #[must_use]
    pub fn directory(&self) -> Option<Arc<File>> {
        self.directory.clone()
    }

    /// Closes the file; what was set aside and not used is given back.
    ///
    /// # Errors
    /// The fault, with the errno of close(2).
    pub fn close(mut self) -> Result<(), Fault> {
        let fault = |errno: Errno| Fault { during: Operation::Close, cause: Cause::Errno(errno as i32) };
        let cut = self.cut();
        match Arc::try_unwrap(self.file) {
            Ok(file) => cut.and(nix::unistd::close(OwnedFd::from(file)).map_err(fault)),
            // A sync that is under way closes it.
            Err(_) => cut,
        }
    }

    /// Looks whether the file is still at its path.
    ///
    /// # Errors
    /// The fault: vanished, also where another file has its name.
    pub fn check_place(&self) -> Result<(), Fault> {
        if self.is_at_its_path() {
            return Ok(());
        }
        Err(Fault { during: Operation::Watch, cause: Cause::Vanished })
    }

    fn is_at_its_path(&self) -> bool {
        let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
        let found = std::fs::symlink_metadata(&self.path).map(identity);
        found.is_ok_and(|found| self.file.metadata().map(identity).is_ok_and(|own| own == found))
    }

    /// Looks whether the file is still there and as long as we left it.
    ///
    /// # Errors
    /// The fault: vanished, shrunk or grown, or the errno of fstat(2).
    pub fn check(&self) -> Result<(), Fault> {
        let metadata = self.file.metadata().map_err(|error| Fault::io(Operation::Watch, &error))?;
        let expected = self.end + self.torn;
        let cause = if metadata.nlink() == 0 {
            Cause::Vanished
        } else if metadata.len() < expected {
            Cause::Shrunk
        } else if metadata.len() > expected {
            Cause::Grown
        } else {
            return Ok(());
        };
        Err(Fault { during: Operation::Watch, cause })
    }

    /// Writes lines of which the one at `at` is a check: all of them count, or none.
    fn write_check(&mut self, lines: &mut [u8], at: usize) -> Result<(), Fault> {
        self.fill_check(lines, at);
        let (written, result) = self.write_at_end(lines);
        self.advance(if result.is_ok() { written } else { 0 }, written);
        if result.is_ok() {
            self.chain.push(lines);
            self.chain.checked();
        }
        result
    }

    /// Puts the value into the check that begins at `at`, if one does, all before it being written with it. How long it is.
    fn fill_check(&self, lines: &mut [u8], at: usize) -> usize {
        let Some(value) = chain::value_in(&lines[at..]) else { return 0 };
        self.chain.fill(lines, at + value.start);
        lines.len() - at
    }

    fn advance(&mut self, kept: usize, written: usize) {
        let size = (self.end + self.torn).max(self.end + written as u64);
        self.end += kept as u64;
        self.torn = size - self.end;
    }

    /// Truncates to the last whole unit, which also frees space set aside beyond it.
    fn cut(&mut self) -> Result<(), Fault> {
        self.file.set_len(self.end).map_err(|error| Fault::io(Operation::Write, &error))?;
        self.torn = 0;
        self.reserved = 0;
        Ok(())
    }

    /// Sets space aside for `len` bytes and the closing records after them.
    fn reserve(&mut self, len: u64) -> Result<(), Fault> {
        let fault = |errno: Errno| Fault { during: Operation::Reserve, cause: Cause::Errno(errno as i32) };
        let need = self.end + len + CLOSING_ROOM;
        if need > self.limit {
            return Err(fault(Errno::EFBIG));
        }
        if !self.can_reserve {
            // A torn line might be longer than what comes, and hold a newline.
            return if self.torn > 0 { self.cut() } else { Ok(()) };
        }
        if need <= self.reserved {
            return Ok(());
        }
        let step = (self.end / 4).clamp(CLOSING_ROOM, RESERVE_STEP);
        let mut result = Ok(());
        for until in [(need + step).min(self.limit), need] {
            result = self.fallocate(until);
            match result {
                Ok(()) => {
                    self.reserved = until;
                    return Ok(());
                }
                Err(Errno::EOPNOTSUPP | Errno::ENOSYS) => {
                    self.can_reserve = false;
                    return Ok(());
                }
                Err(_) => {}
            }
        }
        result.map_err(fault)
    }

    fn fallocate(&self, until: u64) -> nix::Result<()> {
        let offset = i64::try_from(self.end).map_err(|_| Errno::EFBIG)?;
        let len = i64::try_from(until - self.end).map_err(|_| Errno::EFBIG)?;
        loop {
            match fallocate(&*self.file, FallocateFlags::FALLOC_FL_KEEP_SIZE, offset, len) {
                Err(Errno::EINTR) => {}
                result => return result,
            }
        }
    }

    /// How much was written, and whether that is all.
    fn write_at_end(&self, bytes: &[u8]) -> (usize, Result<(), Fault>) {
        let mut written = 0;
        while written < bytes.len() {
            // A short write is legal: only its remainder failing is a failure.
            match self.file.write_at(&bytes[written..], self.end + written as u64) {
                Ok(0) => {
                    return (
                        written,
                        Err(Fault { during: Operation::Write, cause: Cause::Errno(libc::EIO) }),
                    );
                }
                Ok(n) => written += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return (written, Err(Fault::io(Operation::Write, &error))),
            }
        }
        (written, Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::create::LOCK_PAUSE;
    use super::*;
    use crate::recording::{Encoder, Format, Record};

    fn batch(lines: &[&str]) -> Batch {
        let mut batch = Batch::default();
        for line in lines {
            batch.bytes.extend_from_slice(line.as_bytes());
            batch.end_unit(0, 0, 0);
        }
        batch
    }

    #[test]
    fn a_file_is_private_new_and_cut_to_what_was_written() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a/b/session.cast");
        RecordingFile::create(&path, None, false).expect("created").discard();
        assert!(!dir.path().join("a").exists(), "nor its directories are left");
        let mut file = RecordingFile::create(&path, None, false).expect("created");
        file.append(&mut batch(&["one\n", "two\n"])).1.expect("written");
        file.append_closing(&mut b"end\n".to_owned()).expect("closed");
        file.close().expect("closed");
        let metadata = std::fs::metadata(&path).expect("there");
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        assert_eq!(
            std::fs::metadata(dir.path().join("a")).expect("there").permissions().mode() & 0o777,
            0o700
        );
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "one\ntwo\nend\n");
        assert!(RecordingFile::create(&path, None, false).is_err_and(Fault::is_existing_file));
    }

    #[test]
    fn a_check_has_the_value_of_the_file_that_it_is_written_to() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut lines = Vec::new();
        Encoder::new(Format::AsciicastV3, 0).record(&Record::EMPTY_CHECK, &mut lines);
        let check = String::from_utf8(lines).expect("text");
        let mut later = batch(&[&check, "later\n"]);
        for (name, header) in [("a", "one\n"), ("b", "another\n")] {
            let path = dir.path().join(name);
            let mut file = RecordingFile::create(&path, None, false).expect("created");
            file.append(&mut batch(&[header])).1.expect("written");
            if name == "a" {
                std::fs::remove_file(&path).expect("removed");
                file.append(&mut later).1.expect_err("seen");
                assert_eq!(file.unchecked(), header.len() as u64, "the batch keeps what was not written");
                continue;
            }
            file.append(&mut later).1.expect("written");
            assert_eq!(file.unchecked(), "later\n".len() as u64, "a check covers itself");
            let text = std::fs::read(&path).expect("read");
            let value = chain::value_in(&text[header.len()..header.len() + check.len()]).expect("a check");
            let (before, rest) = text.split_at(header.len() + value.start);
            assert_eq!(rest[..chain::VALUE], *blake3::hash(before).to_hex().as_bytes());
        }
    }

    #[test]
    fn a_lock_that_others_hold_for_a_moment_is_waited_for_and_one_that_they_keep_is_a_fault() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.cast");
        let file = File::create(&path).expect("created");
        let open = || File::open(&path).expect("opened");
        let other = open();
        other.lock_shared().expect("locked");
        let fault = Fault { during: Operation::Lock, cause: Cause::Errno(libc::EWOULDBLOCK) };
        assert_eq!(lock(&file), Err(fault));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(10 * LOCK_PAUSE);
                drop(other);
            });
            assert_eq!(lock(&file), Ok(()));
        });
        assert!(open().try_lock_shared().is_err(), "it is locked");
    }

    #[test]
    fn a_signature_goes_beside_the_file_and_not_where_its_path_leads_by_then() {
        let key = ssh_key::PrivateKey::from(ssh_key::private::Ed25519Keypair::from_seed(&[7; 32]));
        let dir = tempfile::tempdir().expect("a directory");
        let key_path = dir.path().join("key");
        key.write_openssh_file(&key_path, ssh_key::LineEnding::LF).expect("a key");
        let key = SigningKey::read(&key_path).expect("a key");
        let (below, outside) = (dir.path().join("below"), dir.path().join("outside"));
        std::fs::create_dir(&outside).expect("mkdir");
        std::fs::write(outside.join("a.cast"), "another").expect("written");
        let mut file = RecordingFile::create(&below.join("a.cast"), None, true).expect("created");
        file.append(&mut batch(&["one\n"])).1.expect("written");
        let was = dir.path().join("was");
        std::fs::rename(&below, &was).expect("renamed");
        std::os::unix::fs::symlink(&outside, &below).expect("a link");
        let fault = file.sign(&key, None).expect_err("it is elsewhere");
        assert_eq!(fault, Fault { during: Operation::Sign, cause: Cause::Errno(libc::ENOENT) });
        assert!(!outside.join("a.cast.sig").exists());
        std::fs::remove_file(&below).expect("removed");
        std::fs::rename(&was, &below).expect("renamed");
        file.sign(&key, None).expect("signed");
        assert!(below.join("a.cast.sig").exists());
    }

    #[test]
    fn a_file_is_not_created_beside_what_would_be_its_signature() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.cast");
        std::fs::write(signature_path(&path), "old").expect("written");
        assert!(RecordingFile::create(&path, None, false).is_err_and(Fault::is_existing_file));
        assert!(!path.exists());
    }

    #[test]
    fn a_file_that_changes_under_us_is_a_fault() {
        let dir = tempfile::tempdir().expect("a directory");
        for (change, cause) in [
            (
                Box::new(|path: &Path| std::fs::write(path, "").expect("truncated")) as Box<dyn Fn(&Path)>,
                Cause::Shrunk,
            ),
            (
                Box::new(|path: &Path| std::fs::write(path, "longer than it was\n").expect("grown")),
                Cause::Grown,
            ),
            (Box::new(|path: &Path| std::fs::remove_file(path).expect("removed")), Cause::Vanished),
        ] {
            let path = dir.path().join(format!("{cause:?}"));
            let mut file = RecordingFile::create(&path, None, false).expect("created");
            file.append(&mut batch(&["one\n"])).1.expect("written");
            change(&path);
            let fault = file.append(&mut batch(&["two\n"])).1.expect_err("seen");
            assert_eq!(fault, Fault { during: Operation::Watch, cause });
        }
    }
}
