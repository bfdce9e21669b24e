-- What of an ingress ends up in the configuration of the server that its controller runs.

-- Whether an annotation puts text of its author's into that configuration: it runs there with the rights of the controller, which
-- reads the secrets of all namespaces. Snippets are meant for it; in others a value that ends its directive does the same
-- (CVE-2021-25742, CVE-2023-5043, CVE-2023-5044, CVE-2025-24514, CVE-2025-1097, CVE-2025-1098).
-- Sources: documentation of ingress-nginx, of NGINX's own controller and of the two of HAProxy.
CREATE MACRO puts_into_server(name, value) AS coalesce(
    regexp_matches(
        name,
        '^(nginx\.ingress\.kubernetes\.io/([a-z]+-)+snippet|nginx\.(org|com)/([a-z]+-)+snippets'
            || '|haproxy\.org/([a-z]+-)+snippet|(haproxy-ingress\.github\.io|ingress\.kubernetes\.io)/config-[a-z]+)$'
    )
    OR regexp_matches(
        name,
        '^nginx\.ingress\.kubernetes\.io/(auth-url|auth-tls-match-cn|mirror-(target|host)|permanent-redirect|rewrite-target|app-root|server-alias)$'
    ) AND regexp_matches(value, '[;{}\n\r]\s*[#a-z_}]|#[;{}]'),
    false
);
