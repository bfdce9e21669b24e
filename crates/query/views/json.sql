-- What queries need to read the bodies of requests. Never an error, whatever a body is.

-- `json_member(json, key)` and `json_text(json, key)` are functions of the program: the last member of that name, as JSON
-- and as text.

-- The body as JSON that DuckDB can read; NULL when it is none. A lone surrogate such as `\ud800` is valid JSON to the
-- API server, but not to DuckDB: without the repair, one in a label would hide the whole body.
-- Halves of pairs become U+FFFD, as they do in the server.
CREATE MACRO json_body(body) AS CASE
    WHEN json_valid(body) THEN body
    WHEN json_valid(regexp_replace(body, '\\u[dD][89a-fA-F][0-9a-fA-F]{2}', '\\ufffd', 'g'))
        THEN regexp_replace(body, '\\u[dD][89a-fA-F][0-9a-fA-F]{2}', '\\ufffd', 'g')
END;

-- Names and values of all members, in order. To ask for each of many by its name would look through all for every one:
-- a body of 20,000 members took more than 4 GB.
CREATE MACRO json_pairs(json) AS list_zip(json_keys(json), json_extract(json, '$.*'));

