"""How long a read may wait: tags are passed on while they are fresh, and late ones when they come."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from drivers.contract import DriverType, TagRead
from drivers.rfid.chafon import DRIVER as CHAFON
from drivers.rfid.hf import DRIVER as HF
from drivers.rfid.hf_line import ROUND_S_MAX
from drivers.rfid.m100 import DRIVER as M100
from drivers.rfid.r2000 import DRIVER as R2000
from drivers.rfid.rounds import HELD_S_MAX
from drivers.rfid.uhfreader import DRIVER as UHFREADER
from drivers.suite import Bench, on_tcp, running
from drivers.suite.held_back import what_was_held_back_is_as_old_as_it_is
from protocols.readers import chafon_cf, m100, r2000, uhfreader
from protocols.readers.hf import FAMILIES
from tests.drivers.kits import KITS
from tests.support.devices.chafon import ScriptedChafon
from tests.support.devices.hf import ScriptedHf
from tests.support.devices.m100 import ScriptedM100
from tests.support.devices.r2000 import ScriptedR2000
from tests.support.readers import ScriptedReader

EPC = bytes.fromhex("e280689400005005b2210861")
MARGIN_S = 0.3
"""What a busy machine may add."""
SECOND_NS = 1_000_000_000
Hear = Callable[[bytes], None]


class Muffled:
    """A device whose words `keep` decides on; `said_s` is when a tag last went over the wire."""

    def __init__(self, device: Any, keep: Callable[[bytes], bytes]) -> None:
        self._device = device
        self._keep = keep
        self.said_s: list[float] = []

    def plugged(self, send: Hear, unplug: Callable[[], None]) -> Hear:
        def muffled(data: bytes) -> None:
            kept = self._keep(data)
            if EPC in kept:
                self.said_s.append(asyncio.get_running_loop().time())
            if kept:
                send(kept)

        heard: Hear = self._device.plugged(muffled, unplug)
        return heard


def without(*ends: bytes) -> Callable[[bytes], bytes]:
    """The end of a round is lost on the line."""

    def keep(data: bytes) -> bytes:
        for end in ends:
            data = data.replace(end, b"")
        return data

    return keep


def endless(kind: str) -> tuple[Any, DriverType, Callable[[bytes], bytes]]:
    """A reader of each family that sees a tag and never says that the round is over."""
    if kind == "uhfreader":
        end = uhfreader.build_inventory_reply(0, "288", status=uhfreader.codes.DONE, antenna_raw=1)
        reader = ScriptedReader(tags=[uhfreader.Tag(EPC, 77)], scan_time_100ms=0)
        return reader, UHFREADER, without(end)
    if kind == "r2000":
        end = r2000.build_reply(r2000.RoundEnd(1, r2000.codes.INVENTORY, 0, 0, 1))
        return ScriptedR2000(tags=[EPC]), R2000, without(end)
    code, status = chafon_cf.codes.INVENTORY, chafon_cf.codes.ROUND_FINISHED
    chafon = ScriptedChafon(tags=[EPC])
    end = chafon_cf.build_reply(chafon_cf.Answer(chafon.address, code, status))
    return chafon, CHAFON, without(end)


def made(type_: DriverType, link: dict[str, Any], **settings: Any) -> Any:
    parsed = type_.settings.model_validate_json(json.dumps({"link": link, **settings}))
    return type_.make("gun-1", parsed, {})


def first_read_s(bench: Bench) -> float:
    read = next(reading for reading in bench.readings if isinstance(reading, TagRead))
    return read.at_ns / SECOND_NS


@pytest.mark.parametrize("kind", ["uhfreader", "r2000", "chafon"])
async def test_a_round_that_does_not_end_holds_no_tag_back(kind: str) -> None:
    device, type_, keep = endless(kind)
    muffled = Muffled(device, keep)
    async with on_tcp(muffled.plugged) as link, running(made(type_, link)) as bench:
        await bench.until(lambda: bench.uids)
    assert first_read_s(bench) - muffled.said_s[0] < 2 * HELD_S_MAX + MARGIN_S


async def test_a_round_that_goes_on_and_on_passes_its_tags_on_meanwhile() -> None:
    module = ScriptedM100(tags=[EPC])
    async with on_tcp(module.plugged) as link, running(made(M100, link, marks="bb_7e")) as bench:
        await bench.until(lambda: bench.uids)
        polls = len(module.codes_heard(m100.codes.POLL))
        await bench.until(lambda: len(module.codes_heard(m100.codes.POLL)) > polls)
        bench.readings.clear()
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        while not bench.uids and loop.time() < began_s + 3.0:
            module.push(EPC)
            await asyncio.sleep(0.02)  # as often as it sees the tag
    assert first_read_s(bench) - began_s < 2 * HELD_S_MAX + MARGIN_S


async def test_an_hf_round_that_trickles_is_cut_short() -> None:
    uid = bytes.fromhex("e00401009f2625f5")
    reader = ScriptedHf("uhfreader_hf", says=bytes((0, 0)) + uid[::-1])
    settings = {"family": "uhfreader_hf"}
    async with on_tcp(reader.plugged) as link, running(made(HF, link, **settings)) as bench:
        await bench.until(lambda: [asked for asked in reader.heard if asked.what == "inventory"])
        began_s = asyncio.get_running_loop().time()
        payload = bytes((0, 0)) + uid[::-1]
        while not bench.uids:
            await asyncio.sleep(0.25)  # as often as it tells
            reader.send(FAMILIES["uhfreader_hf"].command(payload, reader.address))
    assert first_read_s(bench) - began_s < ROUND_S_MAX + 2 * MARGIN_S


async def test_what_a_network_held_back_counts_from_when_it_was_asked_for() -> None:
    kit = next(kit for kit in KITS if kit.name == "uhfreader288-poll")
    await what_was_held_back_is_as_old_as_it_is(kit, on_tcp)


async def test_a_late_answer_is_heard_when_it_comes_and_answers_nothing_else() -> None:
    module = ScriptedM100()
    settings = {"marks": "bb_7e", "poll_ms": 2_000}
    async with on_tcp(module.plugged) as link, running(made(M100, link, **settings)) as bench:
        await bench.until(lambda: bench.ups)
        polls = len(module.codes_heard(m100.codes.POLL))
        said_s = asyncio.get_running_loop().time()
        module.push(EPC)
        await bench.until(lambda: bench.uids)
        assert len(module.codes_heard(m100.codes.POLL)) == polls, "it waited for the next round"
    assert first_read_s(bench) - said_s < MARGIN_S
