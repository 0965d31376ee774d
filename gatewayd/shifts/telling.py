"""What the alarm of a shift says of it, in both languages: which shift, which numbers, and why not."""

from collections.abc import Mapping
from typing import Any

from gatewayd.texts import text

NUMBERS = ("net_g", "flowed_g", "difference_g", "limit_g")
WHY_NUMBERS = ("net_g", "limit_g", "risen_g", "jumped_g", "step_g", "silent_s")

_UNCOMPARED: Mapping[str, str] = {
    "delivery": "tank_refilled",
    "went_back": "totaliser_went_back",
    "jumped": "totaliser_went_back",
    **dict.fromkeys(("silent", "coarse", "unknown_flow"), "shift_uncompared"),
}
"""Why a shift is not compared, and the kind of alarm that says so."""


def alarm_of(data: Mapping[str, Any]) -> tuple[str, str] | None:
    """The kind and the detail of what people must hear of the end of a shift; None: it agrees."""
    if data["agrees"] is False:
        return "shift_mismatch", mismatch(data, data["device"])
    kind = _UNCOMPARED.get(data["why"])
    return None if kind is None else (kind, uncompared(data))


def mismatch(data: Mapping[str, Any], witness: str = "") -> str:
    """Both numbers and by how much they differ; `witness` = not the totaliser of the rig, but this."""
    values = {name: data[name] for name in NUMBERS}
    if witness:
        return _said(data, "shifts.differs_from", **values, witness=witness)
    return _said(data, "shifts.differs", **values)


def uncompared(data: Mapping[str, Any]) -> str:
    """Why a witness and the records of a shift could not be compared."""
    key, values = f"shifts.why.{data['why']}", {name: data[name] for name in WHY_NUMBERS}
    return f"{data['device']}: {_said(data, key, **values)}"


def _said(data: Mapping[str, Any], key: str, **values: Any) -> str:
    zh, en = text(key, "zh", **values), text(key, "en", **values)
    return f"{data['from']} - {data['to']}: {zh} / {en}"
