//! Text as the inside of a JSON string. Pure, and on the way of every byte that a session prints: what needs no escape is
//! copied in blocks.

use crate::sys::{BLOCK, Escape, json_specials, push_escaped_blocks};

/// What stands for a byte that must be escaped.
static ESCAPES: [Escape; 0x80] = escapes();

const fn escapes() -> [Escape; 0x80] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut table = [Escape::new(*b"\\u0000..", 6); 0x80];
    let mut byte = 0;
    while byte < table.len() {
        let [high, low] = [HEX[byte >> 4], HEX[byte & 15]];
        table[byte] = Escape::new([b'\\', b'u', b'0', b'0', high, low, b'.', b'.'], 6);
        byte += 1;
    }
    table[b'"' as usize] = Escape::new(*b"\\\"......", 2);
    table[b'\\' as usize] = Escape::new(*b"\\\\......", 2);
    table[b'\n' as usize] = Escape::new(*b"\\n......", 2);
    table[b'\r' as usize] = Escape::new(*b"\\r......", 2);
    table[b'\t' as usize] = Escape::new(*b"\\t......", 2);
    table
}

/// Appends `text` as the inside of a JSON string. DEL is escaped too, as a terminal acts on it.
pub fn push_escaped(text: &str, out: &mut Vec<u8>) {
    let mut rest = &text.as_bytes()[push_escaped_blocks(text.as_bytes(), &ESCAPES, out)..];
    while let Some((block, after)) = rest.split_first_chunk::<BLOCK>() {
        let specials = json_specials(block);
        out.extend_from_slice(block);
        if specials == 0 {
            rest = after;
            continue;
        }
        let clean = specials.trailing_zeros() as usize;
        out.truncate(out.len() - (BLOCK - clean));
        push_escape(block[clean], out);
        rest = &rest[clean + 1..];
    }
    if rest.is_empty() {
        return;
    }
    let mut block = [b'.'; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    let mut specials = json_specials(&block);
    for &byte in rest {
        if specials & 1 == 1 {
            push_escape(byte, out);
        } else {
            out.push(byte);
        }
        specials >>= 1;
    }
}

/// Where the first byte is that [`push_escaped`] escapes.
#[must_use]
pub fn first_special(text: &[u8]) -> Option<usize> {
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    let in_block = |specials: u32| (specials != 0).then(|| specials.trailing_zeros() as usize);
    for (n, block) in blocks.iter().enumerate() {
        if let Some(at) = in_block(json_specials(block)) {
            return Some(n * BLOCK + at);
        }
    }
    let mut block = [b'.'; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    in_block(json_specials(&block)).map(|at| text.len() - rest.len() + at)
}

fn push_escape(byte: u8, out: &mut Vec<u8>) {
    let (escape, len) = ESCAPES[usize::from(byte & 0x7f)].padded();
    let start = out.len();
    out.extend_from_slice(escape);
    out.truncate(start + len);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_escaped_is_read_back_as_it_was(text in "([ -~]|[\u{0}-\u{1f}\u{7f}\"\\\\é€😀]){0,300}") {
            let mut out = b"\"before ".to_vec();
            push_escaped(&text, &mut out);
            out.push(b'"');
            prop_assert!(out.iter().all(|&byte| byte >= 0x20 && byte != 0x7f));
            let read: String = serde_json::from_slice(&out).expect("a string");
            prop_assert_eq!(read, format!("before {text}"));
        }
    }
}
