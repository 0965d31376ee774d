"""Wiegand bits as a format of `gatewayd decode`."""

from collections.abc import Iterator

from protocols.formats import Fields, Format, Part
from protocols.readers.wiegand import CARD_BITS, FACILITY_BITS, fields


def _parts(data: str, found: Fields) -> Iterator[Part]:
    raw = data.strip()
    if len(raw) != found["bits"]:
        yield Part(raw, f"facility {found['facility']}, card {found['card']}")
        return
    facility = 1 + FACILITY_BITS[found["bits"]]
    yield Part(raw[0], "even parity of the first half: correct")
    yield Part(raw[1:facility], f"facility: {found['facility']}")
    yield Part(raw[facility : facility + CARD_BITS], f"card: {found['card']}")
    yield Part(raw[-1], "odd parity of the second half: correct")


WIEGAND26 = Format(
    name="wiegand26",
    kind="frame",
    read=fields,
    summary="Wiegand card of 26 or 34 bits, as bits or as facility,card",
    summary_zh="韦根卡号（26 或 34 位），二进制位或“区位码,卡号”",
    parts=_parts,
    proof_bits=2,
    caveats=(
        "two parity bits prove little; hex and decimal renderings do not say which they are",
        "34 bits: facility and card of 16 bits each is convention, not a standard",
    ),
)
