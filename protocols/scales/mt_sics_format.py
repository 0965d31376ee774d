"""MT-SICS lines as a format of `gatewayd decode`."""

from collections.abc import Iterator

from protocols.formats import Fields, Format, Part, unhex
from protocols.framing import FrameError, Noise, shown
from protocols.scales import mt_sics


def _read(data: str) -> Fields:
    found = [mt_sics.fields(mt_sics.decode(raw)) for raw in _split(unhex(data))]
    return found[0] if len(found) == 1 else {"lines": found}


def _split(data: bytes) -> list[bytes]:
    framer = mt_sics.new_framer()
    lines = []
    for piece in [*framer.feed(data), *framer.idle()]:
        if isinstance(piece, Noise):
            mt_sics.decode(data)  # Its own reason says more, when it is one line.
            raise FrameError(f"{piece.reason}: {shown(piece.raw)}")
        lines.append(piece)
    return lines


def _parts(data: str, _found: Fields) -> Iterator[Part]:
    for raw in _split(unhex(data)):
        text = raw[: -len(mt_sics.END)]
        yield Part(text.hex(" "), text.decode("ascii"))
        yield Part(mt_sics.END.hex(" "), "CR LF")


MT_SICS = Format(
    name="mt_sics",
    kind="frame",
    read=_read,
    summary="MT-SICS commands and answers of Mettler Toledo scales, in hex",
    summary_zh="梅特勒-托利多 MT-SICS 命令与应答（十六进制）",
    parts=_parts,
    framer=mt_sics.new_answer_framer,
    caveats=(
        "no checksum: a digit that was garbled is not noticed",
        "S and SI give the net weight, what the scale shows",
    ),
)
