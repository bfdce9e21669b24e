"""Seeds for a fuzz target, cut from the captures of the repository: seeds.py TARGET FOLDER."""
import gzip
import hashlib
import pathlib
import sys

target, folder = sys.argv[1], pathlib.Path(sys.argv[2])
root = pathlib.Path(__file__).resolve().parents[3]


def content(path):
    data = path.read_bytes()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" and "truncated" not in path.name else data


def put(seed):
    (folder / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)


wrapped = [content(path) for path in sorted((root / "tests/logs/shapes").iterdir()) if path.is_file()]
odd = [content(path) for path in sorted((root / "tests/logs/damage").glob("*.log*"))]
if target == "shape":
    # The first byte chooses the shape: every wrapper in its own and in some others.
    for number, data in enumerate(wrapped + odd):
        for choice in (0, number % 30, (number + 7) % 30):
            put(bytes([choice]) + data[:6000])
else:
    lines = [line for data in wrapped + odd for line in data.split(b"\n")]
    for line in sorted(set(lines), key=len)[:600]:
        put(line[:20000])
