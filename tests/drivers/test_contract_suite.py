"""Every driver keeps the contract of `drivers.suite` on every wire it can be on."""

import asyncio

import pytest

from drivers.suite import CASES, Case, Kit, Wire, cases, keeps_the_contract
from gatewayd.settings.drivers import driver_table
from tests.drivers.kits import KITS, WITHOUT_KIT
from tests.drivers.kits_in_part import KITS_IN_PART, LEFT_OUT

RUNS = [(kit, wire) for kit in KITS for wire in kit.wires]


@pytest.mark.parametrize(("kit", "wire"), RUNS, ids=[f"{k}-{w.__name__}" for k, w in RUNS])
async def test_the_driver_keeps_the_contract(kit: Kit, wire: Wire) -> None:
    await keeps_the_contract(kit, wire)


def test_every_shipped_driver_has_a_kit_or_a_reason() -> None:
    served = {kit.driver.name for kit in KITS}
    assert served | set(WITHOUT_KIT) == set(driver_table().names)
    assert not served & set(WITHOUT_KIT)


IN_PART = [(kit, wire) for kit in KITS_IN_PART for wire in kit.wires]


@pytest.mark.parametrize(("kit", "wire"), IN_PART, ids=[f"{k}-{w.__name__}" for k, w in IN_PART])
async def test_the_driver_keeps_every_case_that_its_wire_allows(kit: Kit, wire: Wire) -> None:
    await cases.nobody_there_is_an_error_in_words(kit, wire)

    async def keep(case: Case) -> None:
        await case(kit, wire)

    kept = {each for each in CASES if each not in LEFT_OUT[kit.name]}
    async with asyncio.TaskGroup() as group:
        for case in kept - {cases.nobody_there_is_an_error_in_words}:
            group.create_task(keep(case))
