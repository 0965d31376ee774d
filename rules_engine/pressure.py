"""The settled pressure that a compressed gas may have at the temperature it has now.

A working pressure is stamped for a reference temperature. At constant volume and amount the
absolute pressure of an ideal gas goes with its absolute temperature (Gay-Lussac; p2 = p1 T2 / T1).
Real gases at filling pressures change more per kelvin than that, so the ideal figure errs on the
safe side above the reference temperature and on the wrong side below it: there a pack must give
the change of its gas (`fill_ppm_per_k_<medium>`), else nothing is said and the rule that needs it
denies with DATA_MISSING.

Source and grade: the gas law is textbook physics. The reference temperature and any change per
kelvin are parameters of packs with their own sources; GB/T 14194 has tables of filling pressure
over temperature whose text was not available, so none of its figures is used here.
"""

from collections.abc import Sequence
from datetime import date
from typing import cast

from rules_engine.facts import Facts
from rules_engine.pack_model import Pack

REFERENCE = "param.fill_reference_dc"
"""The temperature for which working pressures are stamped, in tenths of a degree Celsius."""
PPM_PER_K = "param.fill_ppm_per_k_"
"""Plus the medium in lower case: change of the absolute pressure a kelvin, in parts a million of
that at the reference temperature."""

ATMOSPHERE_PA = 101_325
ZERO_C_CK = 27_315
"""0 degrees Celsius in hundredths of a kelvin."""
GAS_DC_MIN, GAS_DC_MAX = -400, 650
"""A gas in a cylinder outside -40.0 to 65.0 degrees was not measured but mistyped."""
PPM = 1_000_000


def settled_limit_kpa(
    working_kpa: int, *, reference_dc: int, gas_dc: int, ppm_per_k: int | None
) -> int | None:
    """The greatest settled gauge pressure at `gas_dc` (tenths of a degree), rounded down.

    `working_kpa` is gauge, at `reference_dc`. None = cannot be said: below the reference temperature
    without the gas's own figure, or a temperature that no cylinder has.
    """
    if working_kpa <= 0 or not GAS_DC_MIN <= gas_dc <= GAS_DC_MAX:
        return None
    absolute_pa = working_kpa * 1_000 + ATMOSPHERE_PA
    if ppm_per_k is not None:
        changed = absolute_pa * (10 * PPM + ppm_per_k * (gas_dc - reference_dc)) // (10 * PPM)
    elif gas_dc >= reference_dc:
        changed = absolute_pa * (ZERO_C_CK + 10 * gas_dc) // (ZERO_C_CK + 10 * reference_dc)
    else:
        return None
    return max(0, (changed - ATMOSPHERE_PA) // 1_000)


def pressure_limit(packs: Sequence[Pack], facts: Facts) -> int | None:
    """`cylinder.settled_limit_kpa`: the smallest that any pack says; None = no pack can say it.

    A pack that names a reference temperature and cannot decide leaves all undecided.
    """
    working_kpa: int | None = facts.get("cylinder.working_pressure_kpa")
    gas_dc: int | None = facts.get("checks.gas_temperature_dc")
    today: date | None = facts.get("clock.today")
    if working_kpa is None or gas_dc is None:
        return None
    limits = [
        settled_limit_kpa(
            working_kpa,
            reference_dc=cast("int", values[REFERENCE]),
            gas_dc=gas_dc,
            ppm_per_k=cast(
                "int | None", values.get(f"{PPM_PER_K}{facts.get('cylinder.medium')}".lower())
            ),
        )
        for pack in packs
        if REFERENCE in (values := pack.values_on(today))
    ]
    known = [limit for limit in limits if limit is not None]
    return min(known) if known and len(known) == len(limits) else None
