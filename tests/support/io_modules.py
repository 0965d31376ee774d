"""A scripted I/O module on real Modbus bytes, whose watchdog runs on the real clock.

Registers are those of the WAGO 750 manual ("alternative watchdog"): 0x1000 time in 100 ms, 0x1006
state, 0x1008 stop, 0x100A start. Any request feeds it; a fed module that had fired lets its
outputs act again, with the old image, as the manual has it; `risen` counts how often that opened.
"""

import asyncio
from dataclasses import dataclass, field

from tests.support.plcs import Plc

COIL = 512
START_INPUT, STOP_INPUT = 0, 1
TIME, STATE, STOP, ALTERNATIVE = 0x1000, 0x1006, 0x1008, 0x100A
STOP_WORD = 0x55AA
UNIT_S = 0.1
WATCHDOG = (
    "{register: 4096, ms: 1000, unit_ms: 100, before: [{register: 4104, value: 21930}], "
    "after: [{register: 4106, value: 1}], running: {register: 4102, value: 1}}"
)


@dataclass
class IoModule(Plc):
    """`coils` is the image; `energised()` is what the valve feels now."""

    coils: dict[int, bool] = field(default_factory=dict)
    inputs: dict[int, bool] = field(default_factory=dict)
    registers: dict[int, int] = field(default_factory=dict)
    armed: bool = False
    fired: bool = False
    fed_s: float = 0.0
    sticks: bool = False
    forgets_time: bool = False
    refuses_when_fired: bool = False
    risen: int = 0
    written: list[tuple[int, int]] = field(default_factory=list)

    def energised(self) -> bool:
        """Whether current flows to the valve at this moment."""
        self.tend()
        return self.coils.get(COIL, False) and not self.fired

    def tend(self) -> None:
        """The watchdog's own clock; asked whenever somebody looks."""
        time_s = self.registers.get(TIME, 100) * UNIT_S
        if self.armed and asyncio.get_running_loop().time() - self.fed_s > time_s:
            self.fired = True

    def reboot(self) -> None:
        """Power lost and back: outputs off, watchdog off and forgotten."""
        self.coils.clear()
        self.registers.clear()
        self.armed = self.fired = False

    def answer(self, pdu: bytes) -> bytes:
        self.asked.append(pdu)
        self.tend()
        function, address = pdu[0], int.from_bytes(pdu[1:3], "big")
        value = int.from_bytes(pdu[3:5], "big")
        if self.fired and self.refuses_when_fired and (address, value) != (STOP, STOP_WORD):
            return bytes((function | 0x80, 4))
        self.fed_s = asyncio.get_running_loop().time()
        said_off = function == 5 and value == 0
        self.risen += self.fired and self.coils.get(COIL, False) and not said_off
        self.fired = self.fired and self.refuses_when_fired
        if function in (1, 2):
            bits = self.coils if function == 1 else self.inputs
            return bytes((function, 1, bits.get(address, False)))
        if function in (3, 4):
            return bytes((function, 2)) + self.word(address).to_bytes(2, "big")
        self.written.append((address, value))
        if function == 5:
            self.coils[address] = value == 0xFF00 or (
                self.sticks and self.coils.get(address, False)
            )
        else:
            self.write(address, value)
        return pdu

    def word(self, address: int) -> int:
        if address == STATE:
            return 2 if self.fired else int(self.armed)
        return self.registers.get(address, 0)

    def write(self, address: int, value: int) -> None:
        if address == STOP and value == STOP_WORD:
            self.armed = self.fired = False
        elif address == ALTERNATIVE:
            self.armed = value == 1
        elif not (address == TIME and (self.armed or self.forgets_time)):
            self.registers[address] = value
