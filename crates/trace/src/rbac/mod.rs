//! Who could do what at a time.
//!
//! Snapshots and writes are replayed ([`Replay`]) into what held at a time ([`World`]), and [`World::decide`] answers as
//! the RBAC authorizer would have: *allowed* by a binding, *denied*, or *unknown*, with what is missing. Nothing is
//! guessed: an object that was changed and not recorded is unknown from then on, and so is what nobody saw.

mod authorize;
mod diff;
mod openshift;
mod replay;
mod rule;
mod way;
mod who;

pub use authorize::{Verdict, Who, World};
pub use diff::{Change, How, changes, way_back};
pub use openshift::as_rbac;
pub use replay::{Known, Object, ObjectKey, ObjectKind, Replay, Snapshot, SnapshotError};
pub use rule::{Asked, Rule};
pub use who::{Holder, Power, Reach, Subject};

/// An object without what the server keeps: what one would apply.
pub(crate) fn cleaned(object: &serde_json::Value) -> serde_json::Value {
    diff::without_server_fields(object)
}

/// An object of RBAC as YAML that can be applied.
pub(crate) fn applied(key: &ObjectKey, object: &serde_json::Value) -> String {
    diff::manifest(key, &cleaned(object))
}

pub(crate) use diff::delete_command as deletion;

#[cfg(test)]
mod tests;
