-- One row per source: an input file that was read, with its hashes, its account, and the ingest that read it.

-- The ledger as it stands in the commits: `ledger` has a row per account, with its commit and the time of that.
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
    -- The source that this one begins with, and how much of it was therefore not read again.
    account ->> 'continues' AS continues,
    (account ->> 'continues_bytes')::BIGINT AS continues_bytes,
    account ->> 'changed_while_read' AS changed_while_read,
    account ->> '$.original.path' AS original
FROM ledger;
