"""The `data` of records (contract §7): built once from what was judged, completed at the end."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from drivers.contract import GateSample
from gatewayd.rigs.identity import plain_code
from gatewayd.rigs.model import Ending, Identity, Plan
from gatewayd.store.model import Permit
from gatewayd.store.rows import FURTHER_COLUMNS
from rules_engine.verdict import Verdict

ARCHIVE_KEYS = (
    "serial_no",
    "maker",
    "owner",
    "medium",
    "model",
    "water_capacity_ml",
    "stamped_tare_g",
    "allowed_net_g",
    "made_on",
    "scrap_on",
    "life_extended_to",
    "last_inspection_on",
    "next_inspection_on",
    "design_standard",
    "design_life_years",
    "inspection_result",
    "status",
    "hold",
    "fills_allowed",
    "fills_done",
    "refurbished",
    "screw_shroud",
    "embossed_mark",
    *FURTHER_COLUMNS,
)
"""What a record keeps of the archive entry, as judged: all that a rule may read of it."""


def stamp(wall: datetime, zone: ZoneInfo) -> str:
    """RFC 3339 with the station's offset, milliseconds."""
    return wall.astimezone(zone).isoformat(timespec="milliseconds")


def shown(identity: Identity) -> dict[str, Any]:
    """The cylinder as judged: archive values, and how it was identified."""
    cylinder = identity.cylinder
    held = {"tag_memory": [each.as_json() for each in identity.held]} if identity.held else {}
    if cylinder is None:
        code = None if identity.code is None else plain_code(identity.code)
        seen = {"scanned": identity.code, "seen": list(identity.shown)}
        return {"code": code, "tag_uid": identity.uid, **seen, **held}
    known = cylinder.known()
    return {
        "code": cylinder.code,
        "tag_uid": identity.uid,
        "scanned": identity.code,
        **{key: known.get(key) for key in ARCHIVE_KEYS},
        **held,
    }


def judged(
    station_id: str, rig_id: str, identity: Identity, verdict: Verdict | None
) -> dict[str, Any]:
    """The identity and verdict part that fills and refusals share; no verdict = never judged."""
    return {
        "station_id": station_id,
        "rig_id": rig_id,
        "cylinder": shown(identity),
        "batch": None,
        "operator": None,
        "verdict": None if verdict is None else verdict.as_json(),
        "precheck": None,
        "postcheck": None,
    }


def permitted(
    base: Mapping[str, Any], identity: Identity, plan: Plan, device: str
) -> dict[str, Any]:
    """What a permit adds before gas flows."""
    stamped_g = identity.cylinder.stamped_tare_g if identity.cylinder else None
    return {
        **base,
        "gate": device,
        "tare_stamped_g": stamped_g,
        "tare_g": plan.tare_g,
        "residual_g": plan.residual_g,
        "target_g": plan.target_g,
        "limit_gross_g": plan.limit_gross_g,
        "safe_net_g": plan.safe_net_g,
        "overfilled_above_g": plan.over_g,
        "underfilled_below_g": plan.under_g,
    }


CLOCK_SET_S_MIN = 2.0
"""A fill whose two times differ so much from its seconds: the clock was set meanwhile."""


def quality(ending: Ending, now: str) -> str:
    """What the times of a fill are worth: `now`, or `jumped` when the clock was set in between.

    `seconds` are right all the same: they do not come from that clock.
    """
    if ending.started_at is None or ending.seconds is None or now == "untrusted":
        return now
    apart_s = (ending.ended_at - ending.started_at).total_seconds()
    return "jumped" if abs(apart_s - ending.seconds) >= CLOCK_SET_S_MIN else now


def filled(
    permit: Permit,
    ending: Ending,
    zone: ZoneInfo,
    time_quality: str = "gateway",
    postfill: Verdict | None = None,
) -> dict[str, Any]:
    """The whole `data` of the one record a permit ends in.

    `postfill` is what the rules say of the filled cylinder, None = nothing was to be said.
    """
    started = ending.started_at
    return {
        **permit.judged,
        "permit_id": permit.id,
        "permit_no": permit.permit_no,
        "issued_at": stamp(permit.issued_at, zone),
        "gross_end_g": ending.gross_end_g,
        "net_g": ending.net_g,
        "started_at": None if started is None else stamp(started, zone),
        "ended_at": stamp(ending.ended_at, zone),
        "seconds": ending.seconds,
        "outcome": ending.outcome,
        "end_reason": ending.end_reason,
        "postfill": None if postfill is None else postfill.as_json(),
        "total_before_g": permit.total_before_g,
        "total_after_g": ending.total_after_g,
        "device_time": None,
        "time_quality": quality(ending, time_quality),
        "fill_count": None,
    }


def unauthorised(
    base: Mapping[str, Any],
    sample: GateSample,
    *,
    net_g: int,
    before_g: int,
    ended_at: str,
    time_quality: str = "gateway",
) -> dict[str, Any]:
    """A fill nobody permitted: what the totaliser says, and who was seen there."""
    nothing = dict.fromkeys(
        ("permit_id", "permit_no", "issued_at", "tare_stamped_g", "tare_g", "residual_g")
    )
    return {
        **base,
        **nothing,
        "gate": sample.device,
        "target_g": None,
        "limit_gross_g": None,
        "safe_net_g": None,
        "overfilled_above_g": None,
        "underfilled_below_g": None,
        "postfill": None,
        "gross_end_g": sample.gross_g,
        "net_g": net_g,
        "started_at": None,
        "ended_at": ended_at,
        "seconds": None,
        "outcome": "unauthorised",
        "end_reason": "no_permit",
        "total_before_g": before_g,
        "total_after_g": sample.total_g,
        "device_time": None,
        "time_quality": time_quality,
        "fill_count": None,
    }
