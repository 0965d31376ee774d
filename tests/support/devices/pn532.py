"""A scripted PN532 on HSU: asleep until woken, acknowledges, and holds NTAG213 tags."""

from collections.abc import Callable
from dataclasses import dataclass, field

from protocols.readers import pn532
from protocols.readers.pn532 import Target, messages
from protocols.readers.pn532.commands import build_firmware_reply, build_targets_reply
from protocols.tags import nfc_commands

PAGES = 45


@dataclass
class ScriptedPn532:
    """Answers like a chip; change it while it runs."""

    tags: list[bytes] = field(default_factory=list)
    sel_res: int = 0
    silent: bool = False
    before: bytes = b""
    slow_s: float = 0.0
    pushes: bool = False
    deaf_to: frozenset[int] = frozenset()
    """Commands it answers with an error frame."""
    eats: int = 0
    """So many exchanges with a tag fail in the air first."""
    ignores_writes: bool = False
    echoes: bool = False
    awake: bool = False
    memory: dict[bytes, list[bytes]] = field(default_factory=dict)
    heard: list[messages.Message] = field(default_factory=list)
    send: Callable[[bytes], None] = lambda _: None
    unplug: Callable[[], None] = lambda: None

    def plugged(
        self, send: Callable[[bytes], None], unplug: Callable[[], None]
    ) -> Callable[[bytes], None]:
        self.send, self.unplug = send, unplug
        self.awake = False
        framer = pn532.new_framer()

        def hear(data: bytes) -> None:
            if self.echoes:
                send(data)
            self.awake = self.awake or data.startswith(b"\x55")
            for piece in framer.feed(data):
                if isinstance(piece, bytes) and self.awake:
                    self._hear(pn532.decode(piece))

        return hear

    def pages(self, uid: bytes) -> list[bytes]:
        fresh = [bytes((page,)) * nfc_commands.PAGE_BYTES for page in range(PAGES)]
        return self.memory.setdefault(uid, fresh)

    def _hear(self, message: messages.Message) -> None:
        self.heard.append(message)
        if isinstance(message, pn532.Command) and not self.silent:
            self.send(self.before + pn532.ACK + self._answer(message))

    def _answer(self, command: pn532.Command) -> bytes:
        if command.code in self.deaf_to:
            return pn532.ERROR_FRAME
        match command.code:
            case messages.GET_FIRMWARE:
                return build_firmware_reply(pn532.Firmware(0x32, 1, 6, 7))
            case messages.LIST_TARGETS:
                seen = self.tags[: command.data[0]]
                targets = [
                    Target(number, b"\x00\x44", self.sel_res, uid)
                    for number, uid in enumerate(seen, start=1)
                ]
                return build_targets_reply(targets)
            case messages.DATA_EXCHANGE:
                return pn532.build_reply(command.code, self._exchange(command.data))
        return pn532.build_reply(command.code)

    def _exchange(self, data: bytes) -> bytes:
        if self.eats or data[0] > len(self.tags):
            self.eats -= 1
            return b"\x01"
        pages = self.pages(self.tags[data[0] - 1])
        page = data[2]
        if page >= PAGES:
            return b"\x13"
        if data[1] == nfc_commands.READ:
            return b"\x00" + b"".join((pages * 2)[page : page + 4])
        if not self.ignores_writes:
            pages[page] = data[3:]
        return b"\x00"
