//! SQL functions over the bodies of requests that would cost too much in SQL: there every step parses the body again.

mod build;
mod found;
mod object;
mod parts;
mod rbac;
mod rule;
mod structs;
mod template;

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use duckdb::Connection;
use duckdb::vscalar::arrow::{ArrowFunctionSignature, VArrowScalar};
use kforensic_trace::rbac::as_rbac;

use crate::argument::texts;
use object::Object;
use rule::Told;
use template::Template;

/// Texts for the eye: none twice, sorted.
type Tidy = BTreeSet<String>;

/// Makes the functions.
///
/// * `body_parts(body)`: the objects of a body; see [`parts`]. NULL when it is neither an object nor a list.
/// * `sent_members(body)`: the names of what a body holds, for the eye: its members, each with those of its own when they
///   are few (`spec.replicas`), sorted.
/// * `pod_template(resource, namespace, stored, sent)`: what the pod template that was written lets its pods do; texts are
///   empty for what there is not. Its field `seen_in` is NULL when there is none. The fields are columns of
///   `workload_specs`.
/// * `rbac_body(stored, sent)`: what the bodies of a role or a binding say; texts are empty for what there is not. The fields
///   are columns of `rbac_changes`.
/// * `openshift_as_rbac(body)`: a body of OpenShift's API of roles and bindings as one of RBAC; see [`as_rbac`]. NULL for what is no
///   JSON.
/// * `rbac_rule(rule)`: what a rule of a role says and gives; NULL for NULL. The fields are columns of `role_rules`.
pub(crate) fn register(connection: &Connection) -> duckdb::Result<()> {
    connection.register_scalar_function::<BodyParts>("body_parts")?;
    connection.register_scalar_function::<SentMembers>("sent_members")?;
    connection.register_scalar_function::<PodTemplate>("pod_template")?;
    connection.register_scalar_function::<RbacBody>("rbac_body")?;
    connection.register_scalar_function::<OpenshiftAsRbac>("openshift_as_rbac")?;
    connection.register_scalar_function::<RbacRule>("rbac_rule")
}

struct BodyParts;
struct SentMembers;
struct PodTemplate;
struct RbacBody;
struct OpenshiftAsRbac;
struct RbacRule;

impl VArrowScalar for BodyParts {
    type State = ();

    fn invoke(_: &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        Ok(structs::lists(texts(&input, 0)?.iter().map(|body| body.and_then(parts::parts))))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(vec![DataType::Utf8], structs::list())]
    }
}

/// Members of a member that are named; of one with more its own name tells enough.
const NAMED_MEMBERS_MAX: usize = 3;

impl VArrowScalar for SentMembers {
    type State = ();

    fn invoke(_: &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        Ok(structs::lists(texts(&input, 0)?.iter().map(|body| body.map(sent_members))))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(vec![DataType::Utf8], structs::list())]
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

impl VArrowScalar for PodTemplate {
    type State = ();

    fn invoke(_: &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let (resources, namespaces) = (texts(&input, 0)?, texts(&input, 1)?);
        let (stored, sent) = (texts(&input, 2)?, texts(&input, 3)?);
        let templates: Vec<Option<Template>> = (0..input.num_rows())
            .map(|row| template::read(resources.value(row), namespaces.value(row), stored.value(row), sent.value(row)))
            .collect();
        structs::array(&template::COLUMNS, &templates)
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(vec![DataType::Utf8; 4], structs::data_type(&template::COLUMNS))]
    }

    /// DuckDB would compute it once to leave rows out and once more for what stays.
    fn volatile() -> bool {
        true
    }
}

impl VArrowScalar for RbacBody {
    type State = ();

    fn invoke(_: &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let (stored, sent) = (texts(&input, 0)?, texts(&input, 1)?);
        let rows = (0..input.num_rows()).map(|row| Some(rbac::read(stored.value(row), sent.value(row))));
        structs::array(&rbac::COLUMNS, &rows.collect::<Vec<_>>())
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(vec![DataType::Utf8; 2], structs::data_type(&rbac::COLUMNS))]
    }

    /// As for templates.
    fn volatile() -> bool {
        true
    }
}

impl VArrowScalar for OpenshiftAsRbac {
    type State = ();

    fn invoke(_: &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let bodies = texts(&input, 0)?;
        let told = bodies.iter().map(|body| body.and_then(|body| as_rbac(&object::repaired(body))));
        Ok(Arc::new(told.collect::<StringArray>()))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(vec![DataType::Utf8], DataType::Utf8)]
    }
}

impl VArrowScalar for RbacRule {
    type State = ();

    fn invoke(_: &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let rows: Vec<_> = texts(&input, 0)?.iter().map(|rule| Some(Told::of(rule?))).collect();
        structs::array(&rule::COLUMNS, &rows)
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(vec![DataType::Utf8], structs::data_type(&rule::COLUMNS))]
    }

    /// As for templates.
    fn volatile() -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
