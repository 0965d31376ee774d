"""Settings of the station's page: where it listens, who may do what there."""

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from drivers.contract import Strict

Role = Literal["viewer", "operator", "supervisor"]
"""Looks; serves a rig; may also lock, unlock, hold, release and answer for alarms."""

USERS_MAX = 64
HASHED = re.compile(r"^scrypt:[0-9a-f]{32}:[0-9a-f]{64}$")
PASSWORD_CHARACTERS_MIN = 8
TOKEN_CHARACTERS_MIN = 16

UserName = Annotated[str, Field(pattern=r"^[^\s/+#\x00-\x1f]{1,64}$")]
HostName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]


class UserSettings(Strict):
    """Somebody who may log in at the page.

    `password` is `!secret name`, or what `gatewayd web-password` printed for it.
    """

    password: str = Field(min_length=PASSWORD_CHARACTERS_MIN, max_length=256)
    role: Role = "operator"

    @field_validator("password")
    @classmethod
    def _whole(cls, value: str) -> str:
        if value.startswith("scrypt:") and not HASHED.fullmatch(value):
            raise ValueError("not a whole line of `gatewayd web-password`")
        return value


class WebTls(Strict):
    """Certificate and key of the page as PEM files; relative to the config directory."""

    cert_file: str = Field(min_length=1)
    key_file: str = Field(min_length=1)

    def paths(self, directory: Path) -> tuple[Path, Path]:
        """Both files."""
        return directory / self.cert_file, directory / self.key_file


class MetricsSettings(Strict):
    """What the page's server tells a monitoring system at `/metrics`.

    * `serve`: `false` tells nothing.
    * `token`: who asks shows it as `Authorization: Bearer`; without one it is for whoever may look
      at the page.
    """

    serve: bool = True
    token: str | None = Field(
        default=None,
        min_length=TOKEN_CHARACTERS_MIN,
        max_length=256,
        pattern=r"^[\x21-\x7e]+$",
        repr=False,
    )


class WebSettings(Strict):
    """The page. Without this section there is none.

    * `listen`: address and port, `127.0.0.1:8080`; beyond loopback `users` are required.
    * `names`: host names by which browsers reach it; addresses need not be named.
    * `without_login`: what may be done without `users`, by whoever sits at this computer.
    * `session_min`: minutes after which a login is over.
    * `metrics`: what a monitoring system may ask at `/metrics`.
    """

    listen: str
    names: tuple[HostName, ...] = ()
    users: Mapping[UserName, UserSettings] = Field(default={}, max_length=USERS_MAX)
    without_login: Role = "operator"
    session_min: int = Field(default=480, ge=5, le=10_080)
    tls: WebTls | None = None
    metrics: MetricsSettings = MetricsSettings()

    @field_validator("listen")
    @classmethod
    def _address(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        try:
            ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
        except ValueError as exc:
            raise ValueError("expected address:port, e.g. 127.0.0.1:8080 or [::1]:8080") from exc
        if not port.isdecimal() or not 1 <= int(port) <= 65_535:  # noqa: PLR2004 - TCP
            raise ValueError("expected a port of 1..65535, e.g. 127.0.0.1:8080")
        return value

    @model_validator(mode="after")
    def _someone_is_known(self) -> Self:
        if not self.loopback and not self.users:
            raise ValueError(
                "listens to other computers without a password; expected users: "
                "{name: {password: !secret name, role: supervisor}}, or listen: 127.0.0.1:8080"
            )
        return self

    @property
    def host(self) -> str:
        """The address without brackets."""
        return self.listen.rpartition(":")[0].removeprefix("[").removesuffix("]")

    @property
    def port(self) -> int:
        """The TCP port."""
        return int(self.listen.rpartition(":")[2])

    @property
    def loopback(self) -> bool:
        """Whether only this computer reaches it."""
        return ipaddress.ip_address(self.host).is_loopback
