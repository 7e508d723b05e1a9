//! Who gets in, and under which mode: the roles' answer for a user, or what holds where there is
//! none. Pure.

use crate::holders::SelectError;
use crate::policy::{Mode, RoleSet, SessionKind};
use crate::roles::Loaded;

use super::UnknownUser;

/// A user's way in.
#[derive(Debug, Clone)]
pub enum Admission {
    /// A session under this mode.
    Session {
        /// The mode.
        mode: Mode,
        /// The user's roles; `None` where the roles don't know the user or could not be judged.
        roles: Option<RoleSet>,
    },
    /// No session: the roles don't know the user.
    Refused,
}

impl Admission {
    /// The admission of a user. `Err` in `roles` is that they could not be read.
    ///
    /// Without roles that can be judged nobody is known, and nobody gets less than strict.
    ///
    /// # Errors
    /// Beside it: what the user's roles can't be known for.
    #[must_use]
    pub fn of(
        user: &str,
        kind: SessionKind,
        unknown: UnknownUser,
        roles: Option<&Loaded>,
    ) -> (Self, Vec<SelectError>) {
        let Some(roles) = roles else { return (Self::unjudged(unknown), Vec::new()) };
        match roles.select(&[], Some(user)) {
            Ok(set) => {
                let answer = set.resolve(kind);
                if let Some(mode) = answer.mode {
                    return (Self::Session { mode, roles: Some(set) }, Vec::new());
                }
                let unknown_mode = answer.unknown.into_iter().map(|setting| SelectError::UserModeUnknown {
                    user: user.into(),
                    role: setting.role,
                    option: setting.option,
                    at: setting.at,
                    reason: setting.reason,
                });
                (Self::unjudged(unknown), unknown_mode.collect())
            }
            Err(errors) if matches!(errors[..], [SelectError::UnknownUser { .. }]) => {
                let session = |mode| Self::Session { mode, roles: None };
                let admission = match unknown {
                    UnknownUser::Strict => session(Mode::Strict),
                    UnknownUser::BestEffort => session(Mode::BestEffort),
                    UnknownUser::Refuse => Self::Refused,
                };
                (admission, Vec::new())
            }
            Err(errors) => (Self::unjudged(unknown), errors),
        }
    }

    fn unjudged(unknown: UnknownUser) -> Self {
        match unknown {
            UnknownUser::Refuse => Self::Refused,
            UnknownUser::Strict | UnknownUser::BestEffort => {
                Self::Session { mode: Mode::Strict, roles: None }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roles::load_texts;

    const ROLES: &str = "\
kind: role
version: v7
metadata: {name: admin}
spec: {options: {record_session: {default: best_effort}}}
---
kind: role
version: v7
metadata: {name: prod}
spec: {options: {record_session: {ssh: strict}}}
---
kind: user
version: v2
metadata: {name: alice}
spec: {roles: [prod]}
---
kind: user
version: v2
metadata: {name: root}
spec: {roles: [admin]}
---
kind: user
version: v2
metadata: {name: lost}
spec: {roles: [admin, gone]}
";

    fn mode(user: &str, unknown: UnknownUser) -> (Option<Mode>, usize) {
        let roles = load_texts(vec![("roles.yaml".to_owned(), ROLES.into())]).expect("roles");
        let (admission, errors) = Admission::of(user, SessionKind::Ssh, unknown, Some(&roles));
        (mode_of(&admission), errors.len())
    }

    fn mode_of(admission: &Admission) -> Option<Mode> {
        match admission {
            Admission::Session { mode, .. } => Some(*mode),
            Admission::Refused => None,
        }
    }

    #[test]
    fn a_known_user_gets_what_the_roles_say() {
        for unknown in [UnknownUser::Strict, UnknownUser::BestEffort, UnknownUser::Refuse] {
            assert_eq!(mode("alice", unknown), (Some(Mode::Strict), 0));
            assert_eq!(mode("root", unknown), (Some(Mode::BestEffort), 0));
        }
    }

    #[test]
    fn an_unknown_user_gets_what_the_configuration_says() {
        assert_eq!(mode("bob", UnknownUser::Strict), (Some(Mode::Strict), 0));
        assert_eq!(mode("bob", UnknownUser::BestEffort), (Some(Mode::BestEffort), 0));
        assert_eq!(mode("bob", UnknownUser::Refuse), (None, 0));
    }

    #[test]
    fn a_user_of_two_sets_of_roles_gets_strict() {
        let scoped = "kind: scoped_role\nmetadata: {name: dev}\nscope: /a\n---\nkind: scoped_role_assignment\nspec: {user: root, assignments: [{role: '/a::dev', scope: /a/b}]}\n";
        let files = [("roles.yaml", ROLES), ("scoped.yaml", scoped)];
        let files = files.map(|(name, text)| (name.to_owned(), text.into())).into();
        let roles = load_texts(files).expect("roles");
        let admission = |user| Admission::of(user, SessionKind::Ssh, UnknownUser::BestEffort, Some(&roles));
        let (known, errors) = admission("root");
        assert_eq!((mode_of(&known), errors.len()), (Some(Mode::Strict), 1));
        // Who is in one of them is judged by it.
        assert_eq!(mode_of(&admission("alice").0), Some(Mode::Strict));
        assert_eq!(mode_of(&admission("bob").0), Some(Mode::BestEffort), "unknown");
    }

    #[test]
    fn nobody_gets_less_than_strict_where_the_roles_cannot_be_judged() {
        assert_eq!(mode("lost", UnknownUser::BestEffort), (Some(Mode::Strict), 1));
        assert_eq!(mode("lost", UnknownUser::Refuse), (None, 1));
        for (unknown, expected) in
            [(UnknownUser::BestEffort, Some(Mode::Strict)), (UnknownUser::Refuse, None)]
        {
            let (admission, _) = Admission::of("root", SessionKind::Ssh, unknown, None);
            assert_eq!(mode_of(&admission), expected);
        }
    }
}
