//! The three messages of the contract, word for word (Teleport RFD 68). Pure.

use crate::policy::SessionKind;

/// How lines end where a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// A stream, or a terminal that makes CR LF of it.
    Lf,
    /// A terminal in raw mode.
    CrLf,
}

fn lines(lines: &[&str], end: LineEnd) -> String {
    let end = if end == LineEnd::CrLf { "\r\n" } else { "\n" };
    lines.iter().flat_map(|line| [*line, end]).collect()
}

/// Message A: strict, the recording could not be started.
#[must_use]
pub fn refused(kind: SessionKind) -> String {
    lines(
        &["Session could not start due to node error.", &format!("ERROR: {kind}: could not start shell")],
        LineEnd::Lf,
    )
}

/// Message B: strict, the recording failed in the session or at its end.
#[must_use]
pub fn terminating(end: LineEnd) -> String {
    lines(&["", "Session terminating due to node error.", "Closing session..."], end)
}

/// Message C: best effort, the recording failed.
#[must_use]
pub fn warning(end: LineEnd) -> String {
    lines(&["Warning: node error. This might cause some functionalities not to work correctly."], end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_are_those_of_the_contract() {
        assert_eq!(
            refused(SessionKind::K8s),
            "Session could not start due to node error.\nERROR: k8s: could not start shell\n"
        );
        assert_eq!(
            terminating(LineEnd::CrLf),
            "\r\nSession terminating due to node error.\r\nClosing session...\r\n"
        );
        assert_eq!(
            warning(LineEnd::Lf),
            "Warning: node error. This might cause some functionalities not to work correctly.\n"
        );
    }
}
