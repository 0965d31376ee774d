"""ThingMagic frames as a format of `gatewayd decode`."""

from collections.abc import Iterator

from protocols.formats import Fields, Format, Part, unhex
from protocols.readers.thingmagic.codes import OPCODE_NAMES, STATUS_NAMES
from protocols.readers.thingmagic.envelope import Reply, decode_either, new_tap_framer
from protocols.readers.thingmagic.fields import fields

_CRC_BYTES = 2


def _read(data: str) -> Fields:
    return fields(unhex(data))


def _parts(data: str, found: Fields) -> Iterator[Part]:
    if "frames" not in found:  # One reply in 65,536 begins like a whole command.
        yield from _frame_parts(unhex(data))
        return
    for frame in new_tap_framer().feed(unhex(data)):
        assert isinstance(frame, bytes), frame
        yield from _frame_parts(frame)


def _frame_parts(frame: bytes) -> Iterator[Part]:
    found = decode_either(frame)
    yield Part("ff", "start")
    yield Part(f"{frame[1]:02x}", f"length of the data: {frame[1]}")
    yield Part(f"{found.opcode:02x}", OPCODE_NAMES.get(found.opcode, "command of unknown name"))
    if isinstance(found, Reply):
        yield Part(f"{found.status:04x}", f"status: {STATUS_NAMES.get(found.status, 'unknown')}")
    if found.data:
        yield Part(found.data.hex(" "), "data")
    yield Part(frame[-_CRC_BYTES:].hex(" "), "CRC of the ThingMagic family: correct")


THINGMAGIC_SERIAL = Format(
    name="thingmagic_serial",
    kind="frame",
    read=_read,
    summary="ThingMagic / JADAK M5e, M6e, M7e, TransCore and Silion frame",
    summary_zh="ThingMagic / JADAK M5e、M6e、M7e、TransCore 与芯联 (Silion) 帧",
    parts=_parts,
    framer=new_tap_framer,
    proof_bits=16,
    caveats=(
        "temperature records and Silion's pushed tags are layouts of documents, not of captures",
        "a tag id without PC whose CRC is not Gen2's is shown as tag_id: another air protocol",
    ),
)
