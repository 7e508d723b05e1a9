//! How what is printed looks, as far as is needed to tell whether two cells look the same. Pure.

use std::collections::HashMap;

/// A look. The same number is the same look; two numbers may be.
pub(super) type Look = u64;

/// How cells look that nothing was said of.
pub(super) const PLAIN: Look = 0;

/// What turns off what is not on then.
const OFF: [&str; 8] = ["22", "23", "24", "25", "27", "29", "39", "49"];

/// So much of what was said is kept, and so many looks are known again.
const MAX_SAID: usize = 256;
const MAX_KNOWN: usize = 1024;

/// The look of what is printed next: told from all that was said since the last reset.
#[derive(Debug, Default)]
pub(super) struct Pen {
    pub(super) look: Look,
    said: String,
    known: HashMap<String, Look>,
    last: Look,
}

impl Pen {
    /// Takes the parameters of an SGR sequence: numbers, with `;` and `:` between them.
    pub(super) fn say(&mut self, parameters: &str) {
        let mut rest = Some(parameters);
        while let Some(text) = rest {
            let (first, others) =
                text.split_once(';').map_or((text, None), |(first, others)| (first, Some(others)));
            if first.bytes().all(|byte| byte == b'0') {
                self.said.clear();
            } else if !self.said.is_empty() || !OFF.contains(&first) {
                break;
            }
            rest = others;
        }
        let Some(text) = rest else {
            self.look = PLAIN;
            return;
        };
        self.said.push_str(text);
        self.said.push('m');
        if let Some(&look) = self.known.get(&self.said) {
            self.look = look;
            return;
        }
        self.last += 1;
        self.look = self.last;
        if self.said.len() <= MAX_SAID && self.known.len() < MAX_KNOWN {
            self.known.insert(self.said.clone(), self.look);
        } else {
            // One that never comes again.
            self.said = format!("#{}m", self.look);
        }
    }
}
