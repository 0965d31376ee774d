"""Command and status numbers of the UHFReader family (both manuals, §7 and §8)."""

INVENTORY = 0x01
READ = 0x02
WRITE = 0x03
WRITE_EPC = 0x04
KILL = 0x05
LOCK = 0x06
BLOCK_ERASE = 0x07
SINGLE_INVENTORY = 0x0F
EXTENDED_READ = 0x15
EXTENDED_WRITE = 0x16
INFO = 0x21
SET_REGION = 0x22
SET_ADDRESS = 0x24
SET_SCAN_TIME = 0x25
SET_BAUD = 0x28
SET_POWER = 0x2F
SET_WORK_MODE_18 = 0x35
GET_WORK_MODE_18 = 0x36
SET_WORK_MODE_288 = 0x76
GET_WORK_MODE_288 = 0x77
PUSH = 0xEE

OK = 0x00
DONE = 0x01
TIMED_OUT = 0x02
MORE_FOLLOWS = 0x03
MEMORY_FULL = 0x04
STATISTICS = 0x26
ANTENNA_HEARTBEAT = 0x28
ANTENNA_ERROR = 0xF8
POOR_LINK = 0xFA
NO_TAG = 0xFB
TAG_ERROR = 0xFC
WRONG_LENGTH = 0xFD
ILLEGAL_COMMAND = 0xFE
WRONG_PARAMETER = 0xFF

STATUS_NAMES = {
    OK: "ok",
    DONE: "inventory done",
    TIMED_OUT: "inventory timed out",
    MORE_FOLLOWS: "more frames follow",
    MEMORY_FULL: "reader memory full",
    0x05: "wrong access password",
    0x09: "kill failed",
    0x0A: "kill password is zero",
    0x0B: "tag does not support it",
    0x0C: "access password is zero",
    0x0D: "already read protected",
    0x0E: "not read protected",
    0x13: "parameter not saved",
    0x14: "power not adjustable",
    STATISTICS: "inventory statistics",
    ANTENNA_HEARTBEAT: "antenna heartbeat",
    ANTENNA_ERROR: "antenna error",
    0xF9: "command failed",
    POOR_LINK: "poor link to the tag",
    NO_TAG: "no tag",
    TAG_ERROR: "tag error",
    WRONG_LENGTH: "wrong command length",
    ILLEGAL_COMMAND: "illegal command or checksum",
    WRONG_PARAMETER: "wrong parameter",
}
"""Known statuses; an unknown status stays a number."""

COMMAND_NAMES = {
    INVENTORY: "inventory",
    READ: "read",
    WRITE: "write",
    WRITE_EPC: "write EPC",
    KILL: "kill",
    LOCK: "lock",
    BLOCK_ERASE: "block erase",
    SINGLE_INVENTORY: "single inventory",
    0x10: "block write",
    EXTENDED_READ: "extended read",
    EXTENDED_WRITE: "extended write",
    0x18: "buffered inventory",
    0x19: "mixed inventory",
    INFO: "reader info",
    SET_REGION: "set region",
    SET_ADDRESS: "set address",
    SET_SCAN_TIME: "set scan time",
    SET_BAUD: "set baud",
    SET_POWER: "set power",
    0x33: "beeper and LED",
    0x34: "set Wiegand",
    SET_WORK_MODE_18: "set work mode",
    GET_WORK_MODE_18: "get work mode",
    0x40: "buzzer",
    0x43: "memory with time",
    0x46: "set GPIO",
    0x47: "get GPIO",
    0x72: "get buffer",
    0x73: "clear buffer",
    SET_WORK_MODE_288: "set work mode",
    GET_WORK_MODE_288: "get work mode",
    PUSH: "push",
}
"""Known command numbers; an unknown one stays a number."""

BANK_NAMES = {0: "reserved", 1: "EPC", 2: "TID", 3: "user"}
"""Memory banks of EPC Gen2; an unknown bank stays a number."""

LOCK_AREAS = {0: "kill password", 1: "access password", 2: "EPC", 3: "TID", 4: "user"}
LOCK_KINDS = {0: "open", 1: "open for ever", 2: "with password", 3: "never"}
"""What a lock locks and how; unknown numbers stay numbers."""

TAG_ERRORS = {
    0x00: "other error",
    0x03: "memory overrun",
    0x04: "memory locked",
    0x0B: "not enough power",
    0x0F: "error without a code",
}
"""What the tag itself said, behind TAG_ERROR (EPC Gen2, annex I); unknown stays a number."""
