-- What a user agent tells about a client. A client can call itself anything, so this finds the careless.

-- `tool`: something that attackers use, or testers; `script`: a scripting language or a bare HTTP client; else NULL.
-- Not the client libraries of Go and Rust, with which most controllers are written: they bring names of their own.
CREATE MACRO client_kind(user_agent) AS CASE
    WHEN regexp_matches(
        user_agent,
        '(?i)access_matrix|rakkess|trufflehog|azurehound|kubehound|micro-scanner|kube-?hunter|peirates|kubeletctl'
        || '|kubesploit|kdigger|red-?kube|bad-?pods|stratus-red-team|kubescape|kube-?bench|nuclei|nmap|sqlmap|masscan'
        || '|gobuster|ffuf|nikto|metasploit|kali'
    ) THEN 'tool'
    WHEN regexp_matches(
        user_agent,
        '(?i)^(curl|wget|python|perl|php|ruby|java|node|deno|bun|axios|undici|okhttp|apache-httpclient|httpie|libwww'
        || '|lua-resty|powershell|postmanruntime|insomnia|aiohttp|got|openapi-generator|swagger-codegen|kubernetes-client|fabric8-kubernetes-client'
        || '|kubernetes java client|rest-client|faraday|guzzlehttp)\b'
        || '|^Go-http-client|^Mozilla/.*PowerShell'
    ) THEN 'script'
END;
