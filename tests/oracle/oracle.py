#!/usr/bin/env python3
"""A second opinion on kforensic's answers: the same questions, by another route.

    oracle.py secret-reads|rbac-changes|failed-auth|counts PATH...

Reads Kubernetes audit logs (one JSON event a line, plain or gzip) and prints the
answer as JSON lines. It shares no code with kforensic and needs only Python 3.
It is slow, keeps everything in memory and knows no wrapped formats, on purpose:
what it does can be checked by reading this one file from top to bottom.
"""

import gzip
import json
import sys
from collections import Counter
from datetime import datetime, timezone
from urllib.parse import parse_qs, urlsplit

STAGES = ["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"]  # in this order
READ_VERBS = {"get", "list", "watch"}
CHANGE_VERBS = {"create", "update", "patch", "delete", "deletecollection"}
RBAC_GROUP = "rbac.authorization.k8s.io"
OPENSHIFT_RBAC_GROUP = "authorization.openshift.io"

SECRET_READS = ["event_time", "user_name", "impersonated_user", "verb", "namespace", "name",
                "outcome", "status_code", "source_ip", "user_agent", "decision_reason", "audit_id"]
RBAC_CHANGES = ["event_time", "user_name", "impersonated_user", "verb", "resource", "namespace",
                "name", "outcome", "status_code", "role_ref", "subjects", "source_ip", "audit_id", "dry_run"]


# --- from files to events ---------------------------------------------------------

def lines_of(path):
    """The non-blank lines of a file, split on b"\\n" and on nothing else."""
    with open(path, "rb") as file:
        data = file.read()
    if data.startswith(b"\x1f\x8b"):
        data = gzip.decompress(data)
    return [part for line in data.split(b"\n") if line.strip() for part in unglued(line)]


def unglued(line):
    """A line; as two when a disk that was full for a while left half an event with a whole one behind it."""
    glued = line.rfind(b'{"kind":"Event","apiVersion":"audit.k8s.io/')
    if glued > 0 and line.startswith(b'{"kind":"Event"') and parse(line) is None and parse(line[glued:]):
        return [line[:glued], line[glued:]]
    return [line]


def refuse_constant(name):
    raise ValueError(name + " is not JSON")


def parse(line):
    """The audit event on a line, or None when the line is not one whole event."""
    try:
        event = json.loads(line.decode("utf-8"), parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict) or event.get("kind") != "Event":
        return None
    # A core/v1 Event is also of kind "Event", but has none of these three.
    whole = (isinstance(event.get("auditID"), str) and isinstance(event.get("level"), str)
             and isinstance(event.get("user"), dict))
    return event if whole else None


def canonical(event):
    """A text that is the same for equal JSON values, whatever the order of their keys."""
    return json.dumps(event, sort_keys=True)


def read(paths):
    """Distinct events, and what the lines were: lines = events + duplicates + rejected."""
    events, tally = {}, Counter()
    for path in paths:
        for line in lines_of(path):
            tally["lines"] += 1
            event = parse(line)
            if event is None:
                tally["rejected"] += 1
            elif canonical(event) in events:
                tally["duplicates"] += 1
            else:
                events[canonical(event)] = event
    return list(events.values()), tally


# --- from events to requests ------------------------------------------------------

def section(event, name):
    """A sub-object such as objectRef, or an empty one: many events have none."""
    value = event.get(name)
    return value if isinstance(value, dict) else {}


def rfc3339(text):
    """The same instant in UTC with six digits and Z; None when there is no time."""
    if not text:
        return None
    # Python before 3.11 reads neither `Z` nor a fraction of other than 3 or 6 digits.
    head, zone = (text[:-1], "+00:00") if text[-1] in "Zz" else (text[:-6], text[-6:])
    seconds, _, fraction = head.partition(".")
    instant = datetime.fromisoformat(seconds + "." + (fraction + "000000")[:6] + zone)
    return instant.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def event_time(event):
    """When the request arrived: the same on every line of one request."""
    # v1beta1 and older have `timestamp` instead, the same on both lines of a request.
    return rfc3339(event.get("requestReceivedTimestamp") or event.get("timestamp") or event.get("stageTimestamp"))


def source_ip(event):
    """The last address: the one the server saw itself. A client can forge the others."""
    return (event.get("sourceIPs") or [None])[-1]


def status_code(event):
    return section(event, "responseStatus").get("code")


def stage_order(event):
    """The stage decides; the rest only makes the result independent of file order."""
    stage = event.get("stage")
    rank = STAGES.index(stage) if stage in STAGES else -1
    return rank, event.get("stageTimestamp") or "", canonical(event)


def requests_of(events):
    """One row per request. audit_id alone is no key: a client may choose it (`Audit-ID`)."""
    groups = {}
    for event in events:
        key = (event["auditID"], event_time(event), event.get("verb"),
               event.get("requestURI"), source_ip(event))
        groups.setdefault(key, []).append(event)
    rows = [request(sorted(stages, key=stage_order)) for stages in groups.values()]
    order = ["event_time", "audit_id", "verb", "request_uri"]
    return sorted(rows, key=lambda row: [row[field] or "" for field in order])


def request(stages):
    """The fields of a request, from its last stage; an absent value is None."""
    last = stages[-1]
    ref = section(last, "objectRef")
    return {
        "event_time": event_time(last),
        "audit_id": last["auditID"],
        "verb": last.get("verb"),
        "request_uri": last.get("requestURI"),
        "user_name": last["user"].get("username"),  # None after a 401: `"user":{}`
        "claimed_user": claimed_user(last),
        "impersonated_user": section(last, "impersonatedUser").get("username"),
        "source_ip": source_ip(last),
        "user_agent": last.get("userAgent"),
        "api_group": ref.get("apiGroup"),
        "resource": ref.get("resource"),
        "subresource": ref.get("subresource"),
        "namespace": ref.get("namespace"),
        "name": ref.get("name"),
        "status_code": status_code(last),
        "outcome": outcome(stages),
        "failure": failure(last),
        "decision_reason": section(last, "annotations").get("authorization.k8s.io/reason"),
        "role_ref": role_ref(last),
        "dry_run": dry_run(last),
        "forwarded_for": ", ".join((last.get("sourceIPs") or [])[:-1]),
        "subjects": subjects(last),
        "last": last,  # for `counts.py`, which looks further
        "stages": [event.get("stage") for event in stages],
    }


def stream_started(event):
    """A response began to flow. A 401, and a denied watch, have this stage too."""
    return event.get("stage") == "ResponseStarted" and (status_code(event) or 200) < 400


def outcome(stages):
    code = status_code(stages[-1])
    if any(stream_started(event) for event in stages):
        return "allowed"  # also when it ended in Panic with code 500: data had flowed by then
    if code is None:
        return "unknown"  # only RequestReceived was seen: the answer is not in the log
    if code < 400:
        return "allowed"
    # A denied impersonation is a 403 as well.
    return "denied" if code in (401, 403) else "failed"


def claimed_user(event):
    """At OpenShift's login nobody is known yet, and an annotation says who wanted to be let in."""
    annotations = section(event, "annotations")
    if "authentication.openshift.io/decision" in annotations:
        return annotations.get("authentication.openshift.io/username") or event["user"].get("username")
    return event["user"].get("username")


def failure(event):
    """Which kind of refusal this is, or None. The order of the tests matters."""
    code = status_code(event)
    annotations = section(event, "annotations")
    if annotations.get("authentication.openshift.io/decision") in ("deny", "error"):
        return "unauthenticated"
    # The API server let it in: what stands behind a proxy, or an aggregated API server, refused.
    subresource = section(event, "objectRef").get("subresource")
    if annotations.get("authorization.k8s.io/decision") == "allow" and code in (401, 403):
        known = event["user"].get("username")
        reads = event.get("verb") in READ_VERBS and subresource not in ("exec", "attach", "portforward")
        if subresource == "proxy" or (code == 401 and known) or (code == 403 and reads):
            return None
    if code == 401:
        return "unauthenticated"
    if code != 403:
        return None
    message = section(event, "responseStatus").get("message") or ""
    decided = "authorization.k8s.io/decision" in section(event, "annotations")
    if "cannot impersonate" in message and not decided:
        return "impersonation"  # refused before the request itself was authorized
    return "anonymous" if event["user"].get("username") == "system:anonymous" else "forbidden"


def from_bodies(event, field, kind):
    """A field of the object as stored (the response), else as sent (the request).

    Bodies are there only at level Request or RequestResponse. A response may be a
    Status, and a request an array (JSON Patch): neither carries the field.
    """
    for body in (section(event, "responseObject"), section(event, "requestObject")):
        if isinstance(body.get(field), kind):
            return body[field]
    return None


def path_of(reference, *parts):
    """`Kind/name`, or `Kind/namespace/name` when there is a namespace."""
    return "/".join(reference[part] for part in parts if reference.get(part))


def is_openshift(event):
    return section(event, "objectRef").get("apiGroup") == OPENSHIFT_RBAC_GROUP


def role_ref(event):
    found = from_bodies(event, "roleRef", dict)
    if found and is_openshift(event):
        found = {"kind": "Role" if found.get("namespace") else "ClusterRole", **found}
    return path_of(found, "kind", "name") if found else None


def subjects(event):
    if is_openshift(event):
        return openshift_subjects(event)
    found = from_bodies(event, "subjects", list)
    return None if found is None else sorted({subject(one) for one in found})


def openshift_subjects(event):
    """Of the first body that names any, in a list of references or in lists of names."""
    for body in (section(event, "responseObject"), section(event, "requestObject")):
        found = None if body.get("subjects") is None else set()
        for one in body.get("subjects") or []:
            found.add(subject({**one, "kind": one["kind"].removeprefix("System")}))
        for member, kind in (("userNames", "User"), ("groupNames", "Group")):
            for name in body.get(member) or []:
                account = name.startswith("system:serviceaccount:")
                found = (found or set()) | {"/".join(["ServiceAccount", *name.split(":")[2:]]) if account else f"{kind}/{name}"}
        if found is not None:
            return sorted(found)
    return None


def subject(one):
    """RBAC looks at the namespace of service accounts alone."""
    parts = ("kind", "name") if one.get("kind") in ("User", "Group") else ("kind", "namespace", "name")
    return path_of(one, *parts)


def dry_run(event):
    """Whether nothing was stored; None where a deletion's options may have been left out of the log."""
    asked = "All" in parse_qs(urlsplit(event.get("requestURI") or "").query).get("dryRun", [])
    if event.get("verb") not in ("delete", "deletecollection"):
        return asked
    options = event.get("requestObject")
    if options is not None:
        return "All" in (options.get("dryRun") or []) if isinstance(options, dict) else False
    if not asked:
        return False
    return True if event.get("level") in ("Request", "RequestResponse") else None


def is_rbac(row):
    """OpenShift serves roles and bindings under a group of its own as well, in which reviews of rights stand too."""
    return row["api_group"] == RBAC_GROUP or (
        row["api_group"] == OPENSHIFT_RBAC_GROUP and not (row["resource"] or "").endswith("reviews"))


# --- the questions ----------------------------------------------------------------

def secret_reads(requests):
    """One row per request that asked for the content of secrets."""
    return [{field: row[field] for field in SECRET_READS} for row in requests
            if row["resource"] == "secrets" and not row["api_group"] and not row["subresource"] and row["verb"] in READ_VERBS]


def named(row):
    """The row with the name that the server gave (`generateName`): the answer alone tells it."""
    answer = row["last"].get("responseObject")
    metadata = answer.get("metadata") if isinstance(answer, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return {**row, "name": row["name"] if row["name"] is not None else name}


def rbac_changes(requests):
    """One row per request to change roles or bindings, whether or not it succeeded."""
    return [{field: named(row)[field] for field in RBAC_CHANGES} for row in requests
            if is_rbac(row) and row["verb"] in CHANGE_VERBS]


def failed_auth(requests):
    """One row per address and kind of failure."""
    groups = {}
    for row in requests:
        if row["failure"]:
            groups.setdefault((row["source_ip"], row["failure"]), []).append(row)
    rows = []
    for (address, failure_kind), members in groups.items():
        times = [row["event_time"] for row in members if row["event_time"]]
        rows.append({
            "source_ip": address,
            "failure": failure_kind,
            "attempts": len(members),
            "users": sorted({row["claimed_user"] for row in members} - {None}),
            "user_agents": sorted({row["user_agent"] for row in members} - {None}),
            "first_seen": min(times, default=None),
            "last_seen": max(times, default=None),
            "forwarded_for": sorted({row["forwarded_for"] for row in members} - {""}),
        })
    return sorted(rows, key=lambda row: (row["last_seen"] or "", row["source_ip"] or "", row["failure"]))


QUESTIONS = {"secret-reads": secret_reads, "rbac-changes": rbac_changes, "failed-auth": failed_auth}


def main(arguments):
    if len(arguments) < 2 or arguments[0] not in [*QUESTIONS, "counts"]:
        sys.exit(__doc__)
    events, tally = read(arguments[1:])
    requests = requests_of(events)
    if arguments[0] in QUESTIONS:
        for row in QUESTIONS[arguments[0]](requests):
            print(json.dumps(row))
        return
    resources = Counter(section(event, "objectRef").get("resource") or "" for event in events)
    print(json.dumps({"lines": tally["lines"], "events": len(events), "duplicates": tally["duplicates"],
                      "rejected": tally["rejected"], "requests": len(requests),
                      "resources": dict(sorted(resources.items()))}))  # "" counts events without one


if __name__ == "__main__":
    main(sys.argv[1:])
