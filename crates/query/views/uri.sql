-- What queries need to read the URI of a request. Never an error, whatever a client wrote.

-- Percent escapes decoded. Bytes that are not UTF-8, which the server takes, become U+FFFD.
CREATE MACRO uri_decoded(part) AS coalesce(
    TRY(url_decode(part)),
    TRY(url_decode(regexp_replace(part, '%[89a-fA-F][0-9a-fA-F]', '%EF%BF%BD', 'g'))),
    part
);

-- The path as the server reads it: decoded, because `/api/v1/nodes/n/%70roxy/` is `nodes/proxy` to it.
CREATE MACRO uri_path(uri) AS uri_decoded(split_part(uri, '?', 1));

-- The values of the parameter `key`, in the order of the URI. Names are decoded too: `%63ommand=id` is a command.
-- As in Go, pairs are parted by `&` alone, and one that holds `;` is none.
CREATE MACRO uri_values(uri, key) AS coalesce(list_transform(
    list_filter(
        string_split((CASE WHEN contains(uri, '?') THEN substr(uri, instr(uri, '?') + 1) END)::VARCHAR, '&'),
        lambda pair: NOT contains(pair, ';') AND uri_decoded(replace(split_part(pair, '=', 1), '+', ' ')) = key
    ),
    lambda pair: CASE WHEN contains(pair, '=')
        THEN uri_decoded(replace(pair[instr(pair, '=') + 1:], '+', ' '))
        ELSE ''
    END
), []);

-- A parameter that is true or false, by the server's rule: there, and not `false` or `0`.
CREATE MACRO uri_flag(uri, key) AS coalesce(lower(uri_values(uri, key)[1]) NOT IN ('false', '0'), false);

-- A dry run changes nothing, whatever the answer says; the server takes `dryRun=All` and nothing else.
CREATE MACRO is_dry_run(uri) AS list_contains(uri_values(uri, 'dryRun'), 'All');
