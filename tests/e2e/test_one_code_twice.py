"""One code on two rigs and at a scan point, through real wires, the daemon as a process."""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.house import House, started

pytestmark = pytest.mark.e2e


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def with_point(config: Path, port: int) -> None:
    """A handheld scanner at the gate of the station; JSON is YAML."""
    link = {"listen": f"127.0.0.1:{port}"}
    device = {"driver": "barcode.tcp", "link": link}
    point = {
        "kind": "dispatch",
        "identify": [{"device": "qr-gate"}],
        "medium": "LPG",
        "repeat_s": 1,
    }
    (config / "devices" / "gate.yaml").write_text(json.dumps({"devices": {"qr-gate": device}}))
    (config / "points").mkdir(exist_ok=True)
    gate = {"points": {"gate": point | {"rules": ["cn-lpg"]}}}
    (config / "points" / "gate.yaml").write_text(json.dumps(gate))


async def test_a_copied_code_is_refused_at_both_rigs_and_at_the_gate(tmp_path: Path) -> None:
    port = free_port()
    async with House(tmp_path, rigs=2, edit=lambda config: with_point(config, port)) as house:
        one, two = house.station.rigs
        cylinder = house.legal[0]
        one.bring(cylinder)
        await house.rig_state(one.name, "permitted")
        two.bring(cylinder)
        await house.rig_state(one.name, "refused")
        await house.rig_state(two.name, "refused")
        await house.until(lambda: len(house.refusals()) == 2)
        for data in house.refusals():
            codes = [found["code"] for found in data["verdict"]["findings"]]
            assert codes == ["CODE_DUPLICATE"]
        assert [fill["outcome"] for fill in house.fills()] == ["not_started"]

        two.take_away()
        await house.rig_state(two.name, "locked")
        one.take_away()
        await house.rig_state(one.name, "locked")
        two.bring(cylinder)
        await house.rig_state(two.name, "permitted")
        await started(two)
        await house.until(lambda: len(house.fills()) == 2)

        _, writer = await asyncio.open_connection("127.0.0.1", port)
        data = await scan(house, writer, cylinder.entry.code, 1)
        assert [f["code"] for f in data["verdict"]["findings"]] == ["CODE_DUPLICATE"]
        two.take_away()
        await house.rig_state(two.name, "locked")
        await asyncio.sleep(1.1)  # repeat_s: the same code sooner is the same scan
        data = await scan(house, writer, cylinder.entry.code, 2)
        assert data["accepted"], data["verdict"]
        assert house.newest("points/gate/state")["verdict"] == "allow"
        writer.close()
        await house.settled()


async def scan(house: House, writer: asyncio.StreamWriter, code: str, count: int) -> dict[str, Any]:
    """Send one code and wait for its record."""
    writer.write(f"{code}\r\n".encode())
    await writer.drain()
    await house.until(lambda: len(house.records("movement")) == count)
    data: dict[str, Any] = house.records("movement")[-1]["data"]
    return data
