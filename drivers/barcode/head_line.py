"""One open line to a scan head: what it is told, what it answers, and the time between."""

import asyncio
from collections.abc import Mapping
from typing import NoReturn

from drivers import troubles
from drivers.barcode.codes import Codes
from drivers.barcode.settings import (
    IDLE_ENDS_MS,
    IDLE_MS,
    IDLE_PACKET_MS,
    ScannerSettings,
    SerialSettings,
)
from drivers.contract import Context, DriverError
from drivers.links import LinkSilentError, Stream
from drivers.liveness import TURN_S
from protocols.scanners.heads import Heard, new_head

READ_BYTES = 4096
WRITE_WITHIN_S = 1.0
DRAIN_S_MAX = 0.3
DRAIN_QUIET_S = 0.1
"""What a head says in the first moments answers somebody before us; taken for an answer to us it
would set the head wrong."""
WAKE_UP_S = 0.05
"""A Zebra head takes commands from 10 ms to 1 s after it was woken."""
ANSWER_WITHIN_S = 1.0
ASKED_TIMES_MAX = 3
"""So many commands in a row without an answer are a lost head."""
LOOK_AGAIN_S = 3.0
"""A head stops looking by itself (a GM65 after 5 s); told again sooner, it never does."""
AFTER_CODE_S = 0.5
"""A code ends the look; the next begins when the label had time to move."""


def now() -> float:
    """The loop's own clock, in seconds, for deadlines."""
    return asyncio.get_running_loop().time()


def _usual_idle_ms(settings: ScannerSettings) -> Mapping[str, int]:
    """The silence that means something, by wire."""
    if settings.trigger == "ssi":
        return IDLE_PACKET_MS
    return IDLE_ENDS_MS if settings.suffix == "none" else IDLE_MS


class HeadLine:
    """A head from open to lost."""

    def __init__(
        self, name: str, settings: ScannerSettings, stream: Stream, context: Context
    ) -> None:
        self._settings = settings
        self._stream = stream
        self._context = context
        self._head = new_head(settings.trigger, settings.suffix)
        self._codes = Codes(name, settings, context)
        wire = "serial" if isinstance(settings, SerialSettings) else "tcp"
        usual_ms = _usual_idle_ms(settings)[wire]
        self._idle_s = (settings.idle_ms or usual_ms) / 1000
        self._keeps_looking = bool(self._head.on) and settings.scan == "always"
        self._look_at_s = 0.0
        self._idle_at_s = 0.0
        self._unanswered = 0

    async def open(self) -> None:
        """Wake the head and make it ready; raises DriverError when it does not obey."""
        if self._head.answers:
            await self._drain()
        if self._head.wake_up:
            await self._tell(self._head.wake_up)
            await asyncio.sleep(WAKE_UP_S)
        opening = self._head.opening()
        value: int | None = None
        try:
            command = next(opening)
            while True:
                value = await self._ask(command)
                command = opening.send(value)
        except StopIteration:
            pass
        self._look_at_s = now()

    async def _drain(self) -> None:
        until_s = now() + DRAIN_S_MAX
        while now() < until_s:
            try:
                data = await self._stream.read(READ_BYTES, DRAIN_QUIET_S)
            except LinkSilentError:
                return
            self._context.noise("said before it was asked", data)

    async def serve(self) -> NoReturn:
        """Take codes until the line fails; raises DriverError."""
        while True:
            if self._keeps_looking and now() >= self._look_at_s and not self._head.is_inside:
                await self._look()
            self._context.alive()
            wait_s = self._wait_s()
            await self._hear(TURN_S if wait_s is None else min(wait_s, TURN_S))

    async def trigger_on(self) -> None:
        """Tell the head to look; raises DriverError."""
        await self._told(self._head.on)

    async def trigger_off(self) -> None:
        """Tell the head to look no longer; raises DriverError."""
        await self._told(self._head.off)

    async def _told(self, command: bytes) -> None:
        if not command:
            raise DriverError(
                f"{self._stream.wire}: trigger: none, so this head cannot be told; "
                "set trigger: honeywell, ssi or gm65"
            )
        await self._tell(command)

    def _wait_s(self) -> float | None:
        """How long nothing needs to be done; None = until something comes."""
        if self._head.is_inside:
            return max(0.0, self._idle_at_s - now())
        return max(0.0, self._look_at_s - now()) if self._keeps_looking else None

    async def _look(self) -> None:
        """Begin the next look; raises DriverError when the last ones were not answered."""
        if self._head.answers and self._unanswered >= ASKED_TIMES_MAX:
            raise self._deaf()
        self._unanswered += 1
        self._look_at_s = now() + (ANSWER_WITHIN_S if self._head.answers else LOOK_AGAIN_S)
        await self._tell(self._head.on)

    async def _hear(self, within_s: float | None) -> Heard:
        """Whatever comes next: codes are emitted, packets answered."""
        try:
            data = await self._stream.read(READ_BYTES, within_s)
        except LinkSilentError:
            silent = self._head.is_inside and now() >= self._idle_at_s
            heard = self._head.idle() if silent else Heard()
        else:
            self._idle_at_s = now() + self._idle_s
            heard = self._head.feed(data)
        await self._act(heard)
        return heard

    async def _act(self, heard: Heard) -> None:
        for frame in heard.frames:
            self._context.frame("device>host", frame)
        if heard.frames:
            self._unanswered = 0
            self._look_at_s = now() + LOOK_AGAIN_S
        if heard.refused:
            self._keeps_looking = False  # It looks by itself, or not at all: reads go on.
            trigger = self._settings.trigger
            self._context.trouble(troubles.head_refuses(trigger, heard.refused))
        if self._codes.take(heard.pieces):
            self._look_at_s = now() + AFTER_CODE_S
        for answer in heard.say:
            await self._tell(answer)

    async def _ask(self, command: bytes) -> int | None:
        """The value that the head answers; raises DriverError when it does not answer or obey."""
        for _ in range(ASKED_TIMES_MAX):
            await self._tell(command)
            until_s = now() + ANSWER_WITHIN_S
            while (left_s := until_s - now()) > 0:
                heard = await self._hear(min(left_s, self._wait_s() or left_s))
                if heard.refused:
                    raise DriverError(f"{self._stream.wire}: the head refuses: {heard.refused}")
                if heard.answers:
                    return heard.value
        raise self._deaf()

    def _deaf(self) -> DriverError:
        trouble = troubles.head_deaf(self._settings.trigger)
        return DriverError(f"{self._stream.wire}: no answer; {trouble.en}", trouble)

    async def _tell(self, command: bytes) -> None:
        self._context.frame("host>device", command)
        await self._stream.write(command, WRITE_WITHIN_S)
