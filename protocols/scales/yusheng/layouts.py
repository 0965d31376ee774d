"""Yusheng frames without their CRC, byte by byte; sources: the package."""

from construct import Bytes, Const, Int8ub, Int16ul, Optional, Struct, Terminated, this

from protocols.scales.yusheng.codes import ACK

HEAD = b"\xff\xff\xff"
CODE_BYTES = 20
POINTS_COUNT = 16
PLACE = ("cmd" / Int8ub, "province" / Int8ub, "city" / Int8ub, "station" / Int8ub)
REPORT = Struct(
    "header" / Const(HEAD),
    *PLACE,
    "address" / Int8ub,
    "command" / Int8ub,
    "following" / Int8ub,
    "card" / Bytes(4),
    "stamp" / Int16ul,
    "end_weight_raw" / Int16ul,
    "tare_raw" / Int16ul,
    "set_weight_raw" / Int16ul,
    "client" / Int16ul,
    "operator" / Int8ub,
    "cylinder_type_code" / Int8ub,
    "mode_code" / Int8ub,
    "frame_id" / Int8ub,
    "time" / Bytes(6),
    "used_seconds" / Int16ul,
    "ticket" / Int16ul,
    "machine_no" / Optional(Int16ul),
    "qr" / Optional(Bytes(CODE_BYTES)),
    Terminated,
)
SCANNED = Struct(
    "header" / Const(HEAD),
    *PLACE,
    "address" / Int8ub,
    "code_bytes" / Int8ub,
    "code" / Bytes(CODE_BYTES),
    "machine_no" / Int16ul,
    Terminated,
)
POINTS = Struct(
    "header" / Const(HEAD),
    "province" / Int8ub,
    "city" / Int8ub,
    "station" / Int8ub,
    "address" / Int8ub,
    "points" / Int8ub,
    "data" / Int16ul[POINTS_COUNT],
    "machine_no" / Int16ul,
    Terminated,
)
ACKNOWLEDGED = Struct(
    "address" / Int8ub,
    "cmd" / Const(ACK, Int8ub),
    Const(4, Int8ub),
    "command" / Int8ub,
    "frame_id" / Int8ub,
    "net_raw" / Optional(Int16ul),
    Terminated,
)
BARE = Struct(
    "header" / Const(HEAD),
    *PLACE,
    "address" / Int8ub,
    "command" / Int8ub,
    "following" / Int8ub,
    "data" / Bytes(this.following - 2),
    Terminated,
)
