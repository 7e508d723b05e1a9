//! Findings as workflow commands, which GitHub Actions shows as annotations in a pull request.
//!
//! The runner reads a command a line, up to the first `::` behind its properties, which commas and
//! colons divide. So `%`, CR and LF are percent-encoded everywhere, and in properties `:` and `,` too
//! (actions/toolkit, packages/core/src/command.ts). What is left of control characters is spelt out.

use std::fmt::Write as _;
use std::io;

use super::View;
use crate::escape;
use crate::lint::{Finding, Report, Severity};

/// A command for each finding; nothing where there is none.
pub(super) fn write(report: &Report, view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    report.findings.iter().try_for_each(|finding| out.write_all(one(finding, view).as_bytes()))
}

fn one(finding: &Finding, view: &View<'_>) -> String {
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let mut out = format!("::{command} file={}", property(&(view.path)(&finding.at.file)));
    if let Some(mark) = &finding.at.mark {
        let _ = write!(out, ",line={},endLine={}", mark.line, mark.end.0);
        // The runner takes columns only within one line.
        if mark.line == mark.end.0 {
            let _ = write!(out, ",col={},endColumn={}", mark.column, mark.end.1);
        }
    }
    let _ = writeln!(out, ",title={}::{}", property(finding.rule), message(finding, view));
    out
}

/// The message with its notes and help, one a line of the annotation.
fn message(finding: &Finding, view: &View<'_>) -> String {
    let mut lines = vec![finding.message.clone()];
    for related in &finding.related {
        let line = related.at.mark.as_ref().map_or(String::new(), |mark| format!(":{}", mark.line));
        lines.push(format!("note: {} ({}{line})", related.label, (view.path)(&related.at.file)));
    }
    lines.extend(finding.omissions().map(|text| format!("note: {text}")));
    lines.extend(finding.help.as_ref().map(|help| format!("help: {help}")));
    // A line break that comes from a file must not begin a line that seems ours.
    let lines: Vec<_> = lines.iter().map(|line| escape::controls(line).replace('%', "%25")).collect();
    lines.join("%0A")
}

/// The value of a property. A path keeps its line breaks, or it would be another file's.
fn property(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '%' | '\r' | '\n' | ':' | ',' => {
                let _ = write!(out, "%{:02X}", u32::from(c));
            }
            _ => out.push_str(&escape::controls(c.encode_utf8(&mut [0; 4]))),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::property;

    #[test]
    fn a_property_can_end_neither_itself_nor_its_command() {
        assert_eq!(property("a%0A,b::error::\r\n\u{1b}"), "a%250A%2Cb%3A%3Aerror%3A%3A%0D%0A\\u{1b}");
    }
}
