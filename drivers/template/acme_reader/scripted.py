"""An ACME reader made of code, byte for byte, and the kit by which the contract suite runs it."""

from collections.abc import Callable

from drivers.suite import Kit

from . import codec
from .driver import DRIVER


class ScriptedAcme:
    """Answers as the real one; `uids` are the tags in its field now."""

    def __init__(self) -> None:
        self.uids: tuple[str, ...] = ()

    def plugged(
        self, send: Callable[[bytes], None], unplug: Callable[[], None]
    ) -> Callable[[bytes], None]:
        """Somebody opened the wire."""
        del unplug
        framer = codec.new_framer()

        def hear(data: bytes) -> None:
            for piece in framer.feed(data):
                if isinstance(piece, bytes):
                    send(self._answer(codec.decode(piece)))

        return hear

    def _answer(self, asked: codec.Message) -> bytes:
        if asked.command == codec.MODEL:
            return codec.encode(codec.Message(codec.MODEL, b"One 1.0"))
        data = [bytes((1, 60)) + bytes.fromhex(uid) for uid in self.uids]
        return b"".join(codec.encode(codec.Message(codec.INVENTORY, d)) for d in [*data, b""])


def _show(device: ScriptedAcme, uids: tuple[str, ...]) -> None:
    device.uids = uids


KIT = Kit(
    name="acme",
    driver=DRIVER,
    device=ScriptedAcme,
    show=_show,
    identities=("E280689400005005B2210861", "49440000000000000A000334"),
)
