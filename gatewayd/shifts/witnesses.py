"""Compares, at the end of a shift, what rigs recorded with what a tank scale or a meter saw.

Fills that run at that moment are counted as far as they are seen to have flowed, so that a station
whose rigs never all rest is compared too. Where each witness stands is kept in the store.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from drivers.contract import FillerSample, Reading, Trouble, WeightSample
from drivers.scale.scale_troubles import tank_unknown
from gatewayd.alarms.alarms import Alarms
from gatewayd.alarms.untold import raised_with
from gatewayd.board import Board
from gatewayd.clock import Clock
from gatewayd.errors import StoreError
from gatewayd.ids import new_id
from gatewayd.logs import logger
from gatewayd.settings.upkeep import ShiftsSettings, WitnessSettings
from gatewayd.shifts import telling
from gatewayd.shifts.testimony import FRESH_S, Why, Witnessed, Word, recalled, told
from gatewayd.shifts.times import begun_at
from gatewayd.store import witness as stored
from gatewayd.store.model import RecordDraft
from gatewayd.store.store import Store
from gatewayd.store.witness import KEY, Basis

LOOK_S = 5.0
KEEP_S = 60.0
"""How often it is kept where a witness stands; what was heard since is a silence after a crash."""
UNKNOWN_S_MAX = 900.0
"""How long the end of a shift waits for a rig that does not tell how much its fill has taken."""

Flowing: TypeAlias = Mapping[str, tuple[str | None, int | None]]
"""By rig: the id of the permit that is open there, None = none; and the grams it has let flow, None =
nobody knows."""

log = logger("shifts")


@dataclass(frozen=True, slots=True)
class _End:
    """Everything about the end of one witness's shift, made once for one basis."""

    basis: Basis
    goes_on: Witnessed
    draft: RecordDraft
    heard_at: datetime | None


class Witnesses:
    """All witnesses of a station. `take` never waits; `run` compares."""

    def __init__(
        self,
        settings: ShiftsSettings,
        station_id: str,
        zone: ZoneInfo,
        *,
        store: Store,
        board: Board,
        alarms: Alarms,
        clock: Clock,
        flowing: Callable[[], Flowing],
        tell: Callable[[str, Trouble], None],
    ) -> None:
        self._settings = settings
        self._station_id = station_id
        self._zone = zone
        self._store = store
        self._board = board
        self._alarms = alarms
        self._clock = clock
        self._flowing = flowing
        self._tell = tell
        self._named = {each.device: each for each in settings.witness}
        self._told: dict[str, Witnessed] = {}
        self._words: dict[str, Word] = {}
        self._kept: dict[str, tuple[Witnessed, datetime]] = {}
        self._ends: dict[str, _End] = {}

    def take(self, reading: Reading) -> None:
        """One reading of any device; one that tells no number is a silence."""
        witness = self._named.get(reading.device)
        if witness is None:
            return
        word, known = told(reading, witness), self._told.get(reading.device)
        if word is None:
            self._unknown(reading, witness)
        elif known is not None:
            now = self._clock.wall()
            self._words[reading.device] = word
            if not known.late(now, witness):
                self._told[reading.device] = known.hear(word, now, witness)

    def _unknown(self, reading: Reading, witness: WitnessSettings) -> None:
        """No rig stands still for a tank whose weight is unknown, so that nobody else would say it."""
        if isinstance(reading, WeightSample | FillerSample) and witness.kind == "mass_falls":
            self._tell(reading.device, tank_unknown(reading.why))

    def device(self, name: str, state: str) -> None:
        """A device changed its state: what it does not tell meanwhile is a silence."""

    async def run(self) -> None:
        """Look for ever, every `LOOK_S`."""
        while self._settings.starts and self._named:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Begin, keep or end the shift of every witness; a store that is ill is tried again."""
        for device, witness in self._named.items():
            try:
                await self._look_at(device, witness)
            except StoreError as exc:
                log.warning("witness.not_kept_yet", device=device, error=str(exc))

    async def _look_at(self, device: str, witness: WitnessSettings) -> None:
        now = self._clock.wall()
        told = self._told.get(device) or recalled(self._store.kept(KEY.format(device)))
        if told is None:
            await self._begin(device, witness, now)
            return
        begun = begun_at(self._settings.starts, self._zone, now)
        if told.begun_at > now:  # The clock was set back: else it would end in years.
            told = self._told[device] = replace(told, begun_at=begun)
        self._told.setdefault(device, told)
        if told.begun_at < begun:
            await self._end(device, witness, told, begun)
        elif device in self._words and told.late(now, witness):
            await self._begin(device, witness, now)
        else:
            await self._keep(device, told, now)

    async def _begin(self, device: str, witness: WitnessSettings, now: datetime) -> None:
        """A shift that no other ended begins when everybody knows what has flowed so far.

        And anew with the first word of its witness, which knows nothing of what flowed before; kept
        at once, so that a crash does not move that word.
        """
        open_g, basis = self._open(witness)
        if open_g is None:
            return
        told, word = Witnessed(now, basis.sequence, open_g), self._words.get(device)
        if word is not None:
            told = told.hear(word, now, witness)
        await self._store.keep(KEY.format(device), told.spelled())
        self._kept[device] = told, now
        self._told[device] = told

    async def _keep(self, device: str, told: Witnessed, now: datetime) -> None:
        before = self._kept.get(device)
        if before is not None and (
            before[0] == told or 0 <= (now - before[1]).total_seconds() < KEEP_S
        ):
            return
        await self._store.keep(KEY.format(device), told.spelled())
        self._kept[device] = told, now
        self._told.setdefault(device, told)

    def _rigs(self, witness: WitnessSettings) -> tuple[str, ...]:
        return witness.rigs or tuple(sorted(self._flowing()))

    def _open(self, witness: WitnessSettings) -> tuple[int | None, Basis]:
        """What fills that run have taken so far, None = nobody knows; and what that is made of.

        A fill that is recorded already, but whose rig has not heard of it yet, does not run.
        """
        rigs, flowing = self._rigs(witness), self._flowing()
        sequence = self._store.last_sequence()
        pending = {p.id: r for r in rigs for p in self._store.pending_permits(r)}
        grams: list[int | None] = []
        for permit, rig in pending.items():
            known, flowed_g = flowing.get(rig, (None, None))
            grams.append(flowed_g if known == permit else None)
        known_g = [each for each in grams if each is not None]
        total_g = sum(known_g) if len(known_g) == len(grams) else None
        return total_g, Basis(rigs, sequence, frozenset(pending))

    async def _end(
        self, device: str, witness: WitnessSettings, told: Witnessed, begun: datetime
    ) -> None:
        now = self._clock.wall()
        if FRESH_S < told.quiet_s(now) <= witness.silent_s:
            return  # It may be heard any moment: after a start, above all.
        open_g, basis = self._open(witness)
        if open_g is None and (now - begun).total_seconds() < UNKNOWN_S_MAX:
            return
        end = self._ends.get(device)
        if end is None or end.basis != basis:
            untold = () if end is None else end.draft.also
            end = self._made(witness, told, basis, begun, open_g=open_g, untold=untold)
            self._ends[device] = end
        made = await self._store.commit(
            lambda connection, issuer: stored.close(
                connection, issuer, end.basis, end.draft, keep=(device, end.goes_on.spelled())
            )
        )
        if made is None:
            return
        del self._ends[device]
        self._went_on(device, end)
        self._board.post(f"witnesses/{device}/shift", end.draft.data)
        said = {key: end.draft.data[key] for key in ("difference_g", "agrees", "why")}
        log.info("witness.shift_closed", device=device, **said)

    def _went_on(self, device: str, end: _End) -> None:
        """What was told while the commit was under way is a word of the next shift."""
        goes_on, heard_at = end.goes_on, self._told[device].heard_at
        if heard_at is not None and heard_at != end.heard_at:
            goes_on = goes_on.hear(self._words[device], heard_at, self._named[device])
        self._told[device] = goes_on
        if goes_on.first_g is None:
            self._words.pop(device, None)  # An old word is not its first.

    def _made(
        self,
        witness: WitnessSettings,
        told: Witnessed,
        basis: Basis,
        begun: datetime,
        *,
        open_g: int | None,
        untold: tuple[RecordDraft, ...],
    ) -> _End:
        """`untold`: the alarms of an end that could not be kept; they stand, and are not recorded."""
        now = self._clock.wall()
        goes_on = told.after(begun, now, sequence=basis.sequence, open_g=open_g or 0)
        why = told.doubt(now, witness) or ("unknown_flow" if open_g is None else "")
        data = self._data(witness, told, basis, goes_on, why)
        also = self._also(data, untold)
        draft = RecordDraft(new_id(), "witness", "", now, data, also=also)
        return _End(basis, goes_on, draft, told.heard_at)

    def _data(
        self,
        witness: WitnessSettings,
        told: Witnessed,
        basis: Basis,
        goes_on: Witnessed,
        why: Why,
    ) -> dict[str, Any]:
        booked = [self._store.booked(rig, told.sequence) for rig in basis.rigs]
        net_g = sum(each.net_g for each in booked) + goes_on.open_g - told.open_g
        flowed_g = told.flowed_g(witness)
        limit_g = max(witness.limit_g, abs(net_g) * witness.limit_permille // 1_000)
        why = why or ("coarse" if told.step_g > limit_g else "")
        differs_g = None if flowed_g is None or why else flowed_g - net_g
        return {
            "station_id": self._station_id,
            "device": witness.device,
            "kind": witness.kind,
            "rigs": list(basis.rigs),
            "from": self._stamp(told.begun_at),
            "to": self._stamp(goes_on.begun_at),
            "closed_at": self._stamp(self._clock.wall()),
            "fills": sum(each.fills for each in booked),
            "net_g": net_g,
            "before_g": told.first_g,
            "after_g": told.last_g,
            "flowed_g": flowed_g,
            "difference_g": differs_g,
            "limit_g": limit_g,
            "agrees": None if differs_g is None else abs(differs_g) <= limit_g,
            "why": why,
            "risen_g": told.risen_g,
            "jumped_g": told.jumped_g,
            "step_g": told.step_g,
            "silent_s": round(told.silent_s),
            "after_sequence": told.sequence,
            "through_sequence": basis.sequence,
        }

    def _also(
        self, data: Mapping[str, Any], untold: tuple[RecordDraft, ...]
    ) -> tuple[RecordDraft, ...]:
        """Both numbers where they differ; what somebody did, where nobody can say whether they do."""
        found = telling.alarm_of(data)
        if found is None:
            return untold
        kind, detail = found
        names = ("net_g", "flowed_g", "difference_g", "limit_g", "risen_g", "jumped_g")
        shown = {name: data[name] for name in names}
        device = data["device"]
        return raised_with(self._alarms, untold, kind, device, detail=detail, values=shown)

    def _stamp(self, at: datetime) -> str:
        return at.astimezone(self._zone).isoformat(timespec="seconds")
