"""A changed configuration, taken up while the station works.

The files are read and checked as a whole, in a thread. What they say becomes the target, or nothing
changes and everybody hears why. From what runs to the target there are jobs (`jobs.py`): the rigs of
a job begin nothing new, finish what they fill, and are exchanged together with their devices. A
newer target replaces one that still waits; rule packs and upstreams wait for nobody.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

from gatewayd import notify
from gatewayd.board import Board
from gatewayd.devices import make_driver
from gatewayd.errors import StoreError
from gatewayd.house import House, info
from gatewayd.logs import logger
from gatewayd.reload.exchange import (
    drivers_of,
    exchange,
    exchange_upstreams,
    upstreams_that_differ,
)
from gatewayd.reload.jobs import Job, adopted, jobs
from gatewayd.reload.keeper import Bell, Keeper
from gatewayd.reload.news import News, Refusal
from gatewayd.reload.reading import Taken, signature
from gatewayd.reload.record import Book
from gatewayd.settings.model import Settings
from gatewayd.settings.plan import Plan, explained, plan
from gatewayd.settings.upstreams import upstream_table
from gatewayd.upstreams.contract import make_upstream

WATCH_EVERY_S = 2.0
"""How often the files are looked at. A change counts once two looks saw the same: an editor that is
half-way through a file, or a person half-way through several, is waited for."""
TRY_AGAIN_S = 1.0
"""How soon a job that waits is looked at again when nobody woke us."""

log = logger("reload")


class Reloader:
    """Create, then `run`; ring the bell to have the files read again."""

    def __init__(
        self,
        house: House,
        keeper: Keeper,
        bell: Bell,
        taken: Taken,
        read: Callable[[], Taken],
        *,
        watch_every_s: float = WATCH_EVERY_S,
    ) -> None:
        settings = taken.examined.settings
        assert settings is not None, "a house was built from it"
        self._house = house
        self._parts = house.parts
        self._keeper = keeper
        self._bell = bell
        self._taken = taken
        self._read = read
        self._watch_every_s = watch_every_s
        self._target = self._parts.settings
        self._asked: set[str] = set()
        self._owing = self._begun = False
        self._book = Book(house.store, house.context.clock)
        self._news = News(house)

    async def run(self) -> None:
        """Take up what changes until cancelled; nothing that a file says ends the house.

        May be run again after a bug ended it: what is still to be done is told from what runs.
        """
        if not self._begun:
            await self._book.open(self._taken.examined)
            self._news.started(self._taken.examined)
        self._begun = True
        await self._settle()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch())
            group.create_task(self._serve())

    async def plan(self) -> Plan:
        """What reading the files now would change; raises ConfigProblemsError."""
        taken = await asyncio.to_thread(self._read)
        after = await self._book.pictured(taken.examined)
        busy = [name for name, rig in self._parts.rigs.items() if rig.state.permit is not None]
        assert taken.examined.settings is not None, "pictured only when it is right"
        known = self._parts.settings.packs
        found = plan(self._book.picture, after, busy)
        return await asyncio.to_thread(explained, found, known.get, taken.examined.settings.packs)

    async def _watch(self) -> None:
        """Ring the bell when the files have changed and stand still again."""
        known = last = self._taken.signature
        directory = self._parts.settings.directory
        while True:
            await asyncio.sleep(self._watch_every_s)
            now = await asyncio.to_thread(signature, directory)
            settled, last = now == last, now
            if not settled or now == known:
                continue
            known = now
            if self._parts.settings.reload.watch and now != self._taken.signature:
                self._bell.ring()

    async def _serve(self) -> NoReturn:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TRY_AGAIN_S if self._asked or self._owing else None):
                    await self._bell.news.wait()
            self._bell.news.clear()
            if not self._bell.asked:
                await self._settle()
                continue
            self._bell.asked = False
            notify.reloading()
            try:
                await self._take_up()
                await self._settle()
            finally:
                notify.tell("READY=1")

    # --- from files to a target ---

    async def _take_up(self) -> None:
        """Read the files; what they say is the target from now on, whole or not at all."""
        self._taken = taken = await asyncio.to_thread(self._read)
        if taken.examined.settings is None:
            self._news.invalid(taken.examined)
            return
        wanted = adopted(self._parts.settings, taken.examined.settings)
        refusal = self._stranded(wanted) or self._not_makeable(wanted)
        if refusal is not None:
            self._news.refused(refusal)
            return
        await self._book.take(taken.examined)
        self._target = wanted
        self._adopt_at_once()
        self._news.taken_up(taken.examined)

    def _stranded(self, wanted: Settings) -> Refusal | None:
        """A rig that is to go while its permit cannot be settled: only its own gate knows how."""
        for name, rig in self._parts.rigs.items():
            permit, lost = rig.state.permit, not rig.state.gate_known
            if name not in wanted.rigs and permit is not None and lost:
                return Refusal("reload.stranded", {"rig": name, "no": permit.permit_no})
        return None

    def _not_makeable(self, wanted: Settings) -> Refusal | None:
        """Try whether everything new can be made: a plug-in that breaks changes nothing."""
        running, board = self._parts.settings, Board()
        context = replace(self._parts.context, board=board)
        part = ""
        try:
            for name in sorted(set().union(*(j.devices for j in self._jobs(wanted)))):
                part = f"devices/{name}"
                if name in wanted.devices:
                    make_driver(wanted, name)
            for name in upstreams_that_differ(running, wanted) & wanted.upstreams.keys():
                part = f"upstreams/{name}"
                upstream = wanted.upstreams[name]
                kind = upstream_table().get(upstream.driver)
                make_upstream(kind, name, upstream.settings, context)
        except Exception as exc:  # Foreign code: whatever it raises, what runs goes on.
            log.exception("reload.cannot_make", part=part, error=str(exc))
            error = f"{type(exc).__name__}: {exc}"
            return Refusal("reload.cannot_make", {"part": part, "error": error})
        return None

    def _adopt_at_once(self) -> None:
        """What waits for no rig: packs between two judgements, particulars for whoever is made next."""
        target = self._target
        changed = self._parts.renew_packs(target)
        if changed:
            versions = {
                name: target.packs[name].version for name in changed if name in target.packs
            }
            log.info("rules.changed", packs=versions)
        self._parts.settings = replace(
            self._parts.settings,
            station=target.station,
            reload=target.reload,
            checks=target.checks,
            profiles=target.profiles,
        )

    # --- from what runs to the target ---

    def _jobs(self, wanted: Settings) -> tuple[Job, ...]:
        return jobs(self._parts.settings, wanted, self._parts.made_with)

    async def _settle(self) -> None:
        """Do every job whose rigs are at rest; ask the others to come to rest."""
        await self._exchange_upstreams()
        waiting = self._jobs(self._target)
        await self._ask({name for job in waiting for name in job.rigs})
        for job in waiting:
            if all(self._keeper.rests(name) for name in job.rigs):
                await self._do(job)
        left = self._jobs(self._target)
        await self._ask({name for job in left for name in job.rigs})
        if not left:
            packs = {n: p for n, p in self._parts.settings.packs.items() if n in self._target.packs}
            self._parts.settings = replace(self._parts.settings, packs=packs)
        self._house.board.post("info", info(self._house))
        busy = sorted(name for name in self._asked if not self._keeper.rests(name))
        self._news.settled(busy, self._book.restart)
        with contextlib.suppress(StoreError):  # tried again with the next change
            await self._book.keep(self._parts.settings, left)

    async def _exchange_upstreams(self) -> None:
        """Upstreams wait for no rig, but for a store that can be read."""
        try:
            await exchange_upstreams(self._parts, self._keeper, self._target)
        except StoreError as exc:
            log.warning("reload.waits_for_store", error=str(exc))
            self._owing = True
        else:
            self._owing = False

    async def _ask(self, wanted: set[str]) -> None:
        """Let these rigs come to rest, and the others go on, also those that had left."""
        still = set()
        for name in self._asked | wanted:
            if name not in self._parts.rigs:
                continue
            if name in wanted:
                self._parts.rigs[name].leave()
            elif not self._keeper.rests(name):
                self._parts.rigs[name].leave(leaving=False)
            elif not await self._again(name):
                still.add(name)
        self._asked = wanted | still

    async def _again(self, name: str) -> bool:
        """A rig that had left for a change that nobody wants any more; False = not yet.

        The gate that stands before it goes on as after any exchange: from what it kept.
        """
        alone = Job(devices=frozenset(), rigs=frozenset({name}))
        try:
            await exchange(self._house, self._keeper, self._parts.settings, alone, ())
        except StoreError as exc:
            log.warning("reload.waits_for_store", error=str(exc), rigs=[name])
            return False
        return True

    async def _do(self, job: Job) -> None:
        """One job; when it cannot be done after all, the rest of the target is given up."""
        names = {"devices": sorted(job.devices), "rigs": sorted(job.rigs)}
        try:
            drivers = drivers_of(self._target, job)
        except Exception as exc:  # Foreign code: whatever it raises, what runs goes on.
            log.exception("reload.cannot_make", error=str(exc), **names)
            why = {"part": ", ".join(names["devices"]), "error": f"{type(exc).__name__}: {exc}"}
            self._target = self._parts.settings
            self._news.refused(Refusal("reload.cannot_make", why))
            return
        try:
            await exchange(self._house, self._keeper, self._target, job, drivers)
        except StoreError as exc:
            log.warning("reload.waits_for_store", error=str(exc), **names)
        else:
            log.info("reload.exchanged", **names)
