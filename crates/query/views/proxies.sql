-- One row per address that a proxy named by `--proxy` passed on, and per peer that it came through; without one, none.

-- The addresses that stand before the peer: what the headers of the request say, which a client can forge.
CREATE MACRO forwarded_for(source_ips) AS CASE WHEN len(source_ips) > 1 THEN array_to_string(source_ips[:-2], ', ') END;

-- The proxy whose word the source of a request is; NULL when the source is the peer itself.
CREATE MACRO asserted_by(source_ip, source_ips) AS CASE WHEN source_ip <> source_ips[-1] THEN source_ips[-1] END;

-- Columns:
-- source_ip: the address that a proxy passed on
-- peer: who passed it on, or the address itself where it also came directly
-- requests: how many came that way
CREATE VIEW asserted_addresses AS
SELECT source_ip, coalesce(source_ips[-1], source_ip) AS peer, count(*) AS requests
FROM requests
WHERE has_proxies() AND source_ip IN (SELECT source_ip FROM requests WHERE source_ip <> source_ips[-1])
GROUP BY ALL;
