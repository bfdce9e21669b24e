-- Lists in the bodies of requests. Never an error, whatever a body is.

-- The objects in a JSON list; NULL when `json` is no list.
CREATE MACRO json_objects(json) AS CASE json_type(json)
    WHEN 'ARRAY' THEN list_filter(json_extract(json, '$[*]'), lambda element: json_type(element) = 'OBJECT')
END;

-- The texts in the list that is the member `key`, sorted and distinct; NULL when there is no such list.
CREATE MACRO json_strings(json, key) AS CASE json_type(json_member(json, key))
    WHEN 'ARRAY' THEN list_sort(list_distinct(list_transform(
        list_filter(json_extract(json_member(json, key), '$[*]'), lambda element: json_type(element) = 'VARCHAR'),
        lambda element: json_extract_string(element, '$')
    )))
END;

-- `namespace/name` of an object by its metadata; the name alone when it has no namespace.
CREATE MACRO json_object_name(json) AS nullif(concat_ws(
    '/', json_text(json_member(json, 'metadata'), 'namespace'), json_text(json_member(json, 'metadata'), 'name')
), '');

-- The values that a JSON Patch puts at a member of the object, or into the list that this member is; NULL for a body
-- that is no JSON Patch.
CREATE MACRO json_patched(patch, member) AS CASE json_type(patch)
    WHEN 'ARRAY' THEN list_filter(flatten(list_transform(
        list_filter(
            json_objects(patch),
            lambda op: json_text(op, 'op') IN ('add', 'replace')
                AND regexp_full_match(json_text(op, 'path'), '/' || member || '(/([0-9]+|-))?')
        ),
        lambda op: coalesce(json_objects(json_member(op, 'value')), [json_member(op, 'value')])
    )), lambda value: json_type(value) = 'OBJECT')
END;

-- `body_parts(body)` is a function of the program: the objects of a body. A JSON Patch is one object per operation, each holding
-- the value at its path: an operation that sets `/spec/containers/0/image` becomes `{"spec":{"containers":[{"image":…}]}}`,
-- and is read like a merge patch. An object is a list of itself.

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

-- An object in parts: as it was stored, or as it was sent when the answer is not in the log or is no such object.
CREATE MACRO stored_or_sent(stored, sent) AS CASE
    WHEN json_type(json_body(stored)) = 'OBJECT' AND coalesce(json_text(json_body(stored), 'kind'), '') <> 'Status'
        THEN [json_body(stored)]
    ELSE body_parts(json_body(sent))
END;
