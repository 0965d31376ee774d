"""What a technician writes under `upstreams:` for `driver: nats`."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, field_validator, model_validator

from gatewayd.mapping.manners import NATS, Manner
from gatewayd.settings.mapped import MappedSettings
from gatewayd.upstreams.pump import BATCH_MAX
from gatewayd.upstreams.tls import TlsSettings

PORT = 4222
SERVERS_MAX = 16
Url = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class NatsSettings(MappedSettings):
    """A NATS server with JetStream, and a stream there that takes `{subject}.>`.

    * `url`: `nats://host[:4222]`, or `tls://` over an open network; a list of them is one cluster,
      tried in its order.
    * `subject`: prefix of the subjects; a fill goes to `{subject}.{station}.records.fill`.
    * `stream`: the stream that must take it; another one that listens is refused. By default any.
    * `username`, `password` or `token`: through `!secret`.
    * `credentials_file`: a `.creds` file, relative to the config directory when relative.
    * `in_flight_max`: more than 1 is faster over a long line, but a record that the stream refuses
      for a while may then arrive behind its successors.
    * `tls`: files for `tls://`.
    * `records_per_s`: a backlog is sent no faster than this; by default as fast as it is taken.
    * `mapping`: the id of a mapping: how records are said in the platform's words. `values`,
      `tables`: what that mapping asks the station for.
    """

    url: Url | tuple[Url, ...]
    subject: str = Field(default="gatewayd.v1", pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$")
    stream: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{1,255}$")
    username: str | None = Field(default=None, min_length=1)
    password: str | None = Field(default=None, min_length=1, repr=False)
    token: str | None = Field(default=None, min_length=1, repr=False)
    credentials_file: str | None = Field(default=None, min_length=1)
    in_flight_max: int = Field(default=1, ge=1, le=BATCH_MAX)
    tls: TlsSettings | None = None

    @field_validator("url")
    @classmethod
    def _url(cls, value: str | tuple[str, ...]) -> tuple[str, ...]:
        urls = (value,) if isinstance(value, str) else value
        if not 1 <= len(urls) <= SERVERS_MAX:
            raise ValueError(f"expected 1 to {SERVERS_MAX} servers")
        for url in urls:
            _check(url)
        if len({urlsplit(url).scheme for url in urls}) > 1:
            raise ValueError("some servers with TLS, some without; expected all alike")
        return urls

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.tls is not None and not self.secure:
            raise ValueError("tls is set but url is nats://; expected tls://host")
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together; expected both or neither")
        ways = (self.username, self.token, self.credentials_file)
        if sum(way is not None for way in ways) > 1:
            raise ValueError("expected one of username, token, credentials_file")
        return self

    @property
    def manner(self) -> Manner:
        """A message goes to a subject."""
        return NATS

    @property
    def servers(self) -> tuple[str, ...]:
        """The servers, in order."""
        return (self.url,) if isinstance(self.url, str) else self.url

    @property
    def secure(self) -> bool:
        """Whether the connection is TLS."""
        return urlsplit(self.servers[0]).scheme == "tls"


def _check(url: str) -> None:
    expected = "expected nats://host[:4222] or tls://host[:4222]"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise ValueError(f"not a URL; {expected}") from exc
    if "@" in parts.netloc:
        raise ValueError("no user in url; use username and password: !secret NAME")
    if parts.scheme not in {"nats", "tls"} or not host or port == 0 or parts.path not in {"", "/"}:
        raise ValueError(f"not a NATS URL; {expected}")
