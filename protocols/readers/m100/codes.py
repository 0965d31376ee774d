"""Command, error and setting numbers of the M100 / QM100 / R200 family.

Source: the QM100/M100 firmware manual as public code transcribes it, and captures; where a line
says so, the family's common knowledge, not seen on a wire.
"""

INFO = 0x03
SET_REGION = 0x07
GET_REGION = 0x08
GET_SELECT = 0x0B
SET_SELECT = 0x0C
GET_QUERY = 0x0D
SET_QUERY = 0x0E
SET_BAUD = 0x11
SELECT_MODE = 0x12
POLL = 0x22
MULTI_POLL = 0x27
STOP = 0x28
READ = 0x39
WRITE = 0x49
KILL = 0x65
LOCK = 0x82
GET_CHANNEL = 0xAA
SET_CHANNEL = 0xAB
AUTO_HOP = 0xAD
CONTINUOUS_WAVE = 0xB0
SET_POWER = 0xB6
GET_POWER = 0xB7
SET_DEMODULATOR = 0xF0
GET_DEMODULATOR = 0xF1
SCAN_JAMMER = 0xF2
SCAN_RSSI = 0xF3
FAILURE = 0xFF

COMMAND_NAMES = {
    INFO: "module information",
    0x04: "idle",
    SET_REGION: "set region",
    GET_REGION: "get region",
    GET_SELECT: "get select",
    SET_SELECT: "set select",
    GET_QUERY: "get query",
    SET_QUERY: "set query",
    SET_BAUD: "set baud",
    SELECT_MODE: "set select mode",
    0x17: "sleep",
    0x1A: "GPIO",
    0x1D: "idle time before sleep",
    POLL: "single poll",
    MULTI_POLL: "multi poll",
    STOP: "stop multi poll",
    READ: "read",
    WRITE: "write",
    KILL: "kill",
    LOCK: "lock",
    0xA9: "channel list",
    GET_CHANNEL: "get channel",
    SET_CHANNEL: "set channel",
    AUTO_HOP: "frequency hopping",
    CONTINUOUS_WAVE: "continuous wave",
    SET_POWER: "set power",
    GET_POWER: "get power",
    SET_DEMODULATOR: "set demodulator",
    GET_DEMODULATOR: "get demodulator",
    SCAN_JAMMER: "scan jammers",
    SCAN_RSSI: "scan RSSI",
    FAILURE: "error",
}
"""Known command numbers; an unknown one stays a number."""

OK = 0x00
NO_TAG = 0x15
READ_FAILED = 0x09
WRITE_FAILED = 0x10
WRONG_PARAMETER = 0x0E
WRONG_PASSWORD = 0x16
INVALID_COMMAND = 0x17

_ERRORS = {
    READ_FAILED: "read fail / no tag",
    WRONG_PARAMETER: "invalid parameter",
    WRITE_FAILED: "write fail / no tag",
    0x12: "kill fail / no tag",
    0x13: "lock fail / no tag",
    0x14: "block permalock fail / no tag",
    NO_TAG: "inventory fail / CRC (no tag)",
    WRONG_PASSWORD: "access fail / wrong password",
    INVALID_COMMAND: "invalid command",
    0x20: "FHSS timeout",
}
_OPERATIONS = {0xA: "read", 0xB: "write", 0xC: "lock", 0xD: "kill", 0xE: "block permalock"}
_GEN2_ERRORS = {
    0x0: "other error",
    0x3: "memory overrun",
    0x4: "memory locked",
    0xB: "insufficient power",
    0xF: "non-specific error",
}
"""What a tag answers, EPC Gen2 v2 annex I."""

REGIONS = {1: "CN900", 2: "US", 3: "EU", 4: "CN800", 6: "KR"}
"""Region number to name; an unknown region stays a number."""

BANK_NAMES = ("RFU", "EPC", "TID", "User")


def error_text(error: int) -> str:
    """The number and what it says; an unknown error is its number alone."""
    meaning = _ERRORS.get(error)
    if meaning is None and error >> 4 in _OPERATIONS:
        reason = _GEN2_ERRORS.get(error & 0xF, f"tag error 0x{error & 0xF:X}")
        meaning = f"{_OPERATIONS[error >> 4]}: {reason}"
    return f"0x{error:02X} {meaning}" if meaning else f"0x{error:02X}"


def region_text(region: int) -> str:
    """The number and the region's name where it is known."""
    name = REGIONS.get(region)
    return f"0x{region:02X} {name}" if name else f"0x{region:02X}"
