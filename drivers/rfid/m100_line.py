"""One open link to an M100: by which marks it speaks, its settings, one round, one access.

A module that sleeps swallows the byte that wakes it and the first command: everything is asked
twice. A module left in multi poll answers nothing until it is stopped.
"""

import asyncio
import itertools
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeAlias

from drivers import troubles
from drivers.contract import Context
from drivers.dialog import Dialog
from drivers.links import Stream
from drivers.owed import ANY
from drivers.rfid.field import Field, Sighting
from drivers.rfid.rounds import ROUND, Round, gather
from protocols.framing import FrameError
from protocols.readers import m100
from protocols.readers.m100 import codes

ASKED_TIMES = 2
ANSWER_WITHIN_S = 1.0
STOP_GAP_S = 0.05
"""What a module needs after a stop before it listens again (experience, no document)."""
STOPPED_WITHIN_S = 0.2
"""How long a multi poll may take to say that it has stopped; the next question proves it anyway."""
SETTLED_WITHIN_S = 0.3
"""How long one answer that only proves how old a round is may take; the next question is another."""
SETTLE_TIMES_MAX = 4
ROUND_S_MAX = 2.0
"""A module that never pauses is cut short, and what it saw is passed on."""
TAG_PAUSE_S = 0.04
"""Nothing ends a round that saw tags: a pause after the last of them does."""
Early: TypeAlias = Callable[[list[m100.Reply], int], None]
"""Who gets what a round that goes on has seen, and after when: see `drivers.rfid.rounds.gather`."""
_HARDWARE = b"\x00"
_ASIDES = {codes.INFO: _HARDWARE, codes.GET_POWER: b"", codes.GET_REGION: b""}
"""Questions of no effect, each with an answer of its own, so that a lost one is found out."""
_REFUSALS = frozenset({codes.INVALID_COMMAND, codes.WRONG_PARAMETER})


class M100Line:
    """Speaks with the module by one of `styles`; the right one is learned from its answers.

    `pause_s` is the silence after a tag that ends a round. `far`: behind a network, which may hold
    back what it says.
    """

    def __init__(
        self,
        stream: Stream,
        context: Context,
        *,
        styles: Sequence[m100.Style],
        gap_s: float,
        pause_s: float,
        far: bool,
    ) -> None:
        self.style = styles[0]
        self.streams = False
        self.far = far
        self._styles = tuple(styles)
        self._heard: m100.Style | None = None
        self._pause_s = pause_s
        self._asides = itertools.cycle(_ASIDES)
        self.late: Early = _nobody
        """Gets the tags that are heard while it is asked something else."""
        self.dialog: Dialog[m100.Reply] = Dialog(
            stream,
            context,
            framer=m100.new_framer(styles),
            decode=self._decode,
            format="m100_bb",
            gap_s=gap_s,
        )

    async def find(self) -> str | None:
        """Stop what it was doing and learn who it is; None when nobody answers by any style.

        `streams` is True afterwards when it does nothing but send tags.
        """
        await self.dialog.drain()
        for style in self._styles:
            self.style = self._heard or style
            await self.dialog.tell(m100.build_command(codes.STOP, style=self.style))
            await asyncio.sleep(STOP_GAP_S)
            asleep = style is self._styles[0]  # Any bytes have woken it when the next is tried.
            reply = await self.ask(codes.INFO, _HARDWARE, times=ASKED_TIMES if asleep else 1)
            if reply is not None:
                self.streams = False
                return _text(reply)
            if self._heard is not None:
                return None  # It speaks this style, only not to us.
        return None

    async def ask(
        self,
        code: int,
        param: bytes = b"",
        *,
        times: int = ASKED_TIMES,
        within_s: float = ANSWER_WITHIN_S,
    ) -> m100.Reply | None:
        """What the module says to a command, an error included; None when it says nothing.

        "No tag" is the late answer to a poll, whatever was asked.
        """

        def wanted(reply: m100.Reply) -> bool:
            if isinstance(reply, m100.Failure):
                return reply.error != codes.NO_TAG
            return not isinstance(reply, m100.TagSeen) and reply.code == code

        command = m100.build_command(code, param, self.style)
        return await self.dialog.ask(
            command,
            wanted,
            kind=code,
            kind_of=_kind_of,
            times=times,
            within_s=within_s,
            aside=self._watch,
        )

    async def learn(self) -> None:
        """Find out which questions it answers, to be asked aside; a clone may not know them all."""
        known = [code for code, param in _ASIDES.items() if await self.ask(code, param) is not None]
        self._asides = itertools.cycle(known or _ASIDES)

    async def set_power(self, power_dbm: int) -> None:
        """Set the transmit power if it differs; raises DriverError when the unit refuses it."""
        before = await self.power_cdbm()
        if before == power_dbm * 100:
            return
        await self.ask(codes.SET_POWER, m100.power_param(power_dbm * 100))
        after = await self.power_cdbm()
        if after != power_dbm * 100:
            at = "?" if after is None else f"{after / 100:g}"
            refused = troubles.power_refused(power_dbm, at, "20, 26")
            raise self.dialog.lost(f"power {power_dbm} dBm refused", refused)

    async def power_cdbm(self) -> int | None:
        """Transmit power in hundredths of a dBm; None when the module does not tell."""
        reply = await self.ask(codes.GET_POWER)
        if not isinstance(reply, m100.Answer):
            return None
        try:
            return m100.decode_power(reply.param)
        except FrameError:
            return None

    async def set_region(self, region: int) -> None:
        """Set the frequency region if it differs; raises DriverError when the unit refuses it."""
        if await self._region() == region:
            return
        await self.ask(codes.SET_REGION, bytes((region,)))
        if await self._region() != region:
            raise self.dialog.lost(f"region {codes.region_text(region)} refused; remove region")

    async def _region(self) -> int | None:
        reply = await self.ask(codes.GET_REGION)
        known = isinstance(reply, m100.Answer) and len(reply.param) == 1
        return reply.param[0] if isinstance(reply, m100.Answer) and known else None

    async def round(self, early: Early | None = None) -> Round:
        """One poll: every tag until an error (no tag is one), a pause, or ROUND_S_MAX.

        A pause may be the network's: only the answer to the next question ends a round that saw
        tags, and those that come before it are passed on to `late`.
        """
        found = await gather(
            self.dialog,
            m100.build_command(codes.POLL, style=self.style),
            first_s=ANSWER_WITHIN_S,
            silent_s=self._pause_s,
            within_s=ROUND_S_MAX,
            ends=lambda reply: isinstance(reply, m100.Failure),
            goes_on=lambda reply: isinstance(reply, m100.TagSeen),
            kind_of=_kind_of,
            early=early,
        )
        if found.heard and self.dialog.owed.owes(ROUND):
            await self.settle()
        return Round(tuple(sightings(found.left)), found.heard, _refusal(found.left))

    async def settle(self) -> bool:
        """Whether it answers something else than a poll; the polls before are over then."""
        for _ in range(SETTLE_TIMES_MAX):
            code = next(self._asides)
            if await self._answers(code, _ASIDES[code], SETTLED_WITHIN_S):
                return True
        return False

    async def _answers(self, code: int, param: bytes, within_s: float) -> bool:
        """Whether it answers this or what it was asked aside before, be it that it cannot.

        An error of the air is none: it may be a multi poll's own.
        """

        def wanted(reply: m100.Reply) -> bool:
            if isinstance(reply, m100.Failure):
                return reply.error in _REFUSALS
            return reply.code in {code, *_ASIDES}

        reply = await self.dialog.ask(
            m100.build_command(code, param, self.style),
            wanted,
            kind=code,
            kind_of=_kind_of,
            times=1,
            within_s=within_s,
            aside=self._watch,
        )
        return reply is not None

    async def prove(self) -> bool:
        """Whether it answers something between two multi polls: what follows was said after that."""
        await self._answers(codes.STOP, b"", STOPPED_WITHIN_S)
        await asyncio.sleep(STOP_GAP_S)
        answered = await self.settle()
        await self.dialog.tell(self._multi_poll())
        return answered

    async def start(self, field: Field) -> bool:
        """Start or restart the multi poll, which ends by itself; whether anything is said."""
        owed, clock = self.dialog.owed, self.dialog.context.monotonic_ns

        def seen(replies: Iterable[m100.Reply]) -> None:
            field.emit(sightings(replies), owed.since_ns if self.far else clock())

        reply = await self.dialog.ask(
            self._multi_poll(), lambda _: True, kind=None, times=ASKED_TIMES, aside=seen
        )
        if reply is not None:
            seen([reply])
        return reply is not None

    def _multi_poll(self) -> bytes:
        param = m100.multi_poll_param(m100.MULTI_POLL_MAX)
        return m100.build_command(codes.MULTI_POLL, param, self.style)

    def _watch(self, replies: list[m100.Reply]) -> None:
        self.late(replies, self.dialog.owed.said_ns(ROUND))
        self.streams = self.streams or any(isinstance(reply, m100.TagSeen) for reply in replies)

    def _decode(self, raw: bytes) -> m100.Reply:
        """A reply; a tag that its own CRC disowns is noise, never a read."""
        reply = m100.decode_reply(raw)
        if isinstance(reply, m100.TagSeen) and not reply.crc_ok:
            raise FrameError(f"the CRC of tag {reply.epc.hex()} is wrong")
        self.style = self._heard = m100.Style(raw[0], raw[-1])
        return reply


def _nobody(_replies: list[m100.Reply], _said_ns: int) -> None:
    """Nobody asks for tags."""


def _kind_of(reply: m100.Reply) -> Hashable:
    """Which question it answers; an error may answer any, but that there is no tag a poll's."""
    if isinstance(reply, m100.Failure):
        return ROUND if reply.error == codes.NO_TAG else ANY
    return reply.code


def sightings(replies: Iterable[m100.Reply]) -> list[Sighting]:
    """Every tag; the module tells dBm and no antenna."""
    return [
        Sighting(reply.epc, rssi_raw=reply.rssi_dbm, rssi_cdbm=100 * reply.rssi_dbm)
        for reply in replies
        if isinstance(reply, m100.TagSeen)
    ]


def _refusal(replies: Iterable[m100.Reply]) -> str:
    """Why the module will never poll; an empty field or a round lost in the air is no reason."""
    for reply in replies:
        if isinstance(reply, m100.Failure) and reply.error in _REFUSALS:
            return f"poll refused: {codes.error_text(reply.error)}"
    return ""


def _text(reply: m100.Reply) -> str:
    """What it says it is; a clone that does not know the question is a module all the same."""
    if not isinstance(reply, m100.Answer):
        return "module of unknown type"
    try:
        return m100.decode_info(reply.param).text
    except FrameError:
        return "module of unknown type"
