"""Every driver's device is found by its own question and probed, whatever the other drivers ask."""

from pathlib import Path

import pytest

from drivers.suite import Kit, on_tcp
from gatewayd.clock import SystemClock
from gatewayd.commission.detect import Search, detect
from gatewayd.commission.knowledge import knowledge
from gatewayd.commission.probe import Seen, read
from gatewayd.commission.report import as_json
from tests.drivers.kits import KITS
from tests.support.machines import FakeMachine

LISTEN_S = 0.05
GREETING_S = 0.3
ANSWER_S = 0.15
"""Scripted devices answer at once; a loaded machine may take a little."""
FIRST = {kit.driver.name: kit for kit in reversed(KITS) if on_tcp in kit.wires}
FOUND = {name: kit for name, kit in FIRST.items() if kit.driver.hellos}


@pytest.mark.parametrize("name", sorted(FOUND))
async def test_a_device_is_found_by_the_question_of_its_driver(name: str, tmp_path: Path) -> None:
    device = FOUND[name].device()
    async with on_tcp(device.plugged) as link:
        machine = FakeMachine(tmp_path).machine
        search = Search(machine, knowledge(), {}, listen_s=LISTEN_S, answer_s=ANSWER_S)
        (find,) = (await detect(search, (link["tcp"],), lambda _: None)).hosts
    assert find.guess is not None
    assert find.guess.drivers[0] == name
    assert find.line.startswith(("reader-1: ", "scanner-1: "))


async def test_an_llrp_reader_is_found_by_its_greeting(tmp_path: Path) -> None:
    device = FIRST["rfid.llrp"].device()
    async with on_tcp(device.plugged) as link:
        machine = FakeMachine(tmp_path).machine
        search = Search(machine, knowledge(), {}, listen_s=GREETING_S, answer_s=ANSWER_S)
        (find,) = (await detect(search, (link["tcp"],), lambda _: None)).hosts
    assert find.guess is not None
    assert (find.guess.drivers[0], find.guess.how) == ("rfid.llrp", "greeting")


@pytest.mark.parametrize("name", sorted(FIRST))
async def test_a_device_answers_a_probe(name: str) -> None:
    kit: Kit = FIRST[name]
    device, seen = kit.device(), Seen()
    async with on_tcp(device.plugged) as link:
        await read(kit.make(link), seen, SystemClock(), read_s=0.1, trigger=False)
    assert seen.up is not None, seen.error
    found = as_json(seen, kit.driver.formats)
    unknown = [frame["hex"] for frame in found["frames"] if frame["format"] is None]
    assert not unknown, "every proven frame has a meaning"
