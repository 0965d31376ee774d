"""Every bad input of a wire, all at once at a running daemon: each is in its device's state, zh and en."""

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from drivers.suite import on_tcp
from protocols.readers.uhfreader import Tag
from tests.e2e.house import House
from tests.support.bad_input import BAD
from tests.support.readers import ScriptedReader

pytestmark = pytest.mark.e2e

NOBODY = "127.0.0.1:1"
"""A port where nobody listens: the host is on and refuses."""


def write(config: Path, devices: dict[str, Any]) -> None:
    """JSON is YAML."""
    (config / "devices" / "bad.yaml").write_text(json.dumps({"devices": devices}))


async def test_every_bad_input_is_named_in_the_state_of_its_device(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as wires:
        devices: dict[str, Any] = {
            "unreachable": {"driver": "rfid.r2000", "link": {"tcp": NOBODY}},
        }
        wanted = {"unreachable": "unreachable"}
        for bad in BAD:
            link = await wires.enter_async_context(on_tcp(bad.device().plugged))
            devices[str(bad)] = {"driver": bad.driver.name, "link": link, **bad.settings}
            wanted[str(bad)] = bad.kind
        house = House(tmp_path, edit=lambda config: write(config, devices))
        backwards = ScriptedReader(tags=[Tag(bytes.fromhex(house.legal[1].epc)[::-1], 60)])
        link = await wires.enter_async_context(on_tcp(backwards.plugged))
        devices["backwards"] = {"driver": "rfid.uhfreader", "link": link}
        wanted["backwards"] = "uid_reversed"
        await wires.enter_async_context(house)

        def told(name: str) -> dict[str, Any]:
            """Everything ever told: what a device said once is quiet and gone after a while."""
            assert house.seen is not None
            states = [json.loads(m.payload) for m in house.seen.messages(f"/devices/{name}/status")]
            troubles = [each for state in states for each in state["troubles"]]
            return {each["kind"]: each["message"] for each in troubles}

        def missing() -> list[str]:
            return [name for name, kind in wanted.items() if kind not in told(name)]

        with contextlib.suppress(AssertionError):
            await house.until(lambda: not missing())
        assert not missing(), {name: house.newest(f"devices/{name}/status") for name in missing()}
        for name, kind in wanted.items():
            message = told(name)[kind]
            assert re.search(r"[\u4e00-\u9fff]", message["zh"]), name
            assert message["en"].isascii(), name
            assert re.search(r"[;.]", message["en"]), name
        assert house.records() == [], "no bad input is anybody"
        rig = house.station.rigs[0]
        rig.bring(house.legal[0])
        await house.rig_state("rig-1", "permitted")
        assert house.newest("rigs/rig-1/state")["cylinder"]["code"] == house.legal[0].code
