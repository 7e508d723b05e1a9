//! Nobody gets in when recording fails: no user or group that was read is best effort on ssh.

use std::collections::BTreeMap;
use std::sync::Arc;

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
    let mut clusters: BTreeMap<Option<Arc<str>>, Vec<Row>> = BTreeMap::new();
    for roles in input.survey.sets() {
        let rows = holders(&roles, false).into_iter();
        let rows = rows.map(|holder| Row::new(holder, &[SessionKind::Ssh], input.dialect, false));
        // Who holds no role opens no session.
        let rows = rows.filter(|row| !row.is_idle());
        clusters.entry(roles.key().cluster.clone()).or_default().extend(rows);
    }
    for (cluster, rows) in clusters {
        let cluster = cluster.map(|cluster| format!(" in the cluster {cluster:?}")).unwrap_or_default();
        findings.extend(locked_out(input, &cluster, &rows));
    }
}

/// The finding for the users and groups of a cluster.
fn locked_out(input: &Input<'_>, cluster: &str, rows: &[Row]) -> Option<Finding> {
    // What can't be known may be best effort.
    let gets_in = |row: &Row| {
        let may_be = |answer: &Answer| !answer.breaks(Bound::AtMost(Mode::BestEffort));
        !row.holder.unknown.is_empty() || row.cells.iter().any(|cell| may_be(&cell.answer))
    };
    let first = rows.first().filter(|_| !rows.iter().any(gets_in))?;
    let all = match rows {
        [_] => "the only user or group that holds roles here is".to_owned(),
        rows => format!("all {} users and groups that hold roles here are", rows.len()),
    };
    let message = format!("{all} strict on ssh{cluster}: nobody gets in while recording fails");
    let site = input.survey.site(&first.holder.at, first.holder.name.chars().count());
    let help = "give ssh: best_effort to a role for emergencies, and keep it with `require` and `at_most: best_effort`";
    Some(Finding::new(RULE.id, message, site).help(help))
}
