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

USAGE: Final[dict[str, tuple[str, str]]] = {}

SAID: Final = SHIFTS | USAGE
