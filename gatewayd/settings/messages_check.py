"""What the messages of a mapping must be for the kind of upstream that sends them."""

from collections.abc import Iterator, Sequence

from gatewayd.mapping.fields import Constant
from gatewayd.mapping.load import TAGS
from gatewayd.mapping.manners import MANNERS, Manner
from gatewayd.mapping.mapping import PlatformMapping
from gatewayd.mapping.messages import Message
from gatewayd.settings.mapped import MappedSettings
from protocols.documents import Mark, Path, Problem, parse_leniently

COLUMN_BYTES_MAX = 63
"""A longer name is cut by PostgreSQL, and is then another one."""


def unspeakable(
    mapping: PlatformMapping, manner: Manner | None, text: str, named: Mark, upstream: str
) -> Iterator[Problem]:
    """Why this kind of upstream cannot say what the mapping says; `named` is where it is chosen."""
    if (manner is None) == bool(mapping.messages):
        has, wants = ("messages", "requests") if manner is None else ("requests", "messages")
        what = f"{upstream}: mapping {mapping.id!r} has {has}; this driver sends {wants}"
        hint = "" if manner is None else f"write messages: instead, or use driver: {_HTTP}"
        yield Problem(named, what, f"a mapping with {wants}", hint)
        return
    if manner is None:
        return
    document = parse_leniently(text, mapping.origin, tags=TAGS)[0]
    assert document is not None, "it was loaded"
    for path, what, expected in _faults(mapping.messages, manner):
        yield Problem(document.mark(("messages", *path)), f"{what} (upstream {upstream})", expected)


def untold(mapping: PlatformMapping, settings: MappedSettings) -> Iterator[str]:
    """What is allowed but leaves a platform without the record's id."""
    if getattr(settings, "version", "") != "3.1.1" or all(m.tells_id for m in mapping.messages):
        return
    yield (
        "MQTT 3.1.1 has no place for the record's id beside the payload, and not every message of "
        f"mapping {mapping.id!r} has a field with record.id: a repetition cannot be told there"
    )


def drivers(mapping: PlatformMapping) -> tuple[str, ...]:
    """The kinds of upstreams that can say it."""
    if not mapping.messages:
        return (_HTTP,)
    return tuple(each.name for each in MANNERS if not any(_faults(mapping.messages, each)))


_HTTP = "http"
Fault = tuple[Path, str, str]


def _faults(messages: Sequence[Message], manner: Manner) -> Iterator[Fault]:
    for index, message in enumerate(messages):
        for path, what, expected in _of(message, manner):
            yield (index, *path), what, expected
    if manner.known_by_id:
        yield from _ids(messages, manner)


def _of(message: Message, manner: Manner) -> Iterator[Fault]:
    """What is wrong with one message by itself."""
    slots = [part for part in message.to if not isinstance(part, Constant)]
    if slots and not manner.slots:
        yield ("to",), f"to: {message.written.to!r} with {{...}}", f"one {manner.address}"
    elif fault := manner.fault(_tried(message)):
        yield ("to",), fault, f"such as {manner.example}"
    if message.written.key is not None and not manner.keyed:
        yield ("key",), f"key: {manner.name} has no such thing", "driver: kafka"
    if manner.flat:
        for name in message.nested():
            yield ("fields", name), f"{name}: {manner.name} takes plain values only", "no list here"
        for name in message.columns:
            if len(name.encode()) > COLUMN_BYTES_MAX:
                yield ("fields", name), f"{name}: too long", f"{COLUMN_BYTES_MAX} bytes at the most"


def _ids(messages: Sequence[Message], manner: Manner) -> Iterator[Fault]:
    """By what repetitions are told: each message has its id, in one field; for lines in the same."""
    names = [message.id_column for message in messages]
    for index, name in enumerate(names):
        if name is None:
            what = f"no field is record.id; {manner.name} tells by it what is there already"
            yield (index, "fields"), what, "ID: record.id"
        elif manner.whole is None and name != names[0]:
            what = f"record.id is {name!r} here, and {names[0]!r} in the first message"
            yield (index, "fields", name), what, "one name for it"


def _tried(message: Message) -> str:
    """The address with something in place of what is filled in."""
    return "".join(str(p.value) if isinstance(p, Constant) else "x" for p in message.to)
