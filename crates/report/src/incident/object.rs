//! What a request left in the cluster: an object that it made, or rights that it changed.

use super::row::Row;

/// The resource of a token among objects that were made.
pub(crate) const TOKEN: &str = "serviceaccounts/token";

/// The resource of a certificate that somebody let through. To delete the request for it ends nothing.
pub(crate) const CERTIFICATE: &str = "certificatesigningrequests/approval";

/// What gives rights: whoever changes one leaves as much behind as whoever makes one.
const RIGHTS: [&str; 4] = ["clusterrolebindings", "clusterroles", "rolebindings", "roles"];

/// An object of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Object {
    /// The cluster that it is in, when the row tells.
    pub cluster: Option<String>,
    /// Its resource, in the plural, as in the log.
    pub resource: String,
    /// Its namespace.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

/// Whether a request that was allowed made its object: a server-side apply is a `patch`, and some kinds can be made by
/// an `update`; the server answers them with 201.
pub(crate) fn is_creation(row: Row<'_>) -> bool {
    match row.text("verb") {
        Some("create") => true,
        Some("patch" | "update") => row.number("status_code") == Some(201),
        _ => false,
    }
}

/// Whether a request can have left something behind, whatever its outcome: what is looked at before all of a row is.
pub(crate) fn may_have_made(row: Row<'_>) -> bool {
    matches!(row.text("verb"), Some("create" | "patch" | "update"))
        || matches!(row.text("action"), Some("approve" | "sign"))
        || row.has("granted_seconds")
}

/// What a request that was allowed made: only what has a name.
pub(crate) fn made(row: Row<'_>) -> Option<Object> {
    let object = |resource: &str, namespace: Option<&str>, name: &str| Object {
        cluster: row.text("cluster").map(str::to_owned),
        resource: resource.to_owned(),
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
    };
    if row.has("granted_seconds") && row.text("outcome") == Some("allowed") {
        let (namespace, name) = row.text("service_account")?.split_once('/')?;
        return Some(object(TOKEN, Some(namespace), name));
    }
    let (resource, name) = (row.text("resource")?, row.text("name")?);
    if super::deed::outcome(row) != Some("allowed") || row.text("subresource").is_some() {
        return None;
    }
    if resource == "certificatesigningrequests" && matches!(row.text("action"), Some("approve" | "sign")) {
        return Some(object(CERTIFICATE, None, name));
    }
    (is_creation(row) || is_change_of_rights(row)).then(|| object(resource, row.text("namespace"), name))
}

/// Whether rights were changed that were there before.
pub(crate) fn is_change_of_rights(row: Row<'_>) -> bool {
    matches!(row.text("verb"), Some("patch" | "update"))
        && !is_creation(row)
        && row.text("resource").is_some_and(|resource| RIGHTS.contains(&resource))
}

/// The name of one of a resource: `pod` of `pods`. Names of resources are plurals, as English makes them.
pub(crate) fn singular(resource: &str) -> String {
    if let Some(stem) = resource.strip_suffix("ies") {
        return format!("{stem}y");
    }
    match resource.strip_suffix("sses") {
        Some(stem) => format!("{stem}ss"),
        None => resource.strip_suffix('s').unwrap_or(resource).to_owned(),
    }
}
