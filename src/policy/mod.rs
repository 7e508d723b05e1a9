//! The policy: which recording mode holds for a set of roles. Pure: no I/O, no clock.
//!
//! A role's option `record_session` ([`RecordSession`]) says how sessions of each
//! [`SessionKind`] behave when they can't be recorded; a [`RoleSet`] resolves the settings of all its
//! roles to one [`Mode`] a kind, and the [`Answer`] names every setting that decided or was
//! overridden:
//!
//! 1. any role has the kind itself as `strict`: `strict`
//! 2. else any role has the kind itself as `best_effort`: `best_effort` (a direct value beats
//!    every `default`, its own role's too)
//! 3. else any role has `default: strict`: `strict`
//! 4. else `best_effort` (also when no role sets anything)
//!
//! The order of the roles never matters, and a role that is in the set twice counts once. A setting
//! that is [`Unknown`] may be any mode, any boolean or nothing, and an answer holds only if it holds for
//! all of them.
//!
//! ```
//! use recmode::policy::{Mode, Place, RecordSession, Role, RoleSet, SessionKind, Setting};
//!
//! let at = |line| Place::new("roles.yaml", line, 16);
//! let one = RecordSession {
//!     default: Some(Setting::new(Mode::Strict, at(9))),
//!     ssh: Some(Setting::new(Mode::BestEffort, at(10))),
//!     ..RecordSession::default()
//! };
//! let roles: RoleSet = [Role::new("developer", at(4), one)].into_iter().collect();
//!
//! let ssh = roles.resolve(SessionKind::Ssh);
//! assert_eq!(ssh.mode, Some(Mode::BestEffort));
//! assert_eq!(ssh.because[0].at.line, 10);
//! assert_eq!(ssh.overridden[0].at.line, 9);
//! assert_eq!(roles.resolve(SessionKind::K8s).mode, Some(Mode::Strict));
//! ```

mod answer;
mod decision;
mod dialect;
mod kind;
mod mode;
mod outcome;
mod place;
mod role;
mod set;

pub use answer::{Answer, Standing};
pub use decision::{DecidedBy, Ground, OptionName, UnknownSetting, Value};
pub use dialect::Dialect;
pub use kind::SessionKind;
pub use mode::Mode;
pub use outcome::{Bound, Outcome};
pub(crate) use outcome::{Possible, transitions};
pub use place::Place;
pub use role::{Desktop, RecordSession, Role, Setting, Unknown, UnknownReason};
pub use set::RoleSet;
