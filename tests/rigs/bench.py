"""Real parts of one rig for tests: its settings, the shipped pack, a legal cylinder, samples."""

from dataclasses import replace
from datetime import date
from typing import Any

from drivers.contract import GateSample
from gatewayd.clock import SECOND
from gatewayd.rigs.assess import Bench
from gatewayd.settings.model import RigSettings, StationSettings
from gatewayd.store.model import Cylinder
from rules_engine.masses import Masses
from tests.support.rules import cn_lpg

RIG = RigSettings.model_validate_json(
    '{"medium": "LPG", "identify": [{"device": "gun-1", "antenna": 1}, {"device": "qr-1"}],'
    '"scale": "gate-1", "gate": "gate-1", "rules": ["cn-lpg"],'
    '"permit": {"start_within_s": 30, "lease_ms": 2000}}'
)
STATION = StationSettings(id="3701000042", region="370100", associated_owners=("3701000043",))
LEGAL = Cylinder(
    code="3701000110100001",
    tag_uids=("e2:80:68:01", "E2806802"),
    owner="3701000042",
    medium="LPG",
    model="YSP35.5",
    water_capacity_ml=35_500,
    stamped_tare_g=16_500,
    made_on=date(2022, 1, 1),
    design_life_years=12,
    next_inspection_on=date(2027, 1, 1),
    inspection_result="passed",
    status="in_use",
)
OTHER = replace(LEGAL, code="3701000110100002", tag_uids=("E2806803",))
OVERDUE = replace(
    LEGAL,
    code="3701000110100003",
    tag_uids=("E2806804",),
    next_inspection_on=date(2026, 1, 1),
)
UID, OTHER_UID, OVERDUE_UID = "E2806801", "E2806803", "E2806804"

QUIET = GateSample(
    device="gate-1",
    at_ns=SECOND,
    ready=True,
    cylinder_on=False,
    permitted=False,
    filling=False,
    fine_flow=False,
    stable=True,
    done=False,
    aborted=False,
    over_limit=False,
    e_stop=False,
    lease_lost=False,
    scale_fault=False,
    valve_open=False,
    permit_echo=0,
    gross_g=0,
    net_g=0,
    tare_g=0,
    total_g=1_000,
    fills=3,
    end_reason=0,
    last_net_g=0,
    last_permit=0,
    heartbeat=1,
)
"""A healthy gate with nobody on its scale."""


def standing(**changes: Any) -> GateSample:
    """A healthy gate with a stable empty cylinder of 16.6 kg on it, changed."""
    return replace(QUIET, cylinder_on=True, gross_g=16_600, **changes)


def planned(tare_g: int, residual_g: int | None, target_g: int, limit_gross_g: int) -> Masses:
    """The masses of a fill at a rig with the usual tolerance and scale."""
    safe_net_g = limit_gross_g - tare_g - (residual_g or 0)
    return Masses(
        tare_g=tare_g,
        residual_g=residual_g,
        target_g=target_g,
        limit_gross_g=limit_gross_g,
        safe_net_g=safe_net_g,
        over_g=min(target_g + RIG.tolerance_g, safe_net_g + RIG.weighing_error_g),
        under_g=target_g - RIG.tolerance_g,
    )


def bench(rig: RigSettings = RIG, **changes: Any) -> Bench:
    """Rig rig-1 of the station with the shipped pack; `changes` go into its settings."""
    return Bench("rig-1", rig.model_copy(update=changes), STATION, (cn_lpg(),))
