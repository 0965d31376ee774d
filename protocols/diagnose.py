"""Say what the bytes on a wire look like when they are not what was expected; None when unsure.

Only proof names a protocol: frames whose checksum holds, several of them or nearly all of the
bytes. What has no proof is told as a likelihood (`wrong_baud`) or not at all. Nothing here reads a
tag: a diagnosis is for the person who set up the wire.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

from protocols.decode import FORMATS, proving
from protocols.formats import Format
from protocols.framing import Framer

RAW_BYTES_MAX = 4096
"""The newest bytes looked at; more tell nothing new."""
LIVE_BYTES_MAX = 512
"""What a running daemon looks at in one go, a few milliseconds: its gates are renewed meanwhile."""
BAUDS = (115_200, 57_600, 38_400, 19_200, 9_600)
"""The speeds that readers and scanners leave their factories with, the commonest first."""

CERTAIN_BITS = 16
"""A frame with so many checksum bits that fills most of the bytes proves its protocol."""
FRAMES_MIN = 2
"""Weaker frames, or frames among other bytes, count from this many on."""
WEAK_FRAMES_MIN = 3
"""So many frames of an 8-bit sum with a start byte are no accident in RAW_BYTES_MAX bytes (4e-5)."""
GARBAGE_BYTES_MIN = 16
GARBAGE_SHARE = 0.8
"""How much must look like misread bits before a wrong speed is suspected."""
HEADS_MIN = 3
"""So many beginnings of frames without one proven frame are no accident."""
HEAD_BYTES = 4
START_BYTES_MAX = 8
"""A framer that takes more different first bytes than this has no start byte to recognise."""
ECHO_BYTES_MIN = 4
TEXT_BYTES_MIN = 4
LINES_MIN = 2
TEXT_FORMAT = "scanner_serial"

Kind: TypeAlias = Literal[
    "other_format", "mixed_formats", "wrong_baud", "lying_length", "no_terminator", "echo"
]

_FEW_EDGES = frozenset({0x00, 0x80, 0xC0, 0xE0, 0xF0, 0xF8, 0xFC, 0xFE, 0xFF})
"""What a port that samples too fast makes of slow bits: a run of zeros, then a run of ones."""
_ENDS = frozenset(b"\r\n\x03")
_AFFIXES = _ENDS | frozenset(b"\x02\t\x1d\x1e\x04")
_PRINTABLE = range(0x20, 0x7F)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the bytes look like.

    `formats` are the names of `FORMATS` proven by `frames` frames (for `mixed_formats` the expected
    one may be among them); `bauds` are speeds to try; `example` is one frame or stretch that shows
    it.
    """

    kind: Kind
    formats: tuple[str, ...] = ()
    bauds: tuple[int, ...] = ()
    frames: int = 0
    example: bytes = b""


@dataclass(frozen=True, slots=True)
class _Found:
    """The proven frames of formats that share one framer."""

    formats: tuple[str, ...]
    proof_bits: int
    spans: tuple[tuple[int, int], ...]

    @property
    def size(self) -> int:
        return sum(end - start for start, end in self.spans)


def diagnose(raw: bytes, expected: str, sent: bytes = b"") -> Diagnosis | None:
    """What `raw`, heard where `expected` frames were due, looks like; None when unsure.

    `sent` is the last command of ours, by which an echo and the reader's own replies are known. A
    wire that carries proven frames of `expected` and nothing else proven is well: None. With an
    `expected` that is no format only what is proven is told.
    """
    raw = raw[-RAW_BYTES_MAX:]
    heard = _without(raw, sent)
    ours = _framer_of(expected)
    found = _proven(heard)
    if found:
        return _judged(heard, expected, found)
    if len(heard) < len(raw) and not heard.strip(b"\x00"):
        return Diagnosis("echo", example=sent)
    if ours is None and expected in FORMATS:
        return _unlike_text(heard)
    if _is_text(heard):
        return Diagnosis("other_format", (TEXT_FORMAT,), frames=_lines(heard), example=heard)
    if ours is None:
        return None
    if _looks_misread(heard):
        return Diagnosis("wrong_baud", bauds=BAUDS, example=heard)
    return _lying(heard, expected, sent)


def _without(raw: bytes, sent: bytes) -> bytes:
    """The bytes less our own commands come back."""
    return raw.replace(sent, b"") if len(sent) >= ECHO_BYTES_MIN else raw


def _framer_of(name: str) -> Framer | None:
    framer = FORMATS[name].framer if name in FORMATS else None
    return framer() if framer is not None else None


@cache
def _families(known: tuple[str, ...]) -> tuple[tuple[Format, ...], ...]:
    """The formats that prove frames of a stream, those that share a framer together."""
    rows: dict[object, list[Format]] = {}
    for row in (FORMATS[name] for name in known):
        if row.framer is not None and row.kind == "frame":
            rows.setdefault(row.framer, []).append(row)
    return tuple(tuple(family) for family in rows.values())


def _proven(raw: bytes) -> list[_Found]:
    """Who can prove frames here, the strongest first; frames inside another's frame do not count."""
    found = []
    for family in _families(tuple(row.name for row in proving())):
        names = tuple(row.name for row in family)
        try:
            spans = tuple(_spans(family[0], raw))
        except Exception:  # noqa: BLE001, S112 - a broken framer of somebody else proves nothing
            continue
        found.append(_Found(names, family[0].proof_bits, spans))
    found.sort(key=lambda each: (-each.size, -each.proof_bits))
    taken: list[tuple[int, int]] = []
    kept = []
    for each in found:
        spans = tuple(s for s in each.spans if not any(s[0] < b and a < s[1] for a, b in taken))
        taken += spans
        kept.append(_Found(each.formats, each.proof_bits, spans))
    return [each for each in kept if _convinces(each, len(raw))]


def _spans(row: Format, raw: bytes) -> Iterator[tuple[int, int]]:
    """Where frames of a format are proven; only bytes that may begin one are measured."""
    assert row.framer is not None, row
    framer, starts = row.framer(), start_bytes(row.name)
    at = 0
    while at < len(raw):
        size = framer.size_at(raw, at) if not starts or raw[at] in starts else 0
        if size:
            yield at, at + size
        at += size or 1


def _convinces(found: _Found, total: int) -> bool:
    """Several frames, or one long proof that leaves little unexplained."""
    frames, most = len(found.spans), 2 * found.size >= total
    if found.proof_bits >= CERTAIN_BITS:
        return frames >= FRAMES_MIN or (frames > 0 and most)
    if frames >= WEAK_FRAMES_MIN and start_bytes(found.formats[0]):
        return True
    return frames >= FRAMES_MIN and most


def _judged(raw: bytes, expected: str, found: list[_Found]) -> Diagnosis | None:
    """Other frames than expected, or several kinds on one cable; the expected alone is well."""
    others = [each for each in found if expected not in each.formats]
    if not others:
        return None
    first = others[0]
    names = tuple(name for each in found for name in each.formats)
    frames = sum(len(each.spans) for each in found)
    start, end = first.spans[0]
    if len(found) > 1:
        return Diagnosis("mixed_formats", names, frames=frames, example=raw[start:end])
    return Diagnosis("other_format", first.formats, frames=frames, example=raw[start:end])


def _is_text(raw: bytes) -> bool:
    """Whole printable lines, at least two of them."""
    printable = all(byte in _PRINTABLE or byte in _AFFIXES for byte in raw)
    return len(raw) >= TEXT_BYTES_MIN and printable and _lines(raw) >= LINES_MIN


def _lines(raw: bytes) -> int:
    """Lines of text that ended."""
    ended = raw.replace(b"\n", b"\r").replace(b"\x03", b"\r").split(b"\r")[:-1]
    return sum(len(line.strip()) >= TEXT_BYTES_MIN for line in ended)


def _unlike_text(raw: bytes) -> Diagnosis | None:
    """What is wrong where printed codes were expected."""
    if _looks_misread(raw):
        return Diagnosis("wrong_baud", bauds=BAUDS, example=raw)
    printable = all(byte in _PRINTABLE for byte in raw)
    if printable and len(raw) >= TEXT_BYTES_MIN:
        return Diagnosis("no_terminator", example=raw)
    return None


def _looks_misread(raw: bytes) -> bool:
    """Bytes made of one run of zeros and one of ones: a faster port's view of slower bits.

    One value alone is no speed: a line that is held, or an empty memory.
    """
    few = [byte for byte in raw if byte in _FEW_EDGES]
    enough = len(raw) >= GARBAGE_BYTES_MIN and len(few) >= GARBAGE_SHARE * len(raw)
    return enough and len(set(few) - {0x00, 0xFF}) >= FRAMES_MIN


def _lying(raw: bytes, expected: str, sent: bytes) -> Diagnosis | None:
    """Frames of the expected kind begin again and again, and never prove."""
    starts = start_bytes(expected)
    if starts:
        heads = [at for at in range(len(raw)) if raw[at] in starts and _goes_on(raw[at:], expected)]
    else:
        heads = [at for at in range(len(raw)) if _answers(raw[at:], sent)]
    by_chance = len(raw) * max(len(starts), 1) / 256
    if len(heads) < HEADS_MIN or len(heads) < 4 * by_chance or heads[0] > 0:
        return None
    return Diagnosis("lying_length", (expected,), frames=0, example=raw[: heads[1]])


@cache
def start_bytes(name: str) -> frozenset[int]:
    """The first bytes that a format's frames have; empty when nearly any byte may begin one."""
    starts = set()
    for byte in range(256):
        framer = _framer_of(name)
        assert framer is not None, name
        framer.feed(bytes((byte,)))
        if framer.held_bytes:
            starts.add(byte)
    return frozenset(starts) if len(starts) <= START_BYTES_MAX else frozenset()


def _goes_on(raw: bytes, name: str) -> bool:
    """Whether a frame may still begin here after its first bytes."""
    framer = _framer_of(name)
    assert framer is not None, name
    framer.feed(raw[: HEAD_BYTES - 1])
    return framer.held_bytes == min(HEAD_BYTES - 1, len(raw))


def _answers(raw: bytes, sent: bytes) -> bool:
    """A reply repeats address and command of its question behind its length."""
    if len(sent) < HEAD_BYTES or len(raw) < HEAD_BYTES:
        return False
    return raw[1 : HEAD_BYTES - 1] == sent[1 : HEAD_BYTES - 1]


def warm_up() -> None:
    """Import every codec and prepare every framer, so that the first diagnosis is as quick as any.

    Takes some hundred milliseconds once; safe in another thread.
    """
    diagnose(bytes(HEAD_BYTES), "")
