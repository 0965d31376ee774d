"""What kind of scale sends these bytes, when it is not the configured one; None when unsure.

Several frames that decode and fill most of the bytes name a kind, also where it has no checksum:
the shapes of the kinds have little in common. It is told to a person, no weight is taken from it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from protocols.framing import FrameError, Framer
from protocols.scales import mt_sics, toledo, yaohua

FRAMES_MIN = 3
"""Fewer frames than this are no proof."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A driver with the setting that fits; empty where it needs none."""

    driver: str
    setting: str = ""

    def __str__(self) -> str:
        return f"{self.driver}, {self.setting}" if self.setting else self.driver


@dataclass(frozen=True, slots=True)
class _Candidate:
    kind: Kind
    framer: Callable[[], Framer]
    decode: Callable[[bytes], object]


def _yaohua(variant: yaohua.Variant) -> _Candidate:
    decode = partial(yaohua.decode_weighing, variant=variant)
    kind = Kind("scale.yaohua", f"variant: {variant}")
    return _Candidate(kind, partial(yaohua.new_framer, variant), decode)


def _toledo(*, checked: bool) -> _Candidate:
    kind = Kind("scale.toledo", f"checksum: {'true' if checked else 'false'}")
    return _Candidate(kind, partial(toledo.new_framer, checked=checked), toledo.decode)


def _sics_weight(raw: bytes) -> None:
    """Refuse anything but the answer to S: words are lines as well."""
    line = mt_sics.decode(raw)
    if line.kind != "answer" or line.name != "S":
        raise FrameError("not a weight")


_CANDIDATES = (
    *(_yaohua(variant) for variant in yaohua.VARIANTS),
    *(_toledo(checked=checked) for checked in (True, False)),
    _Candidate(Kind("scale.mt_sics"), mt_sics.new_framer, _sics_weight),
)


def recognise(raw: bytes) -> Kind | None:
    """The kind whose frames fill most of the bytes, when there are enough of them."""
    covered = {candidate.kind: _covered(candidate, raw) for candidate in _CANDIDATES}
    kind = max(covered, key=lambda each: covered[each])
    return kind if 2 * covered[kind] >= len(raw) and covered[kind] else None


def _covered(candidate: _Candidate, raw: bytes) -> int:
    """Bytes in frames that decode; 0 when they are too few to mean anything."""
    framer = candidate.framer()
    sizes = []
    for piece in [*framer.feed(raw), *framer.idle()]:
        if isinstance(piece, bytes):
            try:
                candidate.decode(piece)
            except FrameError:
                continue
            sizes.append(len(piece))
    return sum(sizes) if len(sizes) >= FRAMES_MIN else 0
