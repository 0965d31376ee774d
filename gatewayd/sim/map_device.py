"""A Modbus device made from a register map: it answers as the map says, and lies when told to.

It is as narrow as the real one: functions, registers a request, and addresses that the map forbids
are refused with the exception the protocol has for them.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from gatewayd.sim.wires import Feed, Line
from protocols.modbus import (
    EXCEPTION_BIT,
    MBAP,
    ModbusError,
    crc16,
    rtu_frame,
    tcp_frame,
    tcp_frame_bytes,
)
from protocols.register_block import Point, Value
from protocols.register_file import READ_FUNCTIONS, SINGLE_BITS, Table
from protocols.register_plan import size_max
from protocols.register_values import values_of, whole_of, words_of
from protocols.registers import Profile, register_bytes, register_numbers

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
WRITE_COIL, WRITE_ONE, WRITE_MANY = 5, 6, 16
UNIT = 1
"""The unit on a serial line; over TCP every unit is answered."""
REQUEST_BYTES = 8
"""The shortest RTU request."""
RTU_BYTES_MAX = 256
_TABLES: Mapping[int, Table] = {
    1: "coil",
    2: "discrete",
    3: "holding",
    4: "input",
}


@dataclass(slots=True)
class MapFaults:
    """What goes wrong: an exception code, lateness, cut or added bytes of the answer, silence."""

    exception: int = 0
    late_s: float = 0.0
    cut_bytes: int = 0
    silent: bool = False

    def __str__(self) -> str:
        """What is wrong, for a table."""
        told = {
            f"exception {self.exception}": self.exception,
            f"{self.late_s} s late": self.late_s,
            f"{self.cut_bytes} bytes short": self.cut_bytes,
            "silent": self.silent,
        }
        return ", ".join(text for text, on in told.items() if on) or "nothing"


@dataclass(slots=True)
class MapDevice:
    """One unit on TCP. `device` is a device for `wires`; every request PDU lands in `heard`."""

    profile: Profile
    faults: MapFaults = field(default_factory=MapFaults)
    heard: list[bytes] = field(default_factory=list)
    cells: dict[tuple[Table, int], int] = field(default_factory=dict)
    written: dict[tuple[Table, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """All bits that mean something are unset, all numbers 0."""
        for point in self.profile.points.values():
            unset = int(point.name in point.inverted)
            self.set_raw(point, whole_of(point, {}) if point.type == "bits" else unset)

    def set_raw(self, point: Point, value: int) -> None:
        """Put a number into the registers of a point; a bits point whole, a float32 as its bits."""
        self.put(point, words_of(point, value))

    def put(self, point: Point, words: tuple[int, ...]) -> None:
        """Put register words into a point, as they travel."""
        bank = self._bank(writing=point.writable)
        for at, word in enumerate(words):
            bank[point.table, point.address + at] = word

    def set(self, name: str, value: Value) -> None:
        """Set a point, a bit or a field by its meaning: an inverted bit is stored inverted."""
        point = self.profile.owner(name)
        if point.type == "bit":
            self.set_raw(point, int(bool(value) != (name in point.inverted)))
        elif name == point.name:
            self.set_raw(point, value)
        else:
            self.set_raw(point, whole_of(point, {**self.meaning(point), name: value}))

    def meaning(self, point: Point) -> dict[str, Value]:
        """What stands in a point now."""
        bank = self._bank(writing=point.writable)
        words = tuple(bank[point.table, point.address + at] for at in range(point.size))
        return values_of(point, words)

    def device(self, line: Line) -> Feed:
        """Serve one TCP connection; bytes that are no Modbus are ignored."""
        got = bytearray()

        def feed(data: bytes) -> None:
            got.extend(data)
            try:
                while (size := tcp_frame_bytes(got)) and len(got) >= size:
                    frame = bytes(got[:size])
                    del got[:size]
                    self._serve(line.send, frame)
            except ModbusError:
                got.clear()

        return feed

    def device_rtu(self, line: Line) -> Feed:
        """Serve a serial line as unit 1; other units' questions are not answered."""
        got = bytearray()

        def feed(data: bytes) -> None:
            got.extend(data)
            if len(got) > RTU_BYTES_MAX:
                got.clear()
            if len(got) >= REQUEST_BYTES and crc16(bytes(got[:-2])) == int.from_bytes(
                got[-2:], "little"
            ):
                frame = bytes(got)
                got.clear()
                if frame[0] == UNIT:
                    self._reply(line.send, partial(rtu_frame, UNIT), frame[1:-2])

        return feed

    def answer(self, pdu: bytes) -> bytes:
        """The reply PDU, an exception included."""
        self.heard.append(pdu)
        code = self.faults.exception or self._refusal(pdu)
        if code:
            return bytes((pdu[0] | EXCEPTION_BIT, code))
        address, count = int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")
        if pdu[0] in _TABLES:
            return self._read(pdu[0], address, count)
        return self._write(pdu, address, count)

    def _serve(self, send: Callable[[bytes], None], frame: bytes) -> None:
        transaction, _, _, unit = MBAP.unpack_from(frame)
        self._reply(send, partial(tcp_frame, transaction, unit), frame[MBAP.size :])

    def _reply(
        self, send: Callable[[bytes], None], framed: Callable[[bytes], bytes], pdu: bytes
    ) -> None:
        reply, faults = self.answer(pdu), self.faults
        if faults.silent:
            return
        out = framed(reply[: len(reply) - faults.cut_bytes])
        if faults.late_s:
            asyncio.get_running_loop().call_later(faults.late_s, partial(send, out))
        else:
            send(out)

    def _bank(self, *, writing: bool) -> dict[tuple[Table, int], int]:
        return self.written if writing and self.profile.separate else self.cells

    def _refusal(self, pdu: bytes) -> int:
        limits = self.profile.limits
        if pdu[0] not in limits.functions:
            return ILLEGAL_FUNCTION
        address, count = int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")
        if pdu[0] in (WRITE_COIL, WRITE_ONE):
            count = 1
        table = _TABLES.get(pdu[0], "coil" if pdu[0] == WRITE_COIL else "holding")
        if not 1 <= count <= size_max(table, limits):
            return ILLEGAL_VALUE
        base, last = self.profile.base, address + count - 1
        forbidden = any(
            never.low - base <= last and never.high - base >= address for never in limits.never_read
        )
        return ILLEGAL_ADDRESS if forbidden or self._gap(table, address, count) else 0

    def _gap(self, table: Table, address: int, count: int) -> bool:
        """Whether the request spans more unnamed registers in a row than the device bears."""
        run = 0
        for at in range(address, address + count):
            run = 0 if (table, at) in self.cells or (table, at) in self.written else run + 1
            if run > self.profile.limits.gap_max and table not in SINGLE_BITS:
                return True
        return False

    def _read(self, function: int, address: int, count: int) -> bytes:
        table = _TABLES[function]
        assert READ_FUNCTIONS[table] == function, function
        words = [self.cells.get((table, address + at), 0) for at in range(count)]
        if table not in SINGLE_BITS:
            return bytes((function, 2 * count)) + register_bytes(words)
        packed = bytearray((count + 7) // 8)
        for at, word in enumerate(words):
            packed[at // 8] |= (word & 1) << at % 8
        return bytes((function, len(packed))) + bytes(packed)

    def _write(self, pdu: bytes, address: int, value: int) -> bytes:
        bank = self._bank(writing=True)
        if pdu[0] == WRITE_COIL:
            bank["coil", address] = int(value != 0)
        elif pdu[0] == WRITE_ONE:
            bank["holding", address] = value
        else:
            assert pdu[0] == WRITE_MANY, pdu
            for at, word in enumerate(register_numbers(pdu[6:])):
                bank["holding", address + at] = word
            return pdu[:5]
        return pdu
