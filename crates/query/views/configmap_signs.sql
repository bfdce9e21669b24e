-- What a text looks like when it holds a credential. Never the value itself.

-- The signs of one value. What the case withholds is a token where nothing else tells what it is: its name tells a password,
-- and the rest that is withheld has the form of a token.
CREATE MACRO configmap_told(signs, key) AS list_transform(
    list_filter(signs, lambda sign: sign <> 'withheld' OR len(signs) = 1),
    lambda sign: CASE sign WHEN 'withheld' THEN 'token' ELSE sign END || ' in ' || key
);

-- What the data of a ConfigMap, or of a patch of one, looks like: `password in app.properties`, a line per key and sign.
CREATE MACRO configmap_part_signs(body) AS coalesce(flatten(list_transform(
    -- One constant pattern first, which lets through all that any of those below can find: they are compiled anew for
    -- every text, and a ConfigMap can have 20,000 keys.
    list_filter(json_pairs(json_member(body, 'data')), lambda pair: regexp_matches(
        -- The text itself: a client may write its letters as escapes.
        pair[1] || '=' || coalesce(json_extract_string(pair[2], '$'), ''),
        '-----BEGIN|AKIA|ASIA|aws_|eyJ|gh[pousr]_|xox|glpat-|redacted:|AIza|private_key_id|://|'
        || '(?i:passw|passphrase|pwd|api_?key|client_?secret|access_?token|auth_?token|secret_?key|private_?key|encryption_?key|(?:^|[_.-])(?:pass|pw))'
    )),
    lambda pair: flatten(list_transform([
        list_transform(list_filter(
            [
                {sign: 'private key', pattern: '-----BEGIN [A-Z ]*PRIVATE KEY-----'},
                {sign: 'AWS key', pattern: '\b(AKIA|ASIA)[0-9A-Z]{16}\b|aws_secret_access_key|aws_access_key_id'},
                {sign: 'token', pattern: '\beyJ[A-Za-z0-9_-]{8,}\.|\bgh[pousr]_[A-Za-z0-9]{20,}|\bxox[abprs]-|\bglpat-'},
                {sign: 'withheld', pattern: 'redacted:[0-9a-f]{16}'},
                {sign: 'Google key', pattern: '\bAIza[0-9A-Za-z_-]{35}|"private_key_id"'},
                {sign: 'password', pattern: '(?i)(passw(or)?d|passphrase|pwd|(^|[_.-])(pass|pw))["'']?\s*[:=]\s*["'']?[^\s"''$<{]'},
                {sign: 'secret', pattern:
                    '(?i)(api_?key|client_?secret|access_?token|auth_?token|secret_?key|private_?key|encryption_?key)["'']?\s*[:=]\s*["'']?[^\s"''$<{]'},
                {sign: 'password in URL', pattern: '[a-z]://[^/\s:@]+:(redacted:)?[^/\s:@$<{]+@'}
            ],
            -- A key called `password` with a value is one as well: both are searched as `key=value`.
            lambda known: regexp_matches(
                pair[1] || '=' || coalesce(
                    CASE json_type(pair[2]) WHEN 'VARCHAR' THEN json_extract_string(pair[2], '$') END, ''
                ),
                known.pattern
            )
        ), lambda known: known.sign)
    ], lambda signs: configmap_told(signs, pair[1])))
)), []);

-- `body` is read in its parts, so that a JSON Patch tells what it puts in.
CREATE MACRO configmap_signs(body) AS coalesce(flatten(list_transform(
    body_parts(body), lambda part: configmap_part_signs(part)
)), []);
