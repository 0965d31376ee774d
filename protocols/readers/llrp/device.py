"""What an LLRP reader says, built: for simulated readers and for tests."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from protocols.readers.llrp.commands import IMPINJ_PEN, build
from protocols.readers.llrp.wire import Bits, Param, Value

EPC_96_BYTES = 12
CONNECTED = Param("ConnectionAttemptEvent", {"status": 0})
CLOSED = Param("ConnectionCloseEvent")


@dataclass(frozen=True, slots=True)
class Sight:
    """One tag as a reader reports it; `epc_bits` only where it is not whole bytes."""

    epc: bytes
    antenna: int | None = 1
    peak_rssi_dbm: int | None = -50
    epc_bits: int | None = None
    extra: tuple[Param, ...] = ()


def report(sights: Iterable[Sight], message_id: int = 0) -> bytes:
    """RO_ACCESS_REPORT; empty is what a reader without tags answers to GET_REPORT."""
    return build("RO_ACCESS_REPORT", message_id, Param("", params=tuple(map(_tag, sights))))


def _tag(sight: Sight) -> Param:
    bits = 8 * len(sight.epc) if sight.epc_bits is None else sight.epc_bits
    if bits == 8 * EPC_96_BYTES:
        inside = [Param("EPC_96", {"epc": sight.epc})]
    else:
        inside = [Param("EPCData", {"epc": Bits(bits, sight.epc)})]
    if sight.antenna is not None:
        inside.append(Param("AntennaID", {"antenna_id": sight.antenna}))
    if sight.peak_rssi_dbm is not None:
        inside.append(Param("PeakRSSI", {"peak_rssi": sight.peak_rssi_dbm}))
    return Param("TagReportData", params=(*inside, *sight.extra))


def event(*events: Param, utc_us: int = 0, message_id: int = 0) -> bytes:
    """READER_EVENT_NOTIFICATION: CONNECTED, CLOSED or any other event."""
    data = Param(
        "ReaderEventNotificationData",
        params=(Param("UTCTimestamp", {"microseconds": utc_us}), *events),
    )
    return build("READER_EVENT_NOTIFICATION", message_id, Param("", params=(data,)))


def keepalive(message_id: int = 0) -> bytes:
    """KEEPALIVE, which the host answers at once."""
    return build("KEEPALIVE", message_id, Param(""))


def status_param(code: int = 0, text: str = "") -> Param:
    """LLRPStatus: 0 is done."""
    return Param("LLRPStatus", {"status_code": code, "error_description": text})


def response(name: str, message_id: int, *, code: int = 0, text: str = "") -> bytes:
    """The answer to a request that returns nothing but its status; also ERROR_MESSAGE."""
    return build(name, message_id, Param("", params=(status_param(code, text),)))


def op_result(name: str, op_id: int, code: int = 0, data: bytes = b"") -> Param:
    """How an operation went: `C1G2Read` with the data read, `C1G2Write` with what was written."""
    words = tuple(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))
    values: dict[str, Value] = {"result": code, "op_spec_id": op_id}
    told: dict[str, Value] = (
        {"read_data": words} if name == "C1G2Read" else {"num_words_written": len(words)}
    )
    return Param(f"{name}OpSpecResult", values | told)


def capabilities(
    message_id: int,
    *,
    maker: int = IMPINJ_PEN,
    antennas: int = 4,
    powers_cdbm: Sequence[int] = (),
) -> bytes:
    """GET_READER_CAPABILITIES_RESPONSE with a power table that counts from 1."""
    device = Param(
        "GeneralDeviceCapabilities",
        {
            "max_number_of_antenna_supported": antennas,
            "has_utc_clock_capability": True,
            "device_manufacturer_name": maker,
            "model_name": 2_001_002,
            "reader_firmware_version": "5.14.0.240",
        },
        (
            Param("ReceiveSensitivityTableEntry", {"index": 1}),
            Param("GPIOCapabilities"),
            *(
                Param("PerAntennaAirProtocol", {"antenna_id": one})
                for one in range(1, antennas + 1)
            ),
        ),
    )
    table = tuple(
        Param("TransmitPowerLevelTableEntry", {"index": index, "transmit_power_value": cdbm})
        for index, cdbm in enumerate(powers_cdbm, 1)
    )
    hops = Param("FrequencyHopTable", {"hop_table_id": 1, "frequency": (902_750, 903_250)})
    frequencies = Param("FrequencyInformation", {"hopping": True}, (hops,))
    mode = Param("C1G2UHFRFModeTable", params=(Param("C1G2UHFRFModeTableEntry"),))
    band = Param("UHFBandCapabilities", params=(*table, frequencies, mode))
    country = {"country_code": 840, "communications_standard": 1}
    inside = (
        (status_param(), device, Param("RegulatoryCapabilities", country, (band,)))
        if table
        else (status_param(), device)
    )
    return build("GET_READER_CAPABILITIES_RESPONSE", message_id, Param("", params=inside))
