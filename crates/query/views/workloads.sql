-- What is needed to read bodies of any kind: objects, and patches that hold a part of one.

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
