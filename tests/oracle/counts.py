#!/usr/bin/env python3
"""Counts what many queries should find, from what their questions say, and compares row by row.

usage: counts.py KFORENSIC LOG... -- LOG... [-- ...]      (each group of logs is one case)

A definition is a condition on requests (then the ids and times of the rows are compared), or a way to
group them (then every number that is given). What leaves out the cluster's own work is asked with it:
whose work a request is has tests of its own. Where a row gives a reason (signs, powers, what an object gives) the reason
is compared with it. Like `oracle.py` it shares no code with kforensic. What a query asks for is taken from its question, its noise and docs/coverage.md; where these leave a detail
open (which exclusions, which streams), the query was read, so a count proves its arithmetic, not that detail.
"""

import itertools, json, pathlib, subprocess, sys, tempfile
from collections import Counter

sys.dont_write_bytecode = True  # nothing is left behind in the source tree
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import accounts, back_doors, objects, oracle, profiles, signs, templates
from conditions import ROWS

ACCOUNTS = {**accounts.ACCOUNTS, **profiles.ACCOUNTS, **signs.ACCOUNTS, **templates.ACCOUNTS, **objects.ACCOUNTS,
            **back_doors.ACCOUNTS}
PROFILES = {**profiles.PROFILES, **signs.HISTORIES}
# Of these more rows can come: what is redacted in bodies of other objects is known to nobody but what redacts.
MORE = {"credentials-in-log"}


def ask(tool, query, arguments):
    command = [*tool, "query", query.split()[0], *arguments, "--format", "jsonl"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode in (0, 1), f"{command}: {done.stderr}"
    return [json.loads(line) for line in done.stdout.splitlines()]


def identity(row):
    return row["event_time"], row["audit_id"]


def differences(name, ours, theirs):
    """What only one of two bags has."""
    ours, theirs = Counter(ours), Counter(theirs)
    for which, more in (("more", ours - theirs), ("missing", theirs - ours)):
        if more:
            yield f"{name}: {sum(more.values())} {which}, as {list(more)[:3]}"


def compare(tool, events, requests):
    wrong, counted = [], Counter()
    for name, (arguments, condition) in ROWS.items():
        ours = [identity(row) for row in ask(tool, name, arguments)]
        wrong += differences(name, ours, [identity(row) for row in requests if condition(row)])
        counted[name] += len(ours)
    for name, definition in oracle.QUESTIONS.items():
        theirs = definition(requests)
        ours = [{of: row[of] for of in theirs[0]} for row in ask(tool, name, [])] if theirs else ask(tool, name, [])
        wrong += differences(name, map(json.dumps, ours), map(json.dumps, theirs))
        counted[name] += len(theirs)
    for name, (arguments, key, definition) in ACCOUNTS.items():
        wrong += compare_groups(tool, name, arguments, key, definition(requests, events), counted)
    for name, (key, definition) in PROFILES.items():
        for arguments, theirs in definition(requests):
            wrong += compare_groups(tool, name, arguments, key, theirs, counted)
    return wrong, counted


def compare_groups(tool, name, arguments, key, theirs, counted):
    """What is wrong with an answer whose rows have a key, column by column."""
    ours, told = {}, [name, *arguments]
    for row in ask(tool, name, arguments):
        # A burst of an address, as several, is none of an identity's.
        if not ("burst" in row and row["users"] and row["user_name"] is None):
            ours[tuple(tuple(row[of]) if isinstance(row[of], list) else row[of] for of in key)] = row
    yield from differences(told, list(theirs) if name in MORE else list(ours), list(theirs))
    if name in MORE:
        yield from differences(told, [one for one in theirs if one in ours], list(theirs))
    for group in ours.keys() & theirs.keys():
        for column, value in theirs[group].items():
            if ours[group][column] != value:
                yield f"{told} {group} {column}: {ours[group][column]}, counted {value}"
    counted[name.split()[0]] += len(theirs)


def main(arguments):
    kforensic, *rest = arguments
    wrong, counted = [], Counter()
    groups = [list(group) for is_end, group in itertools.groupby(rest, lambda text: text == "--") if not is_end]
    for logs in groups:
        with tempfile.TemporaryDirectory() as folder:
            tool = [kforensic, "--case", folder + "/case"]
            done = subprocess.run([*tool, "ingest", *logs], capture_output=True, text=True)
            assert done.returncode in (0, 1), done.stderr
            events = signs.told_apart(logs)
            more, rows = compare(tool, events, oracle.requests_of(events))
            wrong += [f"{logs[0]}: {text}" for text in more]
            counted += rows
    names = {name.split()[0] for name in [*ROWS, *oracle.QUESTIONS, *ACCOUNTS, *PROFILES]}
    idle = sorted(name for name in names if not counted[name])
    print("\n".join(wrong) or f"{counted.total()} rows of {len(+counted)} queries on {len(groups)} cases are as counted; "
          f"no rows to count for: {', '.join(idle) or 'none'}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
