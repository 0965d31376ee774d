"""Each way a cylinder, a rig or a person can be against the rules of the shipped packs.

For every rule, changes to the legal facts of its pack after which exactly this rule speaks.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, TypeAlias

from tests.support.rules import TODAY

Changes: TypeAlias = Mapping[str, tuple[Mapping[str, Any], ...]]

TOMORROW = TODAY + timedelta(days=1)
YESTERDAY = TODAY - timedelta(days=1)
OPERATOR = {
    "rig.operator_required": True,
    "operator.logged_in": True,
    "operator.certificate_until": TODAY,
    "operator.media": ("LPG", "O2", "CNG", "C3H8"),
}


def years_ago(years: int) -> date:
    """The first day that is too long ago today: one day more than so many years."""
    return YESTERDAY.replace(year=YESTERDAY.year - years)


EVERYWHERE: Changes = {
    "code-unknown": ({"code.known": False},),
    "wrong-gas": ({"cylinder.medium": "N2O"}, {"rig.medium": "N2O"}),
    "overdue": ({"cylinder.next_inspection_on": YESTERDAY},),
    "inspection-failed": ({"cylinder.inspection_result": "failed"},),
    "life-exceeded": ({"cylinder.scrap_on": YESTERDAY},),
    "scrapped": ({"cylinder.status": "scrapped"},),
    "cancelled": ({"cylinder.status": "cancelled"},),
    "not-enabled": ({"cylinder.status": "not_enabled"}, {"cylinder.status": "?"}),
    "lost": ({"cylinder.status": "lost"},),
    "regulator-lock": ({"cylinder.hold": "x"},),
    "fill-count": ({"cylinder.fills_allowed": 3, "cylinder.fills_done": 3},),
    "code-retired": ({"code.retired": True},),
    "code-duplicate": ({"code.duplicate": True},),
    "tag-mismatch": ({"tag.agrees": False},),
    "tag-forged": ({"tag.genuine": False},),
    "tag-finding": ({"tag.finding": "x"},),
    "rig-locked": ({"rig.lock": "x"},),
    "not-registered": ({"cylinder.registered": False},),
    "maker-unlicensed": ({"cylinder.maker_licensed": False},),
    "no-precheck": ({"rig.precheck_required": True, "checks.precheck_done": False},),
    "precheck-failed": ({"checks.failed": ("leak",)},),
    "stamp-bad": ({"checks.failed": ("stamp",)},),
    "body-defect": tuple(
        {"checks.failed": (item,)} for item in ("body", "valve", "colour", "accessories")
    ),
    "residue-bad": ({"checks.failed": ("residual",)},),
    "no-operator": ({"rig.operator_required": True, "operator.logged_in": False},),
    "operator-certificate": ({**OPERATOR, "operator.certificate_until": YESTERDAY},),
    "operator-medium": (
        {**OPERATOR, "operator.media": ("NH3",)},
        {**OPERATOR, "operator.media": ()},
    ),
    "voucher-invalid": ({"checks.voucher_valid": False},),
    "station-mismatch": ({"checks.voucher_station": "2", "station.id": "1"},),
    "archive-stale": ({"station.archive_age_s": 61, "station.archive_age_s_max": 60},),
    "overfilled-before": ({"history.overfilled": True},),
    "repeat-fill": ({"history.last_filled_on": TODAY, "history.left_since_fill": False},),
}
TARES = {"cylinder.stamped_tare_g": 16_500}
LPG: Changes = {
    "not-own": ({"cylinder.owner": "2"},),
    "net-limit": ({"cylinder.allowed_net_g": 0},),
    "refurbished": ({"cylinder.refurbished": True},),
    "screw-shroud": ({"cylinder.screw_shroud": True},),
    "no-embossed-mark": ({"cylinder.embossed_mark": False, "cylinder.made_on": date(2021, 6, 1)},),
    "interval": ({"cylinder.last_inspection_on": years_ago(4)},),
    "life-gb5842-2006": (
        {"cylinder.design_standard": "GB 5842-2006", "cylinder.made_on": years_ago(12)},
    ),
    "life-gb5842-1996": (
        {"cylinder.design_standard": "GB 5842-1996", "cylinder.made_on": years_ago(15)},
    ),
    "tare-low": ({**TARES, "scale.tare_g": 16_199},),
    "tare-far-too-low": ({**TARES, "scale.tare_g": 15_499},),
    "tare-heavy": ({**TARES, "scale.tare_g": 16_801},),
}
CO2 = {"cylinder.medium": "CO2", "rig.medium": "CO2"}
C2H2 = {"cylinder.medium": "C2H2", "rig.medium": "C2H2"}
CL2 = {"cylinder.medium": "CL2", "rig.medium": "CL2"}
N2 = {"cylinder.medium": "N2", "rig.medium": "N2"}
INDUSTRIAL: Changes = {
    "not-own": ({"cylinder.owner": "2"},),
    "net-limit-mass": ({**CO2, "cylinder.allowed_net_g": 0},),
    "pressure-class": ({"cylinder.working_pressure_kpa": 14_999},),
    "no-residual-pressure": ({"checks.residual_kpa": 0},),
    "acetylene-solvent": ({**C2H2, "scale.tare_g": 59_999, "cylinder.stamped_tare_g": 60_000},),
    "interval-seamless-inert": (
        {**N2, "cylinder.kind": "seamless", "cylinder.last_inspection_on": years_ago(5)},
    ),
    "interval-seamless-other": (
        {"cylinder.kind": "seamless", "cylinder.last_inspection_on": years_ago(3)},
    ),
    "interval-corrosive": ({**CL2, "cylinder.last_inspection_on": years_ago(2)},),
    "interval-welded": ({"cylinder.kind": "welded", "cylinder.last_inspection_on": years_ago(2)},),
    **{
        f"interval-{kind}": ({"cylinder.kind": kind, "cylinder.last_inspection_on": years_ago(3)},)
        for kind in ("acetylene", "cryogenic", "composite")
    },
    "life-seamless": ({"cylinder.kind": "seamless", "cylinder.made_on": years_ago(30)},),
    "life-welded": ({"cylinder.kind": "welded", "cylinder.made_on": years_ago(20)},),
    "life-corrosive": ({**CL2, "cylinder.made_on": years_ago(12)},),
}
VEHICLE: Changes = {
    "net-limit-vehicle": (
        {"cylinder.medium": "LPG", "rig.medium": "LPG", "cylinder.allowed_net_g": 0},
    ),
    "pressure-class-cng": ({"cylinder.working_pressure_kpa": 14_999},),
    "interval-vehicle": ({"cylinder.last_inspection_on": years_ago(3)},),
    "life-cng": ({"cylinder.made_on": years_ago(15)},),
    "life-taxi": ({"cylinder.taxi": True, "cylinder.made_on": years_ago(8)},),
}
ADR: Changes = {
    "net-limit": ({"cylinder.allowed_net_g": 0},),
    "interval-adr": ({"cylinder.last_inspection_on": years_ago(10)},),
}
DOT: Changes = {
    "net-limit": ({"cylinder.allowed_net_g": 0},),
    "requalification": (
        {"cylinder.design_standard": "DOT-4BA", "cylinder.last_inspection_on": years_ago(5)},
    ),
    "requalification-3t": (
        {"cylinder.design_standard": "DOT-3T", "cylinder.last_inspection_on": years_ago(5)},
    ),
}
CASES: Mapping[str, Changes] = {
    "cn-lpg": {**EVERYWHERE, **LPG},
    "cn-industrial": {**EVERYWHERE, **INDUSTRIAL},
    "cn-vehicle": {**EVERYWHERE, **VEHICLE},
    "eu-adr": {**EVERYWHERE, **ADR},
    "us-dot": {**EVERYWHERE, **DOT},
}
SPEAK_TOGETHER: Mapping[str, frozenset[str]] = {
    "stamp-bad": frozenset({"precheck-failed"}),
    "body-defect": frozenset({"precheck-failed"}),
    "residue-bad": frozenset({"precheck-failed"}),
    "tare-far-too-low": frozenset({"tare-low"}),
    "wrong-gas": frozenset({"pressure-class"}),
}
"""Rules that rightly hold as well when this one does."""
OVER = {"scale.net_g": 14_901, "checks.postcheck_failed": ()}
FULL = {"scale.net_g": 14_900, "checks.postcheck_failed": ()}
