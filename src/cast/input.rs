//! A file, or standard input, as the text of a recording: decompressed where it is compressed.
//!
//! gzip and zstd are known by their first bytes, not by names. How much comes out of a small file
//! is bounded.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

/// What a compressed recording may decompress to, in bytes.
pub const MAX_DECOMPRESSED: u64 = 4 << 30;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// A recording's text.
pub type Input = Box<dyn BufRead + Send>;

/// Whether a file that begins like this is compressed.
#[must_use]
pub fn is_compressed(head: &[u8]) -> bool {
    head.starts_with(GZIP) || head.starts_with(ZSTD)
}

/// Opens a recording; `-` is standard input.
///
/// # Errors
///
/// When it can't be opened, or its first bytes can't be read.
pub fn open(path: &Path) -> io::Result<Input> {
    if path == Path::new("-") { reader_of(io::stdin()) } else { reader_of(File::open(path)?) }
}

/// The text of a stream of bytes that may be compressed.
///
/// # Errors
///
/// When the first bytes can't be read.
pub fn reader_of(source: impl Read + Send + 'static) -> io::Result<Input> {
    let mut source = source;
    let mut magic = Vec::with_capacity(4);
    match source.by_ref().take(4).read_to_end(&mut magic) {
        Ok(_) => {}
        // What is wrong with it the reader of lines says, with the place.
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => {}
        Err(error) => return Err(error),
    }
    let kind = if magic.starts_with(GZIP) {
        Some(true)
    } else if magic == ZSTD {
        Some(false)
    } else {
        None
    };
    let whole = BufReader::with_capacity(1 << 16, io::Cursor::new(magic).chain(source));
    let bounded = |inner: Box<dyn Read + Send>| -> Input {
        Box::new(BufReader::with_capacity(1 << 16, Bounded { inner, left: MAX_DECOMPRESSED }))
    };
    Ok(match kind {
        Some(true) => bounded(Box::new(MultiGzDecoder::new(whole))),
        Some(false) => bounded(Box::new(Zstd::new(whole))),
        None => Box::new(whole),
    })
}

/// Ends with an error instead of going on for ever.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("decompresses to more than {MAX_DECOMPRESSED} bytes"),
            )
        })?;
        Ok(read)
    }
}

/// Frames of zstd one after the other, as `cat a.zst b.zst` makes them.
struct Zstd<R: Read> {
    state: ZstdState<R>,
    /// The source has come to its end.
    ended: Arc<AtomicBool>,
}

enum ZstdState<R: Read> {
    Between(Watched<R>),
    Frame(Box<StreamingDecoder<Watched<R>, FrameDecoder>>),
    Done,
}

impl<R: BufRead> Zstd<R> {
    fn new(source: R) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let watched = Watched { inner: source, ended: Arc::clone(&ended) };
        Self { state: ZstdState::Between(watched), ended }
    }

    /// The decoder's error; one that the end of the source has caused is told as a cut.
    fn fault(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
        let cut = self.ended.load(Ordering::Relaxed);
        io::Error::new(if cut { io::ErrorKind::UnexpectedEof } else { io::ErrorKind::InvalidData }, error)
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.state, ZstdState::Done) {
                ZstdState::Done => return Ok(0),
                ZstdState::Between(mut source) => {
                    if source.inner.fill_buf()?.is_empty() {
                        return Ok(0);
                    }
                    let decoder = StreamingDecoder::new(source).map_err(|error| self.fault(error))?;
                    self.state = ZstdState::Frame(Box::new(decoder));
                }
                ZstdState::Frame(mut decoder) => match decoder.read(buffer) {
                    Ok(0) if !buffer.is_empty() => self.state = ZstdState::Between(decoder.into_inner()),
                    Ok(read) => {
                        self.state = ZstdState::Frame(decoder);
                        return Ok(read);
                    }
                    Err(error) => return Err(self.fault(error)),
                },
            }
        }
    }
}

/// Notes that there is no more to read.
struct Watched<R> {
    inner: R,
    ended: Arc<AtomicBool>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if read == 0 && !buffer.is_empty() {
            self.ended.store(true, Ordering::Relaxed);
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> (Vec<u8>, Option<io::ErrorKind>) {
        let mut input = reader_of(io::Cursor::new(bytes.to_vec())).expect("opened");
        let mut text = Vec::new();
        let error = input.read_to_end(&mut text).err().map(|error| error.kind());
        (text, error)
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        io::Write::write_all(&mut encoder, text).expect("compressed");
        encoder.finish().expect("compressed")
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest)
    }

    #[test]
    fn what_is_compressed_is_known_by_its_bytes_and_a_cut_is_the_end_of_what_there_is() {
        let text = "a line of a recording\n".repeat(20_000).into_bytes();
        assert_eq!(all(&text), (text.clone(), None));
        for compress in [gzip, zstd] {
            let packed = compress(&text);
            assert_eq!(all(&packed), (text.clone(), None));
            let twice = [packed.clone(), packed.clone()].concat();
            assert_eq!(all(&twice).0.len(), 2 * text.len(), "parts one after the other");
            for cut in [5, packed.len() / 2, packed.len() - 1] {
                let (start, error) = all(&packed[..cut]);
                assert!(text.starts_with(&start), "cut at {cut}");
                assert_eq!(error, Some(io::ErrorKind::UnexpectedEof), "cut at {cut}");
            }
            let mut wrong = packed;
            let middle = wrong.len() / 2;
            wrong[4..middle].fill(0xff);
            assert!(all(&wrong).1.is_some_and(|kind| kind != io::ErrorKind::UnexpectedEof));
        }
    }

    #[test]
    fn a_short_input_is_taken_as_it_is() {
        for text in [&b""[..], b"a", b"\x1f", b"{}\n"] {
            assert_eq!(all(text), (text.to_vec(), None));
        }
    }

    #[test]
    fn what_decompresses_without_end_is_an_error() {
        let mut bounded = Bounded { inner: io::repeat(b'a'), left: 100 };
        let error = io::copy(&mut bounded, &mut io::sink()).expect_err("endless");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
