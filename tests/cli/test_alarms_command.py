"""`gatewayd alarms` as a person and a program use it, beside a running daemon or without one."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gatewayd.cli.root import main
from gatewayd.store.verifying import verify
from tests.alarms.control_room import ControlRoom, control_room
from tests.support.stores import STATION

CONFIG = f"""\
station: {{id: "{STATION}", name: 示范站, region: "370100", media: [LPG]}}
store: {{path: gatewayd.db, quota_mb: 64}}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "gateway.yaml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


def _run(site: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["alarms", *words, "-c", str(site)])


def _listed(site: Path, *words: str) -> list[dict[str, Any]]:
    result = _run(site, *words, "--json")
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)["alarms"]
    return found


async def _raise(room: ControlRoom) -> None:
    room.alarms.raise_("unauthorised_flow", "rig-1", detail="740 g", rig_id="rig-1")
    room.alarms.raise_("gate_not_closed", "rig-1", rig_id="rig-1")
    await room.pass_s(0)


async def test_what_stands_is_listed_with_cause_and_what_to_do(site: Path) -> None:
    async with control_room(site) as room:
        await _raise(room)
        listed = {alarm["kind"]: alarm for alarm in _listed(site)}
        assert listed.keys() == {"unauthorised_flow", "gate_not_closed"}
        flow = listed["unauthorised_flow"]
        assert (flow["subject"], flow["detail"], flow["count"]) == ("rig-1", "740 g", 1)
        assert (flow["severity"], flow["acknowledged"]) == ("critical", None)
        for lang, code in (("zh", "zh"), ("en", "en")):
            shown = _run(site, "--lang", code).stdout
            assert flow["title"][lang] in shown
            assert flow["cause"][lang] in shown
            assert flow["todo"][lang] in shown
            assert "740 g" in shown


async def test_an_answer_is_recorded_and_the_daemon_hears_of_it(site: Path) -> None:
    async with control_room(site) as room:
        await _raise(room)
        words = ("ack", "unauthorised_flow", "rig-1", "--by", "王工", "--note", "换了阀座")
        result = _run(site, *words, "--json")
        assert (result.exit_code, json.loads(result.stdout)["over"]) == (0, True)
        assert [alarm["kind"] for alarm in _listed(site)] == ["gate_not_closed"]
        over = {a["kind"]: a for a in _listed(site, "--all")}["unauthorised_flow"]
        assert over["cleared_at"] is not None
        assert over["acknowledged"]["by"] == "王工"
        await room.pass_s(1)
        assert room.shown("unauthorised_flow") is None
        assert room.data()[-1]["acknowledged"]["note"] == "换了阀座"
        assert verify(room.store).ok
        assert _run(site, *words).exit_code == 1


async def test_wrong_words_are_told(site: Path) -> None:
    result = _run(site)
    assert (result.exit_code, "no store here yet" in result.stderr) == (3, True)
    async with control_room(site) as room:
        await _raise(room)
        assert _run(site, "ack", "unauthorised_flow", "rig-1").exit_code == 2
        assert _run(site, "ack", "unauthorised_flow", "rig-1", "--by", " ").exit_code == 2
        result = _run(site, "ack", "unauthorised_flow", "rig-9", "--by", "w")
        assert (result.exit_code, "no such alarm stands" in result.stderr) == (1, True)
        assert len(_listed(site)) == 2
