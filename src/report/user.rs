//! Users of recordings, for people.

/// The user that a recording names, with the owner of the file where that is another one: the name is the recording's own
/// word.
#[must_use]
pub fn marked_user(user: &str, owner: Option<&str>) -> String {
    match owner.filter(|&owner| owner != user) {
        Some(owner) => format!("{user} (owner {owner})"),
        None => user.to_owned(),
    }
}
