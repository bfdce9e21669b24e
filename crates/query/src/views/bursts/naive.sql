-- The bursts by their definition, row against row: four targets or three others within five minutes.
WITH begins AS (
    SELECT first.who, first.event_time
    FROM placed AS first
    JOIN placed AS other
        ON first.who IS NOT DISTINCT FROM other.who
        AND other.event_time BETWEEN first.event_time AND first.event_time + INTERVAL 5 MINUTE
    GROUP BY first.id, first.who, first.event_time
    HAVING count(DISTINCT other.target) >= 4 OR count(DISTINCT other.other) >= 3
),
inside AS (
    SELECT * FROM placed
    WHERE EXISTS (
        FROM begins
        WHERE begins.who IS NOT DISTINCT FROM placed.who
            AND placed.event_time BETWEEN begins.event_time AND begins.event_time + INTERVAL 5 MINUTE
    )
),
parted AS (
    SELECT *, coalesce(event_time - max(event_time) OVER (
        PARTITION BY who ORDER BY event_time ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) > INTERVAL 5 MINUTE, true) AS is_first
    FROM inside
)
SELECT id, max(CASE WHEN is_first THEN event_time END) OVER (
    PARTITION BY who ORDER BY event_time RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
) AS burst
FROM parted
