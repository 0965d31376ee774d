"""Who gets what a device says."""

from typing import Protocol

from drivers.contract import Reading
from gatewayd.bugs import Falls


class Hears(Protocol):
    """Takes readings."""

    def take(self, reading: Reading) -> None:
        """One reading."""
        ...


class Front(Hears, Protocol):
    """A rig, the gate that stands before it, or a scan point."""

    def device(self, name: str, state: str) -> None:
        """A device changed its state."""
        ...


class RigBehind(Front, Falls, Protocol):
    """The rig behind a gate of several devices."""
