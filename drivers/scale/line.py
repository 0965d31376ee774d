"""One open link to a scale: listened to or asked again and again, with the reason when it is lost.

A network may hold back an answer for seconds. Taken for the answer to a newer question it would
tell an old weight, and so would every answer after it, each one question late. So on TCP a question
whose answer did not come is not asked again before that answer can be told from the next one.
"""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, NoReturn, TypeVar

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
"""How long a scale may take to answer; slow ones are asked once in a few hundred milliseconds. On
a network no weight of a scale that is asked is older than this when it is passed on."""
OWED_S_MAX = 2.0
"""How long an answer is waited for that cannot be told from the next one; then the link is lost."""
BROKEN_BYTES_MIN = 4
"""So much noise behind a question was its answer, broken on the cable behind the network."""
MISSED_POLLS_MAX = 3
"""Questions in a row without a valid answer after which the scale counts as lost."""
NOISE_JUDGED_EVERY = 64
"""A scale that works among so much noise is looked at for a wrong setting."""

LATEST_BYTES_MAX = 1024
"""How much of what was heard last is looked at."""
LATEST_BYTES_MIN = 8
"""Less than this tells nothing."""

SENDS_ON_TCP: Final = (
    (
        "自行发送的秤无法询问：接在网络（TCP）上时，固定的延迟发现不了，阀门会关晚；"
        "请接到本机串口，或用应答方式，或由 PLC 自行关阀"
    ),
    (
        "a scale that sends by itself cannot be asked: on a network (TCP) a constant delay is not "
        "noticed and the valve closes late; use a serial port of this machine, a mode that is asked, "
        "or a PLC that closes by itself"
    ),
)
"""A caveat of every driver that listens to a scale."""

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Question(Generic[M]):
    """What a scale can be asked; `answers` tells its answer from that to any other question."""

    command: bytes
    answers: Callable[[M], bool]


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
        self._far = isinstance(link, TcpLink)
        self._known: list[Question[M]] = []
        self._asked_s = 0.0
        self._broken_bytes = 0
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
            if missed and not self._far:
                await self.dialog.drain()  # A late answer must not pass for the next one.
            elif not missed and not told_up:
                told_up = True
                up()
            weights.take(found)
            await asyncio.sleep(max(0.0, started + poll_ms / 1000 - now()))

    async def ask(
        self,
        question: Question[M],
        *,
        within_s: float = ANSWER_WITHIN_S,
        aside: Callable[[list[M]], None] | None = None,
    ) -> M | None:
        """One question, once; None when no answer came in time. Raises DriverError.

        `aside` as in `Dialog.ask`.
        """
        if not self.dialog.owed.owes():
            await self.dialog.receive(now())  # What nobody asked for (a print key) answers nothing.
        if not await self._settled(question):
            return None
        return await self._once(question, within_s, aside)

    def confirm_s(self) -> float:
        """How long what confirms the answer that just came may take, so that it is not too old."""
        return self._asked_s + ANSWER_WITHIN_S - now() if self._far else ANSWER_WITHIN_S

    async def _once(
        self,
        question: Question[M],
        within_s: float = ANSWER_WITHIN_S,
        aside: Callable[[list[M]], None] | None = None,
    ) -> M | None:
        self._asked_s, self._broken_bytes = now(), 0
        answer = await self.dialog.ask(
            question.command,
            question.answers,
            kind=question if self._far else None,
            times=1,
            within_s=within_s,
            aside=aside,
        )
        if answer is None or now() > self._asked_s + within_s:
            return None  # What waited while this process stood still came in time, and is old.
        if question not in self._known:
            self._known.append(question)
        return answer

    async def _settled(self, question: Question[M]) -> bool:
        """Whether no answer to this question is owed any more; raises DriverError.

        The answer to another question ends what was asked before that one; where answers to it were
        lost, each takes one more. Where the scale answers no other, the owed answer is waited for.
        """
        owed = self.dialog.owed
        while owed.owes(question):
            others = [each for each in self._known if each != question]
            if not others:
                await self._wait(question)
            elif await self._once(min(others, key=owed.owes)) is None:
                return False
        return True

    async def _wait(self, question: Question[M]) -> None:
        """Hear the owed answer out; raises DriverError when it does not come, for it may still."""
        until = now() + OWED_S_MAX
        while self.dialog.owed.owes(question):
            if now() >= until:
                what = f"no answer in {OWED_S_MAX:g} s, and a late one would pass for a newer one"
                raise self.dialog.lost(what, self._reason() or troubles.answer_owed())
            broken = self._broken_bytes >= BROKEN_BYTES_MIN
            _, messages = (False, ()) if broken else await self.dialog.receive(until)
            if broken or any(question.answers(message) for message in messages):
                self.dialog.owed.answered(question)

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
        self._broken_bytes += len(raw)
        self._unjudged += len(raw)
        if self._unjudged >= NOISE_JUDGED_EVERY:
            self._unjudged = 0
            if found := self._wrong_variant():
                self._context.trouble(found)

    def _keep(self, raw: bytes) -> None:
        self._latest += raw
        del self._latest[:-LATEST_BYTES_MAX]
