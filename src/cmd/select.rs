//! Chooses the set of roles that a command is about, and says on standard error why there is none.

use super::say;
use crate::cli::RoleSelection;
use crate::holders::SelectError;
use crate::policy::RoleSet;
use crate::report;
use crate::roles::{Loaded, Roles};

/// The set that is asked for, and the roles of it; `None` if there is no such set, which has been said.
pub(super) fn select<'a>(
    loaded: &'a Loaded,
    selection: &RoleSelection,
    color: bool,
) -> Option<(&'a Roles, RoleSet)> {
    let (set, user) = (selection.set.as_deref(), selection.user.as_deref());
    let chosen = loaded.choose(set, &selection.role, user);
    let selected = chosen.and_then(|roles| Ok((roles, roles.select(&selection.role, user)?)));
    selected.map_err(|errors| not_selected(&errors, color)).ok()
}

/// Says why nothing was selected.
pub(super) fn not_selected(errors: &[SelectError], color: bool) {
    say(&report::select_errors(errors, color));
    if errors.iter().any(|error| matches!(error, SelectError::Several(_))) {
        say("recmode: choose one of them with --set NAME\n");
    }
}
