"""A store that is full, damaged or taken, and a configuration that is wrong: said clearly, safe."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from gatewayd.sim.gate_map import Status
from gatewayd.sim.rig import SimRig
from tests.e2e.house import House
from tests.support.disks import Disk, small_disk
from tests.support.waiting import until

pytestmark = pytest.mark.e2e

AGREE_G = 20
SLOW = 4.0
QUOTA_MB = 16


class Quota:
    """A store at its quota: somebody else's table takes all the room."""

    def __init__(self, config: Path) -> None:
        self._path = str(config / "gatewayd.db")

    def use_up(self) -> None:
        with contextlib.closing(apsw.Connection(self._path)) as store:
            store.set_busy_timeout(5000)
            store.execute("CREATE TABLE ballast (bytes BLOB)")
            store.execute("INSERT INTO ballast VALUES (zeroblob(?))", (QUOTA_MB * 2**20,))

    def clear(self) -> None:
        with contextlib.closing(apsw.Connection(self._path)) as store:
            store.set_busy_timeout(5000)
            store.execute("DROP TABLE ballast")


def _with_quota(config: Path) -> None:
    file = config / "gateway.yaml"
    name = "path: gatewayd.db"
    file.write_text(file.read_text().replace(name, f"{name}\n  quota_mb: {QUOTA_MB}"))


def _kept(house: House) -> int:
    """How many fills are in the store."""
    return sum(r["type"] == "gatewayd.fill.v1" for r in house.stored())


async def _no_permit(house: House, rig: SimRig) -> None:
    """A legal cylinder comes while nothing can be committed."""
    rig.bring(house.legal[1])
    await house.rig_state(rig.name, "refused", "fault")
    shown = house.newest(f"rigs/{rig.name}/state")
    codes = [finding["code"] for finding in shown["findings"]]
    assert codes == ["STORE_UNAVAILABLE"] or shown["fault"] == "store"
    rig.press_start()
    await until(lambda: not rig.plc._start_scans)
    assert (rig.plc.permit_echo, rig.plant.passed_g) == (0, 0)


@pytest.mark.parametrize("what", [Quota, Disk])
async def test_a_full_store_permits_nothing_and_keeps_the_running_fill(
    tmp_path: Path, what: type[Quota | Disk]
) -> None:
    house = House(tmp_path, rigs=2, speed=SLOW, edit=_with_quota)
    small = small_disk(house.config) if what is Disk else contextlib.nullcontext()
    with small:
        async with house:
            one, two = house.station.rigs
            room = what(house.config)
            await house.fill(house.legal[0])
            room.use_up()
            one.press_stop()
            await house.rig_state("rig-1", "settling", "fault")
            await until(lambda: not one.plc.valve_open)
            await _no_permit(house, two)
            # Its ballast gives a full disk room for what has begun; a quota has none to give.
            if what is Disk:
                await until(lambda: _kept(house) == 1)
            assert _kept(house) == (what is Disk)
            room.clear()
            await house.until(lambda: len(house.fills()) == 1)
            (fill,) = house.fills()
            assert fill["net_g"] == pytest.approx(one.plc.retained.total_g, abs=AGREE_G)
            two.take_away()
            one.take_away()
            await house.rig_state("rig-2", "locked")
            two.bring(house.legal[1])
            await house.rig_state("rig-2", "permitted")
            records = await house.settled()
            assert [r["sequence"] for r in records] == list(range(1, len(records) + 1))


def _stop_on_damage(config: Path) -> None:
    file = config / "gateway.yaml"
    name = "path: gatewayd.db"
    file.write_text(file.read_text().replace(name, f"{name}\n  on_corrupt: stop"))


async def test_a_store_has_one_daemon_and_a_damaged_one_touches_no_gate(tmp_path: Path) -> None:
    async with House(tmp_path, start=False, broker_up=False, edit=_stop_on_damage) as house:
        rig, store = house.station.rigs[0], house.config / "gatewayd.db"
        await house.daemon.start()
        await until(lambda: rig.plc.slave.requests > 0)
        assert house.daemon.process is not None
        code, out, err = await house.daemon.say("run")
        assert (code, out) == (3, "")
        assert f"{store}: the store is in use by process {house.daemon.process.pid}" in err
        assert "store.path" in err
        assert Status.PERMITTED not in rig.plc.status
        assert await house.daemon.stop() == 0
        asked = rig.plc.slave.requests
        damaged = bytearray(store.read_bytes())
        damaged[4096:12_288] = b"\xa5" * 8192
        store.write_bytes(damaged)
        await house.daemon.start()
        assert await house.daemon.ended() == 3
        last = house.daemon.log().splitlines()[-1]
        assert last.startswith(f"{store}: the store is damaged; with store.on_corrupt: quarantine")
        assert "Traceback" not in house.daemon.log()
        assert rig.plc.slave.requests == asked
        code, _, err = await house.daemon.say("records", "verify")
        assert code in (1, 3)
        assert str(store) in err
        assert store.read_bytes() == damaged, "evidence is left as it was found"


async def test_a_damaged_store_is_put_aside_and_the_station_works_on(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        rig, store = house.station.rigs[0], house.config / "gatewayd.db"
        await house.fill(house.legal[0])
        await house.until(lambda: len(house.fills()) == 1)
        before = await house.settled()
        rig.take_away()
        await house.rig_state("rig-1", "locked")
        assert await house.daemon.stop() == 0
        with contextlib.closing(apsw.Connection(str(store))) as sql:
            page = sql.execute("SELECT pageno FROM dbstat WHERE name = 'records_by_cylinder'").get
        damaged = bytearray(store.read_bytes())
        damaged[(page - 1) * 4096 : page * 4096] = bytes(4096)
        store.write_bytes(damaged)
        await house.daemon.start()
        await house.until(lambda: bool(house.newest("alarms/store_damaged.store")))
        (aside,) = (f for f in house.config.glob("*.damaged-*") if f.name[-4] != "-")
        assert aside.read_bytes() == damaged
        await house.fill(house.legal[1])
        await house.until(lambda: len(house.fills()) == 2)
        records = await house.settled()
        assert [r["id"] for r in records[: len(before)]] == [r["id"] for r in before]
        assert [r["sequence"] for r in records] == list(range(1, len(records) + 1))
        code, _, _ = await house.daemon.say("records", "verify")
        assert code == 0


MISTAKES = 24


async def test_a_configuration_full_of_mistakes_starts_nothing_and_names_them_all(
    tmp_path: Path,
) -> None:
    async with House(tmp_path, start=False, broker_up=False) as house:
        file = house.config / "devices" / "rig-1.yaml"
        wrong = "".join(f"    colour-{n}: red\n" for n in range(MISTAKES))
        file.write_text(file.read_text().replace("    address: 0\n", f"    address: 0\n{wrong}"))
        code, out, _ = await house.daemon.say("check", "--json")
        assert code == 1
        assert json.loads(out)["ok"] is False
        code, _, err = await house.daemon.say("check")
        lines = [line for line in err.splitlines() if line.startswith(f"{file}:")]
        assert code == 1
        assert len({line.split(": ")[0] for line in lines}) == MISTAKES
        code, _, again = await house.daemon.say("run")
        assert code == 1
        assert all(line in again for line in lines)
        assert house.station.rigs[0].plc.slave.requests == 0


@pytest.mark.parametrize("what", ["absent", "a file", "empty"])
def test_a_config_directory_that_is_none_is_said_in_one_line(tmp_path: Path, what: str) -> None:
    directory = tmp_path / "config"
    if what == "a file":
        directory.write_text("station: {}")
    elif what == "empty":
        directory.mkdir()
    command = [sys.executable, "-m", "gatewayd", "-c", str(directory), "run"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert str(directory) in result.stderr
    assert "Traceback" not in result.stderr
