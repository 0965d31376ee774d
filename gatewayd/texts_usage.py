"""What the command line says itself, (zh, en) by key; a part of the catalogue in `texts.py`."""

from typing import Final

SHIFTS: Final[dict[str, tuple[str, str]]] = {
    "shifts.rig": ("工位", "rig"),
    "shifts.from": ("开始", "from"),
    "shifts.to": ("结束", "to"),
    "shifts.fills": ("次数", "fills"),
    "shifts.net_g": ("记录 g", "records g"),
    "shifts.flowed_g": ("累计量 g", "flowed g"),
    "shifts.difference_g": ("相差 g", "differ g"),
    "shifts.limit_g": ("限值 g", "limit g"),
    "shifts.count": (
        "共 {count} 班；! 表示相差超过限值",
        "{count} shifts; ! differs by more than the limit",
    ),
}

USAGE: Final[dict[str, tuple[str, str]]] = {}

SAID: Final = SHIFTS | USAGE
