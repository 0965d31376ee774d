"""How each kind of upstream addresses a message, and what a message must have there. Pure."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Manner:
    """What a kind of upstream asks of a mapping's messages.

    * `parting`: characters that part an address or widen it; no value out of a record has one.
    * `whole`: what a whole address looks like; None where there are none.
    * `slots`: whether an address may have `{...}` in it.
    * `keyed`: whether messages have keys.
    * `flat`: whether fields are plain values, one below the other.
    * `known_by_id`: whether one field must be `record.id`, alone: there is no other place for it,
      and what is there already is told by it.
    """

    name: str
    address: str
    whole: re.Pattern[str] | None
    example: str = ""
    parting: str = ""
    slots: bool = True
    keyed: bool = False
    flat: bool = False
    known_by_id: bool = False

    def fault(self, to: str) -> str:
        """What is wrong with a whole address; empty when nothing is."""
        if not to or (self.whole is not None and self.whole.fullmatch(to)):
            return ""
        if self.whole is None:
            return f"to: {self.name} has no such thing"
        return f"to: {to[:80]!r} is no {self.address}"


MQTT = Manner("mqtt", "MQTT topic", re.compile(r"[^#+\x00]+"), "v1/devices/me/telemetry", "/#+\0")
NATS = Manner(
    "nats", "NATS subject", re.compile(r"(?!\$)[^\s.*>]+(\.[^\s.*>]+)*"), "site.fills", ".*>"
)
KAFKA = Manner(
    "kafka", "Kafka topic", re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}"), "fills", keyed=True
)
TABLE = Manner(
    "postgresql",
    "PostgreSQL table",
    re.compile(r"[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?"),
    "fills, or schema.fills",
    slots=False,
    flat=True,
    known_by_id=True,
)
LINES = Manner("files (jsonl)", "", None, known_by_id=True)
CELLS = Manner("files (csv)", "", None, flat=True, known_by_id=True)
MANNERS = (MQTT, NATS, KAFKA, TABLE, LINES, CELLS)
