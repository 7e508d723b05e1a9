//! Reading a file that may have a large hole: a sparse file of terabytes takes no room, but reading its zeros takes hours.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::unistd::{Whence, lseek};

/// The largest hole that is read as the zeros that it stands for, bytes.
pub const MAX_HOLE: i64 = 16 << 20;

/// Zeros at least this long are looked at more closely, bytes: less is in no hole that matters.
const WORTH_A_LOOK: usize = 512;

/// Reads up to a large hole. One up to the end of the file is where it was cut off ([`io::ErrorKind::UnexpectedEof`]);
/// one with data behind it is an error.
#[derive(Debug)]
pub struct UpToHole<R>(R);

impl<R: Read + AsFd> UpToHole<R> {
    /// A reader of this file, from where it is, or of a stream, which has no holes.
    pub fn new(inner: R) -> Self {
        Self(inner)
    }
}

impl<R: Read + AsFd> Read for UpToHole<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer)?;
        if may_be_hole(&buffer[..read])
            // Neither a stream nor every file system can tell.
            && let Ok(at) = lseek(self.0.as_fd(), 0, Whence::SeekCur)
        {
            check_hole(self.0.as_fd(), at)?;
            lseek(self.0.as_fd(), at, Whence::SeekSet)?;
        }
        Ok(read)
    }
}

impl<R: AsFd> AsFd for UpToHole<R> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Whether what was read may be of a large hole.
#[must_use]
pub fn may_be_hole(read: &[u8]) -> bool {
    read.len() >= WORTH_A_LOOK && read.iter().all(|&byte| byte == 0)
}

/// Whether to read on at `at` in a file that has just given zeros. Its offset is moved.
///
/// # Errors
///
/// That there is a large hole, as [`UpToHole`] reports it.
pub fn check_hole(fd: BorrowedFd<'_>, at: i64) -> io::Result<()> {
    let (next, is_end) = match lseek(fd, at, Whence::SeekData) {
        Ok(data) => (data, false),
        Err(Errno::ENXIO) => (lseek(fd, 0, Whence::SeekEnd)?, true),
        Err(_) => return Ok(()),
    };
    let hole = next - at;
    if hole <= MAX_HOLE {
        return Ok(());
    }
    let text = format!("from byte {at} on, {hole} bytes were never written (a hole in the file)");
    let kind = if is_end { io::ErrorKind::UnexpectedEof } else { io::ErrorKind::InvalidData };
    Err(io::Error::new(kind, text))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Seek as _, SeekFrom, Write as _};

    use super::*;

    /// A file with text, a hole of this size in bytes, and more text if there is any.
    fn file(hole: u64, rest: &[u8]) -> File {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(&[b'a'; 4096]).expect("written");
        file.set_len(4096 + hole).expect("a hole");
        file.seek(SeekFrom::End(0)).expect("its end");
        file.write_all(rest).expect("written");
        file.rewind().expect("its start");
        file
    }

    #[test]
    fn a_file_is_read_up_to_a_large_hole() {
        let mut text = Vec::new();
        let read = |file: File, text: &mut Vec<u8>| UpToHole::new(file).read_to_end(text);
        assert_eq!(read(file(100_000, b"end"), &mut text).expect("read"), 104_099, "a small hole is zeros");
        for (hole, rest, kind) in
            [(1 << 40, &b""[..], io::ErrorKind::UnexpectedEof), (1 << 40, b"end", io::ErrorKind::InvalidData)]
        {
            text.clear();
            let error = read(file(hole, rest), &mut text).expect_err("a hole");
            assert_eq!(error.kind(), kind, "{error}");
            assert!(text.starts_with(&[b'a'; 4096]) && text.len() < 1 << 20, "{} bytes", text.len());
        }
    }
}
