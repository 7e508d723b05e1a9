//! Findings for people: the message, the annotated source line, notes and help, as rustc does it.

use std::fmt::Write as _;
use std::io;

use crate::escape;
use crate::lint::{Finding, Report, Severity, Summary};
use crate::report::source;
use crate::report::style::{BLUE, BOLD, GREEN, RED, YELLOW, paint};
use crate::roles::Site;

/// All findings and, unless `quiet`, the summary line.
pub(super) fn write(report: &Report, color: bool, quiet: bool, out: &mut dyn io::Write) -> io::Result<()> {
    for finding in &report.findings {
        out.write_all(one(finding, color).as_bytes())?;
        out.write_all(b"\n")?;
    }
    if !quiet {
        out.write_all(summary(&report.summary, color).as_bytes())?;
    }
    Ok(())
}

fn one(finding: &Finding, color: bool) -> String {
    let style = match finding.severity {
        Severity::Error => RED,
        Severity::Warning => YELLOW,
        Severity::Info => BLUE,
    };
    let sites = std::iter::once(&finding.at).chain(finding.related.iter().map(|related| &related.at));
    let lines = sites.filter_map(|site| Some(site.mark.as_ref()?.line));
    let margin = lines.max().unwrap_or(0).to_string().len();
    let blank = " ".repeat(margin);

    let mut out = String::new();
    let head = paint(color, style, &format!("{}[{}]", finding.severity, finding.rule));
    let message = paint(color, BOLD, &format!(": {}", escape::controls(&finding.message)));
    let _ = writeln!(out, "{head}{message}");
    place(&mut out, &finding.at, margin, (style, '^'), color);
    for related in &finding.related {
        let label = escape::controls(&related.label);
        let _ = writeln!(
            out,
            "{blank} {} {}",
            paint(color, BLUE, "="),
            paint(color, BOLD, &format!("note: {label}"))
        );
        place(&mut out, &related.at, margin, (BLUE, '-'), color);
    }
    if let Some(more) = finding.omissions() {
        let note = paint(color, BOLD, &format!("note: {more}"));
        let _ = writeln!(out, "{blank} {} {note}", paint(color, BLUE, "="));
    }
    if let Some(help) = &finding.help {
        let head = paint(color, GREEN, "help:");
        let _ = writeln!(out, "{blank} {} {head} {}", paint(color, BLUE, "="), escape::controls(help));
    }
    out
}

fn place(out: &mut String, site: &Site, margin: usize, sign: (&str, char), color: bool) {
    let blank = " ".repeat(margin);
    let file = escape::controls(&site.file);
    let arrow = paint(color, BLUE, "-->");
    let Some(mark) = &site.mark else {
        let _ = writeln!(out, "{blank}{arrow} {file}");
        return;
    };
    let _ = writeln!(out, "{blank}{arrow} {file}:{}:{}", mark.line, mark.column);
    let _ = writeln!(out, "{blank} {}", paint(color, BLUE, "|"));
    source::line(out, mark, margin, sign, color);
}

/// `3 findings in 31 roles in 12 files: 1 error, 2 warnings; 1 suppressed`
fn summary(summary: &Summary, color: bool) -> String {
    let found = summary.errors + summary.warnings + summary.infos;
    let input = format!("{} in {}", count(summary.roles, "role"), count(summary.files, "file"));
    let mut more = String::new();
    let unread = if summary.unread_ignored == 1 { "unread role ignored" } else { "unread roles ignored" };
    for (number, what) in [
        (summary.suppressed, "suppressed"),
        (summary.unread_ignored, unread),
        (summary.baseline, "in the baseline"),
        (summary.fixed, "repaired"),
    ] {
        if number > 0 {
            let _ = write!(more, "{} {number} {what}", if more.is_empty() { ";" } else { "," });
        }
    }
    if found == 0 {
        return format!("{} in {input}{more}\n", paint(color, GREEN, "no findings"));
    }
    let parts: Vec<_> = [(summary.errors, "error"), (summary.warnings, "warning"), (summary.infos, "info")]
        .into_iter()
        .filter(|&(number, _)| number > 0)
        .map(|(number, what)| if what == "info" { format!("{number} info") } else { count(number, what) })
        .collect();
    let found = paint(color, BOLD, &count(found, "finding"));
    format!("{found} in {input}: {}{more}\n", parts.join(", "))
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
