-- Names that are meant to be taken for others.

-- A name as the eye takes it: small letters, without accents and what has no width; letters of other scripts that look like Latin
-- ones (Unicode's table of confusables, as far as it is about small letters), and digits that look like letters.
CREATE MACRO plain_name(name) AS translate(
    strip_accents(lower(regexp_replace(
        name, '[\x00-\x20\x7f-\x{a0}\x{ad}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{2069}\x{feff}]', '', 'g'
    ))),
    'асеорхуіѕјԁһԛԝкмтвнгοανρικτυεηγａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ：꞉ː∶‐‑–−ıſɑɡ01_',
    'aceopxyisjdhqwkmtbhroavpiktuenyabcdefghijklmnopqrstuvwxyz::::----isagol-'
);

-- The one of some known names that a name is not, but nearly: two letters more, less or other; NULL when there is none.
CREATE MACRO nearly(name, known) AS list_filter(
    known, lambda other: other <> name AND levenshtein(plain_name(name), plain_name(other)) <= 2
)[1];

-- What a user name is meant to be taken for; NULL when it is what it says. `system:` begins names that the server gives alone, to
-- a certificate as well: there a name of its own says nothing yet, but one that is nearly a component's does.
CREATE MACRO taken_for(user_name) AS CASE
    WHEN starts_with(user_name, 'system:serviceaccount:') THEN CASE
        WHEN nearly(split_part(user_name, ':', 3), ['kube-system', 'kube-public', 'kube-node-lease']) IS NOT NULL
            THEN 'namespace ' || nearly(split_part(user_name, ':', 3), ['kube-system', 'kube-public', 'kube-node-lease'])
        WHEN is_system_namespace(split_part(user_name, ':', 4)) THEN 'namespace ' || split_part(user_name, ':', 4)
        WHEN split_part(user_name, ':', 3) <> 'kube-system' AND split_part(user_name, ':', 4) LIKE '%-controller'
            AND is_component(split_part(user_name, ':', 4)) THEN 'kube-system/' || split_part(user_name, ':', 4)
    END
    WHEN NOT starts_with(user_name, 'system:') AND starts_with(plain_name(user_name), 'system:') THEN plain_name(user_name)
    WHEN NOT starts_with(user_name, 'system:') AND NOT regexp_full_match(user_name, '[ -~]*')
        AND list_contains(['kubernetes-admin', 'admin', 'cluster-admin', 'kube:admin', 'masterclient'], plain_name(user_name))
        THEN plain_name(user_name)
    WHEN starts_with(user_name, 'system:') AND NOT starts_with(user_name, 'system:node:') THEN nearly(user_name, [
        'system:kube-controller-manager', 'system:kube-scheduler', 'system:apiserver', 'system:kube-proxy', 'system:admin',
        'system:anonymous', 'system:cloud-controller-manager'
    ])
END;
