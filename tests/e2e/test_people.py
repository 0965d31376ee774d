"""A card at a Wiegand reader, a check by printed codes: refused, then filled, by the real daemon."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from drivers.suite import Kit, on_tcp
from gatewayd.sim.gate_map import Status
from gatewayd.sim.rig import SimRig
from tests.drivers.kits import KITS
from tests.e2e.house import House, started
from tests.support.waiting import until

pytestmark = pytest.mark.e2e

KIT = next(kit for kit in KITS if kit.name == "wiegand")
CARDS = "rig-1-cards"


def asking(config: Path, kit: Kit, link: Mapping[str, Any]) -> None:
    """A card reader beside the rig's own devices, and a rig that asks for people and checks."""
    device = {"driver": kit.driver.name, **kit.settings, "link": link}
    (config / "devices/cards.yaml").write_text(json.dumps({"devices": {CARDS: device}}))
    asks = (
        f"    operator: {{device: {CARDS}, required: true}}\n"
        "    precheck: {form: lpg-prefill, required: true, wait_s: 60}\n"
        "    postcheck: {form: lpg-postfill, required: true}\n"
        '    batch: {number: "{date}-{medium}"}\n'
    )
    path = next((config / "rigs").iterdir())
    path.write_text(path.read_text("utf-8").rstrip("\n") + "\n" + asks, "utf-8")


async def employ(house: House, card: str) -> None:
    file = house.directory / "operators.csv"
    file.write_text(
        f"id,name,certificate,certificate_until,media,cards\nop-1,李四,T-1,2099-12-31,LPG,{card}\n",
        "utf-8",
    )
    code, out, err = await house.daemon.say("import", "operators", str(file))
    assert code == 0, (out, err)


async def gone(rig: SimRig) -> None:
    """Take the cylinder away, and wait until the daemon has had two looks at the empty scale."""
    rig.take_away()
    await until(lambda: Status.CYLINDER_ON not in rig.plc.status)
    asked = rig.plc.slave.requests
    await until(lambda: rig.plc.slave.requests >= asked + 2)


def shown(house: House) -> dict[str, Any]:
    return house.newest("rigs/rig-1/state")


async def test_a_fill_is_refused_then_allowed_when_its_people_have_done_their_part(
    tmp_path: Path,
) -> None:
    reader = KIT.device()
    async with (
        on_tcp(reader.plugged) as link,
        House(tmp_path, edit=lambda config: asking(config, KIT, link)) as house,
    ):
        await employ(house, KIT.identities[0])
        rig = house.station.rigs[0]
        assert rig.scanner is not None
        rig.bring(house.legal[0])
        await house.rig_state("rig-1", "refused")
        assert {found["code"] for found in shown(house)["findings"]} == {
            "NO_OPERATOR",
            "NO_PRECHECK",
        }
        KIT.show(reader, (KIT.identities[1],))
        await house.until(lambda: bool(shown(house).get("notice")))
        assert shown(house)["notice"]["code"] == "unknown_card"
        KIT.show(reader, (KIT.identities[0],))
        await house.until(lambda: bool(shown(house).get("operator")))
        await house.until(lambda: len(house.refusals()) == 2)
        rig.scanner.scan("GW:CHECK:lpg-prefill:OK")
        await house.rig_state("rig-1", "permitted")
        await started(rig)
        await house.until(lambda: len(house.fills()) == 1)
        (fill,) = house.fills()
        assert fill["operator"] == {"id": "op-1", "name": "李四", "certificate": "T-1"}
        assert fill["precheck"]["done"] is True
        assert fill["postcheck"] == {"form": "lpg-postfill", "required": True, "done": False}
        assert fill["batch"].endswith("-LPG")

        await gone(rig)
        rig.bring(house.legal[1])
        await house.rig_state("rig-1", "refused")
        assert "DATA_MISSING" in {found["code"] for found in shown(house)["findings"]}
        rig.scanner.scan("GW:CHECK:lpg-postfill:leak:yes")
        await house.until(lambda: len(house.records("check")) == 2)
        answered = house.records("check")[-1]["data"]
        assert (answered["failed"], answered["cylinder"]["code"]) == (
            ["leak"],
            house.legal[0].entry.code,
        )
        _, out, _ = await house.daemon.say("records", "list", "--kind", "check")
        assert out.splitlines()[-1].endswith("lpg-postfill  failed  leak")
        code, out, _ = await house.daemon.say(
            *("verdict", "--rig", "rig-1", "--code", house.legal[0].entry.code),
            *("--stage", "dispatch", "--json"),
        )
        assert code == 1
        assert "BODY_DEFECT" in {found["code"] for found in json.loads(out)["findings"]}
        kinds = [body["type"].split(".")[1] for body in await house.settled()]
        assert kinds.count("session") == 1
        assert "batch" in kinds
