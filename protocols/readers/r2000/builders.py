"""What a simulated R2000 reader sends: real bytes for the values of `replies`."""

from protocols.readers.r2000.codes import READ
from protocols.readers.r2000.envelope import seal
from protocols.readers.r2000.replies import (
    BUFFERED_END,
    PHASE_BYTES,
    ROUND_END,
    SWITCH_END,
    Access,
    Answer,
    AntennaError,
    Reply,
    Result,
    RoundEnd,
    Seen,
    SwitchEnd,
    Version,
)


def pc_of(epc: bytes) -> int:
    """The protocol control word of a plain tag; an EPC is whole words."""
    assert len(epc) % 2 == 0, epc
    return len(epc) // 2 << 11


def build_reply(reply: Reply) -> bytes:
    """The frame that decodes to `reply`."""
    return seal(reply.address, reply.code, _data(reply))


def _data(reply: Reply) -> bytes:
    match reply:
        case Result():
            return bytes((reply.result,))
        case Seen():
            phase = b"" if reply.phase is None else reply.phase.to_bytes(PHASE_BYTES)
            head = bytes((reply.freq_ant,)) + reply.pc.to_bytes(2)
            return head + reply.epc + bytes((reply.rssi_raw,)) + phase
        case RoundEnd():
            return _end(reply)
        case SwitchEnd():
            found = {"total": reply.total, "duration_ms": reply.duration_ms}
            return bytes(SWITCH_END.build(found))
        case AntennaError():
            return bytes((reply.antenna_index, reply.result))
        case Version():
            return bytes((reply.major, reply.minor))
        case Access():
            return _access(reply)
        case Answer():
            return reply.data


def _end(reply: RoundEnd) -> bytes:
    found = {"antenna": reply.antenna_index, "rate": reply.reads_per_s, "total": reply.total}
    if reply.tags is None:
        return bytes(ROUND_END.build(found))
    return bytes(BUFFERED_END.build({**found, "tags": reply.tags}))


def _access(reply: Access) -> bytes:
    rssi = b"" if reply.rssi_raw is None else bytes((reply.rssi_raw,))
    read = reply.data + rssi
    tag = reply.pc.to_bytes(2) + reply.epc + reply.crc.to_bytes(2) + read
    third_last = len(read) if reply.code == READ else reply.result
    tail = bytes((third_last, reply.antenna_raw, reply.count_raw))
    return reply.tag_count.to_bytes(2) + bytes((len(tag),)) + tag + tail
