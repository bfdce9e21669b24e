-- One row per request: its last stage, with the `stages` seen and the `outcome`.

-- A request leaves one to three events. What belongs together: the audit id alone is chosen by the client, so the
-- time, verb, URI and peer must agree as well. Resource, API group and user follow from those: the server writes them
-- once, before the first stage, and they agree in all requests of all logs we have. They stand in the key because a
-- filter reaches the files only through a column of the key, and because files are left out by resource.
-- Time comes first: comparing it is cheap, and it tells nearly all requests apart.
--
-- A window and not a GROUP BY with arg_max: for a few columns of 1.3 million events that takes two thirds of the time,
-- for all columns six times as long (46 s of CPU instead of 7 s).
--
-- `lines` names the table, view or CTE whose events are folded. A query that is after few requests passes whole
-- requests, `SELECT * FROM events SEMI JOIN (…) USING (audit_id)`, because any other filter comes after the fold.
-- Columns:
-- stages: stages of the request that are in the log, in their order
-- outcome: allowed (status below 400, or a stream that started), denied (401, 403), failed (other 4xx, 5xx), or unknown (the answer is not in the log)
CREATE MACRO requests_of(lines) AS TABLE
SELECT
    * EXCLUDE (stages_seen, other_stages, stream_started, stage_from_last),
    list_filter([
        CASE WHEN stages_seen & 1 > 0 THEN 'RequestReceived' END,
        CASE WHEN stages_seen & 2 > 0 THEN 'ResponseStarted' END,
        CASE WHEN stages_seen & 4 > 0 THEN 'ResponseComplete' END,
        CASE WHEN stages_seen & 8 > 0 THEN 'Panic' END
    ], lambda stage: stage IS NOT NULL) || list_sort(list_distinct(coalesce(other_stages, []))) AS stages,
    CASE
        WHEN stream_started OR status_code < 400 THEN 'allowed'
        WHEN status_code IS NULL THEN 'unknown'
        WHEN status_code IN (401, 403) THEN 'denied'
        ELSE 'failed'
    END AS outcome
FROM (
    SELECT
        *,
        row_number() OVER from_last AS stage_from_last,
        bit_or(CASE stage
            WHEN 'RequestReceived' THEN 1
            WHEN 'ResponseStarted' THEN 2
            WHEN 'ResponseComplete' THEN 4
            WHEN 'Panic' THEN 8
            ELSE 0
        END) OVER (from_last ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS stages_seen,
        -- The server has no other stages; what a damaged or foreign log calls one is shown as it is.
        list(stage) FILTER (
            WHERE stage NOT IN ('RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic')
        ) OVER (from_last ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS other_stages,
        -- Data flows from the start of a response on, so a stream that ends in Panic with code 500 was allowed.
        -- A 401 and a denied watch have this stage too, with their code.
        bool_or(stage = 'ResponseStarted' AND coalesce(status_code, 200) < 400)
            OVER (from_last ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS stream_started
    FROM query_table(lines)
    WINDOW from_last AS (
        PARTITION BY event_time, audit_id, verb, source_ip, resource, api_group, user_name, request_uri
        ORDER BY
            CASE stage
                WHEN 'RequestReceived' THEN 1
                WHEN 'ResponseStarted' THEN 2
                WHEN 'ResponseComplete' THEN 3
                WHEN 'Panic' THEN 4
                ELSE 0
            END DESC,
            stage_time DESC NULLS LAST,
            -- Where the event stands is unique, so that a tie is decided the same way every time.
            source_id DESC, byte_offset DESC
    )
)
WHERE stage_from_last = 1;

CREATE VIEW requests AS FROM requests_of('events');

-- One row per request: its key alone, counted in less than half the time of the requests themselves.
CREATE VIEW request_keys AS
SELECT DISTINCT event_time, audit_id, verb, source_ip, resource, api_group, user_name, request_uri
FROM events;
