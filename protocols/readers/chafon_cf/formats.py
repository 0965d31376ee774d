"""CF frames as a format of `gatewayd decode`."""

from collections.abc import Iterator

from protocols.formats import Fields, Format, Part, unhex
from protocols.readers.chafon_cf.direction import direction
from protocols.readers.chafon_cf.envelope import GREETING, HEAD_BYTES, new_framer, unseal
from protocols.readers.chafon_cf.fields import fields, split


def _read(data: str) -> Fields:
    return fields(unhex(data))


def _parts(data: str, _found: Fields) -> Iterator[Part]:
    raw = unhex(data)
    if raw.startswith(GREETING):
        yield Part(GREETING.hex(" "), "greeting of a new TCP connection")
    for frame in split(raw.removeprefix(GREETING)):
        yield from _frame_parts(frame)


def _frame_parts(frame: bytes) -> Iterator[Part]:
    yield Part(frame[:1].hex(), "start mark")
    yield Part(frame[1:2].hex(), f"reader address: {frame[1]}")
    yield Part(frame[2:4].hex(" "), "command")
    yield Part(frame[4:HEAD_BYTES].hex(), f"length of the data: {frame[4]}")
    data = frame[HEAD_BYTES:-2]
    if data and direction(unseal(frame)) == "device>host":
        yield Part(data[:1].hex(), f"status: {data[0]}")
        data = data[1:]
    if data:
        yield Part(data.hex(" "), "data")
    yield Part(frame[-2:].hex(" "), "CRC-16/MCRF4XX, high byte first: correct")


CHAFON_CF = Format(
    name="chafon_cf",
    kind="frame",
    read=_read,
    summary="Chafon CF frame (2022 and later models): RSSI in dBm, antenna, barcodes",
    summary_zh="Chafon CF 帧（2022 年以后的型号）：信号强度为 dBm，带天线，也带条码",
    parts=_parts,
    framer=new_framer,
    proof_bits=16,
    caveats=(
        "a frame does not say which way it goes; a single byte of data is taken for a status",
        "reading and writing memory is known from a public client, not from a capture",
    ),
)
