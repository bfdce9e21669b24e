"""Seeds for a fuzz target, cut from the logs of the repository: seeds.py TARGET FOLDER."""
import gzip
import hashlib
import pathlib
import sys

# Whole logs would make every run slow: what is told apart stands at their beginning.
BEGINNING_BYTES = 4000
LINE_BYTES = 20000

target, folder = sys.argv[1], pathlib.Path(sys.argv[2])
root = pathlib.Path(__file__).resolve().parents[3]


def content(path):
    data = path.read_bytes()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" and "truncated" not in path.name else data


def put(seed):
    (folder / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)


def files(pattern):
    return [content(path) for path in sorted(root.glob(pattern)) if path.is_file()]


logs = files("tests/logs/shapes/*") + files("tests/logs/more-shapes/*") + files("tests/logs/damage/*.log*")
logs += files("tests/logs/third-party/*/*") + files("tests/logs/collectors/*/*")
seeds = files("crates/event/tests/seeds/*")
if target == "shape":
    for data in seeds:
        put(data)
    for data in logs:
        put(data[:BEGINNING_BYTES])
        # Some short lines, whole.
        put(b"\n".join(sorted(data[:200000].split(b"\n"), key=len)[-12:][:4])[:BEGINNING_BYTES])
else:
    lines = {line for data in logs + seeds for line in data[:400000].split(b"\n")}
    for line in sorted(lines, key=len)[:: max(1, len(lines) // 600)]:
        put(line[:LINE_BYTES])
