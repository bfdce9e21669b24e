"""Signs and histories: rows that tell more than their condition, column by column (see `counts.py`)."""

import json, re
from collections import defaultdict
from urllib.parse import unquote, urlsplit

import oracle
from conditions import DELETES, OWN, WRITES, annotation, at, body, is_kind, is_of_placement, is_secret, time, user
from oracle import CHANGE_VERBS, READ_VERBS, is_rbac, named, section


# --- who hides -----------------------------------------------------------------------

def is_random_uuid(text):
    return bool(re.fullmatch("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", text))


def is_hidden(character):
    """Controls, marks of direction, what has no width, and what stands for broken UTF-8."""
    code = ord(character)
    return (code < 0x20 or 0x7F <= code < 0xA0 or 0x200B <= code <= 0x200F or 0x2028 <= code <= 0x202E
            or 0x2060 <= code <= 0x2069 or code in (0xFEFF, 0xFFFD))


def is_disguised(path):
    """Parts that are empty or relative, or escapes of what needs none."""
    parts = path.split("/")[1:]
    if any(part in (".", "..") for part in parts) or "" in parts[:-1]:
        return True
    return any(re.fullmatch("[A-Za-z0-9._~-]", unquote(escape)) for escape in re.findall("%[0-9a-fA-F]{2}", path))


def has_doubles(pairs):
    names = [name for name, _ in pairs]
    return len(names) != len(set(names))


def doubles_in(line):
    """Whether a body says a member twice, at the top or in `spec`: a reader of JSON alone would not see it."""
    whole = json.loads(line, object_pairs_hook=lambda pairs: pairs)
    sent = dict(whole).get("requestObject")

    def is_object(value):
        return isinstance(value, list) and value and all(isinstance(pair, tuple) for pair in value)
    specs = [value for name, value in sent if name == "spec"][-1:] if is_object(sent) else []
    return any(has_doubles(value) for value in [sent, *specs] if is_object(value))


def told_apart(logs):
    """The distinct events of logs, each with the first of them that it stands in, and whether its body has doubles."""
    events = {}
    for log in logs:
        for line in oracle.lines_of(log):
            event = oracle.parse(line)
            if event is not None:
                is_patch = event.get("verb") == "patch"
                events.setdefault(oracle.canonical(event), {**event, "of": log, "doubles": is_patch and doubles_in(line)})
    return list(events.values())


def addresses(event):
    return event.get("sourceIPs") or []


def conflicts_of(events):
    """Events that share an audit id and a stage, although equal ones are one."""
    shared = defaultdict(list)
    for event in events:
        shared[(event["auditID"], event.get("stage"))].append(event)
    found = {}
    for key, members in shared.items():
        if len(members) < 2:
            continue
        targets = {(event.get("verb"), event.get("requestURI")) for event in members}
        requests = {(oracle.event_time(event), event.get("verb"), event.get("requestURI"), oracle.source_ip(event))
                    for event in members}
        longest, shortest = max(map(addresses, members), key=len), min(map(addresses, members), key=len)
        files = {event["of"] for event in members}
        if len(requests) == 1:
            kind = "rewritten"
        elif (len(targets) == 1 and len(files) == len(members) and len(longest) > len(shortest)
                and longest[:len(shortest)] == shortest):
            kind = "forwarded"
        else:
            kind = "reused"
        found[key] = {
            "kind": kind, "contents": len(members), "requests": len(requests),
            "first_event": min(map(oracle.event_time, members)), "last_event": max(map(oracle.event_time, members)),
            "verbs": sorted({event.get("verb") for event in members} - {None}),
            "users": sorted({event["user"].get("username") for event in members} - {None}),
            "source_ips": sorted({oracle.source_ip(event) for event in members} - {None}),
        }
    return found


def audit_id_conflicts(_, events):
    return conflicts_of(events)


def writes_nothing(row):
    """Whether a write of a secret changes nothing, so that its answer is what it is for."""
    sent = row["last"].get("requestObject")
    dry = oracle.dry_run(row["last"]) is True
    if row["verb"] in ("delete", "deletecollection"):
        return dry
    if row["verb"] != "patch" or sent is None:
        return False
    if isinstance(sent, list):
        data = re.compile("/(data|stringData)(/|$)|$")
        return not [one for one in sent if one.get("op") != "test" and not (dry and not data.match(one.get("path") or ""))]
    if dry:
        return not {"data", "stringData"} & set(sent)
    told = set(sent.get("metadata") or {}) - {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}
    return not set(sent) - {"kind", "apiVersion", "metadata"} and not told


def audit_evasion(rows, events):
    usual = {}
    for name in {row["last"]["of"] for row in rows}:
        counts = sorted(len(addresses(row["last"])) for row in rows if row["last"]["of"] == name)
        usual[name] = counts[(len(counts) - 1) // 2]
    kinds = defaultdict(set)
    for (audit_id, _), told in conflicts_of(events).items():
        if told["kind"] != "forwarded":
            kinds[audit_id].add(told["kind"])
    newest = max((oracle.rfc3339(event.get("stageTimestamp")) or oracle.event_time(event)) for event in events)
    found = {}
    for row in rows:
        last, path = row["last"], (row["request_uri"] or "").split("?")[0]
        signs = set()
        if not is_random_uuid(row["audit_id"]):
            signs.add("audit id of the client")
        if kinds[row["audit_id"]]:
            signs.add("audit id " + min(kinds[row["audit_id"]]))
        if len(addresses(last)) > max(usual[last["of"]], 1):
            signs.add("more addresses than usual")
        if any(map(is_hidden, row["user_agent"] or "")):
            signs.add("hidden characters in the agent")
        if any(map(is_hidden, unquote(row["request_uri"] or "", errors="replace"))):
            signs.add("hidden characters in the URI")
        if is_disguised(path):
            signs.add("path in disguise")
        late = (time({"event_time": newest}) - time(row)).total_seconds() > 60
        if row["verb"] == "patch" and row["stages"] == ["RequestReceived"] and last.get("level") in (
                "Request", "RequestResponse") and late:
            signs.add("write without an answer")
        if row["verb"] == "patch" and last["doubles"]:
            signs.add("double members in the body")
        if is_kind(row, "secrets") and writes_nothing(row):
            signs.add("secret asked for by a write of nothing")
        if signs:
            found[(row["event_time"], row["audit_id"], row["verb"], row["request_uri"], row["source_ip"])] = {
                "signs": sorted(signs), "user_name": row["user_name"], "outcome": row["outcome"],
                "status_code": row["status_code"], "user_agent": row["user_agent"]}
    return found


# --- credentials that the log itself has -----------------------------------------------

def credentials_in_log(rows, _):
    """Of secrets and tokens; passwords in other bodies are counted by nobody but what redacts them."""
    found = {}
    for row in rows:
        asked, answered = row["last"].get("requestObject"), row["last"].get("responseObject")
        about = row["resource"] == "secrets" and not row["api_group"] or row["subresource"] == "token" or row["resource"] == "tokenreviews"
        if about and row["outcome"] == "allowed" and (
                at(answered, "kind") in ("Secret", "SecretList", "TokenRequest") or at(asked, "kind") in ("Secret", "TokenReview")):
            found[(row["event_time"], row["audit_id"])] = {
                "in_request": asked is not None, "in_response": answered is not None, "level": row["last"]["level"],
                "user_name": row["user_name"], "verb": row["verb"], "namespace": row["namespace"], "name": row["name"]}
    return found


# --- rights ------------------------------------------------------------------------------

def patched_subjects(row):
    """What a JSON Patch alone tells about whom a binding reaches."""
    sent = row["last"].get("requestObject")
    for operation in sent if isinstance(sent, list) else []:
        if at(operation, "op") in ("add", "replace") and str(at(operation, "path")).startswith("/subjects"):
            value = operation.get("value")
            yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict))


def bound(row):
    if row["subjects"] is not None:
        return row["subjects"]
    return sorted({oracle.subject(one) for one in patched_subjects(row)})


def rbac_grants(rows, _):
    found = {}
    for row in rows:
        if is_rbac(row) and row["resource"] in ("rolebindings", "clusterrolebindings") and row["verb"] in (
                "create", "update", "patch"):
            for subject in bound(row) or [None]:
                found[(row["event_time"], row["audit_id"], subject)] = {
                    name: named(row)[name] for name in ("user_name", "impersonated_user", "verb", "resource", "namespace", "name",
                                                 "role_ref", "outcome", "status_code", "dry_run", "source_ip")}
    return found


def rbac_outside_window(first, after, days):
    def of(rows, _):
        found = {}
        for row in rows:
            weekday, hour = time(row).strftime("%a").lower(), time(row).hour
            inside = first <= hour < after if first <= after else hour >= first or hour < after
            if is_rbac(row) and row["verb"] in CHANGE_VERBS and not (weekday in days and inside):
                found[(row["event_time"], row["audit_id"])] = {
                    name: named(row)[name] for name in ("user_name", "verb", "resource", "name", "role_ref", "subjects", "outcome")}
        return found
    return of


def leases_taken(rows):
    """The key of each renewal that comes behind one of another, and from whom it takes the lease."""
    last, found = {}, {}
    for row in sorted(rows, key=lambda row: (row["event_time"], row["audit_id"], row["request_uri"], row["source_ip"])):
        if row["resource"] == "leases" and row["verb"] in WRITES and row["outcome"] == "allowed" and row["name"]:
            before = last.get((row["namespace"], row["name"]))
            if before is not None and before != row["user_name"]:
                found[(row["event_time"], row["audit_id"])] = before
            last[(row["namespace"], row["name"])] = row["user_name"]
    return found


def placement(rows, _):
    taken, found = leases_taken(rows), {}
    for row in rows:
        key = (row["event_time"], row["audit_id"])
        if is_of_placement(row) or key in taken:
            found[key] = {name: row[name] for name in ("user_name", "verb", "resource", "namespace", "outcome")}
    return found


# --- one secret -------------------------------------------------------------------------

def names_in(answer):
    """Secrets that an answer shows: a list's items, or the rows of a table; None when no list is recorded."""
    if not isinstance(answer, dict):
        return None
    if answer.get("kind") == "Status":
        return None
    listed = answer.get("items")
    if listed is None and isinstance(answer.get("rows"), list):
        listed = [row.get("object") for row in answer["rows"] if isinstance(row, dict)]
    if listed is None:
        return None
    return {"/".join(filter(None, (at(one, "metadata", "namespace"), at(one, "metadata", "name")))) for one in listed}


def history_of(rows, secret):
    space, name = secret.split("/")
    found = {}
    for row in rows:
        if not (is_kind(row, "secrets") and row["verb"] in READ_VERBS | CHANGE_VERBS):
            continue
        named = row["name"] or (at(body(row), "metadata", "name") if row["verb"] in ("create", "update", "patch") else None)
        if named is not None:
            if (row["namespace"], named) != (space, name):
                continue
        else:
            shown = names_in(row["last"].get("responseObject"))
            if row["namespace"] not in (None, space):
                continue
            refused = row["outcome"] in ("denied", "failed")
            if row["outcome"] == "allowed" and shown is not None and secret not in shown:
                continue
        found[(row["event_time"], row["audit_id"])] = {
            "user_name": row["user_name"], "verb": row["verb"], "outcome": row["outcome"], "status_code": row["status_code"],
            "how": "in a list" if named is None else "by name", "namespace": row["namespace"]}
    return found


def histories(rows):
    known = sorted({f"{row['namespace']}/{row['name']}" for row in rows
                    if is_secret(row) and row["name"] and row["namespace"] and "/" not in row["name"]})
    for secret in dict.fromkeys(known[:2] + known[len(known) // 2:][:2] + known[-2:]):
        yield ["-p", f"secret={secret}"], history_of(rows, secret)


HISTORIES = {
    "secret-history": (["event_time", "audit_id"], histories),
}

ACCOUNTS = {
    # name: (arguments, columns of the key, definition), as in `accounts.py`
    "audit-evasion": ([], ["event_time", "audit_id", "verb", "request_uri", "source_ip"], audit_evasion),
    "audit-id-conflicts": ([], ["audit_id", "stage"], audit_id_conflicts),
    "credentials-in-log": ([], ["event_time", "audit_id"], credentials_in_log),
    "placement-and-priority": (OWN, ["event_time", "audit_id"], placement),
    "rbac-grants": ([], ["event_time", "audit_id", "subject"], rbac_grants),
    "rbac-outside-window": (OWN, ["event_time", "audit_id"],
                            rbac_outside_window(8, 18, {"mon", "tue", "wed", "thu", "fri"})),
    "rbac-outside-window night": ([*OWN, "-p", "from_hour=22", "-p", "to_hour=21", "-p", "weekdays=sat, Mon"],
                                  ["event_time", "audit_id"], rbac_outside_window(22, 21, {"sat", "mon"})),
}
