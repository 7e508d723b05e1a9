//! Names of users by their ids.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use nix::unistd::{Uid, User};

static KNOWN: Mutex<Option<HashMap<u32, String>>> = Mutex::new(None);

/// The name of a file's owner; the number where nobody has it. Each is looked up once.
#[must_use]
pub fn owner_name(uid: u32) -> String {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    let name = known.entry(uid).or_insert_with(|| {
        let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
        user.map_or_else(|| uid.to_string(), |user| user.name)
    });
    name.clone()
}
