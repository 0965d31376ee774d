"""One scripted device on one wire, with its faults: where every case of the contract is played."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from drivers.suite.kit import Kit
from drivers.suite.wires import Faults, Wire


@dataclass
class Stage:
    """One device on one wire."""

    device: Any
    faults: Faults
    link: dict[str, Any]
    unplug: Callable[[], None]


@contextlib.asynccontextmanager
async def on_stage(kit: Kit, wire: Wire) -> AsyncIterator[Stage]:
    """A fresh device of a kit on a fresh wire, until the block ends."""
    device = kit.device()
    faults = Faults()
    plugs: list[Callable[[], None]] = []

    def plugged(send: Callable[[bytes], None], unplug: Callable[[], None]) -> Any:
        plugs.append(unplug)
        return device.plugged(send, unplug)

    async with wire(plugged, faults) as link:

        def unplug() -> None:
            plugs[-1]()  # Whoever was plugged in last; a TCP device is plugged in when opened.

        yield Stage(device, faults, link, unplug)
