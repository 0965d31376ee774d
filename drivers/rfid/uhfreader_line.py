"""One open link to a UHFReader: questions and answers, frames in, tags out, noise counted."""

import asyncio
from collections.abc import Iterable
from typing import TypeAlias

from drivers.contract import Context, DriverError, TagRead
from drivers.links import LinkSilentError, Stream
from protocols.framing import FrameError, Noise, Piece
from protocols.readers import uhfreader
from protocols.readers.uhfreader import codes

DRAIN_S_MAX = 0.3
DRAIN_QUIET_S = 0.1
"""What a reader says in the first moments, until it is quiet, was meant for somebody else."""
WRITE_WITHIN_S = 1.0
ANSWER_WITHIN_S = 1.0
"""How long a reader may think about a question that needs no radio."""
ASKED_TIMES_MAX = 3
ROUND_MARGIN_S = 0.5
"""A round may be silent for the reader's own scan time and this."""
UNLIMITED_ROUND_S = 3.0
"""The silence allowed to a reader that has no scan time set."""
ROUND_S_MAX = 5.0
"""A reader that never ends a round is cut short, and what it saw is passed on."""
READ_BYTES = 4096

Seen: TypeAlias = tuple[uhfreader.Reply, uhfreader.Tag]


def now() -> float:
    """The loop's own clock, in seconds, for deadlines."""
    return asyncio.get_running_loop().time()


def answers(reply: uhfreader.Reply, code: int) -> bool:
    """Whether this is the reply to a command; one not understood is answered for command 0."""
    return reply.code == code or (reply.code == 0 and reply.status == codes.ILLEGAL_COMMAND)


def sightings(replies: Iterable[uhfreader.Reply]) -> list[Seen]:
    """Every tag with the reply it came in."""
    return [(reply, tag) for reply in replies for tag in uhfreader.tags_of(reply)]


class ReaderLine:
    """Speaks with the reader at `address` in `dialect`; both may be learned later.

    `gap_s` is the silence inside a frame after which the rest of it will not come.
    """

    def __init__(
        self,
        stream: Stream,
        context: Context,
        *,
        device: str,
        address: int,
        gap_s: float,
        encoding: uhfreader.Encoding,
    ) -> None:
        self.wire = stream.wire
        self.address = address
        self.dialect: uhfreader.Dialect = "288"
        self.silent_s_max = UNLIMITED_ROUND_S
        self._stream = stream
        self._context = context
        self._device = device
        self._gap_s = gap_s
        self._encoding = encoding
        self._framer = uhfreader.new_framer()

    async def drain(self) -> None:
        """Let go what was under way before us."""
        until = now() + DRAIN_S_MAX
        while now() < until:
            try:
                await self._stream.read(READ_BYTES, DRAIN_QUIET_S)
            except LinkSilentError:
                return

    async def ask(
        self, code: int, data: bytes = b"", *, times: int = ASKED_TIMES_MAX
    ) -> uhfreader.Reply | None:
        """The reply to a command, None when there is none; tags pushed meanwhile are passed on."""
        for _ in range(times):
            await self._tell(code, data)
            until = now() + ANSWER_WITHIN_S
            while now() < until:
                _, replies = await self.receive(until)
                self.emit(sightings(r for r in replies if isinstance(r, uhfreader.Push)))
                for reply in replies:
                    if answers(reply, code):
                        return reply
        return None

    async def inventory(self, data: bytes) -> list[uhfreader.Reply]:
        """One round: every valid reply until it ends, the reader falls silent, or ROUND_S_MAX."""
        await self._tell(codes.INVENTORY, data)
        replies: list[uhfreader.Reply] = []
        until = now() + self.silent_s_max
        latest = now() + ROUND_S_MAX
        while now() < until:
            _, found = await self.receive(until)
            replies += found
            told = [reply for reply in found if answers(reply, codes.INVENTORY)]
            if any(reply.status != codes.MORE_FOLLOWS for reply in told):
                break
            if told:
                until = min(now() + self.silent_s_max, latest)
        return replies

    async def receive(self, until: float) -> tuple[bool, list[uhfreader.Reply]]:
        """Whether any bytes came before `until`, and the valid replies they completed."""
        left_s = max(0.0, until - now())
        wait_s = min(left_s, self._gap_s) if self._framer.held_bytes else left_s
        try:
            data = await self._stream.read(READ_BYTES, wait_s)
        except LinkSilentError:
            return False, self._replies(self._framer.idle())
        return True, self._replies(self._framer.feed(data))

    def emit(self, seen: Iterable[Seen]) -> None:
        """Every tag and antenna once, without a pause between, so that two are seen as two."""
        reads: dict[tuple[bytes, int], int | None] = {}
        for reply, tag in seen:
            raw = getattr(reply, "antenna_raw", None)
            for antenna in uhfreader.antennas(raw, self._encoding):
                reads[tag.epc, antenna] = tag.rssi_raw
        at_ns = self._context.monotonic_ns()
        for (epc, antenna), rssi_raw in reads.items():
            if epc:  # A blank tag has no identity to read.
                uid = epc.hex().upper()
                self._context.emit(TagRead(self._device, uid, antenna, rssi_raw, at_ns))

    async def _tell(self, code: int, data: bytes) -> None:
        command = uhfreader.build_command(self.address, code, data)
        await self._stream.write(command, WRITE_WITHIN_S)

    def _replies(self, pieces: Iterable[Piece]) -> list[uhfreader.Reply]:
        """Frames as replies of our reader; everything else is counted as noise."""
        replies = []
        for piece in pieces:
            if isinstance(piece, Noise):
                self._context.noise(piece.reason, piece.raw)
            elif piece != uhfreader.BRIDGE_HEARTBEAT:
                replies += self._reply(piece)
        return replies

    def _reply(self, frame: bytes) -> list[uhfreader.Reply]:
        try:
            reply = uhfreader.decode_reply(frame, self.dialect)
        except FrameError as exc:
            self._context.noise(str(exc), frame)
            return []
        if self.address not in {reply.address, uhfreader.BROADCAST}:
            self._context.noise(f"frame of reader {reply.address}", frame)
            return []
        return [reply]

    def lost(self, what: str) -> DriverError:
        """The error to raise when the reader is not what it should be."""
        return DriverError(f"{self.wire}: {what}")
