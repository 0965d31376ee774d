"""Files upstream: records into a folder, on the disk before they count as delivered.

The work is done in a thread that nobody waits for at the end: a disk may hang for minutes.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from gatewayd.errors import UpstreamError
from gatewayd.settings.kinds import UpstreamType
from gatewayd.store.model import Record
from gatewayd.upstreams.aside import aside
from gatewayd.upstreams.backoff import FIELD, Pace
from gatewayd.upstreams.contract import Outcome, UpstreamContext
from gatewayd.upstreams.files_book import Book
from gatewayd.upstreams.files_lines import FORMATS, Format, mapped_format
from gatewayd.upstreams.files_settings import FilesSettings
from gatewayd.upstreams.plain import LosableSink, PlainUpstream
from gatewayd.upstreams.worded import Wording, spoken, wording_of

MB = 1_000_000


class Desk:
    """Runs one piece of disk work at a time; what hangs is left, and nothing begins beside it.

    `busy`: a piece is under way, or hangs.
    """

    def __init__(self, directory: Path, within_s: float) -> None:
        self._directory = directory
        self._within_s = within_s
        self.busy = False

    async def do(self, work: Callable[[], None]) -> None:
        """Run it off the loop; raises UpstreamError when it fails or lasts too long."""
        if self.busy:
            raise UpstreamError("the disk still hangs")
        self.busy = True
        try:
            async with asyncio.timeout(self._within_s):
                await aside(work, done=self._free)
        except TimeoutError as exc:
            raise UpstreamError(f"the disk hangs: no answer within {self._within_s:g} s") from exc
        except OSError as exc:
            where = exc.filename or self._directory
            raise UpstreamError(f"{where}: {exc.strerror or exc}") from exc

    def _free(self) -> None:
        self.busy = False


class FilesSink:
    """Records into the open book; gone at the first failure."""

    def __init__(self, book: Book, desk: Desk, wording: Wording) -> None:
        self.gone = asyncio.Event()
        self.why = ""
        self._book = book
        self._desk = desk
        self._wording = wording

    async def deliver(self, batch: Sequence[Record], *, alone: bool) -> Outcome:
        """Write all of it or keep all of it."""
        assert not alone or len(batch) == 1
        try:
            said = {record.sequence: self._wording.letter(record).body for record in batch}
            await self._desk.do(lambda: self._book.append(batch, said))
        except UpstreamError as exc:
            self.why = str(exc)
            self.gone.set()
            return Outcome(kept=self.why)
        return Outcome(frozenset(record.sequence for record in batch))


def make(
    name: str, settings: FilesSettings, context: UpstreamContext, pace: Pace = FIELD
) -> PlainUpstream:
    """A files upstream; touches no disk."""
    directory = context.directory / settings.directory
    wording = wording_of(settings)
    book = Book(
        directory,
        f"{context.station_id}-{name}",
        _format(settings),
        bytes_max=settings.file_mb_max * MB,
        removable=settings.removable,
    )
    desk = Desk(directory, pace.answer_s_max)

    @asynccontextmanager
    async def way(proven: Callable[[], None]) -> AsyncIterator[LosableSink]:
        await desk.do(book.open)
        proven()
        yield spoken(FilesSink(book, desk, wording), wording)

    return PlainUpstream(name, context, way, pace, records_per_s=settings.records_per_s)


def _format(settings: FilesSettings) -> Format:
    """How lines are written: ours, or with the columns of all messages of the mapping."""
    tongue = settings.tongue
    if tongue is None:
        return FORMATS[settings.format]
    messages = tongue.mapping.messages
    columns = tuple(dict.fromkeys(name for each in messages for name in each.columns))
    id_column = messages[0].id_column
    assert id_column is not None, "checked settings name it"
    return mapped_format(settings.format, columns, id_column)


UPSTREAM = UpstreamType("files", FilesSettings, make, "JSON Lines or CSV files, for a USB stick")
