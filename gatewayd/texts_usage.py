"""What the command line says itself, (zh, en) by key; a part of the catalogue in `texts.py`."""

from typing import Final

SHIFTS: Final[dict[str, tuple[str, str]]] = {
    "shifts.head": ("{rig}  {span}  充装 {fills} 次", "{rig}  {span}  {fills} fills"),
    "shifts.masses": (
        "记录 {net_g}  累计量 {flowed_g}  相差 {difference_g}  限值 {limit_g} g",
        "records {net_g}  totaliser {flowed_g}  difference {difference_g}  limit {limit_g} g",
    ),
    "shifts.count": (
        "共 {count} 班；! 表示相差超过限值",
        "{count} shifts; ! differs by more than the limit",
    ),
}

MASSES: Final[dict[str, tuple[str, str]]] = {
    "masses.plan": (
        "皮重 {tare_g} g，余液 {residual_g} g，目标净重 {target_g} g，毛重上限 {limit_gross_g} g",
        "tare {tare_g} g, residue {residual_g} g, target net {target_g} g, limit gross {limit_gross_g} g",
    ),
    "masses.filled": (
        "净重 {net_g} g，皮重 {tare_g} g，毛重 {gross_g} g",
        "net {net_g} g, tare {tare_g} g, gross {gross_g} g",
    ),
    "masses.no_tare": (
        "未称重：加 --set scale.tare_g=空瓶克数 可显示目标与上限",
        "not weighed: --set scale.tare_g=GRAMS of the cylinder before the fill shows target and limit",
    ),
}
"""What `verdict` says of the masses."""

USAGE: Final[dict[str, tuple[str, str]]] = {}

SAID: Final = SHIFTS | MASSES | USAGE
