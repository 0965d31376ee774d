"""What the page asks to see: the station, records, one verdict with its basis, one cylinder's life.

Whatever may take long is read in a thread on a connection of its own: the rigs never wait for it.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from gatewayd.desk.desk import Desk
from gatewayd.errors import StoreError
from gatewayd.retelling import Event, codes, gist_of, kind_of, life, stage_of
from gatewayd.settings.checks import FormSettings
from gatewayd.settings.model import RigSettings
from gatewayd.store.model import Record
from gatewayd.store.page_reads import LOOKED_THROUGH_MAX
from gatewayd.store.reads import Reader, Reads
from gatewayd.store.store import Store
from gatewayd.texts import TEXTS
from gatewayd.web.terms import NOT_FOUND, UNAVAILABLE, Answer, Asked, RefusedError, refusal
from rules_engine.explain import headline, severity, sources, title
from rules_engine.retold import text_of, verdict
from rules_engine.verdict import Finding, Verdict

RECORDS_SHOWN = 50
EVENTS_SHOWN = 500
"""The newest events of a cylinder's life; older ones are counted."""
QUERIES_AT_ONCE = 2
SHOWN_TEXTS = ("page.", "web.", "rig.", "device.", "outcome.", "record.", "label.", "verdict.")

T = TypeVar("T")


class Looks:
    """Answers of the API that change nothing."""

    def __init__(self, desk: Desk, store: Store) -> None:
        self._desk = desk
        self._store = store
        self.everything: Callable[[], Mapping[str, Any]] = dict
        self._turn = asyncio.Semaphore(QUERIES_AT_ONCE)

    # --- at once ---

    async def texts(self, _asked: Asked) -> Answer:
        """Every text that the page shows, in both languages."""
        shown = {
            key: {"zh": text.zh, "en": text.en}
            for key, text in TEXTS.items()
            if key.startswith(SHOWN_TEXTS)
        }
        return Answer({"language": self._desk.settings.log.language, "texts": shown})

    async def station(self, _asked: Asked) -> Answer:
        """What the page must know of the settings in force: rigs, what they ask for, forms."""
        settings = self._desk.settings
        named = settings.station
        return Answer(
            {
                "station": {"id": named.id, "name": named.name, "timezone": named.timezone},
                "rigs": {name: _rig(rig) for name, rig in settings.rigs.items()},
                "forms": {name: _form(form) for name, form in settings.checks.items()},
            }
        )

    async def state(self, _asked: Asked) -> Answer:
        """All that is true now, as the events begin."""
        return Answer(self.everything())

    def more(self) -> dict[str, Any]:
        """What the board does not say: backlogs, and where the checks stand. Microseconds."""
        try:
            last = self._store.last_sequence()
            backlog = {
                name: last - self._store.cursor(name) for name in self._desk.settings.upstreams
            }
            checks = {name: self._checks(name) for name in self._desk.rigs}
        except StoreError:
            return {"backlog": None, "checks": None}
        return {"backlog": backlog, "checks": checks}

    def _checks(self, rig_id: str) -> dict[str, Any]:
        """The open post-fill checks of a rig, and the pre-fill check of what stands there."""
        due = [
            {"fill_id": each.fill_id, "cylinder": each.cylinder_code, "form": each.form}
            for each in self._desk.waiting_fills(rig_id)
        ]
        return {"due": due, "precheck": self._desk.precheck(rig_id)}

    # --- in a thread ---

    async def records(self, asked: Asked) -> Answer:
        """Records newest first: `kind`, `rig`, `code`, `before` (a sequence) of the query."""
        query = asked.query
        before = _whole(query.get("before")) or self._store.last_sequence() + 1
        kind, rig = query.get("kind") or None, query.get("rig") or None
        code = query.get("code", "").strip()
        region = self._desk.settings.station.region

        def read(store: Reader) -> list[Record]:
            if not code:
                return list(store.records_before(before, limit=RECORDS_SHOWN, kind=kind, rig=rig))
            named = codes(store, code, region)
            found = (
                record
                for one in named
                for record in store.records_of_before(one, before, limit=EVENTS_SHOWN)
                if kind in (None, record.kind) and rig in (None, record.rig_id)
            )
            return sorted(found, key=lambda r: -r.sequence)[:RECORDS_SHOWN]

        found = await self._read(read)
        more = len(found) == RECORDS_SHOWN
        older = found[-1].sequence if more else before - LOOKED_THROUGH_MAX
        rows = [_row(json.loads(record.body)) for record in found]
        return Answer(
            {"records": rows, "older": older if older > 1 and (more or not code) else None}
        )

    async def record(self, asked: Asked) -> Answer:
        """One record by id or sequence, whole, and its verdict told with values and basis."""
        named = asked.parts["record"]
        key = int(named) if named.isdecimal() and len(named) < 19 else named  # noqa: PLR2004 - SQLite
        record = await self._read(lambda store: store.record(key))
        if record is None:
            raise RefusedError(NOT_FOUND, refusal("no_record", record=named[:64]))
        envelope = json.loads(record.body)
        return Answer({"record": envelope, **_row(envelope), "why": why(envelope)})

    async def cylinder(self, asked: Asked) -> Answer:
        """A cylinder by code, scanned text or tag: its archive entry and its life, newest first."""
        code, settings = asked.parts["code"], self._desk.settings
        zone = ZoneInfo(settings.station.timezone)

        def read(store: Reader) -> list[dict[str, Any]]:
            with store.at_one_moment():
                return [
                    _cylinder(store, one, zone)
                    for one in codes(store, code, settings.station.region)
                ]

        found = await self._read(read)
        return Answer({"cylinders": [one for one in found if one["events"] or one["archive"]]})

    async def _read(self, work: Callable[[Reader], T]) -> T:
        def read() -> T:
            with Reader.open(self._store.path) as store:
                return work(store)

        try:
            async with self._turn:
                return await asyncio.to_thread(read)
        except StoreError as exc:
            raise RefusedError(UNAVAILABLE, refusal("store_unreadable")) from exc


def _rig(rig: RigSettings) -> dict[str, Any]:
    return {
        "medium": rig.medium,
        "operator": rig.operator is not None,
        "precheck": rig.precheck.form if rig.precheck else None,
        "postcheck": rig.postcheck.form if rig.postcheck else None,
        "automatic_batch": rig.batch is not None,
    }


def _form(form: FormSettings) -> dict[str, Any]:
    told: dict[str, Any] = form.model_dump(mode="json")
    for item, shown in zip(form.items, told["items"], strict=True):
        shown["good"] = item.good()
    return told


def _row(envelope: Mapping[str, Any]) -> dict[str, Any]:
    """One line of a list."""
    data = envelope["data"]
    cylinder = data.get("cylinder")
    return {
        "sequence": envelope["sequence"],
        "id": envelope["id"],
        "time": envelope["time"],
        "kind": kind_of(envelope),
        "rig": data.get("rig_id") or data.get("point_id"),
        "cylinder": cylinder.get("code") if isinstance(cylinder, Mapping) else None,
        "gist": {"zh": gist_of(envelope, "zh"), "en": gist_of(envelope, "en")},
    }


def why(envelope: Mapping[str, Any]) -> dict[str, Any] | None:
    """The verdict of a record as a person and a lawyer read it; None where nothing was judged."""
    kept = envelope["data"].get("verdict")
    if kept is None or "packs" not in kept:
        return None
    decided, stage = verdict(kept), stage_of(envelope)
    return {
        "allowed": decided.allowed,
        "headline": {"zh": headline(decided, "zh", stage), "en": headline(decided, "en", stage)},
        "findings": [_finding(found, decided) for found in decided.findings],
        "sources": {"zh": sources(decided, "zh"), "en": sources(decided, "en")},
    }


def _finding(found: Finding, decided: Verdict) -> dict[str, Any]:
    pack = text_of(found, decided.packs)
    return {
        "code": found.code,
        "severity": found.severity,
        "title": {"zh": title(found.code, "zh"), "en": title(found.code, "en")},
        "does": {"zh": severity(found, "zh"), "en": severity(found, "en")},
        "message": {"zh": found.message.zh, "en": found.message.en},
        "values": dict(found.values),
        "basis": found.basis,
        "rule": found.rule,
        "pack": None if pack is None else f"{pack.id} {pack.version}",
    }


def _cylinder(store: Reads, code: str, zone: ZoneInfo) -> dict[str, Any]:
    entry = store.cylinder(code)
    events = list(zip(life(store, code, "zh"), life(store, code, "en"), strict=True))
    return {
        "code": code,
        "archive": None if entry is None else entry.known(),
        "held": any(hold.released_at is None for hold in store.holds(code)),
        "events": list(_events(events, zone)),
        "left_out": max(0, len(events) - EVENTS_SHOWN),
    }


def _events(events: list[tuple[Event, Event]], zone: ZoneInfo) -> Iterator[dict[str, Any]]:
    for event, in_english in reversed(events[-EVENTS_SHOWN:]):
        at = None if event.at is None else event.at.astimezone(zone)
        yield {
            "time": None if at is None else at.isoformat(timespec="milliseconds"),
            "kind": event.kind,
            "sequence": event.sequence,
            "gist": {"zh": event.gist, "en": in_english.gist},
        }


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 19 else None  # noqa: PLR2004 - SQLite
