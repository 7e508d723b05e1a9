//! `recmode lint`: check role files for mistakes that are easy to miss.

use std::collections::HashSet;
use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};

use super::{file, progress};
use crate::cli::{ColorWhen, FailOn, LintArgs, LintFormat};
use crate::config::{self, Config, ConfigError};
use crate::lint::{self, Baseline, Input, Repair, Report, Settings, Severity, registry};
use crate::roles::{
    self, Clusters, Exclude, ProblemKind, Progress, SearchOptions, Survey, SurveyedFile, Whereabouts,
};
use crate::{escape, exit, report};

/// Prints the findings. The code is 1 if there is one at or above `--fail-on`, 2 if the roles could
/// not be judged.
///
/// # Errors
///
/// When it could not be judged, or the output can't be written.
pub fn run(args: &LintArgs) -> anyhow::Result<u8> {
    judged(args).map_err(|error| anyhow!(printable(args, format!("{error:#}"))))
}

/// What is printed on stderr, where a runner of GitHub Actions may read it.
fn printable(args: &LintArgs, text: String) -> String {
    match args.format {
        LintFormat::Github | LintFormat::Sarif => escape::commands(&text),
        _ => text,
    }
}

fn say(args: &LintArgs, text: String) {
    super::say(&printable(args, text));
}

fn judged(args: &LintArgs) -> anyhow::Result<u8> {
    if args.dry_run && args.format != LintFormat::Human {
        bail!("--dry-run prints a patch and takes no --format");
    }
    let here = env::current_dir().context("the current directory")?;
    let color = super::color::wanted(args.color, &io::stderr());
    let (config, root) = match configuration(args, &here) {
        Ok(found) => found,
        Err(error) => {
            say(args, report::config_error(&error, color));
            return Ok(exit::TROUBLE);
        }
    };
    let paths = paths(args, &config, &here, &root);
    let settings = settings(args, &config)?;
    let least = args.fail_on.map(severity).or(config.fail_on).unwrap_or(Severity::Warning);
    let path = |name: &str| below(&root, &here, name);

    if args.fix && !args.dry_run && paths.len() > 1 && paths.iter().any(|path| roles::is_stream(path)) {
        bail!("with --fix a stream has to be the only path: its repaired text goes to standard output");
    }
    if args.stdin_name.is_some() && !paths.iter().any(|path| roles::is_stdin(path)) {
        bail!("--stdin-name names the text from standard input, and no path is -");
    }
    if let Some(missing) = config.clusters.iter().find(|cluster| !root.join(&*cluster.folder).is_dir()) {
        let message = "the folder of this cluster does not exist".to_owned();
        super::say(&report::config_error(&ConfigError { message, at: missing.at.clone() }, color));
        return Ok(exit::TROUBLE);
    }
    let dialect = args.dialect.or(config.dialect).unwrap_or_default();
    let exclude = exclude(&config, &here, &root);
    let clusters = clusters(&config, &here, &root);
    let stdin = args.stdin_name.as_deref();
    let options = SearchOptions { dialect, stdin, exclude: exclude.as_ref(), clusters: clusters.as_ref() };
    let mut survey = read(args, &paths, &options);
    refuse_to_overwrite(args, &survey, &paths, &config)?;
    // What came to nothing has most likely failed; an empty file is somebody's.
    let is_nothing = |file: &SurveyedFile| {
        file.path.is_none() && file.text.as_ref().is_some_and(|text| text.trim_ascii().is_empty())
    };
    if let Some(stream) = survey.files.iter().find(|file| is_nothing(file)) {
        bail!(
            "{}: nothing came from this stream, so there is nothing to judge",
            escape::controls(&stream.file)
        );
    }
    let judge = |survey: &Survey| {
        let is_whole = args.paths.is_empty();
        let input = Input {
            dialect,
            is_dialect_chosen: args.dialect.or(config.dialect).is_some(),
            is_whole,
            require: &config.require,
            expect: &config.expect,
            ..Input::new(survey)
        };
        lint::run(&input, &settings, &path)
    };
    let mut found = judge(&survey);
    if survey.files.is_empty() && verdict(args, &survey, &found, least) == exit::TROUBLE {
        return Ok(exit::TROUBLE);
    }
    if args.fix {
        let repairs = lint::repairs(&survey, &judge);
        if args.dry_run {
            let texts = repairs.iter().map(|repair| (Arc::clone(&repair.file), repair.after.clone()));
            let left = judge(&survey.with_texts(&texts.collect())).findings.len();
            return dry_run(args, &survey, &found, &repairs, left, &here, least);
        }
        if paths.iter().any(|path| roles::is_stream(path)) {
            let path = |name: &str| repository_path(&root, &here, name);
            return filter(args, &survey, &repairs, &judge, &path, least);
        }
        found.summary.fixed = make(&survey, &repairs)?;
        if found.summary.fixed > 0 {
            let fixed = found.summary.fixed;
            survey = read(args, &paths, &options);
            found = judge(&survey);
            found.summary.fixed = fixed;
        }
    }
    write(args, &found, &|name| repository_path(&root, &here, name), least)?;
    Ok(verdict(args, &survey, &found, least))
}

/// The configuration, and the folder that its paths and the fingerprints are relative to.
fn configuration(args: &LintArgs, here: &Path) -> Result<(Config, PathBuf), config::ConfigError> {
    let found = config::find(here);
    if args.no_config {
        return Ok((Config::default(), found.root));
    }
    let file = match (&args.config, &found.file) {
        (Some(file), _) => file.clone(),
        (None, Some(file)) => file.strip_prefix(here).unwrap_or(file).to_owned(),
        (None, None) => return Ok((Config::default(), found.root)),
    };
    let name: Arc<str> = escape::utf8(file.as_os_str().as_encoded_bytes()).into();
    if let (None, Some(second)) = (&args.config, &found.second) {
        let second = second.strip_prefix(here).unwrap_or(second);
        return Err(config::second(escape::utf8(second.as_os_str().as_encoded_bytes()).into(), &name));
    }
    let root = if args.config.is_some() { config::find(here).root } else { found.root };
    Ok((config::read(&file, &name)?, root))
}

/// What to look at: the arguments, else the configuration's paths, else this directory.
fn paths(args: &LintArgs, config: &Config, here: &Path, root: &Path) -> Vec<PathBuf> {
    if !args.paths.is_empty() {
        return args.paths.clone();
    }
    if config.paths.is_empty() {
        return vec![PathBuf::from(".")];
    }
    let shown = |path: PathBuf| match path.strip_prefix(here) {
        Ok(rest) if rest == Path::new("") => PathBuf::from("."),
        Ok(rest) => rest.to_owned(),
        Err(_) => path,
    };
    config.paths.iter().map(|path| shown(root.join(path))).collect()
}

/// What the configuration leaves out of folders: what a pattern matches, or a folder that it is in.
fn exclude(config: &Config, here: &Path, root: &Path) -> Option<Exclude> {
    if config.exclude.is_empty() {
        return None;
    }
    let (patterns, here, root) = (config.exclude.clone(), here.to_owned(), root.to_owned());
    Some(Arc::new(move |path| {
        let path = normal(&here.join(path));
        let Ok(path) = path.strip_prefix(&root) else { return false };
        let mut parts = path.ancestors().filter(|part| *part != Path::new(""));
        parts.any(|part| patterns.iter().any(|pattern| pattern.matches(&part.to_string_lossy())))
    }))
}

/// Which folders are clusters.
fn clusters(config: &Config, here: &Path, root: &Path) -> Option<Clusters> {
    if config.clusters.is_empty() {
        return None;
    }
    let (clusters, here, root) = (config.clusters.clone(), here.to_owned(), root.to_owned());
    Some(Arc::new(move |path| {
        let path = below(&root, &here, &path.to_string_lossy());
        match clusters.iter().find(|cluster| cluster.holds(&path)) {
            Some(cluster) => Whereabouts::In(Arc::clone(&cluster.name)),
            None if clusters.iter().any(|cluster| cluster.is_below(&path)) => Whereabouts::Above(path),
            None => Whereabouts::Elsewhere,
        }
    }))
}

/// Refuses an output that would replace something that is judged or judges. The output of an earlier run, which
/// a search finds too, is neither.
fn refuse_to_overwrite(
    args: &LintArgs,
    survey: &Survey,
    paths: &[PathBuf],
    config: &Config,
) -> anyhow::Result<()> {
    let Some(output) = output(args) else { return Ok(()) };
    let identity = |path: &Path| {
        let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
        Some((metadata.dev(), metadata.ino()))
    };
    let Some(target) = identity(output) else { return Ok(()) };
    let with_something = survey.files_with_something();
    let files = survey.files.iter().filter(|file| file.named || with_something.contains(&file.file));
    let files = files.filter_map(|file| file.path.as_deref());
    let config = Path::new(&*config.file);
    let inputs =
        files.chain(paths.iter().map(PathBuf::as_path)).chain(args.baseline.as_deref()).chain([config]);
    if inputs.map(identity).any(|input| input == Some(target)) {
        bail!("{}: is an input, which -o would overwrite", escape::path(output));
    }
    Ok(())
}

/// The file of `-o`; none where it is standard output.
fn output(args: &LintArgs) -> Option<&Path> {
    args.output.as_deref().filter(|output| *output != Path::new("-"))
}

fn settings(args: &LintArgs, config: &Config) -> anyhow::Result<Settings> {
    let mut levels = config.rules.clone();
    let mut said = HashSet::new();
    let flags =
        [(&args.allow, None), (&args.warn, Some(Severity::Warning)), (&args.deny, Some(Severity::Error))];
    for (rules, level) in flags {
        for rule in rules {
            if registry::find(rule).is_none() {
                bail!(registry::unknown(rule));
            }
            if !said.insert((rule, level)) {
                continue;
            }
            if said.iter().filter(|(other, _)| *other == rule).count() > 1 {
                bail!("{rule} is given two severities: only one of -A, -W and -D makes sense");
            }
            levels.insert(rule.clone(), level);
        }
    }
    let baseline = match &args.baseline {
        None => Baseline::default(),
        Some(file) => {
            let name = || escape::path(file);
            let text = fs::read_to_string(file).with_context(name)?;
            Baseline::parse(&text, file.to_string_lossy().into()).with_context(name)?
        }
    };
    Ok(Settings { levels, ignore: config.ignore.clone(), baseline })
}

/// The path of a file from the root of what is judged, as globs and fingerprints see it.
fn below(root: &Path, here: &Path, name: &str) -> String {
    let path = normal(&here.join(name));
    path.strip_prefix(root).unwrap_or(Path::new(name)).to_string_lossy().into_owned()
}

/// The path of a file from the repository's root, where CI systems look for it; from the
/// configuration's where there is no repository; the absolute path of a file that is elsewhere.
fn repository_path(root: &Path, here: &Path, name: &str) -> String {
    let path = normal(&here.join(name));
    let root = config::repository(here).unwrap_or(root);
    path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned()
}

/// The path without `.` and `..`, which nobody who compares paths expects; symbolic links are not followed.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

/// Reads the files.
fn read(args: &LintArgs, paths: &[PathBuf], options: &SearchOptions<'_>) -> Survey {
    if args.quiet {
        roles::survey(paths, options, &Progress::default())
    } else {
        progress::shown(paths, |progress| roles::survey(paths, options, progress))
    }
}

/// Writes what `--fix` would change as a unified diff; it would leave `left` findings.
fn dry_run(
    args: &LintArgs,
    survey: &Survey,
    found: &Report,
    repairs: &[Repair],
    left: usize,
    here: &Path,
    least: Severity,
) -> anyhow::Result<u8> {
    let color = match output(args) {
        None => super::color::wanted(args.color, &io::stdout()),
        Some(_) => args.color == ColorWhen::Always,
    };
    let base = patch_base(repairs, here);
    let path = |name: &str| {
        let path = normal(&here.join(name));
        path.strip_prefix(base).unwrap_or(&path).to_string_lossy().into_owned()
    };
    put(args, report::lint::diff(repairs, color, &path).as_bytes())?;
    if !args.quiet {
        if base != here && !repairs.is_empty() {
            say(args, format!("recmode: the paths of this patch are from {}\n", escape::path(base)));
        }
        let count: usize = repairs.iter().map(|repair| repair.findings).sum();
        say(args, format!("recmode: {count} findings would be repaired, {left} would be left\n"));
    }
    Ok(verdict(args, survey, found, least))
}

/// The folder that the paths of a patch are from: the current one if all files are below it, else the
/// repository's root, else the root of all.
fn patch_base<'a>(repairs: &[Repair], here: &'a Path) -> &'a Path {
    let holds =
        |base: &&Path| repairs.iter().all(|repair| normal(&here.join(&*repair.file)).starts_with(base));
    let bases = std::iter::once(here).chain(config::repository(here));
    bases.into_iter().find(holds).unwrap_or(Path::new("/"))
}

/// `--fix` on a stream: the repaired text goes to standard output, the findings that are left to
/// standard error.
fn filter(
    args: &LintArgs,
    survey: &Survey,
    repairs: &[Repair],
    judge: &dyn Fn(&Survey) -> Report,
    path: &dyn Fn(&str) -> String,
    least: Severity,
) -> anyhow::Result<u8> {
    if args.output.is_some() && output(args).is_none() {
        bail!("with --fix the repaired text of a stream goes to standard output, so -o has to name a file");
    }
    let repair = repairs.first();
    let texts = repair.map(|repair| (Arc::clone(&repair.file), repair.after.clone())).into_iter().collect();
    let mut found = judge(&survey.with_texts(&texts));
    found.summary.fixed = repair.map_or(0, |repair| repair.findings);
    let text = repair.map(|repair| &repair.after);
    let to_stderr = || -> anyhow::Result<()> {
        let (text, cut) = written(args, &found, path, &io::stderr(), least)?;
        // These are commands if they are to be.
        super::say(&String::from_utf8_lossy(&text));
        report_cut(args, cut);
        Ok(())
    };
    let Some(text) = text.or(survey.files.first().and_then(|file| file.text.as_ref())) else {
        verdict(args, survey, &found, least);
        to_stderr()?;
        bail!("this stream is no text, so there is nothing to repair");
    };
    super::print(text.as_bytes())?;
    if args.output.is_some() {
        write(args, &found, path, least)?;
    } else {
        to_stderr()?;
    }
    Ok(verdict(args, survey, &found, least))
}

/// Writes the repaired files; says how many findings that repairs.
fn make(survey: &Survey, repairs: &[Repair]) -> anyhow::Result<usize> {
    let mut fixed = 0;
    for repair in repairs {
        // What came from a stream has nowhere to go.
        let Some(path) = survey.file(&repair.file).and_then(|file| file.path.as_ref()) else { continue };
        file::replace(path, repair.after.as_bytes()).with_context(|| escape::path(path))?;
        fixed += repair.findings;
    }
    Ok(fixed)
}

fn write(
    args: &LintArgs,
    found: &Report,
    path: &dyn Fn(&str) -> String,
    least: Severity,
) -> anyhow::Result<()> {
    let (text, cut) = written(args, found, path, &io::stdout(), least)?;
    put(args, &text)?;
    report_cut(args, cut);
    Ok(())
}

/// Reports what the output lacks.
fn report_cut(args: &LintArgs, cut: Vec<String>) {
    for cut in cut {
        say(args, format!("recmode: {cut}\n"));
    }
}

/// Writes to the file of `-o`, else to standard output.
fn put(args: &LintArgs, text: &[u8]) -> anyhow::Result<()> {
    match output(args) {
        None => super::print(text),
        Some(path) => file::replace(path, text).with_context(|| escape::path(path)),
    }
}

/// The findings as they are to be written to `stream`, or to the file of `-o`, and what was left out.
fn written(
    args: &LintArgs,
    found: &Report,
    path: &dyn Fn(&str) -> String,
    stream: &impl io::IsTerminal,
    least: Severity,
) -> anyhow::Result<(Vec<u8>, Vec<String>)> {
    let color = match output(args) {
        None => super::color::wanted(args.color, stream),
        Some(_) => args.color == ColorWhen::Always,
    };
    let view = report::lint::View { color, quiet: args.quiet, least, path };
    let mut out = Vec::new();
    let cut = report::lint::write(found, args.format, &view, &mut out)?;
    Ok((out, cut))
}

/// Says what could not be looked at, and gives the exit code.
fn verdict(args: &LintArgs, survey: &Survey, found: &Report, least: Severity) -> u8 {
    let color = super::color::wanted(args.color, &io::stderr());
    let mut trouble = false;
    for problem in &survey.problems {
        let named = survey.file(&problem.site.file).is_some_and(|file| file.named);
        let is_trouble = lint::is_trouble(&problem.kind, named)
            || problem.kind == ProblemKind::NoRoleInFolder && !args.allow_empty;
        trouble |= is_trouble;
        if is_trouble || lint::is_note(&problem.kind) {
            say(args, report::problem(problem, color));
        }
    }
    if trouble {
        return exit::TROUBLE;
    }
    if !args.exit_zero && found.worst() >= Some(least) {
        return exit::NO;
    }
    // Users and templates alone are no set of roles to judge.
    if survey.roles.is_empty() && !survey.folders.is_empty() && !args.allow_empty {
        let folders: Vec<_> = survey.folders.iter().map(|folder| escape::controls(folder)).collect();
        say(args, format!("recmode: no role was read in {}\n", folders.join(", ")));
        return exit::TROUBLE;
    }
    exit::OK
}

fn severity(fail_on: FailOn) -> Severity {
    match fail_on {
        FailOn::Info => Severity::Info,
        FailOn::Warning => Severity::Warning,
        FailOn::Error => Severity::Error,
    }
}
