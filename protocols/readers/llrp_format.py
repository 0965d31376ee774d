"""LLRP messages as a format of `gatewayd decode`.

Beside the package, not in it: a daemon knows every format by its framer, and the tables of LLRP,
3 MB, are for who reads a message.
"""

from collections.abc import Iterator

from protocols.formats import Fields, Format, Part, unhex
from protocols.readers.llrp_envelope import HEADER_BYTES, VERSIONS, new_framer, unseal

LENGTH_BITS = 32
"""No checksum: the length must be exact and every parameter inside must end where it says."""


def _read(data: str) -> Fields:
    from protocols.readers.llrp import fields  # noqa: PLC0415 - only who reads one pays for it

    return fields(unhex(data))


def _parts(data: str, found: Fields) -> Iterator[Part]:
    raw = unhex(data)
    if "message_id" not in found and "messages" not in found:
        yield Part(raw.hex(" "), "parameters of a message whose header was cut off")
        return
    while raw:
        size = int.from_bytes(raw[2:6], "big")
        yield from _message_parts(raw[:size])
        raw = raw[size:]


def _message_parts(frame: bytes) -> Iterator[Part]:
    envelope = unseal(frame)
    version = VERSIONS[envelope.version]
    yield Part(frame[:2].hex(" "), f"LLRP {version}, type {envelope.type_number} {envelope.name}")
    yield Part(frame[2:6].hex(" "), f"length of the message: {len(frame)}")
    yield Part(frame[6:HEADER_BYTES].hex(" "), f"message id: {envelope.message_id}")
    if envelope.payload:
        yield Part(envelope.payload.hex(" "), "parameters")


LLRP = Format(
    name="llrp",
    kind="frame",
    read=_read,
    summary="LLRP message: Impinj, Zebra, Alien, SICK and other fixed readers",
    summary_zh="LLRP 报文：Impinj、Zebra、Alien、SICK 等固定式读写器",
    parts=_parts,
    framer=new_framer,
    proof_bits=LENGTH_BITS,
    caveats=(
        "no checksum: a whole message of exact length is taken for true",
        "timestamps are the reader's own clock",
    ),
)
