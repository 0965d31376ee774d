"""A scripted HBM WTX in filler mode, by the shipped map: what is written at a word is not what is read there.

The handshake, the words and the bits are those of the maker's public code; what happens between
them is made up, and so is everything it does wrong.
"""

import asyncio
from dataclasses import dataclass, field

from protocols.registers import register_bytes, register_numbers
from tests.support.plcs import Plc

TARGET = 10
STOP, START, ACTIVATE = 0x0008, 0x0010, 0x0800
FLOW_G_S = 4_000
STEP_G = 10
"""Two decimals of a kilogram."""
HANDSHAKE, OK, FILLER_MODE, TWO_DECIMALS = 1 << 14, 1 << 15, 2, 2 << 4


@dataclass
class HbmFiller(Plc):
    """It doses on the real clock, to whatever target it holds."""

    gross_g: int = 16_500
    target_g: int = 0
    running: bool = False
    ready: bool = False
    keeps_target: bool = False
    refuses_data: bool = False
    written: dict[int, int] = field(default_factory=dict)
    commands: list[int] = field(default_factory=list)
    handshake: bool = False
    ok: bool = False
    from_g: int = 0
    total_g: int = 0
    since_s: float = 0.0

    def tend(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if self.running:
            left_g = self.from_g + self.target_g - self.gross_g
            grams = max(0, min(round((now_s - self.since_s) * FLOW_G_S), left_g))
            self.gross_g, self.total_g = self.gross_g + grams, self.total_g + grams
            self.running, self.ready = left_g > grams, left_g <= grams
        self.since_s = now_s

    def answer(self, pdu: bytes) -> bytes:
        self.asked.append(pdu)
        self.tend()
        address, count = int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")
        if pdu[0] == 3:
            words = self.words()
            values = [words.get(address + at, 0) for at in range(count)]
            return bytes((3, 2 * count)) + register_bytes(values)
        values = [count] if pdu[0] == 6 else list(register_numbers(pdu[6:]))
        self.written |= {address + at: value for at, value in enumerate(values)}
        if address == 0:
            self.obey(values[0])
        return pdu[:5]

    def words(self) -> dict[int, int]:
        """What is read."""
        net_g = self.gross_g - self.from_g if self.running or self.ready else 0
        state = FILLER_MODE | TWO_DECIMALS | self.handshake * HANDSHAKE | self.ok * OK
        masses = {0: net_g, 2: self.gross_g, 18: self.total_g}
        halves = {at: (grams // STEP_G) >> 16 for at, grams in masses.items()}
        halves |= {at + 1: (grams // STEP_G) & 0xFFFF for at, grams in masses.items()}
        return halves | {4: self.running << 4, 5: state, 8: self.running | self.ready << 2}

    def obey(self, word: int) -> None:
        """A command bit, until it is taken back."""
        self.handshake = bool(word)
        if not word:
            return
        self.commands.append(word)
        self.ok = not (word == ACTIVATE and self.refuses_data)
        if word == ACTIVATE and self.ok and not self.keeps_target:
            told = self.written[TARGET] << 16 | self.written[TARGET + 1]
            self.target_g = told * STEP_G
        if word == START:
            self.running, self.ready, self.from_g = True, False, self.gross_g
        if word == STOP:
            self.running = False
