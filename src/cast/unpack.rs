//! Decompressors that read what people have: several parts one after the other, and what is padded or cut off.
//!
//! A cut is [`io::ErrorKind::UnexpectedEof`], once everything before it was read.

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::bufread::GzDecoder;
use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Files of gzip one after the other, as `cat a.gz b.gz` makes them, then zeros or nothing: what `gzip -t` takes.
pub(super) struct Gzip<R> {
    state: Gz<R>,
}

enum Gz<R> {
    /// In one of the files.
    In(Box<GzDecoder<R>>),
    /// Between two, or behind the last.
    Behind(R),
    /// While it changes, and after the end.
    Done,
}

impl<R: BufRead> Gzip<R> {
    pub(super) fn new(source: R) -> Self {
        Self { state: Gz::In(Box::new(GzDecoder::new(source))) }
    }

    /// What is behind one of the files: another, nothing, or garbage.
    fn next(&mut self, mut source: R) -> io::Result<()> {
        if source.fill_buf()?.first() == Some(&super::input::GZIP[0]) {
            self.state = Gz::In(Box::new(GzDecoder::new(source)));
            return Ok(());
        }
        loop {
            let rest = match source.fill_buf() {
                // A hole is zeros.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                rest => rest?,
            };
            if rest.is_empty() {
                return Ok(());
            }
            if rest.iter().any(|&byte| byte != 0) {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "garbage follows the gzip data"));
            }
            let used = rest.len();
            source.consume(used);
        }
    }
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.state, Gz::Done) {
                Gz::In(mut decoder) => match decoder.read(buffer) {
                    Ok(0) if !buffer.is_empty() => self.state = Gz::Behind(decoder.into_inner()),
                    read => {
                        if read.is_ok() {
                            self.state = Gz::In(decoder);
                        }
                        return read;
                    }
                },
                Gz::Behind(source) => self.next(source)?,
                Gz::Done => return Ok(0),
            }
        }
    }
}

/// Frames of zstd one after the other, as `cat a.zst b.zst` makes them.
pub(super) struct Zstd<R: Read> {
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
    pub(super) fn new(source: R) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let source = Watched { inner: source, ended: Arc::clone(&ended) };
        Self { source, decoder: Box::default(), ended, in_frame: false, fault: None }
    }

    /// The decoder's error; one that the end of the source has caused is reported as a cut.
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
            match self.source.inner.fill_buf()? {
                [] => return Ok(false),
                // A frame begins, or one that is for others.
                [0x28 | 0x50..=0x5f, ..] => {}
                _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "garbage follows the zstd data")),
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
    use super::super::input::reader;
    use super::*;

    /// The most bytes in a block of zstd; one that is cut is lost.
    const MAX_BLOCK: usize = 128 << 10;

    fn all(bytes: &[u8]) -> (Vec<u8>, Option<io::ErrorKind>) {
        let mut input = reader(io::Cursor::new(bytes.to_vec())).expect("opened");
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
    fn what_follows_is_padding_or_garbage() {
        let text = b"text\n".to_vec();
        for zeros in [1, 511, 100_000] {
            let padded = [gzip(&text), vec![0; zeros]].concat();
            assert_eq!(all(&padded), (text.clone(), None), "{zeros} zeros, as tapes have them");
        }
        let garbage = Some(io::ErrorKind::InvalidData);
        for (packed, rest) in [
            (gzip(&text), &b"x"[..]),
            (gzip(&text), b"\0\0x"),
            (gzip(&text), b"garbage behind it"),
            (zstd(&text), b"x"),
            (zstd(&text), b"\0\0"),
        ] {
            assert_eq!(all(&[&packed[..], rest].concat()), (text.clone(), garbage), "{rest:?}");
        }
    }

    #[test]
    fn a_short_input_is_taken_as_it_is() {
        for text in [&b""[..], b"a", b"\x1f", b"{}\n"] {
            assert_eq!(all(text), (text.to_vec(), None));
        }
    }
}
