"""A long XML part of equal items, read item by item: the usual ones as text, all others by expat.

Every program writes the rows of a sheet and its texts in nearly one form, and a pattern reads that
form several times as fast as a parser calls back for it. Whatever is not of that form, a comment, an
entity, a prefix, is the parser's, in its order; nothing is accepted that the parser would refuse.
"""

from collections.abc import Callable, Iterator
from typing import IO, Any
from xml.parsers import expat

CHUNK_BYTES = 262_144
ITEM_BYTES_MAX = 4_194_304
"""An item that is not complete by then is the parser's, who needs none of it in memory."""

CHARACTER = r"[^<>&\x00-\x08\x0b-\x1f\ufffe\uffff]"
"""What may stand in a text of the usual form: means itself, and is the same to any parser."""

_BLANKS = frozenset(" \t\r\n")


class Items:
    """One part, read once; `read_bytes` says how far it is.

    Whoever reads sets the parser's handlers for items when `check` hears of the first element.
    """

    def __init__(
        self,
        source: IO[bytes],
        parent: str,
        item: str,
        check: Callable[[str, dict[str, str]], None],
    ) -> None:
        """`check` hears the first element and its attributes, and raises ValueError."""
        self.read_bytes = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.EntityDeclHandler = _refuse_entity
        self.parser.StartElementHandler = self._first
        self.parser.StartDoctypeDeclHandler = self._unusual
        self.parser.XmlDeclHandler = self._declared
        self._source = source
        self._check = check
        self._parent, self._item = parent.encode(), item
        self._begin, self._end = f"<{item}", f"</{item}>"
        self._plain = True

    def read(self, take: Callable[[str], bool]) -> Iterator[None]:
        """Read everything; `take` gets an item as text, and says whether it understood it.

        Yields after each chunk. Raises expat.ExpatError and ValueError when the part is damaged.
        """
        left = self._head()
        while left is not None:
            left = self._usual(left, take)
            yield
        while chunk := self._chunk():
            self._feed(chunk)
            yield
        self.parser.Parse(b"", True)  # noqa: FBT003 - the parser's own signature
        yield

    def _chunk(self) -> bytes:
        chunk = self._source.read(CHUNK_BYTES)
        self.read_bytes += len(chunk)
        return chunk

    def _feed(self, data: bytes) -> None:
        self.parser.Parse(data, False)  # noqa: FBT003 - the parser's own signature

    def _head(self) -> bytes | None:
        """Give the parser all before the first item; what was read behind it, None = go on with him."""
        head = self._chunk()
        at = head.find(self._begin.encode())
        before = head if at < 0 else head[:at]
        self._feed(before)
        opened = before.rstrip().rpartition(b"<")[2]
        usual = (
            at >= 0
            and self._plain
            and before.count(b"<" + self._parent) == 1
            and opened.startswith(self._parent)
            and opened.endswith(b">")
            and not opened.endswith(b"/>")
        )
        if usual:
            return head[at:]
        self._feed(head[len(before) :])
        return None

    def _usual(self, left: bytes, take: Callable[[str], bool]) -> bytes | None:
        """Take whole items as long as they come; the rest, None = the parser has it."""
        chunk = self._chunk()
        data = left + chunk
        whole = data.rfind(b">") + 1
        text, rest = data[:whole].decode(), data[whole:]
        at, end = 0, self._stop(text, 0)
        while end:
            piece = text[at:end]
            if not take(piece) and not self._by_parser(piece):
                self._feed(text[end:].encode() + rest)
                return None
            at = _behind_blanks(text, end)
            end = self._stop(text, at)
        left = text[at:].encode() + rest
        if chunk and len(left) < ITEM_BYTES_MAX and self._may_begin(text[at:]):
            return left
        self._feed(left)
        return None

    def _may_begin(self, text: str) -> bool:
        """Whether an item begins here, or may once more is read."""
        return self._begin.startswith(text[: len(self._begin)])

    def _stop(self, text: str, at: int) -> int:
        """Where the item that begins here ends; 0 = none begins, or its end is not read yet."""
        if not text.startswith(self._begin, at):
            return 0
        first = text.find(">", at)
        if first > 0 and text[first - 1] == "/":
            return first + 1
        found = text.find(self._end, at)
        return found + len(self._end) if found > 0 else 0

    def _by_parser(self, piece: str) -> bool:
        """An item in another form; False when it may not have ended where it seems to."""
        self._feed(piece.encode())
        return piece.count(self._begin) == 1 and "<!" not in piece and "<?" not in piece

    def _first(self, name: str, attributes: dict[str, str]) -> None:
        self._check(name, attributes)

    def _declared(self, _version: str, encoding: str | None, _alone: int) -> None:
        self._plain = self._plain and (encoding or "utf-8").lower() == "utf-8"

    def _unusual(self, *_doctype: Any) -> None:
        """A document type may give elements attributes that are not written."""
        self._plain = False


def _behind_blanks(text: str, at: int) -> int:
    while text[at : at + 1] in _BLANKS:
        at += 1
    return at


def _refuse_entity(name: str, *_more: object) -> None:
    """No spreadsheet declares entities; a file that does is an attack on its reader."""
    raise ValueError(f"it declares the entity {name}")
