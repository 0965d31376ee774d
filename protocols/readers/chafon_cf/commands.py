"""What a host says to a CF reader: build for the driver, decode for tools and simulated readers.

Inventory, power and questions are seen in captures. Read and write follow a public client of the
same protocol ("UHF Access Reader" models); no capture of them exists.
"""

from dataclasses import dataclass

from construct import Bytes, GreedyBytes, Int8ub, Int16ub, Int32ub, Struct, Terminated, this

from protocols.framing import FrameError, parse
from protocols.readers.chafon_cf.envelope import BROADCAST, seal, unseal

BY_TIME, BY_ROUNDS = 0, 1
FOR_EVER = 0
"""An inventory of 0 seconds runs until it is stopped."""

INVENTORY = Struct("by" / Int8ub, "value" / Int32ub, Terminated)
POWER = Struct("power_dbm" / Int8ub, "reserved" / Int8ub, Terminated)
MEMORY = Struct(
    "option" / Int8ub,
    "password" / Int32ub,
    "bank" / Int8ub,
    "start" / Int16ub,
    "count" / Int8ub,
    "data" / GreedyBytes,
    Terminated,
)
SELECT = Struct(
    "pointer_bits" / Int16ub,
    "mask_bits" / Int8ub,
    "mask" / Bytes((this.mask_bits + 7) // 8),
    "padding" / GreedyBytes,
    Terminated,
)


@dataclass(frozen=True, slots=True)
class Command:
    """Any command: reader address, number and data as sent."""

    address: int
    code: int
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Inventory:
    """Look for tags for `value` seconds (BY_TIME, FOR_EVER never ends) or rounds (BY_ROUNDS)."""

    by: int
    value: int


@dataclass(frozen=True, slots=True)
class Memory:
    """A stretch of a tag's memory in words; `data` is what a write writes."""

    password: int
    bank: int
    start: int
    count: int
    data: bytes = b""


def build_command(code: int, data: bytes = b"", *, address: int = BROADCAST) -> bytes:
    """Any command, sealed."""
    return seal(address, code, data)


def decode_command(raw: bytes) -> Command:
    """One whole frame of a host; raises FrameError."""
    envelope = unseal(raw)
    return Command(envelope.address, envelope.code, envelope.data)


def inventory_data(inventory: Inventory) -> bytes:
    """Data of the inventory command."""
    return bytes(INVENTORY.build({"by": inventory.by, "value": inventory.value}))


def decode_inventory(data: bytes) -> Inventory:
    """The opposite of `inventory_data`; raises FrameError."""
    found = parse(INVENTORY, data, "inventory")
    return Inventory(found.by, found.value)


def power_data(power_dbm: int) -> bytes:
    """Data of the set power command."""
    return bytes(POWER.build({"power_dbm": power_dbm, "reserved": 0}))


def memory_data(memory: Memory) -> bytes:
    """Data of read (without data) and write."""
    values = {name: getattr(memory, name) for name in memory.__slots__}
    return bytes(MEMORY.build({**values, "option": 0}))


def decode_memory(data: bytes) -> Memory:
    """The opposite of `memory_data`; raises FrameError."""
    found = parse(MEMORY, data, "memory access")
    if len(found.data) not in {0, 2 * found.count}:
        raise FrameError(f"{found.count} words announced, {len(found.data)} bytes present")
    return Memory(found.password, found.bank, found.start, found.count, found.data)
