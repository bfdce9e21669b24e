"""Profiles: who and what a log is about, as the questions of `actor`, `ip`, `identities` and their like ask it."""

import ipaddress, re, unicodedata
from collections import Counter, defaultdict
from datetime import timedelta

import oracle, templates
from accounts import of_outcome
from conditions import OWN, annotation, at, client_kind, is_change, is_system, time, user
from oracle import CHANGE_VERBS, READ_VERBS, is_rbac, section


def extra(row, key):
    """What the server says about a credential: a list, of which the first counts."""
    return (at(row["last"], "user", "extra", "authentication.kubernetes.io/" + key) or [None])[0]


def groups_of(row):
    return row["last"]["user"].get("groups")


def joined(separator, *parts):
    return separator.join(part for part in parts if part is not None)


def distinct(values):
    return sorted({value for value in values if value is not None})


def claimed(row):
    """The addresses before the peer: a client can forge them."""
    return row["forwarded_for"] or None


# --- who somebody is ---------------------------------------------------------------

INSTALLERS = {"kubernetes-admin", "kubernetes-super-admin", "minikube-user", "minikube", "system:admin", "kube-admin",
              "docker-for-desktop", "kubecfg", "cluster-admin"}
CLOUD_KEYS = {"arn", "canonicalArn", "principalId", "sigs.k8s.io/aws-iam-authenticator/principalId", "oid",
              "iam.gke.io/user-assertion", "user-assertion.cloud.google.com"}
OF_CLOUDS = {"aksService", "acsService", "nodeclient", "kube-apiserver", "kube-apiserver-kubelet-client"}


def identity_class(row):
    """By what only the server can say first: reserved names, then what vouches for it, then how names look."""
    name, groups = user(row), groups_of(row)
    credential = extra(row, "credential-id") or ""
    if name == "system:anonymous" or "system:unauthenticated" in (groups or []):
        return "anonymous"
    if not name:
        return None
    for prefix, kind in (("system:serviceaccount:", "service_account"), ("system:node:", "node")):
        if name.startswith(prefix):
            return kind
    if "system:masters" in (groups or []) and name != "system:apiserver":
        return "certificate"
    if name.startswith("system:bootstrap:"):
        return "other"
    if name.startswith(("system:", "eks:")) and name != "system:admin" or name in OF_CLOUDS:
        return "control_plane"
    told = at(row["last"], "user", "extra") or {}
    if (CLOUD_KEYS & set(told) or name.startswith(("arn:aws", "IAM#")) or name.endswith(".gserviceaccount.com")
            or ("@" in name and groups is None)):
        return "cloud_iam"
    if credential.startswith("X509SHA256="):
        return "certificate"
    if credential.startswith("JTI=") or name.startswith("https://") or name.lower().startswith("oidc:") or "@" in name:
        return "oidc"
    return "certificate" if name in INSTALLERS else "other"


def service_account(name):
    found = re.fullmatch("system:serviceaccount:([^:]+):([^:]+)", name or "")
    return "/".join(found.groups()) if found else None


def identity(members):
    credentials = distinct(extra(row, "credential-id") for row in members)
    return {
        "service_account": service_account(members[0]["user_name"]),
        "groups": distinct(group for row in members for group in groups_of(row) or []),
        "uids": distinct(row["last"]["user"].get("uid") for row in members),
        "credential_ids": credentials,
        "fingerprints": [one.removeprefix("X509SHA256=") for one in credentials if one.startswith("X509SHA256=")],
        "pods": distinct(extra(row, "pod-name") for row in members),
        "nodes": distinct(extra(row, "node-name") for row in members),
        "impersonated_users": distinct(row["impersonated_user"] for row in members),
        "source_ips": distinct(row["source_ip"] for row in members),
        "user_agents": distinct(row["user_agent"] for row in members),
        "forwarded_for": distinct(map(claimed, members)),
        "requests": len(members),
        **{name: of_outcome(name)(members) for name in ("allowed", "denied", "failed")},
        "first_seen": min(row["event_time"] for row in members),
        "last_seen": max(row["event_time"] for row in members),
    }


def all_identities(rows):
    people = defaultdict(list)
    for row in rows:
        people[(row["user_name"], identity_class(row))].append(row)
    return {key: identity(members) for key, members in people.items()}


def some(people, wanted, *columns):
    return {key: {column: told[column] for column in columns} for key, told in people.items() if wanted(key, told)}


def identities(rows, _):
    return some(all_identities(rows), lambda *_: True, "service_account", "credential_ids", "pods", "nodes", "source_ips",
                "user_agents", "requests", "allowed", "denied", "first_seen", "last_seen", "forwarded_for")


def certificate_users(rows, _):
    """By its fingerprint, by an installer's name, or because nothing speaks for a token."""
    def wanted(key, told):
        plain = key[1] == "other" and not told["credential_ids"] and not told["uids"]
        return told["fingerprints"] or key[1] == "certificate" or plain and not key[0].startswith("system:bootstrap:")
    return some(all_identities(rows), wanted, "groups", "fingerprints", "source_ips", "user_agents", "impersonated_users",
                "requests", "denied", "first_seen", "last_seen")


def oidc_users(classes):
    def of(rows, _):
        return some(all_identities(rows), lambda key, _: key[1] in classes, "groups", "credential_ids", "source_ips",
                    "user_agents", "impersonated_users", "requests", "allowed", "denied", "first_seen", "last_seen")
    return of


# --- an account of one user, or of one address --------------------------------------

def aspects(row):
    """What a request tells, each with the words in which an account has it."""
    kind = joined("/", row["resource"], row["subresource"])
    path = (row["request_uri"] or "").split("?")[0]
    spot = joined("/", row["namespace"], row["name"])
    groups = groups_of(row)
    reason = annotation(row, "authorization.k8s.io/reason") or ""
    yield from {
        "user": row["user_name"], "class": identity_class(row), "uid": row["last"]["user"].get("uid"),
        "groups": None if groups is None else ", ".join(sorted(groups)), "credential": extra(row, "credential-id"),
        "pod": extra(row, "pod-name"), "node": extra(row, "node-name"), "acting as": row["impersonated_user"],
        "source_ip": row["source_ip"], "forwarded for": claimed(row), "user_agent": row["user_agent"],
        "namespace": row["namespace"], "action": joined(" ", row["verb"], kind or path),
        "dry run" if oracle.dry_run(row["last"]) else "changed":
            joined(" ", row["verb"], kind, spot or None) if row["verb"] in CHANGE_VERBS and row["resource"] else None,
        "secret read": (spot or "all namespaces") if row["verb"] in READ_VERBS and row["resource"] == "secrets" and not row["api_group"] else None,
        "allowed by": reason.removeprefix("RBAC: allowed by ") or None,
    }.items()


def dossier(rows):
    told = defaultdict(list)
    for row in rows:
        for aspect, value in aspects(row):
            if value is not None:
                told[(aspect, value)].append(row)
    return {key: {"requests": len(members), "first_seen": min(row["event_time"] for row in members),
                  "last_seen": max(row["event_time"] for row in members),
                  **{name: of_outcome(name)(members) for name in ("allowed", "denied", "failed")}}
            for key, members in told.items()}


def busiest(rows, values):
    """Some values that many requests have, and some that few have."""
    known = [value for value, _ in sorted(Counter(value for row in rows for value in values(row) if value).items(),
                                          key=lambda pair: (-pair[1], pair[0]))]
    return list(dict.fromkeys(known[:3] + known[-3:]))


def actors(rows):
    for name in busiest(rows, lambda row: {row["user_name"], row["impersonated_user"]}):
        yield ["-p", f"actor={name}"], dossier(row for row in rows if name in (row["user_name"], row["impersonated_user"]))


def is_address(text):
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def addresses(rows):
    """Who came from there, and for whom a header claims it."""
    def all_of(row):
        return {one for one in row["last"].get("sourceIPs") or [] if is_address(one)}
    for address in busiest(rows, all_of):
        yield ["-p", f"address={address}"], dossier(row for row in rows if address in all_of(row))
    network = ipaddress.ip_network("10.0.0.0/8")
    yield ["-p", f"address={network}"], dossier(
        row for row in rows if any(ipaddress.ip_address(one) in network for one in all_of(row)))


# --- names that are taken for others ---------------------------------------------------

# By Unicode's names: letters of other scripts that are drawn like a Latin one.
DRAWN = {"CYRILLIC SMALL LETTER A": "a", "CYRILLIC SMALL LETTER U": "y", "GREEK SMALL LETTER OMICRON": "o"}
SYSTEM = ["kube-system", "kube-public", "kube-node-lease"]
COMPONENTS = ["kube-controller-manager", "kube-scheduler", "apiserver", "kube-proxy", "admin", "anonymous", "cloud-controller-manager"]


def plain_name(name):
    drawn = (DRAWN.get(unicodedata.name(letter, ""), letter) for letter in unicodedata.normalize("NFKD", name.lower()))
    return "".join(letter for letter in drawn if not unicodedata.combining(letter)).translate(str.maketrans("01_", "ol-"))


def distance(one, other):
    """Letters that are more, less or other (Levenshtein)."""
    row = list(range(len(other) + 1))
    for at_one, letter in enumerate(one, 1):
        before, row[0] = row[0], at_one
        for at_other, against in enumerate(other, 1):
            before, row[at_other] = row[at_other], min(row[at_other] + 1, row[at_other - 1] + 1, before + (letter != against))
    return row[-1]


def nearly(name, known):
    return next((one for one in known if one != name and distance(plain_name(name), plain_name(one)) <= 2), None)


def taken_for(name):
    if name.startswith("system:serviceaccount:"):
        space, account = [*name.split(":"), "", ""][2:4]
        if nearly(space, SYSTEM):
            return f"namespace {nearly(space, SYSTEM)}"
        return f"namespace {account}" if is_system(account) else None
    if name.startswith("system:"):
        return None if name.startswith("system:node:") else nearly(name, [f"system:{one}" for one in COMPONENTS])
    return plain_name(name) if plain_name(name).startswith("system:") else None


def look_alikes(rows, _):
    people = defaultdict(list)
    for row in rows:
        if row["user_name"]:
            people[row["user_name"]].append(row)
    found = {}
    for name, members in people.items():
        doubles = [] if name.startswith("system:") else [
            other for other in people if other != name and plain_name(other) == plain_name(name)]
        other = taken_for(name) or min(doubles, default=None)
        if other:
            found[(name,)] = {"taken_for": other, "requests": len(members)}
    return found


# --- credentials and tools -------------------------------------------------------------

def client(row):
    return None if row["user_agent"] is None else row["user_agent"].split("/")[0]


def credential_sharing(rows, _):
    shown = defaultdict(list)
    for row in rows:
        if row["user_name"] not in (None, "system:anonymous"):
            shown[extra(row, "credential-id") or row["user_name"]].append(row)
    found = {}
    for credential, members in shown.items():
        places, clients = distinct(row["source_ip"] for row in members), distinct(map(client, members))
        if len(places) >= 2 or len(clients) >= 2:
            found[(credential,)] = {
                "users": distinct(row["user_name"] for row in members), "source_ips": places, "clients": clients,
                "forwarded_for": distinct(map(claimed, members)), "pods": distinct(extra(row, "pod-name") for row in members),
                "nodes": distinct(extra(row, "node-name") for row in members), "requests": len(members),
                "denied": of_outcome("denied")(members),
                "first_seen": min(row["event_time"] for row in members),
                "last_seen": max(row["event_time"] for row in members)}
    return found


ADMINS = {"kubernetes-admin", "kubernetes-super-admin", "system:admin", "kube:admin", "minikube-user", "clusterAdmin", "admin"}
POWERFUL = {"system:masters", "system:cluster-admins", "kubeadm:cluster-admins"}


def break_glass(rows, _):
    used = defaultdict(list)
    for row in rows:
        own, other = groups_of(row), section(row["last"], "impersonatedUser").get("groups")
        if POWERFUL & {*(own or []), *(other or [])} or ADMINS & {row["user_name"], row["impersonated_user"]}:
            counted = other if row["impersonated_user"] else own
            groups = None if counted is None else tuple(sorted(counted))
            used[(row["user_name"], row["impersonated_user"], groups, row["source_ip"], row["user_agent"])].append(row)
    return {key: {"requests": len(members), "changes": sum(map(is_change, members)),
                  "denied": of_outcome("denied")(members),
                  "actions": distinct(joined(" ", row["verb"], joined("/", row["resource"], row["subresource"]) or "path") for row in members),
                  "first_seen": min(row["event_time"] for row in members),
                  "last_seen": max(row["event_time"] for row in members)} for key, members in used.items()}


def offensive_tools(everything):
    def of(rows, _):
        used = defaultdict(list)
        for row in rows:
            kind = client_kind(row["user_agent"])
            at_secrets = row["resource"] == "secrets" or row["subresource"] == "token" or is_rbac(row)
            if kind == "tool" or kind == "script" and (everything or at_secrets):
                used[(kind, row["user_agent"], row["user_name"], row["source_ip"])].append(row)
        return {key: {"requests": len(members), "allowed": of_outcome("allowed")(members),
                      "denied": of_outcome("denied")(members),
                      "actions": distinct(joined(" ", row["verb"], joined("/", row["resource"], row["subresource"])
                                                 or row["request_uri"].split("?")[0]) for row in members),
                      "first_seen": min(row["event_time"] for row in members),
                      "last_seen": max(row["event_time"] for row in members)} for key, members in used.items()}
    return of


# --- what was new, and what ran ----------------------------------------------------------

def first_seen(rows, events):
    times = sorted(oracle.event_time(event) for event in events)
    oldest, newest = ({"event_time": times[0]}, {"event_time": times[-1]})
    middle = time(oldest) + timedelta(microseconds=(time(newest) - time(oldest)) // timedelta(microseconds=1) // 2)
    facets, people = defaultdict(list), {}
    for row in rows:
        told = {"action": joined(" ", row["verb"], joined("/", row["resource"], row["subresource"]) or "path"), "source_ip": row["source_ip"],
                "user_agent": row["user_agent"], "impersonated_user": row["impersonated_user"]}
        for what, value in told.items():
            if value is not None:
                facets[(row["user_name"], what, value)].append(row)
        people[row["user_name"]] = min(people.get(row["user_name"], time(row)), time(row))
    return {key: {"new_user": people[key[0]] >= middle, "requests": len(members),
                  "denied": of_outcome("denied")(members),
                  "first_seen": min(row["event_time"] for row in members),
                  "last_seen": max(row["event_time"] for row in members)}
            for key, members in facets.items() if min(map(time, members)) >= middle}


def images(rows, _):
    used = defaultdict(list)
    for row in rows:
        of = templates.template(row)
        if of and row["outcome"] == "allowed" and oracle.dry_run(row["last"]) is not True:
            for image in templates.images(of[0]):
                used[(image,)].append(row)
    found = {}
    for key, members in used.items():
        first = min(members, key=lambda row: (row["event_time"], row["audit_id"]))
        found[key] = {"requests": len(members), "first_seen": first["event_time"], "first_audit_id": first["audit_id"],
                      "first_user": first["user_name"], "last_seen": max(row["event_time"] for row in members),
                      "namespaces": distinct(row["namespace"] for row in members),
                      "users": distinct(row["user_name"] for row in members)}
    return found


PROFILES = {
    # name: (columns of the key, definition of answers with their arguments)
    "actor": (["aspect", "value"], actors),
    "ip": (["aspect", "value"], addresses),
}

ACCOUNTS = {
    # name: (arguments, columns of the key, definition), as in `accounts.py`
    "identities": ([], ["user_name", "class"], identities),
    "certificate-users": ([], ["user_name", "class"], certificate_users),
    "oidc-users": ([], ["user_name", "class"], oidc_users({"oidc", "cloud_iam"})),
    "oidc-users unsure": (["-p", "unsure=true"], ["user_name", "class"], oidc_users({"oidc", "cloud_iam", "other"})),
    "credential-sharing": (OWN, ["credential"], credential_sharing),
    "break-glass": (OWN, ["user_name", "impersonated_user", "groups", "source_ip", "user_agent"], break_glass),
    "offensive-tools": (OWN, ["kind", "user_agent", "user_name", "source_ip"], offensive_tools(False)),
    "offensive-tools everything": ([*OWN, "-p", "everything=true"], ["kind", "user_agent", "user_name", "source_ip"],
                                   offensive_tools(True)),
    "look-alikes": ([], ["user_name"], look_alikes),
    "first-seen": (OWN, ["user_name", "what", "value"], first_seen),
    "images": ([], ["image"], images),
}
