"""Finds the alarms that a person answered beside the daemon, such as on the command line."""

from collections.abc import Iterable

from gatewayd.errors import StoreError
from gatewayd.store.model import StoredAlarm
from gatewayd.store.reads import Reads


class Beside:
    """Asks the store only when something was written, and only for what waits for an answer."""

    def __init__(self, store: Reads) -> None:
        self._store = store
        self._seen: int | None = None

    def answered(self, open_ones: Iterable[StoredAlarm]) -> tuple[StoredAlarm, ...]:
        """Those of `open_ones` that have an answer by now; none while the store cannot be read."""
        waiting = {(alarm.kind, alarm.subject): alarm.record_id for alarm in open_ones}
        if not waiting:
            return ()
        try:
            version = self._store.data_version()
            if version == self._seen:
                return ()
            found = self._store.answered(waiting)
        except StoreError:
            return ()
        self._seen = version
        return tuple(a for a in found if waiting[a.kind, a.subject] == a.record_id)
