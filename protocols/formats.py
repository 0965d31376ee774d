"""What a format of `gatewayd decode` is: one row that each protocol declares beside its codec."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from protocols.framing import FrameError, Framer
from protocols.tags import epc

Kind: TypeAlias = Literal["frame", "tag", "barcode"]
Fields: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the data as it came, and what it is."""

    raw: str
    meaning: str


def _no_parts(_data: str, _fields: Fields) -> Iterable[Part]:
    """A format that is not taken apart."""
    return ()


@dataclass(frozen=True, slots=True)
class Format:
    """One row of the table.

    `read` turns pasted hex or text into fields named as in contract §2, or raises FrameError,
    `epc.TagError` or `cylinder_code.CodeError`. `parts` lays valid data beside its meaning.
    `proof_bits` is how many checksum bits prove such data by itself: 8 and more make the format a
    candidate when nobody said what the data is. `framer` cuts a stream of it, for finding out what
    speaks on a wire; None where nothing proves a frame. `caveats` tell what is unproven or lost.
    """

    name: str
    kind: Kind
    read: Callable[[str], Fields]
    summary: str
    summary_zh: str
    parts: Callable[[str, Fields], Iterable[Part]] = _no_parts
    framer: Callable[[], Framer] | None = None
    proof_bits: int = 0
    caveats: tuple[str, ...] = ()


def unhex(data: str) -> bytes:
    """Bytes of hex with any separators. Raises FrameError when it is empty, odd or not hex."""
    try:
        return epc.unhex(data)
    except epc.TagError as exc:
        raise FrameError(str(exc)) from exc


def whole(framer: Framer, raw: bytes) -> bytes:
    """The one frame that `raw` is; raises FrameError when it is none, broken, or more than one."""
    pieces = [*framer.feed(raw), *framer.idle()]
    for piece in pieces:
        if not isinstance(piece, bytes):
            raise FrameError(piece.reason)
    if len(pieces) != 1:
        raise FrameError(f"{len(pieces)} frames; expected one")
    assert isinstance(pieces[0], bytes)
    return pieces[0]
