"""Capability of scanners that can be told when to look; `gatewayd probe` uses it."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Trigger(Protocol):
    """A scanner that begins and ends a read when told; only while its driver runs.

    What it then reads comes as `CodeRead`, like every other code.
    """

    async def trigger_on(self) -> None:
        """Begin to look; raises DriverError when it cannot be told, or is not connected."""
        ...

    async def trigger_off(self) -> None:
        """Look no longer; raises DriverError as above."""
        ...
