"""What readers and scanners send that is no good: garbage, half frames, wrong sums, a storm."""

import os
import random
from pathlib import Path
from typing import Any

import pytest

from gatewayd.clock import SystemClock
from gatewayd.sim.gate_map import Status
from gatewayd.sim.rig import SimRig
from tests.e2e.house import House, started
from tests.support.waiting import until

pytestmark = pytest.mark.e2e

R2000_TAG = bytes.fromhex("a01301898c3000300833b2ddd901400000000137bb")
"""A captured tag report of another make of reader."""
READS_EACH_ROUND = 1000
"""The simulated reader pushes ten rounds a second: 10,000 reads a second."""
STORM_READS = 30_000
PERMIT_WITHIN_S = 5.0
"""Ten times what it takes on an idle machine: reads that queue up would take minutes."""
GROWTH_MB_MAX = 16
"""What a storm may add to the memory of the daemon: buffers that fill once, nothing that grows."""
POLLS_S_MIN = 4
"""Of ten: a loaded machine may skip some. A lease wants three in two seconds; the bench measures."""


async def _gone(rig: SimRig) -> None:
    rig.take_away()
    await until(lambda: Status.CYLINDER_ON not in rig.plc.status)
    asked = rig.plc.slave.requests
    await until(lambda: rig.plc.slave.requests >= asked + 2)


def _noise(house: House, device: str) -> dict[str, Any]:
    found: dict[str, Any] = house.newest(f"devices/{device}/status").get("noise") or {}
    return found


async def test_a_second_protocol_on_the_cable_is_in_the_device_state(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        rig, faults = house.station.rigs[0], house.station.rigs[0].reader.faults
        status = "devices/rig-1-gun/status"
        faults.noise_before = R2000_TAG
        await house.until(lambda: bool(house.newest(status).get("troubles")))
        (trouble,) = house.newest(status)["troubles"]
        assert trouble["kind"] == "two_dialects"
        assert "r2000_a0" in trouble["message"]["en"]
        assert "r2000_a0" in trouble["message"]["zh"]
        assert trouble["since"]
        assert trouble["count"] >= 1
        assert house.newest(status)["state"] == "up", "it works all the same"
        faults.noise_before = b""
        rig.bring(house.legal[0])
        await house.rig_state("rig-1", "permitted")
        assert house.newest("rigs/rig-1/state")["cylinder"]["code"] == house.legal[0].code


async def test_noise_of_a_reader_is_counted_and_never_names_a_cylinder(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        rig, faults = house.station.rigs[0], house.station.rigs[0].reader.faults
        faults.noise_before = random.Random(1).randbytes(7)
        rig.bring(house.legal[0])
        await house.rig_state("rig-1", "permitted")
        assert house.newest("rigs/rig-1/state")["cylinder"]["code"] == house.legal[0].code
        await house.until(lambda: _noise(house, "rig-1-gun").get("count", 0) > 0)
        await _gone(rig)
        await house.until(lambda: len(house.fills()) == 1)
        faults.noise_before = b""
        faults.corrupt_crc = True
        heard = _noise(house, "rig-1-gun")["count"]
        rig.bring(house.legal[1])
        await house.rig_state("rig-1", "identifying")
        await house.until(lambda: _noise(house, "rig-1-gun")["count"] > heard)
        rig.press_start()
        assert house.newest("rigs/rig-1/state")["state"] == "identifying"
        faults.corrupt_crc = False
        await house.rig_state("rig-1", "permitted")
        assert house.newest("rigs/rig-1/state")["cylinder"]["code"] == house.legal[1].code
        assert rig.plant.passed_g == 0


HALF_FRAME = bytes.fromhex("15 00 01 03 01 01 0c e2 80 68")


async def test_half_a_frame_costs_its_own_read_and_no_more(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        rig = house.station.rigs[0]
        rig.reader.faults.noise_before = HALF_FRAME
        rig.bring(house.legal[0])
        await house.rig_state("rig-1", "permitted", "fault")
        rig.press_start()
        rig.reader.faults.noise_before = b""
        await house.rig_state("rig-1", "permitted", "filling")
        assert house.newest("rigs/rig-1/state")["cylinder"]["code"] == house.legal[0].code


async def test_garbage_of_a_scanner_is_counted_and_a_foreign_code_refuses(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        rig = house.station.rigs[0]
        assert rig.scanner is not None
        rig.scanner.send(b"\x00\xff\xfe\x80\r")
        rig.scanner.send(b"http://teshe.org.cn/Q?id=37010001")  # and never the rest of it
        await house.until(lambda: _noise(house, "rig-1-qr").get("count", 0) >= 2)
        rig.bring(house.legal[0], scan=True)
        await house.rig_state("rig-1", "permitted")
        await _gone(rig)
        await house.rig_state("rig-1", "locked")
        rig.scanner.scan("4006381333931")
        rig.bring(house.legal[1])
        await house.until(lambda: len(house.refusals()) == 1)
        assert house.refusals()[0]["verdict"]["findings"][0]["code"] == "AMBIGUOUS"
        rig.press_start()
        await house.settled()
        assert rig.plant.passed_g == 0


def _memory_mb(pid: int) -> float:
    """Resident memory of a process, MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _pushing(config: Path) -> None:
    file = config / "devices" / "rig-1.yaml"
    file.write_text(file.read_text().replace("dialect: auto", "dialect: auto\n    mode: push"))


async def test_a_storm_of_reads_neither_slows_the_permit_nor_grows_the_memory(
    tmp_path: Path,
) -> None:
    async with House(tmp_path, edit=_pushing) as house:
        rig, clock = house.station.rigs[0], SystemClock()
        process = house.daemon.process
        assert process is not None
        assert rig.reader.mode == "push"
        rig.reader.faults.copies = READS_EACH_ROUND
        memory_mb = _memory_mb(process.pid)
        began_ns, polls = clock.monotonic_ns(), rig.plc.slave.requests
        rig.bring(house.legal[0])
        await until(lambda: Status.PERMITTED in rig.plc.status)
        assert (clock.monotonic_ns() - began_ns) / 1e9 < PERMIT_WITHIN_S
        await started(rig)
        await house.until(lambda: len(house.fills()) == 1)
        await until(lambda: rig.reader.pushed >= STORM_READS)
        seconds = (clock.monotonic_ns() - began_ns) / 1e9
        assert (rig.plc.slave.requests - polls) / seconds >= POLLS_S_MIN
        await _gone(rig)
        rig.bring(house.illegal("OVERDUE"))
        await house.until(lambda: len(house.refusals()) == 1)
        assert house.refusals()[0]["cylinder"]["code"] == house.illegal("OVERDUE").code
        assert _memory_mb(process.pid) - memory_mb <= GROWTH_MB_MAX
        assert house.fills()[0]["outcome"] == "completed"
        assert await house.daemon.stop() == 0
