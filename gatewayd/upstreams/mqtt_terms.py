"""What an MQTT connection is told and what it says, free of any library."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

NOBODY_LISTENS = 0x10
REFUSED_FROM = 0x80
UNSPECIFIED = 0x80
PACKET_TOO_LARGE = 0x95

PERMANENT = frozenset({0x90, PACKET_TOO_LARGE, 0x99})
"""Topic name invalid, packet too large, payload format invalid (MQTT 5, 2.4): the record itself is
what the broker cannot take, and it never changes. Every other refusal may be lifted one day."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the broker said to one message: below 0x80 it took it. 3.1.1 has no way to refuse.

    `final`: we have learned that the same answer would come again.
    """

    code: int
    text: str = ""
    final: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the broker took the message."""
        return self.code < REFUSED_FROM

    @property
    def permanent(self) -> bool:
        """Whether the same bytes can never be taken."""
        return self.final or self.code in PERMANENT

    def __str__(self) -> str:
        return f"{self.text} (0x{self.code:02x})"


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes when the connection ends without a goodbye."""

    topic: str
    payload: bytes
    retained: bool = True


@dataclass(frozen=True, slots=True)
class Dial:
    """Where and as whom to connect. `tls` builds a fresh context off the loop, None = plain TCP."""

    host: str
    port: int
    v5: bool
    client_id: str
    keepalive_s: int
    will: Will | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: Callable[[], ssl.SSLContext] | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """One message that the broker brought. MQTT 3.1.1 has neither response topic nor correlation."""

    topic: str
    payload: bytes
    retained: bool
    response_topic: str | None = None
    correlation: bytes | None = None


def packet_bytes(header_bytes: int, payload_bytes: int) -> int:
    """Size of a QoS 1 PUBLISH; `header_bytes` are topic and packed properties (MQTT 5, 3.3)."""
    remaining = 2 + header_bytes + 2 + payload_bytes
    length_bytes = -(-remaining.bit_length() // 7)
    return 1 + length_bytes + remaining
