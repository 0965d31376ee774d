"""Yusheng frames as a format of `gatewayd decode`."""

from collections.abc import Iterator

from protocols.formats import Fields, Format, Part, unhex
from protocols.framing import Noise
from protocols.scales.yusheng.envelope import CRC_BYTES, HEAD_BYTES, new_framer, unseal
from protocols.scales.yusheng.fields import fields
from protocols.scales.yusheng.layouts import HEAD


def _read(data: str) -> Fields:
    found = [fields(raw) for raw in _split(unhex(data))]
    return found[0] if len(found) == 1 else {"frames": found}


def _split(data: bytes) -> list[bytes]:
    """Frames of a scale back to back; anything else must be one frame, and says itself why not."""
    framer = new_framer()
    pieces = [*framer.feed(data), *framer.idle()]
    frames = [piece for piece in pieces if not isinstance(piece, Noise)]
    if len(pieces) < 2 or len(frames) != len(pieces):  # noqa: PLR2004 - several
        unseal(data)
        return [data]
    return frames


def _parts(data: str, _found: Fields) -> Iterator[Part]:
    for raw in _split(unhex(data)):
        found = fields(raw)
        cmd = found.get("command_name", found.get("decision", "acknowledgement or points"))
        head = HEAD_BYTES if raw.startswith(HEAD) else 2
        yield Part(raw[:head].hex(" "), f"head, address {found['address']}: {cmd}")
        if raw[head:-CRC_BYTES]:
            yield Part(raw[head:-CRC_BYTES].hex(" "), "data")
        yield Part(raw[-CRC_BYTES:].hex(" "), "CRC-16/MODBUS, low byte first: correct")


YUSHENG = Format(
    name="yusheng",
    kind="frame",
    read=_read,
    summary="Yusheng LPG filling scale on TCP: codes, finished fills, permits",
    summary_zh="禹胜（Yusheng）液化气充装秤 TCP 协议：瓶码、充装记录、充装许可",
    parts=_parts,
    framer=new_framer,
    proof_bits=16,
    caveats=(
        "no source states the unit of the weights: fields that end in _raw are as sent",
        "weights are only sent when a fill has ended",
    ),
)
