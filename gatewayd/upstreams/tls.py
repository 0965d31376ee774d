"""The TLS files of an upstream: whom we believe, and how we show who we are."""

import ssl
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from drivers.contract import Strict
from gatewayd.errors import UpstreamError


class TlsSettings(Strict):
    """Files of a TLS connection, relative to the config directory when relative.

    Without `ca_file` the authorities of the operating system are trusted, with it that one alone.
    The server's certificate and name are always checked.
    """

    ca_file: str | None = Field(default=None, min_length=1)
    cert_file: str | None = Field(default=None, min_length=1)
    key_file: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together; expected both or neither")
        return self

    def context(self, directory: Path) -> ssl.SSLContext:
        """Read the files afresh, so that a renewed certificate counts at the next connection.

        Blocks on the disk. Raises UpstreamError that names the files.
        """
        ca, cert, key = (
            None if name is None else str(directory / name)
            for name in (self.ca_file, self.cert_file, self.key_file)
        )
        try:
            context = ssl.create_default_context(cafile=ca)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if cert is not None:
                context.load_cert_chain(cert, key)
        except OSError as exc:
            files = ", ".join(name for name in (ca, cert, key) if name is not None)
            raise UpstreamError(f"cannot use the TLS files {files}: {exc}") from exc
        return context
