#!/usr/bin/env python3
"""Writes made.mmdb: a MaxMind DB of made-up networks, in both ways in which vendors name its members.

    python3 tests/geoip/make.py tests/geoip/made.mmdb
"""

import ipaddress
import sys

NETWORKS = {
    "127.0.0.1/32": {"country": {"iso_code": "DE"}, "autonomous_system_number": 64500,
                     "autonomous_system_organization": "Made-up Hosting"},
    "127.0.31.0/24": {"country": {"iso_code": "AQ"}, "autonomous_system_number": 64501,
                      "autonomous_system_organization": "<b>Intruder & Sons</b>"},
    "203.0.113.0/24": {"country_code": "NZ", "asn": "AS64502", "as_name": "=1+1\u202eteN"},
    "2001:db8::/32": {"registered_country": {"iso_code": "FR"}, "autonomous_system_number": 64503},
}


# Kinds of numbers; what is not told is a uint32.
UINT16, UINT32, UINT64 = 5, 6, 9


def encode(value):
    def control(kind, size):
        assert size < 29 + 256
        head = bytes([kind << 5 if kind < 8 else 0])
        extended = b"" if kind < 8 else bytes([kind - 7])
        if size < 29:
            return bytes([head[0] | size]) + extended
        return bytes([head[0] | 29]) + extended + bytes([size - 29])

    if isinstance(value, str):
        text = value.encode()
        return control(2, len(text)) + text
    if isinstance(value, dict):
        return control(7, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())
    if isinstance(value, list):
        return control(11, len(value)) + b"".join(encode(v) for v in value)
    kind, value = value if isinstance(value, tuple) else (UINT32, value)
    number = value.to_bytes(8, "big").lstrip(b"\0")
    return control(kind, len(number)) + number


def main():
    root = [None, None]
    data, offsets = b"", []
    for text, record in NETWORKS.items():
        network = ipaddress.ip_network(text)
        bits, length = int(network.network_address), network.prefixlen
        if network.version == 4:
            length += 96
        node = root
        for at in range(length):
            bit = bits >> (127 - at) & 1
            if at == length - 1:
                node[bit] = len(data)
                break
            if node[bit] is None:
                node[bit] = [None, None]
            node = node[bit]
        data += encode(record)

    nodes, numbers = [], {}
    waiting = [root]
    while waiting:
        node = waiting.pop(0)
        numbers[id(node)] = len(nodes)
        nodes.append(node)
        waiting += [child for child in node if isinstance(child, list)]

    def pointer(child):
        if child is None:
            return len(nodes)
        return numbers[id(child)] if isinstance(child, list) else len(nodes) + 16 + child

    tree = b"".join(pointer(child).to_bytes(3, "big") for node in nodes for child in node)
    metadata = {"binary_format_major_version": (UINT16, 2), "binary_format_minor_version": (UINT16, 0),
                "build_epoch": (UINT64, 1795200000),
                "database_type": "Made-up", "description": {"en": "made up for tests"}, "ip_version": (UINT16, 6),
                "languages": ["en"], "node_count": len(nodes), "record_size": (UINT16, 24)}
    with open(sys.argv[1], "wb") as out:
        out.write(tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + encode(metadata))


main()
