"""Rule packs and facts for tests: the shipped pack, a legal cylinder, and packs of one rule."""

import functools
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from rules_engine.pack import Pack, load

RULES = Path(__file__).parents[2] / "config" / "rules"
CN_LPG = RULES / "cn-lpg.yaml"
SHIPPED = ("cn-industrial", "cn-lpg", "cn-vehicle", "eu-adr", "us-dot")

TODAY = date(2026, 7, 1)

LEGAL: Mapping[str, Any] = {
    "code.known": True,
    "code.text": "0110100001",
    "cylinder.code": "0110100001",
    "cylinder.owner": "3701000042",
    "cylinder.medium": "LPG",
    "cylinder.allowed_net_g": 14_900,
    "cylinder.next_inspection_on": TODAY,
    "cylinder.inspection_result": "passed",
    "cylinder.status": "in_use",
    "cylinder.scrap_on": TODAY,
    "rig.medium": "LPG",
    "station.owners": ("3701000042",),
    "clock.today": TODAY,
}
"""Everything cn-lpg needs and nothing more, on the last legal day."""

COMPRESSED = {"cylinder.working_pressure_kpa": 15_000, "rig.fill_pressure_kpa": 15_000}
LEGAL_FOR: Mapping[str, Mapping[str, Any]] = {
    "cn-lpg": LEGAL,
    "cn-industrial": {**LEGAL, "cylinder.medium": "O2", "rig.medium": "O2", **COMPRESSED},
    "cn-vehicle": {**LEGAL, "cylinder.medium": "CNG", "rig.medium": "CNG", **COMPRESSED},
    "eu-adr": {**LEGAL, "cylinder.medium": "C3H8", "rig.medium": "C3H8"},
    "us-dot": {**LEGAL, "cylinder.medium": "C3H8", "rig.medium": "C3H8"},
}
"""For each shipped pack a legal cylinder on its last legal day."""

RULE = """\
  - id: {id}
    code: {code}
    severity: {severity}
    when: {when}
    message: {{zh: 拒绝, en: refused}}
    basis: {{document: test}}
    verified: false
"""


@functools.cache
def shipped(name: str) -> Pack:
    """A shipped pack."""
    path = RULES / f"{name}.yaml"
    return load(path.read_text(encoding="utf-8"), str(path))


def cn_lpg() -> Pack:
    """The pack of most stations."""
    return shipped("cn-lpg")


def text_of(*rules: str, head: str = "", id_: str = "site") -> str:
    """The YAML of a pack with these rule texts."""
    start = f'id: {id_}\nversion: "1"\ntitle: {{zh: 测试, en: test}}\n{head}'
    return start + "rules:\n" + "".join(rules)


def rule(when: str, code: str = "OVERDUE", severity: str = "deny", id_: str = "r1") -> str:
    """The YAML of one rule."""
    return RULE.format(id=id_, code=code, severity=severity, when=f"'{when}'")


def pack_of(when: str, code: str = "OVERDUE", severity: str = "deny", head: str = "") -> Pack:
    """A pack with one rule."""
    return load(text_of(rule(when, code, severity), head=head), "site.yaml")
