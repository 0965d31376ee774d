"""What the host says to an LLRP reader.

One ROSpec (what to read, for ever) and, for a tag's memory, one AccessSpec beside it. Layouts and
meanings: LLRP 1.0.1 §10 to §16; that the result of an AccessSpec arrives inside a report, and that
transmit power is an index into the reader's own table, is stated there too.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from protocols.readers.llrp.wire import Bits, Message, Param, encode

ROSPEC_ID = 1
ALL_SPECS = 0
"""The id that deletes every ROSpec or AccessSpec."""
ALL_ANTENNAS = 0
GEN2 = 1
EPC_BANK = 1
EPC_BIT_START = 0x20
"""The EPC follows its CRC and PC words."""
IMPINJ_PEN = 25_882
"""IANA enterprise number: the maker whose extensions are asked for."""
TAG_POPULATION = 8
"""Tags expected in the field when a session is chosen: a cylinder or a few."""

_NULL = 0
_PERIODIC = 1
_WHEN_ASKED, _EVERY_TAG = 0, 2
_EVENTS = (2, 3, 4, 8)
"""Events asked for: ROSpec, buffer warning, reader exception, antenna."""
_IMPINJ_ON = 1
_ANTENNA_CONFIGURATION = 3

Bank: TypeAlias = Literal[0, 1, 2, 3]


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a ROSpec reads.

    `antennas` from 1, empty for all; `power_index` is an index of the reader's table and `session`
    0..3, both None to leave them as they are; `each_tag` reports every sighting at once, else
    reports wait for GET_REPORT; `impinj` asks for the RSSI in hundredths of a dBm.
    """

    antennas: tuple[int, ...] = ()
    power_index: int | None = None
    hop_table: int = 0
    channel: int = 0
    session: int | None = None
    each_tag: bool = True
    impinj: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """What an AccessSpec does once to the tag of this EPC; words are 16 bits."""

    spec_id: int
    epc: bytes
    bank: Bank
    start: int
    count: int
    password: int = 0
    data: bytes = b""

    def __post_init__(self) -> None:
        """Whole words only."""
        assert self.spec_id > ALL_SPECS, self
        assert not self.data or len(self.data) == 2 * self.count, self


def build(name: str, message_id: int, body: Param) -> bytes:
    """The bytes of a message of LLRP 1.0.1, which every reader speaks until told otherwise."""
    return encode(Message(name, message_id, body))


def get_capabilities(message_id: int) -> bytes:
    """Ask what the reader is and can do."""
    return build("GET_READER_CAPABILITIES", message_id, Param("", {"requested_data": 0}))


def enable_impinj(message_id: int) -> bytes:
    """Ask an Impinj reader for its extensions (PEN 25882, subtype 21)."""
    return build("IMPINJ_ENABLE_EXTENSIONS", message_id, Param(""))


def set_config(message_id: int, *, keepalive_ms: int, events: bool = True) -> bytes:
    """Ask for a keepalive every so often and, with `events`, for word of what happens."""
    keepalive = {"keepalive_trigger_type": _PERIODIC, "periodic_trigger_value": keepalive_ms}
    told = tuple(
        Param("EventNotificationState", {"event_type": kind, "notification_state": True})
        for kind in _EVENTS
    )
    wanted = (Param("ReaderEventNotificationSpec", params=told),) if events else ()
    return build(
        "SET_READER_CONFIG",
        message_id,
        Param("", {}, (*wanted, Param("KeepaliveSpec", keepalive))),
    )


def get_antenna_config(message_id: int) -> bytes:
    """Ask what every antenna is set to."""
    asked = {"antenna_id": ALL_ANTENNAS, "requested_data": _ANTENNA_CONFIGURATION}
    return build("GET_READER_CONFIG", message_id, Param("", asked))


def of_rospec(name: str, message_id: int, rospec_id: int = ROSPEC_ID) -> bytes:
    """ENABLE_, START_, STOP_, DISABLE_ or DELETE_ROSPEC."""
    return build(name, message_id, Param("", {"ro_spec_id": rospec_id}))


def of_accessspec(name: str, message_id: int, spec_id: int) -> bytes:
    """ENABLE_, DISABLE_ or DELETE_ACCESSSPEC."""
    return build(name, message_id, Param("", {"access_spec_id": spec_id}))


def plain(name: str, message_id: int) -> bytes:
    """A message without content: KEEPALIVE_ACK, GET_REPORT, GET_ROSPECS, CLOSE_CONNECTION."""
    return build(name, message_id, Param(""))


def add_rospec(message_id: int, inventory: Inventory, rospec_id: int = ROSPEC_ID) -> bytes:
    """A ROSpec that, once enabled and started, reads until it is stopped."""
    boundary = Param(
        "ROBoundarySpec",
        params=(
            Param("ROSpecStartTrigger", {"ro_spec_start_trigger_type": _NULL}),
            Param("ROSpecStopTrigger", {"ro_spec_stop_trigger_type": _NULL}),
        ),
    )
    antennas = inventory.antennas or (ALL_ANTENNAS,)
    ai = Param(
        "AISpec",
        {"antenna_ids": antennas},
        (
            Param("AISpecStopTrigger", {"ai_spec_stop_trigger_type": _NULL}),
            Param(
                "InventoryParameterSpec",
                {"inventory_parameter_spec_id": 1, "protocol_id": GEN2},
                _antenna_settings(inventory, antennas),
            ),
        ),
    )
    spec = Param("ROSpec", {"ro_spec_id": rospec_id}, (boundary, ai, _report_spec(inventory)))
    return build("ADD_ROSPEC", message_id, Param("", params=(spec,)))


def add_access(message_id: int, access: Access, rospec_id: int = ROSPEC_ID) -> bytes:
    """An AccessSpec that reads, or writes when there is data, once."""
    words = len(access.data) // 2
    spec_id, epc_bits = access.spec_id, 8 * len(access.epc)
    target = Param(
        "C1G2TargetTag",
        {
            "mb": EPC_BANK,
            "match": True,
            "pointer": EPC_BIT_START,
            "tag_mask": Bits(epc_bits, b"\xff" * len(access.epc)),
            "tag_data": Bits(epc_bits, access.epc),
        },
    )
    place = {
        "op_spec_id": spec_id,
        "access_password": access.password,
        "mb": access.bank,
        "word_pointer": access.start,
    }
    written = tuple(int.from_bytes(access.data[2 * at : 2 * at + 2], "big") for at in range(words))
    operation = (
        Param("C1G2Write", {**place, "write_data": written})
        if access.data
        else Param("C1G2Read", {**place, "word_count": access.count})
    )
    once = {"access_spec_stop_trigger": 1, "operation_count_value": 1}
    spec = Param(
        "AccessSpec",
        {"access_spec_id": spec_id, "protocol_id": GEN2, "ro_spec_id": rospec_id},
        (
            Param("AccessSpecStopTrigger", once),
            Param("AccessCommand", {}, (Param("C1G2TagSpec", {}, (target,)), operation)),
            Param("AccessReportSpec", {"access_report_trigger": 0}),
        ),
    )
    return build("ADD_ACCESSSPEC", message_id, Param("", params=(spec,)))


def _report_spec(inventory: Inventory) -> Param:
    """What a report tells: antenna, RSSI, first and last seen, count, PC and CRC, AccessSpec."""
    wanted = dict.fromkeys(
        (
            "enable_ro_spec_id",
            "enable_antenna_id",
            "enable_peak_rssi",
            "enable_first_seen_timestamp",
            "enable_last_seen_timestamp",
            "enable_tag_seen_count",
            "enable_access_spec_id",
        ),
        True,
    )
    memory = Param("C1G2EPCMemorySelector", {"enable_crc": True, "enable_pc_bits": True})
    selector = Param("TagReportContentSelector", wanted, (memory,))
    fine_rssi = Param("ImpinjEnablePeakRSSI", {"peak_rssi_mode": _IMPINJ_ON})
    extra = (Param("ImpinjTagReportContentSelector", {}, (fine_rssi,)),) if inventory.impinj else ()
    each = inventory.each_tag
    trigger = {"ro_report_trigger": _EVERY_TAG if each else _WHEN_ASKED, "n": 1 if each else 0}
    return Param("ROReportSpec", trigger, (selector, *extra))


def _antenna_settings(inventory: Inventory, antennas: tuple[int, ...]) -> tuple[Param, ...]:
    """A block for each antenna, and only where something is set: readers count them."""
    inside: tuple[Param, ...] = ()
    if inventory.power_index is not None:
        transmitter = {
            "hop_table_id": inventory.hop_table,
            "channel_index": inventory.channel,
            "transmit_power": inventory.power_index,
        }
        inside += (Param("RFTransmitter", transmitter),)
    if inventory.session is not None:
        control = {"session": inventory.session, "tag_population": TAG_POPULATION}
        inside += (Param("C1G2InventoryCommand", {}, (Param("C1G2SingulationControl", control),)),)
    if not inside:
        return ()
    return tuple(Param("AntennaConfiguration", {"antenna_id": one}, inside) for one in antennas)
