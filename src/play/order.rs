//! Whether what is to be played begins before it ends.

use std::io::BufRead;

use super::{Place, Plan, PlayError, source};
use crate::recording::reader::{Code, Item, Reader};

/// An error where the end is before the beginning, as far as that can be known before it is played.
pub(super) fn check_order(plan: &Plan) -> Result<(), PlayError> {
    match (&plan.from, &plan.to) {
        (Some(Place::Time(from)), Some(Place::Time(to))) if from > to => Err(PlayError::Backwards),
        (Some(from), Some(Place::Marker(to)))
            if std::fs::metadata(&plan.path).is_ok_and(|it| it.is_file()) =>
        {
            let reader = source::reader(plan)?;
            if is_only_before(reader, from, to) { Err(PlayError::Backwards) } else { Ok(()) }
        }
        _ => Ok(()),
    }
}

/// Whether a marker comes before a place, and neither at its time nor after it.
fn is_only_before(reader: Reader<impl BufRead>, place: &Place, marker: &str) -> bool {
    // The times of the beginning, once it is known, and of the last such marker.
    let (mut begin, mut last) = (None, None);
    for item in reader.map_while(Result::ok) {
        let Item::Event(event) = item else { continue };
        let is_marker = |text: &str| event.code == Code::Marker && event.data == text;
        let begins = match place {
            Place::Time(time) => (event.time >= *time).then_some(*time),
            Place::Marker(text) => is_marker(text).then_some(event.time),
        };
        begin = begin.or(begins);
        if is_marker(marker) {
            last = Some(event.time);
            if begin.is_some() {
                return false;
            }
        }
    }
    matches!((begin, last), (Some(begin), Some(last)) if last < begin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_looked_for_after_the_beginning() {
        let text = "{\"version\":3,\"term\":{\"cols\":80,\"rows\":24}}\n[1.0,\"m\",\"a\"]\n[1.0,\"m\",\"b\"]\n[1.0,\"m\",\"a\"]\n[1.0,\"o\",\"end\"]\n\
             [1.0,\"m\",\"y\"]\n[0.0,\"m\",\"x\"]\n";
        let only_before = |place: Place, marker: &str| {
            is_only_before(Reader::new(text.as_bytes()).expect("a header"), &place, marker)
        };
        let marker = |text: &str| Place::Marker(text.to_owned());
        assert!(
            !only_before(marker("a"), "b") && !only_before(marker("b"), "a"),
            "there is another one after it"
        );
        assert!(only_before(Place::Time(2_500_000), "b") && only_before(marker("x"), "a"));
        assert!(!only_before(Place::Time(2_500_000), "a"));
        // The same place is not after it.
        assert!(!only_before(Place::Time(3_000_000), "a") && !only_before(marker("b"), "b"));
        assert!(!only_before(marker("x"), "y") && !only_before(marker("y"), "x"));
        // What is not there at all is another error.
        assert!(!only_before(Place::Time(0), "c") && !only_before(marker("c"), "a"));
    }
}
