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
