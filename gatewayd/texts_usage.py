"""What the command line says itself, (zh, en) by key; a part of the catalogue in `texts.py`."""

from typing import Final

SHIFTS: Final[dict[str, tuple[str, str]]] = {
    "shifts.head": ("{rig}  {span}  充装 {fills} 次", "{rig}  {span}  {fills} fills"),
    "shifts.masses": (
        "记录 {net_g}  累计量 {flowed_g}  相差 {difference_g}  限值 {limit_g} g",
        "records {net_g}  totaliser {flowed_g}  difference {difference_g}  limit {limit_g} g",
    ),
    "shifts.why.delivery": (
        "记录 {net_g} g；储罐升高至少 {risen_g} g（卸料），请按卸料单核对",
        "records {net_g} g; the tank rose by at least {risen_g} g (delivery): see the delivery note",
    ),
    "shifts.why.silent": (
        "记录 {net_g} g；储罐秤或流量计中断达 {silent_s} 秒，无法核对",
        "records {net_g} g; not comparable: not heard for {silent_s} s",
    ),
    "shifts.why.went_back": (
        "记录 {net_g} g；流量计累计量倒退，无法核对",
        "records {net_g} g; not comparable: its totaliser went back",
    ),
    "shifts.why.unknown_flow": (
        "记录 {net_g} g；班末有一次充装的流量未知，无法核对",
        "records {net_g} g; not comparable: nobody knows what a fill that ran had taken",
    ),
    "shifts.count": (
        "共 {count} 班；! 相差超过限值，? 无法核对",
        "{count} shifts; ! differs by more than the limit, ? cannot be compared",
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
