"""How long the judgement alone takes: facts in, verdict out, every rule of every shipped pack."""

import gc
from datetime import date
from time import perf_counter_ns
from typing import Any

from gatewayd.clock import MS
from gatewayd.settings.library import load_packs
from gatewayd.settings.report import Report
from gatewayd.settings.shipped import shipped_dir
from rules_engine.engine import judge
from rules_engine.facts import FACTS
from rules_engine.pack import Pack
from tests.bench.figures import Figures

JUDGEMENTS = 2_000
RULES = 200
TODAY = date(2026, 7, 1)
EVERYTHING: dict[str, Any] = {
    "bool": True,
    "int": 1_000,
    "text": "x",
    "date": TODAY,
    "texts": ("a", "b"),
}


def facts() -> dict[str, Any]:
    """Every fact that there is, so that no rule is left out for want of one."""
    known = {name: EVERYTHING[fact.type] for name, fact in FACTS.items() if not fact.derived}
    return {**known, "cylinder.medium": "CO2", "rig.medium": "CO2", "cylinder.status": "in_use"}


def packs() -> list[Pack]:
    """All shipped packs: a little more than RULES rules."""
    report = Report()
    found = list(load_packs(shipped_dir(), report).values.values())
    assert not report.problems, report.problems
    assert sum(len(pack.rules) for pack in found) >= RULES
    return found


def measure(figures: Figures, judgements: int = JUDGEMENTS) -> None:
    """One run, added to `figures`: a cylinder with everything known and much against it."""
    every, known = packs(), facts()
    rules = sum(len(pack.rules) for pack in every)
    alone = [pack for pack in every if pack.id == "cn-lpg"]
    for name, judged in ((f"{rules} rules judged", every), ("cn-lpg judged", alone)):
        gc.collect()
        times_ms = []
        for _ in range(judgements):
            began_ns = perf_counter_ns()
            judge(judged, known)
            times_ms.append((perf_counter_ns() - began_ns) / MS)
        figures.add_times(name, times_ms, aim_p99="< 2")
