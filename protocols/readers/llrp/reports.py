"""What an LLRP reader says, as far as the gateway acts on it.

Everything else of a message stays in its `Message`. Timestamps are the reader's own clock and are
not read here: arrival time decides. RSSI is whole dBm (PeakRSSI, s8), hundredths of a dBm where an
Impinj reader adds its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from protocols.framing import FrameError
from protocols.readers.llrp.wire import Bits, Message, Param

_CDBM = 100

ATTEMPT_OK = 0
ATTEMPT_TAKEN_BY_READER = 1
ATTEMPT_TAKEN_BY_CLIENT = 2
ATTEMPT_SOMEBODY_ELSE = 4
"""ConnectionAttemptEvent: 1 and 2 refuse us, for somebody else is connected; 4 tells the connected
client that somebody else tried."""
ROSPEC_ENDED, ROSPEC_PREEMPTED = 1, 2


@dataclass(frozen=True, slots=True)
class OpResult:
    """How one access operation went: `code` 0 is done; `data` are the words that were read."""

    name: str
    op_id: int
    code: int
    text: str
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Seen:
    """One tag in a report. `antenna` is None when the reader does not say; `epc` may be empty."""

    epc: bytes
    epc_bits: int
    antenna: int | None = None
    peak_rssi_dbm: int | None = None
    rssi_cdbm: int | None = None
    results: tuple[OpResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """LLRPStatus: `code` 0 is done, else `text` is the reader's own reason."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a reader is. `powers_cdbm` is its table: index to hundredths of a dBm.

    `hop_table` is 0 where it sends on fixed frequencies, and `channel` 0 where it hops.
    """

    maker: int
    model: int
    firmware: str
    antennas: int
    has_utc_clock: bool
    powers_cdbm: Mapping[int, int] = field(default_factory=dict)
    hop_table: int = 0
    channel: int = 0


def tags(message: Message) -> tuple[Seen, ...]:
    """The tags of a RO_ACCESS_REPORT, in order."""
    return tuple(_seen(data) for data in message.body.all("TagReportData"))


def status(message: Message) -> Status | None:
    """What a response says of its request; None when it has no status."""
    found = message.first("LLRPStatus")
    if found is None:
        return None
    return Status(found.number("status_code"), str(found.values["error_description"]))


def event(message: Message) -> Param:
    """The events of a READER_EVENT_NOTIFICATION, each a parameter inside."""
    found = message.first("ReaderEventNotificationData")
    assert found is not None, message
    return found


def capabilities(message: Message) -> Capabilities:
    """What GET_READER_CAPABILITIES_RESPONSE tells; raises FrameError when the device part is gone."""
    device = message.first("GeneralDeviceCapabilities")
    if device is None:
        raise FrameError("capabilities without GeneralDeviceCapabilities")
    regulatory = message.first("RegulatoryCapabilities")
    band = regulatory.first("UHFBandCapabilities") if regulatory else None
    frequencies = band.first("FrequencyInformation") if band else None
    hops = frequencies.first("FrequencyHopTable") if frequencies else None
    return Capabilities(
        maker=device.number("device_manufacturer_name"),
        model=device.number("model_name"),
        firmware=str(device.values["reader_firmware_version"]),
        antennas=device.number("max_number_of_antenna_supported"),
        has_utc_clock=bool(device.values["has_utc_clock_capability"]),
        powers_cdbm=powers(band) if band else {},
        hop_table=hops.number("hop_table_id") if hops else 0,
        channel=0 if hops else 1,
    )


def powers(band: Param) -> dict[int, int]:
    """The transmit power table: index to hundredths of a dBm (a signed 16-bit number)."""
    return {
        entry.number("index"): entry.number("transmit_power_value")
        for entry in band.all("TransmitPowerLevelTableEntry")
    }


def epc_of(tag: Param) -> Bits:
    """The EPC as bits; a report without one does not decode."""
    found = tag.first("EPC_96") or tag.first("EPCData")
    assert found is not None, tag
    epc = found.values["epc"]
    if isinstance(epc, bytes):
        return Bits(8 * len(epc), epc)
    assert isinstance(epc, Bits), epc
    return epc


def results_of(tag: Param) -> tuple[OpResult, ...]:
    """How the access operations on this tag went."""
    return tuple(_result(p) for p in tag.params if p.name.endswith("OpSpecResult"))


def _seen(tag: Param) -> Seen:
    epc = epc_of(tag)
    antenna = tag.first("AntennaID")
    peak = tag.first("PeakRSSI")
    fine = tag.first("ImpinjPeakRSSI")
    peak_rssi_dbm = peak.number("peak_rssi") if peak else None
    rssi_cdbm = None if peak_rssi_dbm is None else peak_rssi_dbm * _CDBM
    return Seen(
        epc=epc.packed,
        epc_bits=epc.count,
        antenna=antenna.number("antenna_id") if antenna else None,
        peak_rssi_dbm=peak_rssi_dbm,
        rssi_cdbm=fine.number("rssi") if fine else rssi_cdbm,
        results=results_of(tag),
    )


def _result(param: Param) -> OpResult:
    code = param.values["result"]
    assert isinstance(code, int), param
    words = param.values.get("read_data", ())
    assert isinstance(words, tuple), param
    return OpResult(
        name=param.name,
        op_id=param.number("op_spec_id"),
        code=int(code),
        text=str(getattr(code, "name", code)),
        data=b"".join(word.to_bytes(2, "big") for word in words),
    )


def transmitter(message: Message) -> tuple[int, int] | None:
    """Hop table and channel the first antenna sends on; None when the configuration has none."""
    for antenna in message.body.all("AntennaConfiguration"):
        if found := antenna.first("RFTransmitter"):
            return found.number("hop_table_id"), found.number("channel_index")
    return None
