"""A record's own proof, at the speed of a scan: its hash over its text, without a second parse.

Bodies are written in RFC 8785 form, so the text without its `hash` member is what was hashed. Where
that does not fit, `chain` decides by the values.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from gatewayd.store import chain
from gatewayd.store.model import Record

_TAIL = '"datacontenttype":'
_HASH = ',"hash":"'
_DIGITS = 64


@dataclass(frozen=True, slots=True)
class Link:
    """What an untouched record says of itself and of the one before it."""

    sequence: int
    id: str
    type: str
    source: str
    time: str
    prevhash: str
    hash: str

    @property
    def kind(self) -> str:
        """The kind of record, as its `type` names it."""
        return self.type.split(".")[1]

    @property
    def place(self) -> str:
        """The rig, or `points/NAME`; empty for the station itself."""
        _, _, rest = self.source.removeprefix("/stations/").partition("/")
        return rest.removeprefix("rigs/")


def link(body: str) -> Link | None:
    """What `body` proves; None when its content is not what its hash says."""
    try:
        envelope = _by_text(body) or _by_values(body)
        return None if envelope is None else Link(*(envelope[name] for name in Link.__slots__))
    except (ValueError, KeyError, RecursionError):
        return None


def _by_text(body: str) -> dict[str, Any] | None:
    tail, at = body.rfind(_TAIL), body.rfind(_HASH)
    end = at + len(_HASH) + _DIGITS
    if not 0 < tail < at:
        return None
    content = body[:at] + body[end + 1 :]
    if hashlib.sha256(content.encode()).hexdigest() != body[at + len(_HASH) : end]:
        return None
    envelope = json.loads("{" + body[tail:])
    assert isinstance(envelope, dict), body
    return envelope


def _by_values(body: str) -> dict[str, Any] | None:
    envelope = chain.parse(body)
    return envelope if envelope.get("hash") == chain.content_hash(envelope) else None


def proven(record: Record) -> Link | None:
    """The link of a row whose body is untouched and is the record that the row says."""
    found = link(record.body)
    if found is None:
        return None
    told = (found.sequence, found.id, found.kind, found.place)
    same = told == (record.sequence, record.id, record.kind, record.rig_id)
    return found if same else None
