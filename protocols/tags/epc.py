"""What a UHF tag's EPC memory says: SGTIN-96, GRAI-96, GIAI-96, or an opaque id.

Source: GS1 EPC Tag Data Standard, chapter on EPC binary coding; the widths are those of
https://ref.gs1.org/standards/tdt/2.0.0/. Most tags in the field carry no GS1 number at all (a factory number E2.., a
serial somebody typed): those are opaque, and an opaque id identifies as well as any other. A tag
that *claims* a scheme and breaks its rules raises TagError here; its uid stays usable for looking
the cylinder up, because `uid` never looks inside.

epcpy is the oracle of the tests, not used here: it lets a company prefix above its digits through.
"""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TypeAlias

from construct import BitsInteger, BitStruct, Const, Struct, Terminated

UID_BYTES_MAX = 62
"""An EPC is at most 31 words (the length field of the PC has five bits)."""

PREFIX_BITS = (40, 37, 34, 30, 27, 24, 20)
"""Company prefix bits by partition; its digits are 12 - partition. Partition 7 is reserved."""

_NUMBER_BITS = 82
_EPC_BYTES = 12
_SEPARATORS = re.compile(r"[\s:-]|\b0[xX]")
_HEX = re.compile(r"[0-9A-Fa-f]+\Z")
_HEAD = Struct(
    "bits"
    / BitStruct(
        "header" / BitsInteger(8),
        "filter" / BitsInteger(3),
        "partition" / BitsInteger(3),
        "number" / BitsInteger(_NUMBER_BITS),
    ),
    Terminated,
)
OTHER_SCHEMES = {
    0x2C: "GDTI-96",
    0x2D: "GSRN-96",
    0x2F: "USDoD-96",
    0x31: "SSCC-96",
    0x32: "SGLN-96",
    0x35: "GID-96",
    0x36: "SGTIN-198",
    0x37: "GRAI-170",
    0x38: "GIAI-202",
}
"""Headers of EPC schemes that are known by name only; such a tag is an opaque id."""


class TagError(Exception):
    """Not a tag id (empty, odd, not hex, too long), or one that breaks the scheme it claims."""


@dataclass(frozen=True, slots=True)
class Sgtin96:
    """A trade item and its serial number."""

    header: str
    filter: int
    partition: int
    company_prefix: str
    item_reference: str
    serial: int
    pure_identity: str
    tag_uri: str
    gs1_element: str
    gtin14: str
    scheme: str = "sgtin-96"


@dataclass(frozen=True, slots=True)
class Grai96:
    """A returnable asset type and its serial number; what a cylinder fleet of one type uses."""

    header: str
    filter: int
    partition: int
    company_prefix: str
    asset_type: str
    serial: int
    pure_identity: str
    tag_uri: str
    gs1_element: str
    check_digit: int
    scheme: str = "grai-96"


@dataclass(frozen=True, slots=True)
class Giai96:
    """One individually numbered asset."""

    header: str
    filter: int
    partition: int
    company_prefix: str
    asset_reference: str
    pure_identity: str
    tag_uri: str
    gs1_element: str
    scheme: str = "giai-96"


@dataclass(frozen=True, slots=True)
class Opaque:
    """An id without a scheme we decode; `note` says what it looks like."""

    uid: str
    bits: int
    note: str
    scheme: str = "opaque"


Epc: TypeAlias = Sgtin96 | Grai96 | Giai96 | Opaque


def uid(text: str) -> str:
    """A tag id as the archive is searched: upper-case hex without blanks, colons, dashes or 0x.

    Raises TagError when it is empty, not hex, half a byte, or longer than 62 bytes.
    """
    raw = unhex(text)
    if len(raw) > UID_BYTES_MAX:
        raise TagError(f"{len(raw)} bytes; an EPC has at most {UID_BYTES_MAX}")
    return raw.hex().upper()


def unhex(text: str) -> bytes:
    """Bytes of hex as people write it, with blanks, colons, dashes or 0x between.

    Raises TagError when it is empty, not hex, or half a byte.
    """
    compact = _SEPARATORS.sub("", text)
    if not compact:
        raise TagError("empty; expected hex")
    if not _HEX.match(compact):
        raise TagError("not hex; expected digits 0-9 and letters A-F")
    if len(compact) % 2:
        raise TagError(f"{len(compact)} hex digits; expected an even number, two a byte")
    return bytes.fromhex(compact)


def decode(text: str) -> Epc:
    """What the EPC in `text` (hex) says. Raises TagError when it breaks the scheme it claims."""
    tag_uid = uid(text)
    raw = bytes.fromhex(tag_uid)
    if len(raw) != _EPC_BYTES or raw[0] not in _SCHEMES:
        return Opaque(uid=tag_uid, bits=8 * len(raw), note=_note(raw))
    head = _HEAD.parse(raw).bits
    if head.partition >= len(PREFIX_BITS):
        raise TagError(f"partition {head.partition} is reserved; expected 0 to 6")
    return _SCHEMES[head.header](raw, head.filter, head.partition)


def fields(epc: Epc) -> dict[str, object]:
    """The values by the names of the vectors; `uri` repeats the pure identity."""
    named: dict[str, object] = {"scheme": epc.scheme} | asdict(epc)
    if not isinstance(epc, Opaque):
        named["uri"] = epc.pure_identity
    return named


def check_digit(digits: str) -> int:
    """The GS1 mod-10 check digit to append to `digits` (GS1 General Specifications 7.9)."""
    weighted = sum(int(d) * (1 if i % 2 else 3) for i, d in enumerate(reversed(digits)))
    return -weighted % 10


def layout_bits(header: int, partition: int) -> tuple[tuple[str, int], ...]:
    """The bit fields of a scheme in order, as (name, bits); they add up to 96."""
    named = dict(_NAMES[header])
    prefix = PREFIX_BITS[partition]
    rest = _NUMBER_BITS - prefix - named.get("serial", 0)
    widths = {"company_prefix": prefix, **{n: b or rest for n, b in named.items()}}
    return (("header", 8), ("filter", 3), ("partition", 3), *widths.items())


def _parse(raw: bytes, partition: int) -> tuple[int, ...]:
    """The numbers after the partition, in the order of the layout."""
    named = layout_bits(raw[0], partition)
    bits = BitStruct(
        "header" / Const(raw[0], BitsInteger(8)),
        *(name / BitsInteger(width) for name, width in named[1:]),
    )
    values = Struct("bits" / bits, Terminated).parse(raw).bits
    return tuple(int(values[name]) for name, _ in named[3:])


def _digits(name: str, value: int, count: int) -> str:
    """`value` in exactly `count` decimal digits. Raises TagError when it needs more."""
    if value >= 10**count:
        raise TagError(f"{name} is {value}; this partition allows {count} digits")
    return str(value).zfill(count) if count else ""


def _sgtin(raw: bytes, filter_: int, partition: int) -> Sgtin96:
    prefix_value, item_value, serial = _parse(raw, partition)
    prefix = _digits("company_prefix", prefix_value, 12 - partition)
    item = _digits("item_reference", item_value, partition + 1)
    body = f"{item[0]}{prefix}{item[1:]}"
    gtin14 = f"{body}{check_digit(body)}"
    name = f"{prefix}.{item}.{serial}"
    return Sgtin96(
        header="0x30",
        filter=filter_,
        partition=partition,
        company_prefix=prefix,
        item_reference=item,
        serial=serial,
        pure_identity=f"urn:epc:id:sgtin:{name}",
        tag_uri=f"urn:epc:tag:sgtin-96:{filter_}.{name}",
        gs1_element=f"(01){gtin14}(21){serial}",
        gtin14=gtin14,
    )


def _grai(raw: bytes, filter_: int, partition: int) -> Grai96:
    prefix_value, type_value, serial = _parse(raw, partition)
    prefix = _digits("company_prefix", prefix_value, 12 - partition)
    asset_type = _digits("asset_type", type_value, partition)
    check = check_digit(prefix + asset_type)
    name = f"{prefix}.{asset_type}.{serial}"
    return Grai96(
        header="0x33",
        filter=filter_,
        partition=partition,
        company_prefix=prefix,
        asset_type=asset_type,
        serial=serial,
        pure_identity=f"urn:epc:id:grai:{name}",
        tag_uri=f"urn:epc:tag:grai-96:{filter_}.{name}",
        gs1_element=f"(8003)0{prefix}{asset_type}{check}{serial}",
        check_digit=check,
    )


def _giai(raw: bytes, filter_: int, partition: int) -> Giai96:
    prefix_value, reference = _parse(raw, partition)
    prefix = _digits("company_prefix", prefix_value, 12 - partition)
    name = f"{prefix}.{reference}"
    return Giai96(
        header="0x34",
        filter=filter_,
        partition=partition,
        company_prefix=prefix,
        asset_reference=str(reference),
        pure_identity=f"urn:epc:id:giai:{name}",
        tag_uri=f"urn:epc:tag:giai-96:{filter_}.{name}",
        gs1_element=f"(8004){prefix}{reference}",
    )


def _note(raw: bytes) -> str:
    """What an opaque id looks like, for a person."""
    if raw[0] == 0xE2:  # noqa: PLR2004 - TID class identifier of EPC Gen2 chips
        return "factory number of the chip maker (E2..), no EPC scheme"
    if raw[0] in OTHER_SCHEMES:
        return f"header of {OTHER_SCHEMES[raw[0]]}, not decoded in this version"
    if raw[0] in _SCHEMES:
        return f"header of a 96-bit scheme on {8 * len(raw)} bits"
    return "no EPC scheme"


_SCHEMES: dict[int, Callable[[bytes, int, int], Epc]] = {0x30: _sgtin, 0x33: _grai, 0x34: _giai}
_NAMES: dict[int, tuple[tuple[str, int], ...]] = {
    0x30: (("item_reference", 0), ("serial", 38)),
    0x33: (("asset_type", 0), ("serial", 38)),
    0x34: (("asset_reference", 0),),
}
"""The fields after the company prefix; 0 bits = what the prefix leaves."""
