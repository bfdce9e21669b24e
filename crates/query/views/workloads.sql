-- What is needed to read pod templates, from bodies of any kind: objects, and patches that hold a part of one.

-- A JSON Patch as one object per operation, each holding the value at its path: an operation that sets
-- `/spec/containers/0/image` becomes `{"spec":{"containers":[{"image":…}]}}`, and is read like a merge patch.
-- `move` and `copy` carry no value. An object is a list of itself. The depth is limited because a client chooses it.
CREATE MACRO body_parts(body) AS CASE json_type(body)
    WHEN 'OBJECT' THEN [body::VARCHAR]
    WHEN 'ARRAY' THEN list_transform(
        list_filter(
            json_extract(body, '$[*]'),
            lambda operation: json_text(operation, 'op') IN ('add', 'replace')
                AND json_member(operation, 'value') IS NOT NULL
                AND len(string_split(coalesce(json_text(operation, 'path'), ''), '/')) <= 32
        ),
        lambda operation: list_reduce(
            list_reverse(string_split(coalesce(json_text(operation, 'path'), ''), '/')[2:]),
            lambda value, token: CASE
                WHEN regexp_full_match(token, '-|[0-9]+') THEN '[' || value || ']'
                ELSE '{' || to_json(replace(replace(token, '~1', '/'), '~0', '~')) || ':' || value || '}'
            END,
            json_member(operation, 'value')::VARCHAR
        )
    )
END;

-- Where the pod template stands in an object of this kind, and in it the specification of the pod.
CREATE MACRO pod_spec(resource, part) AS CASE
    WHEN resource = 'pods' THEN coalesce(
        json_member(part, 'spec'),
        -- Kubernetes 1.20 and 1.21 took a list of its own kind at `pods/ephemeralcontainers`.
        CASE WHEN json_type(json_member(part, 'ephemeralContainers')) = 'ARRAY' THEN part END
    )
    WHEN resource = 'podtemplates' THEN json_member(json_member(part, 'template'), 'spec')
    WHEN resource = 'cronjobs' THEN json_member(
        json_member(json_member(json_member(json_member(part, 'spec'), 'jobTemplate'), 'spec'), 'template'), 'spec'
    )
    ELSE json_member(json_member(json_member(part, 'spec'), 'template'), 'spec')
END;

-- The specifications in a body, whole or in parts; NULL or empty when it holds none, as a Status.
CREATE MACRO pod_specs(resource, body) AS list_filter(
    list_transform(body_parts(json_body(body)), lambda part: pod_spec(resource, part)::VARCHAR),
    lambda spec: json_type(spec) = 'OBJECT' AND spec <> '{}'
);

-- Objects in the lists `key` of several objects.
CREATE MACRO json_items(parents, key) AS coalesce(list_filter(
    flatten(list_transform(parents, lambda parent: CASE json_type(json_member(parent, key))
        WHEN 'ARRAY' THEN json_extract(json_member(parent, key), '$[*]') ELSE []::JSON[] END)),
    lambda item: json_type(item) = 'OBJECT'
), []);

-- The member `key` of several objects, where it is there.
CREATE MACRO json_members(parents, key) AS coalesce(list_filter(
    list_transform(parents, lambda parent: json_member(parent, key)), lambda member: member IS NOT NULL
), []);

-- A list for the eye: no NULL, no empty text, no double, sorted.
CREATE MACRO tidy(texts) AS coalesce(
    list_sort(list_distinct(list_filter(texts, lambda entry: entry IS NOT NULL AND entry <> ''))), []
);

-- The texts in a list of JSON, sorted.
CREATE MACRO json_texts(members) AS tidy(list_transform(
    members, lambda member: CASE json_type(member) WHEN 'VARCHAR' THEN json_extract_string(member, '$') END
));

-- Whether a list of JSON holds `true`.
CREATE MACRO json_any_true(members) AS list_contains(list_transform(members, lambda member: member::VARCHAR), 'true');

CREATE MACRO json_any_zero(members) AS list_contains(list_transform(members, lambda member: member::VARCHAR), '0');

-- An object in parts: as it was stored, or as it was sent when the answer is not in the log or is no such object.
CREATE MACRO stored_or_sent(stored, sent) AS CASE
    WHEN json_type(json_body(stored)) = 'OBJECT' AND coalesce(json_text(json_body(stored), 'kind'), '') <> 'Status'
        THEN [json_body(stored)]
    ELSE body_parts(json_body(sent))
END;

-- Capabilities that a pod may add under the baseline of the Pod Security Standards and that lead to no other user's
-- files or devices.
CREATE MACRO is_harmless_capability(capability) AS regexp_replace(upper(capability), '^CAP_', '') IN (
    'AUDIT_WRITE', 'CHOWN', 'FOWNER', 'FSETID', 'KILL', 'NET_BIND_SERVICE', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID',
    'SYS_CHROOT'
);
