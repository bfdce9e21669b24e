#!/usr/bin/env python3
"""Asks kforensic and the oracle the same questions about the same logs, and compares their answers row by row.

usage: compare.py KFORENSIC LOG... -- LOG... [-- ...]      (each group of logs is one case)
"""
import itertools, json, pathlib, subprocess, sys, tempfile

QUESTIONS = ["secret-reads", "rbac-changes", "failed-auth"]
oracle = [sys.executable, str(pathlib.Path(__file__).with_name("oracle.py"))]


def rows(command):
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in output.splitlines()]


kforensic, *arguments = sys.argv[1:]
groups = [list(group) for last, group in itertools.groupby(arguments, lambda text: text == "--") if not last]
compared = 0
for logs in groups:
    with tempfile.TemporaryDirectory() as folder:
        tool = [kforensic, "--case", folder + "/case"]
        ingest = subprocess.run([*tool, "ingest", *logs], capture_output=True, text=True)
        assert ingest.returncode in (0, 1), ingest.stderr
        for question in QUESTIONS:
            ours = rows([*tool, "query", question, "--format", "jsonl"])
            theirs = rows([*oracle, question, *logs])
            assert len(ours) == len(theirs), f"{question} of {logs}: {len(ours)} rows, the oracle has {len(theirs)}"
            for number, (one, other) in enumerate(zip(ours, theirs)):
                # The fields of the three questions are a contract; more may stand behind them.
                one = dict(list(one.items())[: len(other)])
                assert one == other, f"row {number} of {question} of {logs}:\n{one}\n{other}"
            compared += len(ours)
print(f"{compared} rows of {len(groups)} cases are the same")
