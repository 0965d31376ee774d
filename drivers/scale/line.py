"""One open link to a scale: listened to or asked again and again, with the reason when it is lost."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, NoReturn, TypeVar

from drivers.contract import Context, Direction, DriverError, Trouble
from drivers.dialog import Dialog, gap_s, now
from drivers.links import SerialLink, Stream, TcpLink
from drivers.scale import scale_troubles as troubles
from drivers.scale.weights import Weights
from drivers.troubles import echo
from protocols.diagnose import diagnose
from protocols.framing import Framer
from protocols.scales.recognise import Kind, recognise
from protocols.scales.weighing import Weighing

SILENT_S_MAX = 2.0
"""A scale that sends by itself sends at least once a second; silent for longer it is lost."""
EMIT_EVERY_S = 0.02
"""However fast a scale sends, its newest weight is passed on at most so often."""
ANSWER_WITHIN_S = 0.5
"""How long a scale may take to answer; slow ones are asked once in a few hundred milliseconds."""
MISSED_POLLS_MAX = 3
"""Questions in a row without a valid answer after which the scale counts as lost."""
NOISE_JUDGED_EVERY = 64
"""A scale that works among so much noise is looked at for a wrong setting."""

LATEST_BYTES_MAX = 1024
"""How much of what was heard last is looked at."""
LATEST_BYTES_MIN = 8
"""Less than this tells nothing."""

M = TypeVar("M")


class ScaleLine(Generic[M]):
    """Speaks with the one scale on the wire.

    `own` is the kind it is set to be; `hint` (zh, en) what to look at when nothing is heard.
    """

    def __init__(
        self,
        stream: Stream,
        context: Context,
        link: TcpLink | SerialLink,
        *,
        framer: Framer,
        decode: Callable[[bytes], M | None],
        format: str,  # noqa: A002 - the contract's word for it
        own: Kind,
        hint: tuple[str, str],
    ) -> None:
        self._context = context
        self._link = link
        self._format = format
        self._own = own
        self._hint = hint
        self._latest = bytearray()
        self._sent = b""
        self._unjudged = 0
        watched = dataclasses.replace(
            context, noise=self._overheard, frame=self._framed, trouble=self._told
        )
        self.dialog: Dialog[M] = Dialog(
            stream, watched, framer=framer, decode=decode, format=format, gap_s=gap_s(link)
        )

    async def listen(
        self, weights: Weights, up: Callable[[], None], weigh: Callable[[M], Weighing | None]
    ) -> NoReturn:
        """Take what a scale sends by itself, the newest of what has come; raises DriverError."""
        valid_s, told_up = now(), False
        while True:
            _, messages = await self.dialog.receive(valid_s + SILENT_S_MAX)
            found = [weighing for each in messages if (weighing := weigh(each)) is not None]
            if found:
                if not told_up:
                    told_up = True
                    up()
                valid_s = now()
                weights.take(found)
                await asyncio.sleep(EMIT_EVERY_S)
            elif now() >= valid_s + SILENT_S_MAX:
                raise self.lost(f"no weight for {SILENT_S_MAX} s")

    async def poll(
        self,
        weights: Weights,
        up: Callable[[], None],
        once: Callable[[], Awaitable[Sequence[Weighing]]],
        poll_ms: int,
    ) -> NoReturn:
        """Ask for the weight every `poll_ms`, from start to start; raises DriverError."""
        missed, told_up = 0, False
        while True:
            started = now()
            found = await once()
            missed = 0 if found else missed + 1
            if missed >= MISSED_POLLS_MAX:
                raise self.lost(f"no valid answer to {missed} questions")
            if missed:
                await self.dialog.drain()  # A late answer must not pass for the next one.
            elif not told_up:
                told_up = True
                up()
            weights.take(found)
            await asyncio.sleep(max(0.0, started + poll_ms / 1000 - now()))

    async def ask(self, command: bytes, wanted: Callable[[M], bool]) -> M | None:
        """One question, once; None when no wanted answer came in time."""
        return await self.dialog.ask(command, wanted, kind=None, times=1, within_s=ANSWER_WITHIN_S)

    def lost(self, what: str) -> DriverError:
        """The error to raise, with the likely reason."""
        return self.dialog.lost(what, self._reason())

    def _reason(self) -> Trouble | None:
        if not self._latest:
            return troubles.silent(*self._hint)
        if self._sent and not bytes(self._latest).replace(self._sent, b""):
            return echo()
        if len(self._latest) < LATEST_BYTES_MIN:
            return None
        if found := self._wrong_variant():
            return found
        looks = diagnose(bytes(self._latest), self._format)
        return self._wrong_baud() if looks is not None and looks.kind == "wrong_baud" else None

    def _wrong_variant(self) -> Trouble | None:
        kind = recognise(bytes(self._latest))
        if kind is None or kind == self._own:
            return None
        return troubles.wrong_variant(str(self._own), str(kind))

    def _wrong_baud(self) -> Trouble:
        baud = self._link.baud if isinstance(self._link, SerialLink) else None
        return troubles.wrong_baud(baud)

    def _told(self, trouble: Trouble) -> None:
        """What the dialog makes of the noise; scales have speeds and variants of their own."""
        if trouble.kind == "wrong_baud":
            trouble = self._wrong_baud()
        self._context.trouble(self._wrong_variant() or trouble)

    def _framed(self, direction: Direction, raw: bytes) -> None:
        self._context.frame(direction, raw)
        if direction == "device>host":
            self._keep(raw)
        else:
            self._sent = raw

    def _overheard(self, reason: str, raw: bytes) -> None:
        self._context.noise(reason, raw)
        self._keep(raw)
        self._unjudged += len(raw)
        if self._unjudged >= NOISE_JUDGED_EVERY:
            self._unjudged = 0
            if found := self._wrong_variant():
                self._context.trouble(found)

    def _keep(self, raw: bytes) -> None:
        self._latest += raw
        del self._latest[:-LATEST_BYTES_MAX]
