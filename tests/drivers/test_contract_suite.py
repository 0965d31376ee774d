"""Every driver keeps the contract of `drivers.suite` on every wire it can be on."""

import pytest

from drivers.suite import Kit, Wire, keeps_the_contract
from gatewayd.settings.drivers import driver_table
from tests.drivers.kits import KITS, WITHOUT_KIT

RUNS = [(kit, wire) for kit in KITS for wire in kit.wires]


@pytest.mark.parametrize(("kit", "wire"), RUNS, ids=[f"{k}-{w.__name__}" for k, w in RUNS])
async def test_the_driver_keeps_the_contract(kit: Kit, wire: Wire) -> None:
    await keeps_the_contract(kit, wire)


def test_every_shipped_driver_has_a_kit_or_a_reason() -> None:
    served = {kit.driver.name for kit in KITS}
    assert served | set(WITHOUT_KIT) == set(driver_table().names)
    assert not served & set(WITHOUT_KIT)
