//! Sixteen bytes at a time, as the processor compares them: what is looked for in every byte of a session's output.

/// Bytes that are looked at together.
pub const BLOCK: usize = 16;

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

/// A bit for each byte that is an ESC, but for `CSI` sequences without a private marker (`?`, `<`, `>`), such as colours: of
/// the block's bytes, the two after them being looked at, too. The lowest bit is the first byte's.
#[must_use]
#[inline]
pub fn rare_escapes(block: &[u8; BLOCK + 2]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 has SSE2.
    let found = unsafe { sse2::rare_escapes(block) };
    #[cfg(not(target_arch = "x86_64"))]
    let found = plain::rare_escapes(block);
    found
}

/// What stands for a byte below 0x80 in JSON, and how much of that counts, at most 6.
pub type Escape = ([u8; 8], u8);

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
    use super::BLOCK;

    fn bits(found: impl Fn(usize) -> bool) -> u32 {
        (0..BLOCK).map(|at| u32::from(found(at)) << at).sum()
    }

    pub(super) fn json_specials(block: &[u8; BLOCK]) -> u32 {
        bits(|at| matches!(block[at], 0..0x20 | b'"' | b'\\' | 0x7f))
    }

    pub(super) fn rare_escapes(block: &[u8; BLOCK + 2]) -> u32 {
        bits(|at| block[at] == 0x1b && (block[at + 1] != b'[' || matches!(block[at + 2], b'?' | b'<' | b'>')))
    }
}

#[cfg(target_arch = "x86_64")]
mod sse2 {
    use std::arch::x86_64::{
        __m128i, _mm_andnot_si128, _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128,
        _mm_set_epi64x, _mm_set1_epi8,
    };

    use super::{BLOCK, Escape};

    /// Bytes that are escaped together.
    const BLOCKS: usize = 3 * BLOCK;

    #[inline]
    #[target_feature(enable = "sse2")]
    fn load(block: &[u8; BLOCK]) -> __m128i {
        let ([low, high], _) = block.as_chunks::<8>() else { return _mm_set1_epi8(0) };
        _mm_set_epi64x(i64::from_le_bytes(*high), i64::from_le_bytes(*low))
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

    #[inline]
    #[target_feature(enable = "sse2")]
    pub(super) fn rare_escapes(block: &[u8; BLOCK + 2]) -> u32 {
        let from = |at: usize| block.get(at..).and_then(<[u8]>::first_chunk);
        let (Some(here), Some(next), Some(second)) = (from(0), from(1), from(2)) else { return 0 };
        let (here, next, second) = (load(here), load(next), load(second));
        let marker =
            _mm_or_si128(_mm_or_si128(equal(second, b'?'), equal(second, b'<')), equal(second, b'>'));
        let common = _mm_andnot_si128(marker, equal(next, b'['));
        mask(_mm_andnot_si128(common, equal(here, 0x1b)))
    }

    #[target_feature(enable = "sse2")]
    pub(super) fn push_escaped_blocks(text: &[u8], escapes: &[Escape; 0x80], out: &mut Vec<u8>) -> usize {
        // Six bytes stand for one at most, and the last store of 16 begins before their end.
        out.reserve(6 * text.len() + BLOCK);
        let mut to = out.len();
        let mut done = 0;
        // Whole blocks are copied from within the text, also from a block's last byte on.
        while text.len() - done >= BLOCKS + BLOCK {
            let mut specials = 0;
            for at in (0..BLOCKS).step_by(BLOCK) {
                if let Some(block) = text[done + at..].first_chunk() {
                    specials |= u64::from(json_specials(block)) << at;
                }
            }
            let mut from = 0;
            while specials != 0 {
                let special = specials.trailing_zeros() as usize;
                specials &= specials - 1;
                // SAFETY: `from..special` is within the next `BLOCKS` bytes, and `BLOCK` more follow those in the
                // text; `to` is at most six times what of the text is done, so that there is room.
                unsafe { copy(text.as_ptr().add(done + from), out.as_mut_ptr().add(to), special - from) };
                to += special - from;
                let (escape, len) = &escapes[usize::from(text[done + special] & 0x7f)];
                // SAFETY: likewise; at most two of the eight bytes are beyond what counts.
                unsafe { std::ptr::copy_nonoverlapping(escape.as_ptr(), out.as_mut_ptr().add(to), 8) };
                to += usize::from(*len).min(6);
                from = special + 1;
            }
            // SAFETY: as above.
            unsafe { copy(text.as_ptr().add(done + from), out.as_mut_ptr().add(to), BLOCKS - from) };
            to += BLOCKS - from;
            done += BLOCKS;
        }
        // SAFETY: all before `to` is written, and within what was reserved.
        unsafe { out.set_len(to) };
        done
    }

    /// Copies `len` bytes, and up to [`BLOCK`] more, in whole blocks.
    ///
    /// # Safety
    /// As many bytes may be read at `from` and written at `to`, which do not overlap.
    #[inline]
    unsafe fn copy(from: *const u8, to: *mut u8, len: usize) {
        let mut at = 0;
        while at < len {
            // SAFETY: the caller's promise.
            unsafe { std::ptr::copy_nonoverlapping(from.add(at), to.add(at), BLOCK) };
            at += BLOCK;
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
                for at in 0..BLOCK {
                    let mut block = [b'x'; BLOCK + 2];
                    block[at..at + 3.min(BLOCK + 2 - at)].copy_from_slice(&[0x1b, second, third]);
                    assert_eq!(rare_escapes(&block), plain::rare_escapes(&block), "{second:#x} at {at}");
                }
            }
        }
    }
}
