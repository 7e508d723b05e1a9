//! Text to [`Config`], with the place of everything that is wrong.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_yaml::{Location, Spanned};

use super::clusters::Clusters;
use super::places::Places;
use super::{Config, Expectation, Ignore, Pattern, Requirement, Subject};
use crate::lint::{Severity, registry};
use crate::policy::{Bound, Dialect, Mode, SessionKind};
use crate::roles::Site;

/// The version of the format.
const VERSION: u64 = 1;

const WRONG_VERSION: &str = "the version of the configuration has to be 1";

/// The largest configuration in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Why there is no configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub at: Site,
}

/// The error that `name` is there besides `other`.
#[must_use]
pub fn second(name: Arc<str>, other: &str) -> ConfigError {
    let message = format!("is here besides {other:?}: which of them holds is unclear, so remove one");
    ConfigError { message, at: Site { file: name, mark: None } }
}

/// Reads the configuration `path`, which is called `name` in messages.
///
/// # Errors
///
/// If it can't be read, or as [`parse`].
pub fn read(path: &Path, name: &Arc<str>) -> Result<Config, ConfigError> {
    let whole = |message: String| ConfigError { message, at: Site { file: Arc::clone(name), mark: None } };
    let failed = |error: std::io::Error| whole(format!("cannot be read: {error}"));
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(whole("is larger than 1 MiB".to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|_| whole("is no UTF-8".to_owned()))?;
    parse(&text, name)
}

/// The configuration that this text is.
///
/// # Errors
///
/// The first thing that is wrong with it.
pub fn parse(text: &str, name: &Arc<str>) -> Result<Config, ConfigError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let places = Places { text, name };
    let tree: Tree = places.parse()?;
    tree.check(&places)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tree {
    version: Spanned<Version>,
    dialect: Option<Spanned<String>>,
    #[serde(default)]
    rules: Rules,
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    exclude: Vec<Spanned<String>>,
    #[serde(rename = "fail-on")]
    fail_on: Option<Spanned<String>>,
    #[serde(default)]
    clusters: Clusters,
    #[serde(default)]
    ignore: Vec<Spanned<IgnoreEntry>>,
    #[serde(default)]
    require: Vec<Spanned<RequireEntry>>,
    #[serde(default)]
    expect: Vec<Spanned<ExpectEntry>>,
}

/// Whether the version is 1, as a number, however that is written, or as a text: the schema, which does not
/// see how it is written, takes the same.
struct Version(bool);

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Scalar;

        impl Visitor<'_> for Scalar {
            type Value = Version;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the version 1")
            }

            fn visit_u64<E>(self, version: u64) -> Result<Version, E> {
                Ok(Version(version == VERSION))
            }

            fn visit_i64<E>(self, version: i64) -> Result<Version, E> {
                Ok(Version(u64::try_from(version) == Ok(VERSION)))
            }

            fn visit_f64<E>(self, version: f64) -> Result<Version, E> {
                #[expect(clippy::float_cmp, reason = "a whole number is exact")]
                Ok(Version(version == 1.0))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Version, E> {
                Ok(Version(false))
            }

            fn visit_str<E>(self, version: &str) -> Result<Version, E> {
                Ok(Version(version == "1"))
            }

            fn visit_unit<E>(self) -> Result<Version, E> {
                Ok(Version(false))
            }
        }

        deserializer.deserialize_any(Scalar)
    }
}

/// A mapping whose keys have places too.
#[derive(Default)]
struct Rules(Vec<(Spanned<String>, Spanned<String>)>);

impl<'de> Deserialize<'de> for Rules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Rules;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping of rules to severities")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Rules, A::Error> {
                let mut rules = Rules::default();
                while let Some(entry) = map.next_entry()? {
                    rules.0.push(entry);
                }
                Ok(rules)
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IgnoreEntry {
    rules: Vec<Spanned<String>>,
    path: Option<Spanned<String>>,
    role: Option<Spanned<String>>,
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequireEntry {
    name: Option<String>,
    #[serde(default)]
    roles: Vec<Spanned<String>>,
    #[serde(default)]
    users: Vec<Spanned<String>>,
    kinds: Option<Vec<Spanned<String>>>,
    mode: Option<Spanned<String>>,
    at_most: Option<Spanned<String>>,
    exactly: Option<Spanned<String>>,
    #[serde(default)]
    except_roles: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectEntry {
    user: Option<String>,
    group: Option<String>,
    roles: Option<Vec<String>>,
    ssh: Option<Spanned<String>>,
    k8s: Option<Spanned<String>>,
    desktop: Option<Spanned<String>>,
    db: Option<Spanned<String>>,
    app: Option<Spanned<String>>,
}

impl Tree {
    fn check(self, places: &Places<'_>) -> Result<Config, ConfigError> {
        if !self.version.value.0 {
            return places.error(self.version.referenced, WRONG_VERSION);
        }
        let mut config = Config { file: Arc::clone(places.name), paths: self.paths, ..Config::default() };
        if let Some(dialect) = self.dialect {
            let known = Dialect::from_name(&dialect.value);
            let Some(known) = known else {
                return places.error(dialect.referenced, "a dialect is rfd68 or teleport");
            };
            config.dialect = Some(known);
        }
        if let Some(fail_on) = self.fail_on {
            let Some(severity) = Severity::from_name(&fail_on.value) else {
                return places.error(fail_on.referenced, "fail-on is error, warning or info");
            };
            config.fail_on = Some(severity);
        }
        for text in &self.exclude {
            // A folder may be written as one.
            let folder = |text: &str, at| Pattern::path(text.trim_end_matches('/'), at);
            config.exclude.push(pattern(text, folder, places)?);
        }
        for (rule, level) in self.rules.0 {
            known_rule(&rule.value, rule.referenced, places)?;
            let severity = Severity::from_name(&level.value);
            if severity.is_none() && level.value != "off" {
                return places.error(level.referenced, "a severity is error, warning, info or off");
            }
            config.rules.insert(rule.value, severity);
        }
        config.clusters = self.clusters.check(places)?;
        for entry in self.ignore {
            config.ignore.push(ignore(entry, places)?);
        }
        for entry in self.require {
            config.require.push(require(entry, places)?);
        }
        for entry in self.expect {
            config.expect.push(expect(entry, places)?);
        }
        Ok(config)
    }
}

fn known_rule(rule: &str, at: Location, places: &Places<'_>) -> Result<(), ConfigError> {
    if registry::find(rule).is_some() {
        return Ok(());
    }
    places.error(at, registry::unknown(rule))
}

fn ignore(entry: Spanned<IgnoreEntry>, places: &Places<'_>) -> Result<Ignore, ConfigError> {
    let at = entry.referenced;
    let entry = entry.value;
    if entry.rules.is_empty() {
        return places.error(at, "an ignore has to name at least one rule");
    }
    for rule in &entry.rules {
        known_rule(&rule.value, rule.referenced, places)?;
    }
    Ok(Ignore {
        rules: entry.rules.into_iter().map(|rule| rule.value).collect(),
        path: entry.path.map(|text| pattern(&text, Pattern::path, places)).transpose()?,
        role: entry.role.map(|text| pattern(&text, Pattern::name, places)).transpose()?,
        reason: entry.reason.filter(|reason| !reason.trim().is_empty()),
        at: places.site(at),
    })
}

fn require(entry: Spanned<RequireEntry>, places: &Places<'_>) -> Result<Requirement, ConfigError> {
    let at = entry.referenced;
    let entry = entry.value;
    if entry.roles.is_empty() == entry.users.is_empty() {
        return places.error(at, "a requirement is about either roles or users");
    }
    let bound = match (&entry.mode, &entry.at_most, &entry.exactly) {
        (Some(text), None, None) => Bound::AtLeast(mode(text, places)?),
        (None, Some(text), None) => Bound::AtMost(mode(text, places)?),
        (None, None, Some(text)) => Bound::Exactly(mode(text, places)?),
        _ => return places.error(at, "a requirement has one of mode, at_most and exactly"),
    };
    let mut kinds = Vec::new();
    for kind in entry.kinds.iter().flatten() {
        match SessionKind::from_name(&kind.value) {
            Some(kind) => kinds.push(kind),
            None => return places.error(kind.referenced, "a kind is ssh, k8s, desktop, db or app"),
        }
    }
    match entry.kinds {
        None => kinds.extend(SessionKind::ALL),
        Some(_) if kinds.is_empty() => return places.error(at, "kinds is empty: leave it out for all kinds"),
        Some(_) => {}
    }
    kinds.sort_unstable();
    kinds.dedup();
    let names = |texts: &[Spanned<String>]| -> Result<Vec<Pattern>, ConfigError> {
        texts.iter().map(|text| pattern(text, Pattern::name, places)).collect()
    };
    Ok(Requirement {
        name: entry.name,
        roles: names(&entry.roles)?,
        users: names(&entry.users)?,
        kinds,
        bound,
        except_roles: names(&entry.except_roles)?,
        at: places.site(at),
    })
}

fn mode(text: &Spanned<String>, places: &Places<'_>) -> Result<Mode, ConfigError> {
    match Mode::from_name(&text.value) {
        Some(mode) => Ok(mode),
        None => places.error(text.referenced, "a mode is strict or best_effort"),
    }
}

fn expect(entry: Spanned<ExpectEntry>, places: &Places<'_>) -> Result<Expectation, ConfigError> {
    let at = entry.referenced;
    let ExpectEntry { user, group, roles, ssh, k8s, desktop, db, app } = entry.value;
    let subject = match (user, group, roles) {
        (Some(name), None, None) => Subject::User(name),
        (None, Some(name), None) => Subject::Group(name),
        (None, None, Some(roles)) if !roles.is_empty() => Subject::Roles(roles),
        _ => return places.error(at, "an expectation is about one of user, group and roles"),
    };
    let mut modes = Vec::new();
    for (kind, text) in SessionKind::ALL.into_iter().zip([ssh, k8s, desktop, db, app]) {
        if let Some(text) = text {
            modes.push((kind, mode(&text, places)?));
        }
    }
    if modes.is_empty() {
        return places.error(at, "an expectation names at least one kind: ssh, k8s, desktop, db or app");
    }
    Ok(Expectation { subject, modes, at: places.site(at) })
}

fn pattern(
    text: &Spanned<String>,
    make: impl Fn(&str, Site) -> Result<Pattern, String>,
    places: &Places<'_>,
) -> Result<Pattern, ConfigError> {
    let at = places.site(text.referenced);
    make(&text.value, at.clone())
        .map_err(|message| ConfigError { message: format!("not a glob: {message}"), at })
}
