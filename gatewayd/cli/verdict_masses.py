"""The masses of `gatewayd verdict`: what a fill would put in, or for later stages what the last one did."""

import json
from collections.abc import Mapping
from typing import Any

from gatewayd.rigs.assess import Bench
from gatewayd.rigs.ending import AGREE_G, moved_g
from gatewayd.rigs.history import filled
from gatewayd.rigs.model import Plan
from gatewayd.store.reads import Reader
from gatewayd.texts import Language, text
from rules_engine.masses import proven_g
from rules_engine.verdict import Stage

WEIGHED: frozenset[Stage] = frozenset({"fill", "postfill"})
"""Stages that are judged at the rig by what its scale says; a point knows only what went in."""
FILLS_LOOKED_AT_MAX = 500
"""Records about one cylinder that are looked through for its last fill."""
SCALE = "scale."


def of_last_fill(store: Reader, bench: Bench, code: str, stage: Stage) -> dict[str, int]:
    """What the rules of a stage behind the start read of the last fill; empty before it.

    Raises StoreError.
    """
    if stage == "dispatch":
        return filled(store, code)
    return _weighed(store, bench, code) if stage in WEIGHED else {}


def _weighed(store: Reader, bench: Bench, code: str) -> dict[str, int]:
    """As the rig judged it: by the totaliser where it says more, without the error of the scale."""
    newest = store.records_of_before(code, store.last_sequence() + 1, limit=FILLS_LOOKED_AT_MAX)
    bodies = (json.loads(record.body)["data"] for record in newest if record.kind == "fill")
    for data in bodies:
        if not data.get("net_g") or data.get("tare_g") is None:
            continue
        flowed_g = moved_g(data["total_before_g"], data["total_after_g"])
        more_g = flowed_g - data["net_g"] if flowed_g - data["net_g"] > AGREE_G else 0
        facts = {"scale.tare_g": data["tare_g"], "scale.gross_g": data["gross_end_g"] + more_g}
        net_g, error_g = data["net_g"] + more_g, bench.rig.weighing_error_g
        safe_g = data.get("safe_net_g", net_g)  # A record of an older version knows none.
        proven = proven_g(net_g, safe_net_g=safe_g, weighing_error_g=error_g)
        return {**facts, "scale.net_g": proven}
    return {}


def as_json(
    stage: Stage, plan: Plan | None, facts: Mapping[str, Any]
) -> dict[str, int | None] | None:
    """What `verdict --json` prints as `masses`, in grams; None = not known."""
    if stage == "permit":
        if plan is None:
            return None
        names = ("tare_g", "residual_g", "target_g", "limit_gross_g")
        return {name: getattr(plan, name) for name in names}
    known = {name: facts.get(SCALE + name) for name in ("net_g", "tare_g", "gross_g")}
    return known if known["net_g"] is not None else None


def line(
    stage: Stage, told: Mapping[str, int | None] | None, language: Language, *, allowed: bool
) -> str:
    """The same for a person; empty where there is nothing to say."""
    if told is not None:
        kind = "plan" if stage == "permit" else "filled"
        shown = {name: "?" if value is None else value for name, value in told.items()}
        return text(f"masses.{kind}", language, **shown)
    return text("masses.no_tare", language) if stage == "permit" and allowed else ""
