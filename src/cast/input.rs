//! A file, or standard input, as the text of a recording: decompressed where it is compressed.
//!
//! gzip and zstd are known by their first bytes, not by names. How much comes out of a small file
//! is bounded.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

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

/// The same, with the bytes counted that are read of the file.
///
/// # Errors
///
/// Those of [`open`].
pub fn open_counted(path: &Path, done: &Arc<AtomicU64>) -> io::Result<Input> {
    let done = Arc::clone(done);
    if path == Path::new("-") {
        reader_of(Counted { inner: io::stdin(), done })
    } else {
        reader_of(Counted { inner: File::open(path)?, done })
    }
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
    source: Watched<R>,
    decoder: Box<FrameDecoder>,
    /// The source has come to its end.
    ended: Arc<AtomicBool>,
    /// A frame has begun and is not all read.
    in_frame: bool,
    /// What is to be said once everything before it is read.
    fault: Option<io::Error>,
}

/// A block of zstd that holds nothing and is its frame's last, and a checksum that nobody looks at.
const LAST_BLOCK: &[u8] = &[1, 0, 0, 0, 0, 0, 0];

impl<R: BufRead> Zstd<R> {
    fn new(source: R) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let source = Watched { inner: source, ended: Arc::clone(&ended) };
        Self { source, decoder: Box::default(), ended, in_frame: false, fault: None }
    }

    /// The decoder's error; one that the end of the source has caused is told as a cut.
    fn told(&self, error: &FrameDecoderError) -> io::Error {
        if self.ended.load(Ordering::Relaxed) {
            return io::Error::new(io::ErrorKind::UnexpectedEof, "the zstd stream is cut off");
        }
        let reason = match error {
            FrameDecoderError::WindowSizeTooBig { requested, max } => {
                format!("a zstd window of {requested} bytes, but {max} are the most")
            }
            FrameDecoderError::DictNotProvided { .. } => {
                "zstd with a dictionary that is not known".to_owned()
            }
            _ => "not valid zstd".to_owned(),
        };
        io::Error::new(io::ErrorKind::InvalidData, reason)
    }

    /// The next frame's header; false where there is none.
    fn begin(&mut self) -> io::Result<bool> {
        use ruzstd::decoding::errors::ReadFrameHeaderError::SkipFrame;
        loop {
            if self.source.inner.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                // Not for us, as the table of a seekable file.
                Err(FrameDecoderError::ReadFrameHeaderError(SkipFrame { length, .. })) => {
                    io::copy(&mut self.source.by_ref().take(length.into()), &mut io::sink())?;
                }
                Err(error) => return Err(self.told(&error)),
            }
        }
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.in_frame && self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            if let Some(fault) = self.fault.take() {
                self.in_frame = false;
                return Err(fault);
            }
            if self.in_frame && !self.decoder.is_finished() {
                let decoded =
                    self.decoder.decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1));
                if let Err(error) = decoded {
                    self.fault = Some(self.told(&error));
                    // The decoder keeps its window until the frame's end; what is in there was whole.
                    let _ = self.decoder.decode_blocks(LAST_BLOCK, BlockDecodingStrategy::UptoBlocks(1));
                }
                continue;
            }
            if self.in_frame {
                self.in_frame = false;
                let sums = (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum());
                if matches!(sums, (Some(told), Some(right)) if told != right) {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "the zstd checksum is wrong"));
                }
            }
            self.in_frame = self.begin()?;
            if !self.in_frame {
                return Ok(0);
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

    /// A block of zstd has so many bytes at most; one that is cut is lost.
    const MAX_BLOCK: usize = 128 << 10;

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
                if cut == packed.len() - 1 {
                    assert!(
                        text.len() - start.len() <= MAX_BLOCK,
                        "{} bytes are lost",
                        text.len() - start.len()
                    );
                }
                assert_eq!(error, Some(io::ErrorKind::UnexpectedEof), "cut at {cut}");
            }
            let mut wrong = packed;
            let middle = wrong.len() / 2;
            wrong[4..middle].fill(0xff);
            assert!(all(&wrong).1.is_some_and(|kind| kind != io::ErrorKind::UnexpectedEof));
        }
    }

    #[test]
    fn frames_of_zstd_that_are_for_others_are_passed_over() {
        let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        let packed = zstd(b"text\n");
        assert_eq!(all(&[packed.clone(), skipped, packed].concat()), (b"text\ntext\n".to_vec(), None));
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
