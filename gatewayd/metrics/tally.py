"""What is in the records since the daemon started, counted as they come: kinds, fills, refusals.

The records themselves say it, so that nothing is counted that was not committed. Each is read once,
soon after its commit and never in a rig's way.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from gatewayd.errors import StoreError
from gatewayd.metrics import catalogue
from gatewayd.metrics.terms import Metric, Sheet
from gatewayd.shapes.catalogue import RECORDS
from gatewayd.store.model import Record
from gatewayd.store.store import Store
from gatewayd.upstreams.door import COMMANDS
from rules_engine.reasons import REASONS

LOOK_EVERY_S = 0.5
"""Records are counted this late at most, unless more come than `AT_ONCE_MAX` each time."""
AT_ONCE_MAX = 100
"""Records read in one piece: about a millisecond of the loop."""
OTHER = "other"
"""For a word that is none of ours, such as an unknown kind of record of an older version."""
OUTCOMES = frozenset(
    {
        "completed",
        "underfilled",
        "overfilled",
        "aborted",
        "interrupted",
        "unauthorised",
        "not_started",
    }
)


class Tally:
    """One a daemon: counts from the newest record that was there when it was made."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._through = store.last_sequence()
        self._counts: Counter[tuple[Metric, tuple[str, ...]]] = Counter()

    async def run(self) -> None:
        """Count until cancelled. A store that cannot be read is asked again."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.catch_up()

    def catch_up(self) -> None:
        """Count what came, at most `AT_ONCE_MAX` records; raises nothing."""
        try:
            if self._store.last_sequence() == self._through:
                return
            found = self._store.records(after_sequence=self._through, limit=AT_ONCE_MAX)
        except StoreError:
            return
        for record in found:
            self._count(record)
            self._through = record.sequence

    def enter(self, sheet: Sheet, rigs: Mapping[str, object]) -> None:
        """What was counted; of rigs that there are no more, the counts stay."""
        for kind in RECORDS:
            sheet.put(catalogue.RECORDS, 0, kind)
        for rig in rigs:
            sheet.put(catalogue.FILLED, 0, rig)
        for (metric, labels), value in self._counts.items():
            sheet.put(metric, value, *labels)

    def _count(self, record: Record) -> None:
        self._add(catalogue.RECORDS, 1, _known(record.kind, RECORDS))
        if record.kind not in {"fill", "refusal", "command"}:
            return
        data = json.loads(record.body)["data"]
        if record.kind == "fill":
            self._add(catalogue.FILLS, 1, record.rig_id, _known(data.get("outcome"), OUTCOMES))
            self._add(catalogue.FILLED, data.get("net_g") or 0, record.rig_id)
        elif record.kind == "refusal":
            for code in _denied(data):
                self._add(catalogue.REFUSALS, 1, record.rig_id, _known(code, REASONS))
        else:
            command = _known(data.get("command"), COMMANDS)
            outcome = "done" if data.get("outcome") == "done" else "refused"
            self._add(catalogue.COMMANDS, 1, command, outcome)

    def _add(self, metric: Metric, value: int, *labels: str) -> None:
        self._counts[metric, labels] += value


def _known(word: object, words: Any) -> str:
    """A label with a word of ours; nothing that somebody else wrote becomes a time series."""
    return word if isinstance(word, str) and word in words else OTHER


def _denied(data: Mapping[str, Any]) -> set[str]:
    """The reason codes that a refusal names, each once."""
    findings = (data.get("verdict") or {}).get("findings", ())
    return {str(found.get("code")) for found in findings if found.get("severity") == "deny"}
