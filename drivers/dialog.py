"""One open link to a device of one protocol: commands out, messages in, everything else counted.

What is no proven frame goes to `Context.noise`, proven frames and commands to `Context.frame`. The
last noise is kept, so that a device that cannot be understood is lost with the likely reason.
"""

import asyncio
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

from drivers.contract import Context, DriverError, Trouble
from drivers.link_troubles import silent, unreadable
from drivers.links import LinkSilentError, SerialLink, Stream, TcpLink
from drivers.owed import Owed, OwedError
from drivers.troubles import from_diagnosis
from protocols.diagnose import LIVE_BYTES_MAX, diagnose
from protocols.framing import FrameError, Framer, Noise, Piece

DRAIN_S_MAX = 0.3
DRAIN_QUIET_S = 0.1
"""What a device says in the first moments, until it is quiet, was meant for somebody else."""
WRITE_WITHIN_S = 1.0
ANSWER_WITHIN_S = 1.0
"""How long a device may think about a question that needs no radio."""
ASKED_TIMES_MAX = 3
READ_BYTES = 4096
SERIAL_GAP_S = 0.05
TCP_GAP_S = 0.3
"""Silence inside a frame after which the rest will not come; bridges cut streams as they like."""
NOISE_TOLD_MIN = 8
"""Less noise than this tells nothing."""
DIAGNOSE_EVERY_S = 10.0
DIAGNOSE_FROM_BYTES = 128
"""A device that works among so much new noise is diagnosed, but not more often than this."""

M = TypeVar("M")


def now() -> float:
    """The loop's own clock, in seconds, for deadlines."""
    return asyncio.get_running_loop().time()


def gap_s(link: TcpLink | SerialLink) -> float:
    """The silence that ends an unfinished frame on this kind of link, in seconds."""
    return SERIAL_GAP_S if isinstance(link, SerialLink) else TCP_GAP_S


class Dialog(Generic[M]):
    """Speaks one protocol over one stream; `owed` is how old what it says can be.

    `decode` turns a proven frame into a message; FrameError makes the frame noise, None skips a
    frame that is not for us. `format` names the protocol in `protocols.decode.FORMATS`.
    """

    def __init__(
        self,
        stream: Stream,
        context: Context,
        *,
        framer: Framer,
        decode: Callable[[bytes], M | None],
        format: str,  # noqa: A002 - the contract's word for it
        gap_s: float,
    ) -> None:
        self.wire = stream.wire
        self.context = context
        self.owed = Owed()
        self._stream = stream
        self._framer = framer
        self._decode = decode
        self._format = format
        self._gap_s = gap_s
        self._noise = bytearray()
        self._sent = b""
        self._heard = False
        self._works = False
        self._undiagnosed = 0
        self._diagnosed_s = -DIAGNOSE_EVERY_S

    async def drain(self) -> bool:
        """Let go what was under way before us; True when the device never fell silent."""
        until = now() + DRAIN_S_MAX
        while now() < until:
            try:
                await self._stream.read(READ_BYTES, DRAIN_QUIET_S)
            except LinkSilentError:
                return False
            self._heard = True
        return True

    async def tell(self, command: bytes, *, kind: Hashable = None) -> None:
        """Send a command; raises DriverError when the link does not take it.

        `kind`: it will be answered, and the answer can be told from those of another kind; whoever
        hears the last word of it says so to `owed`.
        """
        if kind is not None:
            self.owe(kind)
        self._sent = command
        self.context.frame("host>device", command)
        await self._stream.write(command, WRITE_WITHIN_S)

    async def receive(self, until: float) -> tuple[bool, list[M]]:
        """Whether any bytes came before `until` (seconds of `now`), and what they completed."""
        left_s = max(0.0, until - now())
        wait_s = min(left_s, self._gap_s) if self._framer.held_bytes else left_s
        try:
            data = await self._stream.read(READ_BYTES, wait_s)
        except LinkSilentError:
            return False, self._messages(self._framer.idle())
        self._heard = True
        return True, self._messages(self._framer.feed(data))

    async def ask(
        self,
        command: bytes,
        wanted: Callable[[M], bool],
        *,
        kind: Hashable | None,
        times: int = ASKED_TIMES_MAX,
        within_s: float = ANSWER_WITHIN_S,
        aside: Callable[[list[M]], None] | None = None,
        kind_of: Callable[[M], Hashable] | None = None,
    ) -> M | None:
        """The first message that is `wanted`, None when none came.

        `kind` as in `tell`: what is `wanted` answers no question of another kind. `aside` gets
        everything else that was heard meanwhile, e.g. tags pushed between. `kind_of`: what the one that
        was wanted answers, where that is not sure to be this question.
        """
        for _ in range(times):
            await self.tell(command, kind=kind)
            until = now() + within_s
            while now() < until:
                _, messages = await self.receive(until)
                answer = next((message for message in messages if wanted(message)), None)
                others = [message for message in messages if message is not answer]
                if aside is not None and others:
                    aside(others)
                if answer is not None:
                    self.owed.answered(kind if kind_of is None else kind_of(answer))
                    return answer
        return None

    def owe(self, kind: Hashable) -> None:
        """An answer of this kind is still to come; raises DriverError when too many are."""
        try:
            self.owed.asked(kind, self.context.monotonic_ns())
        except OwedError as exc:
            raise self.lost(str(exc)) from exc

    def lost(self, what: str, trouble: Trouble | None = None) -> DriverError:
        """The error to raise when the device is not what it should be, with the likely reason."""
        self._messages(self._framer.idle())
        trouble = trouble or self._diagnosis() or self._unexplained()
        reason = f"; {trouble.en}" if trouble is not None else ""
        return DriverError(f"{self.wire}: {what}{reason}", trouble)

    def _diagnosis(self) -> Trouble | None:
        """What the latest noise looks like; None when unsure, or when there was too little."""
        if len(self._noise) < NOISE_TOLD_MIN:
            return None
        found = diagnose(bytes(self._noise), self._format, self._sent)
        return from_diagnosis(found, self._format, works=self._works)

    def _unexplained(self) -> Trouble | None:
        """What to check when not one frame was understood since the link is open."""
        if not self._heard:
            return silent(self.wire)
        if not self._works and len(self._noise) >= NOISE_TOLD_MIN:
            return unreadable(self._format)
        return None

    def _messages(self, pieces: Iterable[Piece]) -> list[M]:
        messages = []
        for piece in pieces:
            if isinstance(piece, Noise):
                self._reject(piece.reason, piece.raw)
                continue
            self.context.frame("device>host", piece)
            try:
                message = self._decode(piece)
            except FrameError as exc:
                self._reject(str(exc), piece)
                continue
            self._works = True
            if message is not None:
                messages.append(message)
        return messages

    def _reject(self, reason: str, raw: bytes) -> None:
        self.context.noise(reason, raw)
        self._noise += raw
        del self._noise[:-LIVE_BYTES_MAX]
        self._undiagnosed += len(raw)
        due = now() - self._diagnosed_s >= DIAGNOSE_EVERY_S
        if due and self._undiagnosed >= DIAGNOSE_FROM_BYTES:
            self._undiagnosed, self._diagnosed_s = 0, now()
            full = len(self._noise) >= LIVE_BYTES_MAX
            if trouble := self._diagnosis() or (self._unexplained() if full else None):
                self.context.trouble(trouble)
