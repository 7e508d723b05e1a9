//! Sixteen or 64 bytes at a time, as the processor compares them: what is looked for in every byte of a session's output.

/// Bytes that are looked at together.
pub const BLOCK: usize = 16;
/// The same, where what is looked for is rare.
pub const WIDE: usize = 4 * BLOCK;

/// A bit for each byte of a block that JSON must escape: control characters, DEL, the quote and the backslash. The
/// lowest bit is the first byte's.
#[must_use]
#[inline]
pub fn json_specials(block: &[u8; BLOCK]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 has SSE2.
    let found = unsafe { sse2::json_specials(block) };
    #[cfg(not(target_arch = "x86_64"))]
    let found = plain::json_specials(block);
    found
}

/// A bit for each byte that is an ESC, but for `CSI` sequences without a private marker (`<`, `=`, `>`, `?`), such as colours: of
/// the block's bytes, the two after them being looked at, too. The lowest bit is the first byte's.
#[must_use]
#[inline]
pub fn rare_escapes(block: &[u8; WIDE + 2]) -> u64 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 has SSE2.
    let found = unsafe { sse2::rare_escapes(block) };
    #[cfg(not(target_arch = "x86_64"))]
    let found = plain::rare_escapes(block);
    found
}

/// What stands for a byte in JSON.
#[derive(Debug, Clone, Copy)]
pub struct Escape {
    text: [u8; 8],
    len: u8,
}

impl Escape {
    /// The longest one, bytes.
    const MOST: usize = 6;

    /// An escape that is the first `len` bytes of `text`.
    ///
    /// # Panics
    /// For more than six.
    #[must_use]
    pub const fn new(text: [u8; 8], len: u8) -> Self {
        assert!(len as usize <= Self::MOST, "an escape longer than the longest");
        Self { text, len }
    }

    /// It, and its length. All of it and then less is written faster than just as much.
    #[must_use]
    #[inline]
    pub const fn padded(&self) -> (&[u8; 8], usize) {
        (&self.text, self.len as usize)
    }
}

/// Appends text with what stands for each byte that JSON must escape; `escapes` is looked up by the byte. Returns for how
/// much of the text this was done: blocks at its start, maybe none.
#[must_use]
pub fn push_escaped_blocks(text: &[u8], escapes: &[Escape; 0x80], out: &mut Vec<u8>) -> usize {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 has SSE2.
    let done = unsafe { sse2::push_escaped_blocks(text, escapes, out) };
    #[cfg(not(target_arch = "x86_64"))]
    let done = {
        let _ = (text, escapes, out);
        0
    };
    done
}

#[cfg(any(test, not(target_arch = "x86_64")))]
mod plain {
    use super::{BLOCK, WIDE};

    pub(super) fn json_specials(block: &[u8; BLOCK]) -> u32 {
        let special = |&byte: &u8| u32::from(matches!(byte, 0..0x20 | b'"' | b'\\' | 0x7f));
        block.iter().rev().fold(0, |found, byte| found << 1 | special(byte))
    }

    pub(super) fn rare_escapes(block: &[u8; WIDE + 2]) -> u64 {
        let rare =
            |at: usize| block[at] == 0x1b && (block[at + 1] != b'[' || matches!(block[at + 2], b'<'..=b'?'));
        (0..WIDE).rev().fold(0, |found, at| found << 1 | u64::from(rare(at)))
    }
}

#[cfg(target_arch = "x86_64")]
mod sse2 {
    use std::arch::x86_64::{
        __m128i, _mm_and_si128, _mm_andnot_si128, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8,
        _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
    };

    use super::{BLOCK, Escape, WIDE};

    /// Bytes that are escaped together.
    const BLOCKS: usize = WIDE;
    /// Bytes that are copied together.
    const COPY: usize = BLOCKS / 2;

    #[inline]
    #[target_feature(enable = "sse2")]
    fn load(block: &[u8; BLOCK]) -> __m128i {
        // SAFETY: it reads as many bytes, wherever they are. Two halves would be loaded apart.
        unsafe { _mm_loadu_si128(block.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn equal(bytes: __m128i, byte: u8) -> __m128i {
        _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte.cast_signed()))
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn mask(bytes: __m128i) -> u32 {
        _mm_movemask_epi8(bytes).cast_unsigned()
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    pub(super) fn json_specials(block: &[u8; BLOCK]) -> u32 {
        let bytes = load(block);
        let control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
        let quotes = _mm_or_si128(equal(bytes, b'"'), equal(bytes, b'\\'));
        mask(_mm_or_si128(_mm_or_si128(control, equal(bytes, 0x7f)), quotes))
    }

    /// [`super::rare_escapes`] of a quarter, each of its bytes all ones or zeros.
    #[inline]
    #[target_feature(enable = "sse2")]
    fn rare(block: &[u8; BLOCK + 2]) -> __m128i {
        let from = |at: usize| block.get(at..).and_then(<[u8]>::first_chunk);
        let (Some(here), Some(next), Some(second)) = (from(0), from(1), from(2)) else {
            return _mm_set1_epi8(0);
        };
        // The four markers differ in their lowest two bits.
        let marker = equal(_mm_and_si128(load(second), _mm_set1_epi8(!3)), b'<');
        let common = _mm_andnot_si128(marker, equal(load(next), b'['));
        _mm_andnot_si128(common, equal(load(here), 0x1b))
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    pub(super) fn rare_escapes(block: &[u8; WIDE + 2]) -> u64 {
        let from = |at: usize| block.get(at..).and_then(<[u8]>::first_chunk);
        let (Some(a), Some(b), Some(c), Some(d)) = (from(0), from(BLOCK), from(2 * BLOCK), from(3 * BLOCK))
        else {
            return 0;
        };
        let (a, b, c, d) = (rare(a), rare(b), rare(c), rare(d));
        if mask(_mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d))) == 0 {
            return 0;
        }
        let [a, b, c, d] = [mask(a), mask(b), mask(c), mask(d)];
        u64::from(d << BLOCK | c) << (2 * BLOCK) | u64::from(b << BLOCK | a)
    }

    #[target_feature(enable = "sse2")]
    pub(super) fn push_escaped_blocks(text: &[u8], escapes: &[Escape; 0x80], out: &mut Vec<u8>) -> usize {
        // The last store begins before the end of what may stand for the text.
        out.reserve(Escape::MOST * text.len() + COPY);
        let mut to = out.len();
        let mut done = 0;
        // What is copied is read also beyond what counts.
        while let Some(block) = text[done..].first_chunk::<{ BLOCKS + COPY }>() {
            let mut specials = 0;
            for (bytes, at) in block.as_chunks().0[..BLOCKS / BLOCK].iter().zip((0..).step_by(BLOCK)) {
                specials |= u64::from(json_specials(bytes)) << at;
            }
            let mut from = 0;
            while specials != 0 {
                let special = specials.trailing_zeros() as usize;
                specials &= specials - 1;
                // SAFETY: `from..special` is within the next `BLOCKS` bytes, and `COPY` more follow those in the
                // text; `to` is at most `Escape::MOST` times what of the text is done, so that there is room.
                unsafe { copy(block.as_ptr().add(from), out.as_mut_ptr().add(to), special - from) };
                to += special - from;
                let (escape, len) = escapes[usize::from(block[special % BLOCKS] & 0x7f)].padded();
                // SAFETY: likewise; fewer than `COPY` bytes are beyond what counts.
                unsafe {
                    std::ptr::copy_nonoverlapping(escape.as_ptr(), out.as_mut_ptr().add(to), escape.len());
                };
                to += len;
                from = special + 1;
            }
            // SAFETY: as above.
            unsafe { copy(block.as_ptr().add(from), out.as_mut_ptr().add(to), BLOCKS - from) };
            to += BLOCKS - from;
            done += BLOCKS;
        }
        // SAFETY: all before `to` is written, and within what was reserved.
        unsafe { out.set_len(to) };
        done
    }

    /// Copies `len` bytes, at most [`BLOCKS`], and others up to a multiple of [`COPY`] after them: one copy nearly always, as
    /// a loop whose end can't be foreseen costs more than that.
    ///
    /// # Safety
    /// As many bytes may be read at `from` and written at `to`, which do not overlap.
    #[inline]
    unsafe fn copy(from: *const u8, to: *mut u8, len: usize) {
        // SAFETY: the caller's promise.
        unsafe { std::ptr::copy_nonoverlapping(from, to, COPY) };
        if len > COPY {
            // SAFETY: likewise.
            unsafe { std::ptr::copy_nonoverlapping(from.add(COPY), to.add(COPY), BLOCKS - COPY) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place_is_found_as_it_is_byte_by_byte() {
        for byte in 0..=u8::MAX {
            for at in 0..BLOCK {
                let mut block = [b'x'; BLOCK];
                block[at] = byte;
                assert_eq!(json_specials(&block), plain::json_specials(&block), "{byte:#x} at {at}");
            }
        }
    }

    #[test]
    fn every_sequence_at_every_place_is_found_as_it_is_byte_by_byte() {
        for second in 0..=u8::MAX {
            for third in *b"?<>=0m[\x1b" {
                for at in 0..WIDE {
                    let mut block = [b'x'; WIDE + 2];
                    block[at..at + 3].copy_from_slice(&[0x1b, second, third]);
                    assert_eq!(rare_escapes(&block), plain::rare_escapes(&block), "{second:#x} at {at}");
                }
            }
        }
    }
}
