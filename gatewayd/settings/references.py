"""Which devices a rig names, for what, and where it says so."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from protocols.documents import Path as Keys


@dataclass(frozen=True, slots=True)
class Reference:
    """A rig names a device for one purpose."""

    keys: Keys
    device: str
    capability: str
    antenna: int | None = None


def references(raw: Mapping[str, Any]) -> Iterator[Reference]:
    """Every device that a rig names, read from its raw keys."""
    identify = raw.get("identify")
    for i, item in enumerate(identify if isinstance(identify, list) else ()):
        if isinstance(item, dict) and isinstance(item.get("device"), str):
            antenna = item.get("antenna")
            number = antenna if isinstance(antenna, int) else None
            yield Reference(("identify", i, "device"), item["device"], "identify", number)
    for key in ("scale", "gate"):
        if isinstance(raw.get(key), str):
            yield Reference((key,), raw[key], key)
    operator = raw.get("operator")
    if isinstance(operator, dict) and isinstance(operator.get("device"), str):
        antenna = operator.get("antenna")
        number = antenna if isinstance(antenna, int) else None
        yield Reference(("operator", "device"), operator["device"], "cards", number)
