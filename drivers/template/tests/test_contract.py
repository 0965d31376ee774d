"""The driver keeps the contract that the daemon relies on, over loopback and pty."""

import pytest

from acme_reader.scripted import KIT
from drivers.suite import WIRES, Wire, keeps_the_contract


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.__name__)
async def test_the_driver_keeps_the_contract(wire: Wire) -> None:
    await keeps_the_contract(KIT, wire)
