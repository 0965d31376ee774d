"""How much may go into a cylinder: the archive's figure and the pack's coefficient, in grams."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

from rules_engine.facts import Facts
from rules_engine.pack_check import DEDUCT_RESIDUE, FILL_COEFFICIENT
from rules_engine.pack_model import Pack

ML_PER_L = 1_000


@dataclass(frozen=True, slots=True)
class Limits:
    """`allowed_net_g` None = not determinable: a rule must have denied with DATA_MISSING."""

    allowed_net_g: int | None
    deduct_residue: bool


def fill_limits(packs: Sequence[Pack], facts: Facts) -> Limits:
    """The smaller of the archive's allowed net mass and capacity x coefficient, rounded down.

    Of several packs the smallest coefficient counts, and one that deducts residue is enough.
    """
    on_file: int | None = facts.get("cylinder.allowed_net_g")
    capacity_ml: int | None = facts.get("cylinder.water_capacity_ml")
    today: date | None = facts.get("clock.today")
    g_per_l = _coefficient(packs, facts.get("cylinder.medium"), today)
    computed = None if capacity_ml is None or g_per_l is None else capacity_ml * g_per_l // ML_PER_L
    known = [net_g for net_g in (on_file, computed) if net_g is not None]
    return Limits(min(known, default=None), any(_deducts(pack, today) for pack in packs))


def _coefficient(packs: Sequence[Pack], medium: str | None, today: date | None) -> int | None:
    name = f"param.{FILL_COEFFICIENT}{medium}".lower()
    found = [values[name] for pack in packs if name in (values := pack.values_on(today))]
    return min((cast("int", value) for value in found), default=None)


def _deducts(pack: Pack, today: date | None) -> bool:
    return pack.values_on(today).get(f"param.{DEDUCT_RESIDUE}") is True
