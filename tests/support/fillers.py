"""A scripted filler on real Modbus bytes, and its register map: it weighs, doses and stops itself."""

import asyncio
from dataclasses import dataclass, field

from protocols import registers
from protocols.registers import Profile
from tests.support.plcs import Plc

MAP = """\
id: test-filler
title: {zh: 测试充装机, en: a filler for tests}
source: made up for tests
serves: [scale, filler]
mass: {unit: g, decimals: 0}
unknown_when:
  - {when: overload, says: overload}
scale: {gross: gross, stable: stable}
filler: {target: target, limit: limit, start: go, stop: halt, running: [running], valve_open: [flow],
  done: done, alarms: [fault], total: total}
commands:
  go: {writes: {control: 1}, kind: edge, doc: Start}
  halt: {writes: {control: 2}, kind: edge, doc: Stop}
points:
  control: {address: 0, type: uint16, writable: true, doc: Command}
  target: {address: 2, type: int32, mass: true, writable: true, doc: Target}
  limit: {address: 4, type: int32, mass: true, writable: true, doc: Limit}
  gross: {address: 10, type: int32, mass: true, doc: Gross}
  state: {address: 12, type: bits, bits: {stable: 0, running: 1, flow: 2, done: 3, fault: 4, overload: 5},
    doc: State}
  total: {address: 14, type: uint32, mass: true, doc: Totaliser}
"""
GO, HALT = 1, 2
FLOW_G_S = 2_000


def profile(text: str = MAP) -> Profile:
    """The map, loaded."""
    return registers.load(text, "test-filler.yaml")


@dataclass
class FillerDevice(Plc):
    """Its own dosing runs on the real clock, asked or not."""

    words: dict[int, int] = field(default_factory=dict)
    gross_g: int = 16_500
    total_g: int = 0
    running: bool = False
    done: bool = False
    fault: bool = False
    overload: bool = False
    deaf: bool = False
    forgets_target: bool = False
    commands: list[int] = field(default_factory=list)
    from_g: int = 0
    since_s: float = 0.0

    def long(self, address: int) -> int:
        return self.words.get(address, 0) << 16 | self.words.get(address + 1, 0)

    def tend(self) -> None:
        """What has flowed since somebody looked; it stops at its own target."""
        now_s = asyncio.get_running_loop().time()
        if self.running:
            grams = round((now_s - self.since_s) * FLOW_G_S)
            left_g = self.from_g + self.long(2) - self.gross_g
            grams = max(0, min(grams, left_g))
            self.gross_g, self.total_g = self.gross_g + grams, self.total_g + grams
            self.running, self.done = left_g > grams, left_g <= grams
        self.since_s = now_s

    def answer(self, pdu: bytes) -> bytes:
        self.asked.append(pdu)
        self.tend()
        address, count = int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")
        if pdu[0] == 3:
            self.show()
            values = [self.words.get(address + at, 0) for at in range(count)]
            return bytes((3, 2 * count)) + registers.register_bytes(values)
        if pdu[0] == 6:
            self.write(address, (count,))
            return pdu
        self.write(address, registers.register_numbers(pdu[6:]))
        return pdu[:5]

    def show(self) -> None:
        stable = 0 if self.running else 1
        bits = (stable, self.running, self.running, self.done, self.fault, self.overload)
        self.words[12] = sum(bool(bit) << at for at, bit in enumerate(bits))
        for at, value in ((10, self.gross_g), (14, self.total_g)):
            self.words[at], self.words[at + 1] = value >> 16, value & 0xFFFF

    def write(self, address: int, values: tuple[int, ...]) -> None:
        if self.forgets_target and address == 2:
            return
        for at, value in enumerate(values):
            self.words[address + at] = value
        if address != 0:
            return
        self.commands.append(values[0])
        if values[0] == GO and not self.deaf:
            self.running, self.done, self.from_g = True, False, self.gross_g
        if values[0] == HALT:
            self.running = False
