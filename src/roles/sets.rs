//! Separate sets of roles in one input: roles that nobody ever holds together. Says which set a role, user
//! or grant is in, and takes what was read apart by it. Resolves nothing.
//!
//! - Each *cluster* has roles of its own. Terraform names it by a resource's `provider`, the configuration
//!   by the folders under `clusters`.
//! - Each *scoped role* of Teleport is a set by itself: the first one that permits a session gives all of
//!   the session's parameters, and no other role has a say (RFD 229, `lib/services` of Teleport 18).
//! - Of `x.tf` and `x.tofu` in one folder, Terraform loads the first and OpenTofu the second. The rest
//!   of the cluster's roles belongs to both.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::{Grants, Roles, User};
use crate::policy::Role;

/// What the set is called that no cluster, scoped role or loader sets apart.
const DEFAULT: &str = "default";

/// Which of the separate sets something is in.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SetKey {
    /// The cluster; none where nothing names one.
    pub cluster: Option<Arc<str>>,
    /// The scoped role that the set consists of: `scope::name`.
    pub scoped: Option<Arc<str>>,
    /// Who loads the set; none where that makes no difference.
    pub loader: Option<Loader>,
}

/// A program that loads Terraform files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Loader {
    /// Terraform, which does not know `.tofu`.
    Terraform,
    /// `OpenTofu`, for which `x.tofu` replaces `x.tf`.
    OpenTofu,
}

impl Loader {
    /// What it is called in a set's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Terraform => "terraform",
            Self::OpenTofu => "tofu",
        }
    }
}

impl fmt::Display for SetKey {
    /// The set's name: its cluster, scoped role and loader, as far as it has them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = self.parts();
        f.write_str(parts.next().unwrap_or(DEFAULT))?;
        parts.try_for_each(|part| write!(f, " {part}"))
    }
}

impl Serialize for SetKey {
    /// The set's name; null for the default set.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_default() { serializer.serialize_none() } else { serializer.collect_str(self) }
    }
}

impl SetKey {
    /// The set of what names no cluster.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.parts().next().is_none()
    }

    fn parts(&self) -> impl Iterator<Item = &str> {
        [self.cluster.as_deref(), self.scoped.as_deref(), self.loader.map(Loader::name)].into_iter().flatten()
    }

    /// Whether a part of the set's name is this; `default` is what no cluster is named for.
    #[must_use]
    pub fn has_part(&self, name: &str) -> bool {
        self.parts().any(|part| part == name)
            || name == DEFAULT && self.cluster.is_none() && self.scoped.is_none()
    }

    /// The set as the end of a sentence: ` in the cluster "eu"`; empty for the default set. Who loads
    /// it is left out: places tell that.
    #[must_use]
    pub fn in_words(&self) -> String {
        let cluster = self.cluster.as_ref().map(|cluster| format!(" in the cluster {cluster:?}"));
        let scoped = self.scoped.as_ref().map(|role| format!(" for the scoped role {role:?}"));
        scoped.into_iter().chain(cluster).collect()
    }

    /// The set of a scoped role of this cluster.
    pub(super) fn of_scoped(cluster: Option<&Arc<str>>, qualified: &str) -> Self {
        Self { cluster: cluster.cloned(), scoped: Some(qualified.into()), loader: None }
    }

    /// The same within a folder that is a cluster's. A cluster that Terraform names within it is one of its own.
    fn within(&mut self, folder: &Arc<str>) {
        self.cluster = Some(match &self.cluster {
            Some(own) if own != folder => format!("{folder}/{own}").into(),
            _ => Arc::clone(folder),
        });
    }
}

/// The cluster that a Terraform resource's `provider` stands for: its alias. A provider without an alias is
/// the default one, unless it is called otherwise than the resource's type implies.
pub(super) fn cluster_of_provider(provider: &str, resource_type: &str) -> Option<Arc<str>> {
    let implied = resource_type.split('_').next().unwrap_or_default();
    match provider.split_once('.') {
        Some((_, alias)) if alias != DEFAULT => Some(alias.into()),
        None if provider == implied => None,
        _ => Some(provider.into()),
    }
}

/// Something that is in a set.
pub(super) trait InSet {
    fn set(&self) -> &SetKey;
    fn set_mut(&mut self) -> &mut SetKey;
    /// The file it is in.
    fn file(&self) -> &Arc<str>;
}

/// Puts into the folder's cluster what is in it.
pub(super) fn put_into(items: &mut [impl InSet], folder: &impl Fn(&str) -> Option<Arc<str>>) {
    for item in items {
        if let Some(folder) = folder(item.file()) {
            item.set_mut().within(&folder);
        }
    }
}

/// Files of which Terraform loads one and OpenTofu the other.
#[derive(Debug, Default)]
pub(super) struct Twins(HashSet<Arc<str>>);

impl Twins {
    /// The twins among these files.
    pub(super) fn among<'a>(files: impl Iterator<Item = &'a Arc<str>>) -> Self {
        let files: HashSet<&Arc<str>> = files.collect();
        let mut twins = HashSet::new();
        for &file in &files {
            if let Some(twin) = terraforms(file).map(Arc::from).filter(|twin| files.contains(twin)) {
                twins.extend([Arc::clone(file), twin]);
            }
        }
        Self(twins)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Who loads this file alone; none if both load it.
    fn loader(&self, file: &str) -> Option<Loader> {
        let is_tofu = || terraforms(file).is_some();
        self.0.contains(file).then(|| if is_tofu() { Loader::OpenTofu } else { Loader::Terraform })
    }

    /// Whether this program loads the file.
    pub(super) fn is_loaded(&self, file: &str, by: Loader) -> bool {
        self.loader(file).is_none_or(|loader| loader == by)
    }
}

/// The name of the file that an OpenTofu file replaces.
fn terraforms(file: &str) -> Option<String> {
    let names = [(".tofu", ".tf"), (".tofu.json", ".tf.json")];
    names.into_iter().find_map(|(tofu, tf)| file.strip_suffix(tofu).map(|stem| format!("{stem}{tf}")))
}

/// Tells which sets something is in: its own one, or those of both loaders.
pub(super) struct Router<'a> {
    twins: &'a Twins,
    /// The sets of which files are loaded by one program alone.
    loaded_apart: HashSet<SetKey>,
}

impl<'a> Router<'a> {
    pub(super) fn new(twins: &'a Twins) -> Self {
        Self { twins, loaded_apart: HashSet::new() }
    }

    /// Takes notice of what is to be put into sets.
    pub(super) fn see<T: InSet>(&mut self, items: &[T]) {
        if !self.twins.is_empty() {
            let apart = items.iter().filter(|item| self.twins.loader(item.file()).is_some());
            self.loaded_apart.extend(apart.map(|item| item.set().clone()));
        }
    }

    pub(super) fn sets(&self, item: &impl InSet) -> impl Iterator<Item = SetKey> {
        let set = item.set();
        let loaders = match self.twins.loader(item.file()) {
            _ if !self.loaded_apart.contains(set) => [Some(None), None],
            None => [Some(Some(Loader::Terraform)), Some(Some(Loader::OpenTofu))],
            loader => [Some(loader), None],
        };
        let set = set.clone();
        loaders.into_iter().flatten().map(move |loader| SetKey { loader, ..set.clone() })
    }
}

/// A role and its set.
pub(super) struct Keyed {
    pub(super) set: SetKey,
    pub(super) role: Arc<Role>,
}

impl InSet for Keyed {
    fn set(&self) -> &SetKey {
        &self.set
    }
    fn set_mut(&mut self) -> &mut SetKey {
        &mut self.set
    }
    fn file(&self) -> &Arc<str> {
        &self.role.at.file
    }
}

impl InSet for User {
    fn set(&self) -> &SetKey {
        &self.set
    }
    fn set_mut(&mut self) -> &mut SetKey {
        &mut self.set
    }
    fn file(&self) -> &Arc<str> {
        &self.at.file
    }
}

/// What is in a set.
#[derive(Default)]
struct Parts {
    roles: Vec<Arc<Role>>,
    users: Vec<User>,
    grants: Grants,
}

/// Takes what was read apart: the sets that hold anything, sorted; of several roles or users of one name
/// in a set the first. At least one, if an empty one.
pub(super) fn split(roles: &[Keyed], mut users: Vec<User>, grants: Grants, twins: &Twins) -> Vec<Roles> {
    find_scopes(&mut users, roles);
    let mut router = Router::new(twins);
    router.see(roles);
    router.see(&users);
    grants.seen_by(&mut router);
    let mut sets: BTreeMap<SetKey, Parts> = BTreeMap::new();
    for keyed in roles {
        for set in router.sets(keyed) {
            sets.entry(set).or_default().roles.push(Arc::clone(&keyed.role));
        }
    }
    for user in users {
        for set in router.sets(&user) {
            sets.entry(set).or_default().users.push(user.clone());
        }
    }
    for (set, grants) in grants.split(&router) {
        sets.entry(set).or_default().grants = grants;
    }
    if sets.is_empty() {
        sets.insert(SetKey::default(), Parts::default());
    }
    let roles = |(key, Parts { roles, users, grants })| Roles::new(key, roles, users, grants);
    sets.into_iter().map(roles).collect()
}

/// Completes assignments that name a scoped role without its scope, as they did before Teleport 18 had names
/// with scopes: whoever is assigned it holds each role of that name in the cluster.
fn find_scopes(users: &mut Vec<User>, roles: &[Keyed]) {
    let is_bare = |user: &User| user.set.scoped.as_ref().is_some_and(|name| !name.contains("::"));
    if !users.iter().any(is_bare) {
        return;
    }
    let mut by_name: HashMap<(Option<&str>, &str), Vec<&SetKey>> = HashMap::new();
    for keyed in roles.iter().filter(|keyed| keyed.set.scoped.is_some()) {
        let sets = by_name.entry((keyed.set.cluster.as_deref(), &keyed.role.name)).or_default();
        if !sets.contains(&&keyed.set) {
            sets.push(&keyed.set);
        }
    }
    let (bare, mut complete): (Vec<User>, Vec<User>) = std::mem::take(users).into_iter().partition(is_bare);
    for user in bare {
        let name = user.set.scoped.as_deref().unwrap_or_default();
        match by_name.get(&(user.set.cluster.as_deref(), name)) {
            Some(sets) => complete.extend(sets.iter().map(|&set| User { set: set.clone(), ..user.clone() })),
            None => complete.push(user),
        }
    }
    *users = complete;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alias_of_a_provider_is_the_cluster() {
        let cluster = |provider| cluster_of_provider(provider, "teleport_role");
        assert_eq!(cluster("teleport"), None);
        assert_eq!(cluster("teleport.eu").as_deref(), Some("eu"));
        assert_eq!(cluster("tp_eu").as_deref(), Some("tp_eu"));
        assert_eq!(cluster("teleport.default").as_deref(), Some("teleport.default"));
        assert_eq!(cluster_of_provider("kubernetes", "kubernetes_manifest"), None);
    }

    #[test]
    fn only_files_of_one_name_and_form_replace_each_other() {
        let files = ["a.tf", "a.tofu", "x/a.tf", "b.tf.json", "b.tofu.json", "c.tofu", "c.tf.json", "d.yaml"]
            .map(Arc::from);
        let twins = Twins::among(files.iter());
        let loaders = files.each_ref().map(|file| twins.loader(file).map(Loader::name));
        let both = [Some("terraform"), Some("tofu")];
        assert_eq!(loaders, [both[0], both[1], None, both[0], both[1], None, None, None]);
    }

    #[test]
    fn a_set_is_called_by_what_sets_it_apart() {
        let set = SetKey {
            cluster: Some("eu".into()),
            scoped: Some("/staging::dev".into()),
            loader: Some(Loader::OpenTofu),
        };
        assert_eq!(set.to_string(), "eu /staging::dev tofu");
        assert_eq!(set.in_words(), " for the scoped role \"/staging::dev\" in the cluster \"eu\"");
        assert_eq!(SetKey::default().to_string(), "default");
        assert!(SetKey::default().has_part("default") && !set.has_part("default"));
    }
}
