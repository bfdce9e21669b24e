//! The views: what SQL sees of a case.
//!
//! `events` and `rejects` are made from the table of columns and from an explicit list of files,
//! because a glob would also find files that are not part of the table, and opens all of them.
//! Everything else is a file of `views/`.

#[cfg(test)]
mod bursts;
mod definitions;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use kforensic_event::{COLUMNS, Column, Kind, time};
use kforensic_lake::DataFile;
use kforensic_lake::seen::Seen;

use crate::kinds;
use crate::proxies::{Proxies, SOURCE};
use crate::selection::Selection;
use crate::sql::{list, literal, literals};
use definitions::{Definition, Read};

/// Columns of a rejected record that can hold something: it has no time, user or resource.
const REJECT_COLUMNS: [&str; 8] =
    ["source_id", "line_number", "byte_offset", "byte_length", "reject_reason", "raw", "host", "cluster"];

/// Files with the same columns: those of earlier versions have fewer than the table.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// Names of the columns; empty when they have all.
    pub(crate) columns: Arc<[String]>,
    /// Whether their rows say which of them stand for their requests.
    pub(crate) are_folded: bool,
    /// Whether there may be copies of an event among their rows that differ.
    pub(crate) have_copies: bool,
    /// Whether there may be decisions of a login among them.
    pub(crate) have_logins: bool,
    /// Their paths.
    pub(crate) paths: Vec<String>,
}

/// Views whose rows are events or requests, each made of the events of one request, whose time, resource and API group it has.
pub(crate) const OF_ONE_REQUEST: [&str; 4] = ["events", "final_events", "requests", "request_keys"];

/// Columns of `component_writes`.
const COMPONENT_COLUMNS: [&str; 10] = [
    "user_name",
    "impersonated_user",
    "source_ip",
    "verb",
    "resource",
    "subresource",
    "namespace",
    "name",
    "status_code",
    "cluster",
];

/// SQL that creates the views that all others are made from, over the given files. `component_files` are those of
/// [`Selection::of_components`], whatever the selection: who somebody is does not depend on what is asked about him.
pub(crate) fn create(
    event_files: &[Files],
    reject_files: &[Files],
    component_files: &[Files],
    selection: &Selection,
    proxies: &Proxies,
) -> String {
    let has_copies = event_files.iter().any(|files| files.have_copies);
    let has_logins = event_files.iter().any(|files| files.have_logins);
    let events: Vec<&Column> = COLUMNS.iter().collect();
    let rejects: Vec<&Column> =
        REJECT_COLUMNS.iter().filter_map(|name| COLUMNS.iter().find(|column| column.name == *name)).collect();
    let writes: Vec<&Column> = COLUMNS.iter().filter(|column| COMPONENT_COLUMNS.contains(&column.name)).collect();
    let source = if proxies.is_empty() { Source::Peer } else { Source::Asserted };
    format!(
        "CREATE MACRO has_proxies() AS {};\nCREATE MACRO has_copies() AS {has_copies};\nCREATE MACRO has_logins() AS {has_logins};\nCREATE VIEW events AS\n{};\nCREATE VIEW final_events AS FROM events WHERE final;\nCREATE VIEW rejects AS\n{};\nCREATE VIEW component_writes AS\n{};\n",
        !proxies.is_empty(),
        union(&events, event_files, &conditions(selection), Fold::Requests, source),
        union(&rejects, reject_files, &[], Fold::Requests, Source::Peer),
        // Where a component is at home is no proxy's to say.
        union(&writes, component_files, &conditions(&Selection::of_components()), Fold::Nothing, Source::Peer),
    )
}

/// Whether events are wanted with what stands for their requests, or as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fold {
    Requests,
    Nothing,
}

/// What counts as the address that a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The peer of the connection.
    Peer,
    /// What a proxy that is named says, else the peer.
    Asserted,
}

fn union(columns: &[&Column], files: &[Files], conditions: &[String], fold: Fold, source: Source) -> String {
    let parts = files.iter().filter(|files| !files.paths.is_empty()).map(|files| {
        let rows = select(columns, files, conditions, source);
        if files.are_folded || fold == Fold::Nothing { rows } else { FOLD.replace("$EVENTS", &rows) }
    });
    let parts: Vec<String> = parts.collect();
    match parts.as_slice() {
        [] => select(columns, &Files::default(), &[], source),
        parts => parts.join("\nUNION ALL\n"),
    }
}

/// Events of files that do not say which of them stand for their requests: the first cases of this format. It costs a
/// window over all of them; a compaction writes them anew, with what is known then.
const FOLD: &str = "SELECT * EXCLUDE (from_last, stages_seen, other_stages, stream_started) REPLACE (
    from_last = 1 AS final,
    CASE WHEN from_last = 1 THEN list_filter([
        CASE WHEN stages_seen & 1 > 0 THEN 'RequestReceived' END,
        CASE WHEN stages_seen & 2 > 0 THEN 'ResponseStarted' END,
        CASE WHEN stages_seen & 4 > 0 THEN 'ResponseComplete' END,
        CASE WHEN stages_seen & 8 > 0 THEN 'Panic' END
    ], lambda stage: stage IS NOT NULL) || list_sort(list_distinct(coalesce(other_stages, []))) END AS stages,
    CASE
        WHEN from_last > 1 THEN NULL
        WHEN stream_started OR status_code < 400 THEN 'allowed'
        WHEN status_code IS NULL THEN 'unknown'
        WHEN status_code IN (401, 403) THEN 'denied'
        ELSE 'failed'
    END AS outcome)
FROM (
    SELECT
        *,
        row_number() OVER requests AS from_last,
        bit_or(CASE stage
            WHEN 'RequestReceived' THEN 1
            WHEN 'ResponseStarted' THEN 2
            WHEN 'ResponseComplete' THEN 4
            WHEN 'Panic' THEN 8
            ELSE 0
        END) OVER (requests ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS stages_seen,
        list(stage) FILTER (
            WHERE stage NOT IN ('RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic')
        ) OVER (requests ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS other_stages,
        bool_or(stage = 'ResponseStarted' AND coalesce(status_code, 200) < 400)
            OVER (requests ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS stream_started
    FROM ($EVENTS)
    WINDOW requests AS (
        PARTITION BY event_time, audit_id, verb, source_ip, resource, api_group, user_name, request_uri
        ORDER BY
            CASE stage
                WHEN 'RequestReceived' THEN 1
                WHEN 'ResponseStarted' THEN 2
                WHEN 'ResponseComplete' THEN 3
                WHEN 'Panic' THEN 4
                ELSE 0
            END DESC,
            stage_time DESC NULLS LAST, source_id DESC, byte_offset DESC
    )
)";

impl Files {
    /// The files by the columns that they have; `paths` are where they are.
    pub(crate) fn group(files: &[&DataFile], paths: &[String]) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for (file, path) in files.iter().zip(paths) {
            let have_copies = file.seen.as_deref().is_none_or(Seen::may_hold_copies);
            let have_logins = file.seen.as_deref().is_none_or(Seen::may_hold_logins);
            match groups.iter_mut().find(|group| group.columns == file.columns) {
                Some(group) => {
                    group.paths.push(path.clone());
                    group.have_copies |= have_copies;
                    group.have_logins |= have_logins;
                }
                None => groups.push(Self {
                    columns: Arc::clone(&file.columns),
                    are_folded: file.is_folded(),
                    have_copies,
                    have_logins,
                    paths: vec![path.clone()],
                }),
            }
        }
        groups
    }

    fn have(&self, name: &str) -> bool {
        self.columns.is_empty() || self.columns.iter().any(|column| column == name)
    }
}

/// Which of the files of `views/` have been run in a session. Each is run when a statement first needs it: DuckDB binds a
/// view when it is made, so all of them take half a second, and what a question needs a few milliseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Provided {
    paths: BTreeSet<&'static str>,
    /// Whether views that several questions read are computed once.
    pub(crate) are_kept: bool,
}

/// Views that several detections read, that are costly to plan or to compute, and that hold a small part of a case: a
/// session that is asked many questions makes tables of them. To plan `workload_specs` alone takes 70 ms, and nine
/// detections need it.
const KEPT: [&str; 13] = [
    "audit_id_conflicts",
    "container_commands",
    "deletions",
    "exec_sessions",
    "homes",
    "node_proxy",
    "rbac_changes",
    "role_powers",
    "role_rules",
    "secret_access",
    "token_requests",
    "workload_changes",
    "workload_specs",
];

/// SQL that creates views.
#[derive(Debug, Default)]
pub(crate) struct Creation {
    /// Up to the view `homes`, when that is among them.
    pub(crate) first: String,
    pub(crate) makes_homes: bool,
    /// What comes behind it.
    pub(crate) then: String,
}

impl Creation {
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_empty()
    }
}

impl Provided {
    /// SQL that creates what `sql` needs and is not there yet, each behind what it mentions itself.
    pub(crate) fn for_statement(&mut self, sql: &str) -> Creation {
        self.of(definitions::needed(sql, &READ))
    }

    /// SQL that creates all that is not there yet.
    pub(crate) fn for_all(&mut self) -> Creation {
        self.of(READ.iter().collect())
    }

    fn of(&mut self, files: Vec<&Read<'static>>) -> Creation {
        let mut creation = Creation::default();
        for file in files.into_iter().map(|read| read.file) {
            if self.paths.insert(file.path) {
                let text = if self.are_kept { as_tables(file.text) } else { file.text.to_owned() };
                let sql = if creation.makes_homes { &mut creation.then } else { &mut creation.first };
                // Writing into a string cannot fail.
                let _ = writeln!(sql, "-- {}\n{text}", file.path);
                creation.makes_homes |= file.text.contains("CREATE VIEW homes AS\n");
            }
        }
        creation
    }
}

/// The file with tables in the place of the views that are kept.
fn as_tables(text: &str) -> String {
    KEPT.iter().fold(text.to_owned(), |text, name| {
        text.replace(&format!("CREATE VIEW {name} AS\n"), &format!("CREATE TABLE {name} AS\n"))
    })
}

/// All words of a statement and of the views and macros that it needs: every column that it reads is among them, unless it
/// takes what there is (`*`).
pub(crate) fn words_needed(sql: &str) -> BTreeSet<String> {
    definitions::words_needed(sql, &READ)
}

/// Whether one of our files makes a view or macro of that name.
pub(crate) fn is_defined(name: &str) -> bool {
    definitions_called(name).next().is_some()
}

/// Whether one of our files makes a macro of that name that reads events.
pub(crate) fn is_macro_that_reads(name: &str) -> bool {
    definitions::reads_events(name, &DEFINITIONS)
}

/// Whether one of our files makes a table macro of that name: one that takes names of tables.
pub(crate) fn is_table_macro(name: &str) -> bool {
    definitions_called(name).any(|definition| definition.kind == definitions::Kind::TableMacro)
}

/// Whether a table macro of that name reads events beside the tables that it takes.
pub(crate) fn reads_events_of_its_own(name: &str) -> bool {
    definitions::reads_events_of_its_own(name, &DEFINITIONS)
}

fn definitions_called(name: &str) -> impl Iterator<Item = &'static Definition<'static>> {
    DEFINITIONS.iter().filter(move |definition| definition.name.eq_ignore_ascii_case(name))
}

/// The files of views, in order.
static READ: LazyLock<Vec<Read<'static>>> = LazyLock::new(|| definitions::in_order(&kinds::VIEWS));

/// What they define.
static DEFINITIONS: LazyLock<Vec<Definition<'static>>> =
    LazyLock::new(|| READ.iter().flat_map(|read| read.definitions.iter().cloned()).collect());

fn select(columns: &[&Column], files: &Files, conditions: &[String], source: Source) -> String {
    let mut names = Vec::new();
    for column in columns {
        let (name, kind) = (column.name, sql_type(column.kind));
        names.push(match column.kind {
            _ if files.paths.is_empty() || !files.have(name) => format!("NULL::{kind} AS {name}"),
            // DuckDB without ICU can hardly compute on TIMESTAMPTZ, which is what a UTC time of Parquet is to it.
            Kind::Time => format!("{name}::{kind} AS {name}"),
            _ if name == "source_ip" && source == Source::Asserted && files.have("source_ips") => {
                format!("{SOURCE} AS source_ip")
            }
            _ => name.to_owned(),
        });
    }
    let names = names.join(", ");
    if files.paths.is_empty() {
        return format!("SELECT {names} WHERE false");
    }
    let files = list(&files.paths);
    let rows = format!("SELECT {names}\nFROM read_parquet({files}, hive_partitioning = false)");
    match conditions {
        [] => rows,
        _ => format!("{rows}\nWHERE {}", conditions.join(" AND ")),
    }
}

/// Files are left out as a whole; what the rest holds beyond the selection is left out here.
///
/// `event_time` is the column of the file, not yet cast: what DuckDB derives from a condition on the cast
/// column to skip row groups reaches two hours too far.
fn conditions(selection: &Selection) -> Vec<String> {
    let instant = |micros| format!("TIMESTAMPTZ {}", literal(&time::render(micros)));
    let since = selection.since.map(|micros| format!("event_time >= {}", instant(micros)));
    let until = selection.until.map(|micros| format!("event_time < {}", instant(micros)));
    let one_of = |column: &str, names: &[String]| match names {
        [] => "false".to_owned(),
        [name] => format!("{column} = {}", literal(name)),
        names => format!("{column} IN ({})", literals(names.iter().map(String::as_str))),
    };
    let resources = selection.resources.as_deref().map(|names| one_of("resource", names));
    let groups = selection.groups.as_deref().map(|names| one_of("api_group", names));
    let cluster = selection.cluster.as_deref().map(|name| format!("cluster = {}", literal(name)));
    since.into_iter().chain(until).chain(resources).chain(groups).chain(cluster).collect()
}

fn sql_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Time => "TIMESTAMP",
        Kind::Date => "DATE",
        Kind::Text | Kind::Json => "VARCHAR",
        Kind::Texts => "VARCHAR[]",
        Kind::Int => "INTEGER",
        Kind::Long => "BIGINT",
        Kind::Bool => "BOOLEAN",
        Kind::Bytes => "BLOB",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded;

    #[test]
    fn paths_and_names_cannot_break_out_of_their_quotes() {
        let selection = Selection { resources: Some(vec!["x' OR 'a".to_owned()]), ..Selection::default() };
        let files = Files { are_folded: true, paths: vec!["/it's/a.parquet".to_owned()], ..Files::default() };
        let sql = create(&[files], &[], &[], &selection, &Proxies::default());
        assert!(sql.contains("read_parquet(['/it''s/a.parquet'], hive_partitioning = false)"), "{sql}");
        assert!(sql.contains("resource = 'x'' OR ''a'"), "{sql}");
    }

    #[test]
    fn what_is_kept_is_a_view_that_is_found() {
        for name in KEPT {
            let file = embedded::VIEWS.iter().find(|file| file.text.contains(&format!("CREATE VIEW {name} AS\n")));
            let text = as_tables(file.unwrap_or_else(|| panic!("{name}")).text);
            assert!(text.contains(&format!("CREATE TABLE {name} AS\n")), "{name}");
        }
    }

    #[test]
    fn rejects_have_the_columns_that_can_hold_something() {
        for name in REJECT_COLUMNS {
            assert!(COLUMNS.iter().any(|column| column.name == name), "{name}");
        }
    }

    #[test]
    fn every_view_says_in_its_first_line_what_a_row_is_or_what_it_is_for() {
        for file in embedded::VIEWS {
            let first = file.text.lines().next().unwrap();
            assert!(first.starts_with("-- ") && first.ends_with('.'), "{}", file.path);
        }
    }
}
