//! Objects of RBAC in time: snapshots and writes, forward and backward.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use thiserror::Error;

use crate::evidence::{Outcome, Request};
use crate::manifest::{self, Hit, items, text};
use crate::patch;

/// What sort of object it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// Rights in the whole cluster.
    ClusterRole,
    /// Who has a ClusterRole in the whole cluster.
    ClusterRoleBinding,
    /// Rights in a namespace.
    Role,
    /// Who has rights in a namespace.
    RoleBinding,
    /// An account for workloads.
    ServiceAccount,
}

impl ObjectKind {
    /// All kinds.
    pub const ALL: [Self; 5] =
        [Self::ClusterRole, Self::ClusterRoleBinding, Self::Role, Self::RoleBinding, Self::ServiceAccount];

    /// Its name in an object.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClusterRole => "ClusterRole",
            Self::ClusterRoleBinding => "ClusterRoleBinding",
            Self::Role => "Role",
            Self::RoleBinding => "RoleBinding",
            Self::ServiceAccount => "ServiceAccount",
        }
    }

    /// Its name in a path.
    pub fn resource(self) -> &'static str {
        match self {
            Self::ClusterRole => "clusterroles",
            Self::ClusterRoleBinding => "clusterrolebindings",
            Self::Role => "roles",
            Self::RoleBinding => "rolebindings",
            Self::ServiceAccount => "serviceaccounts",
        }
    }

    fn of_resource(resource: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.resource() == resource)
    }

    fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Which object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its namespace; empty for what is of the cluster.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// By what something is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Known {
    /// A snapshot shows it.
    Snapshot {
        /// Name of its file.
        name: String,
        /// When it was taken, in microseconds since 1970.
        taken: i64,
    },
    /// A request wrote it.
    Write {
        /// Its audit id.
        audit_id: String,
        /// When, in microseconds since 1970.
        time: i64,
        /// Who.
        user: String,
    },
    /// Built into the server.
    Server,
    /// Not at all.
    Unknown,
}

impl Known {
    /// In words; `time` renders an instant.
    pub fn text(&self, time: &dyn Fn(i64) -> String) -> String {
        match self {
            Self::Snapshot { name, taken } => format!("snapshot {name} of {}", time(*taken)),
            Self::Write { time: at, user, .. } => format!("write by {user} at {}", time(*at)),
            Self::Server => "built into the server".to_owned(),
            Self::Unknown => "unknown".to_owned(),
        }
    }

    /// The request, when it is one.
    pub fn audit_id(&self) -> Option<&str> {
        match self {
            Self::Write { audit_id, .. } => Some(audit_id),
            _ => None,
        }
    }
}

/// What an object was at a time.
#[derive(Debug, Clone, PartialEq)]
pub enum Object {
    /// It was this.
    Is(Arc<Value>),
    /// It was not there.
    Absent,
    /// It was there, or may have been, and nobody recorded what it was.
    Unknown,
}

#[derive(Debug, Clone)]
struct Version {
    time: i64,
    object: Object,
    known: Known,
    /// Whether it is the first thing that ever was of this name: it was not there before.
    creates: bool,
    /// Whether it may have been deleted then, together with others.
    is_doubted: bool,
}

/// Objects as they were at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    name: String,
    taken: i64,
    objects: Vec<(ObjectKey, Arc<Value>)>,
}

/// Why a file is no snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SnapshotError {
    /// It is no JSON.
    #[error("it is not JSON: {problem}")]
    NotJson {
        /// What is wrong with it.
        problem: String,
    },
    /// It is no list of objects.
    #[error("it is not what `kubectl get … -o json` prints: a `List` with `items`")]
    NoList,
    /// It holds something else, which might be a secret.
    #[error("item {number} is a `{kind}`, and only roles, bindings and service accounts belong into a snapshot")]
    Foreign {
        /// Which one, counted from 1.
        number: usize,
        /// Its kind.
        kind: String,
    },
}

impl Snapshot {
    /// Reads what `kubectl get clusterroles,clusterrolebindings,roles,rolebindings,serviceaccounts -A -o json` prints.
    ///
    /// # Errors
    /// When it is something else, or holds objects of other kinds.
    pub fn read(name: &str, taken: i64, bytes: &[u8]) -> Result<Self, SnapshotError> {
        let value: Value = serde_json::from_slice(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
            .map_err(|error| SnapshotError::NotJson { problem: error.to_string() })?;
        let list_kind = text(&value, "/kind").unwrap_or_default();
        if value.get("items").is_none_or(|items| !items.is_array()) || !list_kind.ends_with("List") {
            return Err(SnapshotError::NoList);
        }
        let mut objects = Vec::new();
        for (at, item) in items(&value, "/items").enumerate() {
            // Items of a list of one kind, as `kubectl get --raw` prints it, do not say what they are.
            let kind = text(item, "/kind").or(list_kind.strip_suffix("List")).unwrap_or_default();
            let foreign = || SnapshotError::Foreign { number: at + 1, kind: kind.to_owned() };
            let kind = ObjectKind::of_name(kind).ok_or_else(foreign)?;
            let Some(name) = text(item, "/metadata/name") else { return Err(SnapshotError::NoList) };
            let namespace = text(item, "/metadata/namespace").unwrap_or_default().to_owned();
            objects.push((ObjectKey { kind, namespace, name: name.to_owned() }, Arc::new(item.clone())));
        }
        Ok(Self { name: name.to_owned(), taken, objects })
    }

    /// Objects in it.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// The kinds that it is about: those of which it has at least one.
    pub fn kinds(&self) -> BTreeSet<ObjectKind> {
        self.objects.iter().map(|(key, _)| key.kind).collect()
    }
}

/// All that is known of RBAC over time.
#[derive(Debug, Clone, Default)]
pub struct Replay {
    versions: BTreeMap<ObjectKey, Vec<Version>>,
    /// When each kind was known as a whole, earliest first.
    whole: BTreeMap<ObjectKind, Vec<i64>>,
    /// When the cluster was born, if the log shows it.
    born: Option<i64>,
    /// Writes that say neither what was written nor to what.
    lost: Vec<(i64, ObjectKind, String)>,
}

impl Replay {
    /// Replays writes, which come by time, over snapshots.
    pub fn of(writes: &[Request], snapshots: &[Snapshot]) -> Self {
        let mut replay = Self::default();
        let mut snapshots: Vec<&Snapshot> = snapshots.iter().collect();
        snapshots.sort_by(|left, right| (left.taken, &left.name).cmp(&(right.taken, &right.name)));
        let mut writes: Vec<&Request> = writes.iter().filter(|write| write.outcome == Outcome::Allowed).collect();
        writes.sort_by(|left, right| (left.time, &left.audit_id).cmp(&(right.time, &right.audit_id)));
        let mut waiting = writes.into_iter().peekable();
        for snapshot in snapshots {
            while let Some(write) = waiting.next_if(|write| write.time <= snapshot.taken) {
                replay.write(write);
            }
            replay.take(snapshot);
        }
        for write in waiting {
            replay.write(write);
        }
        replay
    }

    fn push(&mut self, key: ObjectKey, version: Version) {
        self.versions.entry(key).or_default().push(version);
    }

    /// What is known of an object stays, with the remark that it may be gone.
    fn doubt(&mut self, key: ObjectKey, time: i64) {
        let last = self.versions.get(&key).and_then(|versions| versions.last());
        if let Some(last) = last.filter(|last| last.object != Object::Absent) {
            let version = Version { time, creates: false, is_doubted: true, ..last.clone() };
            self.push(key, version);
        }
    }

    fn take(&mut self, snapshot: &Snapshot) {
        let known = Known::Snapshot { name: snapshot.name.clone(), taken: snapshot.taken };
        let version =
            |object| Version { time: snapshot.taken, object, known: known.clone(), creates: false, is_doubted: false };
        let shown: BTreeSet<&ObjectKey> = snapshot.objects.iter().map(|(key, _)| key).collect();
        let kinds = snapshot.kinds();
        let gone: Vec<ObjectKey> =
            self.versions.keys().filter(|key| kinds.contains(&key.kind) && !shown.contains(key)).cloned().collect();
        for key in gone {
            self.push(key, version(Object::Absent));
        }
        for (key, object) in &snapshot.objects {
            self.push(key.clone(), version(Object::Is(Arc::clone(object))));
        }
        for kind in kinds {
            self.whole.entry(kind).or_default().push(snapshot.taken);
        }
    }

    fn write(&mut self, write: &Request) {
        let Some(kind) = write.act.resource.as_deref().and_then(ObjectKind::of_resource) else { return };
        if write.act.subresource.is_some() || manifest::is_dry_run(write) {
            return;
        }
        let known = Known::Write {
            audit_id: write.audit_id.clone(),
            time: write.time,
            user: write.act.impersonated.clone().or_else(|| write.user.clone()).unwrap_or_default(),
        };
        let answered = manifest::object(write.answered.as_deref());
        let namespace = write.act.namespace.clone().unwrap_or_default();
        let version =
            |object, creates| Version { time: write.time, object, known: known.clone(), creates, is_doubted: false };
        if write.act.verb == "deletecollection" {
            let keys = self
                .versions
                .keys()
                .filter(|key| key.kind == kind && (key.namespace == namespace || namespace.is_empty()));
            for key in keys.cloned().collect::<Vec<_>>() {
                match manifest::hit(write, &key.namespace, &key.name) {
                    Hit::Taken => self.push(key, version(Object::Absent, false)),
                    Hit::Spared => (),
                    // What it was it is as long as nothing tells that it is gone: rights that are left out are not looked
                    // at by anybody.
                    Hit::Unknown => self.doubt(key, write.time),
                }
            }
            return;
        }
        let written = manifest::written(write);
        let Some(name) = manifest::name_of(write, written.as_ref()) else {
            self.lost.push((write.time, kind, namespace));
            return;
        };
        if kind == ObjectKind::ClusterRole && name == "cluster-admin" && write.act.verb == "create" {
            self.born = self.born.or(Some(write.time));
        }
        let key = ObjectKey { kind, namespace, name };
        let before = self.versions.get(&key).and_then(|versions| versions.last());
        let object = match write.act.verb.as_str() {
            "create" | "update" => written.map(Arc::new).map_or(Object::Unknown, Object::Is),
            "patch" => after_patch(write, answered, before.map(|version| &version.object)),
            "delete" => Object::Absent,
            _ => return,
        };
        let creates = write.act.verb == "create";
        self.push(key, version(object, creates));
    }

    /// What an object was at a time, and by what this is known.
    pub fn at(&self, key: &ObjectKey, time: i64) -> (Object, Known) {
        let versions = self.versions.get(key).map_or(&[][..], Vec::as_slice);
        let later = versions.partition_point(|version| version.time <= time);
        if let Some(version) = later.checked_sub(1).and_then(|at| versions.get(at)) {
            return (version.object.clone(), version.known.clone());
        }
        match versions.first() {
            Some(first) if first.creates => (Object::Absent, first.known.clone()),
            // No write stands between the time and the snapshot.
            Some(first) if matches!(first.known, Known::Snapshot { .. }) => (first.object.clone(), first.known.clone()),
            Some(_) => (Object::Unknown, Known::Unknown),
            None if self.knows_all(key.kind, time) => (Object::Absent, Known::Unknown),
            None => (Object::Unknown, Known::Unknown),
        }
    }

    /// Whether an object may have been gone at a time, because many were deleted and which ones is not logged.
    pub(super) fn is_doubted(&self, key: &ObjectKey, time: i64) -> bool {
        let versions = self.versions.get(key).map_or(&[][..], Vec::as_slice);
        versions.iter().rev().find(|version| version.time <= time).is_some_and(|version| version.is_doubted)
    }

    /// Whether a write of an object is known from after a time.
    pub(super) fn is_written_after(&self, key: &ObjectKey, time: i64) -> bool {
        let versions = self.versions.get(key).map_or(&[][..], Vec::as_slice);
        versions.iter().any(|version| version.time > time && matches!(version.known, Known::Write { .. }))
    }

    /// Whether all objects of a kind are known at a time: from a snapshot, or from the birth of the cluster on.
    pub fn knows_all(&self, kind: ObjectKind, time: i64) -> bool {
        self.whole.contains_key(&kind) || self.born.is_some_and(|born| born <= time)
    }

    /// Writes up to a time whose object nobody recorded.
    pub(super) fn lost_before(&self, time: i64) -> impl Iterator<Item = &(i64, ObjectKind, String)> {
        self.lost.iter().filter(move |(lost, ..)| *lost <= time)
    }

    /// All objects that are known of, by name.
    pub fn keys(&self) -> impl Iterator<Item = &ObjectKey> {
        self.versions.keys()
    }

    /// Times at which an object was written or seen, with what is known.
    pub fn moments(&self, key: &ObjectKey) -> impl Iterator<Item = (i64, &Object, &Known)> {
        let versions = self.versions.get(key).into_iter().flatten();
        versions.map(|version| (version.time, &version.object, &version.known))
    }
}

/// What an object is after a patch: what the server answered, else what the patch makes of what it was.
fn after_patch(write: &Request, answered: Option<Value>, before: Option<&Object>) -> Object {
    if let Some(object) = answered.filter(|object| object.get("metadata").is_some()) {
        return Object::Is(Arc::new(object));
    }
    let sent = write.sent.as_deref().and_then(|sent| serde_json::from_str::<Value>(sent).ok());
    let Some(sent) = sent else { return Object::Unknown };
    let manner = patch::manner(&sent, &write.uri);
    match before {
        Some(Object::Is(before)) => {
            let after = patch::patched(before.as_ref().clone(), &sent, manner);
            after.map(Arc::new).map_or(Object::Unknown, Object::Is)
        }
        // Rules and subjects are replaced as a whole, so a patch that holds all of an object tells it; a patch that
        // creates is one.
        _ if sent.get("rules").is_some() || (sent.get("roleRef").is_some() && sent.get("subjects").is_some()) => {
            Object::Is(Arc::new(sent))
        }
        _ => Object::Unknown,
    }
}
