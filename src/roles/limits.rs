//! The bounds within which role files are read. Beyond one: a clear error, never a crash or a hang.

/// Bytes of one file or stream.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// Bytes of one YAML document or one JSON file. The file itself may hold any number of documents
/// up to [`MAX_FILE_BYTES`]; they are read one by one.
pub const MAX_DOCUMENT_BYTES: usize = 64 << 20;

/// Bytes of one Terraform file.
pub const MAX_HCL_BYTES: usize = 1 << 20;

/// Bytes that the expressions of one Terraform file, or the locals of one module, may come to; each key
/// and value counts as 128 and its text. What is beyond is unknown.
pub const MAX_EVALUATED_BYTES: usize = 64 << 20;

/// Bytes of one scalar: a key, a name or a value.
pub const MAX_SCALAR_BYTES: usize = 1 << 20;

/// Levels of nesting in one document.
pub const MAX_DEPTH: usize = 128;

/// Keys, values and collections in one resource: one document, or one item of a document that is
/// an array.
pub const MAX_NODES: usize = 1_000_000;

/// Keys, values and collections that one document may come to when its aliases are replaced by
/// what they stand for. Nothing is expanded in order to count them.
pub const MAX_EXPANDED_NODES: u64 = 10_000_000;

/// Levels of folders below one that was named.
pub const MAX_FOLDER_DEPTH: usize = 64;

/// The same for a [`Survey`](super::Survey).
pub const MAX_FINDINGS_PER_FILE: usize = 10_000;

/// Errors, and as many warnings, that are kept of one file; further ones are counted.
pub const MAX_PROBLEMS_PER_FILE: usize = 100;
