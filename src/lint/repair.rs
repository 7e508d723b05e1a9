//! Makes the edits of findings, one finding after the other, and reads the outcome again: an edit
//! that would loosen a mode, turn a recording off or break the file is left out.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::policy::{self, Desktop, Dialect, Mode, OptionName, Role, RoleSet, SessionKind};
use crate::roles::{self, Problem, ProblemKind, SetKey, Severity, Survey};

use super::{Finding, Fix, Report};

/// A file's text as it would be when repaired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// The file.
    pub file: Arc<str>,
    /// The text before.
    pub before: String,
    /// The text after.
    pub after: String,
    /// How many findings are repaired.
    pub findings: usize,
}

/// After so many rounds there is nothing more to gain.
const MAX_ROUNDS: usize = 16;

/// The repairs of what `judge` finds, file by file, in their order. A repair may show what another one
/// is needed for, so it goes on until nothing is left that may be repaired.
#[must_use]
pub fn repairs(survey: &Survey, judge: &dyn Fn(&Survey) -> Report) -> Vec<Repair> {
    let mut repairs: Vec<Repair> = Vec::new();
    let mut current: Option<Survey> = None;
    for _ in 0..MAX_ROUNDS {
        let Some(next) = round(current.as_ref().unwrap_or(survey), judge, &mut repairs) else { break };
        current = Some(next);
    }
    let order = |repair: &Repair| survey.files.iter().position(|file| file.file == repair.file);
    repairs.sort_by_key(order);
    repairs
}

/// One round over all files; nothing if it changes none.
fn round(survey: &Survey, judge: &dyn Fn(&Survey) -> Report, repairs: &mut Vec<Repair>) -> Option<Survey> {
    let findings = judge(survey).findings;
    let fixes_of = by_file(&findings);
    let beside = representatives(survey);
    let mut made = Vec::new();
    for file in &survey.files {
        let (Some(before), Some(fixes)) = (&file.text, fixes_of.get(&file.file)) else { continue };
        let read = |text: &str| survey.other_text(&file.file, text);
        let (after, findings) = repair(&beside, &file.file, before, &read, fixes);
        if findings > 0 {
            made.push((file, before, after, findings));
        }
    }
    // What is one file in two clusters is repaired only as both would have it.
    let mut names: HashMap<_, usize> = HashMap::new();
    survey.files.iter().filter_map(|file| file.id).for_each(|id| *names.entry(id).or_default() += 1);
    let mut same: HashMap<_, usize> = HashMap::new();
    for (file, _, after, _) in &made {
        *same.entry((file.id, after.clone())).or_default() += 1;
    }
    made.retain(|(file, _, after, _)| {
        file.id.is_none_or(|id| names.get(&id) == same.get(&(Some(id), after.clone())))
    });
    let mut texts = HashMap::new();
    for (file, before, after, findings) in made {
        texts.insert(Arc::clone(&file.file), after.clone());
        if let Some(repair) = repairs.iter_mut().find(|repair| repair.file == file.file) {
            repair.after = after;
            repair.findings += findings;
        } else {
            let (file, before) = (Arc::clone(&file.file), before.clone());
            repairs.push(Repair { file, before, after, findings });
        }
    }
    (!texts.is_empty()).then(|| survey.with_texts(&texts))
}

fn by_file(findings: &[Finding]) -> HashMap<&Arc<str>, Vec<&Fix>> {
    let mut fixes: HashMap<_, Vec<_>> = HashMap::new();
    for finding in findings {
        if let Some(fix) = &finding.fix {
            fixes.entry(&finding.at.file).or_default().push(fix);
        }
    }
    fixes
}

/// The number of an unknown value among those of modes and booleans.
const UNKNOWN: u8 = 2;

/// The settings of a role, by the numbers of their values; there are but few such.
fn said(role: &Role) -> [Option<u8>; 7] {
    let said = &role.record_session;
    let mode = |mode: Mode| mode as u8;
    let mut all = [None; 7];
    let unknown = |option| said.unknown.contains_key(&option).then_some(UNKNOWN);
    for (slot, kind) in all.iter_mut().zip(SessionKind::ALL) {
        *slot = said.direct(kind).map(|(value, _)| mode(value)).or_else(|| unknown(OptionName::Kind(kind)));
    }
    all[5] =
        said.default.as_ref().map(|setting| mode(setting.value)).or_else(|| unknown(OptionName::Default));
    all[6] = said.desktop_recorded().map(|(recorded, _)| u8::from(recorded));
    all
}

/// Roles beside which others are, and the set that each is in. Whether Terraform or `OpenTofu` loads it is not
/// looked at: a role that is beside more than it is in truth is only handled with more care.
type Beside = Vec<(SetKey, Arc<Role>)>;

/// One role for each thing that the roles of a set say: what is loosened beside one is so beside its like.
fn representatives(survey: &Survey) -> Beside {
    let mut known = HashSet::new();
    let first = survey.roles.iter().filter(|role| known.insert((&role.set, said(&role.role))));
    first.map(|role| (role.set.clone(), Arc::clone(&role.role))).collect()
}

/// Reads a text of the file that is repaired.
type Read<'a> = &'a dyn Fn(&str) -> Survey;

/// What a fix changes of what the roles say, if it may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// Nothing, or all that is new is strict, or that sessions are recorded.
    Tightens,
    /// Nothing that is new is so.
    Loosens,
    /// Some of it is, or it is not known.
    Mixed,
}

/// The documents of a text, by which most fixes can be tried: that takes no longer the longer the text is.
struct Documents<'a> {
    read: Read<'a>,
    /// Where each begins, its text, and what that says.
    all: Vec<(usize, &'a str, OnceCell<Survey>)>,
}

impl<'a> Documents<'a> {
    fn new(file: &str, text: &'a str, read: Read<'a>) -> Self {
        let all = if roles::is_terraform(file) { vec![(0, text)] } else { roles::documents(text).collect() };
        Self { read, all: all.into_iter().map(|(start, text)| (start, text, OnceCell::new())).collect() }
    }

    /// What the fix does alone; nothing if it may not be made. Whether several go together is not known.
    fn effect(&self, beside: &Beside, fix: &Fix) -> Option<Effect> {
        let first = fix.edits.iter().map(|(range, _)| range.0).min().unwrap_or(0);
        let n = self.all.partition_point(|(start, ..)| *start as u64 <= first).saturating_sub(1);
        let (Some((start, text, read)), true) = (self.all.get(n), self.all.len() > 1) else {
            return Some(Effect::Mixed);
        };
        let (start, end) = (*start as u64, (start + text.len()) as u64);
        if fix.edits.iter().any(|(range, _)| range.0 < start || range.1 > end) {
            return Some(Effect::Mixed);
        }
        let edits = fix.edits.iter().map(|(range, new)| ((range.0 - start, range.1 - start), new.clone()));
        let tried = apply(text, &[&Fix { edits: edits.collect() }])?;
        let before = read.get_or_init(|| (self.read)(text));
        let after = (self.read)(&tried);
        is_fine(before, &after, beside).then(|| effect(before, &after))
    }
}

/// The text with as many of the fixes as may be made, and how many those are. Those that tighten are
/// tried first and at once, then those that loosen, since what another fix makes strict must not be
/// loosened by them; and where that may not be, each half of them: each try reads the whole text again.
fn repair(beside: &Beside, file: &str, before: &str, reread: Read<'_>, fixes: &[&Fix]) -> (String, usize) {
    let documents = Documents::new(file, before, reread);
    let known: Vec<_> = fixes.iter().filter_map(|fix| Some((documents.effect(beside, fix)?, *fix))).collect();
    let [tighten, loosen, mixed] = [Effect::Tightens, Effect::Loosens, Effect::Mixed]
        .map(|effect| known.iter().filter(|(of, _)| *of == effect).map(|(_, fix)| *fix).collect::<Vec<_>>());
    let mut made: Vec<&Fix> = Vec::new();
    let mut text = before.to_owned();
    let mut read = reread(before);
    let mut pending: Vec<&[&Fix]> = vec![&mixed, &loosen, &tighten];
    while let Some(part) = pending.pop() {
        let first = made.len();
        for fix in part {
            if !made.iter().any(|earlier| overlap(earlier, fix)) {
                made.push(fix);
            }
        }
        if made.len() == first {
            continue;
        }
        let tried = apply(before, &made);
        let outcome = tried.map(|tried| (reread(&tried), tried));
        match outcome {
            Some((outcome, tried))
                if (made.len() == first + 1 || effect(&read, &outcome) != Effect::Mixed)
                    && is_fine(&read, &outcome, beside)
                    && stays_json(before, &tried) =>
            {
                (text, read) = (tried, outcome);
            }
            _ => {
                made.truncate(first);
                if part.len() > 1 {
                    let (early, late) = part.split_at(part.len() / 2);
                    pending.extend([late, early]);
                }
            }
        }
    }
    (text, made.len())
}

/// What the change does to what the roles say, which are the same roles.
fn effect(before: &Survey, after: &Survey) -> Effect {
    let (mut tightens, mut loosens) = (false, false);
    for (before, after) in before.roles.iter().zip(&after.roles) {
        for (before, after) in said(&before.role).into_iter().zip(said(&after.role)) {
            tightens |= after != before && after == Some(1);
            loosens |= after != before && after != Some(1);
        }
    }
    match (tightens, loosens) {
        (true, true) => Effect::Mixed,
        (false, true) => Effect::Loosens,
        _ => Effect::Tightens,
    }
}

fn overlap(a: &Fix, b: &Fix) -> bool {
    a.edits.iter().any(|(a, _)| b.edits.iter().any(|(b, _)| a.0 <= b.1 && b.0 <= a.1))
}

/// The text with all edits made; they are given by the text as it was before all of them.
fn apply(text: &str, fixes: &[&Fix]) -> Option<String> {
    let mut edits: Vec<_> = fixes.iter().flat_map(|fix| &fix.edits).collect();
    edits.sort_by_key(|(range, _)| *range);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for ((start, end), new) in edits {
        let (start, end) = (usize::try_from(*start).ok()?, usize::try_from(*end).ok()?);
        out.push_str(text.get(done..start)?);
        out.push_str(new);
        done = end.max(start);
    }
    out.push_str(text.get(done..)?);
    Some(out)
}

/// Whether what is JSON is so after a fix. The reader takes YAML, which allows more.
fn stays_json(before: &str, after: &str) -> bool {
    let is_json = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    !before.trim_start().starts_with(['{', '[']) || is_json(after) || !is_json(before)
}

/// Whether nothing is worse after a fix: no new error, the same roles, and no set of roles that was
/// strict, or recorded, and is not any more.
fn is_fine(before: &Survey, after: &Survey, beside: &Beside) -> bool {
    // What is mended may show that something in it is wrong too, which was so before.
    let counts = |problem: &&Problem| {
        let kind = &problem.kind;
        !matches!(
            kind,
            ProblemKind::InvalidMode { .. }
                | ProblemKind::UnknownKey { .. }
                | ProblemKind::KeyCase { .. }
                | ProblemKind::UnknownKeyValue { .. }
        )
    };
    let all = |survey: &Survey| survey.problems.iter().filter(counts).count();
    let is_error = |problem: &&Problem| problem.kind.severity() == Severity::Error;
    let errors = |survey: &Survey| survey.problems.iter().filter(counts).filter(is_error).count();
    // Teleport takes whatever is no boolean at `desktop` for false.
    let is_false = |problem: &&Problem| {
        matches!(problem.kind, ProblemKind::InvalidMode { option: "desktop", value: Some(_), .. })
    };
    let falses = |survey: &Survey| survey.problems.iter().filter(is_false).count();
    if errors(after) > errors(before)
        || falses(after) > falses(before)
        || all(after) > all(before)
        || before.roles.len() != after.roles.len()
        || before.users != after.users && before.users.len() != after.users.len()
    {
        return false;
    }
    // One pair for each thing that the roles of a set say before and after.
    let mut known = HashSet::new();
    let same = beside.iter().map(|(set, role)| (set, role, role));
    let here = before.roles.iter().zip(&after.roles);
    let here = here.map(|(before, after)| (&before.set, &before.role, &after.role));
    let mut others: HashMap<_, Vec<_>> = HashMap::new();
    for (set, before, after) in same.chain(here) {
        if known.insert((set, said(before), said(after))) {
            others.entry(set).or_default().push((before, after));
        }
    }
    before.roles.iter().zip(&after.roles).all(|(before, after)| {
        let same = said(&before.role) == said(&after.role);
        let others = others.get(&before.set).map_or(&[][..], Vec::as_slice);
        let turns_off = records_desktops(&before.role) && !records_desktops(&after.role);
        before.role.name == after.role.name
            && (same || !turns_off && !loosens(&before.role, &after.role, others))
    })
}

/// Whether desktop sessions of those who hold only this role are recorded, also by Teleport, which takes a
/// mode for false.
fn records_desktops(role: &Role) -> bool {
    !matches!(
        role.record_session.desktop.as_ref().map(|setting| setting.value),
        Some(Desktop::Mode(_) | Desktop::Recorded(false))
    )
}

/// Whether a kind is less strict, alone or beside any one role. More roles show nothing that one
/// does not: what can be loosened is a default, and one role holds it.
fn loosens(before: &Arc<Role>, after: &Arc<Role>, others: &[(&Arc<Role>, &Arc<Role>)]) -> bool {
    let with = |role: &Arc<Role>, other: Option<&Arc<Role>>| -> RoleSet {
        std::iter::once(role).chain(other).cloned().collect()
    };
    let beside = others.iter().filter(|(other, _)| other.name != before.name);
    let beside = beside.map(|(was, is)| (Some(*was), Some(*is)));
    std::iter::once((None, None)).chain(beside).any(|(was, is)| {
        let (before, after) = (with(before, was), with(after, is));
        SessionKind::ALL.iter().any(|&kind| {
            let pairs = policy::transitions(&before, &after, kind, Dialect::Rfd68);
            pairs.iter().any(|(was, is)| is.mode < was.mode || was.recorded && !is.recorded)
        })
    })
}
