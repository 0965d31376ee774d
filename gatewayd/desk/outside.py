"""Sees what others wrote into the store: a lock, a hold, an import, a record of the command line.

`look` costs microseconds while nothing changed, and is called at every tick: a rig that somebody
locked from the command line closes within it. Only rigs whom it concerns are woken.
"""

from collections.abc import Mapping
from typing import Protocol

from gatewayd.errors import StoreError
from gatewayd.logs import logger
from gatewayd.store.model import RigLock
from gatewayd.store.store import Store


class TellRig(Protocol):
    """What a rig is told; a plain call that never waits."""

    def store_changed(self, lock: RigLock | None, *, archive: bool) -> None:
        """Its lock (None = it is not locked), and whether the archive changed."""
        ...


class Outside:
    """One station's eye on its own store. Belongs to the loop.

    `rigs` are those that run now: a reload changes them in place, and a new one is told at once.
    """

    def __init__(self, store: Store, rigs: Mapping[str, TellRig]) -> None:
        self._store = store
        self._rigs = rigs
        self._log = logger("desk")
        self._seen = -1
        self._told: list[TellRig] = []
        self._archive = -1
        self._locks: Mapping[str, RigLock] = {}
        self._unreadable = False

    def look(self) -> None:
        """Tell rigs what changed for them, and upstreams of records, when anything was written."""
        try:
            version, rigs = self._store.data_version(), list(self._rigs.values())
            if version == self._seen and rigs == self._told:
                return
            locks = {lock.rig_id: lock for lock in self._store.rig_locks()}
            archive = self._store.archive_version()
            self._store.notice()
        except StoreError as exc:
            if not self._unreadable:
                self._log.exception("store.unreadable", error=str(exc))
            self._unreadable = True
            return  # Every judgement reads the lock itself, and denies when it cannot.
        self._unreadable = False
        self._say(locks)
        changed, self._archive = archive != self._archive, archive
        known = {id(rig) for rig in self._told}
        before, self._locks = self._locks, locks
        self._seen, self._told = version, rigs
        for name, rig in self._rigs.items():
            lock = locks.get(name)
            if changed or lock != before.get(name) or id(rig) not in known:
                rig.store_changed(lock, archive=changed)

    def _say(self, locks: Mapping[str, RigLock]) -> None:
        for rig in locks.keys() - self._locks.keys():
            lock = locks[rig]
            self._log.warning("rig.locked", rig=rig, reason=lock.reason, by=lock.locked_by)
        for rig in self._locks.keys() - locks.keys():
            self._log.warning("rig.unlocked", rig=rig)
