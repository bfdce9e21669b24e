-- What a request did, in a few words: `list secrets`, `get pods/exec`, `get /version`.

-- Without the subresource a session in a pod, which is a GET since kubectl 1.30, would read like a look at the pod.
CREATE MACRO action_of(verb, resource, subresource, path) AS
    concat_ws(' ', verb, coalesce(nullif(concat_ws('/', resource, subresource), ''), path));
