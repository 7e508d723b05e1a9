//! The linter: rules look at what was read and say what a person overlooks. Pure: reads no file and
//! prints nothing; [`report::lint`](crate::report::lint) prints.
//!
//! A [`Rule`] stands in a file of its own under `rules/` and in [`registry::RULES`], with a page under
//! `docs/rules/`. It makes [`Finding`]s; a [`Report`] holds those of a run, in a fixed order.

mod baseline;
mod check_name;
mod finding;
mod fix;
mod input;
mod judged;
pub mod registry;
mod repair;
mod report;
mod rule;
mod rules;
mod run;
mod suppress;

pub use baseline::{Baseline, BaselineError};
pub use finding::{Finding, Fix, Related, Severity, fingerprints};
pub use input::Input;
pub use repair::{Repair, repairs};
pub use report::{Check, Report, Summary};
pub use rule::Rule;
pub use run::{Settings, is_note, is_trouble, run};
