//! A session reads the files of its case and nothing else.

use std::fs;

use kforensic_query::{CannedQuery, Parameters};

use crate::fixture::{Fixture, ad_hoc, run};

/// What DuckDB says to a statement, which need not be a SELECT here.
fn refusal(case: &Fixture, statement: &str) -> String {
    let query = CannedQuery { sql: statement.to_owned(), ..ad_hoc("SELECT 1 ORDER BY 1") };
    run(&case.session(), &query, &Parameters::new(), None).map_or_else(|error| error.to_string(), |_| "done".to_owned())
}

#[test]
fn sql_cannot_reach_beyond_the_files_of_the_case() {
    let case = Fixture::of_logs("sample-logs/moderate");
    let root = case.folder.path().to_str().unwrap();
    fs::write(case.folder.path().join("events/other.csv"), "a\n1\n").unwrap();
    let listed = case.snapshot.files[0].path.to_str().unwrap();
    let unlisted = format!("{root}/events/date=2026-11-21/unlisted.parquet");
    fs::copy(listed, &unlisted).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc/passwd", case.folder.path().join("events/link.csv")).unwrap();
    // A DuckDB that carries ICU, as a system's may, has nothing to load for it, and knows what day it is.
    let zones =
        case.sql("SELECT count(*)::INTEGER AS zones FROM duckdb_settings() WHERE lower(name) = 'timezone' ORDER BY 1");
    let carries_icu = zones[0]["zones"] == 1;
    for (statement, why) in [
        ("SELECT * FROM '/etc/passwd'".to_owned(), "does not exist"),
        ("SELECT * FROM read_text('/etc/passwd')".to_owned(), "disabled by configuration"),
        (format!("SELECT * FROM read_csv('{root}/events/other.csv')"), "disabled by configuration"),
        (format!("SELECT * FROM read_csv('{root}/events/link.csv')"), "disabled by configuration"),
        (format!("SELECT * FROM read_text('{listed}/../../../../../../etc/passwd')"), "disabled by configuration"),
        (format!("SELECT * FROM read_parquet('{unlisted}')"), "disabled by configuration"),
        (format!("SELECT * FROM glob('{root}/*')"), "disabled by configuration"),
        ("SELECT * FROM 'https://example.com/x.parquet'".to_owned(), ""),
        ("ATTACH '/tmp/x.duckdb'".to_owned(), "disabled"),
        (format!("COPY (SELECT 1) TO '{root}/events/evil.parquet'"), "disabled by configuration"),
        ("COPY (SELECT 1) TO '/tmp/kforensic-evil.csv'".to_owned(), "disabled by configuration"),
        (format!("EXPORT DATABASE '{root}/events/evil'"), "disabled"),
        ("INSTALL icu".to_owned(), "disabled by configuration"),
        ("LOAD icu".to_owned(), if carries_icu { "done" } else { "disabled through configuration" }),
        ("LOAD sqlite_scanner".to_owned(), "disabled through configuration"),
        ("SET enable_external_access = true".to_owned(), "locked"),
        ("SET memory_limit = '1TB'".to_owned(), "locked"),
        ("SET lock_configuration = false".to_owned(), "locked"),
        ("SET allowed_paths = ['/etc/passwd']".to_owned(), "locked"),
        ("PRAGMA enable_profiling".to_owned(), "locked"),
        ("SELECT getenv('HOME')".to_owned(), ""),
        ("SELECT current_date".to_owned(), if carries_icu { "done" } else { "" }),
        ("CREATE PERSISTENT SECRET s (TYPE s3)".to_owned(), ""),
    ] {
        let said = refusal(&case, &statement);
        assert!((said != "done" || why == "done") && said.contains(why), "{statement}: {said}");
    }
    assert!(!case.folder.path().join("events/evil.parquet").exists());
    assert!(refusal(&case, &format!("SELECT count(*) FROM read_parquet('{listed}')")) == "done");
}

#[test]
fn times_need_no_time_zone_data() {
    // ICU is not in this build; a query that needs it fails here and not at the customer's.
    let case = Fixture::of_logs("sample-logs/moderate");
    let rows = case.sql(
        "SELECT date_trunc('hour', event_time) AS hour, max(stage_time - event_time) > INTERVAL 1 SECOND AS slow, \
         max(event_time + INTERVAL 1 DAY) AS tomorrow, min(event_time::DATE) AS day FROM events GROUP BY 1 ORDER BY 1",
    );
    assert_eq!(rows[0]["hour"], "2026-11-21T20:00:00.000000Z");
    assert_eq!(rows[0]["day"], "2026-11-21");
}
