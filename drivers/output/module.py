"""What the outputs of one I/O module share: its watchdog, its last answer, and its faults.

Each output is a device of its own, with a driver of its own. The module's watchdog guards all of
them, and any request of one feeds it for all: an output whose driver is not up must therefore be
off, whoever speaks to the module first, and a module that one of them lost is lost for all.
"""

import asyncio
from typing import ClassVar, Protocol
from weakref import WeakValueDictionary

from drivers.contract import DriverError
from drivers.output.points import Heard, Points
from drivers.output.settings import OutputModbusSettings
from drivers.plc.turns import Rank
from drivers.plc.wire import MissedError
from protocols.modbus import ExceptionReplyError


class Member(Protocol):
    """One output of the module."""

    name: str
    settings: OutputModbusSettings

    @property
    def is_up(self) -> bool:
        """Whether its driver may hold it on."""
        ...

    def revoke(self) -> None:
        """Nothing that was begun may switch it on any more."""
        ...


class Module:
    """One module; `faults` counts how often an output that was up lost it."""

    _known: ClassVar[WeakValueDictionary[tuple[str, int], "Module"]] = WeakValueDictionary()

    def __init__(self) -> None:
        self.faults = 0
        self.heard = Heard()
        self._members: WeakValueDictionary[str, Member] = WeakValueDictionary()
        self._proving, self._asking = asyncio.Lock(), asyncio.Lock()
        self._guards = False
        self._guards_ns: int | None = None

    @classmethod
    def of(cls, member: Member) -> "Module":
        """The module of this output; those of one link and unit have one, as long as one lives.

        A driver made anew takes the place of the one that held the same output before it.
        """
        key = (member.settings.link.wire(), member.settings.unit)
        module = cls._known.get(key)
        if module is None:
            module = cls._known[key] = cls()
        module._members[member.settings.output] = member
        return module

    def others(self, member: Member) -> list[Member]:
        """Its other outputs, by name."""
        known = self._members.values()
        return sorted((each for each in known if each is not member), key=lambda each: each.name)

    def fail(self, member: Member) -> None:
        """This output was up and lost the module: none of them may be switched on any more."""
        self.faults += 1
        self._guards_ns = None
        for other in self.others(member):
            other.revoke()

    async def close_others(self, member: Member, points: Points, *, all_of_them: bool) -> None:
        """Switch off the other outputs that nobody holds, or all; raises DriverError.

        One that refuses the very word "off" was never switched on.
        """
        for other in self.others(member):
            if other.is_up and not all_of_them:
                continue
            try:
                await off(points.of(other.name, other.settings))
            except MissedError:
                raise
            except DriverError as exc:
                if not isinstance(exc.__cause__, ExceptionReplyError):
                    raise

    async def prove(self, member: Member, points: Points) -> None:
        """Set the watchdog unless it guards already; raises DriverError.

        It is never set anew while another output is held on by it.
        """
        watchdog = points.settings.watchdog
        assert watchdog is not None, member.name
        async with self._proving:
            if await points.guards(watchdog):
                return
            self.must_be_alone(member)
            await points.arm(watchdog)

    def must_be_alone(self, member: Member) -> None:
        """Raise DriverError while another output is up: its watchdog must not be touched."""
        held = [other.name for other in self.others(member) if other.is_up]
        if held:
            raise DriverError(
                f"{member.name}: its module does not guard, and {', '.join(held)} is still up"
            )

    async def guards(self, points: Points, fresh_ns: int) -> bool:
        """Whether the module says that it guards, now or within `fresh_ns`: asked once for all."""
        watchdog, now_ns = points.settings.watchdog, points.context.monotonic_ns
        assert watchdog is not None, points.name
        async with self._asking:
            if self._guards_ns is None or now_ns() - self._guards_ns >= fresh_ns:
                at_ns = now_ns()
                self._guards = await points.guards(watchdog)
                self._guards_ns = at_ns
            return self._guards


async def off(points: Points) -> None:
    """Switch off and read it back, tried twice, over a new connection when the old is gone."""
    try:
        await _off_once(points)
    except DriverError:
        await _off_once(points)


async def _off_once(points: Points) -> None:
    await points.wire.open()
    await points.switch(on=False, rank=Rank.LOCK)
    if await points.is_on(Rank.CONFIRM):
        raise DriverError(f"{points.name}: switched off, reads back on")
