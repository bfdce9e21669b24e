-- What counts as a change: something was stored or deleted.

-- Whether a request changed something in the cluster. Not by its verb alone: one that was refused or failed, or a dry run,
-- changed nothing; a review (`create selfsubjectaccessreviews`) only answers, a TokenRequest hands out a token, and what
-- connects (exec, attach, port-forward, proxy) runs beside the API. A deletion of which the log does not tell whether it
-- was a dry run counts. Never NULL.
CREATE MACRO is_change(verb, resource, subresource, outcome, uri, body, level, truncated) AS coalesce(
    outcome = 'allowed'
    AND is_write_or_delete(verb)
    AND coalesce(subresource, '') NOT IN ('exec', 'attach', 'portforward', 'proxy', 'token', 'log')
    AND NOT ends_with(coalesce(resource, ''), 'reviews')
    AND dry_run_of(verb, resource, subresource, uri, body, level, truncated) IS NOT TRUE,
    false
);

-- How many objects a request to delete took, or marked for it: 1, or what the answer lists; 0 when refused or for a dry run; NULL when
-- the log does not tell.
CREATE MACRO deleted_of(verb, outcome, dry_run, response_object) AS CASE
    WHEN NOT starts_with(verb, 'delete') THEN NULL
    WHEN outcome IN ('denied', 'failed') OR dry_run THEN 0
    WHEN outcome = 'unknown' OR dry_run IS NULL THEN NULL
    WHEN verb = 'delete' THEN 1
    WHEN json_type(json_member(json_body(response_object), 'items')) = 'ARRAY'
        THEN len(json_items([json_body(response_object)], 'items'))
END;
