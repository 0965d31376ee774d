"""UHFReader frames as formats of `gatewayd decode`."""

from collections.abc import Iterator
from functools import partial

from protocols.formats import Fields, Format, Part, unhex
from protocols.readers.uhfreader.envelope import BRIDGE_HEARTBEAT, Dialect, new_framer
from protocols.readers.uhfreader.fields import cut, fields

_CRC_BYTES = 2


def _read(data: str, dialect: Dialect) -> Fields:
    return fields(unhex(data), dialect)


def _parts(data: str, found: Fields) -> Iterator[Part]:
    if "meaning" in found and "recmd" not in found:
        yield Part(unhex(data).hex(" "), str(found["meaning"]))
        return
    for frame in cut(unhex(data)):
        if frame == BRIDGE_HEARTBEAT:
            yield Part(frame.hex(" "), "heartbeat of a bridge")
            continue
        yield from _frame_parts(frame, is_command=found.get("direction") == "host>device")


def _frame_parts(frame: bytes, *, is_command: bool) -> Iterator[Part]:
    body, crc = frame[:-_CRC_BYTES], frame[-_CRC_BYTES:]
    names = ["length of what follows", "reader address", "command"]
    if not is_command:
        names = [*names[:2], "command answered", "status"]
    for name, byte in zip(names, body, strict=False):
        yield Part(f"{byte:02x}", f"{name}: {byte}")
    if data := body[len(names) :]:
        yield Part(data.hex(" "), "data")
    yield Part(crc.hex(" "), "CRC-16/MCRF4XX, low byte first: correct")


UHFREADER18 = Format(
    name="uhfreader18",
    kind="frame",
    read=partial(_read, dialect="18"),
    summary="UHFReader18 frame: no antenna, no RSSI",
    summary_zh="UHFReader18 帧：不报天线和信号强度",
    parts=_parts,
    framer=new_framer,
    proof_bits=16,
)
UHFREADER288 = Format(
    name="uhfreader288",
    kind="frame",
    read=partial(_read, dialect="288"),
    summary="UHFReader288 / 86 frame: antenna and RSSI",
    summary_zh="UHFReader288 / 86 帧：带天线和信号强度",
    parts=_parts,
    framer=new_framer,
    proof_bits=16,
    caveats=("RSSI is uncalibrated: compare, never call it dBm",),
)
