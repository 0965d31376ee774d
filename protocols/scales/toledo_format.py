"""Toledo continuous output as a format of `gatewayd decode`."""

from collections.abc import Iterator

from protocols.formats import Fields, Format, Part, unhex
from protocols.framing import FrameError, Framer, Noise, shown
from protocols.scales import toledo


def _read(data: str) -> Fields:
    found = [toledo.fields(toledo.decode(raw)) for raw in _split(unhex(data))]
    return found[0] if len(found) == 1 else {"frames": found}


def _split(data: bytes) -> list[bytes]:
    """Frames back to back; all have the check or none has."""
    if len(data) <= toledo.FRAME_BYTES_MAX:
        return [data]
    for checked in (True, False):
        framer = toledo.new_framer(checked=checked)
        pieces = [*framer.feed(data), *framer.idle()]
        frames = [piece for piece in pieces if isinstance(piece, bytes)]
        if len(frames) == len(pieces):
            return frames
        wrong = next(piece for piece in pieces if isinstance(piece, Noise))
    raise FrameError(f"{wrong.reason}: {shown(wrong.raw)}")


def _parts(data: str, _found: Fields) -> Iterator[Part]:
    for raw in _split(unhex(data)):
        yield from _frame_parts(raw)


def _frame_parts(raw: bytes) -> Iterator[Part]:
    frame = toledo.decode(raw)
    found = toledo.fields(frame)
    yield Part(raw[:1].hex(), "STX")
    yield Part(raw[1:2].hex(), f"status A: {found['decimals']} decimals, step {found['increment']}")
    yield Part(raw[2:3].hex(), f"status B: {found['mode']}, {found['status']}")
    yield Part(raw[3:4].hex(), f"status C: {found['unit']}")
    yield Part(raw[4:10].hex(" "), f"weight shown: {frame.digits}")
    rest = raw[10 : -2 if frame.checked else -1]
    if rest:
        yield Part(rest.hex(" "), f"tare: {frame.tare}")
    yield Part(raw[-2:-1].hex() if frame.checked else raw[-1:].hex(), "CR")
    if frame.checked:
        yield Part(raw[-1:].hex(), "check: correct")


def _framer() -> Framer:
    return toledo.new_framer(checked=True)


TOLEDO_CONTINUOUS = Format(
    name="toledo_continuous",
    kind="frame",
    read=_read,
    summary="Toledo continuous output of weighing indicators, with or without its check",
    summary_zh="托利多连续输出（称重仪表），带或不带校验",
    parts=_parts,
    framer=_framer,
    # Seven bits of check; the fixed places of STX, digits and CR prove far more than one bit.
    proof_bits=8,
    caveats=(
        "the check is 7 bits and many scales do not send it",
        "units other than kg, lb, g and t, and fixed zeros (X0, X00), differ between makes",
    ),
)
