"""All parameters of a CF reader (0x0071, 0x0072) and what it says it is (0x0070).

Both layouts come from a public client and agree with captured answers of two different readers.
"""

from dataclasses import dataclass

from construct import Bytes, Int8ub, Int16ub, Struct, Terminated

from protocols.framing import parse

PARAMS = Struct(
    "address" / Int8ub,
    "protocol" / Int8ub,
    "work_mode" / Int8ub,
    "interface" / Int8ub,
    "baud_code" / Int8ub,
    "wiegand" / Int8ub,
    "antenna_mask" / Int8ub,
    "region" / Int8ub,
    "start_mhz" / Int16ub,
    "start_khz" / Int16ub,
    "step_khz" / Int16ub,
    "channels" / Int8ub,
    "power_dbm" / Int8ub,
    "area" / Int8ub,
    "q" / Int8ub,
    "session" / Int8ub,
    "area_start" / Int8ub,
    "area_bytes" / Int8ub,
    "filter_s" / Int8ub,
    "trigger_s" / Int8ub,
    "buzzer_10ms" / Int8ub,
    "interval" / Int8ub,
    Terminated,
)
INFO = Struct(
    "hardware" / Bytes(32),
    "firmware" / Bytes(32),
    "serial" / Bytes(12),
    "module_hardware" / Bytes(32),
    "module_firmware" / Bytes(32),
    "module_serial" / Bytes(12),
    Terminated,
)
INFO_BYTES = 152


@dataclass(frozen=True, slots=True)
class Params:
    """Everything a reader keeps in flash, as numbers.

    `work_mode` 0 answers, 1 reports by itself, 2 waits for a trigger; `area` is the memory bank an
    inventory reports (1 EPC, 2 TID, 3 user); `antenna_mask` has one bit an antenna; the channels
    are start + n * step.
    """

    address: int
    protocol: int
    work_mode: int
    interface: int
    baud_code: int
    wiegand: int
    antenna_mask: int
    region: int
    start_mhz: int
    start_khz: int
    step_khz: int
    channels: int
    power_dbm: int
    area: int
    q: int
    session: int
    area_start: int
    area_bytes: int
    filter_s: int
    trigger_s: int
    buzzer_10ms: int
    interval: int


@dataclass(frozen=True, slots=True)
class Info:
    """What the reader and the radio module inside it say they are; serials are bytes."""

    hardware: str
    firmware: str
    serial: bytes
    module_hardware: str
    module_firmware: str
    module_serial: bytes


def decode_params(data: bytes) -> Params:
    """The 25 bytes of the parameters; raises FrameError."""
    found = parse(PARAMS, data, "parameters")
    return Params(**{name: found[name] for name in Params.__slots__})


def params_data(params: Params) -> bytes:
    """The opposite of `decode_params`."""
    return bytes(PARAMS.build({name: getattr(params, name) for name in params.__slots__}))


def decode_info(data: bytes) -> Info:
    """The INFO_BYTES of the banner; raises FrameError."""
    found = parse(INFO, data, "device info")
    return Info(
        hardware=_text(found.hardware),
        firmware=_text(found.firmware),
        serial=found.serial,
        module_hardware=_text(found.module_hardware),
        module_firmware=_text(found.module_firmware),
        module_serial=found.module_serial,
    )


def info_data(info: Info) -> bytes:
    """The opposite of `decode_info`; texts are at most 32 characters of ASCII."""
    return bytes(
        INFO.build(
            {
                "hardware": info.hardware.encode("ascii").ljust(32, b"\0"),
                "firmware": info.firmware.encode("ascii").ljust(32, b"\0"),
                "serial": info.serial,
                "module_hardware": info.module_hardware.encode("ascii").ljust(32, b"\0"),
                "module_firmware": info.module_firmware.encode("ascii").ljust(32, b"\0"),
                "module_serial": info.module_serial,
            }
        )
    )


def _text(raw: bytes) -> str:
    """A banner is for people: what is not ASCII is shown as a replacement."""
    return raw.rstrip(b"\0 ").decode("ascii", errors="replace")
