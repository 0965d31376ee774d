"""The only file that knows the library for QR codes: a text as blocks of a terminal, or as SVG."""

import io

import segno

MODULE_MM = 1.0
"""The side of one dark square: what a hand scanner reads from half a metre."""
BORDER = 4
"""Light squares around it, which the standard asks for."""


def _made(text: str) -> segno.QRCode:
    """Error correction M: about a seventh of a printed code may be dirty."""
    return segno.make_qr(text, error="m")


def blocks(text: str) -> str:
    """Half-height blocks for a terminal with a dark background."""
    out = io.StringIO()
    _made(text).terminal(out, border=2, compact=True)
    return out.getvalue()


def svg(text: str) -> str:
    """An `<svg>` element in millimetres, to stand inside HTML."""
    made = _made(text)
    return made.svg_inline(scale=MODULE_MM, border=BORDER, unit="mm", omitsize=False)
