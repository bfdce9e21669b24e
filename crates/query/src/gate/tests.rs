use super::*;
use crate::embedded;

/// Statements that must not pass, as the tests of the program use them.
const HOSTILE: &str = include_str!("../../../../tests/hostile/statements.sql");

fn refusal(sql: &str) -> Refusal {
    refusal_of(&Gate::new().unwrap(), sql)
}

fn refusal_of(gate: &Gate, sql: &str) -> Refusal {
    gate.check(sql).err().unwrap_or_else(|| panic!("passed: {sql}"))
}

#[test]
fn hostile_statements_are_refused() {
    let (gate, mut seen) = (Gate::new().unwrap(), 0);
    for sql in HOSTILE.split("\n====\n") {
        let sql =
            sql.trim_end().replace("{case}", "/case").replace("{file}", "/case/a.parquet").replace("{out}", "/out");
        assert!(!refusal_of(&gate, &sql).to_string().is_empty());
        seen += 1;
    }
    assert!(seen >= 150, "{seen}");
}

#[test]
fn what_nests_without_end_is_refused_and_overflows_nothing() {
    let twice = |left: &str, middle: &str, right: &str, times: usize| {
        format!("SELECT {}{middle}{}", left.repeat(times), right.repeat(times))
    };
    for sql in [
        twice("(", "1", ")", 50_000),
        twice("[", "1", "]", 50_000),
        twice("abs(", "1", ")", 50_000),
        twice("(SELECT ", "1", ")", 30_000),
        twice("", "1", "+1", 100_000),
        twice("", "'a'", "||'a'", 50_000),
        twice("- ", "1", "", 100_000),
        twice("NOT ", "true", "", 60_000),
        twice("CASE WHEN true THEN ", "1", " END", 10_000),
        twice("", "1", "::INT", 50_000),
        twice("", "1", " EXCEPT SELECT 1", 16_000),
        twice("", "1 FROM t", ", t", 80_000),
        twice("", "1 FROM t", " CROSS JOIN t", 18_000),
        format!("{}SELECT 1", "DESCRIBE ".repeat(29_000)),
        format!("{}SELECT 1", "EXPLAIN ".repeat(29_000)),
        format!("{}SELECT 1{}", "(".repeat(13_000), " UNION SELECT 1)".repeat(13_000)),
        twice("(", "1", "", 50_000),
        twice("(", "", "", 50_000),
        format!("SELECT '{}", "x".repeat(300_000)),
        format!("SELECT {}", "/*".repeat(100_000)),
        "(".repeat(200_000),
        "SELECT 1 ".repeat(20_000),
        "SELECT 1;".repeat(20_000),
    ] {
        let said = refusal(&sql).to_string();
        assert!(said.len() < 1_000, "{said}");
    }
}

#[test]
fn what_reads_passes() {
    let gate = Gate::new().unwrap();
    for sql in [
        "SELECT 1",
        "FROM requests",
        "FROM requests SELECT verb, count(*) GROUP BY ALL ORDER BY ALL LIMIT 3;",
        "TABLE events",
        "VALUES (1, 'a'), (2, 'b')",
        "(SELECT 1) UNION ALL (SELECT 2) ORDER BY 1",
        "SELECT 1 UNION BY NAME SELECT 2 AS x",
        "DESCRIBE requests",
        "DESCRIBE SELECT 1",
        "SUMMARIZE requests",
        "SUMMARIZE SELECT 1",
        "SHOW TABLES",
        "SHOW ALL TABLES",
        "EXPLAIN SELECT 1",
        "EXPLAIN ANALYZE FROM requests",
        "-- why\nEXPLAIN /* how */ WITH a AS (SELECT 1) FROM a",
        "WITH a AS MATERIALIZED (SELECT 1 AS x), b AS (FROM a) SELECT * FROM a JOIN b USING (x)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) FROM n",
        "SELECT user_name, row_number() OVER w, lag(verb, 1) OVER w FROM requests WINDOW w AS (PARTITION BY user_name ORDER BY event_time) QUALIFY row_number() OVER w = 1",
        "SELECT sum(n) FILTER (n > 1) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE TIES) FROM range(9) t(n)",
        "SELECT list_transform([1, 2], lambda x: x + 1), [x FOR x IN [1, 2] IF x > 1], {'a': 1}.a, MAP {'b': 2}['b'], [1, 2][1:2]",
        "SELECT * EXCLUDE (verb) REPLACE (1 AS name) RENAME (user_name AS u) FROM requests",
        "SELECT COLUMNS('.*_time') FROM requests",
        "SELECT CASE WHEN 1 = 1 THEN 'a' ELSE 'b' END, 'x'::VARCHAR, try_cast('1' AS DECIMAL(10, 2)), TRY(1 / 0), NULL IS NULL",
        "SELECT DATE '2026-01-01' + INTERVAL 1 DAY, TIMESTAMP '2026-01-01', e'a\\n', $$b$$, $x$ ; DROP $x$, '; DROP'",
        "SELECT (SELECT count(*) FROM events), verb IN (SELECT 'get'), EXISTS (FROM events) FROM requests r, LATERAL (SELECT r.verb)",
        "FROM events SEMI JOIN (SELECT audit_id FROM events) USING (audit_id)",
        "FROM requests a ASOF JOIN requests b ON a.user_name = b.user_name AND a.event_time >= b.event_time",
        "FROM requests_of('events')",
        "WITH few AS (FROM events LIMIT 3) FROM requests_of('few')",
        "FROM query_table(['events'])",
        "FROM query_table(events)",
        "SELECT unnest([1, 2]), * FROM generate_series(1, 2), unnest(['a']) WITH ORDINALITY",
        "SELECT * FROM json_each('{\"a\": 1}')",
        "SELECT column_name FROM duckdb_columns() WHERE table_name = 'requests'",
        "SELECT * FROM information_schema.tables",
        "FROM memory.main.events USING SAMPLE 10% (bernoulli, 42)",
        "FROM events TABLESAMPLE 5 ROWS",
        "PIVOT requests ON verb IN ('get', 'list') USING count(*) GROUP BY user_name",
        "FROM requests PIVOT (count(*) FOR verb IN ('get', 'list') GROUP BY user_name)",
        "PIVOT requests ON verb",
        "FROM (PIVOT requests ON verb, outcome USING count(*) GROUP BY user_name) WHERE user_name = 'bob'",
        "UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b",
        "SELECT count(DISTINCT verb ORDER BY verb), arg_max(verb, event_time), list(verb ORDER BY event_time DESC NULLS LAST) FROM requests",
        "SELECT in_network(source_ip, '10.0.0.0/8'), json_text(request_object, 'kind') FROM requests",
        "SELECT grouping_id(verb) FROM requests GROUP BY GROUPING SETS ((verb), ()), CUBE (user_name)",
        "SELECT DISTINCT ON (verb) verb FROM requests ORDER BY verb COLLATE nocase LIMIT 10%",
        "SELECT name LIKE 'a%' ESCAPE '\\', name SIMILAR TO 'x', name ~ 'y', name BETWEEN 'a' AND 'b', name IS DISTINCT FROM 'c' FROM requests",
        "SELECT \"weird\"\"name;DROP\" FROM (SELECT 1 AS \"weird\"\"name;DROP\")",
        "SELECT current_date, now(), current_user, version(), random()",
    ] {
        let statement = gate.check(sql).unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
        assert_eq!(statement.sql().len(), sql.len(), "{sql}");
    }
}

#[test]
fn a_pivot_that_finds_its_columns_is_run_only_where_the_kernel_protects_the_case() {
    let gate = Gate::new().unwrap();
    let needs = |sql: &str| gate.check(sql).unwrap().needs_protection();
    assert!(needs("PIVOT requests ON verb") && needs("FROM (PIVOT requests ON verb)"));
    assert!(!needs("PIVOT requests ON verb IN ('get')") && !needs("FROM requests"));
    for sql in [
        "PIVOT requests ON verb; DELETE FROM ledger",
        "DELETE FROM ledger; PIVOT requests ON verb",
        "PIVOT (FROM read_text('/etc/passwd')) ON content",
        "PIVOT '/etc/passwd' ON x",
        "PIVOT requests ON getenv(verb)",
        "WITH a AS (COPY (SELECT 1) TO 'x') PIVOT requests ON verb",
        "COPY (PIVOT requests ON verb) TO 'x'",
        "CREATE TABLE x AS PIVOT requests ON verb",
        "PIVOT requests ON verb /* ' */; DELETE FROM ledger -- '",
    ] {
        assert!(gate.check(sql).is_err(), "{sql}");
    }
}

#[test]
fn what_is_quoted_or_ends_in_an_odd_way_is_refused_all_the_same() {
    let gate = Gate::new().unwrap();
    for sql in [
        "SELECT 1 -- x\r; DELETE FROM ledger",
        "SELECT `'`; DELETE FROM ledger; SELECT `'`",
        "SELECT 1 AS `'` /* ` */; DELETE FROM ledger -- `'",
        "SELECT /* /* */ ' */ 1; DELETE FROM ledger -- '",
        "SELECT e'\\''; DELETE FROM ledger -- '",
        "SELECT 1\u{a0}; DELETE FROM ledger",
        "EXPLAIN -- x\rDELETE FROM ledger",
        "EXPLAIN -- x\rSELECT 1; DELETE FROM ledger",
        "EXPLAIN /* /* */ SELECT 1 */ DELETE FROM ledger",
        "EXPLAIN\u{a0}DELETE FROM ledger",
        "EXPLAIN `analyze` DELETE FROM ledger",
        "EXPLAIN E'\\' SELECT 1",
        "PIVOT requests ON verb -- x\r; DELETE FROM ledger",
        "PIVOT requests ON `'`; DELETE FROM ledger -- '",
        "PIVOT requests ON `a``'`; DELETE FROM ledger -- '",
        "PIVOT requests ON verb /* /* */ ' */; DELETE FROM ledger -- '",
        "PIVOT requests ON verb || e'\\''; DELETE FROM ledger -- '",
        "PIVOT requests ON `getenv`(verb)",
        "PIVOT `/etc/passwd` ON x",
        "FROM `/etc/passwd`",
        "FROM `read_text`('/etc/passwd')",
        "SELECT `getenv`('HOME')",
    ] {
        assert!(gate.check(sql).is_err(), "{sql:?}");
    }
    // And so nested that it would overflow a stack, however its brackets are surrounded.
    for quoted in ["`'` AS a, {}", "1 -- '\r + {}", "/* /* */ ' */ {}", "1e1 + e'\\'' || {}", "n'\\' || {}"] {
        let sql = format!("SELECT {}", quoted.replace("{}", &format!("{}1{}", "(".repeat(5_000), ")".repeat(5_000))));
        assert!(
            refusal_of(&gate, &sql).to_string().starts_with("the statement is nested too deeply in line"),
            "{quoted:?}"
        );
    }
    for sql in ["SELECT `verb` FROM `requests`", "SELECT verb -- why\r FROM requests", "SELECT '(' -- (\r, '('"] {
        assert!(gate.check(sql).is_ok(), "{sql:?}");
    }
}

#[test]
fn our_own_sql_passes() {
    let bodies = embedded::VIEWS.iter().flat_map(|file| file.text.split("CREATE VIEW ").skip(1));
    let mut seen = 0;
    for body in bodies {
        let select = body.split_once(" AS").unwrap().1;
        let end = select.find(";\n").map_or(select.trim_end().trim_end_matches(';').len(), |end| end);
        check(&select[..end]).unwrap_or_else(|refusal| panic!("{select}: {refusal}"));
        seen += 1;
    }
    assert!(seen >= 3);
}

#[test]
fn refusals_say_what_and_where_and_what_to_do() {
    for (sql, said, hint) in [
        ("", "there is no statement", None),
        (" ; -- nothing", "there is no statement", None),
        (
            "SELECT verb\nFROM read_text('/etc/passwd')",
            "the table function `read_text` is refused in line 2, column 6\n  | FROM read_text('/etc/passwd')\n  |      ^",
            Some("rows come from the views of the case; `SHOW TABLES` lists them"),
        ),
        ("COPY events TO 'x'", "`COPY` is refused", Some(READ_ONLY)),
        (
            "SELECT 1; SELECT 2",
            "several statements are refused in line 1, column 18\n  | SELECT 1; SELECT 2\n  |                  ^",
            Some("run one at a time; parts of one are named with `WITH name AS (SELECT …) SELECT … FROM name`"),
        ),
        (
            "SELECT count(*) FROM requests WHERE user_name = $user",
            "a parameter is refused in line 1, column 49\n  | SELECT count(*) FROM requests WHERE user_name = $user\n  |                                                 ^",
            Some("write the value itself, as in `user_name = 'bob'`"),
        ),
        ("selec 1", "syntax error at or near `selec` in line 1, column 1\n  | selec 1\n  | ^", None),
        (
            "SELECT getenv('HOME')",
            "the function `getenv` is refused in line 1, column 8\n  | SELECT getenv('HOME')\n  |        ^",
            Some("it reads the environment"),
        ),
    ] {
        let refusal = refusal(sql);
        assert_eq!((refusal.to_string().as_str(), refusal.hint()), (said, hint), "{sql}");
    }
    assert!(refusal("EXPLAIN ANALYZE\nFROM glob('*')").to_string().contains("in line 2, column 6"));
}

#[test]
fn conditions_are_one_expression_each() {
    let gate = Gate::new().unwrap();
    for condition in [
        "verb = 'get'",
        "verb = 'get' AND name LIKE 'db-%' OR in_network(source_ip, '10.0.0.0/8')",
        "audit_id IN (SELECT audit_id FROM events WHERE stage = 'Panic')",
        "true -- why not",
        "/* x */ true",
        "outcome = ')'",
        "(verb = 'get') AND (name = 'x')",
        "true",
        "\n verb\n = 'get'\n",
    ] {
        gate.check_condition(condition).unwrap_or_else(|refusal| panic!("{condition}: {refusal}"));
    }
    for condition in [
        "",
        " -- nothing",
        "true) OR (true",
        "true) UNION SELECT 1 FROM requests WHERE (true",
        "true UNION SELECT 1",
        "true ORDER BY 1",
        "true LIMIT 1",
        "true GROUP BY 1",
        "true HAVING true",
        "true QUALIFY true",
        "true; SELECT 1",
        "true;",
        "true /*",
        "true) --",
        "true, false",
        "verb = $verb",
        "verb = ?",
        "getenv('HOME') = 'x'",
        "EXISTS (FROM read_text('/etc/passwd'))",
        "EXISTS (FROM '/etc/passwd')",
        "EXISTS (WITH a AS (COPY (SELECT 1) TO 'x') FROM a)",
        "SELECT 1",
        "verb = ",
        "WINDOW w AS ()",
        "true USING SAMPLE 1",
        "true AS x",
    ] {
        assert!(gate.check_condition(condition).is_err(), "{condition}");
    }
    let refusal = check_condition("verb = 'get' AND user = 'x'").unwrap_err();
    assert!(
        refusal.to_string().ends_with("in line 1, column 18\n  | verb = 'get' AND user = 'x'\n  |                  ^"),
        "{refusal}"
    );
    let refusal = check_condition("verb = 'get' AN name = 'x'").unwrap_err();
    assert!(refusal.to_string().contains("in line 1, column "), "{refusal}");
}
