"""Cut what a text scanner sends into codes: bounded, whole or not at all.

A code that is too long, cut off by silence or not text is noise, never a shorter code: half a
number is another cylinder's number.
"""

import re
from collections.abc import Collection
from typing import Literal, TypeAlias

from protocols.framing import FrameError, Piece, noise, shown

Suffix: TypeAlias = Literal["auto", "cr", "lf", "crlf", "etx", "none"]
"""What ends a code. `auto`: CR, LF or CRLF. `etx`: STX before, ETX after. `none`: silence."""

TEXT_BYTES_MAX = 1024
"""Longest code; a supervisory QR with its URL stays below 300 bytes."""

NO_READ = ("NG", "NOREAD", "ERROR")
"""What industrial heads send when they saw no code, unless they are set to something else."""

STX, ETX = b"\x02", b"\x03"
_ENDS = {
    "auto": re.compile(rb"[\r\n]"),
    "cr": re.compile(rb"\r"),
    "lf": re.compile(rb"\n"),
    "crlf": re.compile(rb"\r\n"),
    "etx": re.compile(rb"\x03"),
    "none": re.compile(rb"(?!)"),
}
_LINE_ENDS = b"\r\n"
_CONTROLS = re.compile("[\x00-\x03\x05-\x1b\x7f]")
"""Controls no code contains; GS, RS, FS, US and EOT separate fields in GS1 and ISO 15434."""


class TextFramer:
    """One scanner's stream; holds at most `text_bytes_max` bytes. Empty codes are passed over."""

    def __init__(self, suffix: Suffix, *, text_bytes_max: int = TEXT_BYTES_MAX) -> None:
        assert text_bytes_max > 0, text_bytes_max
        self._end = _ENDS[suffix]
        self._suffix = suffix
        self._limit = text_bytes_max
        self._held = b""
        self._too_long = False

    @property
    def held_bytes(self) -> int:
        """Bytes of a code that has not ended."""
        return len(self._held)

    @property
    def is_inside(self) -> bool:
        """Whether silence would mean something now: a code has begun and not ended."""
        return bool(self._held) or self._too_long

    def feed(self, data: bytes) -> list[Piece]:
        """Take bytes as they arrived; return the codes they ended, as sent between the affixes."""
        self._held += data
        pieces: list[Piece] = []
        at = 0
        for match in self._end.finditer(self._held):
            pieces += self._code(self._held[at : match.start()])
            at = match.end()
        self._held = self._held[at:]
        if len(self._held) > self._limit:
            kept = 1 if self._held.endswith(b"\r") else 0  # May be the first half of CRLF.
            size = len(self._held) - kept
            pieces += noise(self._long(), self._held[:size])
            self._held, self._too_long = self._held[size:], True
        return pieces

    def idle(self) -> list[Piece]:
        """The line fell silent: without a suffix that ends the code, else it was cut off."""
        held, self._held = self._held, b""
        if self._suffix == "none":
            return self._code(held)
        self._too_long = False
        if not held.strip(_LINE_ENDS):
            return []
        return [*noise("cut off by silence", held)]

    def _code(self, raw: bytes) -> list[Piece]:
        too_long, self._too_long = self._too_long or len(raw) > self._limit, False
        if too_long:
            return [*noise(self._long(), raw)]
        if self._suffix == "etx":
            return _after_stx(raw)
        return [raw] if raw else []

    def _long(self) -> str:
        return f"longer than {self._limit} bytes"


def _after_stx(raw: bytes) -> list[Piece]:
    before, stx, text = raw.rpartition(STX)
    if not stx:
        return [*noise("no STX before ETX", text)] if text.strip(_LINE_ENDS) else []
    lost = noise("not between STX and ETX", before) if before.strip(_LINE_ENDS) else []
    return [*lost, text] if text else [*lost]


def strip_suffix(raw: bytes, suffix: Suffix) -> bytes:
    """A code that came in a packet of its own, without the affixes a head may leave in it."""
    if suffix == "etx":
        return raw.removeprefix(STX).removesuffix(ETX)
    if suffix == "none":
        return raw
    if suffix == "auto":
        return raw.rstrip(_LINE_ENDS)
    return raw.removesuffix({"cr": b"\r", "lf": b"\n", "crlf": b"\r\n"}[suffix])


def decode_text(raw: bytes) -> str:
    """A code as text: UTF-8, else GB18030 (Chinese scanners); raises FrameError when neither."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        try:
            text = raw.decode("gb18030")
        except UnicodeDecodeError as exc:
            raise FrameError(f"neither UTF-8 nor GB18030: {shown(raw)}") from exc
    if found := _CONTROLS.search(text):
        raise FrameError(f"control character 0x{ord(found[0]):02X} in a code; check the suffix")
    return text


def is_no_read(text: str, no_read: Collection[str] = NO_READ) -> bool:
    """Whether the head says it saw no code; case and spaces around do not matter."""
    said = text.strip().casefold()
    return any(said == word.strip().casefold() for word in no_read)
