//! Bursts are found in few looks, and are those that a look at every row finds.

use duckdb::Connection;

const NAIVE: &str = include_str!("bursts/naive.sql");
const MACROS: &str = include_str!("../../views/bursts.sql");

/// Rows of a few identities, crowded and spread, some at the same time and some of nobody, different for every `$1`.
const ROWS: &str = "
CREATE OR REPLACE TEMP TABLE placed AS
SELECT *, time_bucket(INTERVAL 5 MINUTE, event_time) AS slot
FROM (
    SELECT
        id, CASE hash(id, seed, 'who') % 3 WHEN 0 THEN NULL WHEN 1 THEN 'a' ELSE 'b' END AS who,
        'at ' || hash(id, seed, 'ip') % 2 AS place,
        TIMESTAMP '2026-01-01' + to_seconds((hash(id, seed, 'time') % span // step * step)::BIGINT) AS event_time,
        CASE WHEN hash(id, seed, 'is') % 4 > 0 THEN 't' || hash(id, seed, 'target') % kinds END AS target,
        CASE WHEN hash(id, seed, 'other') % 4 = 0 THEN 'o' || hash(id, seed, 'o') % kinds END AS other
    FROM (
        SELECT
            seed, unnest(range([5, 30, 100, 300][seed // 3 % 4 + 1])) AS id, [600, 2000, 6000][seed % 3 + 1] AS span,
            [1, 60][seed // 2 % 2 + 1] AS step, [3, 5, 8][seed // 5 % 3 + 1] AS kinds
        FROM (SELECT SEED AS seed)
    )
);
CREATE OR REPLACE TEMP TABLE things AS FROM things_of('placed');";

#[test]
fn few_looks_find_what_a_look_at_every_row_finds() {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch("CREATE TABLE requests (id INTEGER); CREATE MACRO is_component_home(ip) AS false")
        .unwrap();
    connection.execute_batch(MACROS).unwrap();
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let found = "SELECT id, burst FROM windows_of('placed', 'things', INTERVAL 5 MINUTE, 4, 3)";
    let mut parted = 0;
    for seed in 0..180 {
        connection.execute_batch(&ROWS.replace("SEED", &seed.to_string())).unwrap();
        connection.execute_batch(&format!("CREATE OR REPLACE TEMP TABLE found AS {found}")).unwrap();
        connection.execute_batch(&format!("CREATE OR REPLACE TEMP TABLE naive AS {NAIVE}")).unwrap();
        assert_eq!(count("SELECT count(*) FROM (FROM found EXCEPT ALL FROM naive)"), 0, "too many: {seed}");
        assert_eq!(count("SELECT count(*) FROM (FROM naive EXCEPT ALL FROM found)"), 0, "missed: {seed}");
        let share = count("SELECT count(*) FROM found");
        parted += i32::from(share > 0 && share < count("SELECT count(*) FROM placed"));
    }
    assert!(parted > 30, "only {parted} with rows in bursts and rows outside");
}
