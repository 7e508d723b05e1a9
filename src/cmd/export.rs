//! `recmode export`: a recording in another format.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::file::Replacement;
use super::progress::Bytes;
use super::verify::read_signers;
use crate::cli::{ExportArgs, ExportFormat};
use crate::export::{self, ExportError, FileFacts, Page, Sink, Target};
use crate::recording::Format;
use crate::recording::reader::Reader;
use crate::screen::Ending;
use crate::verify::{Followed, Signed};
use crate::{cast, escape, exit, report};

/// Writes the recording in the format that is wanted, to standard output or a file.
///
/// # Errors
///
/// When the recording can't be read or is none, or the output can't be written.
pub fn run(args: &ExportArgs) -> anyhow::Result<u8> {
    let name = escape::path(&args.file);
    let mut warnings = Vec::new();
    let work = |progress: &Bytes| -> anyhow::Result<Option<Ending>> {
        let open = || -> anyhow::Result<Reader<cast::Input>> {
            let input = progress.open(&args.file).with_context(|| name.clone())?;
            Reader::new(input).with_context(|| name.clone())
        };
        let target = match args.to {
            ExportFormat::AsciicastV2 => Target::Asciicast(Format::AsciicastV2),
            ExportFormat::AsciicastV3 => Target::Asciicast(Format::AsciicastV3),
            ExportFormat::Txt => Target::Text,
            ExportFormat::Html => return page(args, progress, &name),
            ExportFormat::Svg => Target::Svg { idle_limit: args.idle_limit },
            ExportFormat::Typescript => return typescript(args, open()?, &name).map(Some),
        };
        one_file(args, open()?, target, &name, &mut warnings)
    };
    let ending = match args.output {
        None => super::progress::over_bytes_to_stdout(work)?,
        Some(_) => super::progress::over_bytes(work)?,
    };
    for warning in warnings {
        super::say(&format!("recmode: {name}: {warning}\n"));
    }
    if let Some(ending) = ending {
        super::say_ending(&name, ending);
    }
    Ok(exit::OK)
}

/// Tells how the recording ended; nothing if nobody reads standard output any more.
fn one_file(
    args: &ExportArgs,
    reader: Reader<cast::Input>,
    target: Target,
    name: &str,
    warnings: &mut Vec<String>,
) -> anyhow::Result<Option<Ending>> {
    let title = title(args);
    match &args.output {
        None => to_stdout(name, |out| export::export(reader, target, &title, out, warnings)),
        Some(path) => to_file(path, name, |out| export::export(reader, target, &title, out, warnings)),
    }
}

fn title(args: &ExportArgs) -> String {
    args.file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn to_stdout(
    name: &str,
    write: impl FnOnce(&mut BufWriter<io::StdoutLock<'_>>) -> Result<Ending, ExportError>,
) -> anyhow::Result<Option<Ending>> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    match write(&mut out).and_then(|ending| Ok(out.flush().map(|()| ending)?)) {
        Err(ExportError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(None),
        ending => told(ending, name, "standard output").map(Some),
    }
}

fn to_file(
    path: &Path,
    name: &str,
    write: impl FnOnce(&mut Replacement) -> Result<Ending, ExportError>,
) -> anyhow::Result<Option<Ending>> {
    let shown = escape::path(path);
    let mut file = Replacement::new(path).with_context(|| shown.clone())?;
    let ending = told(write(&mut file), name, &shown)?;
    file.finish().context(shown)?;
    Ok(Some(ending))
}

/// Writes the page. The recording is verified while it is read, so that the verdict is about what the page shows.
fn page(args: &ExportArgs, progress: &Bytes, name: &str) -> anyhow::Result<Option<Ending>> {
    let allowed = args.allowed_signers.as_deref().map(|path| read_signers(path, None)).transpose()?;
    let (input, watch) = progress.watch(&args.file, allowed.is_some()).with_context(|| name.to_owned())?;
    let reader = Reader::new(input).with_context(|| name.to_owned())?;
    let page = told(Page::read(reader, &title(args), !args.no_player), name, "")?;
    let (checked, hashes) =
        watch.finish(page.version(), allowed.as_ref()).with_context(|| name.to_owned())?;
    let facts = FileFacts {
        name: &args.file.to_string_lossy(),
        checked: &checked,
        hashes: &hashes,
        verified: &jiff::Timestamp::now().round(jiff::Unit::Second)?.to_string(),
    };
    let ending = match &args.output {
        None => to_stdout(name, |out| page.write(&facts, out).map(|()| page.ending()))?,
        Some(path) => to_file(path, name, |out| page.write(&facts, out).map(|()| page.ending()))?,
    };
    super::say_left_out(name, page.left_out());
    if matches!(checked.chain, Followed::Changed { .. }) {
        super::say(&format!("recmode: {name}: {}\n", report::integrity(&checked)));
    }
    if let Some(wrong @ (Signed::Missing | Signed::Wrong(_))) = &checked.signed {
        super::say(&format!("recmode: {name}: {}\n", escape::controls(&report::signature(wrong))));
    }
    Ok(ending)
}

fn typescript(args: &ExportArgs, reader: Reader<cast::Input>, name: &str) -> anyhow::Result<Ending> {
    let Some(path) = &args.output else {
        bail!("a typescript is two files: name the first with -o, the other is called the same with .timing");
    };
    let timing = with_timing(path);
    let open = |path: &Path| Replacement::new(path).with_context(|| escape::path(path));
    let mut sink = Sink { script: open(path)?, timing: open(&timing)? };
    let ending = told(export::typescript(reader, &mut sink), name, &escape::path(path))?;
    sink.script.finish().with_context(|| escape::path(path))?;
    sink.timing.finish().with_context(|| escape::path(&timing))?;
    Ok(ending)
}

fn with_timing(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".timing");
    PathBuf::from(name)
}

/// Says of an error which of the two it is about.
fn told<T>(result: Result<T, ExportError>, input: &str, output: &str) -> anyhow::Result<T> {
    result.map_err(|error| match error {
        ExportError::Read(error) => anyhow::Error::from(error).context(input.to_owned()),
        ExportError::Write(error) => anyhow::Error::from(error).context(output.to_owned()),
    })
}
