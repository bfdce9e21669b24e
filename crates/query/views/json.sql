-- What queries need to read the bodies of requests. Never an error, whatever a body is.

-- The body as JSON that DuckDB can read; NULL when it is none. A lone surrogate such as `\ud800` is valid JSON to the
-- API server, but not to DuckDB: without the repair, one in a label would hide the whole body.
-- Halves of pairs become U+FFFD, as they do in the server.
CREATE MACRO json_body(body) AS CASE
    WHEN json_valid(body) THEN body
    WHEN json_valid(regexp_replace(body, '\\u[dD][89a-fA-F][0-9a-fA-F]{2}', '\\ufffd', 'g'))
        THEN regexp_replace(body, '\\u[dD][89a-fA-F][0-9a-fA-F]{2}', '\\ufffd', 'g')
END;

-- The member `key` of a JSON object, as JSON; NULL when there is none, or when `json` is no object.
-- Of two members with one name the last, because that is what the API server takes, and the body of a patch is
-- logged as the client sent it; DuckDB's own functions take the first.
CREATE MACRO json_member(json, key) AS list_last(list_filter(
    list_zip(json_keys(json), json_extract(json, '$.*')),
    lambda pair: pair[1] = key
))[2];

-- Names and values of all members, in order. To ask for each of many by its name would look through all for every one:
-- a body of 20,000 members took more than 4 GB.
CREATE MACRO json_pairs(json) AS list_zip(json_keys(json), json_extract(json, '$.*'));

-- The same as text when it is a string with something in it, else NULL.
CREATE MACRO json_text(json, key) AS CASE json_type(json_member(json, key))
    WHEN 'VARCHAR' THEN nullif(json_extract_string(json_member(json, key), '$'), '')
END;
