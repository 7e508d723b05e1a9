//! What is known from an earlier run: its JSON output, of which only the fingerprints count.

use std::collections::HashSet;

use serde::Deserialize;

/// The schema that is read.
const SCHEMA: &str = "recmode.lint/1";

/// Why a text is no baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// Not the JSON that is expected.
    #[error("is not the output of recmode lint --format json")]
    Json(#[from] serde_json::Error),
    /// Another schema.
    #[error("is of the schema {0:?}, expected {SCHEMA:?}")]
    Schema(String),
}

#[derive(Deserialize)]
struct Tree {
    schema: String,
    findings: Vec<Known>,
}

#[derive(Deserialize)]
struct Known {
    fingerprint: String,
}

/// The fingerprints in a run's JSON.
///
/// # Errors
///
/// If it is something else.
pub fn baseline(text: &str) -> Result<HashSet<String>, BaselineError> {
    let tree: Tree = serde_json::from_str(text)?;
    if tree.schema != SCHEMA {
        return Err(BaselineError::Schema(tree.schema));
    }
    Ok(tree.findings.into_iter().map(|known| known.fingerprint).collect())
}
