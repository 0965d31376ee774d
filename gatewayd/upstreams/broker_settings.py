"""What every upstream behind an MQTT broker is told: which broker, as whom, how."""

import ssl
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from gatewayd.settings.kinds import PacedSettings
from gatewayd.upstreams.mqtt_terms import Dial, Will
from gatewayd.upstreams.tls import TlsSettings

PORTS = {"mqtt": 1883, "mqtts": 8883}
BROKERS_MAX = 16
Url = Annotated[str, Field(max_length=500)]


class BrokerSettings(PacedSettings):
    """An MQTT broker, whatever is said there.

    * `url`: `mqtt://host[:1883]` or `mqtts://host[:8883]`; a list of them is one platform behind
      several brokers: the first that answers is used, and after a loss the first is asked first.
    * `version`: `"5"`, or `"3.1.1"`, under which a broker that refuses a record cannot say so.
    * `client_id`: two clients of one id throw each other out.
    * `username`, `password`: as the broker wants them; a password through `!secret`.
    * `keepalive_s`: how long silence may last before we ask; twice as long and the broker is left.
    * `in_flight_max`: records sent but not yet acknowledged; the broker's own limit counts too.
    * `tls`: files for `mqtts://`.
    """

    url: Url | Annotated[tuple[Url, ...], Field(min_length=1, max_length=BROKERS_MAX)]
    version: Literal["5", "3.1.1", 5] = "5"
    client_id: str | None = Field(default=None, min_length=1, max_length=128)
    username: str | None = Field(default=None, min_length=1)
    password: str | None = Field(default=None, repr=False)
    keepalive_s: int = Field(default=30, ge=5, le=1200)
    in_flight_max: int = Field(default=32, ge=1, le=1000)
    tls: TlsSettings | None = None

    @field_validator("url")
    @classmethod
    def _url(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        urls = (value,) if isinstance(value, str) else value
        for url in urls:
            _address(url)
        if len({urlsplit(url).scheme for url in urls}) > 1:
            raise ValueError("some brokers with TLS, some without; expected all alike")
        return value

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.tls is not None and not self.secure:
            raise ValueError("tls is set but url is mqtt://; expected mqtts://host")
        if self.password is not None and self.username is None:
            raise ValueError("password without username; expected both")
        return self

    @property
    def urls(self) -> tuple[str, ...]:
        """The brokers, in the order in which they are asked."""
        return (self.url,) if isinstance(self.url, str) else self.url

    @property
    def secure(self) -> bool:
        """Whether the connection is TLS."""
        return urlsplit(self.urls[0]).scheme == "mqtts"

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Hosts and ports, in that order."""
        return tuple(_address(url) for url in self.urls)

    def called(self, station_id: str, upstream: str) -> str:
        """The client id by which the broker knows us."""
        del upstream
        return self.client_id or f"gatewayd-{station_id}"

    def claims(self, station_id: str, upstream: str) -> frozenset[str]:
        """A broker throws out whoever is there when another comes with the same client id."""
        called = self.called(station_id, upstream)
        return frozenset(f"client id {called!r} at {host}:{port}" for host, port in self.addresses)

    def dial(
        self, host: str, port: int, *, client_id: str, directory: Path, will: Will | None = None
    ) -> Dial:
        """How one of `addresses` is called; files of `tls` are looked for in `directory`."""
        return Dial(
            host=host,
            port=port,
            v5=self.version != "3.1.1",
            client_id=client_id,
            keepalive_s=self.keepalive_s,
            will=will,
            username=self.username,
            password=self.password,
            tls=partial(self.tls_context, directory) if self.secure else None,
        )

    def tls_context(self, directory: Path) -> ssl.SSLContext:
        """Read the files afresh, so that a renewed certificate counts at the next connection.

        Blocks on the disk. Raises UpstreamError that names the file.
        """
        context = (self.tls or TlsSettings()).context(directory)
        context.sslsocket_class = _TlsSocket
        return context


class _TlsSocket(ssl.SSLSocket):
    """Closes itself when the handshake fails; paho 2.2 leaves that to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - the signature of ssl
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _address(url: str) -> tuple[str, int]:
    expected = "expected mqtt://host[:port] or mqtts://host[:port]"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise ValueError(f"not a URL; {expected}") from exc
    if "@" in parts.netloc:
        raise ValueError("no user in url; use username: and password: !secret NAME")
    if parts.scheme not in PORTS or not host or port == 0:
        raise ValueError(f"not an MQTT URL; {expected}")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError(f"nothing may follow the host; {expected}")
    return host, PORTS[parts.scheme] if port is None else port
