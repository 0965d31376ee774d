"""The house itself: a daemon that ends by itself ends every wait for it, with its last words."""

import socket
from pathlib import Path

import pytest

from gatewayd.sim.wires import TcpWire
from protocols.modbus import tcp_frame, write_one
from tests.e2e.house import WAIT_S, House, drained_ms

pytestmark = pytest.mark.e2e

LEASE = 77


async def test_a_daemon_that_dies_at_its_start_is_not_waited_for(tmp_path: Path) -> None:
    async with House(tmp_path, start=False) as house:
        with (house.config / "gateway.yaml").open("a") as file:
            file.write("statoin: {}\n")
        await house.daemon.start()
        with pytest.raises(AssertionError, match=r"ended by itself with 1\b") as failed:
            await house.ready()
        assert "did you mean" in str(failed.value)
        assert "waited 2.0 s in vain" in str(failed.value)


async def test_what_a_daemon_said_before_it_ended_still_arrives(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        assert house.daemon.process is not None
        house.daemon.process.terminate()
        await house.until(lambda: house.newest("status").get("state") == "offline")
        assert await house.daemon.ended() == 0


async def test_what_was_sent_in_time_is_taken_before_the_clock_is_read(tmp_path: Path) -> None:
    """However long this process stood still: what a dead daemon had sent is no sign of life."""
    async with House(tmp_path, start=False) as house:
        (rig,) = house.station.rigs
        assert isinstance(rig.plc_wire, TcpWire)
        with socket.create_connection(("127.0.0.1", rig.plc_wire.port)) as daemon:
            daemon.sendall(tcp_frame(1, rig.plc.slave.unit, write_one(1, LEASE).pdu))
            assert rig.plc.command[1] != LEASE, "still in the wires"
            died_ms = await drained_ms(rig)
        assert rig.plc.command[1] == LEASE
        assert rig.plc.renewed_ms <= died_ms


def test_a_wait_in_vain_ends_before_its_test_is_ended(request: pytest.FixtureRequest) -> None:
    """It says what it saw instead; pytest's own timeout says nothing of that."""
    assert float(request.config.getini("timeout")) > 2 * WAIT_S
