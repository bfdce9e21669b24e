COPY (SELECT 1) TO '{file}' (FORMAT parquet)
====
COPY (SELECT 1 AS a) TO '{case}/events/evil.parquet'
====
COPY requests TO '{out}/evil.csv'
====
COPY events FROM '{file}'
====
COPY (SELECT 1) TO '{case}/events/_delta_log/00000000000000000099.json' (FORMAT csv)
====
COPY (SELECT 1 AS date, 2 AS n) TO '{case}/events' (FORMAT parquet, PARTITION_BY (date), OVERWRITE true)
====
COPY (SELECT 1) TO '{out}/threads' (FORMAT parquet, PER_THREAD_OUTPUT true)
====
COPY (SELECT 1) TO '/dev/tcp/127.0.0.1/9'
====
COPY FROM DATABASE memory TO memory
====
WITH a AS (COPY (SELECT 1 AS x) TO '{file}' (FORMAT parquet)) FROM a
====
WITH a AS (COPY (SELECT 1 AS x) TO '{file}' (FORMAT parquet, RETURN_FILES true)) SELECT * FROM a
====
WITH RECURSIVE a AS (COPY (SELECT 1 AS x) TO '{out}/evil.csv') SELECT 1
====
WITH b AS (WITH a AS (COPY (SELECT 1 AS x) TO '{file}') FROM a) SELECT 1
====
SELECT (WITH a AS (COPY (SELECT 1 AS x) TO '{file}') SELECT count(*) FROM a)
====
FROM (WITH a AS (COPY (SELECT 1 AS x) TO '{file}') FROM a)
====
SELECT 1 WHERE EXISTS (WITH a AS (COPY (SELECT 1 AS x) TO '{file}') FROM a)
====
DESCRIBE WITH a AS (COPY (SELECT 1 AS x) TO '{file}') FROM a
====
SUMMARIZE WITH a AS (COPY (SELECT 1 AS x) TO '{file}') FROM a
====
EXPLAIN ANALYZE COPY (SELECT 1) TO '{file}' (FORMAT parquet)
====
EXPLAIN COPY (SELECT 1) TO '{file}' (FORMAT parquet)
====
EXPLAIN ANALYZE WITH a AS (COPY (SELECT 1 AS x) TO '{file}') FROM a
====
EXPLAIN ANALYZE DELETE FROM ledger
====
EXPLAIN (ANALYZE) COPY (SELECT 1) TO '{file}'
====
EXPLAIN /* x */ ANALYZE -- y
 COPY (SELECT 1) TO '{file}'
====
WITH a AS (INSERT INTO ledger VALUES (9, NULL, 'x', '{}') RETURNING *) FROM a
====
WITH a AS (DELETE FROM ledger RETURNING *) FROM a
====
WITH a AS (UPDATE ledger SET account = '{}' RETURNING *) FROM a
====
WITH a AS (MERGE INTO ledger USING (SELECT 0::BIGINT AS commit) s USING (commit) WHEN MATCHED THEN DELETE RETURNING *) FROM a
====
WITH a AS (TRUNCATE ledger) FROM a
====
INSERT INTO ledger VALUES (9, NULL, 'x', '{}')
====
UPDATE ledger SET account = '{}'
====
DELETE FROM ledger
====
TRUNCATE ledger
====
MERGE INTO ledger USING (SELECT 0::BIGINT AS commit) s USING (commit) WHEN MATCHED THEN DELETE
====
ATTACH '{out}/evil.duckdb' AS evil
====
ATTACH '{file}' AS evil (READ_ONLY)
====
ATTACH IF NOT EXISTS ':memory:' AS m
====
ATTACH 'https://example.com/x.duckdb' AS evil
====
DETACH memory
====
USE memory.main
====
INSTALL httpfs
====
FORCE INSTALL icu FROM 'http://127.0.0.1:9'
====
LOAD icu
====
LOAD '{out}/evil.duckdb_extension'
====
UPDATE EXTENSIONS
====
SET enable_external_access = true
====
SET lock_configuration = false
====
SET allowed_paths = ['/etc/passwd']
====
SET memory_limit = '1TB'
====
SET threads = 64
====
SET temp_directory = '{case}/events'
====
SET SESSION search_path = 'x'
====
SET VARIABLE x = 1
====
RESET memory_limit
====
PRAGMA enable_profiling
====
PRAGMA database_list
====
PRAGMA profiling_output = '{out}/profile.json'
====
PRAGMA import_database('{case}')
====
PRAGMA json_execute_serialized_sql('{}')
====
EXPORT DATABASE '{out}/export'
====
EXPORT DATABASE '{case}/events' (FORMAT parquet)
====
IMPORT DATABASE '{case}'
====
CALL pragma_version()
====
CALL force_checkpoint()
====
CALL enable_logging(storage = 'file', storage_path = '{out}/log')
====
FROM enable_logging(storage = 'file', storage_path = '{out}/log')
====
FROM enable_profiling(save_location = '{out}/profile.json')
====
FROM force_checkpoint()
====
FROM checkpoint()
====
FROM truncate_duckdb_logs()
====
SELECT * FROM read_text('/etc/passwd')
====
SELECT content FROM read_blob('/etc/passwd')
====
SELECT * FROM read_csv('/etc/passwd', sep = ':')
====
SELECT * FROM sniff_csv('/etc/passwd')
====
SELECT * FROM read_json('{case}/events/_delta_log/00000000000000000000.json')
====
SELECT * FROM read_ndjson_objects('{case}/redaction.key')
====
SELECT * FROM read_parquet('{file}')
====
SELECT * FROM parquet_scan('{file}')
====
SELECT * FROM parquet_metadata('{file}')
====
SELECT * FROM parquet_schema('{case}/events/**/*.parquet')
====
SELECT * FROM read_duckdb('{out}/x.duckdb')
====
SELECT * FROM glob('/**')
====
SELECT * FROM main.glob('{case}/*')
====
SELECT * FROM "read_text"('/etc/passwd')
====
SELECT * FROM system.main.read_text('/etc/passwd')
====
SELECT * FROM READ_TEXT(upper('/etc/passwd'))
====
FROM '/etc/passwd'
====
FROM '/etc/passwd.csv'
====
FROM '{file}'
====
FROM "{file}"
====
TABLE "{case}/events/*/*/*.parquet"
====
DESCRIBE '{file}'
====
SUMMARIZE '{file}'
====
SHOW '{file}'
====
SELECT * FROM query_table('{file}')
====
SELECT * FROM query_table(['events', '/etc/passwd'])
====
SELECT * FROM query_table('/etc/' || 'passwd')
====
SELECT * FROM query('COPY (SELECT 1) TO ''{file}''')
====
SELECT * FROM query('SELECT 1')
====
SELECT * FROM requests_of('{file}')
====
FROM histogram('{file}', x)
====
SELECT * FROM json_execute_serialized_sql('{}')
====
SELECT json_execute_serialized_sql('{}')
====
SELECT json_serialize_sql(repeat('(', 200000) || '1')
====
SELECT json_serialize_plan('SELECT * FROM read_text(''/etc/passwd'')')
====
SELECT json_deserialize_sql('{}')
====
SELECT getenv('HOME')
====
SELECT write_log('evil')
====
SELECT list_transform(['HOME'], lambda name: getenv(name))
====
SELECT count(*) OVER (ORDER BY getenv('HOME'))
====
SELECT 'HOME'.getenv()
====
SELECT * FROM duckdb_secrets()
====
SELECT * FROM which_secret('s3://x', 's3')
====
SELECT * FROM duckdb_extensions()
====
SELECT * FROM duckdb_logs()
====
SELECT * FROM test_vector_types(1)
====
SELECT finalize('\x00\x00\x00\x00\x00\x00\x00\x00'::BLOB)
====
SELECT '\x00'::BLOB::AGGREGATE_STATE
====
SELECT nextval('x')
====
SELECT sleep_ms(100000)
====
SELECT 1; SELECT 2
====
SELECT 1; COPY (SELECT 1) TO '{file}'
====
COPY (SELECT 1) TO '{file}'; SELECT 1
====
SET threads = 1; SELECT 1
====
;COPY (SELECT 1) TO '{file}';;SELECT 1
====
SELECT 1 /* ; */ ; /* */ DELETE FROM ledger
====
SELECT 1 -- ;
; DELETE FROM ledger
====
SELECT '--'; DELETE FROM ledger --'
====
SELECT $$;$$; DELETE FROM ledger
====
SELECT $a$ $b$ ; $b$ $a$; DELETE FROM ledger
====
/* SELECT 1 */ COPY (SELECT 1) TO '{file}'
====
/* /* */ */ COPY (SELECT 1) TO '{file}' -- */ SELECT 1
====
-- SELECT 1
COPY (SELECT 1) TO '{file}'
====
SELECT e'\'; DELETE FROM ledger; --'; DELETE FROM ledger
====
BEGIN
====
COMMIT
====
ROLLBACK
====
BEGIN; DELETE FROM ledger; COMMIT
====
PREPARE p AS SELECT 1
====
EXECUTE p
====
DEALLOCATE p
====
PREPARE p AS COPY (SELECT 1) TO '{file}'
====
VACUUM
====
ANALYZE
====
CHECKPOINT
====
FORCE CHECKPOINT
====
COMMENT ON VIEW events IS 'evil'
====
CREATE VIEW evil AS SELECT 1
====
CREATE OR REPLACE VIEW events AS SELECT 1 AS x
====
CREATE TABLE evil AS FROM events
====
CREATE TEMP TABLE evil AS SELECT 1
====
CREATE MACRO json_body(body) AS 'evil'
====
CREATE OR REPLACE MACRO requests_of(lines) AS TABLE SELECT 1
====
CREATE FUNCTION evil() AS 1
====
CREATE TYPE evil AS ENUM ('a')
====
CREATE SCHEMA evil
====
CREATE SEQUENCE evil
====
CREATE INDEX evil ON ledger (commit)
====
CREATE SECRET evil (TYPE s3)
====
CREATE PERSISTENT SECRET evil (TYPE s3)
====
CREATE TRIGGER evil AFTER INSERT ON ledger FOR EACH ROW DELETE FROM ledger
====
ALTER TABLE ledger RENAME TO evil
====
ALTER VIEW events RENAME TO evil
====
DROP VIEW events
====
DROP VIEW IF EXISTS requests
====
DROP MACRO json_body
====
DROP TABLE ledger CASCADE
====
DROP SCHEMA main CASCADE
====
SELECT $1
====
SELECT * FROM requests WHERE user_name = $user
====
SELECT ? + ?
====
SELECT * FROM requests LIMIT ?
====
LISTEN evil
====
KILL 1
====
GRANT ALL ON ledger TO evil
====
SELECT * INTO evil FROM events
====
SELECT 1 FOR UPDATE
====
SHELL ls
====
.shell ls
====
\! ls
====
SELECT * FROM 's3://bucket/x.parquet'
====
SELECT * FROM 'https://example.com/x.parquet'
====
SELECT * FROM 'hf://datasets/x/y.parquet'
====
FROM register_external_resource('x', 'y')
====
FROM add_grammar_extension('x')
====
FROM duckdb_external_file_cache()
====
SELECT * FROM seq_scan('ledger')
====
FROM pragma_storage_info('ledger')
====
FROM pragma_table_info('{file}')
====
PIVOT (COPY (SELECT 1) TO '{file}') ON x
====
SELECT * FROM (PIVOT requests ON verb)
