"""From what a head sent to reads: text, AIM identifier, no-read, and what is wrong with the wire.

Nothing is repaired: a text is a code as it came, or it is noise.
"""

from collections.abc import Iterable

from drivers import troubles
from drivers.barcode.settings import ScannerSettings
from drivers.contract import CodeRead, Context, Trouble
from drivers.links import SerialLink
from protocols.diagnose import LIVE_BYTES_MAX, diagnose
from protocols.framing import FrameError, Noise, Piece
from protocols.scanners import decode_text, is_no_read
from protocols.scanners.aim import GS1, split_aim
from protocols.tags import keys
from protocols.tags.gs1 import GS

ENDLESS_BYTES = 2048
"""So much text without an end is no code: two full ones."""
TOLD_FROM_BYTES = 64
TOLD_AGAIN_TIMES = 4
"""So many bytes without one code are looked at, then four times as many, and so on."""
TOLD_AGAIN_S = 10
"""And again after so long, so that it is told while it lasts."""
_SECOND_NS = 1_000_000_000
CUT_OFF_MAX = 2
"""So many codes in a row cut off by silence mean that the head sends no suffix."""
NON_BARCODE = "Z"
"""Symbology of what a scanner says about itself (ISO/IEC 15424)."""


class Codes:
    """The codes of one scanner since it was connected."""

    def __init__(self, name: str, settings: ScannerSettings, context: Context) -> None:
        self._name = name
        self._settings = settings
        self._context = context
        self._noise = bytearray()
        self._unread_bytes = 0
        self._told_bytes = TOLD_FROM_BYTES
        self._told_ns = context.monotonic_ns()
        self._cut_off = 0
        self._gs_seen = False
        link = getattr(settings, "link", None)
        self._baud = link.baud if isinstance(link, SerialLink) else None

    def take(self, pieces: Iterable[Piece]) -> bool:
        """Emit every code of these, count the rest; True when one was emitted."""
        return sum(self._piece(piece) for piece in pieces) > 0

    def _piece(self, piece: Piece) -> bool:
        if isinstance(piece, Noise):
            self._reject(piece.reason, piece.raw)
            return False
        try:
            text = decode_text(piece)
        except FrameError as exc:
            self._reject(str(exc), piece)
            return False
        return self._text(text, piece)

    def _text(self, text: str, raw: bytes) -> bool:
        aim, code = ("", text) if self._settings.aim == "none" else split_aim(text)
        self._unread_bytes, self._told_bytes, self._cut_off = 0, TOLD_FROM_BYTES, 0
        self._noise.clear()
        if said_nothing := self._says_nothing(aim, code):
            self._context.noise(said_nothing, raw)
            return False
        if self._settings.aim == "strip":
            aim = ""
        symbology = aim or self._settings.symbology
        if symbology in GS1:
            self._watch_separators(symbology, code)
        self._context.emit(CodeRead(self._name, code, self._context.monotonic_ns(), symbology))
        return True

    def _says_nothing(self, aim: str, code: str) -> str:
        """Why a text is no code; empty when it is one."""
        if not code:
            return "an AIM identifier without a code"
        if is_no_read(code, self._settings.no_read):
            return "the scanner saw no code"
        if aim[1:2] == NON_BARCODE:
            return "what the scanner says about itself"
        return ""

    def _watch_separators(self, symbology: str, code: str) -> None:
        """Advice only; what a code names is decided with the archive, never here."""
        self._gs_seen = self._gs_seen or GS in code
        if not self._gs_seen and keys.run_together(code):
            self._context.trouble(troubles.gs_lost(symbology))

    def _reject(self, reason: str, raw: bytes) -> None:
        self._context.noise(reason, raw)
        self._noise += raw
        del self._noise[:-LIVE_BYTES_MAX]
        self._unread_bytes += len(raw)
        self._cut_off += reason == "cut off by silence"
        if self._is_due():
            self._told_ns = self._context.monotonic_ns()
            self._told_bytes = max(self._told_bytes, self._unread_bytes) * TOLD_AGAIN_TIMES
            if trouble := self._diagnosis():
                self._context.trouble(trouble)

    def _is_due(self) -> bool:
        """Enough since the last look, or long enough with something to look at."""
        if self._unread_bytes >= self._told_bytes or self._cut_off >= CUT_OFF_MAX:
            return True
        waited_ns = self._context.monotonic_ns() - self._told_ns
        return self._unread_bytes >= TOLD_FROM_BYTES and waited_ns >= TOLD_AGAIN_S * _SECOND_NS

    def _diagnosis(self) -> Trouble | None:
        """What the noise since the last code looks like; None when unsure."""
        raw = bytes(self._noise)
        text = _printable(raw)
        if text and (self._cut_off >= CUT_OFF_MAX or self._unread_bytes > ENDLESS_BYTES):
            return troubles.no_terminator(self._unread_bytes)
        found = diagnose(raw, "scanner_serial")
        return troubles.from_diagnosis(found, "scanner_serial", baud=self._baud)


def _printable(raw: bytes) -> bool:
    """Whether this could be codes, if only it ended."""
    try:
        decode_text(raw)
    except FrameError:
        return False
    return True
