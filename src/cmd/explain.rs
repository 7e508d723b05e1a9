//! `recmode explain`: the page of a rule, or the list of all.

use std::fmt::Write as _;

use crate::cli::ExplainArgs;
use crate::exit;
use crate::lint::registry;

/// Prints to standard output.
///
/// # Errors
///
/// If there is no such rule or more than one, or standard output can't be written.
pub fn run(args: &ExplainArgs) -> anyhow::Result<u8> {
    let text = match &args.rule {
        None => list(),
        Some(id) => match (registry::find(id), registry::beginning_with(id).as_slice()) {
            (Some(rule), _) | (None, &[rule]) => rule.docs.to_owned(),
            (None, []) => anyhow::bail!(registry::unknown(id)),
            (None, several) => {
                let ids: Vec<_> = several.iter().map(|rule| rule.id).collect();
                anyhow::bail!("several rules begin with {id:?}: {}", ids.join(", "))
            }
        },
    };
    super::print(text.as_bytes())?;
    Ok(exit::OK)
}

fn list() -> String {
    let width = registry::RULES.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    registry::RULES.iter().fold(String::new(), |mut out, rule| {
        let _ = writeln!(out, "{:width$}  {:7}  {}", rule.id, rule.severity, rule.summary);
        out
    })
}
