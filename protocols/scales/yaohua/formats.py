"""Yaohua frames as a format of `gatewayd decode`."""

from collections.abc import Iterator

from protocols.formats import Fields, Format, Part, unhex
from protocols.scales.yaohua import a12e, continuous, new_proven_framer
from protocols.scales.yaohua.envelope import STX
from protocols.scales.yaohua.fields import fields, frame_fields, split


def _read(data: str) -> Fields:
    return fields(unhex(data))


def _parts(data: str, _found: Fields) -> Iterator[Part]:
    for frame in split(unhex(data)):
        yield from _frame_parts(frame, frame_fields(frame))


def _frame_parts(raw: bytes, found: Fields) -> Iterator[Part]:
    if raw[:1] == continuous.START:
        yield Part(raw[:1].hex(), "start: =")
        yield Part(raw[1:].hex(" "), f"weight shown, {found['variant']}")
        return
    if raw[:1] == STX:
        yield Part(raw[:1].hex(), "STX")
        yield Part(raw[1:-3].hex(" "), raw[1:-3].decode("ascii"))
        yield Part(raw[-3:-1].hex(" "), f"xor {raw[-3:-1].decode('ascii')}: correct")
        yield Part(raw[-1:].hex(), "ETX")
        return
    body = raw[: -len(a12e.END) - 2]
    yield Part(body.hex(" "), body.decode("ascii").strip() or "blank")
    yield Part(raw[len(body) : -2].hex(" "), "xor of what stands before it")
    yield Part(raw[-2:].hex(" "), "CR LF")


YAOHUA = Format(
    name="yaohua",
    kind="frame",
    read=_read,
    summary="Yaohua XK3190 and Keli weighing indicators: command mode, continuous 0/1/2, A12E",
    summary_zh="耀华 XK3190、柯力称重仪表：命令方式、连续方式 0/1/2、A12E",
    parts=_parts,
    framer=new_proven_framer,
    proof_bits=8,
    caveats=(
        "the unit is only sent by A12E; continuous formats do not say whether gross or net is shown",
        "continuous formats 1 and 2 have no checksum and are told apart by the place of the point",
    ),
)
