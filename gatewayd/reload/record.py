"""What runs, in the store: for `config plan` beside the daemon, and for a start with a bad pack."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from gatewayd.clock import Clock
from gatewayd.errors import StoreError
from gatewayd.reload.jobs import Job
from gatewayd.settings.library import Source
from gatewayd.settings.load import ConfigProblemsError, Examined
from gatewayd.settings.model import Settings
from gatewayd.settings.picture import Picture, new_salt, picture
from gatewayd.settings.plan import Change, apply, difference
from gatewayd.store import in_force
from gatewayd.store.in_force import Running, StoredPack
from gatewayd.store.store import Store


@dataclass(frozen=True, slots=True)
class _Aim:
    """What the files said: their picture, and the texts of their packs."""

    picture: Picture = field(default_factory=dict)
    packs: Mapping[str, Source] = field(default_factory=dict)


class Book:
    """Keeps the picture of what runs; `restart` are the values that wait for a restart."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._salt = ""
        self._aim = _Aim()
        self._packs: Mapping[str, Source] = {}
        self._kept: Running | None = None
        self.picture: Picture = {}

    async def open(self, examined: Examined) -> None:
        """What the house was built from is what runs."""
        try:
            known = self._store.running()
        except StoreError:
            known = None  # What ran before is told anew; nothing depends on it.
        self._salt = new_salt() if known is None else known.salt
        await self.take(examined)
        self.picture, self._packs = self._aim.picture, self._aim.packs

    async def pictured(self, examined: Examined) -> Picture:
        """The picture of what files say; raises ConfigProblemsError when they are wrong."""
        if examined.settings is None:
            raise ConfigProblemsError(examined.problems)
        return await asyncio.to_thread(picture, examined, self._salt)

    async def take(self, examined: Examined) -> None:
        """What these files say is to run from now on."""
        packs = {
            name.partition("/")[2]: source
            for name, source in examined.sources.items()
            if name.startswith("rules/")
        }
        self._aim = _Aim(await self.pictured(examined), packs)

    @property
    def restart(self) -> tuple[str, ...]:
        """Values of the files that a reload leaves as they are, as `part.key`."""
        changes = difference(self.picture, self._aim.picture)
        return tuple(f"{each.part}.{key}" for each in changes for key in each.restart)

    async def keep(self, settings: Settings, waiting: Collection[Job]) -> None:
        """Note that everything runs but what waits. Raises StoreError; then nothing is noted."""
        done = [c for c in difference(self.picture, self._aim.picture) if not _waits(c, waiting)]
        parts = _unrestarted(apply(self.picture, done, self._aim.picture), self.picture, done)
        known = {**self._packs, **self._aim.packs}
        packs = tuple(
            StoredPack(
                name,
                pack.version,
                pack.ref.hash,
                known[name].text,
                known[name].origin,
                known[name].below,
            )
            for name, pack in settings.packs.items()
            if name in known
        )
        now = self._clock.wall().isoformat(timespec="milliseconds")
        since = self._kept.since if self._kept and self._kept.parts == parts else now
        running = Running(parts, self._salt, since)
        if running != self._kept:
            await self._store.commit(
                lambda connection, _: in_force.keep(connection, running, packs)
            )
        self.picture, self._kept, self._packs = parts, running, known


def _waits(change: Change, waiting: Collection[Job]) -> bool:
    """Whether a part is still as it was: a rig or device of a job that waits, and what it is of."""
    kind, _, name = change.part.partition("/")
    if kind in {"station", "profiles"}:
        return bool(waiting)
    return any(name in {"rigs": job.rigs, "devices": job.devices}.get(kind, ()) for job in waiting)


def _unrestarted(
    parts: Picture, before: Picture, changes: Collection[Change]
) -> dict[str, Mapping[str, Any]]:
    """Values that need a restart are what they were."""
    found = dict(parts)
    for change in changes:
        old = before.get(change.part, {})
        kept = {key: old[key] for key in change.restart if key in old}
        fresh = {k: v for k, v in found.get(change.part, {}).items() if k not in change.restart}
        if change.restart:
            found[change.part] = {**fresh, **kept}
    return {part: values for part, values in found.items() if values}
