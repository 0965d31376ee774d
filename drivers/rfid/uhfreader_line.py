"""One open link to a UHFReader: questions and rounds in its dialect, replies of its address only."""

from collections.abc import Callable, Hashable, Iterable, Iterator

from drivers.contract import Context
from drivers.dialog import ASKED_TIMES_MAX, Dialog
from drivers.links import Stream
from drivers.owed import ANY
from drivers.rfid.field import Sighting
from drivers.rfid.rounds import ROUND, Gathered, gather
from protocols.framing import FrameError
from protocols.readers import uhfreader
from protocols.readers.uhfreader import codes

ROUND_MARGIN_S = 0.5
"""A round may be silent for the reader's own scan time and this."""
UNLIMITED_ROUND_S = 3.0
"""The silence allowed to a reader that has no scan time set."""
ROUND_S_MAX = 5.0
"""A reader that never ends a round is cut short, and what it saw is passed on."""


def answers(reply: uhfreader.Reply, code: int) -> bool:
    """Whether this is the reply to a command; one not understood is answered for command 0."""
    return reply.code == code or (reply.code == 0 and reply.status == codes.ILLEGAL_COMMAND)


def _of_round(reply: uhfreader.Reply) -> bool:
    """Whether it belongs to an inventory that was asked for, and is not pushed."""
    return answers(reply, codes.INVENTORY)


def _kind(code: int) -> Hashable:
    return ROUND if code == codes.INVENTORY else code


def _kind_of(reply: uhfreader.Reply) -> Hashable:
    """Which question it answers; what is said for command 0 may answer any."""
    return _kind(reply.code) if reply.code else ANY


class ReaderLine:
    """Speaks with the reader at `address` in `dialect`; both may be learned later.

    `several` says that more than one antenna is served: a tag at no antenna is then nobody's.
    `tells_mode`: it was asked for its work mode and answered.
    `pushed` gets the tags that the reader sends unasked while it is asked something else, and the
    moment after which they were said.
    """

    def __init__(
        self,
        stream: Stream,
        context: Context,
        *,
        address: int,
        gap_s: float,
        encoding: uhfreader.Encoding,
        several: bool,
        pushed: Callable[[Iterable[Sighting], int], None],
    ) -> None:
        self.address = address
        self.dialect: uhfreader.Dialect = "288"
        self.silent_s_max = UNLIMITED_ROUND_S
        self.tells_mode = False
        self.dialog: Dialog[uhfreader.Reply] = Dialog(
            stream,
            context,
            framer=uhfreader.new_framer(),
            decode=self._decode,
            format="uhfreader288",
            gap_s=gap_s,
        )
        self._encoding = encoding
        self._several = several
        self._pushed = pushed

    def _decode(self, frame: bytes) -> uhfreader.Reply | None:
        if frame == uhfreader.BRIDGE_HEARTBEAT:
            return None
        reply = uhfreader.decode_reply(frame, self.dialect)
        if self.address not in {reply.address, uhfreader.BROADCAST}:
            raise FrameError(f"frame of reader {reply.address}")
        return reply

    def knows(self, info: uhfreader.Info) -> None:
        """Take over what the reader says of itself: its address and how long its rounds are."""
        self.address = info.address
        if info.scan_time_100ms:
            self.silent_s_max = info.scan_time_100ms / 10 + ROUND_MARGIN_S

    async def ask(
        self, code: int, data: bytes = b"", *, times: int = ASKED_TIMES_MAX
    ) -> uhfreader.Reply | None:
        """The reply to a command, None when there is none; tags pushed meanwhile are passed on."""
        return await self.send(uhfreader.build_command(self.address, code, data), code, times=times)

    async def send(self, command: bytes, code: int, *, times: int) -> uhfreader.Reply | None:
        """As `ask`, for a command already built."""
        return await self.dialog.ask(
            command,
            lambda reply: answers(reply, code),
            kind=_kind(code),
            kind_of=_kind_of,
            times=times,
            aside=lambda others: self._pushed(self.pushes(others), self.dialog.owed.since_ns),
        )

    async def inventory(
        self, data: bytes, early: Callable[[list[uhfreader.Reply], int], None] | None = None
    ) -> Gathered[uhfreader.Reply]:
        """One round, until it ends, the reader falls silent, or ROUND_S_MAX: see `gather`."""
        return await gather(
            self.dialog,
            uhfreader.build_command(self.address, codes.INVENTORY, data),
            first_s=self.silent_s_max,
            silent_s=self.silent_s_max,
            within_s=ROUND_S_MAX,
            ends=lambda reply: _of_round(reply) and reply.status != codes.MORE_FOLLOWS,
            goes_on=_of_round,
            kind_of=_kind_of,
            early=early,
        )

    def sightings(self, replies: Iterable[uhfreader.Reply]) -> Iterator[Sighting]:
        """Every tag at every antenna that saw it."""
        for reply in replies:
            raw = getattr(reply, "antenna_raw", None)
            if raw == 0 and self._nobodys(reply):
                continue
            for tag in uhfreader.tags_of(reply):
                for antenna in uhfreader.antennas(raw, self._encoding):
                    yield Sighting(tag.epc, antenna, tag.rssi_raw, tid=tag.tid)

    def _nobodys(self, reply: uhfreader.Reply) -> bool:
        """Whether its tags were seen at no antenna, where it matters which one it was."""
        tags = uhfreader.tags_of(reply)
        if not self._several or self._encoding != "mask" or not tags:
            return False
        reason = "antenna byte 0 is none of a mask; is it antenna_encoding: index?"
        self.dialog.context.noise(reason, tags[0].epc)
        return True

    def pushes(self, replies: Iterable[uhfreader.Reply]) -> list[Sighting]:
        """Only the tags that were sent unasked."""
        return list(self.sightings(r for r in replies if isinstance(r, uhfreader.Push)))
