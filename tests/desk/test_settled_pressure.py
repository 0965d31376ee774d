"""The settled pressure that a person reads off after a fill decides whether the cylinder may leave."""

from pathlib import Path

import pytest

from gatewayd.desk.terms import Answered, Answers
from gatewayd.rigs.model import Identity
from gatewayd.rigs.people import People
from gatewayd.rigs.sources import Asked
from rules_engine.engine import judge
from tests.desk.front import ASKS, PAGE, START, at_front
from tests.rigs.bench import LEGAL, bench
from tests.support.rules import LEGAL_FOR, shipped
from tests.support.stores import draft

FORM = """\
checks:
  own:
    stage: postfill
    title: {zh: 充装后检查, en: after filling}
    items:
      - {id: pressure, kind: number, text: {zh: 稳定压力, en: settled pressure}, unit: kPa,
         least: 0, most: 40000, fact: checks.settled_kpa}
      - {id: warmth, kind: number, text: {zh: 气体温度, en: gas temperature}, unit: 0.1 °C,
         least: -400, most: 650, fact: checks.gas_temperature_dc}
"""


@pytest.mark.parametrize(("kpa", "allowed"), [(15_515, True), (15_516, False)])
async def test_what_was_read_off_is_judged_before_the_cylinder_leaves(
    tmp_path: Path, kpa: int, *, allowed: bool
) -> None:
    asks = ASKS.replace("lpg-postfill", "own")
    async with at_front(tmp_path, asks, checks=FORM) as front:
        data = {"net_g": 1, "batch": "B1", "postcheck": {"form": "own", "required": True}}
        await front.store.append(draft(data=data, counts_fill_of=LEGAL.code))
        answers = Answers("rig-1", "own", {"pressure": kpa, "warmth": 300})
        assert isinstance(await front.desk.answer_check(answers, by=PAGE), Answered)
        made = bench()
        asked = Asked(made.rig_id, made.rig, made.station, Identity("one", LEGAL), None, START)
        facts = People(front.store).facts(asked)
        assert facts["checks.settled_kpa"] == kpa
        legal = LEGAL_FOR["cn-industrial"]
        verdict = judge([shipped("cn-industrial")], {**legal, **facts}, "dispatch")
        assert verdict.allowed == allowed
