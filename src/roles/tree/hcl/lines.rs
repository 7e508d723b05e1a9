//! Line and column of places in a text.

use std::ops::Range;

use crate::roles::tree::Span;

/// The lines of a text, to tell places in it.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
    /// How many characters are before each block of [`BLOCK`] bytes, so that a long line is not counted again
    /// for each place in it; empty where each byte is one.
    blocks: Vec<usize>,
}

const BLOCK: usize = 1024;

/// How many characters begin in these bytes of UTF-8.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte & 0xc0 != 0x80).count()
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|newline| newline + 1);
        let blocks = text.as_bytes().chunks(BLOCK).scan(0, |before, block| {
            let start = *before;
            *before += characters(block);
            Some(start)
        });
        let blocks = if text.is_ascii() { Vec::new() } else { blocks.collect() };
        Self { text, starts: std::iter::once(0).chain(ends).collect(), blocks }
    }

    /// How many characters are before this byte.
    fn before(&self, at: usize) -> usize {
        match self.blocks.get(at / BLOCK) {
            Some(before) => before + characters(&self.text.as_bytes()[at / BLOCK * BLOCK..at]),
            // Behind the last block, if there are any.
            None if !self.blocks.is_empty() => characters(self.text.as_bytes()),
            None => at,
        }
    }

    pub(super) fn span(&self, at: Range<usize>) -> Span {
        let start = self.text.floor_char_boundary(at.start);
        let line = self.starts.partition_point(|&line| line <= start).max(1);
        let column = self.before(start) - self.before(self.starts[line - 1]);
        Span {
            start: index(start),
            end: index(self.text.ceil_char_boundary(at.end).max(start)),
            line: index(line),
            column: index(column + 1),
            origin: 0,
        }
    }
}

/// An index; Terraform's files are bounded far below 4 GiB, so this never saturates.
pub(super) fn index(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_column_is_the_number_of_characters_before_it(
            text in "(a|\\n|\u{e4}|\u{1f600}|[a-z\u{e4}]{500}){0,12}",
            at in any::<prop::sample::Index>(),
        ) {
            let at = text.floor_char_boundary(at.index(text.len() + 1));
            let span = Lines::new(&text).span(at..at);
            let line = text[..at].rsplit('\n').next().unwrap_or_default();
            prop_assert_eq!(span.line as usize, text[..at].matches('\n').count() + 1);
            prop_assert_eq!(span.column as usize, line.chars().count() + 1);
        }
    }
}
