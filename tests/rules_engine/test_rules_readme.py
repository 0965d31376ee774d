"""The pack that `config/rules/README.md` shows is one that loads, with its examples holding."""

import re
from datetime import date

from rules_engine import examples
from rules_engine.engine import judge
from rules_engine.pack import load
from tests.support.rules import LEGAL, RULES, SHIPPED, cn_lpg

README = (RULES / "README.md").read_text(encoding="utf-8")


def test_the_pack_that_is_shown_loads_and_its_examples_hold() -> None:
    (shown,) = [
        text for text in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL) if "extends" in text
    ]
    pack = load(shown, "README.md", cn_lpg())
    assert examples.run(pack) == ()
    facts = {**LEGAL, "cylinder.refurbished": False}
    assert judge([pack], facts).allowed
    assert not judge([pack], LEGAL).allowed
    full = {**facts, "cylinder.fills_allowed": 1, "cylinder.fills_done": 1}
    far = {"cylinder.next_inspection_on": date(2030, 1, 1), "cylinder.scrap_on": date(2030, 1, 1)}
    for day, allowed in ((date(2026, 12, 31), True), (date(2027, 1, 1), False)):
        assert judge([pack], {**full, **far, "clock.today": day}).allowed == allowed


def test_every_shipped_pack_is_named() -> None:
    for name in SHIPPED:
        assert f"| `{name}` |" in README
