"""The contract every driver keeps, as cases that run it against a scripted device on real wires.

No test framework is needed: `await case(kit, wire)` returns or raises AssertionError, and
`await keeps_the_contract(kit, wire)` runs every case at once.

    @pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.__name__)
    async def test_the_driver_keeps_the_contract(wire: Wire) -> None:
        await keeps_the_contract(KIT, wire)
"""

from drivers.suite.bench import Bench, running, until
from drivers.suite.cases import CASES, Case, keeps_the_contract
from drivers.suite.kit import Held, Kit, Scripted
from drivers.suite.wires import WIRES, Faults, Plugged, Wire, on_pty, on_tcp

__all__ = [
    "CASES",
    "WIRES",
    "Bench",
    "Case",
    "Faults",
    "Held",
    "Kit",
    "Plugged",
    "Scripted",
    "Wire",
    "keeps_the_contract",
    "on_pty",
    "on_tcp",
    "running",
    "until",
]
