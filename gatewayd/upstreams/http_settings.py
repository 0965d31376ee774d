"""What a technician writes under `upstreams:` for `driver: http`."""

import base64
import binascii
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, field_validator, model_validator

from drivers.contract import Strict
from gatewayd.settings.mapped import MappedSettings
from gatewayd.upstreams.pump import BATCH_MAX
from gatewayd.upstreams.tls import TlsSettings

SCHEMES = ("http", "https")
OURS = frozenset(
    {"host", "content-length", "content-type", "content-encoding", "transfer-encoding"}
    | {"connection", "expect", "accept", "accept-encoding", "user-agent", "idempotency-key"}
    | {"authorization", "webhook-id", "webhook-timestamp", "webhook-signature"}
)
"""Headers that we set, or that would change what a request is."""
WEBHOOK_PREFIX = "whsec_"
"""A secret spelled as Standard Webhooks spells it: this, then base64 of the key."""
KEY_BYTES_MIN = 16
"""A shorter key can be guessed."""

HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]
HeaderValue = Annotated[
    str, StringConstraints(pattern=r"^[\x21-\x7e]([\x20-\x7e]{0,4094}[\x21-\x7e])?$")
]
Code = str | int


class CodeSettings(Strict):
    """Where a platform that answers every request with 200 says what it did.

    * `field`: the key, with dots into nested objects: `code`, `data.result`.
    * `accepted`: values that mean taken, also taken before.
    * `rejected`: values that mean never: a dead letter. Every other value is tried again.
    * `reason`: the key of its words, for people.
    """

    field: str = Field(min_length=1, max_length=200)
    accepted: tuple[Code, ...] = Field(min_length=1)
    rejected: tuple[Code, ...] = ()
    reason: str | None = Field(default=None, min_length=1, max_length=200)

    @model_validator(mode="after")
    def _one_meaning(self) -> Self:
        both = {str(code) for code in self.accepted} & {str(code) for code in self.rejected}
        if both:
            what = ", ".join(sorted(both))
            raise ValueError(f"{what} is both accepted and rejected; expected one of them")
        return self


class HttpSettings(MappedSettings):
    """A platform that takes records by HTTP POST.

    * `url`: `https://host[:443]/path`, or `http://` inside the station.
    * `batch_max`: 1 sends each record as an object; more sends arrays of up to so many.
    * `answer`: `body`: what a 2xx answer says is read; `status`: the status code alone counts.
    * `codes`: for a platform with answer codes of its own.
    * `bearer`: token of the header `Authorization: Bearer`, through `!secret`.
    * `hmac_secret`: signs every request (Standard Webhooks, HMAC-SHA256), through `!secret`.
    * `headers`: more headers, such as an API key.
    * `answer_within_s`: connection and whole answer; later it is sent again with the same id.
    * `tls`: files for `https://`.
    * `records_per_s`: a backlog is sent no faster than this; by default as fast as it is taken.
    * `mapping`: the id of a mapping: how records are said in the platform's words; `url` is then
      what its paths are added to. `values`, `tables`: what that mapping asks the station for.
    """

    url: str
    batch_max: int = Field(default=1, ge=1, le=BATCH_MAX)
    answer: Literal["body", "status"] = "body"
    codes: CodeSettings | None = None
    bearer: HeaderValue | None = Field(default=None, repr=False)
    hmac_secret: str | None = Field(default=None, repr=False)
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict, repr=False)
    answer_within_s: int = Field(default=20, ge=1, le=600)
    tls: TlsSettings | None = None

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        expected = "expected https://host[:port]/path"
        try:
            parts = urlsplit(value)
            host, port = parts.hostname, parts.port
        except ValueError as exc:
            raise ValueError(f"not a URL; {expected}") from exc
        if "@" in parts.netloc:
            raise ValueError("no user in url; use bearer: !secret NAME")
        if parts.scheme not in SCHEMES or not host or port == 0 or not value.isprintable():
            raise ValueError(f"not an HTTP URL; {expected}")
        if parts.fragment or " " in value:
            raise ValueError(f"no fragment and no blank in url; {expected}")
        return value

    @field_validator("hmac_secret")
    @classmethod
    def _hmac_secret(cls, value: str | None) -> str | None:
        if value is not None and len(signing_key(value)) < KEY_BYTES_MIN:
            raise ValueError(f"too short; expected a key of {KEY_BYTES_MIN} bytes or more")
        return value

    @field_validator("headers")
    @classmethod
    def _headers(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if name.lower() in OURS:
                raise ValueError(f"header {name} is set by gatewayd; expected another")
        if len({name.lower() for name in value}) < len(value):
            raise ValueError("a header is there twice; expected each once")
        return value

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.tls is not None and not self.secure:
            raise ValueError("tls is set but url is http://; expected https://host")
        if self.codes is not None and self.answer == "status":
            raise ValueError("codes are in the body; expected answer: body")
        if self.mapping is not None and (self.codes is not None or self.answer != "body"):
            raise ValueError("what an answer means is in the mapping; expected no codes and answer")
        if self.mapping is not None and urlsplit(self.url).query:
            raise ValueError("url has a query; with a mapping expected none")
        return self

    @property
    def secure(self) -> bool:
        """Whether the connection is TLS."""
        return urlsplit(self.url).scheme == "https"


def signing_key(secret: str) -> bytes:
    """The key behind a secret: its text, or what follows `whsec_` as base64. Raises ValueError."""
    if not secret.startswith(WEBHOOK_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(WEBHOOK_PREFIX), validate=True)
    except binascii.Error as exc:
        raise ValueError(f"not base64 behind {WEBHOOK_PREFIX}") from exc
