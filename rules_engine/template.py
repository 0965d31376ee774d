"""A message in two languages with `{fact}` placeholders that were checked when it was loaded."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import zip_longest
from typing import Any, Literal

from rules_engine.verdict import Message
from rules_engine.vocabulary import FACTS

Language = Literal["zh", "en"]

TEXTS_KEPT_MAX = 4_096
"""Messages kept in parts: both languages of every rule of many packs."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_UNKNOWN: Mapping[Language, str] = {"zh": "未知", "en": "unknown"}
_YES_NO: Mapping[Language, tuple[str, str]] = {"zh": ("是", "否"), "en": ("yes", "no")}
_CLOCK: Mapping[Language, tuple[str, str, str]] = {
    "zh": ("小时", "分", "秒"),
    "en": ("h", "min", "s"),
}
_COMMA: Mapping[Language, str] = {"zh": "、", "en": ", "}


def placeholders(text: str) -> tuple[str, ...]:
    """The names between braces, in order. Raises ValueError on a brace without its partner."""
    if "{" in (rest := _PLACEHOLDER.sub("", text)) or "}" in rest:
        raise ValueError("a brace without its partner; write placeholders as {cylinder.owner}")
    return tuple(_PLACEHOLDER.findall(text))


@dataclass(frozen=True, slots=True)
class Template:
    """Both texts with their placeholders; `names` are all placeholders of either."""

    zh: str
    en: str

    @property
    def names(self) -> tuple[str, ...]:
        """Every placeholder of either language, once."""
        return tuple(dict.fromkeys((*placeholders(self.zh), *placeholders(self.en))))

    def render(self, values: Mapping[str, Any]) -> Message:
        """Both sentences; what is not in `values` reads as unknown."""
        return Message(_fill(self.zh, values, "zh"), _fill(self.en, values, "en"))


def _fill(text: str, values: Mapping[str, Any], language: Language) -> str:
    parts = _parts(text)
    names = (_said(name, values.get(name), language) for name in parts[1::2])
    return "".join(part for pair in zip_longest(parts[::2], names, fillvalue="") for part in pair)


def _said(name: str, value: Any, language: Language) -> str:
    """A value inside a sentence: nobody at a rig counts a day in seconds."""
    fact = FACTS.get(name)
    if fact is None or fact.unit != "s" or not isinstance(value, int):
        return shown(value, language)
    minutes, seconds = divmod(max(value, 0), 60)
    hours, minutes = divmod(minutes, 60)
    counts = (hours, minutes, seconds) if hours == 0 else (hours, minutes)
    told = [f"{n} {unit}" for n, unit in zip(counts, _CLOCK[language], strict=False) if n]
    return " ".join(told) or f"0 {_CLOCK[language][2]}"


@lru_cache(TEXTS_KEPT_MAX)
def _parts(text: str) -> tuple[str, ...]:
    """Text and names by turns."""
    return tuple(_PLACEHOLDER.split(text))


def shown(value: Any, language: Language) -> str:
    """One value as a person reads it."""
    if value is None:
        return _UNKNOWN[language]
    if isinstance(value, bool):
        return _YES_NO[language][0 if value else 1]
    if isinstance(value, tuple | list):
        return _COMMA[language].join(str(item) for item in value)
    return value.isoformat() if isinstance(value, date) else str(value)
