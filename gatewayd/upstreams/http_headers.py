"""The headers of a request: what it carries, its idempotency key, who sends it, its signature."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from gatewayd.store.model import Record
from gatewayd.upstreams.contract import UpstreamContext
from gatewayd.upstreams.http_settings import HttpSettings, signing_key


def headers_of(
    settings: HttpSettings, context: UpstreamContext, key: str, body: bytes, content_type: str
) -> dict[str, str]:
    """Everything that goes with a body; `content_type` is empty where there is none."""
    headers = {
        **settings.headers,
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": f"gatewayd/{context.version}",
        "Idempotency-Key": key,
    }
    if content_type:
        headers["Content-Type"] = content_type
    if settings.bearer is not None:
        headers["Authorization"] = f"Bearer {settings.bearer}"
    if settings.hmac_secret is not None:
        headers |= signature(settings.hmac_secret, key, context.clock.wall(), body)
    return headers


def idempotency_key(part: Sequence[Record]) -> str:
    """The record's id; of a batch the SHA-256, in hex, of its ids with a line feed after each."""
    if len(part) == 1:
        return part[0].id
    return hashlib.sha256("".join(f"{record.id}\n" for record in part).encode()).hexdigest()


def signature(secret: str, key: str, now: datetime, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks 1.0.0: HMAC-SHA256 over `id.timestamp.body`, base64."""
    seconds = int(now.timestamp())
    signed = f"{key}.{seconds}.".encode() + body
    code = base64.b64encode(hmac.digest(signing_key(secret), signed, "sha256")).decode()
    return {
        "webhook-id": key,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{code}",
    }
