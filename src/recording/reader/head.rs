//! The first line of a recording to a header. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Number, Value};

use super::decode::Fault;
use super::{Header, Version};

/// Columns or rows: as many as a terminal can have stand for more.
pub(super) struct Cells(pub(super) u16);

impl<'de> Deserialize<'de> for Cells {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(|cells| Self(u16::try_from(cells).unwrap_or(u16::MAX)))
    }
}

#[derive(Deserialize)]
struct V2 {
    width: Cells,
    height: Cells,
}

#[derive(Deserialize)]
struct V3 {
    term: Term,
}

#[derive(Deserialize)]
struct Term {
    cols: Cells,
    rows: Cells,
    r#type: Option<String>,
    theme: Option<Value>,
}

/// A key that may be there once; null is as good as nothing.
struct Field<T> {
    seen: bool,
    value: Option<T>,
}

impl<T> Default for Field<T> {
    fn default() -> Self {
        Self { seen: false, value: None }
    }
}

/// The keys of all versions; what has a meaning in one of them only is not looked into yet.
#[derive(Default)]
struct Fields<'a> {
    version: Field<u64>,
    width: Field<&'a RawValue>,
    height: Field<&'a RawValue>,
    term: Field<&'a RawValue>,
    timestamp: Field<Number>,
    command: Field<String>,
    title: Field<String>,
    env: Field<BTreeMap<String, Option<String>>>,
    theme: Field<Value>,
    recmode: Field<Value>,
    other: BTreeMap<String, Value>,
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Keys)
    }
}

/// By hand, as a derived one with `other` flattened into it takes several times as long, and lists of recordings
/// read many headers.
struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a header")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        #[derive(Deserialize)]
        struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

        let mut fields = Fields::default();
        while let Some(Key(key)) = map.next_key()? {
            match &*key {
                "version" => fields.version.take("version", &mut map)?,
                "width" => fields.width.take("width", &mut map)?,
                "height" => fields.height.take("height", &mut map)?,
                "term" => fields.term.take("term", &mut map)?,
                "timestamp" => fields.timestamp.take("timestamp", &mut map)?,
                "command" => fields.command.take("command", &mut map)?,
                "title" => fields.title.take("title", &mut map)?,
                "env" => fields.env.take("env", &mut map)?,
                "theme" => fields.theme.take("theme", &mut map)?,
                "recmode" => fields.recmode.take("recmode", &mut map)?,
                _ => drop(fields.other.insert(key.into_owned(), map.next_value()?)),
            }
        }
        Ok(fields)
    }
}

impl<'de, T: Deserialize<'de>> Field<T> {
    /// Takes the value of this key.
    fn take<A: MapAccess<'de>>(&mut self, key: &'static str, map: &mut A) -> Result<(), A::Error> {
        if std::mem::replace(&mut self.seen, true) {
            return Err(A::Error::duplicate_field(key));
        }
        self.value = map.next_value()?;
        Ok(())
    }
}

/// What the first line says.
pub(super) fn header(line: &str) -> Result<Header, Fault> {
    if !line.starts_with('{') {
        return Err(Fault::new("this is no asciicast header"));
    }
    let fault = |error: serde_json::Error| Fault::json(&error);
    let fields: Fields<'_> = serde_json::from_str(line).map_err(fault)?;
    let env: BTreeMap<String, String> = fields
        .env
        .value
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    let mut theme = fields.theme.value;
    let (version, cols, rows, term_type) = match fields.version.value {
        Some(2) => {
            let number = |raw: Option<&RawValue>| serde_json::from_str(raw?.get()).ok();
            let V2 { width, height } = match (number(fields.width.value), number(fields.height.value)) {
                (Some(width), Some(height)) => V2 { width, height },
                // For the error, which says where in the line.
                _ => serde_json::from_str(line).map_err(fault)?,
            };
            (Version::V2, width.0, height.0, env.get("TERM").cloned())
        }
        Some(3) => {
            let term = fields.term.value.and_then(|raw| serde_json::from_str(raw.get()).ok());
            let V3 { term } = match term {
                Some(term) => V3 { term },
                None => serde_json::from_str(line).map_err(fault)?,
            };
            theme = term.theme;
            (Version::V3, term.cols.0, term.rows.0, term.r#type)
        }
        Some(other) => {
            return Err(Fault::new(&format!("asciicast version {other}, but only 1, 2 and 3 can be read")));
        }
        None => return Err(Fault::json(&Error::missing_field("version"))),
    };
    Ok(Header {
        version,
        cols,
        rows,
        term_type,
        timestamp: fields
            .timestamp
            .value
            .and_then(|number| number.as_i64().or_else(|| whole_seconds(&number))),
        command: fields.command.value,
        title: fields.title.value,
        env,
        theme,
        recmode: fields.recmode.value,
        other: fields.other,
    })
}

/// Some tools write the time of day with a fraction.
fn whole_seconds(number: &Number) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "the fraction is what is to go")]
    number.as_f64().map(|seconds| seconds as i64)
}
