"""What a technician writes under `upstreams:` for `driver: postgresql`."""

from typing import Self
from urllib.parse import unquote, urlsplit

from pydantic import Field, field_validator, model_validator

from gatewayd.mapping.manners import TABLE, Manner
from gatewayd.settings.mapped import MappedSettings
from gatewayd.upstreams.tls import TlsSettings

PORT = 5432
EXPECTED = "expected postgresql://host[:5432]/database"


class PostgresqlSettings(MappedSettings):
    """A PostgreSQL database with a table for records, as `config/upstreams/postgresql.sql` makes it.

    * `url`: `postgresql://host[:5432]/database`.
    * `table`: the table, or `schema.table`.
    * `username`, `password`: the password through `!secret`.
    * `tls`: TLS with these files, `{}` for the authorities of the operating system; without `tls`
      nothing is encrypted, which is for inside the station only.
    * `records_per_s`: a backlog is sent no faster than this; by default as fast as it is taken.
    * `mapping`: the id of a mapping: how records are said in the platform's words. `values`,
      `tables`: what that mapping asks the station for.
    """

    url: str
    table: str = Field(
        default="gatewayd_records", pattern=r"^[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?$"
    )
    username: str = Field(min_length=1, max_length=63)
    password: str | None = Field(default=None, min_length=1, repr=False)
    tls: TlsSettings | None = None

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            host, port = parts.hostname, parts.port
        except ValueError as exc:
            raise ValueError(f"not a URL; {EXPECTED}") from exc
        if "@" in parts.netloc:
            raise ValueError("no user in url; use username, and password: !secret NAME")
        if parts.scheme not in {"postgresql", "postgres"} or not host or port == 0:
            raise ValueError(f"not a PostgreSQL URL; {EXPECTED}")
        if parts.query or parts.fragment:
            raise ValueError("no options in url; expected tls: {...} for TLS")
        return value

    @model_validator(mode="after")
    def _database_named(self) -> Self:
        if not self.database or "/" in self.database:
            raise ValueError(f"url names no database; {EXPECTED}")
        return self

    @property
    def manner(self) -> Manner:
        """A message is a row: its fields are columns, one of them the record's id."""
        return TABLE

    @property
    def host(self) -> str:
        """The server."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Its TCP port."""
        return urlsplit(self.url).port or PORT

    @property
    def database(self) -> str:
        """The database there."""
        return unquote(urlsplit(self.url).path.removeprefix("/"))
