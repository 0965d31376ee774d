"""A bug ends the part that has it and nothing else; what must end the daemon still does."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.contract import Context, Reading, TagRead
from drivers.readings import Unread
from gatewayd import house as houses
from gatewayd.app import serve
from gatewayd.bugs import CAUGHT_MAX, Bugs
from gatewayd.clock import SystemClock
from gatewayd.devices import supervised
from gatewayd.errors import StoreError
from gatewayd.ids import new_id
from gatewayd.reload.keeper import Bell
from gatewayd.reload.reading import Taken, last_good_packs, take
from gatewayd.rigs.vouched import Vouchers
from gatewayd.store.store import Store
from gatewayd.upstreams.contract import UpstreamContext
from gatewayd.vouchers.asker import Asker
from tests.alarms.control_room import control_room
from tests.reload.test_reloader import HERE
from tests.support.configs import GATEWAY, write_config
from tests.support.stores import STATION, ZONE, draft
from tests.support.waiting import until


class Slip(Exception):  # noqa: N818 - a bug has no ending
    """What nobody thought of."""


async def test_a_part_that_breaks_is_told_and_begun_again(tmp_path: Path) -> None:
    began = 0

    async def work() -> None:
        nonlocal began
        began += 1
        if began == 1:
            raise Slip("first")

    async with control_room(tmp_path) as room:
        bugs = Bugs(room.alarms, room.clock)
        await bugs.contain("shifts", work)
        await room.alarms.flush()
        assert began == 2
        assert room.told() == [("part_failed", "raised")]
        (data,) = room.data()
        assert (data["subject"], data["detail"]) == ("shifts", "Slip: first")


async def test_a_group_of_bugs_and_a_cancellation(tmp_path: Path) -> None:
    """A TaskGroup raises a group; a cancellation is nobody's bug and passes through."""

    async def inner() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(broken())
            group.create_task(asyncio.Event().wait())

    async def broken() -> None:
        raise Slip("deep inside")

    async with control_room(tmp_path) as room, asyncio.TaskGroup() as group:
        bugs = Bugs(room.alarms, room.clock)
        task = group.create_task(bugs.contain("commands", inner))
        await until(lambda: bool(bugs.caught))
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


async def test_alarms_that_are_broken_themselves_end_nothing(tmp_path: Path) -> None:
    async with control_room(tmp_path) as room:
        bugs = Bugs(room.alarms, room.clock)
        for number in range(CAUGHT_MAX + 1):
            bugs.note("shifts", Slip(str(number)), kind="no_such_kind")
        assert len(bugs.caught) == CAUGHT_MAX


class OneRead:
    """A driver that reads one tag and goes on."""

    name = "gun-1"

    async def run(self, context: Context) -> None:
        context.up("a reader")
        context.emit(TagRead("gun-1", "E2806801", 1, None, context.monotonic_ns()))
        await asyncio.Event().wait()


class Deaf:
    """Something that hears a device and breaks of it."""

    def __init__(self) -> None:
        self.fell: list[Exception] = []

    def take(self, reading: Reading) -> None:
        raise Slip(f"in taking {reading}")

    def device(self, name: str, state: str) -> None:
        raise Slip(f"in hearing {name} {state}")

    def fall(self, bug: Exception) -> None:
        self.fell.append(bug)


class Good(Deaf):
    """Its neighbour."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[object] = []

    def take(self, reading: Reading) -> None:
        self.heard.append(reading)

    def device(self, name: str, state: str) -> None:
        self.heard.append((name, state))


async def test_who_breaks_of_a_reading_costs_neither_the_device_nor_a_neighbour(
    tmp_path: Path,
) -> None:
    write_config(tmp_path, HERE)
    settings = take(tmp_path, last_good=last_good_packs).settings()
    async with control_room(tmp_path) as room, asyncio.TaskGroup() as group:
        context = UpstreamContext(
            room.store, room.board, STATION, room.clock, new_id(), "0", tmp_path
        )
        bugs = Bugs(room.alarms, room.clock)
        device = supervised(OneRead(), settings, context, bugs)
        bad, good = Deaf(), Good()
        device.audience.fronts = (bad, good)
        task = group.create_task(device.supervisor.run())
        await until(lambda: bool(bad.fell) and any(map(_is_read, good.heard)))
        assert device.supervisor.status.state == "up"
        assert ("gun-1", "up") in good.heard
        task.cancel()


class Garbler(OneRead):
    """A driver that hears something broken."""

    async def run(self, context: Context) -> None:
        context.up("a reader")
        context.noise("no answer", b"")
        context.noise("bad CRC", b"\x05")
        await asyncio.Event().wait()


@pytest.mark.parametrize("places", [1, 2])
async def test_what_a_device_could_not_read_is_told_to_the_one_place_it_serves(
    tmp_path: Path, places: int
) -> None:
    write_config(tmp_path, HERE)
    settings = take(tmp_path, last_good=last_good_packs).settings()
    async with control_room(tmp_path) as room, asyncio.TaskGroup() as group:
        context = UpstreamContext(
            room.store, room.board, STATION, room.clock, new_id(), "0", tmp_path
        )
        device = supervised(Garbler(), settings, context, Bugs(room.alarms, room.clock))
        fronts = tuple(Good() for _ in range(places))
        device.audience.fronts = fronts
        task = group.create_task(device.supervisor.run())
        await until(lambda: device.supervisor.counters.noises == len(("no answer", "bad CRC")))
        task.cancel()
    told = [each for front in fronts for each in front.heard if isinstance(each, Unread)]
    assert [each.raw for each in told] == ([b"\x05"] if places == 1 else [])


def _is_read(heard: object) -> bool:
    return isinstance(heard, TagRead)


class Living:
    """A whole daemon in this process; nobody answers at its devices."""

    def __init__(self, house: houses.House, stop: asyncio.Event, bell: Bell, taken: Taken) -> None:
        self.house, self.stop, self.bell, self.taken = house, stop, bell, taken

    async def run(self) -> None:
        await serve(self.house, self.stop, self.bell, self.taken, lambda: self.taken)


def living(folder: Path) -> Living:
    write_config(folder, {**HERE, "gateway.yaml": GATEWAY})
    taken, clock = take(folder, last_good=last_good_packs), SystemClock()
    settings = taken.settings()
    store = Store.open(settings.store_path, station_id=STATION, zone=ZONE, clock=clock)
    return Living(houses.build(settings, store, clock), asyncio.Event(), Bell(), taken)


class BrokenAsker(Asker):
    """A side part that never works."""

    async def run(self) -> None:
        raise Slip("in running")


class BrokenUpstream:
    """One that never works either."""

    name = "platform"

    async def run(self) -> None:
        raise Slip("in running")

    async def drained(self) -> None:
        """Nothing is waited for."""


async def test_the_daemon_goes_on_without_a_part_that_broke(tmp_path: Path) -> None:
    daemon = living(tmp_path)
    parts, context = daemon.house.parts, daemon.house.context
    asker = BrokenAsker(Vouchers(), parts.rigs, lambda: parts.settings.upstreams, context)
    house = daemon.house = replace(daemon.house, asker=asker)
    parts.upstreams["platform"] = BrokenUpstream()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        task = group.create_task(daemon.run())
        await until(lambda: house.alarms.stands("part_failed", "vouchers"))
        await until(lambda: house.alarms.stands("part_failed", "platform"))
        assert not isinstance(parts.upstreams["platform"], BrokenUpstream), "a new one in its place"
        before = {name: rig.looked_ns for name, rig in house.rigs.items()}
        await until(lambda: all(rig.looked_ns > before[n] for n, rig in house.rigs.items()))
        assert not task.done()
        daemon.stop.set()


async def test_a_store_whose_writer_died_ends_the_daemon_and_says_so(tmp_path: Path) -> None:
    daemon = living(tmp_path)
    store = daemon.house.store

    def hook() -> bool:
        raise Slip("in the writer's own thread")

    async def live() -> None:
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            group.create_task(daemon.run())
            await until(lambda: (daemon.house.board.get("config") or {}).get("state") == "applied")
            group.create_task(_break(store, hook))

    with pytest.raises(ExceptionGroup) as raised:
        await live()
    assert "writer ended of a bug" in repr(raised.value.exceptions)
    assert not store.healthy
    with pytest.raises(StoreError):
        await store.append(draft())


async def _break(store: Store, hook: Callable[[], bool]) -> None:
    """Waits for ever: nobody can say what became of the transaction."""
    await store.commit(lambda connection, _issuer: connection.set_commit_hook(hook))
