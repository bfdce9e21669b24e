//! Everything that mentions a value, view by view, with the statement to go on with.
//!
//! Pure: it writes SQL. Values stand in it as literals ([`super::quote`]), and all of it goes through the gate.

use std::net::IpAddr;

use super::quote::{name, text_literal};

/// Columns that hold much text, in which an equal value is no mention, or words of Kubernetes, which name nobody.
const NOT_LOOKED_AT: [&str; 24] = [
    "request_uri",
    "request_object",
    "response_object",
    "annotations",
    "other",
    "raw",
    "status_details",
    "status_message",
    "decision_reason",
    "user_extra",
    "impersonated_extra",
    "reject_reason",
    "verb",
    "stage",
    "stages",
    "level",
    "outcome",
    "decision",
    "status",
    "status_reason",
    "api_group",
    "api_version",
    "resource",
    "subresource",
];

/// How ids of credentials begin.
const CREDENTIALS: [&str; 2] = ["JTI=", "X509SHA256="];

/// What a value is by its form: it is looked for in the columns that hold such values.
///
/// Conditions on many columns reach the files of no view, so that each view reads the whole case: 1.9 s instead of 0.3 s
/// for `requests` of 1.3 million events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Address,
    Id,
    /// A user, an object, a client.
    Name,
}

impl Form {
    fn of(value: &str) -> Self {
        let is_uuid = value.len() == 36 && value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        match () {
            () if value.parse::<IpAddr>().is_ok() => Self::Address,
            () if is_uuid || CREDENTIALS.iter().any(|begin| value.starts_with(begin)) => Self::Id,
            () => Self::Name,
        }
    }

    fn of_column(column: &str) -> Self {
        let ends = |ends: &[&str]| ends.iter().any(|end| column.ends_with(end));
        match () {
            () if ends(&["_ip", "_ips", "address", "addresses"]) => Self::Address,
            () if ends(&["_id", "_ids", "uid", "uids"]) => Self::Id,
            () => Self::Name,
        }
    }
}

/// Whether a dozen columns of each view can mention the value, and not one or two.
pub(super) fn looks_into_many_columns(value: &str) -> bool {
    Form::of(value) == Form::Name
}

/// A view with the columns that can mention something.
pub(super) struct Place {
    pub(super) view: String,
    /// Name of the column, and the condition under which it mentions the value.
    conditions: Vec<(String, String)>,
    has_time: bool,
}

impl Place {
    /// The columns of `view` that can mention `value`; `columns` are names and types. `None` when there are none.
    pub(super) fn of(view: &str, columns: &[(String, String)], value: &str) -> Option<Self> {
        let (form, literal) = (Form::of(value), text_literal(value));
        let has = |wanted: &str| columns.iter().any(|(column, _)| column == wanted);
        let mut conditions = Vec::new();
        for (column, kind) in columns {
            // The last of `source_ips` is `source_ip`; the others are what clients say, and `events` shows them.
            let is_said_before = column == "source_ips" && has("source_ip") && view != "events";
            if form != Form::of_column(column) || is_said_before || NOT_LOOKED_AT.contains(&column.as_str()) {
                continue;
            }
            let quoted = name(column);
            match kind.as_str() {
                "VARCHAR" => conditions.push((column.clone(), format!("{quoted} = {literal}"))),
                "VARCHAR[]" => conditions.push((column.clone(), format!("list_contains({quoted}, {literal})"))),
                _ => (),
            }
        }
        // An object is written as `namespace/name`.
        if let Some((namespace, object)) = value.split_once('/')
            && has("namespace")
            && has("name")
            && !object.contains('/')
        {
            let condition = format!("(namespace = {} AND name = {})", text_literal(namespace), text_literal(object));
            conditions.push(("namespace/name".to_owned(), condition));
        }
        let place = Self { view: view.to_owned(), conditions, has_time: has("event_time") };
        (!place.conditions.is_empty()).then_some(place)
    }

    /// Counts: one row with the rows that mention it, the first and last time, and then a count for each column.
    pub(super) fn counting(&self) -> String {
        let all: Vec<&str> = self.conditions.iter().map(|(_, condition)| condition.as_str()).collect();
        let times = if self.has_time {
            "min(event_time)::VARCHAR, max(event_time)::VARCHAR"
        } else {
            "NULL::VARCHAR, NULL::VARCHAR"
        };
        let counts: Vec<String> =
            all.iter().map(|condition| format!("(count(*) FILTER (WHERE {condition}))::VARCHAR")).collect();
        format!(
            "SELECT count(*)::VARCHAR, {times}, {} FROM {} WHERE {}",
            counts.join(", "),
            name(&self.view),
            all.join(" OR ")
        )
    }

    /// The columns with mentions, by the counts that [`Place::counting`] gave behind the times; one of them when its
    /// mentions are all the `rows`.
    pub(super) fn mentioning(&self, rows: &str, counts: &[String]) -> Vec<&str> {
        let pairs = || self.conditions.iter().zip(counts).map(|((column, _), count)| (column.as_str(), count.as_str()));
        match pairs().find(|(_, count)| *count == rows) {
            Some((column, _)) => vec![column],
            None => pairs().filter(|(_, count)| *count != "0").map(|(column, _)| column).collect(),
        }
    }

    /// The statement that shows the mentions in these columns.
    pub(super) fn going_on(&self, columns: &[&str]) -> String {
        let wanted = self.conditions.iter().filter(|(column, _)| columns.contains(&column.as_str()));
        let conditions: Vec<&str> = wanted.map(|(_, condition)| condition.as_str()).collect();
        let order = if self.has_time { " ORDER BY event_time" } else { "" };
        format!("FROM {} WHERE {}{order};", name(&self.view), conditions.join(" OR "))
    }
}

/// A line of the answer.
pub(super) struct Mention {
    pub(super) view: String,
    pub(super) rows: String,
    pub(super) first: Option<String>,
    pub(super) last: Option<String>,
    pub(super) go_on: String,
}

/// The answer as a statement of its own, so that it is shown and kept like any other.
pub(super) fn answer(mentions: &[Mention]) -> String {
    let text = |text: &Option<String>| text.as_deref().map_or("NULL".to_owned(), text_literal);
    let rows: Vec<String> = mentions
        .iter()
        .map(|mention| {
            format!(
                "({}, {}::BIGINT, {}::TIMESTAMP, {}::TIMESTAMP, {})",
                text_literal(&mention.view),
                text_literal(&mention.rows),
                text(&mention.first),
                text(&mention.last),
                text_literal(&mention.go_on)
            )
        })
        .collect();
    format!(
        "SELECT * FROM (VALUES {}) AS mentions(\"view\", \"rows\", first_seen, last_seen, go_on_with)",
        rows.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(columns: &[(&str, &str)]) -> Vec<(String, String)> {
        columns.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect()
    }

    #[test]
    fn values_are_looked_for_where_they_can_stand() {
        let columns = columns(&[
            ("event_time", "TIMESTAMP"),
            ("source_ips", "VARCHAR[]"),
            ("source_ip", "VARCHAR"),
            ("user_name", "VARCHAR"),
            ("user_groups", "VARCHAR[]"),
            ("audit_id", "VARCHAR"),
            ("credential_id", "VARCHAR"),
            ("verb", "VARCHAR"),
            ("status_code", "INTEGER"),
            ("request_object", "VARCHAR"),
        ]);
        let looked_at = |view: &str, value: &str| {
            let place = Place::of(view, &columns, value);
            place.map(|place| place.conditions.into_iter().map(|(column, _)| column).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(looked_at("requests", "127.0.31.9").unwrap(), "source_ip");
        assert_eq!(looked_at("events", "fd00::1").unwrap(), "source_ips source_ip");
        assert_eq!(looked_at("requests", "8a68baa0-b034-41a3-b08f-c2503e6715b1").unwrap(), "audit_id credential_id");
        assert_eq!(looked_at("requests", "JTI=8a68").unwrap(), "audit_id credential_id");
        let place = Place::of("requests", &columns, "it's").unwrap();
        assert_eq!(
            place.counting(),
            "SELECT count(*)::VARCHAR, min(event_time)::VARCHAR, max(event_time)::VARCHAR, \
             (count(*) FILTER (WHERE user_name = 'it''s'))::VARCHAR, \
             (count(*) FILTER (WHERE list_contains(user_groups, 'it''s')))::VARCHAR \
             FROM requests WHERE user_name = 'it''s' OR list_contains(user_groups, 'it''s')"
        );
        assert_eq!(place.mentioning("7", &["7".into(), "3".into()]), ["user_name"]);
        assert_eq!(place.mentioning("7", &["6".into(), "3".into()]), ["user_name", "user_groups"]);
        assert_eq!(place.going_on(&["user_name"]), "FROM requests WHERE user_name = 'it''s' ORDER BY event_time;");
        assert!(Place::of("counts", &[("n".into(), "BIGINT".into())], "x").is_none());
    }

    #[test]
    fn objects_are_found_by_namespace_and_name() {
        let place = Place::of("x", &columns(&[("namespace", "VARCHAR"), ("name", "VARCHAR")]), "prod/db").unwrap();
        assert_eq!(place.going_on(&["namespace/name"]), "FROM x WHERE (namespace = 'prod' AND name = 'db');");
    }

    #[test]
    fn hostile_values_stay_literals() {
        let place = Place::of("x", &columns(&[("a", "VARCHAR")]), "'; DROP\x1b").unwrap();
        assert_eq!(place.going_on(&["a"]), "FROM x WHERE a = ('''; DROP' || chr(27));");
        let mention = Mention {
            view: "x".into(),
            rows: "1".into(),
            first: None,
            last: Some("2026-11-21 20:00:00".into()),
            go_on: "it's".into(),
        };
        assert!(
            answer(&[mention])
                .contains("('x', '1'::BIGINT, NULL::TIMESTAMP, '2026-11-21 20:00:00'::TIMESTAMP, 'it''s')")
        );
    }
}
