"""Several units behind one serial server that takes one connection: slow, lying, reset, half open."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import pytest

from drivers.contract import DriverError
from drivers.links import TcpLink
from drivers.plc.lines import UNANSWERED_MAX, UNANSWERED_S
from drivers.plc.modbus import DRIVER, PlcModbus
from drivers.plc.settings import PlcModbusSettings
from drivers.plc.wire import Wire
from tests.support.plcs import LATE_S_MAX, REFERENCE, Plc, TcpServer, running
from tests.support.slowbus import Planted, Poller
from tests.support.waiting import until

WITHIN_S = 0.1
PERIOD_S = 0.02


class SerialServer(TcpServer):
    """A gateway for one client: whoever comes second is shown the door."""

    def __init__(self, units: Mapping[int, Plc]) -> None:
        super().__init__(units)
        self.refused = 0
        self.deaf = False
        self.connected = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.connected:
            self.refused += 1
            writer.close()
            return
        self.connected += 1
        try:
            if self.deaf:
                await reader.read(-1)
            await super()._serve(reader, writer)
        finally:
            self.connected -= 1

    def reset(self) -> None:
        """Drop every connection with RST, as a gateway that restarts does."""
        while self._writers:
            writer = self._writers.pop()
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


def units(count: int) -> dict[int, Plc]:
    return {unit: Planted(unit=unit) for unit in range(1, count + 1)}


@asynccontextmanager
async def polled(server: SerialServer) -> AsyncIterator[tuple[list[Poller], Wire]]:
    """A poller a unit on one wire that nobody leaves; each opens it anew when its link is lost."""
    pollers = [Poller(unit, PERIOD_S) for unit in server.units]
    link = TcpLink(tcp=f"127.0.0.1:{server.port}")

    async def serve(poller: Poller) -> None:
        while True:
            with suppress(DriverError):
                async with Wire.join(link) as joined:
                    await poller.run(joined, within_s=WITHIN_S, until_lost=True)
            await asyncio.sleep(0.05)  # as a driver that was lost begins anew

    async with Wire.join(link) as wire, asyncio.TaskGroup() as group:
        tasks = [group.create_task(serve(one)) for one in pollers]
        yield pollers, wire
        for task in tasks:
            task.cancel()


async def test_units_behind_a_gateway_for_one_client_share_its_connection() -> None:
    async with SerialServer(units(4)).serving() as server:
        assert isinstance(server, SerialServer)
        async with polled(server) as (pollers, _):
            await until(lambda: all(len(one.answered_s) > 20 for one in pollers))
    assert (server.connections, server.refused) == (1, 0)
    assert [one.wrong for one in pollers] == [[]] * 4


async def test_liars_and_slow_units_behind_a_gateway_cost_their_neighbours_nothing_but_time() -> (
    None
):
    made = units(4)
    made[3].script = lambda a: [1.4 * WITHIN_S, a.framed()]
    made[4].script = lambda a: [a.framed(unit=1)]
    async with SerialServer(made).serving() as server:
        assert isinstance(server, SerialServer)
        async with polled(server) as (pollers, wire):
            await until(lambda: 3 in wire.budget().resting and 4 in wire.budget().resting)
            since_s = asyncio.get_running_loop().time()
            await asyncio.sleep(1.5)  # the rate is of this time
    assert server.connections == 1
    assert [one.wrong for one in pollers] == [[]] * 4
    assert [one.answered_s for one in pollers[2:]] == [[], []]
    assert any("unit 1 answered instead" in text for text in pollers[3].failures)
    assert min(one.rate(since_s) for one in pollers[:2]) >= 0.85, "a probe takes several periods"


async def test_a_reset_is_said_to_every_unit_and_one_new_connection_serves_all() -> None:
    async with SerialServer(units(3)).serving() as server:
        assert isinstance(server, SerialServer)
        async with polled(server) as (pollers, _):
            await until(lambda: all(len(one.answered_s) > 3 for one in pollers))
            counts = [len(one.answered_s) for one in pollers]
            server.reset()
            await until(
                lambda: all(
                    len(one.answered_s) > count + 3
                    for one, count in zip(pollers, counts, strict=True)
                )
            )
    assert server.connections == 2
    failures = [text for one in pollers for text in one.failures]
    assert any("reset by the device" in text for text in failures)
    assert [one.wrong for one in pollers] == [[]] * 3


async def test_a_half_open_connection_is_given_up_though_nobody_leaves_the_wire() -> None:
    async with SerialServer(units(2)).serving() as server:
        assert isinstance(server, SerialServer)
        server.deaf = True
        async with polled(server) as (pollers, _):
            began_s = asyncio.get_running_loop().time()
            await until(lambda: server.connected == 1)
            server.deaf = False
            await until(lambda: all(one.answered_s for one in pollers))
            took_s = asyncio.get_running_loop().time() - began_s
    assert UNANSWERED_S <= took_s < UNANSWERED_S + UNANSWERED_MAX * WITHIN_S + LATE_S_MAX
    assert "without any answer" in " ".join(pollers[0].failures + pollers[1].failures)


def gate(port: int, unit: int) -> PlcModbus:
    settings = PlcModbusSettings(
        link=TcpLink(tcp=f"127.0.0.1:{port}"),
        unit=unit,
        profile=REFERENCE.id,
        poll_ms=20,
        timeout_ms=100,
    )
    made = DRIVER.make(f"gate-{unit}", settings, {REFERENCE.id: REFERENCE})
    assert isinstance(made, PlcModbus)
    return made


async def test_a_gate_with_a_dead_neighbour_on_its_gateway_is_locked_within_the_bound() -> None:
    plcs = {1: Plc(), 2: Plc(script=lambda _: [])}
    async with TcpServer(plcs).serving() as server:
        alive, dead = gate(server.port, 1), Poller(2, PERIOD_S)
        async with (
            running(alive) as [seen],
            Wire.join(TcpLink(tcp=f"127.0.0.1:{server.port}")) as wire,
        ):
            await until(lambda: bool(seen.ups))
            asking = asyncio.ensure_future(dead.run(wire, within_s=WITHIN_S))
            for _ in range(5):
                await asyncio.sleep(0.07)  # at any moment of the dead one's wait
                began_s = asyncio.get_running_loop().time()
                await alive.lock()
                assert asyncio.get_running_loop().time() - began_s < 2 * WITHIN_S + 0.1
            asking.cancel()


@pytest.mark.parametrize("code", [10, 11])
async def test_a_dead_unit_that_the_gateway_tells_of_rests_too(code: int) -> None:
    made = units(2)
    made[2].script = lambda a: [0.05, a.framed(bytes((a.pdu[0] | 0x80, code)))]
    async with SerialServer(made).serving() as server:
        assert isinstance(server, SerialServer)
        async with polled(server) as (pollers, wire):
            await until(lambda: wire.budget().resting == (2,))
            await until(lambda: len(pollers[0].answered_s) > 20)
    assert pollers[0].wrong == []
