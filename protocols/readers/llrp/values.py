"""Values and whole parameters of LLRP as JSON-ready data under the standard's names."""

import re
from enum import IntEnum
from typing import Any

from protocols.readers.llrp.wire import Bits, Param, Value

_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake(name: str) -> str:
    """`ReaderExceptionEvent` as `reader_exception_event`; ROSpec and AISpec stay one word."""
    name = name.replace("ROSpec", "Rospec").replace("AISpec", "Aispec").replace("OpSpec", "Opspec")
    return _CAPITAL.sub("_", name.replace("AccessSpec", "Accessspec")).lower()


def word(value: Value) -> Any:
    """One value: the standard's word where it has one, else hex, text or the number."""
    if isinstance(value, IntEnum):
        return value.name.removesuffix("_")
    if isinstance(value, Bits):
        return {"bits": value.count, "hex": value.packed.hex()}
    if isinstance(value, bytes):
        return value.hex()
    return list(value) if isinstance(value, tuple) else value


def plain(param: Param, *, named: bool = True) -> dict[str, Any]:
    """A parameter with everything inside it; repeated ones become a list."""
    found: dict[str, Any] = {"parameter": param.name} if named else {}
    found |= {name: word(value) for name, value in param.values.items()}
    inside: dict[str, list[Any]] = {}
    for child in param.params:
        inside.setdefault(snake(child.name), []).append(plain(child, named=False))
    for name, items in inside.items():
        found[name] = items[0] if len(items) == 1 else items
    return found
