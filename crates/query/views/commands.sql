-- What commands and images give away: the patterns of the detections, in one place.

-- A command as a shell reads its words: `/etc/sh''adow`, `/etc/sh\adow` and `/etc/sh$@adow` are one path.
CREATE MACRO is_quoted(command) AS regexp_matches(command, '[\w/.*-](''|"|\\|\$[@*])|(''|"|\\|\$[@*])[\w/.*-]');
CREATE MACRO without_quotes(command) AS regexp_replace(command, '[''"]|\\([\w/.*-])|\$[@*]', '\1', 'g');

-- Patterns are RE2, without case. They find what is written plainly; a command in base64 shows as `encoded`.
CREATE MACRO credential_signs(command) AS tidy([
    CASE WHEN regexp_matches(command, '/run/secrets/|serviceaccount/token', 'i')
        -- By globs: every part of the path keeps some of its letters, or is a star.
        OR regexp_matches(
            command,
            '/(r[\w*?\[\]-]*)/(s[\w*?\[\]-]*|\*)/(k[\w.*?\[\]-]*|e[\w.*?\[\]-]*|\*)(/|\b)|/s[\w?\[\]-]*\*[\w*?\[\]-]*/(k|\*)[\w.*?\[\]-]*/'
            || '|(ser|\*)[\w*?\[\]-]*[*?][\w*?\[\]-]*/t[\w?\[\]-]*[*?]', 'i'
        ) THEN 'service account token' END,
    CASE WHEN regexp_matches(
        command,
        '169\.254\.169\.254|169\.254\.170\.(2|23)\b|2852039166|0xa9fea9fe|0251\.0376\.0251\.0376|fd00:ec2::(254|23)'
        || '|100\.100\.100\.200|168\.63\.129\.16|metadata\.google\.internal|computeMetadata|metadata/identity'
        || '|latest/(meta-data|user-data|dynamic|api/token)|AWS_CONTAINER_CREDENTIALS',
        'i'
    ) THEN 'cloud metadata' END,
    CASE WHEN regexp_matches(
        command,
        '\.aws\b|\.azure\b|\.config/gcloud|\.boto\b|application_default_credentials|azure/tokens|eks\.amazonaws\.com'
        || '|AWS_(SECRET|WEB_IDENTITY|SESSION)|GOOGLE_APPLICATION_CREDENTIALS|/etc/kubernetes/(azure|cloud)',
        'i'
    ) THEN 'cloud credentials' END,
    CASE WHEN regexp_matches(command, '/g?shadow\b|/etc/(security/opasswd|master\.passwd)|/sam\b', 'i')
        THEN 'password hashes' END,
    CASE WHEN regexp_matches(command, '\.ssh\b|\bid_(rsa|dsa|ecdsa|ed25519)|/etc/ssh/', 'i') THEN 'ssh keys' END,
    CASE WHEN regexp_matches(
        command, '\.kube\b|kubeconfig|/etc/kubernetes|/var/lib/kubelet|/var/lib/rancher|\badmin\.conf', 'i'
    ) THEN 'cluster credentials' END,
    CASE WHEN regexp_matches(command, 'etcdctl|/var/lib/etcd', 'i') THEN 'etcd' END,
    CASE WHEN regexp_matches(command, '[\w/*-]\.(pem|key|p12|pfx|jks|keystore|kdbx)($|[^\w.])', 'i')
        THEN 'key files' END,
    CASE WHEN regexp_matches(
        command, '\.docker/config|\.dockercfg|\.git-credentials|\.netrc|\.pgpass|\.npmrc|\.vault-token|\.my\.cnf', 'i'
    ) THEN 'stored passwords' END,
    CASE WHEN regexp_matches(
        command, '/proc/[^/ ]+/environ|\bprintenv\b|(^|[;&|(]\s*|-c\s+[''"]?)(/usr/bin/)?env\s*($|[''"|>;&])', 'i'
    ) THEN 'environment' END
]);

-- IPv4 addresses of the Internet in a text: not private, local, link-local, shared by a carrier or multicast.
CREATE MACRO external_addresses(command) AS tidy(list_filter(
    regexp_extract_all(command, '\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b'),
    lambda address: in_network(address, '0.0.0.0/0')
        AND NOT in_network(address, '10.0.0.0/8') AND NOT in_network(address, '172.16.0.0/12')
        AND NOT in_network(address, '192.168.0.0/16') AND NOT in_network(address, '127.0.0.0/8')
        AND NOT in_network(address, '100.64.0.0/10') AND NOT in_network(address, '169.254.0.0/16')
        AND NOT in_network(address, '0.0.0.0/8') AND NOT in_network(address, '224.0.0.0/3')
));

-- Hosts of the URLs in a text that lie outside of the cluster, as far as their names tell.
CREATE MACRO external_hosts(command) AS tidy(list_filter(
    regexp_extract_all(lower(command), '(?:https?|ftp)://(?:[^/@\s]*@)?(\[[0-9a-f:.]+\]|[a-z0-9.-]+)', 1)
        -- A decimal, octal or hexadecimal number is an address as well.
        || regexp_extract_all(lower(command), '(?:https?|ftp)://(?:[^/@\s]*@)?(0x[0-9a-f]{7,8}|[0-9]{8,11})(?:[/:?\s]|$)', 1)
        -- curl and wget need no scheme.
        || CASE WHEN regexp_matches(lower(command), '\b(curl|wget)\b') THEN regexp_extract_all(
            lower(command), '(?:^|\s)(?:[^/@\s]*@)?((?:[a-z0-9-]+\.)+[a-z]{2,24})(?::[0-9]+)?(?:/\S*)?(?:\s|$)', 1
        ) ELSE [] END,
    lambda host: (contains(host, '.') OR regexp_matches(host, '^(0x[0-9a-f]+|[0-9]{8,11})$')
            OR contains(host, ':') AND NOT regexp_matches(host, '^\[(::1?|f[cde].*)\]$'))
        AND NOT regexp_matches(host, '(\.svc|\.cluster\.local|\.internal|\.local|localhost)\.?$')
        -- File names end like hosts.
        AND NOT regexp_matches(host, '\.(sh|txt|json|ya?ml|tar|gz|tgz|zip|pem|crt|key|conf|cfg|log|py|html?|js|so|bin|out)$')
        AND (NOT regexp_full_match(host, '[0-9.]*\.[0-9.]*') OR len(external_addresses(host)) > 0)
));

-- Names of miners, their protocol and their pools.
CREATE MACRO miner_signs(content) AS tidy(regexp_extract_all(
    lower(content),
    'xmrig|xmr-stak|xmr\b|cryptonight|minerd|cpuminer|ethminer|nbminer|t-rex|phoenixminer|lolminer|nanominer|kinsing'
    || '|kdevtmpfsi|stratum\+(?:tcp|ssl)|minexmr|supportxmr|nanopool|moneroocean|nicehash|hashvault|monero|cryptominer'
));

CREATE MACRO attack_signs(command) AS tidy([
    CASE WHEN regexp_matches(
        command,
        '/dev/(tcp|udp)/|\b(nc|ncat|netcat)\b[^|;&]*\s(-[a-z]*[ec]|--exec|--sh-exec)\b|\bmkfifo\b|\bsocat\b.*\bexec\b'
        || '|\b(ba|z|da|k|c)?sh\s+-i\s*([<>&|]|\d>)|pty\.spawn|\|\s*(nc|ncat|netcat)\s+\S+\s+\d+\s*(>|\||$)|\b(nc|ncat|netcat)\s+\S+\s+\d+\s*\|\s*(/bin/)?(ba|z|da)?sh\b|socket\.socket|\buse\s+Socket\b|TCPSocket|fsockopen'
        || '|/inet/tcp/|openssl\s+s_client',
        'is'
    ) THEN 'reverse shell' END,
    CASE WHEN regexp_matches(command, '\b(curl|wget|aria2c|lwp-download|fetch|iwr|Invoke-WebRequest|certutil)\b', 'i')
        AND len(external_hosts(command)) > 0
        OR regexp_matches(command, 'urlopen|urlretrieve|requests\.get|LWP::|Net::HTTP|file_get_contents|open-uri', 'i')
            AND len(external_hosts(command)) > 0 THEN 'download' END,
    CASE WHEN regexp_matches(command, '\b(curl|wget)\b[^;]*\|\s*(sudo\s+)?(/\S*/)?(ba|z|da|k)?sh\b', 'is')
        THEN 'download into a shell' END,
    -- Four numbers with dots behind a word such as `--version` are none.
    CASE WHEN len(external_addresses(regexp_replace(
        command, '(--?v(er(sion)?)?|\bversion|\brelease|\btag)[\s=:]+v?\d+\.\d+\.\d+\.\d+\b', '', 'gi'
    ))) > 0 THEN 'external address' END,
    CASE WHEN regexp_matches(command, '(^|\s)tar\s+(-?[a-z]*c[a-z]*\s+)+(-f\s+)?-(\s|$)', 'i') THEN 'copy out' END,
    CASE WHEN regexp_matches(command, '(^|\s)tar\s+(-?[a-z]*x[a-z]*\s+)+(-f\s+)?-(\s|$)', 'i') THEN 'copy in' END,
    CASE WHEN regexp_matches(command, 'base64\s+(-\w+\s+)*(-[a-z]*d[a-z]*|--d[a-z]*)|xxd\s+-r|b64decode|FromBase64', 'i')
        THEN 'encoded' END,
    CASE WHEN regexp_matches(
        command,
        '\b(nsenter|crictl|ctr)\b|\bchroot\s+/|docker\.sock|containerd\.sock|crio\.sock|release_agent|core_pattern'
        || '|\bmount\s+(-\S+\s+)*/dev/',
        'i'
    ) THEN 'escape to the node' END,
    CASE WHEN regexp_matches(
        command,
        '\b(nmap|masscan|zmap|kube-hunter|peirates|kubeletctl|amicontained|deepce|linpeas|botb|chisel|frpc|ngrok'
        || '|mimipenguin|hydra|trufflehog|kubescape)\b',
        'i'
    ) THEN 'attack tool' END,
    CASE WHEN len(miner_signs(command)) > 0 THEN 'miner' END,
    CASE WHEN regexp_matches(command, 'history\s+-c|HISTFILE|_history\b|\bshred\b|rm\s+.*/var/log', 'i')
        THEN 'covers tracks' END
]);

-- Whether a command leaves its sender at the prompt of a shell: it ends in one that is given nothing to run, however it is
-- wrapped (`env -i bash`, `nsenter -t 1 -m -- sh`, `sh -c "exec bash || exec sh"`), asks for one by `-i`, or starts
-- what is nothing else (`su -`, `chroot /host`, `pty.spawn`). Only where input is sent: without, a shell ends at once.
CREATE MACRO opens_shell(command) AS coalesce(regexp_matches(
    command,
    '(^|[\s/;&|(''"])((ba|z|da|a|k|mk|c|tc|fi|rba)?sh|powershell(\.exe)?|pwsh(\.exe)?|cmd(\.exe)?)(\s+(-[abefhilmprsuvx]+|-NoLogo|-NoExit|--(login|norc|noprofile|posix)|--(rc|init-)file[= ]\S+|-))*[\s)''";]*$'
    || '|(^|[\s/;&|(''"])(ba|z|da|a|k|mk|c|tc|fi|rba)?sh\s+(-\S+\s+)*-[abefhlmprsuvx]*i[abefhlmprsuvx]*(\s|$)'
    || '|(^|[\s/;&|(''"])(su|login)(\s+-)?(\s+[a-z_][\w-]*)?\s*$|(^|[\s/;&|(''"])sudo\s+(-\S+\s+)*(-i|-s|su)\b'
    || '|\bchroot\s+(--\S+\s+)*\S+\s*$|\bnsenter(\s+-(t|-target)[= ]?\d+|\s+-\S+)*(\s+--)?\s*$'
    || '|pty\.spawn|\bscript\s+(-\S+\s+)*-?\S*\s*/dev/null\b|\bexec\s*\(?\s*["''](/\S*/)?(ba|da|z|a|k)?sh["'']|os\.system\(["''](/\S*/)?(ba|da|z|a|k)?sh["'']',
    'i'
), false);

-- An amount as the API writes it, `1500m`, `2`, `1e3`, `64Gi`, as a number; NULL when it is none.
CREATE MACRO quantity(amount) AS TRY_CAST(regexp_extract(amount, '^[0-9.]+(?:[eE][0-9]+)?') AS DOUBLE)
    * CASE regexp_extract(amount, '[a-zA-Z]*$')
        WHEN 'n' THEN 1e-9 WHEN 'u' THEN 1e-6 WHEN 'm' THEN 1e-3 WHEN 'k' THEN 1e3 WHEN 'M' THEN 1e6 WHEN 'G' THEN 1e9
        WHEN 'T' THEN 1e12 WHEN 'P' THEN 1e15 WHEN 'Ki' THEN 1024.0 WHEN 'Mi' THEN 1048576.0
        WHEN 'Gi' THEN 1073741824.0 WHEN 'Ti' THEN 1099511627776.0 ELSE 1.0
    END;
