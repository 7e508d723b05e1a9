//! Paths that name a stream: standard input, or a descriptor that the caller has opened. Pure.

use std::path::Path;

/// What such a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard input.
    Stdin,
    /// A descriptor by its path: `/dev/fd/N`.
    Descriptor,
}

/// Tells streams by their names.
#[must_use]
pub fn named(path: &Path) -> Option<Stream> {
    match path.to_str()? {
        "-" | "/dev/stdin" | "/dev/fd/0" | "/proc/self/fd/0" => Some(Stream::Stdin),
        name => {
            let number = name.strip_prefix("/dev/fd/").or_else(|| name.strip_prefix("/proc/self/fd/"))?;
            let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then_some(Stream::Descriptor)
        }
    }
}
