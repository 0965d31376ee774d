"""Byte layouts of UHFReader replies, for parsing and building alike.

After the UHFReader18 manual V2.0 §8 and the UHFReader288 manual §6, checked on captures; no public
capture exists of statistics (0x26) and work modes (0x36, 0x77): those are the manuals' word.
"""

from construct import (
    Array,
    BitsInteger,
    BitStruct,
    Byte,
    Bytes,
    Computed,
    Flag,
    GreedyBytes,
    If,
    Int8ub,
    Int16ub,
    Int32ub,
    Rebuild,
    Struct,
    Terminated,
    len_,
    this,
)

TID_BYTES = 12
"""With EPC+TID the TID is the last 12 bytes (UHFReader288 manual, FastID)."""
TRAILER_BYTES = 7
"""Phase (4) and frequency (3) after the RSSI, when the reader was asked for them."""
TAG_BYTES_MAX = 63
"""The length of a tag has six bits in dialect 288."""

TAG_18 = Struct("size" / Rebuild(Byte, len_(this.epc)), "epc" / Bytes(this.size))
INVENTORY_18 = Struct(
    "antenna" / Computed(None),
    "count" / Rebuild(Byte, len_(this.tags)),
    "tags" / Array(this.count, TAG_18),
    Terminated,
)
TAG_288 = Struct(
    "head" / BitStruct("with_tid" / Flag, "with_trailer" / Flag, "size" / BitsInteger(6)),
    "epc" / Bytes(this.head.size),
    "rssi" / Int8ub,
    "trailer" / If(this.head.with_trailer, Bytes(TRAILER_BYTES)),
)
INVENTORY_288 = Struct(
    "antenna" / Int8ub,
    "count" / Rebuild(Byte, len_(this.tags)),
    "tags" / Array(this.count, TAG_288),
    Terminated,
)
PUSH_18 = Struct("epc" / GreedyBytes, Terminated)
PUSH_288 = Struct("antenna" / Int8ub, "tag" / TAG_288, Terminated)
STATISTICS_288 = Struct("antenna" / Int8ub, "reads_per_s" / Int16ub, "total" / Int32ub, Terminated)
INFO_LAYOUT = Struct(
    "major" / Int8ub,
    "minor" / Int8ub,
    "type_code" / Int8ub,
    "protocols" / Int8ub,
    "max_fre" / Int8ub,
    "min_fre" / Int8ub,
    "power_dbm" / Int8ub,
    "scan_time_100ms" / Int8ub,
    "extra" / GreedyBytes,  # Grew with every model: 0 bytes on the 18, 4 on the 288.
    Terminated,
)
PORTS = Struct(
    "antenna" / Int8ub, "beep" / Int8ub, "reserved" / Int8ub, "check_ant" / Int8ub, Terminated
)
PORTS_BYTES = 4
WORK_MODE_18 = Struct("wiegand" / Bytes(4), "mode" / Bytes(6), "tuning" / Bytes(2), Terminated)
WORK_MODE_288 = Struct("mode" / Bytes(1), "settings" / GreedyBytes, Terminated)
