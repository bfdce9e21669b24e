#!/usr/bin/env python3
"""Makes a log of requests whose users, agents and names mean harm, asks kforensic for them in every format, and reads
the answers with readers that others wrote.

usage: formats.py KFORENSIC        (needs the packages pyarrow, duckdb and pandas)
"""
import csv, json, os, pathlib, pty, subprocess, sys, tempfile

import duckdb
import pandas
import pyarrow.parquet

csv.field_size_limit(1 << 24)
HOSTILE = [
    "\x1b[2J\x1b]0;title\x07\x1b[31mred", "=cmd|'/c calc'!A1", "+1+cmd", "-2+3", "@SUM(A1:A9)", "\t=1", "\r\n=1",
    "<script>alert(1)</script>", "![x](http://evil/p.png) https://evil.example a@evil.example", "| a | b |",
    "back\\|slash \\", "`tick` ``", "admin\u202enimda\u2066\u200b", "two\nlines\r\nand\rmore\u2028", "NUL\0inside",
    '"quoted, with comma"', '"', " spaces ", "\\N", "日本語 🦀", "=" + "A" * 1_000_000,
]
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def event(number, text):
    return {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "stage": "ResponseComplete",
        "auditID": f"00000000-0000-4000-8000-{number:012}", "verb": "get", "sourceIPs": ["10.0.0.9"],
        "requestURI": "/api/v1/namespaces/prod/secrets/x", "user": {"username": text}, "userAgent": text,
        "objectRef": {"resource": "secrets", "namespace": "prod", "name": text, "apiVersion": "v1"},
        "responseStatus": {"code": 200}, "requestReceivedTimestamp": f"2026-11-21T20:37:38.{number:06}Z",
        "stageTimestamp": f"2026-11-21T20:37:38.{number:06}Z",
    }


def defused(text):
    return "'" + text if text.lstrip().startswith(FORMULA) else text


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    kforensic = [sys.argv[1], "--case", str(folder / "case")]
    log = folder / "audit.log"
    log.write_text("".join(json.dumps(event(*pair)) + "\n" for pair in enumerate(HOSTILE)))
    subprocess.run([*kforensic, "ingest", str(log)], check=True, capture_output=True)

    def answer(name, *options):
        path = folder / name
        command = [*kforensic, "query", "secret-reads", "-o", str(path), *options]
        subprocess.run(command, check=True, capture_output=True)
        return path

    columns = ("user_name", "name", "user_agent")
    exact = [(text,) * 3 for text in HOSTILE]
    safe = [(defused(text),) * 3 for text in HOSTILE]
    cells = lambda rows: [tuple(row[column] for column in columns) for row in rows]

    assert cells(json.loads(answer("a.json").read_text())) == exact
    assert cells(map(json.loads, answer("a.jsonl").read_text().split("\n")[:-1])) == exact
    assert cells(pyarrow.parquet.read_table(answer("a.parquet")).to_pylist()) == exact
    found = duckdb.execute(f"SELECT user_name, name, user_agent FROM read_parquet('{folder}/a.parquet')").fetchall()
    assert found == exact

    read_csv = lambda path: cells(csv.DictReader(path.open(newline="", encoding="utf-8")))
    assert read_csv(answer("a.csv")) == safe
    assert read_csv(answer("raw.csv", "--raw-cells")) == exact
    frame = lambda path, **options: pandas.read_csv(path, keep_default_na=False, na_values=[], **options)
    assert cells(frame(folder / "a.csv").to_dict("records")) == safe

    escapes = {"t": "\t", "n": "\n", "r": "\r"}
    def unescaped(cell):
        parts, characters = [], iter(cell)
        for character in characters:
            if character == "\\":
                character = next(characters)
                character = escapes.get(character, character)
            parts.append(character)
        return "".join(parts)
    lines = [line.split("\t") for line in answer("a.tsv").read_bytes().decode().split("\n")[:-1]]
    assert cells(dict(zip(lines[0], map(unescaped, line), strict=True)) for line in lines[1:]) == safe

    # As Timesketch reads them: pandas for CSV, one object a line, lists of tags, times that stay.
    tags = ["secret-reads", "T1552.007"]
    events = pandas.read_csv(answer("t.csv", "--format", "timesketch"))
    assert len(events) == len(HOSTILE) and all(json.loads(tag) == tags for tag in events["tag"]), events["tag"]
    times = pandas.to_datetime(events["datetime"], errors="coerce")
    assert not times.isnull().any()
    assert [int(time.timestamp() * 1_000_000) for time in times] == list(events["timestamp"])
    for line, text in zip(answer("t.jsonl", "--format", "timesketch").read_text().split("\n")[:-1], HOSTILE, strict=True):
        parsed = json.loads(line)
        assert {"message", "datetime", "timestamp_desc"} <= parsed.keys() and isinstance(parsed["timestamp"], int)
        assert parsed["tag"] == tags and parsed["message"].isprintable(), parsed["message"]
        for value in parsed.values():
            assert not isinstance(value, dict) and len(str(value).encode()) <= 32_766

    for name in ("a.txt", "a.md"):
        text = answer(name).read_text()
        assert "\x1b" not in text and "\0" not in text and "\u202e" not in text
        lines = text.splitlines()
        if name == "a.md":
            # Below the table stand, quoted, the verdict and what is left out.
            assert all(line[:1] in ("|", ">", "") for line in lines), text
            lines = [line for line in lines if line.startswith("|")]
        assert len(lines) == len(HOSTILE) + 2

    def on_terminal(*options, **environment):
        """What a terminal is sent, and how the command ended."""
        ours, theirs = pty.openpty()
        command = [*kforensic, "query", "secret-reads", "--limit", "1", *options]
        environment = {**{name: value for name, value in os.environ.items() if name != "NO_COLOR"}, **environment}
        process = subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=environment)
        os.close(theirs)
        sent = b""
        try:
            while part := os.read(ours, 1 << 16):
                sent += part
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        return sent.decode(), process.wait()

    first = ("--until", "2026-11-21T20:37:38.000001Z", "--outcome", "allowed")
    for form in ("csv", "tsv", "json", "markdown"):
        sent, code = on_terminal(*first, "--format", form)
        assert code == 0 and "\x1b" not in sent and "\x07" not in sent and "title" in sent, (form, sent)
    assert "\x1b[32mallowed\x1b[0m" in on_terminal(*first)[0]
    assert "\x1b" not in on_terminal(*first, NO_COLOR="1")[0]
    assert "\x1b" in on_terminal(*first, "--format", "csv", "--raw-cells")[0]
    assert on_terminal("--format", "parquet") == ("", 2)
print(f"{len(HOSTILE)} hostile rows read back from every format")
