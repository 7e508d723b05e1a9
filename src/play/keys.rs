//! What keys mean while a recording is played. Pure.

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Pause, or go on.
    Pause,
    /// To the next event, while it is paused.
    Step,
    /// Five seconds back.
    Back,
    /// Five seconds on.
    Forward,
    /// To the marker before.
    PreviousMarker,
    /// To the next marker.
    NextMarker,
    /// Faster.
    Faster,
    /// Slower.
    Slower,
    /// End it.
    Quit,
    /// End it, as Ctrl-C ends programs.
    Interrupt,
}

/// Reads keys from bytes. Sequences may be cut between two reads.
#[derive(Debug, Default)]
pub struct Keys {
    sequence: Vec<u8>,
}

impl Keys {
    /// The keys in these bytes that mean something.
    pub fn read(&mut self, bytes: &[u8]) -> Vec<Key> {
        bytes.iter().filter_map(|&byte| self.byte(byte)).collect()
    }

    fn byte(&mut self, byte: u8) -> Option<Key> {
        match (self.sequence.as_slice(), byte) {
            (_, 0x1b) => self.sequence = vec![byte],
            ([0x1b], b'[' | b'O') => self.sequence.push(byte),
            ([0x1b, _, ..], 0x20..0x40) if self.sequence.len() < 32 => self.sequence.push(byte),
            ([0x1b, _, ..], _) => {
                let plain = self.sequence.len() == 2;
                self.sequence.clear();
                return match byte {
                    b'C' if plain => Some(Key::Forward),
                    b'D' if plain => Some(Key::Back),
                    _ => None,
                };
            }
            _ => {
                self.sequence.clear();
                return match byte {
                    b' ' => Some(Key::Pause),
                    b'.' => Some(Key::Step),
                    b'[' => Some(Key::PreviousMarker),
                    b']' => Some(Key::NextMarker),
                    b'+' | b'=' => Some(Key::Faster),
                    b'-' => Some(Key::Slower),
                    b'q' | b'Q' => Some(Key::Quit),
                    3 => Some(Key::Interrupt),
                    _ => None,
                };
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_whole_and_in_pieces() {
        let mut keys = Keys::default();
        assert_eq!(
            keys.read(b" .[]+-q\x03"),
            [
                Key::Pause,
                Key::Step,
                Key::PreviousMarker,
                Key::NextMarker,
                Key::Faster,
                Key::Slower,
                Key::Quit,
                Key::Interrupt
            ]
        );
        assert_eq!(keys.read(b"\x1b[C\x1bOD"), [Key::Forward, Key::Back]);
        assert_eq!((keys.read(b"\x1b"), keys.read(b"["), keys.read(b"D")), (vec![], vec![], vec![Key::Back]));
        assert_eq!(keys.read(b"\x1b[1;5C\x1b[200~x"), []);
    }
}
