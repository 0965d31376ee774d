"""Who may ask for the metrics, and what they are answered with; what they are is not known here."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from gatewayd.logs import logger
from gatewayd.settings.web import MetricsSettings
from gatewayd.web.doors import TRIES_S, Doors
from gatewayd.web.terms import TOO_MANY, UNKNOWN_USER, RefusedError, refusal

PATH = "/metrics"
_BEARER = "Bearer "

Scrape: TypeAlias = Callable[[str], Awaitable[tuple[bytes, str]]]
"""By what `Accept` says: the text and its content type."""

log = logger("web")


@dataclass(frozen=True, slots=True)
class Scrapes:
    """The metrics behind the page's server. Without a token the page's own door decides."""

    settings: MetricsSettings
    doors: Doors
    scrape: Scrape

    @property
    def asks(self) -> bool:
        """Whether who asks needs the token, and nothing else."""
        return self.settings.token is not None

    def admit(self, authorization: str, address: str) -> None:
        """Refuse who does not show the token; raises RefusedError."""
        token = self.settings.token
        assert token is not None, "asked only where there is one"
        if self.doors.tries.too_many(address):
            raise RefusedError(TOO_MANY, refusal("wait", seconds=TRIES_S))
        given = authorization.removeprefix(_BEARER).encode(errors="surrogateescape")
        if authorization.startswith(_BEARER) and hmac.compare_digest(given, token.encode()):
            return
        self.doors.tries.wrong(address)
        log.warning("web.wrong_token", address=address)
        raise RefusedError(UNKNOWN_USER, refusal("no_token"))
