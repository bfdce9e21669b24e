"""Templates of pods, and commands that are in them or sent into containers (see `counts.py`)."""

import ipaddress, json, re
from collections import defaultdict

import oracle
from bodies import in_lists, items, key_of, matches, members, parts, strings, tidy, told, uri_flag, uri_values
from conditions import MAKE_PODS, OWN, at, makes_pods as is_a_maker, starts_pods

# By Kubernetes' Pod Security Standards what the baseline allows to add, less what reaches other users' files.
HARMLESS = {"AUDIT_WRITE", "CHOWN", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID",
            "SYS_CHROOT"}
# Of pods, of Argo's templates and of Tekton's tasks.
CONTAINERS = ("containers", "initContainers", "ephemeralContainers", "sidecars", "steps")
ALONE = ("container", "script", "stepTemplate", "postCommit")
# How OpenShift builds, in a privileged pod: what its documentation warns of is told.
STRATEGIES = {"customStrategy": "custom build", "dockerStrategy": "Docker build", "sourceStrategy": None,
              "jenkinsPipelineStrategy": None}
SHARED = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace")
CONFINES_NOTHING = {"spc_t", "unconfined_t", "container_runtime_t", "kubelet_t"}
SECCOMP = ("seccomp.security.alpha.kubernetes.io/", "container.seccomp.security.alpha.kubernetes.io/")
# What the baseline lets a pod set, each in namespaces of its own.
SAFE_SYSCTLS = {"kernel.shm_rmid_forced"} | {f"net.ipv4.{name}" for name in (
    "ip_local_port_range ip_local_reserved_ports ip_unprivileged_port_start ping_group_range tcp_fin_timeout "
    "tcp_keepalive_intvl tcp_keepalive_probes tcp_keepalive_time tcp_rmem tcp_syncookies tcp_wmem").split()}
APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


# --- templates -----------------------------------------------------------------------

def specs_of(row, body):
    """The specifications of pods in a body."""
    found = [] if row["resource"] in MAKE_PODS else specs_in(parts(body))
    for part in parts(body) if row["resource"] in MAKE_PODS else []:
        spec = at(part, *path_of_spec(row))
        if row["resource"] == "pods" and "spec" not in part and isinstance(part.get("ephemeralContainers"), list):
            spec = part  # of a kind of its own, up to Kubernetes 1.21
        if isinstance(spec, dict) and spec:
            found.append(spec)
    # Volcano has jobs of its own.
    return found or (specs_in(parts(body)) if row["resource"] == "jobs" else [])


def specs_in(objects):
    return [spec for spec, _ in named_specs(objects)]


def named_specs(objects):
    """Wherever they stand in objects of add-ons, except in what says who they are and what came of them; each with the name of
    the part that it stands in."""
    waiting = [(value, part_of(name, "")) for one in objects for name, value in one.items() if name not in ("metadata", "status")]
    found = []
    while waiting:
        one, part = waiting.pop()
        waiting += [(value, part_of(at(value, "name"), part)) for value in (one if isinstance(one, list) else [])]
        if isinstance(one, dict):
            waiting += [(value, part_of(name, part)) for name, value in one.items() if name not in CONTAINERS + ALONE]
            says = any(one.get(flag) is True for flag in SHARED) or items([one], "volumes")
            says = says or built([one]) or strings(members([one], "source", "dockerfile"))
            if says or containers([one]) or strings([one.get("serviceAccountName"), one.get("podSpecPatch")]):
                found.append((one, part))
    return found


def part_of(name, around):
    """What tells two templates of an object apart: the name of one of several, or the member that it stands under."""
    between = ("spec", "template", "jobTemplate", "templates", "pipelineSpec", "taskSpec")
    return name.replace("=", "_") + "/" if isinstance(name, str) and name and name not in between else around


def named_images(row, specs, objects):
    """Each container with its image; in objects of add-ons with the part that it stands in."""
    parted = [(spec, "") for spec in specs] if row["resource"] in MAKE_PODS else named_specs(objects)
    builds = {(part + name, at(one, "from", "name")) for spec, part in parted for name, one in built([spec])}
    found = builds | {(part + (one.get("name") or alone), one.get("image")) for spec, part in parted
             for alone, members_of in [("", containers([{**spec, **dict.fromkeys(ALONE)}]))]
             + [(name, members([spec], name)) for name in ALONE]
             for one in members_of if isinstance(one, dict)}
    return sorted(((name, image) for name, image in found if image), key="=".join)


def path_of_spec(row):
    return {"pods": ("spec",), "podtemplates": ("template", "spec"),
            "cronjobs": ("spec", "jobTemplate", "spec", "template", "spec")}.get(row["resource"], ("spec", "template", "spec"))


def built(specs):
    """The ways in which specifications build images."""
    return [(name, one) for name in STRATEGIES for one in members(specs, "strategy", name) if isinstance(one, dict)]


def makes_pods(row):
    return (is_a_maker(row) and row["verb"] in ("create", "update", "patch")
            and (starts_pods(row) or row["subresource"] in (None, "ephemeralcontainers", "resize")))


def template(row):
    """The specifications that count, the objects that they stand in, and where these were read; None when there is none."""
    if not makes_pods(row):
        return None
    for where in ("responseObject", "requestObject"):
        body = row["last"].get(where)
        specs = specs_of(row, body)
        if specs:
            return specs, parts(body), where
    return None


def containers(specs):
    listed = [one for name in CONTAINERS for one in items(specs, name) if "image" in one or name not in ("sidecars", "steps")]
    return listed + [one for name in ALONE for one in members(specs, name) if isinstance(one, dict)]


def contexts(specs):
    return members(specs, "securityContext") + members(containers(specs), "securityContext")


def reasons(row, specs, objects):
    inner, outer = members(containers(specs), "securityContext"), contexts(specs)
    annotations = (members(objects, "metadata", "annotations")
                   + members(objects, "spec", "template", "metadata", "annotations")
                   + members(objects, "spec", "jobTemplate", "spec", "template", "metadata", "annotations"))
    accounts = strings(members(specs, "serviceAccountName")) or strings(members(specs, "serviceAccount"))
    controller = accounts and row["namespace"] == "kube-system" and accounts[0].endswith("-controller")
    added = [name.upper().removeprefix("CAP_") for name in strings(in_lists(members(inner, "capabilities", "add")))]
    flags = {
        "privileged": True in members(inner, "privileged"),
        "host process": True in members(outer, "windowsOptions", "hostProcess"),
        "host network": True in members(specs, "hostNetwork"), "host PID": True in members(specs, "hostPID"),
        "host IPC": True in members(specs, "hostIPC"),
        "shared process namespace": True in members(specs, "shareProcessNamespace"),
        "unmasked proc": "Unmasked" in members(inner, "procMount"),
        "seccomp unconfined": "Unconfined" in members(outer, "seccompProfile", "type") or any(
            name.startswith(SECCOMP) and value == "unconfined"
            for names in annotations if isinstance(names, dict) for name, value in names.items()),
        "SELinux unconfined": bool(CONFINES_NOTHING & set(strings(members(outer, "seLinuxOptions", "type")))),
        "AppArmor unconfined": "Unconfined" in members(outer, "appArmorProfile", "type") or any(
            name.startswith(APPARMOR) and value == "unconfined"
            for names in annotations if isinstance(names, dict) for name, value in names.items()),
        "pod spec patched by text": strings(members(specs, "podSpecPatch")),
        f"service account {accounts and accounts[0]}": controller,
    }
    volumes = items(specs, "volumes")
    paths = strings(members(volumes, "hostPath", "path") + members(volumes, "hostDisk", "path"))
    kernel = [name.replace("/", ".") for name in strings(members(items(specs, "securityContext", "sysctls"), "name"))]
    more = [f"sysctl {name}" for name in kernel if name not in SAFE_SYSCTLS]
    more += [f"flexVolume driver {driver}" for driver in strings(members(volumes, "flexVolume", "driver"))]
    more += [f"gitRepo {url}" for url in strings(members(volumes, "gitRepo", "repository"))]
    if True not in members(specs, "hostNetwork"):
        more += [f"host port {one['hostPort']}" for one in items(containers(specs), "ports") if one.get("hostPort")]
    paths += ["/var/run/docker.sock" for _, one in built(specs) if one.get("exposeDockerSocket") is True]
    return tidy([name for name, is_so in flags.items() if is_so] + [STRATEGIES[name] for name, _ in built(specs)] + [f"host path {path}" for path in paths] + more
                + [f"capability {name}" for name in added if name not in HARMLESS])


def plain(value):
    return value if isinstance(value, str) else None if value is None else json.dumps(value)


def words(lists):
    return " ".join(plain(word) for words in lists if isinstance(words, list) for word in words if word is not None)


def commands(specs):
    found = strings(members(specs, "source", "dockerfile") + [one.get("jenkinsfile") for _, one in built(specs)])
    for one in containers(specs):
        hooks = [at(one, "lifecycle", hook) for hook in ("postStart", "preStop")]
        hooks += [one.get(probe) for probe in ("livenessProbe", "readinessProbe", "startupProbe")]
        found.append(words([one.get("command"), one.get("args")]))
        found += strings([one.get("script"), one.get("source")])
        found += [words([at(hook, "exec", "command")]) for hook in hooks]
    return tidy(found)


def images(specs):
    volumes = items(specs, "volumes")
    return strings(members(containers(specs), "image") + members(volumes, "image", "reference")
                   + members(volumes, "containerDisk", "image") + [at(one, "from", "name") for _, one in built(specs)])


def privileged_workloads(rows, _):
    found = {}
    for row in rows:
        of = template(row)
        why = reasons(row, *of[:2]) if of else []
        if why:
            found[key_of(row)] = told(row, reasons=why, images=images(of[0]))
    return found


MINERS = ("xmrig|xmr-stak|xmr\\b|cryptonight|minerd|cpuminer|ethminer|nbminer|t-rex|phoenixminer|lolminer|nanominer|kinsing|"
          "kdevtmpfsi|stratum\\+(?:tcp|ssl)|minexmr|supportxmr|nanopool|moneroocean|nicehash|hashvault|monero|cryptominer")


def cpus(amount):
    number, unit = re.match(r"([0-9.]+(?:[eE][0-9]+)?|)(.*)", amount).groups()
    powers = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 1024, "Mi": 1024**2, "Gi": 1024**3}
    return float(number) * powers.get(unit, 1) if number else 0


def resource_hijack(rows, _):
    found = {}
    for row in rows:
        of = template(row)
        if not of:
            continue
        inside = containers(of[0])
        texts = images(of[0]) + commands(of[0]) + strings(members(inside, "name"))
        signs = [f"miner: {word}" for word in re.findall(MINERS, "\n".join(texts).lower(), re.ASCII)]
        for kind in ("requests", "limits"):
            for amounts in members(inside, "resources", kind):
                for name, amount in amounts.items() if isinstance(amounts, dict) else []:
                    if re.search("(gpu|/cuda|rocm|mig-)[^=]*$", name.lower()):
                        signs.append(f"GPU: {name}={plain(amount)}")
                    if name == "cpu" and cpus(plain(amount) or "") >= 16:
                        signs.append(f"CPU: cpu={plain(amount)}")
        if signs:
            found[key_of(row)] = told(row, signs=tidy(signs))
    return found


def image_changes(rows, _):
    """What a container has other than before, from write to write of an object."""
    objects, found = defaultdict(list), {}
    order = sorted(rows, key=lambda row: (row["event_time"], row["audit_id"], row["verb"]))
    for row in order:
        of = template(row)
        if not of or row["outcome"] != "allowed" or oracle.dry_run(row["last"]):
            continue
        if row["subresource"] == "resize" or starts_pods(row):
            continue
        name = row["name"] or min(strings(members(of[1], "metadata", "name")), default=None)
        now = named_images(row, *of[:2])
        if name and images(of[0]):
            objects[(row["api_group"], row["resource"], row["namespace"], name)].append((row, of[2], now))
    for writes in objects.values():
        before, known, was_whole = {}, set(), None
        for row, where, now in writes:
            sent = images(specs_of(row, row["last"].get("requestObject")))
            changed = []
            for name, image in now:
                old = before.get(name)
                named = name and old is None
                named_by_patch = was_whole is None and row["verb"] == "patch" and row["status_code"] != 201 and image in sent
                if (old not in (None, image) or named and (was_whole or named_by_patch) or not name and image not in known):
                    changed.append(f"{name + ': ' if name else ''}{old or 'none'} -> {image}")
                before[name] = image
            known |= {image for _, image in now}
            was_whole = bool(was_whole) or where == "responseObject" or row["verb"] != "patch"
            if changed:
                found[key_of(row)] = {"user_name": row["user_name"], "changed": tidy(changed)}
    return found


# --- commands ------------------------------------------------------------------------

def all_commands(rows):
    """Every command with how it came, and whether its sender can go on typing."""
    for row in rows:
        uri = row["request_uri"]
        if row["resource"] == "pods" and row["subresource"] == "exec" and row["verb"] in ("get", "create"):
            has_input = (uri_flag(uri, "stdin") or uri_flag(uri, "tty")
                         or not (uri_flag(uri, "stdout") or uri_flag(uri, "stderr")))
            yield row, "pods/exec", " ".join(uri_values(uri, "command")), has_input
        if row["resource"] == "nodes" and row["subresource"] == "proxy":
            sent = uri_values(uri, "cmd") + uri_values(uri, "command")
            if sent:
                yield row, "nodes/proxy", " ".join(sent), any(uri_flag(uri, key) for key in ("input", "stdin", "tty"))
        of = template(row)
        if of and commands(of[0]):
            yield row, "template", "\n".join(commands(of[0])), False


def unquoted(command):
    """As a shell puts its words together."""
    return re.sub(r"""['"]|\\([\w/.*-])|\$[@*]""", lambda found: found.group(1) or "", command, flags=re.ASCII)


CREDENTIALS = {
    "service account token": (
        r"/run/secrets/|serviceaccount/token|/(r[\w*?\[\]-]*)/(s[\w*?\[\]-]*|\*)/(k[\w.*?\[\]-]*|e[\w.*?\[\]-]*|\*)(/|\b)|"
        r"/s[\w?\[\]-]*\*[\w*?\[\]-]*/(k|\*)[\w.*?\[\]-]*/|(ser|\*)[\w*?\[\]-]*[*?][\w*?\[\]-]*/t[\w?\[\]-]*[*?]"),
    "cloud metadata": (
        r"169\.254\.169\.254|169\.254\.170\.(2|23)\b|2852039166|0xa9fea9fe|0251\.0376\.0251\.0376|fd00:ec2::(254|23)|"
        r"100\.100\.100\.200|168\.63\.129\.16|metadata\.google\.internal|computeMetadata|metadata/identity|"
        r"latest/(meta-data|user-data|dynamic|api/token)|AWS_CONTAINER_CREDENTIALS"),
    "cloud credentials": (
        r"\.aws\b|\.azure\b|\.config/gcloud|\.boto\b|application_default_credentials|azure/tokens|eks\.amazonaws\.com|"
        r"AWS_(SECRET|WEB_IDENTITY|SESSION)|GOOGLE_APPLICATION_CREDENTIALS|/etc/kubernetes/(azure|cloud)"),
    "password hashes": r"/g?shadow\b|/etc/(security/opasswd|master\.passwd)|/sam\b",
    "ssh keys": r"\.ssh\b|\bid_(rsa|dsa|ecdsa|ed25519)|/etc/ssh/",
    "cluster credentials": r"\.kube\b|kubeconfig|/etc/kubernetes|/var/lib/kubelet|/var/lib/rancher|\badmin\.conf",
    "etcd": r"etcdctl|/var/lib/etcd",
    "key files": r"[\w/*-]\.(pem|key|p12|pfx|jks|keystore|kdbx)($|[^\w.])",
    "stored passwords": r"\.docker/config|\.dockercfg|\.git-credentials|\.netrc|\.pgpass|\.npmrc|\.vault-token|\.my\.cnf",
    "environment": r"""/proc/[^/ ]+/environ|\bprintenv\b|(^|[;&|(]\s*|-c\s+['"]?)(/usr/bin/)?env\s*($|['"|>;&])""",
}


def is_outside(text):
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    within = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "0.0.0.0/8",
              "224.0.0.0/3")
    return not any(address in ipaddress.ip_network(net) for net in within)


def outside_addresses(text):
    return [one for one in re.findall(r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b", text, re.ASCII) if is_outside(one)]


def outside_hosts(command):
    text = command.lower()
    hosts = re.findall(r"(?:https?|ftp)://(?:[^/@\s]*@)?(\[[0-9a-f:.]+\]|[a-z0-9.-]+)", text)
    hosts += re.findall(r"(?:https?|ftp)://(?:[^/@\s]*@)?(0x[0-9a-f]{7,8}|[0-9]{8,11})(?:[/:?\s]|\Z)", text)
    if matches(r"\b(curl|wget)\b", text):
        hosts += re.findall(r"(?:^|\s)(?:[^/@\s]*@)?((?:[a-z0-9-]+\.)+[a-z]{2,24})(?::[0-9]+)?(?:/\S*)?(?:\s|\Z)", text)

    def is_far(host):
        name = ("." in host or re.fullmatch("0x[0-9a-f]+|[0-9]{8,11}", host)
                or ":" in host and not re.fullmatch(r"\[(::1?|f[cde].*)\]", host))
        near = matches(r"(\.svc|\.cluster\.local|\.internal|\.local|localhost)\.?$", host)
        file = matches(r"\.(sh|txt|json|ya?ml|tar|gz|tgz|zip|pem|crt|key|conf|cfg|log|py|html?|js|so|bin|out)$", host)
        return name and not near and not file and (not re.fullmatch(r"[0-9.]*\.[0-9.]*", host) or outside_addresses(host))
    return [host for host in hosts if is_far(host)]


SHELL = "(ba|z|da|a|k|mk|c|tc|fi|rba)?sh"
ATTACKS = {
    "reverse shell": (
        r"(?s)/dev/(tcp|udp)/|\b(nc|ncat|netcat)\b[^|;&]*\s(-[a-z]*[ec]|--exec|--sh-exec)\b|\bmkfifo\b|\bsocat\b.*\bexec\b|"
        r"\b(ba|z|da|k|c)?sh\s+-i\s*([<>&|]|\d>)|pty\.spawn|\|\s*(nc|ncat|netcat)\s+\S+\s+\d+\s*(>|\||$)|"
        r"\b(nc|ncat|netcat)\s+\S+\s+\d+\s*\|\s*(/bin/)?(ba|z|da)?sh\b|socket\.socket|\buse\s+Socket\b|TCPSocket|fsockopen|"
        r"/inet/tcp/|openssl\s+s_client"),
    "download into a shell": r"(?s)\b(curl|wget)\b[^;]*\|\s*(sudo\s+)?(/\S*/)?(ba|z|da|k)?sh\b",
    "copy out": r"(^|\s)tar\s+(-?[a-z]*c[a-z]*\s+)+(-f\s+)?-(\s|$)",
    "copy in": r"(^|\s)tar\s+(-?[a-z]*x[a-z]*\s+)+(-f\s+)?-(\s|$)",
    "encoded": r"base64\s+(-\w+\s+)*(-[a-z]*d[a-z]*|--d[a-z]*)|xxd\s+-r|b64decode|FromBase64",
    "escape to the node": (
        r"\b(nsenter|crictl|ctr)\b|\bchroot\s+/|docker\.sock|containerd\.sock|crio\.sock|release_agent|core_pattern|"
        r"\bmount\s+(-\S+\s+)*/dev/"),
    "attack tool": (
        r"\b(nmap|masscan|zmap|kube-hunter|peirates|kubeletctl|amicontained|deepce|linpeas|botb|chisel|frpc|ngrok|mimipenguin|"
        r"hydra|trufflehog|kubescape)\b"),
    "miner": MINERS,
    "covers tracks": r"history\s+-c|HISTFILE|_history\b|\bshred\b|rm\s+.*/var/log",
}
OPENS = (
    r"""(^|[\s/;&|(''"])(SHELL|powershell(\.exe)?|pwsh(\.exe)?|cmd(\.exe)?)"""
    r"""(\s+(-[abefhilmprsuvx]+|-NoLogo|-NoExit|--(login|norc|noprofile|posix)|--(rc|init-)file[= ]\S+|-))*[\s)'";]*$|"""
    r"""(^|[\s/;&|('"])SHELL\s+(-\S+\s+)*-[abefhlmprsuvx]*i[abefhlmprsuvx]*(\s|$)|"""
    r"""(^|[\s/;&|('"])(su|login)(\s+-)?(\s+[a-z_][\w-]*)?\s*$|(^|[\s/;&|('"])sudo\s+(-\S+\s+)*(-i|-s|su)\b|"""
    r"""\bchroot\s+(--\S+\s+)*\S+\s*$|\bnsenter(\s+-(t|-target)[= ]?\d+|\s+-\S+)*(\s+--)?\s*$|"""
    r"""pty\.spawn|\bscript\s+(-\S+\s+)*-?\S*\s*/dev/null\b|\bexec\s*\(?\s*["'](/\S*/)?(ba|da|z|a|k)?sh["']|"""
    r"""os\.system\(["'](/\S*/)?(ba|da|z|a|k)?sh["']""").replace("SHELL", SHELL)
FETCHERS = r"\b(curl|wget|aria2c|lwp-download|fetch|iwr|Invoke-WebRequest|certutil)\b"
LIBRARIES = r"urlopen|urlretrieve|requests\.get|LWP::|Net::HTTP|file_get_contents|open-uri"
VERSION = r"(--?v(er(sion)?)?|\bversion|\brelease|\btag)[\s=:]+v?\d+\.\d+\.\d+\.\d+\b"


def attack_signs(command):
    found = [name for name, pattern in ATTACKS.items() if matches(pattern, command, re.I)]
    if (matches(FETCHERS, command, re.I) or matches(LIBRARIES, command, re.I)) and outside_hosts(command):
        found.append("download")
    if outside_addresses(re.sub(VERSION, "", command, flags=re.I | re.ASCII)):
        found.append("external address")
    return found


def readings(command):
    """As it is written, and as a shell reads it."""
    return {command, unquoted(command)}


def exec_suspicious(rows, _):
    found = {}
    for row, via, command, has_input in all_commands(rows):
        signs = [sign for text in readings(command) for sign in attack_signs(text)]
        if has_input and matches(OPENS, command, re.I):
            signs.append("interactive shell")
        if signs:
            found[(*key_of(row), via)] = {"attack_signs": tidy(signs), "command": command, "user_name": row["user_name"]}
    return found


def exec_credentials(rows, _):
    found = {}
    for row, via, command, _ in all_commands(rows):
        signs = [name for name, pattern in CREDENTIALS.items() for text in readings(command) if matches(pattern, text, re.I)]
        if signs:
            found[(*key_of(row), via)] = {"credential_signs": tidy(signs), "command": command, "user_name": row["user_name"]}
    return found


ROW = ["event_time", "audit_id"]
ACCOUNTS = {
    # name: (arguments, columns of the key, definition), as in `accounts.py`
    "privileged-workloads": (OWN, ROW, privileged_workloads),
    "resource-hijack": (OWN, ROW, resource_hijack),
    "image-changes": ([], ROW, image_changes),
    "exec-suspicious": (OWN, [*ROW, "via"], exec_suspicious),
    "exec-credentials": (OWN, [*ROW, "via"], exec_credentials),
}
