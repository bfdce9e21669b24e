#!/usr/bin/env python3
"""Ingest and questions, timed against DuckDB, jq and clickhouse-local in one run.

usage: benches/peers.py KFORENSIC [--copies N] [--rounds N] [--keep DIR]

Makes a log of many days from the project's own captures (every copy moved in time, with new audit ids), ingests it with
each tool in turn, plain and packed, asks the case what people ask, and prints medians and ratios. Times are ratios of one
run on one machine; bars in seconds are those of a machine on which `SELECT 1` takes less than 50 ms.
DuckDB comes from PyPI (`duckdb==2.0.0`), clickhouse-local too (`chdb`); jq is used when it is on the PATH. Exits with 1
when a bar is missed.
"""
import argparse
import datetime as dt
import glob
import gzip
import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SOURCES = ["tests/logs/metadata/*.log*", "tests/logs/production/*.log*"]
ROTATE_BYTES = 100 * 1024 * 1024
# What has to hold: ingest beside DuckDB's partitioned COPY, wall and processor time; size on disk; all of it from gzip.
BARS = {"wall": 0.8, "processor": 0.8, "size": 0.8, "wall (gz)": 0.8, "processor (gz)": 0.8}

# Seconds that an answer takes as a whole process, at most.
ANSWERS = {
    "status": (["status"], 0.06),
    "SELECT 1": (["sql", "SELECT 1"], 0.05),
    "triage": (["triage"], 5),
    "report": (["report", "--format", "html"], 8),
}

# Seconds that an answer takes beyond `SELECT 1`, at most.
QUESTIONS = {
    "secret-reads, last hour": (["secret-reads", "--since", "1h", "--now", "last"], 0.015),
    "secret-reads": (["secret-reads", "--format", "csv"], 0.06),
    "failed-auth": (["failed-auth", "--format", "csv"], 0.1),
    "rbac-changes": (["rbac-changes", "--format", "csv"], 0.08),
}

# Seconds that a canned query takes without a filter, and MB, at most.
SLOWEST_SECONDS, SLOWEST_MB = 0.6, 512

TIME = re.compile(rb'("(?:requestReceivedTimestamp|stageTimestamp)":")([0-9T:.-]+)Z"')
AUDIT_ID = re.compile(rb'"auditID":"([^"]+)"')


def lines():
    for pattern in SOURCES:
        for path in sorted(glob.glob(os.path.join(ROOT, pattern))):
            with gzip.open(path) if path.endswith(".gz") else open(path, "rb") as log:
                yield from (line for line in log.read().split(b"\n") if line.strip())


def amplify(folder, copies):
    """Writes `copies` days of log, each the captures moved by a day, in files of 100 MiB."""
    os.makedirs(folder)
    parts = []
    for line in lines():
        times = [dt.datetime.fromisoformat(found.group(2).decode()) for found in TIME.finditer(line)]
        pieces = TIME.sub(b'\\1\x00Z"', line).split(b"\x00")
        parts.append((pieces, times, AUDIT_ID.search(line).group(1)))
    number, size, total, out = 0, 0, 0, None
    for copy in range(copies):
        shift, ids = dt.timedelta(days=copy - copies + 1), {}
        for pieces, times, audit_id in parts:
            moved = [(moment + shift).isoformat(timespec="microseconds").encode() for moment in times]
            line = pieces[0] + b"".join(moment + piece for moment, piece in zip(moved, pieces[1:])) + b"\n"
            if audit_id not in ids:
                # Of the version that the server makes: any other is a sign of evasion, which every request would show.
                digest = hashlib.sha256(f"{copy}/{audit_id!r}".encode()).digest()
                ids[audit_id] = str(uuid.UUID(bytes=digest[:16], version=4)).encode()
            new = ids[audit_id]
            line = line.replace(audit_id, new, 1)
            if out is None or size + len(line) > ROTATE_BYTES:
                if out:
                    out.close()
                out, size, number = open(os.path.join(folder, f"audit-{number:03}.log"), "wb"), 0, number + 1
            out.write(line)
            size, total = size + len(line), total + len(line)
    out.close()
    return total, len(parts) * copies


COPY = """
import duckdb, sys
out, threads, files = sys.argv[1], sys.argv[2], sys.argv[3:]
user = 'STRUCT(username VARCHAR, uid VARCHAR, "groups" VARCHAR[], extra JSON)'
columns = {
    'level': 'VARCHAR', 'auditID': 'VARCHAR', 'stage': 'VARCHAR', 'requestURI': 'VARCHAR', 'verb': 'VARCHAR',
    'user': user, 'impersonatedUser': user, 'authenticationMetadata': 'STRUCT(impersonationConstraint VARCHAR)',
    'sourceIPs': 'VARCHAR[]', 'userAgent': 'VARCHAR',
    'objectRef': 'STRUCT(resource VARCHAR, "namespace" VARCHAR, "name" VARCHAR, uid VARCHAR, apiGroup VARCHAR, '
                 'apiVersion VARCHAR, resourceVersion VARCHAR, subresource VARCHAR)',
    'responseStatus': 'STRUCT(status VARCHAR, message VARCHAR, reason VARCHAR, details JSON, code INTEGER)',
    'requestObject': 'JSON', 'responseObject': 'JSON', 'requestReceivedTimestamp': 'TIMESTAMP',
    'stageTimestamp': 'TIMESTAMP', 'annotations': 'JSON'}
types = '{' + ', '.join(f"'{name}': '{kind}'" for name, kind in columns.items()) + '}'
duckdb.execute(f"SET threads = {threads}")
duckdb.execute("SET preserve_insertion_order = false")
duckdb.execute(f'''COPY (SELECT requestReceivedTimestamp AS event_time, stageTimestamp AS stage_time, auditID AS audit_id,
    stage, level, verb, requestURI AS request_uri, "user".username AS user_name, "user".uid AS user_uid,
    "user"."groups" AS user_groups, "user".extra AS user_extra,
    "user".extra->>'$."authentication.kubernetes.io/credential-id"[0]' AS credential_id,
    impersonatedUser.username AS impersonated_user, impersonatedUser.uid AS impersonated_uid,
    impersonatedUser."groups" AS impersonated_groups, impersonatedUser.extra AS impersonated_extra,
    sourceIPs AS source_ips, sourceIPs[-1] AS source_ip, userAgent AS user_agent, objectRef.*,
    responseStatus.code AS status_code, responseStatus.status AS status, responseStatus.reason AS status_reason,
    responseStatus.message AS status_message, responseStatus.details AS status_details,
    requestObject AS request_object, responseObject AS response_object, annotations,
    annotations->>'$."authorization.k8s.io/decision"' AS decision,
    annotations->>'$."authorization.k8s.io/reason"' AS decision_reason,
    requestReceivedTimestamp::DATE AS date, coalesce(objectRef.resource, '_none') AS resource_partition
  FROM read_json({files!r}, format = 'newline_delimited', columns = {types}, maximum_object_size = 104857600))
  TO '{out}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (date, resource_partition))''')
"""

CHDB = """
import chdb, sys
print(chdb.query(f"SELECT count() FROM file('{sys.argv[1]}/*.log', JSONEachRow, 'level String') WHERE level != ''"))
"""


def timed(command):
    """Seconds, processor seconds and peak memory in MB of a command."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    message = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    if status:
        sys.exit(f"{command[0]} failed: {message.decode()[-400:]}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def size_mb(folder):
    paths = (os.path.join(at, name) for at, _, names in os.walk(folder) for name in names)
    return sum(os.path.getsize(path) for path in paths if path.endswith(".parquet")) / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kforensic")
    parser.add_argument("--copies", type=int, default=12, help="days of log; 12 are 1.3 million events")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", default="2")
    parser.add_argument("--keep", help="folder for the log, used again when it is there")
    options = parser.parse_args()
    work = tempfile.mkdtemp(prefix="peers-")
    log = options.keep or os.path.join(work, "log")
    if not os.path.isdir(log):
        amplify(log, options.copies)
    files = sorted(glob.glob(os.path.join(log, "*.log")))
    total = sum(map(os.path.getsize, files))
    packed = os.path.join(work, "gz")
    os.makedirs(packed)
    for path in files:
        with open(path, "rb") as plain, gzip.open(os.path.join(packed, os.path.basename(path) + ".gz"), "wb", 6) as gz:
            shutil.copyfileobj(plain, gz, 1 << 20)
    case, copied = os.path.join(work, "case"), os.path.join(work, "duckdb")

    def ingested(folder):
        shutil.rmtree(case, True)
        return timed([options.kforensic, "--case", case, "ingest", folder])

    def copies(paths):
        shutil.rmtree(copied, True)
        return timed([sys.executable, "-c", COPY, copied, options.threads, *paths])

    # The logs that are not packed come last: the case and the copy that they leave are asked and measured.
    tools = {
        "kforensic (gz)": lambda: ingested(packed),
        "duckdb (gz)": lambda: copies(sorted(glob.glob(os.path.join(packed, "*.gz")))),
        "kforensic": lambda: ingested(log),
        "duckdb": lambda: copies(files),
    }
    if shutil.which("jq"):
        tools["jq (one question)"] = lambda: timed(["jq", "-c", 'select(.objectRef.resource == "secrets")', *files])
    if subprocess.run([sys.executable, "-c", "import chdb"], capture_output=True).returncode == 0:
        tools["chdb (one question)"] = lambda: timed([sys.executable, "-c", CHDB, log])
    seen = {name: [] for name in tools}
    for _ in range(options.rounds):
        for name, run in tools.items():
            seen[name].append(run())
    print(f"{total / 1e9:.2f} GB in {len(files)} files, medians of {options.rounds}")
    medians = {name: [statistics.median(column) for column in zip(*runs)] for name, runs in seen.items()}
    for name, (wall, processor, memory) in medians.items():
        print(f"{name:20} {wall:7.2f} s  {processor:7.2f} s of processor  {memory:6.0f} MB")
    ratios = {"size": size_mb(case) / size_mb(copied)}
    for kind in "", " (gz)":
        ours, theirs = medians["kforensic" + kind], medians["duckdb" + kind]
        ratios |= {"wall" + kind: ours[0] / theirs[0], "processor" + kind: ours[1] / theirs[1]}
    print(f"files: {sum(len(n) for _, _, n in os.walk(os.path.join(case, 'events'))) - 1}")
    missed = 0
    for name, ratio in ratios.items():
        missed += ratio > BARS[name]
        print(f"{name:15} {ratio:.2f} of DuckDB's (bar {BARS[name]}){'  MISSED' if ratio > BARS[name] else ''}")
    missed += answers([options.kforensic, "--case", case], os.path.join(work, "answer"), options.rounds)
    shutil.rmtree(work, True)
    sys.exit(1 if missed else 0)


def answers(program, output, rounds):
    """Prints what answers from a case take, and gives how many took longer than they may."""

    def median(command, to_file):
        file = ["-o", output, "--force"] if to_file else []
        runs = [timed([*program, *command, *file]) for _ in range(rounds)]
        return [statistics.median(column) for column in zip(*runs)]

    missed = 0

    def tell(name, seconds, memory, bar):
        nonlocal missed
        missed += seconds > bar
        missed_it = "  MISSED" if seconds > bar else ""
        print(f"{name:35} {seconds * 1000:7.0f} ms  {memory:6.0f} MB  (bar {bar * 1000:.0f} ms){missed_it}")

    for name, (command, bar) in ANSWERS.items():
        wall, _, memory = median(command, name == "report")
        tell(name, wall, memory, bar)
        if name == "SELECT 1":
            start = wall
    for name, (arguments, bar) in QUESTIONS.items():
        wall, _, memory = median(["query", *arguments], True)
        tell(name + " beyond SELECT 1", wall - start, memory, bar)
    catalogue = subprocess.run([*program, "query", "--format", "json"], capture_output=True, check=True)
    names = [query["name"] for query in json.loads(catalogue.stdout)]
    slow = 0
    for name in names:
        wall, _, memory = timed([*program, "query", name, "--format", "csv", "-o", output, "--force"])
        if wall > SLOWEST_SECONDS or memory > SLOWEST_MB:
            slow += 1
            print(f"{name:35} {wall * 1000:7.0f} ms  {memory:6.0f} MB  (bar {SLOWEST_SECONDS * 1000:.0f} ms)  MISSED")
    print(f"{len(names) - slow} of {len(names)} canned queries within {SLOWEST_SECONDS} s and {SLOWEST_MB} MB")
    return missed + slow


if __name__ == "__main__":
    main()
