"""The configuration and the capabilities of an LLRP reader as flat fields."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from protocols.readers.llrp.reports import powers
from protocols.readers.llrp.values import plain, word
from protocols.readers.llrp.wire import Param

Fields: TypeAlias = dict[str, Any]

_ID_TYPES = {0: "MAC", 1: "EPC"}
_CDBM = 100


def antenna_numbers(spec: Param) -> list[int]:
    """The antennas of an AISpec; [0] is all of them."""
    numbers = spec.values.get("antenna_ids", ())
    assert isinstance(numbers, tuple), spec
    return list(numbers)


def config_fields(params: Sequence[Param]) -> Fields:
    """Identification, what is plugged in, and what each antenna is set to."""
    found: Fields = {}
    for param in params:
        if param.name == "Identification":
            kind = param.number("id_type")
            found["identification"] = {
                "type": _ID_TYPES.get(kind, kind),
                "id": word(param.values["reader_id"]),
            }
        elif param.name == "AntennaProperties":
            connected = found.setdefault("antenna_connected", {})
            connected[str(param.number("antenna_id"))] = bool(param.values["antenna_connected"])
        elif param.name == "AntennaConfiguration":
            found[f"antenna{param.number('antenna_id')}"] = _antenna(param)
    return found


def _antenna(config: Param) -> Fields:
    found: Fields = {}
    if receiver := config.first("RFReceiver"):
        found["rx_sensitivity_index"] = receiver.number("receiver_sensitivity")
    if transmitter := config.first("RFTransmitter"):
        found["hop_table"] = transmitter.number("hop_table_id")
        found["tx_power_index"] = transmitter.number("transmit_power")
        found |= _unless_zero("channel_index", transmitter)
    for command in config.all("C1G2InventoryCommand"):
        if control := command.first("C1G2RFControl"):
            found["mode_index"] = control.number("mode_index")
            found |= _unless_zero("tari", control)
        if control := command.first("C1G2SingulationControl"):
            found["session"] = control.number("session")
            found["tag_population"] = control.number("tag_population")
            found |= _unless_zero("tag_transit_time", control)
        known = {"C1G2RFControl", "C1G2SingulationControl"}
        others = [plain(p) for p in command.params if p.name not in known]
        found |= {"parameters": others} if others else {}
    return found


def _unless_zero(name: str, param: Param) -> Fields:
    """A number that says nothing when it is 0: hopping, automatic, not told."""
    number = param.number(name)
    return {name: number} if number else {}


def capability_fields(params: Sequence[Param]) -> Fields:
    """What the reader is, and its table of transmit powers in dBm by index."""
    found: Fields = {}
    for param in params:
        if param.name == "GeneralDeviceCapabilities":
            found |= {
                "antennas_max": param.number("max_number_of_antenna_supported"),
                "has_utc_clock": bool(param.values["has_utc_clock_capability"]),
                "manufacturer": param.number("device_manufacturer_name"),
                "model": param.number("model_name"),
                "firmware": word(param.values["reader_firmware_version"]),
            }
        elif param.name == "RegulatoryCapabilities":
            found["country_code"] = param.number("country_code")
            found["communications_standard"] = word(param.values["communications_standard"])
            if band := param.first("UHFBandCapabilities"):
                table = powers(band).items()
                found["tx_power_dbm"] = {str(index): cdbm / _CDBM for index, cdbm in table}
    return found
