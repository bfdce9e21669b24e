#!/usr/bin/env python3
"""Ingest and questions, timed against DuckDB, jq and clickhouse-local in one run.

usage: benches/peers.py KFORENSIC [--copies N] [--rounds N] [--keep DIR]

Makes a log of many days from the project's own captures (every copy moved in time, with new audit ids), ingests it with
each tool in turn, and prints medians and ratios. Times are ratios of one run on one machine: nothing else says anything.
DuckDB comes from PyPI (`duckdb==2.0.0`), clickhouse-local too (`chdb`); jq is used when it is on the PATH. Exits with 1
when a bar is missed.
"""
import argparse
import datetime as dt
import glob
import gzip
import os
import re
import resource
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
# What has to hold: ingest beside DuckDB's partitioned COPY, wall and processor time; size on disk.
BARS = {"wall": 0.8, "processor": 0.8, "size": 0.8}

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
            new = ids.setdefault(audit_id, str(uuid.uuid5(uuid.NAMESPACE_OID, f"{copy}/{audit_id!r}")).encode())
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
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    message = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    if status:
        sys.exit(f"{command[0]} failed: {message.decode()[-400:]}")
    del before
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
    case, copied = os.path.join(work, "case"), os.path.join(work, "duckdb")
    tools = {
        "kforensic": lambda: (shutil.rmtree(case, True), timed([options.kforensic, "--case", case, "ingest", log]))[1],
        "duckdb": lambda: (
            shutil.rmtree(copied, True),
            timed([sys.executable, "-c", COPY, copied, options.threads, *files]),
        )[1],
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
    ours, theirs = medians["kforensic"], medians["duckdb"]
    ratios = {
        "wall": ours[0] / theirs[0],
        "processor": ours[1] / theirs[1],
        "size": size_mb(case) / size_mb(copied),
    }
    print(f"files: {sum(len(n) for _, _, n in os.walk(os.path.join(case, 'events'))) - 1}")
    missed = 0
    for name, ratio in ratios.items():
        missed += ratio > BARS[name]
        print(f"{name:10} {ratio:.2f} of DuckDB's (bar {BARS[name]}){'  MISSED' if ratio > BARS[name] else ''}")
    shutil.rmtree(work, True)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
