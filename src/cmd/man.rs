//! `recmode man`: the manual, made from the command line's definition and the texts beside it.
//!
//! The output depends on nothing but those: no date, no environment.

mod text;

use std::fs;

use anyhow::Context as _;
use clap::{Arg, ArgAction, Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use self::text::Page;
use crate::cli::{Cli, ManArgs};
use crate::{escape, exit, play};

/// Prints recmode(1), or writes all pages into a directory, which is created if it is missing.
///
/// # Errors
///
/// When a page, or standard output, can't be written.
pub fn run(args: &ManArgs) -> anyhow::Result<u8> {
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    let Some(directory) = &args.out else {
        super::print(page(&root, &root, text::ROOT)?.as_bytes())?;
        return Ok(exit::OK);
    };
    let write = |name: String, page: String| {
        let path = directory.join(name);
        fs::write(&path, page).with_context(|| escape::path(&path))
    };
    fs::create_dir_all(directory).with_context(|| escape::path(directory))?;
    write("recmode.1".to_owned(), page(&root, &root, text::ROOT)?)?;
    for command in root.get_subcommands() {
        let text = text::of(command.get_name())
            .with_context(|| format!("the manual lacks a text for {}", command.get_name()))?;
        write(format!("recmode-{}.1", command.get_name()), page(&root, command, text)?)?;
    }
    Ok(exit::OK)
}

/// A whole page.
fn page(root: &Command, command: &Command, text: &Page) -> anyhow::Result<String> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let version = format!("recmode {}", root.get_version().unwrap_or_default());
    let man = Man::new(command.clone());
    let mut options = Vec::new();
    man.render_options_section(&mut options)?;
    let mut description = Vec::new();
    // A one-line description is the NAME line again; it stands only where there is nothing else.
    if command.get_long_about().is_some() || text.description.is_empty() {
        man.render_description_section(&mut description)?;
    } else {
        let mut heading = Roff::new();
        heading.control("SH", ["DESCRIPTION"]);
        heading.to_writer(&mut description)?;
    }

    let mut head = Roff::new();
    // An empty date has to be written as such, or the version would take its place.
    head.control("TH", [name, "1", "\"\"", version.as_str(), "recmode manual"]);
    head.control("SH", ["NAME"]);
    head.text([roman(format!("{name} - {}", about(command)))]);
    head.control("SH", ["SYNOPSIS"]);
    head.text(synopsis(command));

    let mut more = Roff::new();
    for paragraph in text.description {
        more.control("PP", []);
        more.text([roman(*paragraph)]);
    }

    let mut tail = Roff::new();
    if command.has_subcommands() {
        tail.control("SH", ["COMMANDS"]);
        for sub in command.get_subcommands() {
            tail.control("TP", []);
            tail.text([bold(format!("recmode-{}", sub.get_name())), roman("(1)")]);
            tail.text([roman(about(sub))]);
        }
    }
    if command.get_name() == "play" {
        definitions(&mut tail, "KEYS", &play::KEYS, "");
    }
    definitions(&mut tail, "EXIT STATUS", text.exit_status, "");
    if !text.diagnostics.is_empty() {
        definitions(&mut tail, "DIAGNOSTICS", text.diagnostics, "");
    }
    definitions(&mut tail, "FILES", text.files, "None but those that are named.");
    definitions(&mut tail, "ENVIRONMENT", text.environment, "No variable is read.");
    examples(&mut tail, text.examples);
    see_also(&mut tail, root, command);

    let mut page = head.render();
    for part in [String::from_utf8(description)?, more.render(), String::from_utf8(options)?, tail.render()] {
        // Each part starts with the same definitions; a page needs them once.
        page.push_str(part.strip_prefix(Roff::new().render().as_str()).unwrap_or(&part));
    }
    Ok(page)
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

/// The command with all its options and their values; clap_mangen's has no values.
fn synopsis(command: &Command) -> Vec<Inline> {
    let mut line = vec![bold(command.get_bin_name().unwrap_or_else(|| command.get_name()))];
    let options = command.get_arguments().filter(|arg| !arg.is_hide_set());
    let (positional, options): (Vec<_>, Vec<_>) = options.partition(|arg| arg.is_positional());
    for arg in options.into_iter().chain(positional) {
        if matches!(arg.get_id().as_str(), "help" | "version") {
            continue;
        }
        let (open, close) = if arg.is_required_set() { (" ", "") } else { (" [", "]") };
        line.push(roman(open));
        if let Some(long) = arg.get_long() {
            line.push(bold(format!("--{long}")));
        }
        if takes_values(arg) {
            if !arg.is_positional() {
                line.push(roman(" "));
            }
            line.push(italic(arg.get_value_names().unwrap_or_default().join(" ")));
        }
        let values = arg.get_num_args().is_some_and(|range| range.max_values() > 1);
        let repeated = !values && matches!(arg.get_action(), ArgAction::Append);
        line.push(roman(if values { "..." } else { "" }));
        line.push(roman(close));
        line.push(roman(if repeated { "..." } else { "" }));
    }
    if command.has_subcommands() {
        line.extend([roman(" "), italic("COMMAND"), roman(" ...")]);
    }
    line
}

fn takes_values(arg: &Arg) -> bool {
    arg.get_num_args().is_some_and(|range| range.takes_values())
}

/// A section of terms and their meanings; `none` is said where there are none.
fn definitions(roff: &mut Roff, title: &str, table: &[(&str, &str)], none: &str) {
    roff.control("SH", [title]);
    if table.is_empty() {
        roff.text([roman(none)]);
    }
    for (term, meaning) in table {
        roff.control("TP", []);
        roff.text([bold(*term)]);
        roff.text([roman(*meaning)]);
    }
}

fn examples(roff: &mut Roff, examples: &[(&str, &str)]) {
    roff.control("SH", ["EXAMPLES"]);
    for (what, command) in examples {
        roff.control("PP", []);
        roff.text([roman(format!("{what}:"))]);
        roff.control("PP", []);
        roff.control("in", ["+4n"]);
        roff.control("nf", []);
        roff.text([bold(*command)]);
        roff.control("fi", []);
        roff.control("in", []);
    }
}

/// All the other pages.
fn see_also(roff: &mut Roff, root: &Command, command: &Command) {
    let mut names: Vec<String> =
        root.get_subcommands().map(|sub| format!("recmode-{}", sub.get_name())).collect();
    names.insert(0, "recmode".to_owned());
    let own = command.get_display_name().unwrap_or_else(|| command.get_name());
    names.retain(|name| name != own);
    names.extend(text::ELSEWHERE.iter().map(|&name| name.to_owned()));
    roff.control("SH", ["SEE ALSO"]);
    let last = names.len() - 1;
    let line = names
        .into_iter()
        .enumerate()
        .flat_map(|(index, name)| [bold(name), roman(if index == last { "(1)" } else { "(1), " })]);
    roff.text(line.collect::<Vec<_>>());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subcommand_has_a_text_and_every_text_a_subcommand() {
        let root = Cli::command();
        let mut commands: Vec<_> = root.get_subcommands().map(Command::get_name).collect();
        let mut texts: Vec<_> = text::PAGES.iter().map(|(name, _)| *name).collect();
        commands.sort_unstable();
        texts.sort_unstable();
        assert_eq!(commands, texts);
    }
}
