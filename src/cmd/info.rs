//! `recmode info`: what is known of a recording.

use std::path::Path;

use anyhow::Context as _;
use jiff::tz::TimeZone;

use crate::catalog::{self, State};
use crate::cli::{InfoArgs, InfoFormat};
use crate::recording::reader::Reader;
use crate::report::{self, Info};
use crate::verify::verify_file;
use crate::{cast, escape, exit};

/// Prints the facts to standard output.
///
/// # Errors
///
/// When the recording can't be read or is none, or standard output can't be written.
pub fn run(args: &InfoArgs) -> anyhow::Result<u8> {
    let name = escape::path(&args.file);
    let input = cast::open(&args.file).with_context(|| name.clone())?;
    let reader = Reader::new(input).with_context(|| name.clone())?;
    let summary = catalog::summarize(reader).with_context(|| name.clone())?;
    let is_stream = args.file == Path::new("-");
    // Asked after the reading: a session that ended meanwhile was live when it was read.
    let seen = if is_stream { None } else { catalog::look(&args.file).ok().flatten() };
    let state = match seen.as_ref().map(|entry| entry.state) {
        Some(State::Live) => State::Live,
        _ => summary.state(),
    };
    let chain =
        if is_stream { None } else { Some(verify_file(&args.file, None, |_| {}).with_context(|| name)?) };
    let size = seen.map(|entry| entry.size);
    let file = args.file.to_string_lossy();
    let text = match args.format {
        InfoFormat::Human => {
            report::info_text(&file, size, state, &summary, chain.as_ref(), &TimeZone::system())
        }
        InfoFormat::Json => Info::new(&file, size, state, &summary, chain.as_ref()).json()?,
    };
    super::print(text.as_bytes())?;
    Ok(exit::OK)
}
