-- One row per source: an input file that was read, with its hashes, its account, and the ingest that read it.

-- The ledger as it stands in the commits: `ledger` has a row per account, with its commit and the time of that.
-- Columns:
-- source_id: commit and number of the account, as in the column `source_id` of `events`
-- commit: number of the commit of the ingest
-- ingested_at: when the ingest was committed (UTC)
-- tool_version: version of kforensic that read it
-- name: path as it was given or found; of a log in an archive `archive!member`
-- size_bytes: size of the file as it is stored, in bytes
-- sha256: SHA-256 of the stored bytes
-- content_bytes: length of the decompressed bytes that were read
-- content_sha256: SHA-256 of the decompressed bytes that were read
-- compression: gzip, zstd, xz, bzip2, utf-16 or none
-- shape: what the content was recognised as
-- host: host that the log comes from
-- cluster: cluster that the log comes from
-- records: lines and items of lists that were read
-- events: records that were stored as events
-- duplicates: records that were stored already
-- rejected: records that are no audit event
-- first_event: time of the oldest event in it (UTC)
-- last_event: time of the newest event in it (UTC)
-- continues: source that this one begins with, word for word
-- continues_bytes: how many of its decompressed bytes were therefore not read again
-- changed_while_read: what happened to the file while it was read; NULL when nothing did
-- original: copy of it in the case; NULL when none is kept
CREATE VIEW sources AS
SELECT
    account ->> 'source_id' AS source_id,
    commit,
    ingested_at,
    tool_version,
    account ->> 'name' AS name,
    (account ->> 'size_bytes')::BIGINT AS size_bytes,
    account ->> 'sha256' AS sha256,
    (account ->> 'content_bytes')::BIGINT AS content_bytes,
    account ->> 'content_sha256' AS content_sha256,
    account ->> 'compression' AS compression,
    account ->> 'shape' AS shape,
    account ->> 'host' AS host,
    account ->> 'cluster' AS cluster,
    (account ->> 'records')::BIGINT AS records,
    (account ->> 'events')::BIGINT AS events,
    (account ->> 'duplicates')::BIGINT AS duplicates,
    (account ->> 'rejected')::BIGINT AS rejected,
    (account ->> 'first_event')::TIMESTAMP AS first_event,
    (account ->> 'last_event')::TIMESTAMP AS last_event,
    account ->> 'continues' AS continues,
    (account ->> 'continues_bytes')::BIGINT AS continues_bytes,
    account ->> 'changed_while_read' AS changed_while_read,
    account ->> '$.original.path' AS original
FROM ledger;
