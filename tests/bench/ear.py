"""An independent MQTT 3.1.1 subscriber on a bare socket, which notes when each weight arrived.

    python -m tests.bench.ear LOG PORT TOPIC_FILTER

Prints `listening`, and on SIGTERM writes LOG: int64 triples (number at the end of the rig's name,
gross in grams, arrived at in CLOCK_MONOTONIC ns). Nothing is parsed before the end, so that the
ear takes no time from what it measures.
"""

import argparse
import json
import re
import signal
import socket
import struct
import sys
import time
from array import array
from collections.abc import Iterator
from pathlib import Path

CHUNK_BYTES = 65_536
_RIG = re.compile(rb"/rigs/[^/]*?(\d+)/weight$")
_PUBLISH = 0x30
_QOS_BITS = 0x06


def _text(value: str) -> bytes:
    return struct.pack(">H", len(value.encode())) + value.encode()


def _packet(kind: int, body: bytes) -> bytes:
    assert len(body) < 128, "one length byte is enough here"
    return bytes((kind, len(body))) + body


def subscribe(port: int, topic_filter: str) -> socket.socket:
    """A socket with one QoS 0 subscription, confirmed."""
    sock = socket.create_connection(("127.0.0.1", port))
    sock.sendall(_packet(0x10, _text("MQTT") + b"\x04\x02\x00\x00" + _text("bench-ear")))
    assert sock.recv(4)[:1] == b"\x20", "no CONNACK"
    sock.sendall(_packet(0x82, b"\x00\x01" + _text(topic_filter) + b"\x00"))
    assert sock.recv(5)[:1] == b"\x90", "no SUBACK"
    return sock


def packets(chunks: list[tuple[int, bytes]]) -> Iterator[tuple[int, int, bytes]]:
    """(arrived at, first byte, body) of every whole packet."""
    got = bytearray()
    for at_ns, chunk in chunks:
        got += chunk
        while (found := _whole(got)) is not None:
            first, body, size = found
            del got[:size]
            yield at_ns, first, body


def _whole(got: bytearray) -> tuple[int, bytes, int] | None:
    length, shift, start = 0, 0, 1
    while True:
        if len(got) <= start:
            return None
        length |= (got[start] & 0x7F) << shift
        start += 1
        if not got[start - 1] & 0x80:
            break
        shift += 7
    if len(got) < start + length:
        return None
    return got[0], bytes(got[start : start + length]), start + length


def weights(chunks: list[tuple[int, bytes]]) -> Iterator[tuple[int, int, int]]:
    """(rig, gross in grams, arrived at) of every weight."""
    for at_ns, first, body in packets(chunks):
        if first & 0xF0 != _PUBLISH:
            continue
        topic_end = 2 + int.from_bytes(body[:2], "big")
        rig = _RIG.search(body[2:topic_end])
        if rig is not None:
            payload = body[topic_end + (2 if first & _QOS_BITS else 0) :]
            yield int(rig[1]), json.loads(payload)["gross_g"], at_ns


def main() -> None:
    """Listen until SIGTERM, then write what was heard."""
    parser = argparse.ArgumentParser()
    parser.add_argument("log", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("topic_filter")
    asked = parser.parse_args()
    sock = subscribe(asked.port, asked.topic_filter)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    chunks: list[tuple[int, bytes]] = []
    try:
        while chunk := sock.recv(CHUNK_BYTES):
            chunks.append((time.monotonic_ns(), chunk))
    finally:
        heard = array("q")
        for triple in weights(chunks):
            heard.extend(triple)
        asked.log.write_bytes(heard.tobytes())


if __name__ == "__main__":
    main()
