"""The reloader among real parts in one process: what cannot be made, what is told, what is kept."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import apsw

from drivers.contract import Driver
from gatewayd.clock import SystemClock
from gatewayd.house import House, build
from gatewayd.reload.keeper import Bell, Keeper
from gatewayd.reload.reading import Taken, last_good_packs, signature, take
from gatewayd.reload.reloader import Reloader
from gatewayd.settings.layouts import layout_of
from gatewayd.settings.load import examine
from gatewayd.store.store import Store
from tests.support import tag_layouts
from tests.support.configs import GATEWAY, RIGS, write_config
from tests.support.io_modules import WATCHDOG
from tests.support.stores import permit
from tests.support.waiting import until

NOBODY = """\
devices:
  gun-1: {driver: rfid.uhfreader, link: {tcp: "127.0.0.1:9"}}
  gun-2: {driver: rfid.uhfreader, link: {tcp: "127.0.0.1:11"}}
  qr-1: {driver: barcode.tcp, link: {tcp: "127.0.0.1:13"}}
  scale-1: {driver: plc.modbus, link: {tcp: "127.0.0.1:17"}, unit: 1, profile: reference-gate-v1}
  scale-2: {driver: plc.modbus, link: {tcp: "127.0.0.1:17"}, unit: 2, profile: reference-gate-v1}
"""
"""Ports of services of old that nobody runs: every device goes on trying."""
HERE = {"devices/all.yaml": NOBODY, "gateway.yaml": GATEWAY.split("upstreams:", maxsplit=1)[0]}


@dataclass
class Bench:
    """A house that runs, and how to change its files."""

    folder: Path
    house: House
    bell: Bell
    read: list[Callable[[], Taken]]
    keeper: Keeper | None = None

    def shown(self) -> dict[str, Any]:
        return dict(self.house.board.get("config") or {})

    async def ring(self, state: str, **changes: str) -> None:
        before = self.shown().get("since")
        write_config(self.folder, {**HERE, **changes})
        self.bell.ring()
        await until(lambda: self.shown().get("state") == state and self.shown()["since"] != before)


@asynccontextmanager
async def running(
    folder: Path,
    *,
    watch_every_s: float = 60.0,
    pending: str = "",
    changes: Mapping[str, str] = HERE,
) -> AsyncIterator[Bench]:
    """A house; the rig `pending` has a permit to settle, and its gate is away."""
    write_config(folder, {**HERE, **changes})
    taken, clock = take(folder, last_good=last_good_packs), SystemClock()
    settings = taken.settings()
    zone = ZoneInfo(settings.station.timezone)
    store = Store.open(settings.store_path, station_id=settings.station.id, zone=zone, clock=clock)
    if pending:
        await store.issue(permit(pending))
    house, bell = build(settings, store, clock), Bell()
    bench = Bench(folder, house, bell, [lambda: take(folder)])
    try:
        async with asyncio.TaskGroup() as group:
            keeper = Keeper(group, house.parts, bell)
            keeper.start_all()

            def read() -> Taken:
                return bench.read[0]()

            reloader = Reloader(house, keeper, bell, taken, read, watch_every_s=watch_every_s)
            task = group.create_task(reloader.run())
            await until(lambda: bench.shown().get("state") == "applied")
            bench.keeper = keeper
            yield bench
            task.cancel()
            keeper.cancel()
    finally:
        await store.close()


def breaks(*_anything: object) -> Driver:
    raise RuntimeError("a plug-in that is not well")


async def test_a_driver_that_cannot_be_made_changes_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        before = dict(bench.house.parts.devices)

        def broken() -> Taken:
            taken = take(tmp_path)
            settings = taken.settings()
            gun = settings.devices["gun-1"]
            bad = replace(gun, driver=replace(gun.driver, make=breaks))
            devices = {**settings.devices, "gun-1": bad}
            return replace(
                taken,
                examined=replace(taken.examined, settings=replace(settings, devices=devices)),
            )

        bench.read[0] = broken
        await bench.ring("refused")
        assert "gun-1" in bench.shown()["message"]["zh"]
        assert bench.house.parts.devices == before
        assert bench.house.alarms.stands("config_invalid", "gateway")
        bench.read[0] = lambda: take(tmp_path)
        await bench.ring("applied")
        assert bench.house.parts.devices == before
        assert not bench.house.alarms.stands("config_invalid", "gateway")


async def test_the_same_files_again_exchange_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        devices, rigs = dict(bench.house.parts.devices), dict(bench.house.rigs)
        await bench.ring("applied")
        assert (bench.house.parts.devices, bench.house.rigs) == (devices, rigs)


async def test_one_changed_reader_exchanges_one_device_and_its_rig(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        devices, rigs = dict(bench.house.parts.devices), dict(bench.house.rigs)
        changed = HERE["devices/all.yaml"].replace("127.0.0.1:11", "127.0.0.1:19")
        await bench.ring("applied", **{"devices/all.yaml": changed})
        parts = bench.house.parts
        assert {n for n, d in parts.devices.items() if devices[n] is not d} == {"gun-2"}
        assert {n for n, r in parts.rigs.items() if rigs[n] is not r} == {"rig-2"}
        assert parts.devices["gun-1"].audience.fronts == (parts.rigs["rig-1"],)
        assert parts.devices["gun-2"].audience.fronts == (parts.rigs["rig-2"],)


async def test_a_layout_that_comes_with_a_reload_is_read_and_judged_by(tmp_path: Path) -> None:
    """Reader and rig go by the layout that the files name now; by an old one they believe wrong bytes."""
    asked = NOBODY.replace('127.0.0.1:11"}', '127.0.0.1:11"}, memory: site-tag')
    files = {"devices/all.yaml": asked}
    async with running(tmp_path) as bench:
        parts = bench.house.parts
        for blank in ("refuse", "nothing"):
            gun, rig = parts.devices["gun-2"], parts.rigs["rig-2"]
            tags = {tag_layouts.NAME: tag_layouts.settings(blank=blank)}
            files["tags/site.yaml"] = json.dumps({"tags": tags})
            await bench.ring("applied", **files)
            assert (parts.devices["gun-2"] is gun, parts.rigs["rig-2"] is rig) == (False, False)
            layout = layout_of(parts.settings, "gun-2")
            assert layout is not None
            assert layout.settings.blank == blank
        gun = parts.devices["gun-2"]
        await bench.ring("applied", **files)
        assert parts.devices["gun-2"] is gun, "there is nothing left to do"


async def test_what_a_rig_that_is_not_at_rest_stands_on_is_left_alone(tmp_path: Path) -> None:
    async with running(tmp_path, pending="rig-1") as bench:
        parts = bench.house.parts
        await until(lambda: parts.rigs["rig-1"].state.permit is not None)
        gun, gate, rig = (*map(parts.devices.get, ("gun-1", "scale-1")), parts.rigs["rig-1"])
        before, moved = bench.shown()["since"], NOBODY.replace('127.0.0.1:9"', '127.0.0.1:21"')
        write_config(tmp_path, {**HERE, "devices/all.yaml": moved.replace("unit: 1", "unit: 3")})
        bench.bell.ring()
        await until(lambda: bench.shown()["since"] != before)
        assert (bench.shown()["state"], bench.shown()["waiting"]) == ("waiting", ["rig-1"])
        assert parts.rigs["rig-1"] is rig
        assert [parts.devices[name] for name in ("gun-1", "scale-1")] == [gun, gate]


MODULE = """\
  scale-3: {driver: scale.toledo, link: {tcp: "127.0.0.1:21"}}
  io-1: {driver: output.modbus, link: {tcp: "127.0.0.1:17"}, unit: 3, coil: 0, watchdog: %s,
    start: {input: 0, active: true}}
"""
SHARED = {
    "devices/all.yaml": NOBODY + MODULE % WATCHDOG,
    "rigs/all.yaml": RIGS.replace(
        "scale: scale-2\n    gate: scale-2", "scale: scale-3\n    gate: io-1\n    preact_g: 150"
    ),
}
"""Rig 2 has a gate of two devices, one of them on the wire of rig 1's."""


async def test_a_gate_of_two_devices_goes_on_when_a_change_is_taken_back(tmp_path: Path) -> None:
    """Rig 2 has left for it already, rig 1 cannot: what ran before runs again."""
    async with running(tmp_path, pending="rig-1", changes=SHARED) as bench:
        parts, keeper = bench.house.parts, bench.keeper
        assert keeper is not None
        await until(lambda: parts.rigs["rig-1"].state.permit is not None)
        rig, gate = parts.rigs["rig-2"], parts.composites["rig-2"]
        changed = SHARED["devices/all.yaml"].replace("127.0.0.1:17", "127.0.0.1:19")
        await bench.ring("waiting", **{**SHARED, "devices/all.yaml": changed})
        await until(lambda: keeper.rests("rig-2"))
        await bench.ring("applied", **SHARED)
        assert parts.rigs["rig-2"] is not rig
        assert parts.composites["rig-2"] is not gate
        assert not keeper.rests("rig-2")
        before_ns = parts.composites["rig-2"].looked_ns
        await until(lambda: parts.composites["rig-2"].looked_ns != before_ns)


async def test_a_store_that_cannot_be_read_in_mid_exchange_is_waited_for(tmp_path: Path) -> None:
    """The old rig is gone, the new one cannot be made yet: it is made as soon as it can be."""
    ill = True

    def disk(_cursor: object, sql: str, _values: object) -> bool:
        if ill and "FROM meta WHERE key" in sql:
            raise apsw.IOError("a disk that fails for a while")
        return True

    async with running(tmp_path, changes=SHARED) as bench:
        parts, keeper = bench.house.parts, bench.keeper
        assert keeper is not None
        rig = parts.rigs["rig-2"]
        bench.house.store._read.set_exec_trace(disk)
        changed = SHARED["devices/all.yaml"].replace("127.0.0.1:21", "127.0.0.1:23")
        write_config(tmp_path, {**SHARED, "devices/all.yaml": changed})
        bench.bell.ring()
        await until(lambda: "rig-2" not in parts.rigs)
        assert "rig-1" in parts.rigs
        ill = False
        await until(lambda: "rig-2" in parts.rigs and "rig-2" in parts.composites)
        assert parts.rigs["rig-2"] is not rig
        await until(lambda: parts.rigs["rig-2"].looked_ns > rig.looked_ns)
        await until(lambda: bench.shown()["state"] == "applied" and not bench.shown()["waiting"])


async def test_the_watch_takes_up_a_file_and_can_be_turned_off(tmp_path: Path) -> None:
    async with running(tmp_path, watch_every_s=0.05) as bench:
        assert bench.house.settings.rigs["rig-1"].tolerance_g == 200
        off = HERE["gateway.yaml"] + "reload: {watch: false}\n"
        write_config(tmp_path, {**HERE, "gateway.yaml": off})
        await until(lambda: not bench.house.settings.reload.watch)
        changed = RIGS.replace("rules: [cn-lpg]", "rules: [cn-lpg]\n    tolerance_g: 300", 1)
        write_config(tmp_path, {**HERE, "gateway.yaml": off, "rigs/all.yaml": changed})
        seen = signature(tmp_path)
        for _ in range(10):
            await asyncio.sleep(0.05)  # in which it would be taken up
        assert signature(tmp_path) == seen
        assert bench.house.settings.rigs["rig-1"].tolerance_g == 200
        bench.bell.ring()
        await until(lambda: bench.house.settings.rigs["rig-1"].tolerance_g == 300)


async def test_what_runs_is_in_the_store_and_a_bad_pack_falls_back_on_it(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        store = bench.house.store
        await until(lambda: store.running() is not None)
        kept = store.running()
        assert kept is not None
        assert kept.parts["devices/gun-1"]["link.tcp"] == "127.0.0.1:9"
        assert [pack.id for pack in store.packs_in_force()] == ["cn-lpg"]
        good = bench.house.settings.packs["cn-lpg"].ref
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "cn-lpg.yaml").write_text("id: cn-lpg\nreplaces: cn-lpg\nrules: [")
    assert examine(tmp_path).settings is None
    found = take(tmp_path, last_good=last_good_packs).examined
    assert found.settings is not None
    assert found.settings.packs["cn-lpg"].ref == good
    assert list(found.failed_packs) == ["cn-lpg"]


async def test_systemd_hears_of_a_reload_and_of_its_end(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(path))
        systemd.settimeout(5)
        (tmp_path / "config").mkdir()
        async with running(tmp_path / "config") as bench:
            os.environ["NOTIFY_SOCKET"] = str(path)
            try:
                await bench.ring("applied")
                first, second = systemd.recv(200).decode(), systemd.recv(200).decode()
            finally:
                del os.environ["NOTIFY_SOCKET"]
        kind, monotonic = first.splitlines()
        assert (kind, second) == ("RELOADING=1", "READY=1")
        assert int(monotonic.removeprefix("MONOTONIC_USEC=")) > 0
