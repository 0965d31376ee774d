"""Read registers of one Modbus unit: every request by itself, so that one refusal hides nothing else.

Nothing here writes.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from drivers.contract import Direction, DriverError
from drivers.links import SerialLink
from drivers.plc.wire import EXCEPTIONS_OF_DEAD, Wire
from protocols.modbus import EXCEPTIONS, ExceptionReplyError, Request, rtu_frame
from protocols.register_plan import Span

Frame = Callable[[Direction, bytes], None]
Noise = Callable[[str, bytes], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one request: bytes, or why there are none.

    `exception` is the Modbus code of a unit that refused; it is there, then. 0: it did not.
    """

    span: Span
    data: bytes | None
    error: str = ""
    exception: int = 0

    @property
    def heard(self) -> bool:
        """Whether the unit said anything."""
        return self.data is not None or self.exception != 0

    @property
    def refusal(self) -> str:
        """The exception in words."""
        return f"exception {self.exception}, {EXCEPTIONS.get(self.exception, 'unknown')}"


@dataclass(frozen=True, slots=True)
class Ears:
    """Who listens to the wire while it is asked."""

    frame: Frame = lambda _direction, _raw: None
    noise: Noise = lambda _reason, _raw: None


NOBODY = Ears()


@dataclass(frozen=True, slots=True)
class Asker:
    """One unit on an open wire. The wire is opened anew when it was lost."""

    wire: Wire
    unit: int
    within_s: float
    pause_s: float = 0.0
    ears: Ears = NOBODY

    async def read(self, spans: Sequence[Span]) -> tuple[Answer, ...]:
        """Every request once, in order, with the pauses that the device needs."""
        answers: list[Answer] = []
        for span in spans:
            if answers and self.pause_s:
                await asyncio.sleep(self.pause_s)
            answers.append(await self.one(span))
        return tuple(answers)

    async def one(self, span: Span) -> Answer:
        """One request; a failure is told in the answer."""
        request = span.request()
        try:
            await self.wire.open()
            return Answer(span, await self._exchange(request))
        except DriverError as exc:
            cause = exc.__cause__
            code = cause.code if isinstance(cause, ExceptionReplyError) else 0
            return Answer(span, None, str(exc), 0 if code in EXCEPTIONS_OF_DEAD else code)

    async def _exchange(self, request: Request) -> bytes:
        on_a_bus = isinstance(self.wire.link, SerialLink)
        if on_a_bus:
            self.ears.frame("host>device", rtu_frame(self.unit, request.pdu))
        data = await self.wire.ask(
            self.unit, request, within_s=self.within_s, noise=self.ears.noise
        )
        if on_a_bus:
            self.ears.frame("device>host", rtu_frame(self.unit, request.head + data))
        return data
