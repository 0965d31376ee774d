"""A scan that was refused because nobody knew the day is not judged by that day later."""

from dataclasses import replace
from pathlib import Path

from gatewayd.rigs import evidence
from gatewayd.rigs.assess import Bench, assess, gather
from gatewayd.rigs.model import Identity
from gatewayd.settings.load import load
from tests.cli.test_rules_replay import WALL, keep, replayed
from tests.rigs.bench import LEGAL, standing
from tests.support.configs import write_config
from tests.support.stores import draft


async def test_a_scan_in_doubt_stays_refused(tmp_path: Path) -> None:
    site = write_config(tmp_path / "etc")
    settings = load(site)
    rig = settings.rigs["rig-1"]
    packs = tuple(settings.packs[name] for name in rig.rules)
    bench = Bench("rig-1", rig, settings.station, packs)
    who = Identity("one", LEGAL, uid="E2806801", code="0110100001")
    doubt = {"clock.trusted": False, "clock.doubt": "before_build", "clock.against": "2026-07-01"}
    verdict, plan = assess(bench, gather(bench, who, standing(), WALL) | doubt)
    assert (verdict.allowed, plan) == (False, None)
    data = evidence.judged("3701000042", "rig-1", who, verdict)
    await keep(site, replace(draft("refusal", data=data), time=WALL))
    result = replayed(site)
    assert (result["judged"], result["same"], result["changed"]) == (1, 1, 0)
