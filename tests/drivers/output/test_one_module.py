"""Several outputs of one I/O module: one connection and one watchdog, a name each, faults for all."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from drivers.contract import DriverError
from drivers.output.modbus import OutputModbus
from tests.drivers.output.test_output_modbus import Seen, driver, running
from tests.support.io_modules import COIL, STOP, TIME, WATCHDOG, IoModule
from tests.support.plcs import Asked, Step, TcpServer
from tests.support.waiting import until

OTHER = COIL + 1
OFF, ON = 0, 0xFF00
POLL_MS = 40
"""Two polls of 40 ms half a period apart, on a loaded machine."""


def made(port: int, coil: int, name: str) -> OutputModbus:
    words = f"unit: 1, coil: {coil}, poll_ms: {POLL_MS}, timeout_ms: 200, watchdog: {WATCHDOG}"
    one = driver(f'{{tcp: "127.0.0.1:{port}"}}', words)
    one.name = name
    return one


@asynccontextmanager
async def pair(
    module: IoModule,
) -> AsyncIterator[tuple[TcpServer, tuple[OutputModbus, Seen], tuple[OutputModbus, Seen]]]:
    """Two outputs of one module, both up."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(TcpServer({1: module}).serving())
        one, other = made(server.port, COIL, "io-1"), made(server.port, OTHER, "io-2")
        seen = [await stack.enter_async_context(running(each)) for each in (one, other)]
        await until(lambda: all(each.samples for each in seen))
        yield server, (one, seen[0]), (other, seen[1])


async def test_each_has_its_name_and_its_valve_on_one_connection() -> None:
    module = IoModule()
    async with pair(module) as (server, (one, seen), (other, seen_of_other)):
        await one.energise()
        await until(lambda: seen.last().on)
        assert (module.coils[COIL], module.coils[OTHER]) == (True, False)
        assert not seen_of_other.last().on
        await other.energise()
        await one.release()
        assert (module.coils[COIL], module.coils[OTHER]) == (False, True)
        assert {s.device for s in seen.samples} == {"io-1"}
        assert {s.device for s in seen_of_other.samples} == {"io-2"}
        assert server.connections == 1
        assert "a module with io-2" in seen.ups[0]


async def test_the_watchdog_is_asked_once_for_both() -> None:
    module = IoModule()
    async with pair(module) as (_, (_, seen), (_, seen_of_other)):
        module.asked.clear()
        seen.samples.clear()
        seen_of_other.samples.clear()
        await until(lambda: min(len(seen.samples), len(seen_of_other.samples)) >= 20)
        polls = len(seen.samples) + len(seen_of_other.samples)
        asked = sum(pdu[0] == 3 and int.from_bytes(pdu[1:3], "big") == TIME for pdu in module.asked)
        assert all(sample.guarded for sample in (*seen.samples, *seen_of_other.samples))
        assert asked <= polls * 0.8


async def test_a_fault_of_the_module_closes_both() -> None:
    module = IoModule()
    async with pair(module) as (_, (one, seen), (other, seen_of_other)):
        await one.energise()
        await other.energise()
        module.armed = False
        await until(lambda: bool(seen.errors and seen_of_other.errors))
        assert (module.coils[COIL], module.coils[OTHER]) == (False, False)
        said = "; ".join((seen.errors[0], seen_of_other.errors[0]))
        assert "the watchdog is no longer set" in said


async def test_what_one_of_them_lost_the_other_does_not_switch_on() -> None:
    module = IoModule()
    async with pair(module) as (_, (one, _), (other, _)):
        one._module.fail(one)
        with pytest.raises(DriverError, match="not proven"):
            await other.energise()
        assert not module.coils[OTHER]


async def test_whoever_speaks_first_switches_off_what_nobody_holds() -> None:
    """The requests of one feed the watchdog for all: the other must not stay on by them."""
    module = IoModule(coils={COIL: True, OTHER: True})
    async with TcpServer({1: module}).serving() as server:
        one, waiting = made(server.port, COIL, "io-1"), made(server.port, OTHER, "io-2")
        async with running(one) as seen:
            await until(lambda: bool(seen.samples))
            assert module.written[:2] == [(COIL, OFF), (OTHER, OFF)]
            assert not waiting.is_up


async def test_one_that_comes_back_leaves_the_other_as_it_is() -> None:
    module = IoModule()
    async with pair(module) as (server, _, (other, seen_of_other)):
        await other.energise()
        module.written.clear()
        third = made(server.port, COIL + 2, "io-3")
        async with running(third) as seen:
            await until(lambda: bool(seen.samples))
        assert module.coils[OTHER]
        assert not {address for address, _ in module.written} & {OTHER, STOP, TIME}
        assert not seen_of_other.errors


async def test_a_driver_made_anew_takes_the_place_of_the_one_before_it() -> None:
    """As after a changed configuration; the old object may live on for a while."""
    module = IoModule()
    async with TcpServer({1: module}).serving() as server:
        before = made(server.port, COIL, "io-1")
        after, other = made(server.port, COIL, "io-1"), made(server.port, OTHER, "io-2")
        async with running(after) as seen:
            await until(lambda: bool(seen.samples))
            await after.energise()
            async with running(other) as seen_of_other:
                await until(lambda: bool(seen_of_other.samples))
                assert module.coils[COIL], "nobody holds the old one, and it is no output any more"
    assert not before.is_up


async def test_a_watchdog_is_not_set_anew_while_another_output_hangs_on_it() -> None:
    module = IoModule()
    async with pair(module) as (server, _, (other, seen_of_other)):
        await other.energise()
        module.written.clear()
        module.armed = False
        third = made(server.port, COIL + 2, "io-3")
        async with running(third) as seen:
            await until(lambda: bool(seen_of_other.errors))
            await until(lambda: bool(seen.errors or seen.samples))
        assert not module.coils[OTHER]
        rewritten = [at for at, (address, _) in enumerate(module.written) if address == STOP]
        switched_off = module.written.index((OTHER, OFF))
        assert all(at > switched_off for at in rewritten)


async def test_closing_of_one_never_waits_for_the_other() -> None:
    """Both are told before either is asked whether it heard, however slow the module is."""
    module = IoModule(script=_slowly)
    async with pair(module) as (_, (one, _), (other, _)):
        await one.energise()
        await other.energise()
        module.asked.clear()
        async with asyncio.TaskGroup() as group:
            for each in (one, other):
                group.create_task(each.release())
        said = [pdu for pdu in module.asked if pdu[0] in (1, 5)]
        first = next(at for at, pdu in enumerate(said) if pdu[0] == 5)
        assert [pdu[0] for pdu in said[first : first + 2]] == [5, 5]


async def test_a_neighbour_that_hangs_on_its_way_on_does_not_hold_a_close() -> None:
    module = IoModule()
    async with pair(module) as (_, (one, _), (other, _)):
        await one.energise()
        module.script = _never_on
        async with asyncio.TaskGroup() as group:
            hanging = group.create_task(_tried(other))
            await asyncio.sleep(0.02)  # on its way, at any moment of it
            await one.release()
            assert not module.coils[COIL]
            await hanging
    assert not module.coils[OTHER]


def _slowly(asked: Asked) -> Sequence[Step]:
    return [0.01, asked.framed()]


def _never_on(asked: Asked) -> Sequence[Step]:
    """No answer to whoever switches on."""
    on = asked.pdu[0] == 5 and asked.pdu[3:5] == ON.to_bytes(2, "big")
    return [] if on else [asked.framed()]


async def _tried(output: OutputModbus) -> None:
    with pytest.raises(DriverError):
        await output.energise()
