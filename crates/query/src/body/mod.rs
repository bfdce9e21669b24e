//! SQL functions over the bodies of requests that would cost too much in SQL: there every step parses the body again.

mod object;
mod parts;
mod template;

use std::error::Error;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, ListBuilder, RecordBatch, StringArray, StringBuilder, StructArray};
use arrow::datatypes::{DataType, Field, Fields};
use duckdb::Connection;
use duckdb::vscalar::arrow::{ArrowFunctionSignature, VArrowScalar};

use crate::argument::texts;
use object::Object;
use template::{Template, Tidy};

/// Makes the functions.
///
/// * `body_parts(body)`: the objects of a body; see [`parts`]. NULL when it is neither an object nor a list.
/// * `sent_members(body)`: the names of what a body holds, for the eye: its members, each with those of its own when they
///   are few (`spec.replicas`), sorted.
/// * `pod_template(resource, namespace, stored, sent)`: what the pod template that was written lets its pods do; texts are
///   empty for what there is not. Its field `seen_in` is NULL when there is none. The fields are columns of
///   `workload_specs`.
pub(crate) fn register(connection: &Connection) -> duckdb::Result<()> {
    connection.register_scalar_function::<BodyParts>("body_parts")?;
    connection.register_scalar_function::<SentMembers>("sent_members")?;
    connection.register_scalar_function::<PodTemplate>("pod_template")
}

struct BodyParts;
struct SentMembers;
struct PodTemplate;

impl VArrowScalar for BodyParts {
    type State = ();

    fn invoke(_: &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let mut lists = ListBuilder::new(StringBuilder::new());
        for body in texts(&input, 0)? {
            lists.append_option(body.and_then(parts::parts).map(|parts| parts.into_iter().map(Some)));
        }
        Ok(Arc::new(lists.finish()))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(vec![DataType::Utf8], list())]
    }
}

/// Members of a member that are named; of one with more its own name tells enough.
const NAMED_MEMBERS_MAX: usize = 3;

impl VArrowScalar for SentMembers {
    type State = ();

    fn invoke(_: &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let mut lists = ListBuilder::new(StringBuilder::new());
        for body in texts(&input, 0)? {
            lists.append_value(body.map(sent_members).unwrap_or_default().into_iter().map(Some));
        }
        Ok(Arc::new(lists.finish()))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(vec![DataType::Utf8], list())]
    }
}

fn sent_members(body: &str) -> Tidy {
    let body = object::repaired(body);
    let parts = parts::parts(&body).unwrap_or_default();
    let mut names = Tidy::new();
    for object in parts.iter().filter_map(|part| Object::of(part)) {
        for (name, value) in object.members().iter().filter(|(name, _)| name != "kind" && name != "apiVersion") {
            let inner = Object::of(value).filter(|value| value.members().len() <= NAMED_MEMBERS_MAX);
            let inner = inner.iter().flat_map(Object::members).map(|(name, _)| &**name).collect::<Vec<_>>().join("+");
            names.insert(if inner.is_empty() { name.to_string() } else { format!("{name}.{inner}") });
        }
    }
    names.remove("");
    names
}

type TextOf = fn(&Template) -> Option<&str>;
type FlagOf = fn(&Template) -> bool;
type ListOf = fn(&Template) -> &Tidy;

const TEXTS: [(&str, TextOf); 6] = [
    ("seen_in", |template| Some(template.seen_in)),
    ("name", |template| template.name.as_deref()),
    ("owner", |template| template.owner.as_deref()),
    ("service_account", |template| template.service_account.as_deref()),
    ("assigned_node", |template| template.assigned_node.as_deref()),
    ("schedule", |template| template.schedule.as_deref()),
];

const FLAGS: [(&str, FlagOf); 13] = [
    ("privileged", |template| template.privileged),
    ("host_process", |template| template.host_process),
    ("host_network", |template| template.host_network),
    ("host_pid", |template| template.host_pid),
    ("host_ipc", |template| template.host_ipc),
    ("run_as_root", |template| template.run_as_root),
    ("allow_privilege_escalation", |template| template.allow_privilege_escalation),
    ("share_process_namespace", |template| template.share_process_namespace),
    ("proc_mount_unmasked", |template| template.proc_mount_unmasked),
    ("seccomp_unconfined", |template| template.seccomp_unconfined),
    ("selinux_unconfined", |template| template.selinux_unconfined),
    ("apparmor_unconfined", |template| template.apparmor_unconfined),
    ("mirror_pod", |template| template.mirror_pod),
];

const LISTS: [(&str, ListOf); 10] = [
    ("containers", |template| &template.containers),
    ("images", |template| &template.images),
    ("image_of", |template| &template.image_of),
    ("sent_images", |template| &template.sent_images),
    ("ephemeral_images", |template| &template.ephemeral_images),
    ("host_paths", |template| &template.host_paths),
    ("capabilities", |template| &template.capabilities),
    ("commands", |template| &template.commands),
    ("resource_amounts", |template| &template.resource_amounts),
    ("reasons", |template| &template.reasons),
];

impl VArrowScalar for PodTemplate {
    type State = ();

    fn invoke(_: &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let (resources, namespaces) = (texts(&input, 0)?, texts(&input, 1)?);
        let (stored, sent) = (texts(&input, 2)?, texts(&input, 3)?);
        let templates: Vec<Option<Template>> = (0..input.num_rows())
            .map(|row| template::read(resources.value(row), namespaces.value(row), stored.value(row), sent.value(row)))
            .collect();
        let rows = || templates.iter().map(Option::as_ref);
        let mut columns: Vec<ArrayRef> = Vec::new();
        for (_, of) in TEXTS {
            columns.push(Arc::new(rows().map(|row| row.and_then(of)).collect::<StringArray>()));
        }
        for (_, of) in FLAGS {
            columns.push(Arc::new(rows().map(|row| row.map(of)).collect::<BooleanArray>()));
        }
        for (_, of) in LISTS {
            let mut lists = ListBuilder::new(StringBuilder::new());
            rows().for_each(|row| lists.append_option(row.map(|row| of(row).iter().map(Some))));
            columns.push(Arc::new(lists.finish()));
        }
        Ok(Arc::new(StructArray::try_new(fields(), columns, None)?))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(vec![DataType::Utf8; 4], DataType::Struct(fields()))]
    }

    /// DuckDB would compute it once to leave rows out and once more for what stays.
    fn volatile() -> bool {
        true
    }
}

fn fields() -> Fields {
    let texts = TEXTS.iter().map(|(name, _)| Field::new(*name, DataType::Utf8, true));
    let flags = FLAGS.iter().map(|(name, _)| Field::new(*name, DataType::Boolean, true));
    texts.chain(flags).chain(LISTS.iter().map(|(name, _)| Field::new(*name, list(), true))).collect()
}

fn list() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))
}

#[cfg(test)]
mod tests;
