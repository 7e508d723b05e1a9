//! A file, or standard input, as the text of a recording: decompressed where it is compressed.
//!
//! gzip and zstd are known by their first bytes, not by names. How much comes out of a small file
//! is bounded.

use std::fs::{self, File, FileType};
use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use super::unpack::{Gzip, Zstd};
use crate::stream;
use crate::sys::UpToHole;

/// What every compressed recording may decompress to, in bytes.
const FREE: u64 = 64 << 20;

/// What each compressed byte may add to that, in bytes: recordings of people at work compress to a tenth, those of
/// programs that draw all the time to a thirtieth; text that was made to, to a ten-thousandth.
const MAX_RATIO: u64 = 50;

pub(super) const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// A recording's text.
pub type Input = Box<dyn BufRead + Send>;

/// Whether a file that begins like this is compressed.
#[must_use]
pub fn is_compressed(head: &[u8]) -> bool {
    head.starts_with(GZIP) || head.starts_with(ZSTD)
}

/// Opens a recording; `-` is standard input. A pipe is read if it is a descriptor of the caller's (`/dev/fd/N`), and
/// never opened by a name in a directory, as that would wait for who writes to it.
///
/// # Errors
///
/// When it can't be opened, its first bytes can't be read, or it is a named pipe, a socket or a device.
pub fn open(path: &Path) -> io::Result<Input> {
    if path == Path::new("-") { reader_of(io::stdin()) } else { reader_of(open_file(path)?) }
}

/// The same, with the bytes counted that are read of the file.
///
/// # Errors
///
/// Those of [`open`].
pub fn open_counted(path: &Path, done: &Arc<AtomicU64>) -> io::Result<Input> {
    if path == Path::new("-") {
        counted_reader_of(io::stdin(), done)
    } else {
        counted_reader_of(open_file(path)?, done)
    }
}

/// Opens a file, or a descriptor of the caller's; never waits for a writer.
///
/// # Errors
///
/// When it can't be opened, or it is a named pipe, a socket or a device.
pub fn open_file(path: &Path) -> io::Result<File> {
    let is_stream = stream::named(path).is_some();
    let check = |kind: FileType| match not_a_file(kind) {
        Some(what) if !is_stream => Err(io::Error::new(io::ErrorKind::InvalidInput, what)),
        _ => Ok(()),
    };
    // To open a device can have effects.
    check(fs::metadata(path)?.file_type())?;
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    // It may be another file by now.
    check(file.metadata()?.file_type())?;
    fcntl(&file, FcntlArg::F_SETFL(OFlag::empty()))?;
    Ok(file)
}

/// What this is instead of a file. A directory can be opened; reading it reports what it is.
fn not_a_file(kind: FileType) -> Option<&'static str> {
    if kind.is_file() || kind.is_dir() {
        None
    } else if kind.is_fifo() {
        Some("a named pipe, which is not opened: give it as standard input (-)")
    } else if kind.is_socket() {
        Some("a socket, no recording")
    } else {
        Some("a device, no recording")
    }
}

/// [`reader_of`], with the bytes counted that are read of the stream.
///
/// # Errors
///
/// Those of [`reader_of`].
pub fn counted_reader_of(
    source: impl Read + AsFd + Send + 'static,
    done: &Arc<AtomicU64>,
) -> io::Result<Input> {
    reader_of(Counted { inner: source, done: Arc::clone(done) })
}

pub(super) struct Counted<R> {
    pub(super) inner: R,
    pub(super) done: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.done.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl<R: AsFd> AsFd for Counted<R> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

/// The text of a stream of bytes that may be compressed.
///
/// # Errors
///
/// When the first bytes can't be read.
pub fn reader_of(source: impl Read + AsFd + Send + 'static) -> io::Result<Input> {
    reader(UpToHole::new(source))
}

/// [`reader_of`] for a source without holes, or whose holes are looked for elsewhere.
pub(crate) fn reader(source: impl Read + Send + 'static) -> io::Result<Input> {
    let mut source = source;
    let mut magic = Vec::with_capacity(4);
    match source.by_ref().take(4).read_to_end(&mut magic) {
        Ok(_) => {}
        // What is wrong with it the reader of lines says, with the place.
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => {}
        Err(error) => return Err(error),
    }
    let (gzip, zstd) = (magic.starts_with(GZIP), magic == ZSTD);
    let whole = io::Cursor::new(magic).chain(source);
    if !gzip && !zstd {
        return Ok(Box::new(BufReader::with_capacity(1 << 16, whole)));
    }
    let packed = Arc::new(AtomicU64::new(0));
    let whole = Counted { inner: whole, done: Arc::clone(&packed) };
    let whole = BufReader::with_capacity(1 << 16, whole);
    let inner: Box<dyn Read + Send> =
        if gzip { Box::new(Gzip::new(whole)) } else { Box::new(Zstd::new(whole)) };
    Ok(Box::new(BufReader::with_capacity(1 << 16, Bounded { inner, packed, unpacked: 0 })))
}

/// Ends with an error where so much comes out of so little that nobody can have looked at it.
struct Bounded<R> {
    inner: R,
    packed: Arc<AtomicU64>,
    unpacked: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.unpacked += read as u64;
        let packed = self.packed.load(Ordering::Relaxed);
        if self.unpacked > FREE.saturating_add(packed.saturating_mul(MAX_RATIO)) {
            let text = format!(
                "its first {packed} bytes decompress to more than {} MiB and {MAX_RATIO} times that: \
                 to read it all the same, decompress it first",
                FREE >> 20
            );
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decompresses_to_too_much_is_an_error() {
        let packed = Arc::new(AtomicU64::new(10));
        let mut bounded = Bounded { inner: io::repeat(b'a'), packed, unpacked: 0 };
        let error = io::copy(&mut bounded, &mut io::sink()).expect_err("endless");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        let most = MAX_RATIO * 10 + FREE;
        assert!(bounded.unpacked > most && bounded.unpacked <= most + (1 << 20), "{}", bounded.unpacked);
    }
}
