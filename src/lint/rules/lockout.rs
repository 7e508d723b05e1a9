//! Nobody gets in when recording fails: no user or group that was read is best effort on ssh.

use crate::holders::{Row, holders};
use crate::lint::{Finding, Input, Rule, Severity};
use crate::policy::{Answer, Bound, Mode, SessionKind};

pub(in crate::lint) const RULE: Rule = Rule {
    id: "lockout",
    severity: Severity::Info,
    summary: "no user or group that was read is best_effort on ssh",
    docs: include_str!("../../../docs/rules/lockout.md"),
    check,
};

fn check(input: &Input<'_>, findings: &mut Vec<Finding>) {
    let roles = input.survey.to_roles();
    let rows = holders(&roles, false).into_iter();
    let rows = rows.map(|holder| Row::new(holder, &[SessionKind::Ssh], input.dialect, false));
    // Who holds no role opens no session, and what can't be known may be best effort.
    let rows: Vec<_> = rows.filter(|row| !row.is_idle()).collect();
    let gets_in = |row: &Row| {
        let may_be = |answer: &Answer| !answer.breaks(Bound::AtMost(Mode::BestEffort));
        !row.holder.unknown.is_empty() || row.cells.iter().any(|cell| may_be(&cell.answer))
    };
    let Some(first) = rows.first().filter(|_| !rows.iter().any(gets_in)) else { return };
    let count = rows.len();
    let all = if count == 1 {
        "the only user or group".to_owned()
    } else {
        format!("all {count} users and groups")
    };
    let message =
        format!("{all} that hold roles here are strict on ssh: nobody gets in while recording fails");
    let site = input.survey.site(&first.holder.at, first.holder.name.chars().count());
    findings.push(
        Finding::new(RULE.id, message, site)
            .help("give ssh: best_effort to a role for emergencies, and keep it with `require` and `at_most: best_effort`"),
    );
}
