"""A gate's totaliser that goes backwards: the rig is told not to believe, with register and raw value."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from drivers.contract import Driver, Trouble
from drivers.plc.modbus import DRIVER
from drivers.plc.totals import JITTER_G, UINT32, Total
from protocols.documents import parse, validate
from protocols.registers import register_numbers
from tests.support.plcs import REFERENCE, Plc, Seen, TcpServer
from tests.support.waiting import until

POINT = REFERENCE.points["total_g"]


@pytest.mark.parametrize(
    ("totals", "doubted"),
    [
        ((0, 10, 1_000), []),
        ((1_000, 1_000 - JITTER_G), []),
        ((1_000, 999 - JITTER_G, 2_000), [1]),
        ((UINT32 - 5, 3), []),
        ((5_000, 0, 0, 7), [1]),
        ((0, UINT32 - 21), [1]),
    ],
)
def test_back_is_back_and_a_wrap_is_none(totals: Sequence[int], doubted: list[int]) -> None:
    total = Total("scale-1", POINT)
    said = [total.doubt(total_g) for total_g in totals]
    assert [at for at, trouble in enumerate(said) if trouble] == doubted


def test_it_names_device_register_and_raw_value() -> None:
    total = Total("scale-1", POINT)
    total.doubt(70_000)
    trouble = total.doubt(100)
    assert trouble is not None
    assert trouble.kind == "weight_unknown"
    assert (
        "scale-1: the totaliser went back by 69900 g: total_g at holding 108-109 = 0x00000064"
        in (trouble.en)
    )
    assert "total_g at holding 108-109 = 0x00000064" in trouble.zh


@asynccontextmanager
async def _running(made: Driver, seen: Seen, troubles: list[Trouble]) -> AsyncIterator[None]:
    context = replace(seen.context(), trouble=troubles.append)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(made.run(context))
        try:
            yield
        finally:
            task.cancel()


async def test_the_gate_has_a_scale_fault_for_that_moment_and_stays_connected() -> None:
    plc, seen, troubles = Plc(), Seen(), list[Trouble]()
    plc.report[8:10] = register_numbers((70_000).to_bytes(4, "big"))
    async with TcpServer({1: plc}).serving() as server:
        text = f'{{link: {{tcp: "127.0.0.1:{server.port}"}}, profile: {REFERENCE.id}, poll_ms: 20}}'
        settings = validate(parse(text, "test"), DRIVER.settings)
        made = DRIVER.make("scale-1", settings, {REFERENCE.id: REFERENCE})
        async with _running(made, seen, troubles):
            await until(lambda: bool(seen.samples))
            plc.report[8:10] = [0, 100]
            await until(lambda: seen.samples[-1].total_g == 100)
            await until(lambda: not seen.samples[-1].scale_fault)
        faults = [sample.total_g for sample in seen.samples if sample.scale_fault]
        assert faults == [100]
        assert [trouble.kind for trouble in troubles] == ["weight_unknown"]
        assert server.connections == 1
