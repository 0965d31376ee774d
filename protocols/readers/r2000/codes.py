"""Command, result and bank numbers of R2000 serial readers (UHF RFID Reader Serial Interface V3.7).

The manual's tables, checked against public drivers; an unknown number stays a number.
"""

READ_GPIO = 0x60
WRITE_GPIO = 0x61
SET_ANTENNA_DETECTOR = 0x62
GET_ANTENNA_DETECTOR = 0x63
SET_TEMPORARY_POWER = 0x66
SET_IDENTIFIER = 0x67
GET_IDENTIFIER = 0x68
SET_LINK_PROFILE = 0x69
GET_LINK_PROFILE = 0x6A
RESET = 0x70
SET_BAUD = 0x71
VERSION = 0x72
SET_ADDRESS = 0x73
SET_ANTENNA = 0x74
GET_ANTENNA = 0x75
SET_POWER = 0x76
GET_POWER = 0x77
SET_REGION = 0x78
GET_REGION = 0x79
SET_BEEPER = 0x7A
TEMPERATURE = 0x7B
RETURN_LOSS = 0x7E
BUFFERED_INVENTORY = 0x80
READ = 0x81
WRITE = 0x82
LOCK = 0x83
KILL = 0x84
SET_MATCH = 0x85
GET_MATCH = 0x86
INVENTORY = 0x89
FAST_SWITCH = 0x8A
SESSION_INVENTORY = 0x8B
GET_FAST_TID = 0x8E
GET_BUFFER = 0x90
GET_AND_RESET_BUFFER = 0x91
BUFFER_COUNT = 0x92
RESET_BUFFER = 0x93
BLOCK_WRITE = 0x94
GET_POWERS = 0x97

COMMAND_NAMES = {
    READ_GPIO: "read GPIO",
    WRITE_GPIO: "write GPIO",
    SET_ANTENNA_DETECTOR: "set antenna detector",
    GET_ANTENNA_DETECTOR: "get antenna detector",
    SET_TEMPORARY_POWER: "set temporary power",
    SET_IDENTIFIER: "set identifier",
    GET_IDENTIFIER: "get identifier",
    SET_LINK_PROFILE: "set RF link profile",
    GET_LINK_PROFILE: "get RF link profile",
    RESET: "reset",
    SET_BAUD: "set baud",
    VERSION: "firmware version",
    SET_ADDRESS: "set address",
    SET_ANTENNA: "set work antenna",
    GET_ANTENNA: "get work antenna",
    SET_POWER: "set power",
    GET_POWER: "get power",
    SET_REGION: "set region",
    GET_REGION: "get region",
    SET_BEEPER: "set beeper",
    TEMPERATURE: "temperature",
    RETURN_LOSS: "return loss",
    BUFFERED_INVENTORY: "buffered inventory",
    READ: "read",
    WRITE: "write",
    LOCK: "lock",
    KILL: "kill",
    SET_MATCH: "select EPC for access",
    GET_MATCH: "get EPC for access",
    INVENTORY: "real-time inventory",
    FAST_SWITCH: "fast-switch inventory",
    SESSION_INVENTORY: "session inventory",
    0x8C: "set FastTID",
    0x8D: "set and save FastTID",
    GET_FAST_TID: "get FastTID",
    GET_BUFFER: "get buffer",
    GET_AND_RESET_BUFFER: "get and reset buffer",
    BUFFER_COUNT: "buffer tag count",
    RESET_BUFFER: "reset buffer",
    BLOCK_WRITE: "block write",
    GET_POWERS: "get power of every antenna",
}

SUCCESS = 0x10
FAIL = 0x11
ANTENNA_MISSING = 0x22
NO_TAG = 0x36

RESULT_NAMES = {
    SUCCESS: "success",
    FAIL: "fail",
    0x20: "MCU reset",
    0x21: "CW on",
    ANTENNA_MISSING: "antenna missing",
    0x23: "write flash",
    0x24: "read flash",
    0x25: "set power",
    0x31: "inventory",
    0x32: "read",
    0x33: "write",
    0x34: "lock",
    0x35: "kill",
    NO_TAG: "no tag",
    0x37: "inventory ok but access fail",
    0x38: "buffer empty",
    0x3C: "NXP custom command",
    0x40: "access or password",
    0x41: "parameter invalid",
    0x42: "word count too long",
    0x43: "memory bank out of range",
    0x44: "lock region out of range",
    0x45: "lock type out of range",
    0x46: "reader address invalid",
    0x47: "antenna out of range",
    0x48: "power out of range",
    0x49: "region out of range",
    0x4A: "baud rate out of range",
    0x4B: "beeper mode out of range",
    0x4C: "EPC match length too long",
    0x4D: "EPC match length wrong",
    0x4E: "EPC match mode invalid",
    0x4F: "frequency range invalid",
    0x50: "no RN16 from the tag",
    0x51: "DRM mode invalid",
    0x52: "PLL lock fail",
    0x53: "RF chip no response",
    0x54: "power not reached",
    0x55: "copyright",
    0x56: "spectrum regulation",
    0x57: "power too low",
    0xEE: "return loss not measured",
}

BANKS = {0: "reserved", 1: "EPC", 2: "TID", 3: "user"}
LOCK_BANKS = {1: "user", 2: "TID", 3: "EPC", 4: "access password", 5: "kill password"}
LOCK_TYPES = {0: "open", 1: "lock", 2: "open for ever", 3: "lock for ever"}
BAUDS = {3: 38_400, 4: 115_200}
REGIONS = {1: "FCC", 2: "ETSI", 3: "CHN", 4: "user"}
BEEPER_MODES = {0: "quiet", 1: "after a round", 2: "at every tag"}
PROFILES = {
    0xD0: "Tari 25 us, FM0 40 kHz",
    0xD1: "Tari 25 us, Miller 4 250 kHz",
    0xD2: "Tari 25 us, Miller 4 300 kHz",
    0xD3: "Tari 6.25 us, FM0 400 kHz",
}
TARGETS = {0: "A", 1: "B"}
MATCH_MODES = {0: "match", 1: "clear"}
