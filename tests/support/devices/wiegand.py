"""A scripted Wiegand converter: a card held to its reader is one line in its rendering."""

from collections.abc import Callable
from dataclasses import dataclass, field

from protocols.readers.wiegand import Card, Rendering, Width, render


@dataclass
class ScriptedConverter:
    """Sends a line a card and listens to nothing."""

    rendering: Rendering = "hex"
    bits: Width = 26
    end: bytes = b"\r\n"
    send: Callable[[bytes], None] = field(default=lambda _data: None)
    unplug: Callable[[], None] = field(default=lambda: None)

    def plugged(
        self, send: Callable[[bytes], None], unplug: Callable[[], None]
    ) -> Callable[[bytes], None]:
        self.send, self.unplug = send, unplug
        return lambda _data: None

    def push(self, uid: bytes) -> None:
        """Hold the card with this canonical uid to the reader."""
        text = render(Card(self.bits, int.from_bytes(uid)), self.rendering)
        self.send(text.encode() + self.end)
