//! `recmode schema`: the JSON Schemas that editors and other tools use.

use crate::cli::{SchemaArgs, SchemaOf};
use crate::exit;

/// Prints a schema to standard output.
///
/// # Errors
///
/// When standard output can't be written.
pub fn run(args: &SchemaArgs) -> anyhow::Result<u8> {
    let text = match args.what {
        SchemaOf::Config => include_str!("../../schemas/config.schema.json"),
        SchemaOf::Role => include_str!("../../schemas/role.schema.json"),
    };
    super::print(text.as_bytes())?;
    Ok(exit::OK)
}
