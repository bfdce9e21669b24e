-- What queries need to read the URI of a request. Never an error, whatever a client wrote.

-- Percent escapes decoded. Bytes that are not UTF-8, which the server takes, become U+FFFD.
CREATE MACRO uri_decoded(part) AS coalesce(
    TRY(url_decode(part)),
    TRY(url_decode(regexp_replace(part, '%[89a-fA-F][0-9a-fA-F]', '%EF%BF%BD', 'g'))),
    part
);

-- The path as the server reads it: decoded, because `/api/v1/nodes/n/%70roxy/` is `nodes/proxy` to it.
CREATE MACRO uri_path(uri) AS uri_decoded(split_part(uri, '?', 1));

-- A path as Go's `path.Join` cleans it, which the API server does before it asks a kubelet: no `.`, no `//`, and `..`
-- takes the part before it away. As often as a client writes it in earnest; what goes deeper is in disguise anyway.
CREATE MACRO path_step(path) AS regexp_replace(path, '/[^/]+/\.\.(/|$)', '\1');
CREATE MACRO path_cleaned(path) AS regexp_replace(path_step(path_step(path_step(path_step(
    regexp_replace(regexp_replace(path, '/(\./)+|/\.$', '/', 'g'), '/+', '/', 'g')
)))), '^(/\.\.)+(/|$)', '/');

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

-- Which objects of a collection a request is for: labels and fields; NULL is all of them.
CREATE MACRO selector_of(uri) AS nullif(concat_ws(
    ' ', nullif(uri_values(uri, 'labelSelector')[1], ''), nullif(uri_values(uri, 'fieldSelector')[1], '')
), '');

-- Whether the URI asks for a dry run; the server takes `dryRun=All` and nothing else.
CREATE MACRO is_dry_run(uri) AS list_contains(uri_values(uri, 'dryRun'), 'All');

-- Whether a request was a dry run: it changed nothing, whatever its answer says. Not all that says so is one:
-- * A DELETE has options in its body, and the URI counts only where the body is empty (endpoints/handlers/delete.go).
--   `kubectl delete` sends a body, so one with `?dryRun=All` deletes. Where the body may have been left out of the log
--   (level Metadata, or cut) nobody can tell: NULL.
-- * An eviction has options of its own in its body besides.
-- * A TokenRequest hands out a token that works, a review answers, and what connects (exec, attach, port-forward, proxy)
--   connects: none of them looks at `dryRun`.
CREATE MACRO dry_run_of(verb, resource, subresource, uri, body, level, truncated) AS CASE
    WHEN coalesce(verb, '') NOT IN ('create', 'update', 'patch', 'delete', 'deletecollection') THEN false
    WHEN subresource IN ('exec', 'attach', 'portforward', 'proxy', 'token', 'log') THEN false
    WHEN ends_with(resource, 'reviews') THEN false
    WHEN subresource = 'eviction' THEN is_dry_run(uri) OR coalesce(list_contains(
        json_extract_string(json_member(json_member(json_body(body), 'deleteOptions'), 'dryRun'), '$[*]'), 'All'), false)
    WHEN verb IN ('create', 'update', 'patch') THEN is_dry_run(uri)
    WHEN body IS NOT NULL THEN coalesce(
        list_contains(json_extract_string(json_member(json_body(body), 'dryRun'), '$[*]'), 'All'), false)
    WHEN NOT is_dry_run(uri) THEN false
    WHEN level IN ('Request', 'RequestResponse') AND NOT coalesce(truncated, false) THEN true
END;
