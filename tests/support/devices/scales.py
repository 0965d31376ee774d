"""Scripted scales: they answer, or send by themselves, byte for byte."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from protocols.framing import Framer
from protocols.scales import mt_sics, toledo, yaohua
from protocols.scales.yaohua import a12e, command, continuous


@dataclass
class Plug:
    """What every scripted scale has: a wire, a weight and faults."""

    value: Decimal = Decimal("14.50")
    silent: bool = False
    before: bytes = b""
    """Garbage in front of everything sent."""
    slow_s: float = 0.0
    send: Callable[[bytes], None] = field(default=lambda _data: None)
    unplug: Callable[[], None] = field(default=lambda: None)
    heard: list[bytes] = field(default_factory=list)
    connections: int = 0
    _sent_s: float = 0.0

    def plugged(
        self, send: Callable[[bytes], None], unplug: Callable[[], None]
    ) -> Callable[[bytes], None]:
        """Somebody opened the wire."""
        self.send, self.unplug = send, unplug
        self.connections += 1
        framer = self.framer()

        def hear(data: bytes) -> None:
            for piece in framer.feed(data):
                if isinstance(piece, bytes):
                    self.heard.append(piece)
                    self.say(self.answer(piece))

        return hear

    def framer(self) -> Framer:
        """What it hears; nothing, if it only sends."""
        return yaohua.new_framer("command")

    def answer(self, _asked: bytes) -> bytes:
        """What it says to a question."""
        return b""

    def say(self, data: bytes) -> None:
        """Send, with the faults that are on; one thing after the other, however slow."""
        if self.silent or not data:
            return
        loop = asyncio.get_running_loop()
        self._sent_s = max(self._sent_s, loop.time() + self.slow_s)
        if self._sent_s > loop.time():
            loop.call_at(self._sent_s, self.send, self.before + data)
        else:
            self.send(self.before + data)


@dataclass
class YaohuaScale(Plug):
    """A Yaohua or Keli indicator of one variant."""

    variant: yaohua.Variant = "command"
    address: str = "A"
    echoes: bool = False
    """Its RS-485 adapter returns what is sent."""
    text: str = ""
    """Shown instead of a weight: the data of a command frame, or OL and LO of an A12E."""
    tells_tare: bool = True
    """Command C is answered too; a simple copy knows only B."""

    def frame(self) -> bytes:
        """The weight as this variant sends it."""
        match self.variant:
            case "command" | "keli":
                data = self.text or command.weight_data(self.value, self.variant)
                return command.build_said(self.address, command.GROSS, data)
            case "continuous_0":
                return continuous.build_0(self.value)
            case "continuous_1" | "continuous_2":
                return continuous.build_plain(self.value, self.variant)
            case "a12e":
                return a12e.build_out(self.text) if self.text else a12e.build(self.value)

    def answer(self, asked: bytes) -> bytes:
        """The gross weight, or the tare, to a question at its address."""
        return asked + self._told(asked) if self.echoes else self._told(asked)

    def _told(self, asked: bytes) -> bytes:
        if self.variant not in ("command", "keli"):
            return b""
        if asked == command.build_ask(self.address, command.GROSS):
            return self.frame()
        if self.tells_tare and asked == command.build_ask(self.address, command.TARE):
            return command.build_weighed(self.address, command.TARE, Decimal("0.00"), self.variant)
        return b""


@dataclass
class ToledoScale(Plug):
    """An indicator with Toledo continuous output; `b` is its status B."""

    b: int = toledo.KILOGRAMS | 0x20
    a: int = 0x2C
    c: int = 0x20
    tare: Decimal = Decimal("0.00")
    checked: bool = True

    def frame(self) -> bytes:
        """The weight with two decimals."""
        digits, tare = (f"{abs(each.scaleb(2)):6.0f}" for each in (self.value, self.tare))
        b = self.b | (toledo.NEGATIVE if self.value < 0 else 0)
        return toledo.build(toledo.Frame(self.a, b, self.c, digits, tare, self.checked))


@dataclass
class SicsScale(Plug):
    """A scale that speaks MT-SICS; `value` is what is on it, the tare is taken off."""

    tare: Decimal = Decimal("0.00")
    unit: str = "kg"
    status: str = "S"
    knows_tare: bool = True
    knows_serial: bool = True
    repeats: bool = False
    after_weight: Callable[[], None] = field(default=lambda: None)
    """Happens after a weight was told: somebody presses a key."""

    def framer(self) -> Framer:
        return mt_sics.new_framer()

    def answer(self, asked: bytes) -> bytes:
        """What a balance says."""
        name = mt_sics.decode(asked).name
        match name:
            case "SI" | "SIR":
                self.repeats = name == "SIR"
                frame = self.frame()
                self.after_weight()
                return frame
            case "TA" if self.knows_tare:
                return mt_sics.build(mt_sics.Line("answer", "TA", "A", self.tare, self.unit))
            case "I4" if self.knows_serial:
                return mt_sics.build(mt_sics.Line("answer", "I4", "A", text='"B021002593"'))
        return mt_sics.build(mt_sics.Line("error", "ES"))

    def frame(self) -> bytes:
        """The net weight, or its sign alone."""
        if self.status not in "SD":
            return mt_sics.build(mt_sics.Line("answer", "S", self.status))
        net = self.value - self.tare
        return mt_sics.build(mt_sics.Line("answer", "S", self.status, net, self.unit))


async def streaming(
    scale: YaohuaScale | ToledoScale | SicsScale,
    *,
    every_s: float = 0.02,
    only: Callable[[], bool] = lambda: True,
) -> None:
    """Let a scale send its weight by itself until cancelled."""
    while True:
        if only():
            scale.say(scale.frame())
        await asyncio.sleep(every_s)
