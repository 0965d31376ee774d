"""Records as the rigs make them, for mappings."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from gatewayd.ids import new_id
from gatewayd.rigs import evidence
from gatewayd.rigs.model import Ending, Identity
from rules_engine.verdict import Verdict
from tests.rigs.bench import LEGAL, QUIET, planned
from tests.support.stores import NOON, ZONE, permit

WHO = Identity("one", LEGAL, uid="E2806801", code="0110100001")
STATION = "3701000042"


def event(kind: str, data: dict[str, Any], *, sequence: int = 1) -> dict[str, Any]:
    """A whole record of a kind, as JSON gives it back."""
    made = {
        "specversion": "1.0",
        "id": new_id(),
        "source": f"/stations/{STATION}/rigs/rig-1",
        "type": f"gatewayd.{kind}.v1",
        "time": datetime(2026, 7, 10, 1, 0, 5, 512_000, UTC).isoformat(timespec="milliseconds"),
        "datacontenttype": "application/json",
        "sequence": sequence,
        "data": data,
    }
    return dict(json.loads(json.dumps(made)))


def fill(**changes: Any) -> dict[str, Any]:
    """The data of a completed fill, with `changes`."""
    base = evidence.judged(STATION, "rig-1", WHO, Verdict("allow", (), ()))
    judged = evidence.permitted(base, WHO, planned(16_600, 100, 14_810, 31_510), "gate-1")
    ending = Ending(
        outcome="completed",
        resolution="posted",
        end_reason="target",
        net_g=14_800,
        gross_end_g=31_400,
        total_after_g=15_800,
        mismatch_g=0,
        stray_g=0,
        started_at=NOON,
        ended_at=NOON,
        seconds=61.5,
    )
    made = evidence.filled(replace(permit(), judged=judged), ending, ZONE)
    return {**made, **changes}


def unauthorised() -> dict[str, Any]:
    """The data of gas without a permit."""
    base = evidence.judged(STATION, "rig-1", WHO, None)
    at = evidence.stamp(NOON, ZONE)
    return evidence.unauthorised(base, QUIET, net_g=500, before_g=500, ended_at=at)
