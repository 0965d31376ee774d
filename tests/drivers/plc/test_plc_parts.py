"""The parts of the PLC driver on their own: settings, turns, schedule."""

import asyncio
from collections import Counter

import pytest
from pydantic import ValidationError

from drivers.links import SerialLink, TcpLink
from drivers.plc.modbus import DRIVER, gate_gaps
from drivers.plc.polling import SLOTS, Schedule
from drivers.plc.settings import PlcModbusSettings
from drivers.plc.turns import Rank, Turns
from protocols import registers
from tests.support.plcs import CONFIG, REFERENCE
from tests.support.stopped_time import StoppedLoop, run

TCP = {"tcp": "10.0.0.4:502"}
SERIAL = {"serial": "/dev/ttyS0", "baud": 9600}


def test_settings_are_those_of_the_contract() -> None:
    settings = PlcModbusSettings.model_validate_json(
        '{"link": {"tcp": "192.168.1.40:502"}, "unit": 1, "profile": "reference-gate-v1",'
        ' "poll_ms": 100}'
    )
    assert settings.link == TcpLink(tcp="192.168.1.40:502")
    assert (settings.unit, settings.poll_ms, settings.timeout_ms) == (1, 100, 300)
    assert DRIVER.wire(settings) == "tcp:192.168.1.40:502"
    assert DRIVER.shares_wire
    assert DRIVER.capabilities == {"gate", "scale"}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"unit": 248}, "less than or equal to 247"),
        ({"unit": -1}, "greater than or equal to 0"),
        ({"poll_ms": 9}, "greater than or equal to 10"),
        ({"poll_ms": 10_001}, "less than or equal to 10000"),
        ({"idle_poll_ms": 501}, "less than or equal to 500"),
        ({"poll_ms": 200, "idle_poll_ms": 199}, "199 is faster than poll_ms 200"),
        ({"timeout_ms": 19}, "greater than or equal to 20"),
        ({"link": SERIAL, "unit": 0}, "unit 0 is broadcast"),
        ({"link": SERIAL, "timeout_ms": 38}, "shorter than one reply at 9600 baud, 39 ms"),
        ({"baud": 9600}, "Extra inputs"),
    ],
)
def test_settings_out_of_range_are_refused(changed: dict[str, object], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        PlcModbusSettings.model_validate({"link": TCP, "profile": "x", **changed})


@pytest.mark.parametrize("unit", [0, 247])
def test_settings_at_the_limits_are_taken(unit: int) -> None:
    PlcModbusSettings.model_validate({"link": TCP, "profile": "x", "unit": unit})
    line = SerialLink.model_validate(SERIAL)
    PlcModbusSettings(link=line, profile="x", unit=247, timeout_ms=39)


def test_a_map_without_what_a_gate_needs_is_no_gate() -> None:
    text = (CONFIG / "profiles/reference-gate-v1.yaml").read_text(encoding="utf-8")
    assert gate_gaps(REFERENCE) == ()
    no_total = registers.load(text.replace("  total_g:", "  flow_g:"), "no total")
    assert gate_gaps(no_total) == ("total_g is not reported",)
    no_lease = registers.load(text.replace("  lease:", "  counter:"), "no lease")
    assert "instead of permit, lease, target_g" in gate_gaps(no_lease)[0]
    settings = PlcModbusSettings.model_validate({"link": TCP, "profile": "x"})
    assert DRIVER.objections(settings, {"x": no_total}) == (
        "profile 'reference-gate-v1' is no gate: total_g is not reported",
    )


async def test_a_turn_given_to_one_who_leaves_is_passed_on() -> None:
    turns = Turns()
    await turns.acquire(Rank.POLL)
    leaving = asyncio.ensure_future(turns.acquire(Rank.LOCK))
    staying = asyncio.ensure_future(turns.acquire(Rank.POLL))
    await asyncio.sleep(0)
    turns.release()
    leaving.cancel()
    await asyncio.wait_for(staying, 1)
    assert leaving.cancelled()


def ticks(slot: int, count: int, *, stall_s: float = 0, after: int = 0) -> list[float]:
    """When a schedule of 20 ms ticks, in periods; the loop stalls after one of the ticks."""
    loop = StoppedLoop()

    async def walk() -> list[float]:
        schedule, found = Schedule(0.02, slot), list[float]()
        for index in range(count):
            await schedule.next()
            found.append(loop.time() / 0.02)
            if index == after:
                loop.stall(stall_s)
        return found

    return run(walk(), loop)


def test_polls_keep_to_the_grid_and_skip_what_a_stall_missed() -> None:
    found = ticks(0, 8, stall_s=0.09, after=3)
    first = round(found[0])
    assert found == pytest.approx([first + tick for tick in (0, 1, 2, 3, 8, 9, 10, 11)], abs=1e-6)


@pytest.mark.parametrize(("devices", "apart_s"), [(2, 0.08), (4, 0.04), (16, 0.01)])
async def test_the_polls_of_few_devices_lie_as_far_apart_as_can_be(
    devices: int, apart_s: float
) -> None:
    phases = sorted(Schedule(0.16, slot).phase_s for slot in range(devices))
    assert phases == pytest.approx([number * apart_s for number in range(devices)])


async def test_many_devices_share_ticks_evenly() -> None:
    phases = Counter(Schedule(0.1, slot).phase_s for slot in range(4 * SLOTS))
    assert len(phases) == SLOTS
    assert set(phases.values()) == {4}


def test_a_device_ticks_at_its_own_part_of_the_period() -> None:
    found = ticks(1, 5)
    first = int(found[0])
    assert found == pytest.approx([first + tick + 0.5 for tick in range(5)], abs=1e-6)
