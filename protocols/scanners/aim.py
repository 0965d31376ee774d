"""AIM identifiers: the three characters by which a scanner says what kind of code it read.

Source: ISO/IEC 15424, as transcribed in scanner manuals (Baracoda 2006 appendix 2, SE923 guide) and
in biip 5.2. `]` is the flag, then the symbology, then a modifier: one hexadecimal digit, the sum of
option values. An identifier that is not in the table stays where it was: it is part of the text.
"""

import re
from collections.abc import Mapping

AIM_CHARS = 3
"""Flag, symbology and modifier."""

SYMBOLOGIES: Mapping[str, str] = {
    "A": "Code 39",
    "B": "Telepen",
    "C": "Code 128",
    "D": "Code One",
    "E": "EAN/UPC",
    "F": "Codabar",
    "G": "Code 93",
    "H": "Code 11",
    "I": "Interleaved 2 of 5",
    "J": "DotCode",
    "K": "Code 16K",
    "L": "PDF417",
    "M": "MSI",
    "N": "Anker",
    "O": "Codablock",
    "P": "Plessey",
    "Q": "QR Code",
    "R": "Straight 2 of 5 (two bars)",
    "S": "Straight 2 of 5 (three bars)",
    "T": "Code 49",
    "U": "MaxiCode",
    "X": "other barcode",
    "Z": "no barcode",
    "c": "Channel Code",
    "d": "Data Matrix",
    "e": "GS1 DataBar",
    "g": "Grid Matrix",
    "h": "Han Xin",
    "o": "OCR",
    "p": "PosiCode",
    "s": "SuperCode",
    "z": "Aztec",
}
"""Symbology letter -> name. `]Y` (system expansion) has a longer identifier and is not in use."""

GS1_128, GS1_DATABAR, GS1_DATA_MATRIX = "]C1", "]e0", "]d2"
GS1_QR, GS1_DOTCODE = "]Q3", "]J1"
GS1 = frozenset({GS1_128, GS1_DATABAR, GS1_DATA_MATRIX, GS1_QR, GS1_DOTCODE})
"""Codes that hold GS1 element strings (GS1 General Specifications, figure 5.1.2-2)."""
EAN_13, EAN_13_ADD_ON, EAN_8 = "]E0", "]E3", "]E4"

_NAMES: Mapping[str, str] = {
    GS1_128: "GS1-128",
    GS1_DATA_MATRIX: "GS1 DataMatrix",
    GS1_QR: "GS1 QR Code",
    GS1_DOTCODE: "GS1 DotCode",
    EAN_13: "EAN-13, UPC-A or UPC-E",
    EAN_8: "EAN-8",
}
_AIM = re.compile(rf"\][{''.join(SYMBOLOGIES)}][0-9A-F]")


def split_aim(text: str) -> tuple[str, str]:
    """The AIM identifier at the front of a scan and the data behind it; ("", text) without one."""
    if _AIM.match(text) is None:
        return "", text
    return text[:AIM_CHARS], text[AIM_CHARS:]


def is_aim(text: str) -> bool:
    """Whether this is one AIM identifier and nothing else."""
    return len(text) == AIM_CHARS and split_aim(text)[1] == ""


def symbology_name(aim: str) -> str:
    """What a known identifier means, for a person."""
    return _NAMES.get(aim, SYMBOLOGIES[aim[1]])
