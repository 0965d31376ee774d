"""Eight pushing readers in one process, each its real protocol; every tag carries when it was sent.

    python -m tests.bench.antennas --readers 8 --rate 5000

Prints one JSON line with the device settings that lead to them, and on SIGTERM how many tags it
sent. A tag's EPC is `E2 00`, two bytes of number, and CLOCK_MONOTONIC ns: what a report cost is
known at its rig without a word between the processes.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from time import monotonic_ns
from typing import Any

from drivers.suite import Kit, on_tcp
from tests.drivers.kits import KITS

KINDS = ("uhfreader288-push", "m100-push", "thingmagic-push", "uhfreader18-push")
BURST_S = 0.005
"""Readers speak in bursts, as rounds end."""


class Antenna:
    """One reader that sees a new tag all the time."""

    def __init__(self, number: int, kit: Kit) -> None:
        self.kit = kit
        self.device: Any = kit.device()
        if kit.leave_pushing is not None:
            kit.leave_pushing(self.device)
        self.plugged = False
        self._number = number
        self.sent = 0

    def plug(self, send: Callable[[bytes], None], unplug: Callable[[], None]) -> Any:
        """The gateway has connected."""
        self.plugged = True
        return self.device.plugged(send, unplug)

    def see(self, tags: int) -> None:
        """So many tags now, one after the other."""
        for _ in range(tags if self.plugged else 0):
            self.sent += 1
            serial = (self._number << 12 | self.sent & 0xFFF).to_bytes(2, "big")
            epc = b"\xe2\x00" + serial + monotonic_ns().to_bytes(8, "big")
            self.kit.show(self.device, (epc.hex().upper(),))


async def _speak(antennas: list[Antenna], rate: int) -> None:
    """Bursts on a grid, the readers one after the other within each; a late one sends what is due."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    due = [0] * len(antennas)
    step = 0
    while True:
        step += 1
        antenna = step % len(antennas)
        await asyncio.sleep(began_s + step * BURST_S / len(antennas) - loop.time())
        total = int((loop.time() - began_s) * rate / len(antennas))
        antennas[antenna].see(total - due[antenna])
        due[antenna] = total


async def _run(readers: int, rate: int) -> None:
    kits = {kit.name: kit for kit in KITS}
    antennas = [Antenna(n, kits[KINDS[n % len(KINDS)]]) for n in range(readers)]
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with AsyncExitStack() as stack:
        devices = []
        for antenna in antennas:
            link = await stack.enter_async_context(on_tcp(antenna.plug))
            settings = {**antenna.kit.settings, "link": link}
            devices.append({"driver": antenna.kit.driver.name, **settings})
        sys.stdout.write(json.dumps(devices) + "\n")
        sys.stdout.flush()
        async with asyncio.TaskGroup() as group:
            speaking = group.create_task(_speak(antennas, rate))
            await stopped.wait()
            speaking.cancel()
    sys.stdout.write(f"{sum(antenna.sent for antenna in antennas)}\n")


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, required=True)
    parser.add_argument("--rate", type=int, required=True)
    asked = parser.parse_args()
    asyncio.run(_run(asked.readers, asked.rate))


if __name__ == "__main__":
    main()
