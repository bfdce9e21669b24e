#!/usr/bin/env python3
"""Reads a case with readers that others wrote, and compares what they see with what the case's ledger says.

usage: readers.py CASE        (needs the packages deltalake, pyarrow and duckdb)
"""
import datetime, json, pathlib, sys

import duckdb
import pyarrow.compute as pc
from deltalake import DeltaTable

case = pathlib.Path(sys.argv[1])
ledger = {"events": 0, "rejected": 0}
pruned = None
for commit in sorted((case / "events/_delta_log").glob("*.json")):
    for line in commit.read_text().splitlines():
        info = json.loads(line).get("commitInfo")
        if not info:
            continue
        for source in info["kforensic"]["sources"]:
            for what in ledger:
                ledger[what] += source[what]
        pruned = info["kforensic"].get("pruned", pruned)
        for source in info["kforensic"].get("pruned", {}).get("sources", []):
            for what in ledger:
                ledger[what] -= source[what]

table = DeltaTable(str(case / "events"))
rows = table.to_pyarrow_table()
rejects = pc.sum(pc.equal(rows["resource_partition"], "_rejected")).as_py() or 0
seen = {"events": rows.num_rows - rejects, "rejected": rejects}
assert seen == ledger, f"deltalake sees {seen}, the ledger says {ledger}"
assert rows["event_time"].null_count == rejects and rows["audit_id"].null_count == rejects
if pruned:
    before = datetime.datetime.fromisoformat(pruned["before"].replace("Z", "+00:00"))
    assert all(time >= before for time in rows["event_time"].to_pylist() if time), "what was pruned is gone"
days = {time.date() for time in rows["event_time"].to_pylist() if time}
assert days == {day for day in rows["date"].to_pylist() if day}, "the partition column is the day of the request"
print(f"deltalake {table.version()=}: {seen}")

# Pruning by partition and by statistics sees the same rows as reading all of them.
secrets = table.to_pyarrow_table(filters=[("resource_partition", "=", "secrets")])
assert secrets.num_rows == pc.sum(pc.equal(rows["resource"], "secrets")).as_py()
middle = rows.filter(pc.is_valid(rows["event_time"]))["event_time"].to_pylist()
middle = sorted(middle)[len(middle) // 2]
late = table.to_pyarrow_table(filters=[("event_time", ">=", middle)])
assert late.num_rows == sum(time >= middle for time in rows["event_time"].to_pylist() if time)

files = table.file_uris()
count = duckdb.execute("SELECT count(*), count(audit_id) FROM read_parquet(?, union_by_name=false)", [files]).fetchone()
assert count == (rows.num_rows, seen["events"]), f"DuckDB sees {count}"
print(f"DuckDB over {len(files)} files of the log: {count[0]} rows")
