"""The bytes of an archive file to text: UTF-8 with or without BOM, or GBK as Excel writes it."""

import codecs

from gatewayd.errors import RejectedError

_ZIP = b"PK\x03\x04"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_SAVE_AS = "in a spreadsheet choose `Save as`, `CSV UTF-8 (comma delimited)`"
_DAMAGE_SHARE = 10
"""A file with this many good UTF-8 characters for each bad one is damaged UTF-8, not GBK."""


def decode(data: bytes, origin: str) -> str:
    """The text of `data`; raises RejectedError when it is no text file in a known encoding."""
    if data.startswith((_ZIP, _OLD_EXCEL)):
        raise RejectedError(f"{origin}: a workbook, not CSV; {_SAVE_AS}")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise RejectedError(f"{origin}: UTF-16 text; expected UTF-8 or GBK; {_SAVE_AS}")
    if b"\0" in data:
        raise RejectedError(
            f"{origin}:row {_row(data, data.index(0))}: a NUL byte; expected CSV text; {_SAVE_AS}"
        )
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as exc:
        if data.startswith(codecs.BOM_UTF8) or _mostly_utf8(data):
            raise RejectedError(
                f"{origin}:row {_row(data, exc.start)}: not UTF-8 at byte {exc.start}, though the "
                f"rest is; the file is damaged or was joined from two; {_SAVE_AS}"
            ) from exc
    try:
        return data.decode("gb18030")  # GBK and every later character of the same family
    except UnicodeDecodeError as exc:
        raise RejectedError(
            f"{origin}:row {_row(data, exc.start)}: neither UTF-8 nor GBK at byte {exc.start}; "
            f"{_SAVE_AS}"
        ) from exc


def _row(data: bytes, at: int) -> int:
    return data.count(b"\n", 0, at) + 1


def _mostly_utf8(data: bytes) -> bool:
    text = data.decode("utf-8", "replace")
    bad = text.count("\N{REPLACEMENT CHARACTER}")
    good = sum(1 for character in text if not character.isascii()) - bad
    return good >= bad * _DAMAGE_SHARE
