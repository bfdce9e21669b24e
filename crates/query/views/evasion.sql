-- What a request looks like that means to be overlooked: the patterns of the detections, in one place.

-- The server makes random UUIDs (version 4). Any other id was sent by the client in the header `Audit-ID`.
CREATE MACRO is_server_audit_id(id) AS coalesce(
    regexp_full_match(id, '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'), false
);

-- Control characters, direction overrides, characters without width, and what was no UTF-8.
-- DuckDB asks a pattern of every row, and simpler functions of each different value: texts of one byte a character, of which
-- JSON escapes none, have nothing hidden, and all of a million user agents are told so in no time. Only what stands behind
-- THEN is not asked of the others: both sides of an AND are.
CREATE MACRO has_hidden_characters(content) AS CASE
    WHEN strlen(content) <> length(content) OR strlen(to_json(content)::VARCHAR) > strlen(content) + 2
        OR contains(content, chr(127))
    THEN regexp_matches(
        content,
        '[\x00-\x1f\x7f\x{80}-\x{9f}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{2069}\x{feff}\x{fffd}]'
    )
    ELSE false
END;

-- A path that says what it means in another way: empty or relative parts, or escapes of letters, digits, `-`, `.`, `_`
-- and `~`, which need none and which no client of Kubernetes writes.
CREATE MACRO is_path_disguised(uri) AS CASE
    WHEN contains(uri, '//') OR contains(uri, '/.') OR contains(uri, '%')
    THEN regexp_matches(
        split_part(uri, '?', 1), '//|/\.\.?(/|$)|%(2[dDeE]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])'
    )
    ELSE false
END;

-- Of two members with one name the server takes the last, and a reader may take the first. Looked for where patches
-- carry what matters: at the top and in `spec`.
CREATE MACRO has_double_members(body) AS coalesce(
    json_has_doubles(body) OR json_has_doubles(json_member(body, 'spec')), false
);
