"""The masses of one fill (contract §10), in grams: pure arithmetic from what was weighed and allowed.

Two limits, never to be mixed up. The safety limit is what the cylinder may hold; nothing moves it.
The commercial tolerance says which net content is sold as full; where it reaches above the safety
limit (14.5 ± 0.5 kg in a cylinder for 14.9 kg), the safety limit counts.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Masses:
    """`target_g` and `safe_net_g` are net, `limit_gross_g` is what the gate trips at.

    `residual_g`: measured minus stamped tare where positive, None when the stamped tare is unknown.
    `safe_net_g`: more net than this and the cylinder holds more than it may; no scale error in it.
    More than `over_g` is overfilled, less than `under_g` underfilled.
    """

    tare_g: int
    residual_g: int | None
    target_g: int
    limit_gross_g: int
    safe_net_g: int
    over_g: int
    under_g: int


@dataclass(frozen=True, slots=True)
class Terms:
    """How a rig fills: `nominal_g` None = as much as is allowed.

    `tolerance_g`: what a sold cylinder may have more or less than its target. `weighing_error_g`:
    how far its scale is not believed; a reading that much above the limit proves no overfilling.
    """

    nominal_g: int | None
    tolerance_g: int
    weighing_error_g: int


def masses(
    *, allowed_net_g: int, tare_g: int, stamped_g: int | None, deduct_residue: bool, terms: Terms
) -> Masses:
    """What to fill and where to stop; `target_g` may come out zero or negative: fill nothing."""
    residual_g = None if stamped_g is None else max(0, tare_g - stamped_g)
    inside_g = (residual_g or 0) if deduct_residue else 0
    safe_net_g = allowed_net_g - inside_g
    wanted_g = allowed_net_g if terms.nominal_g is None else min(terms.nominal_g, allowed_net_g)
    target_g = wanted_g - inside_g
    return Masses(
        tare_g=tare_g,
        residual_g=residual_g,
        target_g=target_g,
        limit_gross_g=tare_g + allowed_net_g,
        safe_net_g=safe_net_g,
        over_g=min(target_g + terms.tolerance_g, safe_net_g + terms.weighing_error_g),
        under_g=target_g - terms.tolerance_g,
    )


def proven_g(net_g: int, *, safe_net_g: int, weighing_error_g: int) -> int:
    """What rules are told of a weighed net mass: above the limit, only what the scale proves."""
    return safe_net_g if safe_net_g < net_g <= safe_net_g + weighing_error_g else net_g
