"""What the contract cases need to know of one driver: its type, a scripted device, two identities."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from drivers.contract import Driver, DriverType, MemoryArea
from drivers.suite.wires import WIRES, Hear, Wire


class Scripted(Protocol):
    """A device that speaks the real protocol byte for byte; everything else is the wire's."""

    def plugged(self, send: Callable[[bytes], None], unplug: Callable[[], None]) -> Hear:
        """Somebody opened the wire; returns who hears what they say."""
        ...


@dataclass(frozen=True)
class Held:
    """How a scripted device gives its tags a memory.

    `area` is what is read, `size_bytes` how much that is. `hold` puts bytes there for one tag; after
    `spoil` the device refuses every access.
    """

    area: MemoryArea
    size_bytes: int
    hold: Callable[[Any, str, bytes], None]
    spoil: Callable[[Any], None]


@dataclass(frozen=True)
class Kit:
    """One driver in one way of use.

    `identities` are two tags or codes exactly as the driver emits them. `show` puts the named ones,
    and only these, in front of the device; for a device that speaks by itself it says each once.
    `settings` are merged with the link. `pushes` makes a device that was left in push mode, None
    where there is no such thing. `foreign` is what a device of another make says. `answers` is
    False for devices that never answer, so that silence and nonsense cannot end them. `proves_age`
    is False for those that push and cannot be asked meanwhile: a network may make their words old.
    `memory` is for a driver that reads the memory of tags while it identifies. `within_s` is how soon what is there must be read, and what is gone be known to be.
    """

    name: str
    driver: DriverType
    device: Callable[[], Any]
    show: Callable[[Any, tuple[str, ...]], None]
    identities: tuple[str, str]
    settings: Mapping[str, Any] = field(default_factory=dict)
    leave_pushing: Callable[[Any], None] | None = None
    garbage: bytes = b"\x00\x01\xfe\x80"
    foreign: bytes = b"\xde\xad\xbe\xef" * 8
    answers: bool = True
    proves_age: bool = True
    wires: tuple[Wire, ...] = WIRES
    memory: Held | None = None
    within_s: float = 20.0

    def make(self, link: Mapping[str, Any]) -> Driver:
        """The driver, made the way a config file makes it."""
        text = json.dumps({"link": link, **self.settings})
        return self.driver.make("device-1", self.driver.settings.model_validate_json(text), {})

    def __str__(self) -> str:
        """The name, for test ids."""
        return self.name
