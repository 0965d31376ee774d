"""Who may come in: which addresses a browser may name, who is logged in, how often one may try.

Nothing here knows HTTP. Logins live in memory: after a restart everybody logs in again.
"""

import asyncio
import hashlib
import ipaddress
import secrets
from collections import OrderedDict, deque
from dataclasses import dataclass
from urllib.parse import urlsplit

from gatewayd.clock import SECOND, Clock
from gatewayd.desk.terms import No
from gatewayd.logs import logger
from gatewayd.settings.web import Role, WebSettings
from gatewayd.web import passwords
from gatewayd.web.terms import Login, refusal

SESSIONS_MAX = 128
"""Logins at once; at the limit the oldest is over."""
TRIES_MAX = 5
"""Wrong passwords or cards from one address in `TRIES_S`; then it has to wait."""
TRIES_ALL_MAX = 60
"""The same of all addresses together: who has many may not guess faster."""
TRIES_S = 60
ADDRESSES_MAX = 256
"""Addresses whose tries are remembered; the one that tried longest ago is forgotten."""
COMPARING_MAX = 4
"""Passwords that wait to be compared, one at a time; more are told to come back."""
PASSWORD_CHARACTERS_MAX = 256

log = logger("web")


class Tries:
    """Counts what went wrong, by address and together; plain calls."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_address: OrderedDict[str, deque[int]] = OrderedDict()
        self._all: deque[int] = deque(maxlen=TRIES_ALL_MAX)

    def too_many(self, address: str) -> bool:
        """Whether this address has to wait."""
        since_ns = self._clock.monotonic_ns() - TRIES_S * SECOND
        mine = self._by_address.get(address, ())
        return (
            sum(at > since_ns for at in mine) >= TRIES_MAX
            or sum(at > since_ns for at in self._all) >= TRIES_ALL_MAX
        )

    def wrong(self, address: str) -> None:
        """One more from this address."""
        now_ns = self._clock.monotonic_ns()
        self._by_address.setdefault(address, deque(maxlen=TRIES_MAX)).append(now_ns)
        self._by_address.move_to_end(address)
        if len(self._by_address) > ADDRESSES_MAX:
            self._by_address.popitem(last=False)
        self._all.append(now_ns)


@dataclass(frozen=True, slots=True)
class _Session:
    user: str
    role: Role
    until_ns: int


class Doors:
    """The page's doorkeeper. Use it on one loop."""

    def __init__(self, settings: WebSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._sessions: OrderedDict[bytes, _Session] = OrderedDict()
        self._comparing = asyncio.Semaphore(1)
        self._waiting = 0
        self.tries = Tries(clock)

    @property
    def asks(self) -> bool:
        """Whether people have to log in at all."""
        return bool(self._settings.users)

    def knows_host(self, host: str) -> bool:
        """Whether a browser may call us by this `Host`: an address, localhost, or one of `names`.

        Any other name may belong to somebody who points it at us (DNS rebinding).
        """
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name == "localhost" or name in self._settings.names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not self._settings.loopback

    def who(self, token: str) -> Login | None:
        """Who shows this token; None: nobody who is logged in now."""
        if not self.asks:
            return Login("", self._settings.without_login)
        session = self._sessions.get(_key(token)) if token else None
        if session is None or self._clock.monotonic_ns() >= session.until_ns:
            return None
        return Login(session.user, session.role)

    async def log_in(self, user: str, password: str, address: str) -> str | No:
        """A token for who says the right password; refuses `wait wrong_password`."""
        if self.tries.too_many(address) or self._waiting >= COMPARING_MAX:
            log.warning("web.login_limited", address=address)
            return refusal("wait", seconds=TRIES_S)
        known = self._settings.users.get(user)
        kept = known.password if known else passwords.NOBODY
        self._waiting += 1
        try:
            async with self._comparing:
                given = password[:PASSWORD_CHARACTERS_MAX]
                right = await asyncio.to_thread(passwords.matches, given, kept)
        finally:
            self._waiting -= 1
        if known is None or not right:
            self.tries.wrong(address)
            log.warning("web.login_refused", user=user[:64], address=address)
            return refusal("wrong_password")
        log.info("web.logged_in", user=user, role=known.role, address=address)
        return self._begin(user, known.role)

    def log_out(self, token: str) -> None:
        """This token is over."""
        self._sessions.pop(_key(token), None)

    def _begin(self, user: str, role: Role) -> str:
        token = secrets.token_urlsafe(32)
        until_ns = self._clock.monotonic_ns() + self._settings.session_min * 60 * SECOND
        self._sessions[_key(token)] = _Session(user, role, until_ns)
        if len(self._sessions) > SESSIONS_MAX:
            self._sessions.popitem(last=False)
        return token


def _key(token: str) -> bytes:
    """Tokens are kept as their hash: looking one up tells nothing by the time it takes."""
    return hashlib.sha256(token.encode()).digest()
