"""Every variable a rule may read, typed, from one table of flat dotted names.

Facts are a plain mapping from name to value; an unknown fact is absent (or None). A date is a
whole day in the station's time zone: what is valid until a day is valid through that day.
"""

import calendar
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, TypeAlias

from rules_engine.verdict import Message

MEDIA = frozenset({"LPG", "O2", "N2", "AR", "CO2", "C2H2", "H2", "HE", "NH3", "CL2", "AIR", "CNG"})
STATUSES = frozenset({"in_use", "not_enabled", "scrapped", "cancelled", "lost"})
INSPECTION_RESULTS = frozenset({"passed", "failed"})
INT_MAX = 2**63 - 1
TEXT_CHARS_MAX = 4_096
ITEMS_MAX = 1_000

Kind: TypeAlias = Literal["bool", "int", "text", "date", "texts"]
Value: TypeAlias = bool | int | str | date | tuple[str, ...]
Facts: TypeAlias = Mapping[str, Any]
"""Fact name -> Value. What is unknown is absent or None."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One variable: its type, unit and meaning; `choices` empty = any value of the type.

    `derived` facts are computed from others, never given; `remedy` says how to supply the fact.
    """

    type: Kind
    doc: Message
    unit: str = ""
    choices: frozenset[str] = frozenset()
    derived: bool = False
    remedy: Message | None = None


_REMEDIES = {
    "cylinder": Message(
        "请补录该气瓶档案后重新扫码", "complete its archive entry, then scan again"
    ),
    "code": Message("请重新扫码", "scan the cylinder again"),
    "tag": Message("请重新读取标签", "read the tag again"),
    "rig": Message("请检查工位配置 rigs/*.yaml", "check rigs/*.yaml"),
    "station": Message("请检查站点配置 gateway.yaml", "check station in gateway.yaml"),
    "scale": Message("请检查秤", "check the scale"),
    "clock": Message("请检查网关时钟", "check the clock of the gateway"),
}


def _fact(
    kind: Kind, zh: str, en: str, unit: str = "", choices: frozenset[str] = frozenset()
) -> Fact:
    return Fact(kind, Message(zh, en), unit, choices)


FACTS: Mapping[str, Fact] = {
    "cylinder.code": _fact("text", "气瓶编码", "cylinder code"),
    "cylinder.tag_uids": _fact("texts", "标签号", "tag uids or EPCs in hex"),
    "cylinder.serial_no": _fact("text", "钢印编号", "stamped serial number"),
    "cylinder.maker": _fact("text", "制造单位", "maker"),
    "cylinder.owner": _fact("text", "产权单位", "owner"),
    "cylinder.model": _fact("text", "型号", "model"),
    "cylinder.medium": _fact("text", "充装介质", "medium of the cylinder", "", MEDIA),
    "cylinder.water_capacity_ml": _fact("int", "水容积", "water capacity", "ml"),
    "cylinder.stamped_tare_g": _fact("int", "钢印皮重", "stamped tare", "g"),
    "cylinder.allowed_net_g": _fact("int", "档案最大充装量", "allowed net mass on file", "g"),
    "cylinder.made_on": _fact("date", "制造日期", "date made"),
    "cylinder.scrap_on": _fact("date", "报废日期", "scrap date"),
    "cylinder.life_extended_to": _fact("date", "延寿截止日期", "date life is extended to"),
    "cylinder.last_inspection_on": _fact("date", "上次检验日期", "last inspection date"),
    "cylinder.next_inspection_on": _fact("date", "下次检验日期", "next inspection date"),
    "cylinder.design_standard": _fact("text", "制造标准", "design standard"),
    "cylinder.design_life_years": _fact("int", "设计使用年限", "design life", "years"),
    "cylinder.inspection_result": _fact(
        "text", "检验结论", "inspection result", "", INSPECTION_RESULTS
    ),
    "cylinder.status": _fact("text", "使用状态", "status", "", STATUSES),
    "cylinder.hold": _fact("text", "监管锁定原因", "regulator's reason for a hold"),
    "cylinder.fills_allowed": _fact("int", "允许充装次数", "number of fills allowed"),
    "cylinder.fills_done": _fact("int", "已充装次数", "number of fills done (empty = 0)"),
    "cylinder.refurbished": _fact("bool", "是否翻新瓶", "whether it is refurbished"),
    "cylinder.screw_shroud": _fact("bool", "是否螺栓护罩瓶", "whether its shroud is screwed on"),
    "cylinder.embossed_mark": _fact("bool", "有无充装单位凸字标志", "whether it is embossed"),
    "cylinder.life_ends_on": Fact(
        "date",
        Message("使用寿命截止日期", "last day of its service life"),
        derived=True,
        remedy=Message(
            "请在档案中补录延寿截止日期，或报废日期，或制造日期和设计使用年限",
            "enter life_extended_to, or scrap_on, or made_on and design_life_years",
        ),
    ),
    "cylinder.net_limit_g": Fact(
        "int",
        Message("最大允许充装量", "greatest net mass allowed"),
        "g",
        derived=True,
        remedy=Message(
            "请在档案中补录最大充装量，或水容积和充装介质",
            "enter allowed_net_g, or water_capacity_ml with a medium that has a coefficient",
        ),
    ),
    "code.text": _fact("text", "读到的编码", "code that was read"),
    "code.known": _fact("bool", "编码是否在档案中", "whether the code is in the archive"),
    "tag.uid": _fact("text", "读到的标签号", "tag uid that was read, upper-case hex"),
    "rig.id": _fact("text", "工位号", "rig id"),
    "rig.medium": _fact("text", "工位介质", "medium of the rig", "", MEDIA),
    "rig.nominal_g": _fact("int", "工位额定充装量", "nominal net mass of the rig", "g"),
    "station.id": _fact("text", "站点编号", "station id"),
    "station.region": _fact("text", "行政区划代码", "region code of the station"),
    "station.owners": _fact(
        "texts", "本站及关联产权单位", "station id and its list of associated owners"
    ),
    "station.media": _fact("texts", "站点介质", "media the station is licensed for"),
    "scale.tare_g": _fact("int", "实测皮重", "measured tare", "g"),
    "scale.gross_g": _fact("int", "毛重", "gross mass", "g"),
    "scale.stable": _fact("bool", "秤是否稳定", "whether the scale is stable"),
    "clock.today": _fact("date", "今天", "today in the station's time zone"),
    "clock.now": _fact("text", "现在时间", "now, RFC 3339 with offset"),
}
"""The whole vocabulary. A name that is not here fails when a pack is loaded."""


def remedy(name: str) -> Message:
    """What to do when the fact `name` is missing, as half a sentence."""
    return FACTS[name].remedy or _REMEDIES[name.partition(".")[0]]


def group(prefix: str, columns: Mapping[str, Any]) -> dict[str, Value]:
    """The facts `prefix.*` from plain columns; dates may be ISO text, lists any sequence.

    None is left out. Raises ValueError on an unknown column or a value of the wrong type.
    """
    named = ((f"{prefix}.{name}", value) for name, value in columns.items() if value is not None)
    return {name: from_json(name, value) for name, value in named}


def from_json(name: str, value: Any) -> Value:
    """One fact from a JSON or YAML value. Raises ValueError saying what was expected."""
    fact = _known(name)
    if fact.type == "date" and isinstance(value, str):
        return parse_date(value)
    if fact.type == "texts" and isinstance(value, list):
        value = tuple(value)
    if not sound(fact.type, value):
        raise ValueError(f"{name} is {fact.type}; got {value!r}")
    sure: Value = value
    return sure


def parse(name: str, text: str) -> Value | None:
    """One fact from the text after `--set name=`; empty text is None, meaning unknown.

    Lists are separated by `;`. Raises ValueError saying what was expected, with a hint.
    """
    fact = _known(name)
    if fact.derived:
        raise ValueError(f"{name} is derived from other facts; {remedy(name).en}")
    text = text.strip()
    if not text:
        return None
    if fact.choices and text not in fact.choices:
        near = _near(text, fact.choices)
        raise ValueError(f"{name} is one of {', '.join(sorted(fact.choices))}; got {text!r}{near}")
    if fact.type == "date":
        return parse_date(text)
    if fact.type in {"bool", "int"}:
        return _scalar(name, fact, text)
    items = tuple(part.strip() for part in text.split(";") if part.strip())
    value = text if fact.type == "text" else items
    if not sound(fact.type, value):
        raise ValueError(f"{name} is too long or holds half a character")
    return value


def _scalar(name: str, fact: Fact, text: str) -> bool | int:
    if fact.type == "bool" and text in {"true", "false"}:
        return text == "true"
    digits = text.removeprefix("-")
    if fact.type == "int" and digits.isascii() and digits.isdigit() and sound("int", int(text)):
        return int(text)
    expected = "true or false" if fact.type == "bool" else f"a whole number {fact.unit}".strip()
    raise ValueError(f"{name} is {expected}; got {text!r}")


def parse_date(text: str) -> date:
    """`YYYY-MM-DD`, or `YYYY-MM` = the last day of that month. Raises ValueError."""
    try:
        if len(text) == len("YYYY-MM"):
            first = date.fromisoformat(f"{text}-01")
            return first.replace(day=calendar.monthrange(first.year, first.month)[1])
        if len(text) == len("YYYY-MM-DD"):
            return date.fromisoformat(text)
    except ValueError as exc:
        raise ValueError(f"no such day: {text!r}; expected YYYY-MM-DD or YYYY-MM") from exc
    raise ValueError(f"not a date: {text!r}; expected YYYY-MM-DD or YYYY-MM")


def sound(kind: Kind, value: object) -> bool:
    """Whether `value` is of the fact type `kind`; a bool is no int, a datetime is no date."""
    if kind == "bool":
        return isinstance(value, bool)
    if kind == "int":
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= INT_MAX
    if kind == "text":
        return isinstance(value, str) and _encodable(value)
    if kind == "date":
        return isinstance(value, date) and not isinstance(value, datetime)
    if not isinstance(value, tuple | list) or len(value) > ITEMS_MAX:
        return False
    return all(sound("text", item) for item in value)


def _encodable(text: str) -> bool:
    """Whether text is short and whole: half a character would stop the rule engine."""
    if len(text) > TEXT_CHARS_MAX:
        return False
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def derive(facts: Facts) -> dict[str, Any]:
    """The known facts with `cylinder.fills_done` defaulted and `cylinder.life_ends_on` computed.

    A derived fact that was given is computed anew, so changing a base fact is enough.
    """
    known = {name: value for name, value in facts.items() if value is not None}
    if known.get("code.known") is True:
        known.setdefault("cylinder.fills_done", 0)
    known.pop("cylinder.life_ends_on", None)
    ends_on = life_ends_on(known)
    if ends_on is not None:
        known["cylinder.life_ends_on"] = ends_on
    return known


def life_ends_on(facts: Facts) -> date | None:
    """The last day of service life (contract §9), or None when it cannot be decided.

    `life_extended_to` if set, else the earlier of what is known of `scrap_on` and
    `made_on` + `design_life_years`.
    """
    extended_to: date | None = facts.get("cylinder.life_extended_to")
    if extended_to is not None:
        return extended_to
    ends: list[date] = []
    if (scrap_on := facts.get("cylinder.scrap_on")) is not None:
        ends.append(scrap_on)
    made_on, years = facts.get("cylinder.made_on"), facts.get("cylinder.design_life_years")
    if made_on is not None and years is not None:
        designed = _years_later(made_on, years)
        if designed is None:
            return None
        ends.append(designed)
    return min(ends, default=None)


def _years_later(day: date, years: int) -> date | None:
    """The same day `years` later, 29 February becoming the 28th; None when no such year exists."""
    year = day.year + years
    if years < 0 or year > date.max.year:
        return None
    return day.replace(year=year, day=min(day.day, calendar.monthrange(year, day.month)[1]))


def nearest(name: str, also: frozenset[str] = frozenset()) -> str:
    """The known fact (or name in `also`) most like `name`, or empty."""
    pool = [*FACTS, *also]
    close = difflib.get_close_matches(name, pool, n=1, cutoff=0.6)
    tails = [known for known in pool if known.partition(".")[2] == name.rpartition(".")[2]]
    return (tails or close or [""])[0]


def _known(name: str) -> Fact:
    if name not in FACTS:
        near = nearest(name)
        hint = f"; did you mean {near!r}?" if near else f"; one of {', '.join(FACTS)}"
        raise ValueError(f"unknown fact {name!r}{hint}")
    return FACTS[name]


def _near(text: str, choices: frozenset[str]) -> str:
    close = difflib.get_close_matches(text, choices, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
