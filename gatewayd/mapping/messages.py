"""Messages of a mapping, compiled, and a record put into one. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gatewayd.mapping.fields import Branch, Constant, Field, Node, UnfitError, formulas
from gatewayd.mapping.file import MessageFile
from gatewayd.mapping.json_text import dumps
from gatewayd.mapping.manners import Manner
from rules_engine.cel import Bound, Broken, Program

ID = "record.id"


@dataclass(frozen=True, slots=True)
class Message:
    """One compiled message. `to` and `key` give texts; `node` is what is in it."""

    written: MessageFile
    when: Program | None
    to: tuple[Node, ...]
    key: Node
    node: Node

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Everything in it that is filled."""
        return (*self.to, self.key, self.node)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its outermost fields; none of a list."""
        return tuple(self.node.fields) if isinstance(self.node, Branch) else ()

    @property
    def id_column(self) -> str | None:
        """The outermost field that is `record.id` and nothing else; None = there is none."""
        fields = self.node.fields.items() if isinstance(self.node, Branch) else ()
        return next((name for name, node in fields if _is_id(node)), None)

    @property
    def tells_id(self) -> bool:
        """Whether the record's id is anywhere in it."""
        return any(ID in formula.reads for formula in formulas(self.node))

    def nested(self) -> Iterator[str]:
        """The outermost fields that are no plain values."""
        fields = self.node.fields.items() if isinstance(self.node, Branch) else ()
        yield from (name for name, node in fields if not _is_plain(node))


@dataclass(frozen=True, slots=True)
class Letter:
    """A record in the platform's words, as JSON text; `to` and `key` are empty for the usual ones."""

    to: str
    key: str
    body: str


def letter(message: Message, bound: Bound, manner: Manner | None) -> Letter:
    """A record as this message; raises UnfitError."""
    item = message.node.fill(bound, "")
    if not item:
        raise UnfitError("the message would be empty")
    parting = manner.parting if manner else ""
    to = "".join(_part(node, bound, parting) for node in message.to)
    if manner and (fault := manner.fault(to)):
        raise UnfitError(fault)
    return Letter(to, _text(message.key.fill(bound, "key")), dumps(item))


def holds(condition: Program | None, bound: Bound, where: str) -> bool:
    """Whether a condition holds, which none always does; raises UnfitError."""
    if condition is None:
        return True
    held = condition.holds(bound)
    if isinstance(held, Broken):
        raise UnfitError(f"{where}: {condition.source}: {held.why}")
    return held


def _part(node: Node, bound: Bound, parting: str) -> str:
    """A part of an address: as written, as the station gave it, or one part out of a record."""
    if isinstance(node, Constant):
        return str(node.value)
    text = _text(node.fill(bound, "to"))
    ours = all(name.startswith("value.") for each in formulas(node) for name in each.reads)
    if not text or not text.isprintable() or (not ours and any(c in text for c in parting)):
        raise UnfitError(f"to: {text[:80]!r} cannot be a part of it")
    return text


def _is_id(node: Node) -> bool:
    return isinstance(node, Field) and [each.source.strip() for each in node.formulas] == [ID]


def _is_plain(node: Node) -> bool:
    if isinstance(node, Constant):
        return not isinstance(node.value, dict | list)
    return isinstance(node, Field) and node.as_ != "texts"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
