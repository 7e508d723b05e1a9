//! The folders that are clusters: which roles nobody holds together.

use std::fmt;
use std::path::{Component, Path};
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::{Location, Spanned};

use super::ConfigError;
use super::places::Places;
use crate::roles::Site;

/// A folder of a cluster.
#[derive(Debug, Clone)]
pub struct ClusterFolder {
    /// The cluster's name.
    pub name: Arc<str>,
    /// The folder, relative to the configuration's root, without `.` and a `/` at its end.
    pub folder: Arc<str>,
    /// Where it is written.
    pub at: Site,
}

impl ClusterFolder {
    /// Whether a path, relative to the configuration's root, is in the folder.
    #[must_use]
    pub fn holds(&self, path: &str) -> bool {
        Path::new(path).starts_with(&*self.folder)
    }

    /// Whether the folder is in the one of this path, which is relative to the configuration's root.
    #[must_use]
    pub fn is_below(&self, path: &str) -> bool {
        Path::new(&*self.folder).starts_with(path)
    }
}

/// Clusters by name, each a list of folders; or folders that are clusters, named by their paths.
#[derive(Default)]
pub(super) struct Clusters(Vec<Entry>);

/// A cluster's name, if it has one, and its folders.
type Entry = (Option<Spanned<String>>, Vec<Spanned<String>>);

impl<'de> Deserialize<'de> for Clusters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Clusters;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping of clusters to lists of folders, or a list of folders")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Clusters, A::Error> {
                let mut clusters = Clusters::default();
                while let Some((name, folders)) = map.next_entry()? {
                    clusters.0.push((Some(name), folders));
                }
                Ok(clusters)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Clusters, A::Error> {
                let mut clusters = Clusters::default();
                while let Some(folder) = list.next_element()? {
                    clusters.0.push((None, vec![folder]));
                }
                Ok(clusters)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl Clusters {
    /// The folders, none of which is in another.
    pub(super) fn check(self, places: &Places<'_>) -> Result<Vec<ClusterFolder>, ConfigError> {
        let mut clusters: Vec<ClusterFolder> = Vec::new();
        for (name, folders) in self.0 {
            if let Some(name) = &name {
                named(name, places)?;
                if folders.is_empty() {
                    return places.error(name.referenced, "a cluster needs at least one folder");
                }
            }
            for folder in folders {
                let at = folder.referenced;
                let folder = normal(&folder.value, at, places)?;
                let apart = |other: &&ClusterFolder| !other.holds(&folder) && !is_in(&other.folder, &folder);
                if let Some(other) = clusters.iter().find(|other| !apart(other)) {
                    let message = format!("this folder and {:?} hold the same files", other.folder);
                    return places.error(at, message);
                }
                let name = name.as_ref().map_or(&*folder, |name| &name.value).into();
                clusters.push(ClusterFolder { name, folder: folder.into(), at: places.site(at) });
            }
        }
        Ok(clusters)
    }
}

fn is_in(path: &str, folder: &str) -> bool {
    Path::new(path).starts_with(folder)
}

fn named(name: &Spanned<String>, places: &Places<'_>) -> Result<(), ConfigError> {
    match name.value.as_str() {
        "" => places.error(name.referenced, "a cluster needs a name"),
        "default" => places.error(name.referenced, "default is what is in no cluster's folder"),
        _ => Ok(()),
    }
}

/// The folder without what leads nowhere.
fn normal(folder: &str, at: Location, places: &Places<'_>) -> Result<String, ConfigError> {
    let mut parts = Vec::new();
    for part in Path::new(folder).components() {
        match part {
            Component::Normal(part) => parts.push(part.to_string_lossy()),
            Component::CurDir => {}
            _ => return places.error(at, "a cluster's folder is below the configuration's own"),
        }
    }
    if parts.is_empty() {
        return places.error(at, "a cluster's folder is below the configuration's own");
    }
    Ok(parts.join("/"))
}
