"""From the bytes of one whole scan to a read: symbology apart, no-reads and nonsense left out."""

from collections.abc import Collection

from drivers import troubles
from drivers.contract import CodeRead, Context
from protocols.framing import FrameError
from protocols.scanners import decode_text, is_no_read
from protocols.scanners.aim import GS1, split_aim
from protocols.tags.gs1 import GS
from protocols.tags.keys import run_together

OWN_WORDS = "no symbology: the scanner's own words"


class HidCodes:
    """The codes of one USB scanner since it was plugged in.

    `not_codes` are AIM letters under which a scanner of this kind says things about itself.
    """

    def __init__(
        self, name: str, context: Context, no_read: Collection[str], not_codes: Collection[str]
    ) -> None:
        self._name = name
        self._context = context
        self._no_read = no_read
        self._not_codes = not_codes
        self._gs_seen = False

    def take(self, raw: bytes, aim: str = "") -> None:
        """Emit the scan, or say as noise why it is no code. `aim` is what the report tells."""
        if self._is_own_words(aim):
            self._context.noise(OWN_WORDS, raw)
            return
        try:
            text = decode_text(raw)
        except FrameError as exc:
            self._context.noise(str(exc), raw)
            return
        before, bare = split_aim(text)
        if aim in {"", before}:  # Some scanners also put it before the code.
            aim, text = before, bare
        if refusal := self._refusal(aim, text):
            self._context.noise(refusal, raw)
            return
        if aim in GS1:
            self._watch_separators(aim, text)
        self._context.emit(CodeRead(self._name, text, self._context.monotonic_ns(), aim))

    def _refusal(self, aim: str, text: str) -> str:
        if self._is_own_words(aim):
            return OWN_WORDS
        if not text or is_no_read(text, self._no_read):
            return "the scanner saw no code"
        return ""

    def _is_own_words(self, aim: str) -> bool:
        return bool(aim) and aim[1] in self._not_codes

    def _watch_separators(self, aim: str, text: str) -> None:
        """Advice only: what a code names is decided with the archive."""
        self._gs_seen = self._gs_seen or GS in text
        if not self._gs_seen and run_together(text):
            self._context.trouble(troubles.gs_lost(aim))
