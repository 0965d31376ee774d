"""What a simulated UHFReader sends: real bytes for the values of `replies`, byte-exact."""

from collections.abc import Sequence

from protocols.readers.uhfreader.codes import (
    ANTENNA_HEARTBEAT,
    INFO,
    INVENTORY,
    MORE_FOLLOWS,
    OK,
    PUSH,
)
from protocols.readers.uhfreader.envelope import Dialect, seal
from protocols.readers.uhfreader.layouts import (
    INFO_LAYOUT,
    INVENTORY_18,
    INVENTORY_288,
    PUSH_288,
    TAG_BYTES_MAX,
)
from protocols.readers.uhfreader.replies import AntennaHeartbeat, Info, Tag


def build_answer(address: int, code: int, status: int, data: bytes = b"") -> bytes:
    """Any reply: status and data as they are."""
    return seal(address, code, bytes((status,)) + data)


def build_info_reply(info: Info) -> bytes:
    """The reply to 0x21; with four bytes of `extra` it is what a 288 says."""
    data = INFO_LAYOUT.build(
        {
            "major": info.version[0],
            "minor": info.version[1],
            "type_code": info.type_code,
            "protocols": info.protocols,
            "max_fre": info.max_fre,
            "min_fre": info.min_fre,
            "power_dbm": info.power_dbm,
            "scan_time_100ms": info.scan_time_100ms,
            "extra": info.extra,
        }
    )
    return build_answer(info.address, INFO, OK, data)


def build_inventory_reply(
    address: int,
    dialect: Dialect,
    tags: Sequence[Tag] = (),
    *,
    status: int = MORE_FOLLOWS,
    antenna_raw: int = 1,
    code: int = INVENTORY,
) -> bytes:
    """One frame of a round. It must fit into 256 bytes: many tags need many frames.

    A dialect 288 round ends with no tags and status DONE; dialect 18 says NO_TAG with
    `build_answer` when there is none.
    """
    if dialect == "18":
        data = INVENTORY_18.build({"tags": [{"epc": tag.epc} for tag in tags]})
    else:
        items = [_tag_288(tag) for tag in tags]
        data = INVENTORY_288.build({"antenna": antenna_raw, "tags": items})
    return build_answer(address, code, status, data)


def build_push(address: int, dialect: Dialect, tag: Tag, *, antenna_raw: int = 1) -> bytes:
    """One tag in scan mode (18) or real-time mode (288)."""
    if dialect == "18":
        return build_answer(address, PUSH, OK, tag.epc)
    data = PUSH_288.build({"antenna": antenna_raw, "tag": _tag_288(tag)})
    return build_answer(address, PUSH, OK, data)


def build_antenna_heartbeat(beat: AntennaHeartbeat) -> bytes:
    """The sign of life of dialect 288 real-time mode."""
    data = beat.packet_no.to_bytes(4) + beat.antenna_status + beat.count.to_bytes(4)
    return build_answer(beat.address, PUSH, ANTENNA_HEARTBEAT, data)


def _tag_288(tag: Tag) -> dict[str, object]:
    epc = tag.epc + tag.tid
    assert len(epc) <= TAG_BYTES_MAX, tag
    head = {"with_tid": bool(tag.tid), "with_trailer": bool(tag.trailer), "size": len(epc)}
    return {"head": head, "epc": epc, "rssi": tag.rssi_raw or 0, "trailer": tag.trailer or None}
