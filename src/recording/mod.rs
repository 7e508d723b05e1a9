//! Recordings of sessions: asciicast files with recmode's own records in them.

pub mod reader;
