"""Writes what a rig knows into the store: permits, fills, refusals, alarms. Nothing is lost.

A draft gets its id here, once. A commit that fails keeps the draft, which makes the rig ill until
a retry with the same id succeeds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from drivers.contract import GateSample
from gatewayd.clock import MS
from gatewayd.errors import StoreError
from gatewayd.ids import new_id
from gatewayd.logs import logger
from gatewayd.rigs import evidence, vouched
from gatewayd.rigs.after import after, filled_g, overfilled, safe_net_g
from gatewayd.rigs.assess import Bench
from gatewayd.rigs.history import association
from gatewayd.rigs.means import Means
from gatewayd.rigs.mixup import Mixup
from gatewayd.rigs.model import Ending, Identity
from gatewayd.rigs.moves import Issue, Unauthorised
from gatewayd.rigs.overfull import ALARM, put_in
from gatewayd.rigs.people import attended
from gatewayd.shapes.kinds import RecordKind
from gatewayd.store.model import PERMIT_NO_MAX, Permit, RecordDraft
from gatewayd.store.passing import Passing
from rules_engine.verdict import Verdict

UNSAVED_MAX = 16
"""Drafts waiting for a store that cannot commit. No cylinder is judged meanwhile, so more than
this is a bug of ours: the process ends and the gate closes."""

RETRY_MS = 1_000
Drafts: TypeAlias = tuple[RecordDraft, ...]
Values: TypeAlias = Mapping[str, Any] | None
AWAY = "，网关未运行期间 / while the gateway was not running"


class Bookkeeper:
    """The rig's own hand in the store."""

    def __init__(self, bench: Bench, means: Means) -> None:
        self._bench = bench
        self._alarms = means.alarms
        self._store = means.store
        self._mixup = Mixup(bench.rig_id, means.store, means.clock)
        self._clock = means.clock
        self._zone = ZoneInfo(bench.station.timezone)
        self._log = logger("rigs").bind(rig=bench.rig_id)
        self._unsaved: list[RecordDraft] = []
        self._retry_ns = 0
        self._failing = ""
        self._told: tuple[str, Drafts] | None = None

    @property
    def saved(self) -> bool:
        """Whether everything this rig had to say is committed."""
        return not self._unsaved and self._mixup.clear

    @property
    def healthy(self) -> bool:
        """Whether everything this rig had to say is committed and the store can commit."""
        return self.saved and self._store.healthy

    async def retry(self) -> None:
        """Try again, at most once a second, what could not be committed."""
        now_ns = self._clock.monotonic_ns()
        if self.saved or now_ns < self._retry_ns:
            return
        self._retry_ns = now_ns + RETRY_MS * MS
        try:
            await self._mixup.settle()
            while self._unsaved:
                await self._store.append(self._unsaved[0])
                self._unsaved.pop(0)
        except StoreError as exc:
            before, self._failing = self._failing, str(exc)
            if before != self._failing:  # Not each second: the log lies on the full disk, too.
                self._log.warning("store.still_failing", error=str(exc), unsaved=len(self._unsaved))

    async def _append(self, draft: RecordDraft) -> None:
        """Commit a draft, or keep it; behind others that wait, so that their order stays."""
        if not self._unsaved:
            try:
                await self._mixup.settle()  # First: with the record it would seem to be our own.
                await self._store.append(draft)
            except StoreError as exc:
                told = {"record": draft.id, "kind": draft.kind, "data": dict(draft.data)}
                self._log.exception("record.waiting", error=str(exc), **told)
            else:
                return
        self._unsaved.append(draft)
        assert len(self._unsaved) <= UNSAVED_MAX, "more drafts than a closed rig can make"

    def renew(self, bench: Bench) -> None:
        """Judge what was filled by this from now on."""
        self._bench = bench

    def permit(self, effect: Issue) -> Permit:
        """A permit for what was judged, with every id made now, once; raises StoreError.

        One that did not know which check its fill will need would let the cylinder go without.
        """
        now = self._clock.wall()
        settings, plan, sample = self._bench.rig.permit, effect.plan, effect.sample
        bench, who = self._bench, effect.identity
        base = {
            **self._seen(who, effect.verdict),
            **attended(self._store, bench.rig_id, bench.rig, who, now),
        }
        cylinder = effect.identity.cylinder
        assert cylinder is not None, effect
        return Permit(
            id=new_id(),
            record_id=new_id(),
            rig_id=self._bench.rig_id,
            permit_no=self._next_no(sample),
            cylinder_code=cylinder.code,
            target_g=plan.target_g,
            limit_gross_g=plan.limit_gross_g,
            tare_g=plan.tare_g,
            lease_ms=settings.lease_ms,
            total_before_g=sample.total_g,
            fills_before=sample.fills,
            issued_at=now,
            expires_at=now + timedelta(seconds=settings.start_within_s),
            judged=evidence.permitted(base, who, plan, sample.device),
        )

    def _next_no(self, sample: GateSample) -> int:
        """The next permit number: never 0, never one the PLC has in mind."""
        number = self._store.last_permit_no(self._bench.rig_id)
        while True:
            number = number % PERMIT_NO_MAX + 1
            if number not in (sample.last_permit, sample.permit_echo):
                return number

    def _base(self, who: Identity, verdict: Verdict | None) -> dict[str, Any]:
        return {**self._seen(who, verdict), **self._attended(who)}

    def _seen(self, who: Identity, verdict: Verdict | None) -> dict[str, Any]:
        bench = self._bench
        base = evidence.judged(bench.station.id, bench.rig_id, who, verdict)
        voucher = vouched.record(bench.rig_id, bench.rig, bench.sources, who, self._zone)
        return {**base, "association": association(bench.station, who.cylinder), **voucher}

    def _attended(self, who: Identity) -> Mapping[str, Any]:
        """People and checks as they are at this moment; what cannot be read stays unknown."""
        bench, wall = self._bench, self._clock.wall()
        try:
            return attended(self._store, bench.rig_id, bench.rig, who, wall)
        except StoreError as exc:
            self._log.warning("people.unreadable", error=str(exc))
            return {}

    async def fill(self, permit: Permit, ending: Ending) -> RecordDraft:
        """The record a permit ends in; a cylinder that holds too much is alarmed first."""
        flowed = ending.outcome != "not_started" and ending.net_g > 0
        told = after(self._bench, self._store, permit, ending, self._clock.wall())
        if overfilled(told):
            await self._overfilled(permit, ending)
        return RecordDraft(
            id=permit.record_id,
            kind="fill",
            rig_id=permit.rig_id,
            time=ending.ended_at,
            data=evidence.filled(permit, ending, self._zone, self._bench.time_quality, told),
            counts_fill_of=permit.cylinder_code if flowed else None,
            total_after_g=ending.total_after_g,
            passing=Passing(
                permit.cylinder_code, filled_g(self._bench, permit, ending) if flowed else None
            ),
        )

    def _draft(
        self,
        kind: RecordKind,
        data: dict[str, Any],
        total_after_g: int | None = None,
        passing: Passing | None = None,
    ) -> RecordDraft:
        return RecordDraft(
            id=new_id(),
            kind=kind,
            rig_id=self._bench.rig_id,
            time=self._clock.wall(),
            data=data,
            total_after_g=total_after_g,
            passing=passing,
        )

    async def refuse(self, who: Identity, verdict: Verdict) -> None:
        """A refusal is a record too."""
        codes = [found.code for found in verdict.findings if found.severity == "deny"]
        shown = evidence.shown(who)
        self._log.info("cylinder.refused", cylinder=shown["code"], reasons=codes)
        await self._append(self._draft("refusal", self._base(who, verdict), None, _passing(who)))

    def explained(self, permit: Permit, ending: Ending, draft: RecordDraft) -> RecordDraft:
        """The fill with the alarm that its masses do not agree, made once and committed with it."""
        if not ending.mismatch_g:
            return draft
        if self._told is None or self._told[0] != permit.id:
            before_g, after_g = permit.total_before_g, ending.total_after_g
            detail = (
                f"许可 / permit {permit.permit_no}: 累计量 - 净重 / totaliser - net = "
                f"{ending.mismatch_g} g ({before_g} g -> {after_g} g, 净重 / net {ending.net_g} g)"
            )
            flowed_g = ending.net_g + ending.mismatch_g
            values = {"permit_no": permit.permit_no, "net_g": ending.net_g, "flowed_g": flowed_g}
            self._told = permit.id, self._raised("totaliser_mismatch", detail, values)
        return replace(draft, also=self._told[1])

    async def resolve(self, permit: Permit, ending: Ending, draft: RecordDraft) -> None:
        """Commit 2, behind the locks of PLCs that changed places meanwhile. Raises StoreError."""
        self._mixup.ended(permit, ending, tolerance_g=self._bench.rig.tolerance_g)
        await self._mixup.settle()
        await self._store.resolve(permit.id, ending.resolution, draft)

    async def unauthorised(self, gas: Unauthorised) -> None:
        """Gas that nobody permitted: a fill record and an alarm, both or neither."""
        ended_at = evidence.stamp(self._clock.wall(), self._zone)
        data = evidence.unauthorised(
            self._base(gas.identity, None),
            gas.sample,
            net_g=gas.net_g,
            before_g=gas.total_before_g,
            ended_at=ended_at,
            time_quality=self._bench.time_quality,
        )
        total_g, passing = gas.sample.total_g, _passing(gas.identity, gas.net_g)
        draft = self._draft("fill", data, total_g, passing)
        detail = f"{gas.net_g} g" + (AWAY if gas.away else "")
        values = {
            "net_g": gas.net_g,
            "total_before_g": gas.total_before_g,
            "total_after_g": total_g,
            "while_away": gas.away,
        }
        also = self._raised("unauthorised_flow", detail, values)
        self._mixup.note(total_g)
        await self._append(replace(draft, also=also))

    def _raised(self, code: str, detail: str, values: Values, of: str = "") -> Drafts:
        """The record of an alarm `of` a cylinder or this rig, to be committed; none: only counted."""
        who, rig_id = of or self._bench.rig_id, self._bench.rig_id
        draft = self._alarms.raised(code, who, detail=detail, values=values, rig_id=rig_id)
        return () if draft is None else (draft,)

    async def baseline(self, total_g: int, went_back_from_g: int | None) -> None:
        """Remember the totaliser; say so when it went backwards."""
        if went_back_from_g is not None:
            self._mixup.note(total_g)
            detail = f"{went_back_from_g} g -> {total_g} g"
            if await self.alarm("totaliser_went_back", detail, total_after_g=total_g):
                return
        try:
            await self._mixup.settle()
            await self._store.set_total_g(self._bench.rig_id, total_g)
        except StoreError as exc:
            self._log.exception("baseline.not_committed", error=str(exc))

    async def alarm(
        self, code: str, detail: str, *, cylinder: str = "", total_after_g: int | None = None
    ) -> bool:
        """Raise an alarm of this rig, or of a `cylinder`; False: one of many, only counted.

        Its record goes behind what waits, so that the rig's records keep their order.
        """
        values = put_in(self._store, cylinder) if cylinder else None
        raised = self._raised(code, detail, values, cylinder)
        for draft in raised:
            await self._append(replace(draft, total_after_g=total_after_g))
        return bool(raised)

    async def _overfilled(self, permit: Permit, ending: Ending) -> None:
        """Of the cylinder: it stands until a person answers for that one."""
        in_it_g, safe_g = filled_g(self._bench, permit, ending), safe_net_g(permit)
        values = {"net_g": ending.net_g, "filled_g": in_it_g, "safe_net_g": safe_g}
        by = "" if in_it_g <= ending.net_g else f"; 秤 / by the scale {ending.net_g} g"
        detail = f"{in_it_g} g > {safe_g} g{by}; 许可 / permit {permit.permit_no}"
        for draft in self._raised(ALARM, detail, values, permit.cylinder_code):
            await self._append(draft)

    async def over(self, codes: Iterable[str]) -> None:
        """The causes of these alarms are over; nothing happens to one that does not stand."""
        for code in codes:
            stands = self._alarms.stands(code, self._bench.rig_id)
            draft = self._alarms.cleared(code, self._bench.rig_id) if stands else None
            if draft is not None:
                await self._append(draft)


def _passing(who: Identity, filled_g: int | None = None) -> Passing | None:
    """What a record says of the cylinder's way; None when the archive does not know it."""
    return None if who.cylinder is None else Passing(who.cylinder.code, filled_g, beside=True)
