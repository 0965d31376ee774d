"""The texts of a workbook out of its XML: cells name them by number, so all are held at once.

A library keeps an element of each text until the last one is read; this keeps the text alone.
"""

import re
from typing import IO

from gatewayd.archive.xml_items import CHARACTER, Items

_ITEM = re.compile(
    rf'<si><t(?: xml:space="preserve")?>({CHARACTER}*)</t>'
    r'(?:<phoneticPr(?: [A-Za-z]+="[^"<>&]*")* ?/>)?</si>'
)
_ESCAPE = "x005F_"
"""How a spreadsheet writes an underline that would otherwise begin a code of its own."""


class _Texts:
    """What the parser hears: runs of one text one after another, but never how they are spoken."""

    def __init__(self, source: IO[bytes]) -> None:
        self.found: list[str] = []
        self._runs: list[str] = []
        self._inside = ""
        self._items = Items(source, "sst", "si", self._root)

    def read(self) -> None:
        for _ in self._items.read(self._take):
            pass

    def _take(self, written: str) -> bool:
        item = _ITEM.fullmatch(written)
        if item is not None:
            self._add(item[1])
        return item is not None

    def _add(self, text: str) -> None:
        self.found.append(text.replace(_ESCAPE, "") if _ESCAPE in text else text)

    def _root(self, _name: str, _attributes: dict[str, str]) -> None:
        parser = self._items.parser
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "si":
            self._runs = []
        elif local == "rPh" or (local == "t" and not self._inside):
            self._inside = local

    def _end(self, name: str) -> None:
        local = name.rpartition(":")[2]
        if local == "si":
            self._add("".join(self._runs))
        elif local == self._inside:
            self._inside = ""

    def _characters(self, data: str) -> None:
        if self._inside == "t":
            self._runs.append(data)


def read(source: IO[bytes]) -> list[str]:
    """Every text by its number. Raises expat.ExpatError and ValueError when they are damaged."""
    texts = _Texts(source)
    texts.read()
    return texts.found
