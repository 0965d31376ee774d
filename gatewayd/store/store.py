"""The daemon's store: reads answer at once on the loop's thread, writes return once durable."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self, TypeVar
from zoneinfo import ZoneInfo

import apsw

from gatewayd.clock import Clock
from gatewayd.errors import StoreError
from gatewayd.ids import new_id
from gatewayd.store import clock, database, orders, rows, writes
from gatewayd.store.ballast import Ballast
from gatewayd.store.chain import Issuer
from gatewayd.store.hand import Hand
from gatewayd.store.merge import upsert
from gatewayd.store.model import Cylinder, ImportCounts, Permit, Record, RecordDraft, Resolution
from gatewayd.store.opening import prepare
from gatewayd.store.reads import Reads
from gatewayd.store.rebirth import Remedy
from gatewayd.store.writer import Writer

T = TypeVar("T")


STUCK_MS = 5_000
"""A commit that takes longer hangs: nothing may stay open that could not be recorded. As long as
another process may hold the file, and as a worn flash card takes to tidy up."""

BROKE_LOOK_S = 0.25
"""How soon it is noticed that the writer has ended of a bug; `healthy` says so at once."""


class Store(Reads):
    """One process's store. Reads are those of `Reads`; use it on one event loop.

    Every write returns after its commit with synchronous=FULL, or raises StoreError: then `healthy`
    is False until a later attempt succeeds, which the store makes by itself. After a StoreError a
    write may still turn out to be committed; writing it again with the same id is safe.
    """

    def __init__(
        self,
        path: Path,
        *,
        owner: database.Ownership,
        read: apsw.Connection,
        write: apsw.Connection,
        issuer: Issuer,
        clock: Clock,
        busy_ms: int,
        hand: Hand | None,
        ballast: Ballast | None,
    ) -> None:
        super().__init__(path, read)
        self._owner = owner
        self._issuer = issuer
        self._clock = clock
        self._closed = False
        self._last_seen = self.last_sequence()
        self._news = asyncio.Event()
        self._writer = Writer(
            path,
            write,
            self._committed,
            busy_ms=busy_ms,
            hand=hand,
            ballast=ballast,
            monotonic_ns=clock.monotonic_ns,
        )
        self.commits = self._writer.commits

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        station_id: str,
        zone: ZoneInfo,
        clock: Clock,
        quota_mb: int = database.QUOTA_MB,
        busy_ms: int = database.BUSY_MS,
        hand: Hand | None = None,
        remedy: Remedy | None = None,
        ballast_mb: int = 0,
    ) -> Self:
        """Open and check the store at `path`, or create it; this process then owns it.

        `quota_mb` bounds the file in MiB, `busy_ms` the wait for another process's transaction;
        `hand` does the writing, a thread when None. A damaged store is put aside by `remedy`; with
        None it is refused and left as it is. `ballast_mb` is kept on the disk for what must end.
        Raises StoreError when it is damaged, someone else's, newer, or another process owns it.
        """
        owner = database.Ownership.take(path)
        opened: list[apsw.Connection] = []
        try:
            issuer = Issuer(station_id, zone)
            prepare(path, issuer=issuer, at=clock.wall(), remedy=remedy)
            opened.append(database.connect_to_write(path, quota_mb=quota_mb, busy_ms=busy_ms))
            database.check_station(path, opened[0], station_id)
            opened.append(database.connect_to_read(path, busy_ms=busy_ms))
            write, read = opened
            ballast = Ballast(path, mb=ballast_mb)
            ballast.make()
            return cls(
                path,
                owner=owner,
                read=read,
                write=write,
                issuer=issuer,
                clock=clock,
                busy_ms=busy_ms,
                hand=hand,
                ballast=ballast,
            )
        except StoreError:
            for connection in opened:
                connection.close()
            owner.release()
            raise

    async def close(self) -> None:
        """Commit what waits and let go of the file; a second close does nothing."""
        await self._writer.close()
        if not self._closed:
            self._closed = True
            self._read.close()
            self._owner.release()

    @property
    def healthy(self) -> bool:
        """Whether the last attempt to commit succeeded, none hangs, and there is room."""
        return self._writer.healthy and self._writer.stuck_ms() <= STUCK_MS

    @property
    def full(self) -> bool:
        """Whether only the reserve is left, or the disk has no room."""
        return self._writer.full

    @property
    def used_percent(self) -> int:
        """How much of the quota, or of what the disk gives, was used at the last commit."""
        return self._writer.used_percent

    @property
    def quota_bytes(self) -> int:
        """The quota in force: as it was asked for, or the file's size when opened if that is more."""
        return self._writer.quota_bytes

    @property
    def why(self) -> str:
        """What is wrong with the store, empty when it is well."""
        stuck_ms = self._writer.stuck_ms()
        hangs = f"{self.path}: the disk has not answered for {stuck_ms} ms; check the disk"
        return hangs if stuck_ms > STUCK_MS else self._writer.why

    def stuck_ms(self) -> int:
        """How long a commit has been under way without an end."""
        return self._writer.stuck_ms()

    def broken_ms(self) -> int:
        """How long commits have failed, but for want of room or for somebody else's lock."""
        return self._writer.broken_ms()

    async def broke(self) -> None:
        """Wait until the writer has ended of a bug, then raise AssertionError: the daemon must end.

        A new one cannot know what of the last transaction happened; a start finds out.
        """
        while self._writer.dead is None:  # noqa: ASYNC110 - its thread died, it can ring no bell
            await asyncio.sleep(BROKE_LOOK_S)
        raise AssertionError("the store's writer ended of a bug") from self._writer.dead

    async def prove(self) -> None:
        """Commit something of no meaning, so that `healthy` is news; raises StoreError."""
        await self._writer.submit(writes.probe)

    async def issue(self, permit: Permit) -> None:
        """Commit a permit as pending, before any gate is touched. Repeatable."""
        await self._writer.submit(lambda connection: writes.issue(connection, permit))

    async def resolve(self, permit_id: str, resolution: Resolution, draft: RecordDraft) -> Record:
        """End a pending permit together with its record; again with that id: the same record."""
        return await self._writer.submit(
            lambda connection: writes.resolve(
                connection, permit_id, resolution, draft, self._issuer
            )
        )

    async def append(self, draft: RecordDraft) -> Record:
        """Commit one record; a draft that is committed already returns its record.

        With `counts_fill_of` a known cylinder, `data.fill_count` is its count after this fill.
        """
        return await self._writer.submit(
            lambda connection: writes.append(connection, draft, self._issuer)
        )

    async def set_total_g(self, rig_id: str, total_g: int) -> None:
        """Set the totaliser baseline of a rig that has no record yet, in grams."""
        await self._writer.submit(
            lambda connection: writes.set_total_g(connection, rig_id, total_g)
        )

    async def keep(self, rig_id: str, text: str) -> None:
        """Keep what a rig's gate must not forget over a restart; the last text stays."""
        await self._writer.submit(lambda connection: writes.keep(connection, rig_id, text))

    async def keep_clock(self, mark: clock.Mark) -> None:
        """Keep what is known of the clock, unless a person has vouched for it meanwhile."""
        await self._writer.submit(lambda connection: clock.keep(connection, mark))

    async def acknowledge(
        self, upstream: str, through_sequence: int, dead: Sequence[tuple[int, str]] = ()
    ) -> None:
        """An upstream has taken every record through a sequence, but refused `dead` for good.

        `dead` are sequences with reasons, none above `through_sequence`. A cursor never moves back.
        """
        at = rows.utc(self._clock.wall())
        await self._writer.submit(
            lambda connection: writes.acknowledge(connection, upstream, through_sequence, dead, at)
        )

    async def settle_retried(
        self, upstream: str, delivered: Sequence[int], dead: Sequence[tuple[int, str]] = ()
    ) -> None:
        """What became of `dead_to_retry`: `delivered` are done, `dead` wait for a person again."""
        at = rows.utc(self._clock.wall())
        await self._writer.submit(
            lambda connection: writes.settle_retried(connection, upstream, delivered, dead, at)
        )

    async def retry_dead(self, upstream: str | None = None, sequences: Sequence[int] = ()) -> int:
        """Ask for dead letters to be sent again; returns how many will be."""
        return await self._writer.submit(
            lambda connection: writes.retry_dead(connection, upstream, sequences)
        )

    async def import_cylinders(
        self,
        cylinders: Sequence[Cylinder],
        *,
        replace: bool,
        columns: Sequence[str] = rows.CYLINDER_COLUMNS,
        source_version: int | None = None,
    ) -> ImportCounts:
        """Upsert a few cylinders by code, or replace the whole archive; all or nothing.

        One transaction: many entries go beside the daemon, `beside.import_staged`. Codes are
        distinct. An entry for which its upstream gave a version above `source_version` stays.
        """
        entries = [rows.cylinder_row(value) for value in cylinders]
        at = rows.utc(self._clock.wall())
        return await self._writer.submit(
            lambda connection: upsert(
                connection,
                entries,
                columns=tuple(columns),
                replace=replace,
                at=at,
                source_version=source_version,
            )
        )

    async def hold(self, code: str, reason: str, *, by: str) -> bool:
        """Hold a cylinder until it is released; False = the archive does not know it yet."""
        order = orders.Order(new_id(), code, reason, by, "", self._clock.wall())
        return (await self.order(orders.hold, order)).known

    async def release(self, code: str, *, by: str, reason: str = "") -> bool:
        """End the hold of a cylinder; False = nothing held it."""
        order = orders.Order(new_id(), code, reason, by, "", self._clock.wall())
        return (await self.order(orders.release, order)).changed

    async def order(self, carry_out: orders.CarryOut, order: orders.Order) -> orders.Done:
        """Carry out a hold, release, lock or unlock of `orders`, with its record. Repeatable."""
        return await self.commit(lambda connection, issuer: carry_out(connection, issuer, order))

    def notice(self) -> None:
        """Wake who waits for records when somebody beside us has written some."""
        self._committed(self.last_sequence())

    async def commit(self, work: Callable[[apsw.Connection, Issuer], T]) -> T:
        """One transaction of a room of this floor, such as `people`; raises StoreError."""
        return await self._writer.submit(lambda connection: work(connection, self._issuer))

    async def wait_for(self, after_sequence: int) -> None:
        """Return once a record with a higher sequence is committed; at once when there is one."""
        while self._last_seen <= after_sequence:
            await self._news.wait()

    def _committed(self, last_sequence: int) -> None:
        """A batch is done: wake who waits for records when there are new ones."""
        if last_sequence > self._last_seen:
            self._last_seen = last_sequence
            self._news.set()
            self._news = asyncio.Event()
