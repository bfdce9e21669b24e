"""Accounts of requests: what the questions of queries that count ask for (see `counts.py`)."""

import ipaddress, json, re
from collections import Counter, defaultdict
from datetime import timedelta
from urllib.parse import urlsplit

import oracle
from conditions import (
    DELETES, OWN, WRITES, annotation, at, by_hand, effective, is_change, is_eviction, is_kind, is_secret, makes_pods, starts_pods, time, user)
from oracle import CHANGE_VERBS, READ_VERBS, is_rbac, section

def grouped(rows, key, **numbers):
    groups = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return {name: {number: count(members) for number, count in numbers.items()} for name, members in groups.items()}


def many(members, of, wanted=lambda row: True):
    return len({row[of] for row in members if wanted(row) and row[of] is not None})


def of_outcome(outcome):
    def count(members):
        # Where the log has the answer of none of them, nobody knows.
        known = any(row["outcome"] != "unknown" for row in members)
        return sum(row["outcome"] == outcome for row in members) if known else None
    return count


def changes(members):
    return sum(map(is_change, members))


def names(of):
    return lambda members: sorted({row[of] for row in members} - {None, ""})


def first(members):
    return min(row["event_time"] for row in members)


def last(members):
    return max(row["event_time"] for row in members)


def errors(rows, _):
    return grouped([row for row in rows if (row["status_code"] or 0) >= 500],
                   lambda r: tuple(r[key] for key in ("resource", "subresource", "api_group", "verb", "status_code")),
                   requests=len, panics=lambda m: sum("Panic" in row["stages"] for row in m), users=names("user_name"))


def api_removed(rows, _):
    def version(row):
        return section(row["last"], "objectRef").get("apiVersion")
    return grouped([row for row in rows if annotation(row, "k8s.io/deprecated") == "true"],
                   lambda r: (r["api_group"], version(r), r["resource"], annotation(r, "k8s.io/removed-release"), r["user_name"]),
                   requests=len, verbs=names("verb"), user_agents=names("user_agent"), first_seen=first)


def noisy_resources(_, events):
    def key(event):
        ref = section(event, "objectRef")
        path = "/" + event["requestURI"].split("?")[0].split("/")[1] + "*" if event["requestURI"].startswith("/") else "/*"
        of = "/".join(part for part in (ref.get("resource"), ref.get("subresource")) if part)
        return ref.get("apiGroup"), of or path, event.get("verb"), event["user"].get("username")
    return {name: {"events": count} for name, count in Counter(map(key, events)).items()}


def coverage(_, events):
    def key(event):
        ref = section(event, "objectRef")
        return ref.get("apiGroup"), ref.get("resource") or "(no resource)", ref.get("subresource"), event.get("verb"), event["level"]
    groups = defaultdict(list)
    for event in events:
        groups[key(event)].append(event)
    return {name: {"events": len(members), "stages": sorted({event.get("stage") for event in members} - {None}),
                   "with_request": sum("requestObject" in event for event in members),
                   "with_response": sum("responseObject" in event for event in members)} for name, members in groups.items()}


def top_actors(rows, _):
    return grouped(rows, lambda r: (r["user_name"],), requests=len, changes=changes, denied=of_outcome("denied"),
                   failed=of_outcome("failed"), resources=lambda m: many(m, "resource"),
                   source_ips=lambda m: many(m, "source_ip"), user_agents=lambda m: many(m, "user_agent"),
                   first_seen=first, last_seen=last)


def user_agents(rows, _):
    return grouped(rows, lambda r: (r["user_agent"],), requests=len, changes=changes, denied=of_outcome("denied"),
                   users=names("user_name"), source_ips=names("source_ip"), first_seen=first, last_seen=last)


def activity(rows, _):
    def hour(row):
        return time(row).strftime("%Y-%m-%dT%H:00:00.000000Z")
    return grouped(rows, lambda r: (hour(r),), requests=len, **{
        name: lambda members, name=name: sum(row["outcome"] == name for row in members)
        for name in ("allowed", "denied", "failed", "unknown")})


def rhythm(rows, _):
    of = [row for row in rows if is_change(row) and user(row) and not user(row).startswith("system:serviceaccount:")]
    return grouped(of, lambda r: (time(r).isoweekday(), time(r).hour), requests=len, users=lambda m: many(m, "user_name"))


def denied_service_accounts(rows, _):
    of = [row for row in rows if row["failure"] in ("forbidden", "impersonation") and user(row).startswith("system:serviceaccount:")]
    return grouped(of, lambda r: (r["user_name"], r["source_ip"], r["user_agent"]), attempts=len,
                   uris=lambda m: many(m, "request_uri"), first_seen=first, last_seen=last)


def outside_networks(rows, _):
    inside = [ipaddress.ip_network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
                                                    "127.0.0.0/8", "::1/128", "fc00::/7", "fe80::/10")]

    def is_outside(text):
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return True
        address = getattr(address, "ipv4_mapped", None) or address
        return not any(address in net for net in inside)
    of = [row for row in rows if any(is_outside(text) for text in row["last"].get("sourceIPs") or [])]
    return grouped(of, lambda r: (r["source_ip"], r["user_name"]), requests=len, allowed=of_outcome("allowed"),
                   denied=of_outcome("denied"), changes=changes)


def service_account_secret_reads(rows, _):
    of = [row for row in rows if is_secret(row) and row["verb"] in READ_VERBS | {"patch"} | DELETES
          and re.match("system:(serviceaccount|node):", effective(row))]
    return grouped(of, lambda r: (r["user_name"], r["verb"], r["namespace"], r["name"]), requests=len,
                   allowed=of_outcome("allowed"), denied=of_outcome("denied"))


def bursts(rows, target, length, least, other=lambda row: None, least_other=None):
    """Bursts of each identity, by trying a window from every request on."""
    people = defaultdict(list)
    for row in rows:
        people[row["user_name"] or f"nobody from {row['source_ip']}"].append((time(row), target(row), other(row), row))
    found = {}
    for who, asked in people.items():
        asked.sort(key=lambda one: one[0])
        inside = set()
        begin = 0
        for begin in range(len(asked)):
            ends = begin
            targets, others = set(), set()
            while ends < len(asked) and asked[ends][0] <= asked[begin][0] + length:
                targets.add(asked[ends][1])
                others.add(asked[ends][2])
                ends += 1
            if len(targets - {None}) >= least or (least_other and len(others - {None}) >= least_other):
                # Requests of the same instant are in the same windows.
                while begin and asked[begin - 1][0] == asked[begin][0]:
                    begin -= 1
                inside.update(range(begin, ends))
        burst = None
        for number in sorted(inside):
            if burst is None or asked[number][0] - burst[-1][0] > length:
                burst = []
                found.setdefault(who, []).append(burst)
            burst.append(asked[number])
    return {(burst[0][3]["user_name"], burst[0][3]["event_time"]): {"requests": len(burst), "last_seen": burst[-1][3]["event_time"]}
            for all_bursts in found.values() for burst in all_bursts}


def secret_bursts(rows, _):
    of = [row for row in rows if is_secret(row) and row["name"] and row["verb"] in READ_VERBS | {"patch"} | DELETES]
    return bursts(of, lambda r: (r["namespace"], r["name"]), timedelta(minutes=5), 3)


def failed_auth_bursts(rows, _):
    of = [row for row in rows if row["failure"] == "unauthenticated"]
    found = bursts(of, lambda r: (r["event_time"], r["audit_id"], r["request_uri"]), timedelta(seconds=60), 10)
    return {key: {"attempts": burst["requests"], "last_seen": burst["last_seen"]} for key, burst in found.items()}


def recon(rows, _):
    kinds = {"namespaces", "nodes", "pods", "serviceaccounts", "configmaps", "secrets"}
    of = [row for row in rows if row["verb"] == "list" and (
        row["resource"] in kinds and not row["api_group"]
        or row["resource"] in ("roles", "rolebindings", "clusterroles", "clusterrolebindings") and is_rbac(row))]
    return bursts(of, lambda r: r["resource"], timedelta(seconds=60), 3)


def mass_deletions(rows, _):
    of = [row for row in rows if row["outcome"] == "allowed" and row["resource"] and row["subresource"] != "proxy"
          and oracle.dry_run(row["last"]) is not True and (row["verb"] in DELETES or is_eviction(row))]

    def whole(row):
        is_namespace = row["resource"] in ("namespaces", "customresourcedefinitions", "apiservices") and not row["subresource"]
        lasting = row["resource"] in ("nodes", "persistentvolumes", "persistentvolumeclaims") and not row["subresource"] \
            and not row["api_group"] and by_hand(row)
        return row["audit_id"] if row["verb"] == "deletecollection" or is_namespace or lasting else None
    return bursts(of, lambda r: (r["event_time"], r["audit_id"], r["request_uri"]), timedelta(seconds=60), 10, whole, 1)


def enumeration(rows, _):
    of = [row for row in rows if row["verb"] in READ_VERBS | {"head", "create", "post"}]

    def thing(row):
        if row["resource"] is None:
            return urlsplit(row["request_uri"]).path
        return row["resource"], row["subresource"], row["namespace"], row["name"]
    return bursts(of, lambda r: thing(r) if r["resource"] and r["verb"] in READ_VERBS else None, timedelta(minutes=5), 100,
                  lambda r: (r["verb"], thing(r)) if r["outcome"] == "denied" else None, 8)


def origins(rows, _):
    return grouped(rows, lambda r: (r["user_name"], r["source_ip"], r["user_agent"]), requests=len,
                   denied=of_outcome("denied"), first_seen=first, last_seen=last)


def grants_used(rows, _):
    """`RBAC: allowed by RoleBinding "name/namespace" of Role "role" to Group "group"`, as the server says."""
    of = []
    for row in rows:
        # Go quotes the names nearly as JSON does.
        quoted = r'("(?:[^"\\]|\\.)+")'
        told = re.match(rf"RBAC: allowed by (\w+) {quoted} of (\w+) {quoted} to (\w+) {quoted}$", row["decision_reason"] or "")
        if told:
            of.append({**row, "told": [json.loads(word) if word[0] == '"' else word for word in told.groups()]})

    def key(row):
        kind, binding, role_kind, role = row["told"][:4]
        name, space = binding.rsplit("/", 1) if kind == "RoleBinding" else (binding, None)
        subject_kind, subject = row["told"][4:]
        parts = reversed(subject.split("/")) if subject_kind == "ServiceAccount" else [subject]
        return kind, space, name, role_kind, role, "/".join([subject_kind, *parts])
    return grouped(of, key, requests=len)


def workload_after_rbac(rows, _):
    """The newest change of RBAC that somebody made at most five minutes before a write of a workload."""
    granted = defaultdict(list)
    for row in rows:
        if (is_rbac(row) and row["verb"] in CHANGE_VERBS and row["outcome"] == "allowed"
                and oracle.dry_run(row["last"]) is not True):
            granted[row["user_name"]].append(time(row))
    found = {}
    for row in rows:
        if (makes_pods(row) and row["verb"] in WRITES and row["outcome"] == "allowed"
                and (starts_pods(row) or row["subresource"] in (None, "ephemeralcontainers")) and not oracle.dry_run(row["last"]) and row["user_name"]):
            before = [at for at in granted[row["user_name"]] if time(row) - timedelta(minutes=5) <= at <= time(row)]
            if before:
                found[(row["event_time"], row["audit_id"])] = {"rbac_changes": len(before), "user_name": row["user_name"]}
    return found


def token_use(rows, _):
    """Requests with a token whose minting is in the log."""
    minted = {annotation(row, "authentication.kubernetes.io/issued-credential-id"): user(row) for row in rows
              if row["verb"] == "create" and is_kind(row, "serviceaccounts", sub="token")}
    minted.pop(None, None)
    found = {}
    for row in rows:
        used = (at(row["last"], "user", "extra", "authentication.kubernetes.io/credential-id") or [None])[0]
        if used in minted:
            found[(row["event_time"], row["audit_id"])] = {"credential_id": used}
    return found


ACCOUNTS = {
    # name: (arguments, columns of the key, definition)
    "errors": ([], ["resource", "subresource", "api_group", "verb", "status_code"], errors),
    "api-removed": ([], ["api_group", "api_version", "resource", "removed_in", "user_name"], api_removed),
    "noisy-resources": ([], ["api_group", "resource", "verb", "user_name"], noisy_resources),
    "coverage": ([], ["api_group", "resource", "subresource", "verb", "level"], coverage),
    "top-actors": ([], ["user_name"], top_actors),
    "user-agents": ([], ["user_agent"], user_agents),
    "activity": ([], ["bucket"], activity),
    "rhythm": (OWN, ["weekday", "hour"], rhythm),
    "denied-service-accounts": (OWN, ["user_name", "source_ip", "user_agent"], denied_service_accounts),
    "outside-networks": ([], ["source_ip", "user_name"], outside_networks),
    "service-account-secret-reads": (OWN, ["user_name", "verb", "namespace", "name"], service_account_secret_reads),
    "secret-bursts": (OWN, ["user_name", "burst"], secret_bursts),
    "failed-auth-bursts": ([], ["user_name", "burst"], failed_auth_bursts),
    "recon": (OWN, ["user_name", "burst"], recon),
    "mass-deletions": (OWN, ["user_name", "burst"], mass_deletions),
    "workload-after-rbac": (OWN, ["event_time", "audit_id"], workload_after_rbac),
    "token-use": (OWN, ["event_time", "audit_id"], token_use),
    "enumeration": (OWN, ["user_name", "burst"], enumeration),
    "grants-used": ([], ["binding_kind", "binding_namespace", "binding", "role_kind", "role", "subject"], grants_used),
    "origins": ([], ["user_name", "source_ip", "user_agent"], origins),
}
