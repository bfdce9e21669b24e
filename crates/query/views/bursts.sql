-- Bursts: rows of one actor that come together within a time, wherever it begins.

-- A window that begins at a round time is evaded by waiting for its end, and one that counts by client by changing the
-- user agent. So windows slide, and who asks says by what is counted. `rows_asked` names a table, view or CTE with the
-- columns `who`, `event_time`, and what is counted: different values of `target` and of `other` (NULL counts nothing).
-- What is returned are the rows of every window of `length` in which there are `least` targets or `least_other` others,
-- with `burst`, the time of the first of them: windows that overlap are one burst.
-- Windows of twice the length, each begun in the middle of the one before, hold every burst; only in those that hold
-- enough is looked row by row.
CREATE MACRO bursts_of(rows_asked, length, least, least_other) AS TABLE
WITH placed AS (
    SELECT *, time_bucket(length, event_time) AS slot FROM query_table(rows_asked) WHERE event_time IS NOT NULL
),
full_windows AS (
    SELECT who, slot AS full_slot
    FROM (
        SELECT who, target, other, unnest([slot, slot - length]) AS slot FROM placed
        WHERE target IS NOT NULL OR other IS NOT NULL
    )
    GROUP BY who, slot
    HAVING count(DISTINCT target) >= least OR count(DISTINCT other) >= least_other
),
near AS (
    SELECT * FROM placed
    SEMI JOIN full_windows
        ON placed.who IS NOT DISTINCT FROM full_windows.who
        AND placed.slot >= full_slot AND placed.slot <= full_slot + length
),
counted AS (
    SELECT
        *,
        count(DISTINCT target) OVER ahead >= least OR count(DISTINCT other) OVER ahead >= least_other AS begins
    FROM near
    WINDOW ahead AS (
        PARTITION BY who ORDER BY event_time RANGE BETWEEN CURRENT ROW AND length FOLLOWING
    )
),
inside AS (
    SELECT * FROM (
        SELECT *, bool_or(begins) OVER (
            PARTITION BY who ORDER BY event_time RANGE BETWEEN length PRECEDING AND CURRENT ROW
        ) AS is_inside
        FROM counted
    )
    WHERE is_inside
),
parted AS (
    SELECT
        *,
        coalesce(event_time - max(event_time) OVER (
            PARTITION BY who ORDER BY event_time ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) > length, true) AS is_first
    FROM inside
)
SELECT
    * EXCLUDE (slot, begins, is_inside, is_first),
    max(CASE WHEN is_first THEN event_time END) OVER (
        PARTITION BY who ORDER BY event_time RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS burst
FROM parted;
