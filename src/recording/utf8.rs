//! Where a read ends inside a character.

/// How many bytes at the end begin a character that is not complete: 0 to 3.
#[must_use]
pub fn incomplete_tail(bytes: &[u8]) -> usize {
    let window = bytes.len().min(3);
    for tail in 1..=window {
        let start = bytes.len() - tail;
        match bytes[start] {
            0x80..=0xBF => {}
            0xC2..=0xF4 => {
                // No error length: what is there could still become a character.
                let open =
                    std::str::from_utf8(&bytes[start..]).is_err_and(|error| error.error_len().is_none());
                return if open { tail } else { 0 };
            }
            _ => return 0,
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::incomplete_tail;

    #[test]
    fn every_cut_of_a_character_is_seen_and_nothing_else() {
        for text in ["é", "€", "😀"] {
            let bytes = text.as_bytes();
            for cut in 1..bytes.len() {
                let mut read = b"plain ".to_vec();
                read.extend_from_slice(&bytes[..cut]);
                assert_eq!(incomplete_tail(&read), cut, "{text} cut at {cut}");
            }
            assert_eq!(incomplete_tail(bytes), 0);
        }
        for whole in
            [&b""[..], b"a", b"\xff", b"\x80\x80\x80", b"\xc0", b"\xed\xa0", b"\xf4\x90", b"\xf5\x80"]
        {
            assert_eq!(incomplete_tail(whole), 0, "{whole:x?} can't become a character");
        }
    }
}
