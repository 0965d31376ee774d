"""Command and status numbers of the Chafon CF protocol.

Source: a reseller's protocol page (EL-UHF-RC4), public clients of 2022+ readers, and captures.
"""

INVENTORY = 0x0001
STOP = 0x0002
READ = 0x0003
WRITE = 0x0004
SELECT_MASK = 0x0007
INIT = 0x0050
REBOOT = 0x0052
SET_POWER = 0x0053
ANTENNA_POWER = 0x0063
INFO = 0x0070
SET_PARAMS = 0x0071
GET_PARAMS = 0x0072

COMMAND_NAMES = {
    INVENTORY: "inventory",
    STOP: "stop inventory",
    READ: "read",
    WRITE: "write",
    0x0005: "lock",
    0x0006: "kill",
    SELECT_MASK: "select mask",
    INIT: "initialise module",
    REBOOT: "reboot",
    SET_POWER: "set power",
    0x0059: "RFID protocol",
    0x005F: "network",
    0x0060: "set temperature limit",
    0x0061: "get temperature",
    ANTENNA_POWER: "antenna power",
    0x0064: "remote network",
    INFO: "device info",
    SET_PARAMS: "set all parameters",
    GET_PARAMS: "get all parameters",
    0x0073: "inventory filter",
    0x0074: "output control",
    0x0077: "relay",
    0x0083: "battery",
    0x0088: "output mode",
    0x0089: "trigger key",
    0x008E: "read mode",
}
"""Known command numbers; an unknown one stays a number."""

OK = 0x00
WRONG_PARAMETER = 0x01
FAILED = 0x02
ROUND_FINISHED = 0x12
"""The round ended, or nothing was seen: idle, never an error."""
WRONG_PASSWORD = 0x17

STATUS_NAMES = {
    WRONG_PARAMETER: "wrong parameter",
    FAILED: "command failed inside the module",
    ROUND_FINISHED: "round finished / no tag",
    0x14: "tag response timeout",
    0x15: "tag response not understood",
    0x16: "tag authentication failed",
    WRONG_PASSWORD: "wrong password",
    0xFF: "no more data",
}
"""Known statuses; an unknown status stays a number."""

SET, GET = 0x01, 0x02
OPS = {SET: "0x01 write", GET: "0x02 read"}
"""First byte of commands that both set and get."""

ANSWER_MODE, ACTIVE_MODE, TRIGGER_MODE = 0, 1, 2
WORK_MODES = {ANSWER_MODE: "answer", ACTIVE_MODE: "active", TRIGGER_MODE: "trigger"}

BANK_NAMES = ("RFU", "EPC", "TID", "User")
EPC_AREA = 1
"""The memory bank that an inventory reports unless the reader was set to report another."""
REGIONS = {
    0x00: "custom",
    0x01: "US",
    0x02: "Korea",
    0x03: "EU",
    0x04: "Japan",
    0x05: "Malaysia",
    0x06: "EU3",
    0x07: "China1",
    0x08: "China2",
}
INTERFACES = {
    0x80: "RS232",
    0x40: "RS485",
    0x20: "RJ45",
    0x10: "WiFi",
    0x01: "USB",
    0x02: "keyboard",
}
BAUDS = (9600, 19_200, 38_400, 57_600, 115_200)


def status_value(status: int) -> int | str:
    """0 as it is, a known status as `0x12 what it says`, an unknown one as its number."""
    meaning = STATUS_NAMES.get(status)
    return f"0x{status:02X} {meaning}" if meaning else status
