//! The policy: which recording mode holds for a set of roles. Pure: no I/O, no clock.

mod kind;
mod mode;

pub use kind::SessionKind;
pub use mode::Mode;
