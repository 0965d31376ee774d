"""What the rules say while gas flows and of the cylinder that was filled: stages `fill`, `postfill`.

Both are judged on the cylinder as it was judged for its permit, with what the scale says now.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from gatewayd.errors import StoreError
from gatewayd.rigs.assess import Bench, gather
from gatewayd.rigs.evidence import ARCHIVE_KEYS
from gatewayd.rigs.model import Ending, Identity, State, View, Withdrawal
from gatewayd.store.model import Cylinder, Permit
from rules_engine.engine import in_force, judge
from rules_engine.facts import group
from rules_engine.masses import proven_g
from rules_engine.sitting import Sitting
from rules_engine.verdict import Stage, Verdict

OVERFILL = "OVERFILL_RISK"


class Archive(Protocol):
    """Where the cylinder stands now."""

    def cylinder(self, code: str) -> Cylinder | None:
        """Its entry; raises StoreError."""
        ...


def judged_of(bench: Bench, stage: Stage) -> bool:
    """Whether any pack of the rig has a rule of that stage: without one there is nothing to say."""
    return any(in_force(pack, stage, None) for pack in bench.packs)


def overfilled(verdict: Verdict | None) -> bool:
    """Whether the rules say that the cylinder holds too much."""
    if verdict is None:
        return False
    return any(each.code == OVERFILL and each.severity == "deny" for each in verdict.findings)


def safe_net_g(permit: Permit) -> int:
    """What may go in net, as judged; a permit of an older version knows its limit only."""
    return int(permit.judged.get("safe_net_g", permit.limit_gross_g - permit.tare_g))


def _proven_g(bench: Bench, permit: Permit, net_g: int) -> int:
    error_g = bench.rig.weighing_error_g
    return proven_g(net_g, safe_net_g=safe_net_g(permit), weighing_error_g=error_g)


def permitted_one(permit: Permit) -> Identity:
    """Who was permitted, as it was read then; what the archive knows of it is not asked."""
    kept = permit.judged.get("cylinder") or {}
    return Identity("one", uid=kept.get("tag_uid"), code=kept.get("scanned"))


def _of_permit(bench: Bench, archive: Archive, permit: Permit, wall: datetime) -> dict[str, Any]:
    """The facts of a cylinder that has a permit.

    The archive may have changed meanwhile, or be unreadable: the entry of the permit counts. What
    a store that cannot be read would know besides is absent: a rule that needs it denies.
    """
    kept = permit.judged.get("cylinder") or {}
    try:
        entry = archive.cylinder(permit.cylinder_code)
    except StoreError:
        entry = None
    who = replace(permitted_one(permit), cylinder=entry)
    try:
        known = gather(bench, who, None, wall)
    except StoreError:
        known = gather(replace(bench, sources=()), who, None, wall)
    columns = {name: kept.get(name) for name in ("code", *ARCHIVE_KEYS)}
    return {
        **known,
        **group("cylinder", columns),
        "code.known": True,
        "scale.tare_g": permit.tare_g,
    }


class FillRules:
    """The rules of stage `fill` over the fills of one rig; the facts of a permit are asked once."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._permit_id = ""
        self._facts: dict[str, Any] = {}
        self._sitting: Sitting | None = None

    def look(self, bench: Bench, view: View, state: State) -> View:
        """The view, with what a rule says against the flow; before and after it nothing is asked."""
        permit, sample = state.permit, view.sample
        if permit is None or state.withdrawn is not None or sample is None:
            return view
        if not (sample.filling or sample.valve_open) or not judged_of(bench, "fill"):
            return view
        if permit.id != self._permit_id:
            self._facts = _of_permit(bench, self._archive, permit, view.wall)
            self._permit_id, self._sitting = permit.id, None
        if self._sitting is None or self._sitting.packs is not bench.packs:
            self._sitting = Sitting(bench.packs, self._facts, "fill")
        scale = {
            "scale.net_g": _proven_g(bench, permit, sample.net_g),
            "scale.gross_g": sample.gross_g,
            "scale.stable": sample.stable,
        }
        objected = _objection(self._sitting.judge(scale))
        return view if objected is view.objected else replace(view, objected=objected)


def _objection(verdict: Verdict) -> Withdrawal | None:
    if verdict.allowed:
        return None
    return Withdrawal.OVER_LIMIT if overfilled(verdict) else Withdrawal.FILL_RULE


def filled_g(bench: Bench, permit: Permit, ending: Ending) -> int:
    """What a fill put in, as it is judged at the rig and at the station's gate alike.

    Where the totaliser says more than the scale, the cylinder is judged by the totaliser.
    """
    return _proven_g(bench, permit, ending.net_g + max(0, ending.mismatch_g))


def after(
    bench: Bench, archive: Archive, permit: Permit, ending: Ending, wall: datetime
) -> Verdict | None:
    """What the rules of stage `postfill` say of a cylinder that took gas; None = nothing to say."""
    more_g = max(0, ending.mismatch_g)
    if ending.net_g + more_g <= 0 or not judged_of(bench, "postfill"):
        return None
    facts = {
        **_of_permit(bench, archive, permit, wall),
        "scale.net_g": filled_g(bench, permit, ending),
        "scale.gross_g": ending.gross_end_g + more_g,
    }
    return judge(bench.packs, facts, "postfill")
