"""One scan at a point: who it is, whether it may pass there, and what is written down of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from drivers.contract import TagContents
from gatewayd.ids import new_id
from gatewayd.rigs import evidence
from gatewayd.rigs.assess import Bench, denied, gather
from gatewayd.rigs.findings import advise, finding, reason_at_rig
from gatewayd.rigs.held import Held, read
from gatewayd.rigs.history import association, filled
from gatewayd.rigs.identity import SHOWN_MAX, by_code, by_uid, hint_on_code, hint_on_tag
from gatewayd.rigs.model import Identity
from gatewayd.rigs.sightings import POINT, Sightings
from gatewayd.rigs.sources import FactSource
from gatewayd.rigs.tag_memory import memories_of, mind
from gatewayd.settings.model import IdentifySettings, RigSettings, Settings, StationSettings
from gatewayd.settings.points import PointSettings
from gatewayd.shapes.kinds import RecordKind
from gatewayd.store.model import Cylinder, RecordDraft
from gatewayd.store.passing import Passing
from gatewayd.store.reads import Reads
from protocols.tags.layout import Layout
from rules_engine.engine import judge
from rules_engine.pack import Pack
from rules_engine.verdict import Finding, Verdict

KINDS: dict[str, RecordKind] = {
    "issue": "issue",
    "inspection": "inspection",
    "repair": "repair",
}
"""What a scan is recorded as where it is no movement."""
ANY_MEDIUM = "LPG"
"""Stands in the settings that facts are gathered by; a point without a medium tells none."""
NOWHERE = "none"


@dataclass(frozen=True, slots=True)
class Scan:
    """What one device of a point read; `text` of a code begins with its AIM identifier.

    `contents` is what the tag holds, None where that is not known.
    """

    text: str
    is_tag: bool
    at_ns: int
    device: str = ""
    contents: TagContents | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """What every judgement at one point has. `name` is the point's own, without its folder."""

    name: str
    point: PointSettings
    station: StationSettings
    packs: tuple[Pack, ...]
    sources: tuple[FactSource, ...]

    @property
    def place(self) -> str:
        """How records and sightings name the point."""
        return f"{POINT}{self.name}"


def layout_at(desk: Desk, device: str) -> Layout | None:
    """The layout by which this device of the point is to read what tags hold; None: it is not."""
    memories = memories_of(desk.sources)
    return None if memories is None else memories.layout_of(device)


def held(desk: Desk, scan: Scan) -> tuple[Held, ...]:
    """What the scanned tag holds, where its reader is asked for that."""
    layout = layout_at(desk, scan.device) if scan.is_tag else None
    return () if layout is None else (read(scan.device, scan.text, layout, scan.contents),)


def identify(reads: Reads, scan: Scan, region: str | None) -> Identity:
    """The cylinder that a scan names, a stranger, or too many. Raises StoreError."""
    if scan.is_tag:
        found = by_uid(reads, scan.text)
        who = Identity("one", uid=scan.text)
    else:
        found = by_code(reads, scan.text, region)
        who = Identity("one", code=scan.text)
    if len(found) > 1:
        return Identity("many", shown=(scan.text, *(each.code for each in found))[:SHOWN_MAX])
    if found:
        return replace(who, cylinder=found[0])
    return replace(who, hint=(hint_on_tag if scan.is_tag else hint_on_code)(reads, scan.text))


def decide(
    desk: Desk, who: Identity, reads: Reads, sightings: Sightings | None, wall: datetime
) -> tuple[Identity, Verdict]:
    """Whether it may pass here. Raises StoreError.

    The rules of the stage, and whatever they say: nobody unknown passes, nor one that is somewhere
    else at this moment.
    """
    if who.status == "many":
        return who, denied(desk.packs, reason_at_rig("AMBIGUOUS", who, None))
    cylinder = who.cylinder
    if cylinder is not None and sightings is not None:
        sightings.passes(desk.place, cylinder.code)
        where = sightings.elsewhere(desk.place, cylinder.code)
        who = replace(who, elsewhere=where or "")
    verdict = Verdict("allow", (), ())
    if desk.packs:
        facts = _facts(desk, who, reads, wall)
        verdict = advise(judge(desk.packs, facts, desk.point.judged_at), who)
        verdict = mind(verdict, facts) if who.held else verdict
    if verdict.allowed and cylinder is None:
        unknown = finding("CODE_UNKNOWN", read=who.uid or who.code)
        return who, advise(_deny(verdict, unknown), who)
    if verdict.allowed and who.elsewhere:
        return who, _deny(verdict, reason_at_rig("CODE_DUPLICATE", who, None))
    return who, verdict


def _deny(verdict: Verdict, found: Finding) -> Verdict:
    return Verdict("deny", (*verdict.findings, found), verdict.packs)


def _facts(desk: Desk, who: Identity, reads: Reads, wall: datetime) -> dict[str, Any]:
    """The facts of a rig without scale and gate; what it holds is what its last fill put in."""
    point = desk.point
    settings = RigSettings(
        medium=point.medium or ANY_MEDIUM,
        identify=tuple(IdentifySettings(device=each.device) for each in point.identify),
        scale=NOWHERE,
        gate=NOWHERE,
        rules=point.rules,
    )
    bench = Bench(desk.place, settings, desk.station, desk.packs, desk.sources)
    facts = gather(bench, who, None, wall)
    if point.medium is None:
        facts.pop("rig.medium", None)
    if point.judged_at == "dispatch" and who.cylinder is not None:
        facts |= filled(reads, who.cylinder.code)
    return facts


def record(desk: Desk, who: Identity, verdict: Verdict, scan: Scan, wall: datetime) -> RecordDraft:
    """The fact to be committed; its id is made here, once."""
    point, cylinder, accepted = desk.point, who.cylinder, verdict.allowed
    data = {
        "station_id": desk.station.id,
        "point_id": desk.name,
        "point_kind": point.kind,
        "direction": point.direction,
        "accepted": accepted,
        "read": scan.text,
        "read_as": "tag" if scan.is_tag else "code",
        "cylinder": evidence.shown(who),
        "association": association(desk.station, cylinder),
        "operator": None,
        "stage": point.judged_at if desk.packs else None,
        "verdict": verdict.as_json(),
        "scanned_at": evidence.stamp(wall, ZoneInfo(desk.station.timezone)),
    }
    return RecordDraft(
        id=new_id(),
        kind=KINDS.get(point.kind, "movement"),
        rig_id=desk.place,
        time=wall,
        data=data,
        passing=None if cylinder is None else _passing(point, cylinder, accepted=accepted),
    )


def _passing(point: PointSettings, cylinder: Cylinder, *, accepted: bool) -> Passing:
    """What comes is here whatever is thought of it; what may not leave has not left."""
    crossed = point.crosses and (accepted or point.direction == "in")
    return Passing(cylinder.code, crossed=crossed)


def desks(settings: Settings, sources: Sequence[FactSource]) -> tuple[Desk, ...]:
    """One for each point of the settings."""
    return tuple(
        Desk(
            name,
            point,
            settings.station,
            tuple(settings.packs[pack] for pack in point.rules),
            tuple(sources),
        )
        for name, point in settings.points.items()
    )
