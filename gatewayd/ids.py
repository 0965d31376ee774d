"""Record and permit ids: UUIDv7 (RFC 9562), made once, sorted by time, the idempotency key."""

from gatewayd.chance import uuid7


def new_id() -> str:
    """A new UUIDv7 as lower-case text with hyphens."""
    return str(uuid7())
