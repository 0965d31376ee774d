"""How an R2000 reader is asked for tags: antenna by antenna, or as one stream over all of them."""

from collections import Counter

from drivers import troubles
from drivers.dialog import now
from drivers.rfid.antennas import Antennas
from drivers.rfid.field import Field
from drivers.rfid.r2000_line import Heard, ReaderLine, ends, named, sightings
from drivers.rfid.rounds import ROUND, Round
from protocols.readers import r2000
from protocols.readers.r2000 import codes

STREAM_S = 1.0
"""A fast-switch inventory is asked for as many rounds as take about so long: without tags the reader
is silent until it ends."""
STREAM_SILENT_S = 2.0
"""A stream so long silent counts as a missed poll."""
REPEAT_MAX = 254
"""255 is said to mean something of its own in some firmware."""
_PORTS = (4, 8)
_SAW_NOTHING = frozenset({0, codes.SUCCESS, codes.ANTENNA_MISSING, codes.NO_TAG, 0x31, 0x38, 0x50})
"""Results of a round that only say that no tag was read whole: an empty field is idle."""


class Inventory:
    """One reader, its antennas, and what they see; `session` None is the reader's own."""

    def __init__(
        self, line: ReaderLine, field: Field, antennas: Antennas, *, session: int | None
    ) -> None:
        self._line = line
        self._field = field
        self._antennas = antennas
        self._session = session
        self._repeat = 1
        self._misses: Counter[int] = Counter()

    async def polled(self) -> Round:
        """Every antenna once. Raises DriverError when all of them miss."""
        self._antennas.tell(self._line.dialog.context)
        rounds: list[Heard] = []
        for number in self._antennas.due():
            heard = await self._line.round(number, session=self._session, early=self._pass_on)
            self._field.emit(heard.seen, heard.said_ns)  # It does not wait for the other antennas.
            if heard.valid:
                self._antennas.heard(number, missing=heard.result == codes.ANTENNA_MISSING)
            rounds.append(heard)
        refused = next((text for heard in rounds if (text := _refusal(heard.result))), "")
        return Round((), any(heard.valid for heard in rounds), refused or self._no_antenna())

    def _pass_on(self, replies: list[r2000.Reply], said_ns: int) -> None:
        self._field.emit(sightings(replies), said_ns)

    async def streamed(self) -> Round:
        """One fast-switch inventory to its end; tags are passed on as they come.

        Raises DriverError when all antennas miss.
        """
        self._antennas.tell(self._line.dialog.context)
        dialog = self._line.dialog
        await dialog.tell(self._fast_switch(), kind=ROUND)
        said_ns = dialog.owed.said_ns(ROUND)
        self._misses.clear()
        heard, until = False, now() + STREAM_SILENT_S
        while now() < until:
            _, replies = await dialog.receive(until)
            self._pass_on(replies, said_ns)
            self._misses.update(
                reply.antenna_index + 1
                for reply in replies
                if isinstance(reply, r2000.AntennaError) and reply.result == codes.ANTENNA_MISSING
            )
            if replies:
                heard, until = True, now() + STREAM_SILENT_S
            end = next((reply for reply in replies if ends(reply)), None)
            if end is not None:
                dialog.owed.answered(ROUND)
                return Round((), heard=True, refused=self._ended(end))
        return Round((), heard, refused="a fast-switch inventory did not end" if heard else "")

    def _ended(self, end: r2000.Reply) -> str:
        """Learn from the end of a stream; a text when the reader refused it."""
        if isinstance(end, r2000.SwitchEnd):
            for number in self._antennas.due():
                misses = self._misses[number] > self._repeat // 2
                self._antennas.heard(number, missing=misses)
            round_ms = max(1.0, end.duration_ms / self._repeat)
            self._repeat = max(1, min(REPEAT_MAX, int(STREAM_S * 1000 / round_ms)))
            return self._no_antenna()
        result = end.result if isinstance(end, r2000.Result) else 0
        if result == codes.ANTENNA_MISSING:
            for number in self._antennas.due():
                self._antennas.heard(number, missing=True)
        return _refusal(result) or self._no_antenna()

    def _fast_switch(self) -> bytes:
        numbers = self._antennas.due() or self._antennas.numbers
        switch = r2000.FastSwitch(
            stays=tuple((number - 1, 1) for number in numbers),
            interval_ms=0,
            repeat=self._repeat,
            ports=next(ports for ports in _PORTS if max(self._antennas.numbers) <= ports),
            extension=None if self._session is None else r2000.Extension(self._session),
        )
        return r2000.build_fast_switch(self._line.address, switch)

    def _no_antenna(self) -> str:
        """A text while no antenna has a load; raises DriverError once all of them miss."""
        numbers = ", ".join(str(number) for number in self._antennas.numbers)
        text = f"nothing is connected to antenna {numbers}"
        if self._antennas.missing == self._antennas.numbers:
            trouble = troubles.antenna_missing(self._antennas.numbers[0])
            raise self._line.dialog.lost(text, trouble)
        return text if self._antennas.doubtful else ""


def _refusal(result: int) -> str:
    """How the reader refused a round; empty when it only saw nothing or misses an antenna."""
    return "" if result in _SAW_NOTHING else f"inventory refused: {named(result)}"
