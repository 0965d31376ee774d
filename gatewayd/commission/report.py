"""What a probe shows: frames with their meaning, readings, troubles; for JSON and for a person."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from drivers.contract import Reading
from gatewayd.commission.probe import Seen
from protocols.decode import FORMATS, Decoded, decode

_KIND = re.compile(r"(Read|Sample)\Z")


def as_json(seen: Seen, formats: Sequence[str]) -> dict[str, Any]:
    """The part of `probe --json` that the driver saw."""
    return {
        "identity": seen.up,
        "error": str(seen.error) if seen.error is not None else None,
        "readings": [{**reading_json(r), "count": n} for r, n in seen.readings.items()],
        "frames": list(frames(seen, formats)),
        "noise": [
            {"reason": reason, "hex": raw.hex(), "count": count}
            for (reason, raw), count in seen.noise.items()
        ],
        "troubles": [
            {"kind": each.kind, "message": {"zh": each.zh, "en": each.en}}
            for each in seen.troubles.values()
        ],
    }


def reading_json(reading: Reading) -> dict[str, Any]:
    """A reading with its kind, `tag` of a TagRead; our monotonic times mean nothing to anybody."""
    values = {k: v for k, v in asdict(reading).items() if k not in {"device", "at_ns"}}
    return {"kind": _KIND.sub("", type(reading).__name__).lower(), **values}


def frames(seen: Seen, formats: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Every different frame in the order it first came, with what it means."""
    chosen = _likeliest(seen, formats)
    for (direction, raw), count in seen.frames.items():
        found = _decoded(raw, chosen)
        yield {
            "direction": direction,
            "hex": raw.hex(),
            "count": count,
            "format": found.format if found else None,
            "fields": dict(found.fields) if found else {},
        }


def _likeliest(seen: Seen, formats: Sequence[str]) -> tuple[str, ...]:
    """The formats to try, first the one of the dialect that the driver says it speaks."""
    spoken = re.search(r"dialect (\w+)", seen.up or "")
    dialect = spoken[1] if spoken else ""
    known = [name for name in formats if name in FORMATS]
    return tuple(sorted(known, key=lambda name: not (dialect and name.endswith(dialect))))


def _decoded(raw: bytes, formats: Sequence[str]) -> Decoded | None:
    for name in formats:
        found = decode(raw.hex(), frame=name)
        if found.valid:
            return found
    return None
