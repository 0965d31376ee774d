"""Cut a byte stream into frames. Feed bytes in, take frames out; nothing here waits.

A framer is driven by the length a frame announces and proves each frame by its checksum before
anything parses it. It never searches for a trailer: every byte value occurs inside tag data. On
a violation it gives up one byte and tries again, so a frame after garbage is never lost.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

from construct import Construct, ConstructError

FRAME_BYTES_MAX = 65_536
"""No framer may ask for longer frames; it is also the most a framer ever holds back."""
NOISE_BYTES_MAX = 256
"""Longest run of noise handed out as one piece; a longer run becomes several."""
SHOWN_BYTES_MAX = 64
"""How much of a refused frame an error text shows."""

UNDECIDED = 0
"""What a measure returns when only more bytes can tell."""


class FrameError(Exception):
    """These bytes are not a whole, proven, known frame; the text says why.

    `fields` is what can be told of them all the same, for a person who asks.
    """

    def __init__(self, text: str, *, fields: Mapping[str, Any] = MappingProxyType({})) -> None:
        super().__init__(text)
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Noise:
    """Bytes that were no frame: why, and the bytes themselves (1..NOISE_BYTES_MAX)."""

    reason: str
    raw: bytes


Piece: TypeAlias = bytes | Noise
"""What a framer hands out: a whole proven frame, or noise."""

Measure: TypeAlias = Callable[[bytes], int]
"""Length of the proven frame at the start of the bytes (1 byte to the framer's limit), UNDECIDED
when more bytes are needed, FrameError when no frame starts there. It must decide once it sees the
framer's limit of bytes."""


class Framer:
    """Bounded framer over one measure; holds back fewer than `frame_bytes_max` bytes.

    Everything fed in comes out once, in order: in a frame, as noise, or it is still held.
    """

    def __init__(self, measure: Measure, *, frame_bytes_max: int) -> None:
        assert 0 < frame_bytes_max <= FRAME_BYTES_MAX, frame_bytes_max
        self._measure = measure
        self._limit = frame_bytes_max
        self._held = b""
        self._noise = bytearray()
        self._reason = ""

    @property
    def held_bytes(self) -> int:
        """Bytes waiting for the rest of their frame."""
        return len(self._held)

    def size_at(self, data: bytes, at: int) -> int:
        """Length of the proven frame that begins at `at`, 0 when none does; holds nothing back."""
        try:
            return self._measure(data[at : at + self._limit])
        except FrameError:
            return 0

    def feed(self, data: bytes) -> list[Piece]:
        """Take bytes as they arrived; return what they completed."""
        data = self._held + data
        pieces: list[Piece] = []
        at = self._cut(data, pieces)
        self._held = data[at:]
        assert len(self._held) < self._limit, "a measure did not decide within its limit"
        self._flush(pieces)
        return pieces

    def idle(self) -> list[Piece]:
        """The line fell silent: what is held never completes; nothing is held afterwards.

        Frames hidden behind a false start come out, the rest is noise.
        """
        data, self._held = self._held, b""
        pieces: list[Piece] = []
        at = 0
        while at < len(data):
            at += self._cut(data[at:], pieces)
            if at < len(data):
                self._drop("cut off by silence", data[at : at + 1], pieces)
                at += 1
        self._flush(pieces)
        return pieces

    def _cut(self, data: bytes, pieces: list[Piece]) -> int:
        """Consume frames and violations; stop at the first undecided byte and return its place."""
        at = 0
        while at < len(data):
            window = data[at : at + self._limit]
            try:
                size = self._measure(window)
            except FrameError as exc:
                self._drop(str(exc), window[:1], pieces)
                at += 1
                continue
            if size == UNDECIDED:
                break
            assert size <= len(window), size
            self._flush(pieces)
            pieces.append(window[:size])
            at += size
        return at

    def _drop(self, reason: str, raw: bytes, pieces: list[Piece]) -> None:
        """Collect noise; the first violation of a run names it."""
        self._reason = self._reason or reason
        self._noise += raw
        if len(self._noise) >= NOISE_BYTES_MAX:
            self._flush(pieces)

    def _flush(self, pieces: list[Piece]) -> None:
        if self._noise:
            pieces.append(Noise(self._reason, bytes(self._noise)))
            self._noise.clear()
        self._reason = ""


def parse(layout: "Construct[Any, Any]", data: bytes, what: str) -> Any:
    """Parse proven bytes by a layout that ends in Terminated; raises FrameError naming `what`."""
    try:
        return layout.parse(data)
    except ConstructError as exc:
        detail = str(exc).replace("\n", " ").strip()
        raise FrameError(f"{what}: {shown(data)}: {detail}") from exc


def shown(data: bytes) -> str:
    """Bytes as hex for an error text, shortened at SHOWN_BYTES_MAX."""
    more = "..." if len(data) > SHOWN_BYTES_MAX else ""
    return data[:SHOWN_BYTES_MAX].hex() + more


def noise(reason: str, raw: bytes) -> list[Noise]:
    """Any amount of noise as bounded pieces."""
    starts = range(0, len(raw), NOISE_BYTES_MAX)
    return [Noise(reason, raw[at : at + NOISE_BYTES_MAX]) for at in starts]
