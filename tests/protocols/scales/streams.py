"""Cutting a stream as wires cut it."""

import random
from collections.abc import Iterable

from protocols.framing import Framer


def frames_of(framer: Framer, data: bytes, rng: random.Random) -> list[bytes]:
    """The frames in a stream that arrives in random pieces."""
    found: list[bytes] = []
    while data:
        size = rng.randrange(1, 12)
        found += [piece for piece in framer.feed(data[:size]) if isinstance(piece, bytes)]
        data = data[size:]
    return found + [piece for piece in framer.idle() if isinstance(piece, bytes)]


def among_garbage(frames: Iterable[bytes], rng: random.Random, garbage: bytes) -> bytes:
    """Frames with some bytes of `garbage` before each."""
    return b"".join(bytes(rng.choices(garbage, k=rng.randrange(6))) + frame for frame in frames)
