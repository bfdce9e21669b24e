-- One row per audit id and stage that stands in several different events: a replay, or an id that a client chose.

-- The server makes an audit id unique, unless the client sends one in the header `Audit-ID`: it takes that as it is.
-- Equal copies of an event are stored once, so events that share id and stage differ. `kind` tells how:
-- * `rewritten`: one request by time, verb, URI and address, whose event stands in the logs with different contents,
--   as when a collector drops fields, or somebody edits a log. A time that was assumed is not asked.
-- * `forwarded`: an aggregated API server logs what the API server passes on to it under the same id, with a time of
--   its own and with the addresses of the first event before its own (X-Forwarded-For), in a log of its own. Normal,
--   but a client that chooses its id can send that header too, and have both events in two files of one server's log.
-- * `reused`: several requests under one id: a client chose it.
--
-- Columns:
-- kind: rewritten, forwarded or reused
-- contents: different events that share audit id and stage
-- requests: different requests among them
-- first_event: time of the oldest (UTC)
-- last_event: time of the newest (UTC)
-- verbs: their verbs
-- request_uris: their URIs
-- users: who sent them
-- source_ips: their peers; not a list of forwarders as in `events`
-- user_agents: what their clients call themselves
-- hosts: hosts whose logs they stand in
-- source_ids: sources that they stand in
CREATE VIEW audit_id_conflicts AS
WITH twice AS (
    -- By a hash, which takes a fifth of the memory: what meets by chance, or is made to, is told apart below.
    SELECT key_hash FROM (SELECT hash(audit_id) AS key_hash FROM final_events)
    GROUP BY key_hash HAVING count(*) > 1
),
repeated AS (
    SELECT key_hash FROM (SELECT hash(audit_id, stage) AS key_hash FROM events WHERE has_copies())
    GROUP BY key_hash HAVING count(*) > 1
),
suspected AS (
    -- What shares an id belongs to several requests, or to one of which there are copies that differ.
    SELECT audit_id FROM final_events WHERE hash(audit_id) IN (SELECT key_hash FROM twice)
    UNION SELECT audit_id FROM events
    WHERE has_copies() AND hash(audit_id, stage) IN (SELECT key_hash FROM repeated)
)
SELECT
    audit_id,
    stage,
    CASE
        WHEN count(DISTINCT (verb, request_uri, source_ip)) = 1
            AND count(DISTINCT event_time)
                FILTER (NOT coalesce(list_contains(assumed, 'event_time'), false)) <= 1
            THEN 'rewritten'
        WHEN count(DISTINCT (verb, request_uri)) = 1
            AND count(DISTINCT source_id) = count(*)
            AND max(len(source_ips)) > min(len(source_ips))
            AND list_slice(arg_max(source_ips, len(source_ips)), 1, min(len(source_ips)))
                = arg_min(source_ips, len(source_ips))
            THEN 'forwarded'
        ELSE 'reused'
    END AS kind,
    count(*) AS contents,
    count(DISTINCT (event_time, verb, request_uri, source_ip)) AS requests,
    min(event_time) AS first_event,
    max(event_time) AS last_event,
    list_sort(list_distinct(list(verb))) AS verbs,
    list_sort(list_distinct(list(request_uri))) AS request_uris,
    list_sort(list_distinct(list(user_name))) AS users,
    list_sort(list_distinct(list(source_ip))) AS source_ips,
    list_sort(list_distinct(list(user_agent))) AS user_agents,
    list_sort(list_distinct(list(host))) AS hosts,
    list_sort(list_distinct(list(source_id))) AS source_ids
FROM events
SEMI JOIN suspected USING (audit_id)
GROUP BY audit_id, stage
HAVING count(*) > 1;
