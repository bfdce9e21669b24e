-- title = "How many requests over time"
-- question = "How many requests were there in each step of time, and with which outcome?"
-- group = "operations"
-- words = ["volume", "histogram", "peak", "busy"]
-- kind = "question"
-- severity = "info"
-- attack = []
-- needs = [{ level = "Metadata" }]
-- noise = "This is an account, not a detection. A gap is a quiet time, or one that was not logged or not ingested."
--
-- [[parameters]]
-- name = "seconds"
-- type = "integer"
-- default = 3600
-- meaning = "length of a step"
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["-p", "seconds=60"]
-- rows = 4
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "nobody"]
-- rows = 0
SELECT
    time_bucket(to_seconds($seconds::BIGINT), event_time) AS bucket, $seconds::BIGINT AS seconds,
    count(*) AS requests,
    count(*) FILTER (outcome = 'allowed') AS allowed, count(*) FILTER (outcome = 'denied') AS denied,
    count(*) FILTER (outcome = 'failed') AS failed, count(*) FILTER (outcome = 'unknown') AS unknown
FROM requests
WHERE filters()
GROUP BY bucket
ORDER BY bucket
