//! `recmode export`: a recording in another format.

mod page;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::file::Replacement;
use super::progress::Bytes;
use super::session::Recording;
use crate::cli::{ExportArgs, ExportFormat, ExportTheme};
use crate::export::{self, ExportError, Sink, Target, Theme, Warning};
use crate::recording::Format;
use crate::recording::reader::Reader;
use crate::screen::Ending;
use crate::{cast, escape};

/// Writes the recording in the format that is wanted, to standard output or a file.
///
/// # Errors
///
/// When the recording can't be read or is none, or the output can't be written.
pub fn run(args: &ExportArgs) -> anyhow::Result<u8> {
    let mut warnings = Vec::new();
    let mut oversize = None;
    let work = |progress: &Bytes| -> anyhow::Result<(Recording, Option<Ending>)> {
        let target = match args.to {
            ExportFormat::AsciicastV2 => Target::Asciicast(Format::AsciicastV2),
            ExportFormat::AsciicastV3 => Target::Asciicast(Format::AsciicastV3),
            ExportFormat::Txt => Target::Text,
            ExportFormat::Html => return page::write(args, progress),
            ExportFormat::Svg => Target::Svg { idle_limit: args.idle_limit, theme: theme(args.theme) },
            ExportFormat::Typescript => {
                let (recording, reader) = open(args, progress)?;
                let ending = typescript(args, reader, &recording)?;
                return Ok((recording, Some(ending)));
            }
        };
        let (recording, reader) = open(args, progress)?;
        oversize = matches!(target, Target::Text | Target::Svg { .. }).then(|| reader.oversize());
        let ending = one_file(args, reader, target, &recording, &mut warnings)?;
        Ok((recording, ending))
    };
    let (recording, ending) = match args.output {
        None => super::progress::over_bytes_to_stdout(work)?,
        Some(_) => super::progress::over_bytes(work)?,
    };
    for warning in warnings {
        recording.say_warning(&warning);
    }
    if let Some(oversize) = oversize {
        recording.say_oversize(&oversize);
    }
    if let Some(ending) = ending {
        recording.say_ending(ending);
    }
    Ok(recording.code())
}

fn open(args: &ExportArgs, progress: &Bytes) -> anyhow::Result<(Recording, Reader<cast::Input>)> {
    let (recording, input) =
        Recording::open(&args.file, progress).with_context(|| escape::path(&args.file))?;
    let reader = Reader::new(input).map_err(|error| recording.locate(error))?;
    Ok((recording, reader))
}

/// Tells how the recording ended; nothing if nobody reads standard output any more.
fn one_file(
    args: &ExportArgs,
    reader: Reader<cast::Input>,
    target: Target,
    recording: &Recording,
    warnings: &mut Vec<Warning>,
) -> anyhow::Result<Option<Ending>> {
    let title = title(args);
    match &args.output {
        None => to_stdout(recording, |out| export::export(reader, target, &title, out, warnings)),
        Some(path) => to_file(path, recording, |out| export::export(reader, target, &title, out, warnings)),
    }
}

fn title(args: &ExportArgs) -> String {
    args.file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn to_stdout(
    recording: &Recording,
    write: impl FnOnce(&mut BufWriter<io::StdoutLock<'_>>) -> Result<Ending, ExportError>,
) -> anyhow::Result<Option<Ending>> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    match write(&mut out).and_then(|ending| Ok(out.flush().map(|()| ending)?)) {
        Err(ExportError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(None),
        ending => told(ending, recording, "standard output").map(Some),
    }
}

fn to_file(
    path: &Path,
    recording: &Recording,
    write: impl FnOnce(&mut Replacement) -> Result<Ending, ExportError>,
) -> anyhow::Result<Option<Ending>> {
    let shown = escape::path(path);
    let mut file = Replacement::new(path).with_context(|| shown.clone())?;
    let ending = told(write(&mut file), recording, &shown)?;
    file.finish().context(shown)?;
    Ok(Some(ending))
}

fn typescript(
    args: &ExportArgs,
    reader: Reader<cast::Input>,
    recording: &Recording,
) -> anyhow::Result<Ending> {
    let Some(path) = &args.output else {
        bail!("a typescript is two files: name the first with -o, the other is called the same with .timing");
    };
    let timing = with_timing(path);
    let open = |path: &Path| Replacement::new(path).with_context(|| escape::path(path));
    let mut sink = Sink { script: open(path)?, timing: open(&timing)? };
    let ending = told(export::typescript(reader, &mut sink), recording, &escape::path(path))?;
    sink.script.finish().with_context(|| escape::path(path))?;
    sink.timing.finish().with_context(|| escape::path(&timing))?;
    Ok(ending)
}

fn theme(theme: ExportTheme) -> Theme {
    match theme {
        ExportTheme::Auto => Theme::Auto,
        ExportTheme::Light => Theme::Light,
        ExportTheme::Dark => Theme::Dark,
    }
}

fn with_timing(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".timing");
    PathBuf::from(name)
}

/// Says of an error which of the two it is about.
fn told<T>(result: Result<T, ExportError>, input: &Recording, output: &str) -> anyhow::Result<T> {
    result.map_err(|error| match error {
        ExportError::Read(error) => input.locate(error),
        ExportError::Write(error) => anyhow::Error::from(error).context(output.to_owned()),
    })
}
