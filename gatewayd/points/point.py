"""A scan point's actor: take a scan, look it up, judge it, record it, show it; one after another.

A scan counts when its record is committed. While the store fails, scans wait in their order and the
point says so; nothing that was taken is lost while the daemon runs.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from drivers.contract import CodeRead, Reading, TagRead
from drivers.readings import Unread
from gatewayd.board import Board
from gatewayd.clock import SECOND, Clock
from gatewayd.errors import StoreError
from gatewayd.logs import logger
from gatewayd.points.scan import Desk, Scan, decide, held, identify, layout_at, record
from gatewayd.rigs import evidence
from gatewayd.rigs.findings import unreadable
from gatewayd.rigs.model import PROGRAM
from gatewayd.rigs.sightings import Sightings
from gatewayd.store.model import RecordDraft
from gatewayd.store.store import Store
from gatewayd.texts import text
from rules_engine.pack import Pack

SCANS_WAITING_MAX = 256
"""Scans taken and not yet committed; at the limit new ones are refused, counted and shown."""
RECENT_MAX = 1_024
"""Different codes remembered to tell a repeat; at the limit the oldest is forgotten."""
RETRY_S = 1.0
"""How often a store that cannot commit is asked again."""
TOLD_WITHIN_S = 5
"""How long a scan waits for what its tag holds, where a reader is asked for it."""
UNREAD_AFTER_S = 2
"""So long after a scan was shown, what a device could not read does not take its place."""
STORE_ILL = "store"


class Point:
    """One scan point. Create, feed with `take` and `device`, `run`, then `stop`."""

    def __init__(
        self,
        desk: Desk,
        *,
        store: Store,
        board: Board,
        clock: Clock,
        sightings: Sightings | None = None,
    ) -> None:
        self.id = desk.name
        self._desk = desk
        self._store = store
        self._board = board
        self._clock = clock
        self._sightings = sightings
        self._zone = ZoneInfo(desk.station.timezone)
        self._log = logger("points").bind(point=desk.name)
        self._waiting: deque[Scan] = deque()
        self._draft: RecordDraft | None = None
        self._untold: dict[str, Scan] = {}
        self._recent: dict[str, int] = {}
        self._states: dict[str, str] = {}
        self._last: dict[str, Any] = {}
        self._told_ns = clock.monotonic_ns() - UNREAD_AFTER_S * SECOND
        self._ill = self._broken = False
        self._lost = 0
        self._stopping = False
        self._wake = asyncio.Event()
        self._since = ""
        self._shown: tuple[str, str] = ("", "")

    @property
    def devices(self) -> frozenset[str]:
        """The devices whose readings it takes."""
        return frozenset(each.device for each in self._desk.point.identify)

    # --- what others tell us: plain calls that never wait ---

    def take(self, reading: Reading) -> None:
        """One reading of one of this point's devices."""
        if isinstance(reading, TagRead):
            if self._serves(reading):
                self._tag(reading)
        elif isinstance(reading, CodeRead):
            scanned = reading.symbology + reading.text
            self._scan(Scan(scanned, is_tag=False, at_ns=reading.at_ns))
        elif isinstance(reading, Unread) and reading.device in self.devices:
            self._unread(reading)

    def device(self, name: str, state: str) -> None:
        """A device of this point changed its state (contract §6)."""
        self._states[name] = state
        self._wake.set()

    def renew(self, packs: Mapping[str, Pack]) -> None:
        """Judge by the packs of these names from the next scan on; one that is not among them stays."""
        named = tuple(packs.get(pack.id, pack) for pack in self._desk.packs)
        self._desk = replace(self._desk, packs=named)

    def stop(self) -> None:
        """Commit what waits, if the store can, then let `run` return."""
        self._stopping = True
        self._wake.set()

    def _serves(self, read: TagRead) -> bool:
        items = [each for each in self._desk.point.identify if each.device == read.device]
        return any(item.antenna is None or item.antenna == read.antenna for item in items)

    def _tag(self, read: TagRead) -> None:
        """A tag; where its memory is asked for, a scan once that is told, or is overdue."""
        scan = Scan(
            read.uid, is_tag=True, at_ns=read.at_ns, device=read.device, contents=read.contents
        )
        if scan.contents is not None or layout_at(self._desk, read.device) is None:
            self._untold.pop(read.uid, None)
            self._scan(scan)
        elif read.uid not in self._untold and not self._repeats(_key(scan), read.at_ns):
            if len(self._untold) >= SCANS_WAITING_MAX:
                self._scan(scan)
            else:
                self._untold[read.uid] = scan
                self._wake.set()

    def _unread(self, told: Unread) -> None:
        """Show what could not be read, once while it lasts; nobody knows what it was, so no record."""
        key = f"unread/{told.device}"
        repeats = self._repeats(key, told.at_ns)
        self._note(key, told.at_ns)
        lately = told.at_ns - self._told_ns < UNREAD_AFTER_S * SECOND
        if repeats or lately or self._waiting or self._untold:
            return
        self._log.info("scan.unreadable", device=told.device, reason=told.why)
        self._last = {
            "record": None,
            "scanned_at": evidence.stamp(self._clock.wall(), self._zone),
            "cylinder": None,
            "verdict": "deny",
            "findings": [unreadable(told).as_json()],
            "message": _words("point.refused"),
        }
        self._wake.set()

    def _overdue(self) -> None:
        """Take the tags whose memory was not told in time as they are: it is not known."""
        now_ns = self._clock.monotonic_ns()
        for uid, scan in list(self._untold.items()):
            if self._stopping or now_ns - scan.at_ns >= TOLD_WITHIN_S * SECOND:
                del self._untold[uid]
                self._scan(scan)

    def _scan(self, scan: Scan) -> None:
        """Queue what is news; a tag that lingers is one scan for as long as it is seen."""
        key = _key(scan)
        repeats = self._repeats(key, scan.at_ns)
        if not repeats and len(self._waiting) >= SCANS_WAITING_MAX:
            self._lost += 1
            self._wake.set()
            return
        self._note(key, scan.at_ns)
        if not repeats:
            self._waiting.append(scan)
            self._wake.set()

    def _repeats(self, key: str, at_ns: int) -> bool:
        """Whether this was read within `repeat_s`; the time counts from the last reading."""
        last_ns = self._recent.get(key)
        return last_ns is not None and at_ns - last_ns < self._desk.point.repeat_s * SECOND

    def _note(self, key: str, at_ns: int) -> None:
        self._recent.pop(key, None)
        self._recent[key] = at_ns
        if len(self._recent) > RECENT_MAX:
            del self._recent[next(iter(self._recent))]

    # --- the actor ---

    async def run(self) -> None:
        """Serve until `stop` and everything is committed, or the store cannot.

        A bug ends it, and is shown until a scan was served after it; run it again then.
        """
        try:
            await self._run()
        except Exception:  # Told by who contains this: here it is only shown.
            self._broken = True
            self._show()
            raise

    async def _run(self) -> None:
        self._broken = self._broken and bool(self._waiting)
        self._show()
        while not self._stopping or self._untold or (self._waiting and not self._ill):
            await self._pause()
            self._overdue()
            while self._waiting and await self._serve(self._waiting[0]):
                self._waiting.popleft()
                self._show()
            self._show()

    async def _pause(self) -> None:
        """Until something is new; with a failing store, or a tag untold, at most `RETRY_S`."""
        if (self._waiting and not self._ill) or (self._stopping and self._untold):
            return
        try:
            async with asyncio.timeout(RETRY_S if self._ill or self._untold else None):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()

    async def _serve(self, scan: Scan) -> bool:
        """One scan through to its record; False = the store failed, again later with the same id."""
        try:
            if self._draft is None:
                self._draft = self._judge(scan)
            if self._draft is not None:
                await self._store.append(self._draft)
        except StoreError as exc:
            if not self._ill:
                self._log.exception("scan.waiting", error=str(exc), waiting=len(self._waiting))
            self._ill = True
            return False
        if self._draft is not None:
            self._told(self._draft)
        self._draft, self._ill, self._broken = None, False, False
        return True

    def _judge(self, scan: Scan) -> RecordDraft | None:
        """What is to be recorded; None for a cylinder that was scanned a moment ago otherwise."""
        wall = self._clock.wall()
        who = identify(self._store, scan, self._desk.station.region)
        who = replace(who, held=held(self._desk, scan))
        key = None if who.cylinder is None else f"cylinder/{who.cylinder.code}"
        if key is not None and self._repeats(key, scan.at_ns):
            return None
        who, verdict = decide(self._desk, who, self._store, self._sightings, wall)
        if key is not None:
            self._note(key, scan.at_ns)
        return record(self._desk, who, verdict, scan, wall)

    def _told(self, draft: RecordDraft) -> None:
        """It is committed: say so."""
        data = draft.data
        codes = [f["code"] for f in data["verdict"]["findings"] if f["severity"] == "deny"]
        self._log.info("scan.recorded", cylinder=data["cylinder"]["code"], reasons=codes)
        key = f"point.{data['point_kind']}" if data["accepted"] else "point.refused"
        self._last = {
            "record": draft.id,
            "scanned_at": data["scanned_at"],
            "cylinder": data["cylinder"],
            "verdict": data["verdict"]["decision"],
            "findings": data["verdict"]["findings"],
            "message": _words(key),
        }
        self._told_ns = self._clock.monotonic_ns()

    # --- what others see ---

    def _show(self) -> None:
        """Post the point's state: `ready`, or `fault` with what is ill: device, store or program."""
        fault = STORE_ILL if self._ill else PROGRAM if self._broken else self._missing()
        state = ("fault" if fault else "ready", fault)
        if state != self._shown:
            self._shown = state
            self._since = evidence.stamp(self._clock.wall(), self._zone)
        nothing = dict.fromkeys(
            ("record", "scanned_at", "cylinder", "verdict", "message"), None
        ) | {"findings": []}
        self._board.post(
            f"points/{self.id}/state",
            {
                "state": state[0],
                "since": self._since,
                "fault": fault or None,
                "kind": self._desk.point.kind,
                "waiting": len(self._waiting),
                "lost": self._lost,
                **(self._last or nothing),
            },
        )

    def _missing(self) -> str:
        """The first device of this point that is not up."""
        for each in self._desk.point.identify:
            if self._states.get(each.device) != "up":
                return each.device
        return ""


def _words(key: str) -> dict[str, str]:
    return {"zh": text(key, "zh"), "en": text(key, "en")}


def _key(scan: Scan) -> str:
    return f"{scan.is_tag}/{scan.text}"
