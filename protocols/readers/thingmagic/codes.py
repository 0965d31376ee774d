"""Numbers of the ThingMagic family: opcodes, statuses, regions, protocols, metadata flags.

From the M5e developer's guide, the vendor's public API sources and, for opcode 0xAA, the EX10
module protocol of Silion as quoted by public code. Unknown numbers stay numbers.
"""

from enum import IntFlag

VERSION = 0x03
BOOT = 0x04
PROGRAM = 0x0C
READ_SINGLE = 0x21
READ_MULTIPLE = 0x22
WRITE_EPC = 0x23
WRITE_DATA = 0x24
READ_DATA = 0x28
GET_BUFFER = 0x29
CLEAR_BUFFER = 0x2A
CONTINUOUS = 0x2F
GET_ANTENNA = 0x61
GET_READ_POWER = 0x62
GET_PROTOCOL = 0x63
GET_WRITE_POWER = 0x64
GET_REGION = 0x67
GET_OPTION = 0x6A
GET_TEMPERATURE = 0x72
SET_ANTENNA = 0x91
SET_READ_POWER = 0x92
SET_PROTOCOL = 0x93
SET_WRITE_POWER = 0x94
SET_REGION = 0x97
SET_OPTION = 0x9A
EXTENDED = 0xAA
"""Silion's second command set behind one opcode."""

OPCODE_NAMES = {
    VERSION: "version",
    BOOT: "boot firmware",
    0x06: "set baud",
    0x09: "back to the boot loader",
    PROGRAM: "which program runs",
    0x10: "hardware version",
    READ_SINGLE: "read one tag",
    READ_MULTIPLE: "read tags",
    WRITE_EPC: "write EPC",
    WRITE_DATA: "write memory",
    0x25: "lock",
    0x26: "kill",
    READ_DATA: "read memory",
    GET_BUFFER: "get tag buffer",
    CLEAR_BUFFER: "clear tag buffer",
    CONTINUOUS: "continuous reading",
    GET_ANTENNA: "get antennas",
    GET_READ_POWER: "get read power",
    GET_PROTOCOL: "get tag protocol",
    GET_WRITE_POWER: "get write power",
    0x65: "get hop table",
    0x66: "get inputs",
    GET_REGION: "get region",
    0x68: "get power mode",
    GET_OPTION: "get reader option",
    0x6B: "get protocol option",
    0x6C: "get statistics",
    0x70: "available protocols",
    0x71: "available regions",
    GET_TEMPERATURE: "temperature",
    SET_ANTENNA: "set antennas",
    SET_READ_POWER: "set read power",
    SET_PROTOCOL: "set tag protocol",
    SET_WRITE_POWER: "set write power",
    0x95: "set hop table",
    0x96: "set outputs",
    SET_REGION: "set region",
    0x98: "set power mode",
    SET_OPTION: "set reader option",
    0x9B: "set protocol option",
    EXTENDED: "Silion extended command",
}

OK = 0x0000
INVALID_OPCODE = 0x0101
NO_TAG = 0x0400
ANTENNA_MISSING = 0x0503
OVER_TEMPERATURE = 0x0504
RETURN_LOSS = 0x0505
BUFFER_FULL = 0x0601

STATUS_NAMES = {
    OK: "ok",
    0x0100: "wrong number of data bytes",
    INVALID_OPCODE: "invalid opcode; tag commands are invalid in the boot loader",
    0x0102: "command not implemented",
    0x0103: "power too high",
    0x0104: "frequency not allowed",
    0x0105: "invalid parameter",
    0x0106: "power too low",
    0x0109: "feature not implemented",
    0x010A: "invalid baud rate",
    0x010B: "invalid region, or no region set",
    0x010C: "invalid licence key",
    0x0200: "firmware image broken",
    0x0201: "firmware image has a wrong end",
    NO_TAG: "no tag",
    0x0401: "no tag protocol set",
    0x0402: "invalid tag protocol",
    0x0403: "written but not locked",
    0x0404: "no data from the tag",
    0x0405: "radio is off",
    0x0406: "write failed",
    0x0407: "not for this tag protocol",
    0x0408: "data cannot be written",
    0x0409: "no such tag memory address",
    0x040A: "general tag error",
    0x040B: "data too large",
    0x040C: "wrong kill password",
    0x040E: "kill failed",
    0x040F: "tag answer undecodable",
    0x0410: "invalid EPC",
    0x0411: "invalid number of data",
    0x0413: "invalid tag operation",
    0x0420: "tag: other error",
    0x0423: "tag: no such memory or wrong PC",
    0x0424: "tag: memory locked",
    0x0425: "tag: authentication failed",
    0x042B: "tag: not enough power",
    0x042F: "tag: error it does not tell",
    0x0430: "tag: unknown error",
    0x0500: "invalid frequency",
    0x0501: "channel occupied",
    0x0502: "transmitter already on",
    ANTENNA_MISSING: "antenna not connected",
    OVER_TEMPERATURE: "over temperature",
    RETURN_LOSS: "high return loss: antenna missing, damaged or for another band",
    0x0507: "invalid antenna configuration",
    0x0509: "supply voltage out of range",
    0x0600: "not that many tags in the buffer",
    BUFFER_FULL: "tag buffer full",
    0x0602: "tag already in the buffer",
    0x0603: "too many tags asked for",
    0x7F00: "unknown system error",
    0x7F01: "firmware assertion failed",
}

REGION_NAMES = {
    0: "none",
    1: "NA",
    2: "EU",
    3: "KR",
    4: "IN",
    5: "JP",
    6: "PRC",
    7: "EU2",
    8: "EU3",
    9: "KR2",
    10: "PRC2 840 MHz",
    11: "AU",
    12: "NZ",
    13: "NA2",
    14: "NA3",
    15: "IS",
    16: "MY",
    17: "ID",
    18: "PH",
    19: "TW",
    20: "MO",
    21: "RU",
    22: "SG",
    25: "VN",
    26: "TH",
    0xFF: "open",
}
NO_REGION = 0

GEN2 = 0x0005
PROTOCOL_NAMES = {
    0x0000: "none",
    0x0003: "ISO180006B",
    GEN2: "GEN2",
    0x0006: "ISO180006B UCODE",
    0x0007: "IPX64",
    0x0008: "IPX256",
    0x001D: "ATA",
}

ANTENNA_DETECTED = 0x05
"""Option of 0x61: which ports have an antenna."""

BOOT_LOADER = 1
"""The lowest two bits of 0x0C's answer: 0x11 is the boot loader, 0x12 the application."""
PROGRAM_BITS = 0b11


class Metadata(IntFlag):
    """Which fields precede a tag; they come in this order, lowest bit first."""

    READ_COUNT = 0x0001
    RSSI = 0x0002
    ANTENNA = 0x0004
    FREQUENCY = 0x0008
    TIMESTAMP = 0x0010
    PHASE = 0x0020
    PROTOCOL = 0x0040
    DATA = 0x0080
    GPIO = 0x0100


METADATA_KNOWN = 0x01FF
"""Higher bits (Q, link frequency, target, brand, tag type) have layouts that are not public."""

WITH_METADATA = 0x10
"""Option bit: two bytes of metadata flags follow."""
MULTI_SELECT = 0x88
"""Option byte of the M7e that precedes the usual one."""
BANKS = {0: "reserved", 1: "epc", 2: "tid", 3: "user"}
