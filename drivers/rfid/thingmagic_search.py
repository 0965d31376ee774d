"""One search of a ThingMagic module: look for a while, then fetch what lies in its buffer."""

from dataclasses import dataclass

from drivers.dialog import ANSWER_WITHIN_S, now
from drivers.rfid.field import Sighting
from drivers.rfid.rounds import Round
from drivers.rfid.thingmagic_line import ModuleLine, complain, why
from protocols.readers import thingmagic
from protocols.readers.thingmagic import Metadata, codes, commands, replies

METADATA = int(Metadata.READ_COUNT | Metadata.RSSI | Metadata.ANTENNA)
FETCHES_MAX = 64
"""Replies in which one buffer may come; the largest buffers hold about a thousand tags."""
FETCH_S_MAX = 1.0
"""A module so slow that its buffer takes longer is left alone: what remains is old, and cleared."""


_MALFORMED = frozenset({0x0100, 0x0105})
"""Wrong number of data bytes, invalid parameter."""


@dataclass(slots=True)
class Search:
    """How to search: `search_ms` in all, over the antenna list or the one antenna set.

    `with_metadata` is learned: M5e and Silion know the plain form, some newer firmware only the
    other.
    """

    line: ModuleLine
    search_ms: int
    antenna_list: bool
    with_metadata: bool = False

    async def once(self) -> Round:
        """Everything in the field now; raises DriverError when the link fails."""
        # Clearing first also swallows a late answer to the search before.
        if await self.line.ask(codes.CLEAR_BUFFER, times=1) is None:
            return Round((), heard=False)
        flags = commands.CONFIGURED_LIST if self.antenna_list else commands.CONFIGURED_ANTENNA
        metadata = METADATA if self.with_metadata else None
        frame = commands.build_search(flags, self.search_ms, metadata)
        within_s = self.search_ms / 1000 + ANSWER_WITHIN_S
        heard = await self.line.send(frame, times=1, within_s=within_s)
        if heard is None:
            return Round((), heard=False)
        if heard.reply.status == codes.NO_TAG:
            return Round((), heard=True)
        if heard.reply.status in _MALFORMED and not self.with_metadata:
            self.with_metadata = True
            return await self.once()
        if heard.reply.status not in {codes.OK, codes.BUFFER_FULL}:
            complain(self.line, heard.reply)
            reason = f"the module refuses to read: {why(heard.reply.status)}"
            return Round((), heard=True, refused=reason)
        found = replies.read_multiple(heard.reply)
        count = found.count if isinstance(found, replies.Searched) else FETCHES_MAX
        return Round(tuple(await self._fetch(count)), heard=True)

    async def _fetch(self, count: int) -> list[Sighting]:
        """Up to `count` tags of the buffer."""
        found: list[Sighting] = []
        left, until = count, now() + FETCH_S_MAX
        for _ in range(FETCHES_MAX):
            if left <= 0 or now() >= until:
                break
            heard = await self.line.send(commands.build_get_buffer(METADATA), times=1)
            if heard is None or not heard.tags:
                break
            left -= len(heard.tags)
            found += self.line.sightings([heard])
        return found


def describe_refusal(reply: thingmagic.Reply) -> str:
    """Why a stream does not start."""
    return f"the module refuses to stream: {why(reply.status)}"
