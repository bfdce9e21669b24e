"""Bodies of requests, read as the API server would (see `counts.py`)."""

import json, re
from urllib.parse import unquote

import oracle


def parts(body):
    """The objects of a body: of a JSON Patch one per operation that puts something somewhere, as a merge patch would."""
    if isinstance(body, dict):
        return [body]
    found = []
    for operation in body if isinstance(body, list) else []:
        if isinstance(operation, dict) and operation.get("op") in ("add", "replace") and "value" in operation:
            value = operation["value"]
            for name in reversed(str(operation.get("path") or "").split("/")[1:]):
                is_place = name == "-" or re.fullmatch("[0-9]+", name)
                value = [value] if is_place else {name.replace("~1", "/").replace("~0", "~"): value}
            found.append(value)
    return [one for one in found if isinstance(one, dict)]


def stored_or_sent(row):
    stored, sent = row["last"].get("responseObject"), row["last"].get("requestObject")
    return [stored] if isinstance(stored, dict) and stored.get("kind") != "Status" else parts(sent)


def has_body(row):
    return row["last"].get("responseObject") is not None or row["last"].get("requestObject") is not None


def members(parents, *path):
    """What stands at a path in several objects, `null` too."""
    for key in path:
        parents = [parent[key] for parent in parents if isinstance(parent, dict) and key in parent]
    return parents


def items(parents, *path):
    """The objects in the lists that stand there."""
    return [one for found in members(parents, *path) if isinstance(found, list) for one in found if isinstance(one, dict)]


def strings(values):
    return sorted({value for value in values if isinstance(value, str) and value})


def in_lists(values):
    return [str(one) for value in values if isinstance(value, list) for one in value if one is not None]


def tidy(texts):
    return sorted({text for text in texts if text})


def key_of(row):
    return row["event_time"], row["audit_id"]


def matches(pattern, text, flags=0):
    """As RE2 has it: letters and digits are those of ASCII, and `$` is the end."""
    return re.search(re.sub(r"(?<!\\)\$(?=$|[)|])", r"\\Z", pattern), text, flags | re.ASCII)


def uri_values(uri, key):
    """As Go reads them: pairs are parted by `&` alone, and one that holds `;` is none."""
    pairs = [pair.partition("=") for pair in (uri or "").partition("?")[2].split("&") if ";" not in pair]

    def decoded(text):
        return unquote(text.replace("+", " "), errors="replace")
    return [decoded(value) for name, _, value in pairs if decoded(name) == key]


def uri_flag(uri, key):
    values = uri_values(uri, key)
    return bool(values) and values[0].lower() not in ("false", "0")


def told(row, **more):
    return {"user_name": row["user_name"], "outcome": row["outcome"], "dry_run": oracle.dry_run(row["last"]), **more}


def text_of(body):
    return "" if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":"))


