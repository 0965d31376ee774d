"""M100 frames as a format of `gatewayd decode`."""

from collections.abc import Iterator

from protocols.formats import Fields, Format, Part, unhex
from protocols.readers.m100.envelope import HEAD_BYTES, new_framer
from protocols.readers.m100.fields import fields, split


def _read(data: str) -> Fields:
    return fields(unhex(data))


def _parts(data: str, _found: Fields) -> Iterator[Part]:
    for frame in split(unhex(data)):
        yield from _frame_parts(frame)


def _frame_parts(frame: bytes) -> Iterator[Part]:
    types = ("command", "response", "notification")
    yield Part(f"{frame[0]:02x}", "start mark")
    yield Part(f"{frame[1]:02x}", f"type: {types[frame[1]]}")
    yield Part(f"{frame[2]:02x}", "command")
    length = frame[3:HEAD_BYTES]
    yield Part(length.hex(" "), f"length of the parameter: {int.from_bytes(length)}")
    if param := frame[HEAD_BYTES:-2]:
        yield Part(param.hex(" "), "parameter")
    yield Part(f"{frame[-2]:02x}", "sum of type to parameter: correct")
    yield Part(f"{frame[-1]:02x}", "end mark")


M100_BB = Format(
    name="m100_bb",
    kind="frame",
    read=_read,
    summary="M100 / QM100 / R200 frame, BB..7E or AA..DD: RSSI in dBm, no antenna",
    summary_zh="M100 / QM100 / R200 帧，BB..7E 或 AA..DD：信号强度为 dBm，不报天线",
    parts=_parts,
    framer=new_framer,
    proof_bits=8,
    caveats=(
        "the frame proves itself by an 8-bit sum only; a tag also by its own CRC (gen2_crc_ok)",
        "AA..8E (JRM20x0) is known from a transcription, not from a capture",
    ),
)
