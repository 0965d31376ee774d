"""Settings and readings of an R2000 reader as named fields, where question and reply look alike."""

from typing import Any

from protocols.readers.r2000 import codes

_NUMBERS = {
    codes.SET_ANTENNA: "antenna_index",
    codes.GET_ANTENNA: "antenna_index",
    codes.SET_TEMPORARY_POWER: "power_dbm",
    codes.SET_ADDRESS: "new_adr",
    codes.SET_ANTENNA_DETECTOR: "return_loss_db",
    codes.GET_ANTENNA_DETECTOR: "return_loss_db",
    codes.RETURN_LOSS: "return_loss_db",
}
_CHOICES = {
    codes.SET_BEEPER: ("beeper", codes.BEEPER_MODES),
    codes.SET_LINK_PROFILE: ("profile", codes.PROFILES),
    codes.GET_LINK_PROFILE: ("profile", codes.PROFILES),
}
_POWERS = frozenset({codes.SET_POWER, codes.GET_POWER, codes.GET_POWERS})
_GPIO_NAMES = ("gpio1", "gpio2")
_PLAN_BYTES = 3
_USER_PLAN_BYTES = 6


def value_fields(code: int, data: bytes) -> dict[str, Any]:
    """What these bytes set or say; bytes of an unknown layout are only `data`."""
    if len(data) == 1 and code in _NUMBERS:
        return {_NUMBERS[code]: data[0]}
    if len(data) == 1 and code in _CHOICES:
        name, known = _CHOICES[code]
        return {name: f"0x{data[0]:02X} {known.get(data[0], '')}".rstrip()}
    if code in _POWERS:
        return {"power_dbm": data[0] if len(data) == 1 else list(data)}
    if code == codes.SET_BAUD and len(data) == 1:
        return {"baud_code": data[0], "baud": codes.BAUDS.get(data[0])}
    if code in {codes.SET_REGION, codes.GET_REGION}:
        return _region(data)
    if code == codes.TEMPERATURE and len(data) == len(("sign", "degrees")):
        return _temperature(data)
    if code == codes.READ_GPIO and len(data) == len(_GPIO_NAMES):
        return dict(zip(_GPIO_NAMES, data, strict=True))
    if code == codes.WRITE_GPIO and len(data) == len(("which", "level")):
        return {"gpio": data[0], "level": data[1]}
    if code in {codes.SET_IDENTIFIER, codes.GET_IDENTIFIER}:
        return {"identifier": data.hex()}
    if code == codes.BUFFER_COUNT and len(data) == len(("high", "low")):
        return {"tag_count": int.from_bytes(data)}
    return {"data": data.hex()}


def _temperature(data: bytes) -> dict[str, Any]:
    """The sign byte is read opposite ways by public drivers; 1 is plus by the manual."""
    return {"sign": data[0], "temperature_c": data[1] if data[0] == 1 else -data[1]}


def _region(data: bytes) -> dict[str, Any]:
    """Region with first and last channel; a user's own plan is spacing, channels and first kHz."""
    if len(data) == _PLAN_BYTES:
        region = codes.REGIONS.get(data[0], data[0])
        return {"region": region, "start_index": data[1], "end_index": data[2]}
    if len(data) == _USER_PLAN_BYTES:
        plan = {"region": codes.REGIONS.get(data[0], data[0]), "spacing_khz": 10 * data[1]}
        return {**plan, "channels": data[2], "start_khz": int.from_bytes(data[3:])}
    return {"data": data.hex()}
