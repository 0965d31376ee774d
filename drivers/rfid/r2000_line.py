"""One open link to an R2000 serial reader: questions, rounds on one antenna, streams on several."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from drivers.contract import Context
from drivers.dialog import Dialog
from drivers.links import Stream
from drivers.rfid.field import Sighting
from drivers.rfid.rounds import gather
from protocols.framing import FrameError
from protocols.readers import r2000
from protocols.readers.r2000 import codes

ROUND_SILENT_S = 1.5
"""How long a reader may be silent inside a round; a round of one tag takes 20 to 100 ms."""
ROUND_S_MAX = 5.0
"""A reader that never ends a round is cut short, and what it saw is passed on."""
Early: TypeAlias = Callable[[list[r2000.Reply], int], None]
"""Who gets the replies of a round that goes on, and after when they were said: see `drivers.rfid.rounds.gather`."""
_INVENTORIES = frozenset({codes.INVENTORY, codes.SESSION_INVENTORY, codes.FAST_SWITCH})


@dataclass(frozen=True, slots=True)
class Heard:
    """One round: what was seen and how it ended; `result` 0 when it ended by itself or not.

    What was seen was said after `said_ns`, monotonic.
    """

    seen: tuple[Sighting, ...]
    valid: bool
    result: int = 0
    said_ns: int = 0


def sightings(replies: Iterable[r2000.Reply]) -> tuple[Sighting, ...]:
    """Every tag in what was heard; bit 7 of the RSSI is an antenna's and no signal."""
    return tuple(
        Sighting(reply.epc, reply.antenna, reply.rssi_raw & 0x7F, rssi_cdbm=100 * reply.rssi_dbm)
        for reply in replies
        if isinstance(reply, r2000.Seen)
    )


class ReaderLine:
    """Speaks with the reader at `address`, which may be learned later."""

    def __init__(self, stream: Stream, context: Context, *, address: int, gap_s: float) -> None:
        self.address = address
        self.miscount = 0
        self.dialog: Dialog[r2000.Reply] = Dialog(
            stream,
            context,
            framer=r2000.new_framer(r2000.is_known_reply),
            decode=self._decode,
            format="r2000_a0",
            gap_s=gap_s,
        )
        self._context = context
        self._antenna = 0
        self._counts = False
        """Whether the reader has shown how it counts: once it has, no other frame is its own."""
        self._told = False

    def _decode(self, frame: bytes) -> r2000.Reply:
        reply = r2000.decode_reply(frame)
        if self.address not in {reply.address, r2000.BROADCAST}:
            raise FrameError(f"frame of reader {reply.address}")
        miscount = r2000.unseal(frame).miscount
        if isinstance(reply, r2000.Version) and not self._counts:
            self._counts, self.miscount = True, miscount
        if self._counts and miscount != self.miscount:
            raise FrameError(f"length byte {miscount} too low; this reader's is {self.miscount}")
        if miscount and not self._told:
            self._told = True
            reason = f"length byte {miscount} too low; accepted, it adds up"
            self._context.noise(reason, frame)
        return reply

    async def ask(
        self,
        code: int,
        data: bytes = b"",
        *,
        times: int = 3,
        within_s: float = 1.0,
        aside: Callable[[list[r2000.Reply]], None] | None = None,
    ) -> r2000.Reply | None:
        """The reply to a command, None when there is none."""
        command = r2000.build_command(self.address, code, data)
        return await self.dialog.ask(
            command,
            lambda reply: reply.code == code,
            kind=code,
            times=times,
            within_s=within_s,
            aside=aside,
        )

    async def settle(self) -> bool:
        """Whether it answers something else than an inventory; those before are over then."""
        return await self.ask(codes.VERSION, times=1) is not None

    async def choose(self, antenna: int) -> bool:
        """Whether the reader works on this antenna now."""
        return await self._choose(antenna) is None

    async def _choose(self, antenna: int) -> Heard | None:
        """Choose an antenna unless it is the one in use already; None when it is in use now."""
        if antenna == self._antenna:
            return None
        told = await self.ask(codes.SET_ANTENNA, bytes((antenna - 1,)), times=1)
        if not isinstance(told, r2000.Result):
            return Heard((), valid=told is not None)
        if told.result != codes.SUCCESS:
            return Heard((), valid=True, result=told.result)
        self._antenna = antenna
        return None

    async def round(
        self, antenna: int, *, session: int | None, early: Early | None = None
    ) -> Heard:
        """One round on one antenna, chosen first unless it is the one in use already."""
        refused = await self._choose(antenna)
        if refused is not None:
            return refused
        if session is None:
            command = r2000.build_inventory(self.address)
        else:
            command = r2000.build_session_inventory(self.address, session=session)
        found = await gather(
            self.dialog,
            command,
            first_s=ROUND_SILENT_S,
            silent_s=ROUND_SILENT_S,
            within_s=ROUND_S_MAX,
            ends=ends,
            early=early,
        )
        end = next((reply for reply in reversed(found.left) if ends(reply)), None)
        if not isinstance(end, r2000.RoundEnd) or end.antenna_index + 1 != antenna:
            self._antenna = 0  # It restarted, or somebody else chose: choose again.
        result = end.result if isinstance(end, r2000.Result) else 0
        return Heard(sightings(found.left), found.heard, result, found.said_ns)


def ends(reply: r2000.Reply) -> bool:
    """Whether this is the last reply of an inventory."""
    is_end = isinstance(reply, r2000.RoundEnd | r2000.SwitchEnd | r2000.Result)
    return is_end and reply.code in _INVENTORIES


def why(answer: r2000.Reply | None) -> str:
    """Why a command failed, in words."""
    if answer is None:
        return "no answer"
    if not isinstance(answer, r2000.Result):
        return "an answer that does not fit"
    return named(answer.result)


def named(result: int) -> str:
    """A result with its name."""
    return f"0x{result:02X} {codes.RESULT_NAMES.get(result, 'unknown error')}"
