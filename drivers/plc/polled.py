"""Some points of a register map, asked of one unit round after round, as scales and meters need it."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Literal, NoReturn, Protocol

from drivers.contract import Context
from drivers.links import Link, SerialLink
from drivers.plc.polling import silent_s_max
from drivers.plc.serial_fit import reply_gap
from drivers.plc.wire import MissedError, Wire
from protocols.modbus import Request, rtu_frame
from protocols.register_plan import Span
from protocols.register_values import Reading, read
from protocols.register_weights import Site, site_gaps
from protocols.registers import Profile

FRAME_EXTRA_BYTES = 5
"""Unit, function, byte count and CRC around the registers of an RTU reply."""


class PolledSettings(Protocol):
    """What the settings of every such device say."""

    @property
    def link(self) -> Link:
        """How it is reached."""

    @property
    def poll_ms(self) -> int:
        """Time between two rounds."""

    @property
    def timeout_ms(self) -> int:
        """Longest wait for one answer."""

    def site(self) -> Site:
        """What only the site knows of its masses."""


class Polled:
    """One unit on a wire, and the fewest requests that read what is wanted of it."""

    def __init__(
        self, link: Link, unit: int, profile: Profile, names: Sequence[str], *, timeout_ms: int
    ) -> None:
        self._link = link
        self._unit = unit
        self._profile = profile
        self._within_s = timeout_ms / 1000
        self._spans = profile.plan(names)
        self._requests = tuple(span.request() for span in self._spans)

    async def watch(
        self, wire: Wire, context: Context, poll_s: float, take: Callable[[list[bytes]], float]
    ) -> NoReturn:
        """Ask round after round; `take` gets the answers and says in how many seconds it goes on.

        A missed answer is noise; missed for long, or the first one, is a lost device. Raises
        DriverError.
        """
        loop, up = asyncio.get_running_loop(), False
        answered_s = due_s = loop.time()
        while True:
            pause_s = poll_s
            try:
                answers = await self._round(wire, context, due_s + poll_s)
            except MissedError as exc:
                if not up or loop.time() - answered_s >= silent_s_max(poll_s):
                    raise
                context.noise(str(exc), b"")
            else:
                answered_s, up = loop.time(), True
                pause_s = take(answers)
            due_s = max(due_s + pause_s, loop.time())
            await asyncio.sleep(due_s - loop.time())

    async def _round(self, wire: Wire, context: Context, due_s: float) -> list[bytes]:
        """One round of answers, wanted by `due_s`; with the pauses that the device needs.

        Raises MissedError for an answer that did not come, DriverError for a lost wire.
        """
        pause_s = self._profile.limits.pause_ms / 1000
        answers: list[bytes] = []
        for request in self._requests:
            if answers and pause_s:
                await asyncio.sleep(pause_s)
            answers.append(await self._ask(wire, context, request, due_s))
        return answers

    async def _ask(self, wire: Wire, context: Context, request: Request, due_s: float) -> bytes:
        unit, on_a_bus = self._unit, isinstance(self._link, SerialLink)
        if on_a_bus:
            context.frame("host>device", rtu_frame(unit, request.pdu))
        context.alive()
        data = await wire.ask(
            unit, request, within_s=self._within_s, noise=context.noise, due_s=due_s
        )
        if on_a_bus:
            context.frame("device>host", rtu_frame(unit, request.head + data))
        return data

    def reading(self, answers: list[bytes]) -> Reading:
        """Values by name; raises RegisterError when the map does not allow them."""
        return read(self._spans, answers)

    @property
    def text(self) -> str:
        """What is asked, for people."""
        text = f"{self._profile.id}, unit {self._unit}, requests a poll: {len(self._spans)}"
        return text if self._profile.verified else f"{text}; this map was never seen on a device"


def objections(
    settings: PolledSettings,
    profile: Profile,
    section: Literal["meter", "scale"],
    needed: Callable[[Profile], Sequence[str]],
) -> tuple[str, ...]:
    """Why these settings cannot work with this map, of whose `section` the `needed` is asked."""
    if profile.incomplete:
        return (f"profile {profile.id!r} is not usable: {profile.incomplete}",)
    if getattr(profile, section) is None:
        serves = ", ".join(profile.serves) or "nothing"
        return (f"profile {profile.id!r} has no {section} section; it serves as: {serves}",)
    gaps = [f"profile {profile.id!r}: {gap}" for gap in site_gaps(profile, settings.site())]
    times = {"poll_ms": settings.poll_ms, "timeout_ms": settings.timeout_ms}
    return (*gaps, *_too_slow(settings.link, profile, profile.plan(needed(profile)), **times))


def _too_slow(
    link: Link, profile: Profile, spans: Sequence[Span], *, poll_ms: int, timeout_ms: int
) -> list[str]:
    """Times that the device or its line cannot keep."""
    found = []
    pauses_ms = (len(spans) - 1) * profile.limits.pause_ms
    if pauses_ms >= poll_ms:
        found.append(f"poll_ms {poll_ms} is shorter than the pauses of a poll, {pauses_ms} ms")
    longest = max(span.request().data_bytes for span in spans) + FRAME_EXTRA_BYTES
    if gap := reply_gap(link, longest, timeout_ms):
        found.append(gap)
    return found
