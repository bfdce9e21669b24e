-- One row per request: its last stage, with the `stages` seen and the `outcome`.

-- A request leaves one to three events. Which of them stands for it was decided when its file was written (see
-- `kforensic_event::request`): all events of a request lie in one file. So a request is found by a plain filter, and any
-- other filter can come before or after it.
--
-- `lines` names the table, view or CTE whose events are looked at.
-- Columns:
-- stages: stages of the request that are in the log, in their order
-- outcome: allowed (status below 400, or a stream that started), denied (401, 403), failed (other 4xx, 5xx), or unknown (the answer is not in the log)
CREATE MACRO requests_of(lines) AS TABLE
SELECT * EXCLUDE (final) FROM query_table(lines) WHERE final;

CREATE VIEW requests AS SELECT * EXCLUDE (final) FROM final_events;

-- How many of several requests had an outcome. NULL when the log has the answer of none of them: nobody knows then.
CREATE MACRO count_of(outcomes, wanted) AS
    CASE WHEN bool_or(outcomes <> 'unknown') THEN count(*) FILTER (outcomes = wanted) END;

-- One row per request: its key alone.
CREATE VIEW request_keys AS
SELECT event_time, audit_id, verb, source_ip, resource, api_group, user_name, request_uri
FROM final_events;
