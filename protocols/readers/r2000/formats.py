"""R2000 frames as a format of `gatewayd decode`."""

from collections.abc import Iterator
from functools import partial

from protocols.formats import Fields, Format, Part, unhex
from protocols.readers.r2000.envelope import new_framer
from protocols.readers.r2000.fields import cut, fields
from protocols.readers.r2000.replies import is_known_reply


def _read(data: str) -> Fields:
    return fields(unhex(data))


def _parts(data: str, _found: Fields) -> Iterator[Part]:
    for frame in cut(unhex(data)):
        yield Part(frame[:1].hex(), "start of a frame")
        yield Part(frame[1:2].hex(), f"length of what follows: {frame[1]}")
        yield Part(frame[2:3].hex(), f"reader address: {frame[2]}")
        yield Part(frame[3:4].hex(), f"command: 0x{frame[3]:02X}")
        if frame[4:-1]:
            yield Part(frame[4:-1].hex(" "), "data")
        yield Part(frame[-1:].hex(), "makes the sum of all bytes 0: correct")


R2000_A0 = Format(
    name="r2000_a0",
    kind="frame",
    read=_read,
    summary="R2000 serial reader frame (YR89xx, IND903, FONKAN): A0, length, sum",
    summary_zh="R2000 串口读写器帧（YR89xx、IND903、FONKAN）：A0、长度、校验和",
    parts=_parts,
    framer=partial(new_framer, is_known_reply),
    proof_bits=8,
    caveats=(
        "a frequency plan of one's own makes freq_mhz wrong: the frame only has a channel number",
        "a frame whose length byte is 1 or 3 too low is accepted when it adds up and is whole",
        "the sign of a temperature is not certain",
    ),
)
