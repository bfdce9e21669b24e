#!/usr/bin/env python3
"""Cuts hostile pieces of SQL with DuckDB's own tokenizer, for the tests of `crates/query/src/scanner`.

    pip install duckdb==2.0.0
    tests/oracle/tokens.py 600 > crates/query/src/scanner/cases.jsonl

A line is `[text, tokens]`; a token is its kind and the byte that it begins at. Operators are left out, because DuckDB takes
those of several characters as one; but a semicolon is not. Spaces of Unicode are not in it: DuckDB replaces them before.
"""
import json
import random
import sys

import duckdb

PIECES = [
    "'", "''", '"', '""', "`", "``", "$", "$$", "$a$", "$1", "$é$", "$_1$", "$user", "/*", "*/", "--", "//", "\n", "\r", "\t",
    " ", "\x0b", ";", ";", "e'", "E'", "N'", "x'", "b'", "u&'", "\\", "\\'", "a", "ab", "e", "é", "日", "_", "\x01", "1", "1e",
    "1e-", "1e5", ".", "..", ".5", "1_0", "_1", "0x1F", "1.e3", "::", ":=", ":", "(", ")", "[", "{", "}", ",", "?", "#1", "@",
    "-", "+", "*", "/", "<>", "||", "~", "!", "%", "^", "&", "SELECT", "select", "from", "drop",
]
KINDS = {"keyword": "word", "identifier": "word", "string_const": "text", "numeric_const": "number", "comment": "comment"}


def tokens(sql):
    found = []
    # Places are in bytes.
    data = sql.encode()
    for start, kind in duckdb.tokenize(sql):
        kind = str(kind).rsplit(".", 1)[-1]
        begin = chr(data[start])
        if begin == "$" and kind == "comment":
            # DuckDB forgets that it has passed the character.
            start += 1
        if kind == "operator" and begin == ";":
            found.append(["semicolon", start])
        elif kind == "identifier" and begin == "$" or kind == "operator":
            continue
        elif kind == "numeric_const" and not any(next in b"0123456789" for next in number(data, start)):
            continue
        elif kind == "identifier" and begin in "\"`":
            found.append(["name", start])
        else:
            found.append([KINDS[kind], start])
    return found


def number(data, start):
    end = start
    while end < len(data) and data[end] in b"0123456789.":
        end += 1
    return data[start:end]


def main():
    chance = random.Random(1)
    for _ in range(int(sys.argv[1])):
        sql = "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 9)))
        print(json.dumps([sql, tokens(sql)], ensure_ascii=True))


if __name__ == "__main__":
    main()
