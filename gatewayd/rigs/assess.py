"""One judgement: facts from what stands at the rig, the verdict of its packs, the masses allowed.

The rig and `gatewayd verdict` use the same function, so what the command says is what the rig does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from drivers.contract import GateSample
from gatewayd.errors import StoreError
from gatewayd.rigs.clock_facts import ClockTrust
from gatewayd.rigs.findings import LOCKED, advise, finding, postcheck_open
from gatewayd.rigs.identity import plain_code
from gatewayd.rigs.model import Identity, Plan
from gatewayd.rigs.sources import ArchiveAge, Asked, FactSource
from gatewayd.rigs.tag_memory import asked_at, mind
from gatewayd.rigs.vouched import vouch
from gatewayd.settings.model import RigSettings, StationSettings
from gatewayd.store.model import Cylinder
from rules_engine.engine import judge
from rules_engine.facts import derive
from rules_engine.limits import fill_limits
from rules_engine.masses import Terms, masses
from rules_engine.pack import Pack
from rules_engine.verdict import Finding, Verdict


@dataclass(frozen=True, slots=True)
class Bench:
    """What a judgement at one rig always has: its name, settings, station and packs."""

    rig_id: str
    rig: RigSettings
    station: StationSettings
    packs: tuple[Pack, ...]
    sources: tuple[FactSource, ...] = ()

    @property
    def time_quality(self) -> str:
        """What a time that is written down now is worth."""
        clocks = (each for each in self.sources if isinstance(each, ClockTrust))
        return next((each.keeper.look().quality for each in clocks), "gateway")


def gather(
    bench: Bench,
    identity: Identity,
    sample: GateSample | None,
    wall: datetime,
    *,
    presence: int = 0,
) -> dict[str, Any]:
    """The flat facts of one judgement; what is unknown is absent.

    What a source says is only its own: it never overrules what was seen at the rig.
    """
    station = bench.station
    asked = Asked(bench.rig_id, bench.rig, station, identity, sample, wall, presence)
    now = wall.astimezone(ZoneInfo(station.timezone))
    supplied: dict[str, Any] = {}
    for source in bench.sources:
        supplied |= source.facts(asked)
    facts: dict[str, Any] = {
        **supplied,
        "code.known": identity.cylinder is not None,
        "code.text": None if identity.code is None else plain_code(identity.code),
        "code.duplicate": None if identity.elsewhere is None else bool(identity.elsewhere),
        "code.elsewhere": identity.elsewhere or None,
        "tag.uid": identity.uid,
        "tag.agrees": True if identity.agrees else None,
        "rig.id": bench.rig_id,
        "rig.medium": bench.rig.medium,
        "rig.nominal_g": bench.rig.nominal_g,
        "rig.fill_pressure_kpa": bench.rig.fill_pressure_kpa,
        "station.id": station.id,
        "station.region": station.region,
        "station.owners": [station.id, *station.associated_owners],
        "station.media": list(station.media) or None,
        "clock.today": now.date(),
        "clock.now": now.isoformat(timespec="seconds"),
        **_cylinder(identity.cylinder),
        **_scale(sample),
    }
    return {name: value for name, value in facts.items() if value is not None}


def _cylinder(cylinder: Cylinder | None) -> dict[str, Any]:
    if cylinder is None:
        return {}
    values = {f"cylinder.{f.name}": getattr(cylinder, f.name) for f in fields(cylinder)}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


def _scale(sample: GateSample | None) -> dict[str, Any]:
    """The measured tare is the stable gross with the cylinder on (contract §10)."""
    if sample is None:
        return {}
    tare_g = sample.gross_g if sample.stable and sample.cylinder_on else None
    return {
        "scale.gross_g": sample.gross_g,
        "scale.stable": sample.stable,
        "scale.tare_g": tare_g,
    }


def at_rig(
    bench: Bench,
    identity: Identity,
    sample: GateSample | None,
    wall: datetime,
    *,
    presence: int = 0,
) -> tuple[Verdict, Plan | None]:
    """The judgement on what stands at a rig; a store that cannot be asked permits nothing."""
    try:
        facts = gather(bench, identity, sample, wall, presence=presence)
    except StoreError:
        return denied(bench.packs, finding("STORE_UNAVAILABLE")), None
    verdict, plan = assess(bench, facts)
    return advise(verdict, identity), plan


def assess(bench: Bench, base: Mapping[str, Any]) -> tuple[Verdict, Plan | None]:
    """The verdict on these facts, and the masses when it allows and the tare is known."""
    facts = derive(base)
    verdict = _unless_owing(_unless_locked(judge(bench.packs, facts), facts), facts)
    if asked_at(bench.rig, bench.sources):
        verdict = mind(verdict, facts)
    verdict = vouch(bench.rig_id, bench.rig, bench.sources, verdict, facts)
    verdict = _with_loosened(bench, verdict, facts)
    tare_g = facts.get("scale.tare_g")
    if not verdict.allowed or tare_g is None:
        return verdict, None
    limits = fill_limits(bench.packs, facts)
    if tare_g <= 0:
        return _deny(verdict, "TARE_UNKNOWN", tare_g=tare_g), None
    if limits.allowed_net_g is None:
        return _deny(verdict, "DATA_MISSING", missing="cylinder.allowed_net_g"), None
    stamped_g = facts.get("cylinder.stamped_tare_g")
    if limits.deduct_residue and stamped_g is None:
        # A full cylinder put back weighs like an empty one whose tare nobody knows.
        return _deny(verdict, "DATA_MISSING", missing="cylinder.stamped_tare_g"), None
    terms = Terms(facts.get("rig.nominal_g"), bench.rig.tolerance_g, bench.rig.weighing_error_g)
    plan = masses(
        allowed_net_g=limits.allowed_net_g,
        tare_g=tare_g,
        stamped_g=stamped_g,
        deduct_residue=limits.deduct_residue,
        terms=terms,
    )
    if plan.target_g <= 0:
        wanted_g = min(terms.nominal_g or limits.allowed_net_g, limits.allowed_net_g)
        return _deny(verdict, "RESIDUAL", residual_g=plan.residual_g, allowed_g=wanted_g), None
    return verdict, plan


def _unless_locked(verdict: Verdict, facts: Mapping[str, Any]) -> Verdict:
    """A locked rig fills nothing, whatever its packs say or a site has loosened."""
    lock = facts.get("rig.lock")
    told = any(each.code == LOCKED and each.severity == "deny" for each in verdict.findings)
    return verdict if not lock or told else _deny(verdict, LOCKED, lock=lock)


def _with_loosened(bench: Bench, verdict: Verdict, facts: Mapping[str, Any]) -> Verdict:
    """The verdict, saying that and why the site let an old archive do."""
    ages = (each for each in bench.sources if isinstance(each, ArchiveAge))
    found = tuple(said for each in ages if (said := each.loosened(facts)) is not None)
    return Verdict(verdict.decision, (*verdict.findings, *found), verdict.packs)


def _unless_owing(verdict: Verdict, facts: Mapping[str, Any]) -> Verdict:
    """A rig whose post-fill check is still open permits nothing more."""
    owed = facts.get("rig.postcheck_open")
    return verdict if not owed else _with(verdict, postcheck_open(owed))


def _with(verdict: Verdict, found: Finding) -> Verdict:
    return Verdict("deny", (*verdict.findings, found), verdict.packs)


def _deny(verdict: Verdict, code: str, **values: Any) -> Verdict:
    return _with(verdict, finding(code, **values))


def denied(packs: Sequence[Pack], reason: Finding) -> Verdict:
    """A verdict for what no pack judges: nobody to judge, or more than one."""
    return Verdict("deny", (reason,), tuple(pack.ref for pack in packs))
