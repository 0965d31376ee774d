"""One open link to a Chafon CF reader: questions one by one, rounds, what came in them.

A reader that is sent two commands in one piece was seen to fall silent for as long as the link
lived, so a command is only sent when the one before was answered or had time to be.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterable

from drivers.contract import CodeRead, Context
from drivers.dialog import Dialog
from drivers.links import Stream
from drivers.rfid.field import Field, Sighting
from drivers.rfid.rounds import Gathered, Round, gather
from protocols.readers import chafon_cf
from protocols.readers.chafon_cf import codes
from protocols.scanners import is_no_read

ANSWER_WITHIN_S = 1.0
ASKED_TIMES = 2
COMMAND_GAP_S = 0.05
"""Between a command that is not waited for and the next one."""
ROUND_SILENT_S = 1.0
ROUND_S_MAX = 3.0
"""A round that does not end is cut short, and what it saw is passed on."""
_ONE_ROUND = chafon_cf.Inventory(chafon_cf.BY_ROUNDS, 1)
_FOR_EVER = chafon_cf.Inventory(chafon_cf.BY_TIME, chafon_cf.FOR_EVER)
_REFUSALS = frozenset({codes.WRONG_PARAMETER, codes.FAILED})


class ChafonLine:
    """Speaks with the one reader on the wire; `no_read` texts of its barcode head are no codes."""

    def __init__(
        self,
        stream: Stream,
        context: Context,
        *,
        device: str,
        gap_s: float,
        no_read: frozenset[str],
    ) -> None:
        self.field = Field(context, device)
        self.streams = False
        self._device = device
        self._no_read = no_read
        self._asides = itertools.cycle((codes.INFO, codes.GET_PARAMS))
        self.dialog: Dialog[chafon_cf.Reply] = Dialog(
            stream,
            context,
            framer=chafon_cf.new_framer(),
            decode=chafon_cf.decode_reply,
            format="chafon_cf",
            gap_s=gap_s,
        )

    async def find(self) -> str | None:
        """Stop what it was doing and learn who it is; None when nobody answers.

        `streams` is True when tags came unasked, whether it answers or not.
        """
        await self.dialog.drain()
        await self.ask(codes.STOP, times=1)
        self.streams = False
        reply = await self.ask(codes.INFO)
        if isinstance(reply, chafon_cf.InfoReply):
            info = reply.info
            return f"{info.firmware or info.hardware}, module {info.module_hardware or 'unknown'}"
        return None if reply is None else "CF reader of unknown type"

    async def params(self) -> chafon_cf.Params | None:
        """Everything it keeps in flash; None when it does not tell."""
        reply = await self.ask(codes.GET_PARAMS)
        if reply is None:
            self._asides = itertools.cycle((codes.INFO,))
        return reply.params if isinstance(reply, chafon_cf.ParamsReply) else None

    async def ask(
        self,
        code: int,
        data: bytes = b"",
        *,
        times: int = ASKED_TIMES,
        within_s: float = ANSWER_WITHIN_S,
    ) -> chafon_cf.Reply | None:
        """What the reader says to a command; tags pushed meanwhile are passed on."""

        def wanted(reply: chafon_cf.Reply) -> bool:
            return not _seen(reply) and chafon_cf.code_of(reply) == code

        command = chafon_cf.build_command(code, data)
        return await self.dialog.ask(
            command, wanted, kind=code, times=times, within_s=within_s, aside=self._aside
        )

    async def collect(self, code: int, data: bytes, within_s: float) -> list[chafon_cf.Reply]:
        """Everything said to a command up to the status that ends it, or the silence."""
        return (await self._gather(code, data, within_s)).left

    async def _gather(
        self,
        code: int,
        data: bytes,
        within_s: float,
        early: Callable[[list[chafon_cf.Reply], int], None] | None = None,
    ) -> Gathered[chafon_cf.Reply]:
        return await gather(
            self.dialog,
            chafon_cf.build_command(code, data),
            first_s=within_s,
            silent_s=within_s,
            within_s=ROUND_S_MAX,
            ends=lambda reply: _ends(reply, code),
            early=early,
        )

    async def round(self) -> Round:
        """One inventory round: every tag until the status that ends it, or ROUND_S_MAX."""
        data = chafon_cf.inventory_data(_ONE_ROUND)
        replies = await self.collect(codes.INVENTORY, data, ROUND_SILENT_S)
        return Round(tuple(self.take(replies)), bool(replies), _refusal(replies))

    async def polled(self) -> Round:
        """As `round`, for one of many: what it sees early is passed on early."""
        data = chafon_cf.inventory_data(_ONE_ROUND)
        found = await self._gather(codes.INVENTORY, data, ROUND_SILENT_S, self._pass_on)
        return Round(tuple(self.take(found.left)), found.heard, _refusal(found.left))

    def _pass_on(self, replies: list[chafon_cf.Reply], said_ns: int) -> None:
        self.field.emit(self.take(replies), said_ns)

    async def start(self) -> None:
        """Start the inventory that runs until it is stopped; its first tag is its answer."""
        data = chafon_cf.inventory_data(_FOR_EVER)
        await self.dialog.tell(chafon_cf.build_command(codes.INVENTORY, data))
        await asyncio.sleep(COMMAND_GAP_S)

    async def restart(self) -> bool:
        """Whether a silent reader lives; it may have lost power, so its inventory starts anew."""
        if await self.ask(codes.INFO) is None:
            return False
        await self.start()
        return True

    async def lives(self) -> bool:
        """Whether a silent reader that reports by itself still answers."""
        return await self.ask(codes.INFO) is not None

    async def prove(self) -> bool:
        """Whether it answers beside the inventory that runs, which is started anew."""
        answered = await self.settle()
        await self.start()
        return answered

    async def settle(self) -> bool:
        """Whether it answers something else than a round, each time another thing."""
        return await self.ask(next(self._asides), times=1) is not None

    def take(self, replies: Iterable[chafon_cf.Reply]) -> list[Sighting]:
        """Every tag; barcodes among them are passed on as codes at once."""
        seen = []
        for reply in replies:
            if isinstance(reply, chafon_cf.TagSeen):
                seen.append(_sighting(reply))
            elif isinstance(reply, chafon_cf.Barcode):
                self._code(reply.text)
        return seen

    def _code(self, text: str) -> None:
        if not is_no_read(text, self._no_read):
            context = self.dialog.context
            context.emit(CodeRead(self._device, text, context.monotonic_ns()))

    def _aside(self, replies: list[chafon_cf.Reply]) -> None:
        self.streams = self.streams or any(_seen(reply) for reply in replies)
        self._pass_on(replies, self.dialog.owed.since_ns)


def _seen(reply: chafon_cf.Reply) -> bool:
    return isinstance(reply, chafon_cf.TagSeen | chafon_cf.Barcode)


def _sighting(tag: chafon_cf.TagSeen) -> Sighting:
    """RSSI comes in tenths of a dBm; a reader with one antenna may call it 0."""
    return Sighting(
        tag.epc,
        antenna=max(1, tag.antenna),
        rssi_raw=tag.rssi_ddbm,
        rssi_cdbm=10 * tag.rssi_ddbm,
    )


def _ends(reply: chafon_cf.Reply, code: int) -> bool:
    return isinstance(reply, chafon_cf.Answer) and reply.code == code


def _refusal(replies: Iterable[chafon_cf.Reply]) -> str:
    """Why the reader will never run a round; an empty field or the air is no reason."""
    for reply in replies:
        if not isinstance(reply, chafon_cf.Answer) or reply.code != codes.INVENTORY:
            continue
        if reply.status in _REFUSALS:
            return f"inventory refused: {codes.status_value(reply.status)}"
    return ""
