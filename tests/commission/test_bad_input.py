"""Everything that goes wrong at a wire is named by a probe in plain words, and nothing is guessed."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from drivers.barcode.line import TCP as TEXT_SCANNER
from drivers.contract import DriverType, TagRead
from drivers.rfid.r2000 import DRIVER as R2000
from drivers.rfid.uhfreader import DRIVER as UHFREADER
from drivers.suite import on_tcp
from gatewayd.clock import SystemClock
from gatewayd.commission.probe import Seen, read
from protocols.readers.uhfreader import Tag
from tests.support.devices.r2000 import ScriptedR2000
from tests.support.readers import ScriptedReader

EPCS = ("E280689400005005B2210861", "49440000000000000A000334")
TAGS = [bytes.fromhex(epc) for epc in EPCS]
R2000_TAG = bytes.fromhex("a01301898c3000300833b2ddd901400000000137bb")
UHF_TAG = bytes.fromhex("1500010301010ce280689400005005b22108614d2f50")
R2000_EPC = "300833B2DDD9014000000001"
LYING = bytes((R2000_TAG[0], R2000_TAG[1] + 9)) + R2000_TAG[2:]
MISREAD = b"\x00\xf8\x80\xfe\x00\xe0\xf8\x80" * 4
READ_S = 2.0
PUSH_EVERY_S = 0.05


class Talker:
    """Says its greeting once and one thing for everything it hears."""

    def __init__(self, says: bytes = b"", greeting: bytes = b"") -> None:
        self.says = says
        self.greeting = greeting

    def plugged(
        self, send: Callable[[bytes], None], unplug: Callable[[], None]
    ) -> Callable[[bytes], None]:
        del unplug
        if self.greeting:
            send(self.greeting)
        return lambda _data: send(self.says)


class Echo:
    """An RS-485 adapter that returns what it is told, with nothing behind it."""

    def plugged(
        self, send: Callable[[bytes], None], unplug: Callable[[], None]
    ) -> Callable[[bytes], None]:
        del unplug
        return send


class Pushing(ScriptedReader):
    """A reader that was left in push mode, will not leave it, and sends its tags all the time."""

    def plugged(
        self, send: Callable[[bytes], None], unplug: Callable[[], None]
    ) -> Callable[[bytes], None]:
        hear = super().plugged(send, unplug)
        loop = asyncio.get_running_loop()

        def push() -> None:
            for tag in self.tags:
                self.push(tag)
            loop.call_later(PUSH_EVERY_S, push)

        push()
        return hear


def pushing(tags: int) -> Pushing:
    epcs = (bytes.fromhex(EPCS[0])[:-1] + bytes((number,)) for number in range(tags))
    return Pushing(tags=[Tag(epc, 60) for epc in epcs], pushes=True, keeps_mode=True)


async def probed(
    driver: DriverType,
    device: Any,
    settings: Mapping[str, Any] | None = None,
    read_s: float = READ_S,
) -> Seen:
    seen = Seen()
    async with on_tcp(device.plugged) as link:
        made = driver.make(
            "gun-1", driver.settings.model_validate({"link": link} | dict(settings or {})), {}
        )
        await read(made, seen, SystemClock(), read_s=read_s, trigger=False)
    seen.diagnose(driver.formats[0], None)
    return seen


@pytest.mark.parametrize(
    ("kind", "driver", "device", "settings"),
    [
        ("wrong_dialect", R2000, lambda: Talker(UHF_TAG), {}),
        ("wrong_dialect", UHFREADER, lambda: Talker(R2000_TAG), {}),
        ("wrong_dialect", TEXT_SCANNER, lambda: Talker(greeting=UHF_TAG * 3), {}),
        ("wrong_baud", R2000, lambda: Talker(MISREAD), {}),
        ("lying_length", R2000, lambda: Talker(LYING), {}),
        (
            "gs_lost",
            TEXT_SCANNER,
            lambda: Talker(greeting=b"]C1011234567890123121SERIAL012345678901210BATCH7\r"),
            {},
        ),
        ("two_dialects", R2000, lambda: ScriptedR2000(tags=TAGS[:1], before=UHF_TAG), {}),
        ("left_pushing", UHFREADER, lambda: pushing(1), {}),
        ("no_terminator", TEXT_SCANNER, lambda: Talker(greeting=b"0110100001" * 100_000), {}),
        ("several_tags", R2000, lambda: ScriptedR2000(tags=TAGS), {}),
        ("several_tags", UHFREADER, lambda: ScriptedReader(tags=[Tag(t, 60) for t in TAGS]), {}),
        ("flood", UHFREADER, lambda: pushing(25), {"mode": "push"}),
        ("echo", R2000, Echo, {}),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "name", None),
)
async def test_a_probe_names_what_is_wrong(
    kind: str, driver: DriverType, device: Callable[[], Any], settings: Mapping[str, Any]
) -> None:
    seen = await probed(driver, device(), settings)
    assert kind in seen.troubles, (seen.error, seen.up, list(seen.troubles), list(seen.noise)[:3])
    trouble = seen.troubles[kind]
    assert trouble.zh
    assert trouble.en
    assert seen.state == "wrong"
    read_as = {each.uid for each in seen.readings if isinstance(each, TagRead)}
    heads = {uid[:-2] for uid in (*EPCS, R2000_EPC)}
    assert {uid[:-2] for uid in read_as} <= heads, "nothing is guessed into an identity"


async def test_a_healthy_reader_has_no_troubles() -> None:
    for driver, device in (
        (R2000, ScriptedR2000(tags=TAGS[:1])),
        (UHFREADER, ScriptedReader(tags=[Tag(TAGS[0], 60)])),
    ):
        seen = await probed(driver, device, read_s=0.3)
        assert (seen.state, seen.troubles) == ("answered", {})
