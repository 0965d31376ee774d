"""The bytes of an archive file to text: UTF-8 with or without BOM, or GBK as Excel writes it.

The file is looked through before it is read, in chunks: however large, it is never in memory whole.
"""

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from gatewayd.errors import RejectedError

SAVE_AS = "in a spreadsheet choose `Save as`, `CSV UTF-8 (comma delimited)`"
_CHUNK_BYTES = 1_048_576
_DAMAGE_SHARE = 10
"""A file with this many good UTF-8 characters for each bad one is damaged UTF-8, not GBK."""


def sniff(file: BinaryIO, origin: str) -> str:
    """The codec that reads all of `file`; raises RejectedError when there is none."""
    start = file.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise RejectedError(f"{origin}: UTF-16 text; expected UTF-8 or GBK; {SAVE_AS}")
    at = _first_nul(file)
    if at is not None:
        raise RejectedError(
            f"{origin}:row {_row(file, at)}: a NUL byte; expected CSV text; {SAVE_AS}"
        )
    at = _first_bad(file, "utf-8")
    if at is None:
        return "utf-8-sig"
    if start.startswith(codecs.BOM_UTF8) or _mostly_utf8(file):
        raise RejectedError(
            f"{origin}:row {_row(file, at)}: not UTF-8 at byte {at}, though the rest is; the file "
            f"is damaged or was joined from two; {SAVE_AS}"
        )
    at = _first_bad(file, "gb18030")  # GBK and every later character of the same family
    if at is None:
        return "gb18030"
    raise RejectedError(
        f"{origin}:row {_row(file, at)}: neither UTF-8 nor GBK at byte {at}; {SAVE_AS}"
    )


def _chunks(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Every chunk with where it begins, and an empty one at the end."""
    file.seek(0)
    at = 0
    while chunk := file.read(_CHUNK_BYTES):
        yield at, chunk
        at += len(chunk)
    yield at, b""


def _first_nul(file: BinaryIO) -> int | None:
    found = (at + chunk.index(0) for at, chunk in _chunks(file) if 0 in chunk)
    return next(found, None)


def _first_bad(file: BinaryIO, codec: str) -> int | None:
    """The offset of the first byte that `codec` cannot read."""
    decoder = codecs.getincrementaldecoder(codec)()
    for at, chunk in _chunks(file):
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as exc:
            # What it looked at ends where this chunk does, and began with bytes kept back before.
            return at + len(chunk) - len(exc.object) + exc.start
    return None


def _row(file: BinaryIO, at: int) -> int:
    return 1 + sum(chunk[: max(0, at - begin)].count(b"\n") for begin, chunk in _chunks(file))


def _mostly_utf8(file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    good = bad = 0
    for _, chunk in _chunks(file):
        text = decoder.decode(chunk, final=not chunk)
        wrong = text.count("\N{REPLACEMENT CHARACTER}")
        good += sum(1 for character in text if not character.isascii()) - wrong
        bad += wrong
    return good >= bad * _DAMAGE_SHARE
