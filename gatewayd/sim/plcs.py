"""Many bare PLCs in one process, for benchmarks: `python -m gatewayd.sim.plcs --count 64`.

No physics and no program: registers that answer, a heartbeat and a weight that move every tick,
permit and lease that read back as written, and an echo. Prints one line `READY port port …` when
all listen, then serves until its input closes or it is interrupted.
"""

import argparse
import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from gatewayd.sim.gate_map import COMMAND_REGISTERS, REPORT_FIRST, REPORT_REGISTERS, Status
from gatewayd.sim.modbus_server import ModbusSlave
from gatewayd.sim.wires import TcpWire

COUNT_MAX = 1024
TICK_S = 0.05
GROSS_G = 16_500
REGISTERS = REPORT_FIRST + REPORT_REGISTERS
_ECHO, _GROSS, _TARE, _HEARTBEAT = 101, 103, 107, 115


@dataclass(slots=True)
class BareBank:
    """Registers of an idle gate with a cylinder on; the gross weight wanders by a gram."""

    registers: list[int] = field(default_factory=lambda: [0] * REGISTERS)

    def __post_init__(self) -> None:
        """An idle, stable gate with a cylinder on."""
        self.registers[REPORT_FIRST] = Status.READY | Status.CYLINDER_ON | Status.STABLE
        self.registers[_GROSS] = GROSS_G
        self.registers[_TARE] = 0

    def tick(self) -> None:
        """One program cycle: heartbeat, weight, echo."""
        registers = self.registers
        registers[_HEARTBEAT] = (registers[_HEARTBEAT] + 1) & 0xFFFF
        registers[_GROSS] = GROSS_G + registers[_HEARTBEAT] % 2
        registers[_ECHO] = registers[0]

    def read(self, address: int, count: int) -> Sequence[int]:
        """Registers as they are, 0 beyond them."""
        found = self.registers[address : address + count]
        return found + [0] * (count - len(found))

    def write(self, address: int, values: Sequence[int]) -> bool:
        """Take the gateway's registers only; the echo follows at once."""
        if address + len(values) > COMMAND_REGISTERS:
            return False
        self.registers[address : address + len(values)] = values
        self.registers[_ECHO] = self.registers[0]
        return True


async def serve(count: int) -> None:
    """Serve `count` PLCs on ports of 127.0.0.1 until standard input closes."""
    assert 1 <= count <= COUNT_MAX, count
    banks = [BareBank() for _ in range(count)]
    wires = [TcpWire(ModbusSlave(bank).device_tcp) for bank in banks]
    for wire in wires:
        await wire.plug()
    sys.stdout.write(f"READY {' '.join(str(wire.port) for wire in wires)}\n")
    sys.stdout.flush()
    closed = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _on_input, closed)
    try:
        while not closed.is_set():
            for bank in banks:
                bank.tick()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await closed.wait()
    finally:
        for wire in wires:
            wire.unplug()


def _on_input(closed: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        closed.set()


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(prog="python -m gatewayd.sim.plcs", description=__doc__)
    parser.add_argument(
        "--count", type=int, default=64, choices=range(1, COUNT_MAX + 1), metavar="N"
    )
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(parser.parse_args(arguments).count))


if __name__ == "__main__":
    main()
