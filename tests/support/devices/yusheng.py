"""A scripted Yusheng filling machine, by the documented layouts: it asks, it reports, it waits."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from protocols.scales.yusheng import seal
from protocols.scales.yusheng.layouts import CODE_BYTES, HEAD, REPORT

PLACE = bytes((51, 1, 7))
MACHINE_NO = b"\x02\x01"


@dataclass
class YushengMachine:
    """`heard` is everything that anybody ever said to it."""

    address: int = 3
    heard: bytearray = field(default_factory=bytearray)
    send: Callable[[bytes], None] = field(default=lambda _data: None)

    def plugged(
        self, send: Callable[[bytes], None], _unplug: Callable[[], None]
    ) -> Callable[[bytes], None]:
        """Somebody opened the wire."""
        self.send = send
        return self.heard.extend

    def scan(self, code: str) -> None:
        """A worker shows it a label: it tells its server, and waits for a permit."""
        head = HEAD + b"\xe0" + PLACE + bytes((self.address, len(code)))
        self.send(seal(head + code.encode().ljust(CODE_BYTES, b"\0") + MACHINE_NO))

    def report(self, golden: bytes, **changes: Any) -> None:
        """A fill that has ended, as the golden frame with changes."""
        values = {**REPORT.parse(golden[:-2]), "address": self.address, **changes}
        self.send(seal(REPORT.build(values)))

    def ask_for_unsupervised_use(self) -> None:
        """Somebody typed a password at it."""
        head = HEAD + b"\xac" + PLACE + bytes((self.address, 0xAC, 10))
        self.send(seal(head + b"12345678"))
