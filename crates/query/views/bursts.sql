-- Bursts: rows of one actor that come together within a time, wherever it begins.

-- A window that begins at a round time is evaded by waiting for its end, one that counts by client by changing the user
-- agent, and one that counts by identity by taking turns with several. So windows slide, and rows count by identity, from
-- whatever addresses, and else by address, as whomever.

-- What one machine does as several: rows of an address that are no burst of an identity's own. Where many are at home it
-- says nothing that two did something at once. An address at which a component of the cluster is at home (a node, a
-- control plane) counts for nobody. One at which at least three identities are at home (half of what they send comes from
-- there, and they have come for half a day) is a NAT or a load balancer, not somebody's machine: there only guests count,
-- who send less than a tenth of what they send from there, and newcomers. Accounts that an intruder makes, or has of old
-- and now uses, are newcomers. What was before the log nobody knows: who comes in its first hour and stays for half a day
-- was there before.

-- Whoever is called the same in another cluster is somebody else, and an address of one is another machine there.
CREATE MACRO in_cluster(cluster, name) AS CASE WHEN cluster IS NULL THEN name ELSE concat(cluster, chr(10), name) END;

-- What `who` asked for within a slot of `length`, each once, with the first and the last time. No window of `length` that
-- holds a time between these two holds neither of them: only they are counted.
CREATE MACRO things_of(rows_asked) AS TABLE
SELECT
    who, place, slot, target, other,
    min(event_time) AS first_in_slot, max(event_time) AS last_in_slot
FROM query_table(rows_asked)
GROUP BY who, place, slot, target, other;

-- The times at which a window of `length` begins that holds enough: of the rows that `is_asked` says.
CREATE MACRO begins_of(timed, length, least, least_other) AS TABLE
SELECT DISTINCT who, event_time
FROM (
    SELECT
        who, event_time, is_asked,
        count(DISTINCT target) OVER ahead >= least OR count(DISTINCT other) OVER ahead >= least_other AS begins
    FROM query_table(timed)
    WINDOW ahead AS (
        PARTITION BY who ORDER BY event_time RANGE BETWEEN CURRENT ROW AND length FOLLOWING
    )
)
WHERE is_asked AND begins;

-- The rows of every window of `length` in which there are `least` targets or `least_other` others of one `who`, with
-- `burst`, the time of the first of them: windows that overlap are one burst. `things` are those of `rows_asked`.
-- Windows of twice the length, each begun in the middle of the one before, hold every burst; only in those that hold
-- enough is looked closer. To count in a window for each of many rows that ask for the same again is what takes long. So
-- that is done where a thing comes first and last, and for rows in front of the first of a burst, which may begin it.
CREATE MACRO windows_of(rows_asked, things, length, least, least_other) AS TABLE
WITH full_windows AS (
    SELECT who, slot AS full_slot
    FROM (
        SELECT who, target, other, unnest([slot, slot - length]) AS slot FROM query_table(things)
        WHERE target IS NOT NULL OR other IS NOT NULL
    )
    GROUP BY who, slot
    HAVING count(DISTINCT target) >= least OR count(DISTINCT other) >= least_other
),
near_things AS MATERIALIZED (
    SELECT thing.* FROM query_table(things) AS thing
    SEMI JOIN full_windows
        ON thing.who IS NOT DISTINCT FROM full_windows.who AND slot >= full_slot AND slot <= full_slot + length
),
near AS MATERIALIZED (
    SELECT placed.* EXCLUDE (slot) FROM query_table(rows_asked) AS placed
    SEMI JOIN near_things
        ON placed.slot = near_things.slot
        AND placed.who IS NOT DISTINCT FROM near_things.who
),
marks AS MATERIALIZED (
    SELECT DISTINCT who, unnest([first_in_slot, last_in_slot]) AS event_time, target, other, true AS is_asked
    FROM near_things
),
full_marks AS (FROM begins_of('marks', length, least, least_other)),
-- Windows carry no more columns than they need: the rows are wide.
times AS MATERIALIZED (
    SELECT
        who, event_time, max(begin_time) OVER (PARTITION BY who ORDER BY event_time) AS last_begin,
        min(begin_time) OVER (PARTITION BY who ORDER BY event_time DESC) AS next_begin
    FROM (
        SELECT who, event_time, max(begin_time) AS begin_time
        FROM (
            SELECT who, event_time, NULL AS begin_time FROM near
            UNION ALL SELECT who, event_time, event_time FROM full_marks
        )
        GROUP BY who, event_time
    )
),
in_front AS (
    SELECT who, event_time, NULL AS target, NULL AS other, true AS is_asked FROM times
    WHERE coalesce(event_time > last_begin + length, true) AND next_begin <= event_time + length
    UNION ALL SELECT who, event_time, target, other, false FROM marks
),
inside AS (
    SELECT who, event_time FROM times WHERE event_time <= last_begin + length
    UNION ALL FROM begins_of('in_front', length, least, least_other)
),
parted AS (
    SELECT *, coalesce(event_time - lag(event_time) OVER so_far > length, true) AS is_first FROM inside
    WINDOW so_far AS (PARTITION BY who ORDER BY event_time)
),
bursts AS (
    SELECT who, event_time, max(CASE WHEN is_first THEN event_time END) OVER so_far AS burst FROM parted
    WINDOW so_far AS (PARTITION BY who ORDER BY event_time)
)
SELECT near.*, burst
FROM near
JOIN bursts ON near.event_time = bursts.event_time AND near.who IS NOT DISTINCT FROM bursts.who;

-- The rows of every burst, each once: of an identity, which `who` names, or else of an address, `shared_ip`, as several.
-- `rows_asked` names a table, view or CTE with the columns `who`, `user_name`, `source_ip`, `cluster`, `event_time`, and what is
-- counted: different values of `target` and of `other` (NULL counts nothing).
CREATE MACRO bursts_of(rows_asked, length, least, least_other) AS TABLE
WITH placed AS (
    SELECT
        * REPLACE (in_cluster(cluster, who) AS who), in_cluster(cluster, source_ip) AS place,
        in_cluster(cluster, user_name) AS person, time_bucket(length, event_time) AS slot
    FROM query_table(rows_asked)
    WHERE event_time IS NOT NULL
),
things AS MATERIALIZED (FROM things_of('placed')),
of_one AS MATERIALIZED (FROM windows_of('placed', 'things', length, least, least_other)),
crowded AS (
    SELECT place FROM things
    GROUP BY place
    HAVING min(who) <> max(who) AND NOT is_component_home(split_part(place, chr(10), -1))
),
-- Windows that would be full if all who come from there were one: mostly there are none, and nothing else is looked at.
full_places AS MATERIALIZED (
    SELECT place, slot AS full_slot
    FROM (
        SELECT place, who, target, other, unnest([slot, slot - length]) AS slot
        FROM things SEMI JOIN crowded USING (place)
        WHERE target IS NOT NULL OR other IS NOT NULL
    )
    GROUP BY place, slot
    HAVING min(who) <> max(who) AND (count(DISTINCT target) >= least OR count(DISTINCT other) >= least_other)
),
told AS (
    SELECT
        in_cluster(cluster, user_name) AS person, in_cluster(cluster, source_ip) AS place, user_name, cluster, event_time
    FROM requests
),
visitors AS (
    SELECT DISTINCT person FROM told SEMI JOIN full_places USING (place)
    -- Whoever has no credentials is at home nowhere.
    WHERE user_name IS NOT NULL AND user_name <> 'system:anonymous'
),
visits AS MATERIALIZED (
    SELECT
        person, place, any_value(cluster) AS of_cluster, count(*) AS requests,
        sum(count(*)) OVER (PARTITION BY person) AS all_requests,
        min(event_time) AS first_seen, max(event_time) AS last_seen
    FROM told SEMI JOIN visitors USING (person)
    GROUP BY person, place
),
log_begins AS (
    SELECT cluster AS log_cluster, min(event_time) AS log_begin FROM requests WHERE EXISTS (FROM visitors) GROUP BY cluster
),
settled AS (
    SELECT
        *, CASE
            WHEN first_seen < log_begin + INTERVAL 1 HOUR AND last_seen >= first_seen + INTERVAL 12 HOUR THEN first_seen
            ELSE first_seen + INTERVAL 12 HOUR
        END AS at_home_since
    FROM visits JOIN log_begins ON of_cluster IS NOT DISTINCT FROM log_cluster
),
shared AS (
    SELECT place, list_sort(list(at_home_since))[3] AS shared_since FROM settled
    WHERE requests * 2 >= all_requests
    GROUP BY place
),
as_several AS MATERIALIZED (
    SELECT placed.* EXCLUDE (who), placed.place AS who
    FROM placed
    SEMI JOIN full_places
        ON placed.place = full_places.place AND slot >= full_slot AND slot <= full_slot + length
    ANTI JOIN of_one ON placed.who = of_one.who AND placed.event_time = of_one.event_time
    LEFT JOIN shared ON placed.place = shared.place AND placed.event_time >= shared_since
    LEFT JOIN settled
        ON placed.place = settled.place AND placed.person = settled.person
        AND requests * 10 >= all_requests AND placed.event_time >= at_home_since
    WHERE shared_since IS NULL OR at_home_since IS NULL
),
things_of_several AS MATERIALIZED (FROM things_of('as_several'))
SELECT *, NULL::VARCHAR AS shared_ip FROM of_one
UNION ALL BY NAME
SELECT * REPLACE (NULL::VARCHAR AS who), source_ip AS shared_ip
FROM windows_of('as_several', 'things_of_several', length, least, least_other);
