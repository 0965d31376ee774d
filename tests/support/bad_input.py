"""What goes wrong at a wire, as devices made of code, with the kind of trouble each must become."""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from drivers.barcode.line import TCP as TEXT_SCANNER
from drivers.contract import DriverType
from drivers.rfid.hf import DRIVER as HF
from drivers.rfid.llrp import DRIVER as LLRP
from drivers.rfid.r2000 import DRIVER as R2000
from drivers.rfid.uhfreader import DRIVER as UHFREADER
from drivers.rfid.wiegand import DRIVER as WIEGAND
from protocols.readers.uhfreader import Tag
from tests.support.devices.hf import ScriptedHf
from tests.support.devices.r2000 import ScriptedR2000
from tests.support.readers import ScriptedReader

EPCS = ("E280689400005005B2210861", "49440000000000000A000334")
TAGS = [bytes.fromhex(epc) for epc in EPCS]
R2000_TAG = bytes.fromhex("a01301898c3000300833b2ddd901400000000137bb")
UHF_TAG = bytes.fromhex("1500010301010ce280689400005005b22108614d2f50")
R2000_EPC = "300833B2DDD9014000000001"
LYING = bytes((R2000_TAG[0], R2000_TAG[1] + 9)) + R2000_TAG[2:]
MISREAD = b"\x00\xf8\x80\xfe\x00\xe0\xf8\x80" * 4
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


HF_UID = bytes.fromhex("e00401500a1b2c3d")
UNKNOWN = random.Random(5).randbytes(600)
RUN_TOGETHER = b"]C1011234567890123121SERIAL012345678901210BATCH7\r"


@dataclass(frozen=True)
class Bad:
    """One bad input: the trouble it must become, at which driver, from which device."""

    kind: str
    driver: DriverType
    device: Callable[[], Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}-{self.driver.name}{self.name}".replace("_", "-").replace(".", "-")


BAD: tuple[Bad, ...] = (
    Bad("wrong_dialect", R2000, lambda: Talker(UHF_TAG)),
    Bad("wrong_dialect", UHFREADER, lambda: Talker(R2000_TAG)),
    Bad("wrong_dialect", TEXT_SCANNER, lambda: Talker(greeting=UHF_TAG * 3)),
    Bad("wrong_baud", R2000, lambda: Talker(MISREAD)),
    Bad("wrong_baud", TEXT_SCANNER, lambda: Talker(greeting=MISREAD * 8)),
    Bad("wrong_baud", WIEGAND, lambda: Talker(greeting=MISREAD * 8), {"rendering": "hex"}),
    Bad("unreadable", LLRP, lambda: Talker(greeting=UNKNOWN)),
    Bad("lying_length", R2000, lambda: Talker(LYING)),
    Bad("gs_lost", TEXT_SCANNER, lambda: Talker(greeting=RUN_TOGETHER)),
    Bad("two_dialects", R2000, lambda: ScriptedR2000(tags=TAGS[:1], before=UHF_TAG)),
    Bad("left_pushing", UHFREADER, lambda: pushing(1)),
    Bad("no_terminator", TEXT_SCANNER, lambda: Talker(greeting=b"0110100001" * 100_000)),
    Bad("several_tags", R2000, lambda: ScriptedR2000(tags=TAGS)),
    Bad("several_tags", UHFREADER, lambda: ScriptedReader(tags=[Tag(t, 60) for t in TAGS])),
    Bad("flood", UHFREADER, lambda: pushing(25), {"mode": "push"}),
    Bad("uid_reversed", HF, lambda: ScriptedHf(tags=[HF_UID[::-1]]), {"family": "ti_s6350"}),
    Bad("echo", R2000, Echo),
    Bad("silent", R2000, Talker),
    Bad("unreadable", R2000, lambda: Talker(bytes.fromhex("de5aad10be33ef7701")), {}, "-nobody"),
)
