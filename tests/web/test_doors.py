"""Who may come in: names, tries, sessions, passwords."""

from datetime import UTC, datetime

import pytest

from gatewayd.clock import ManualClock
from gatewayd.desk.terms import No
from gatewayd.settings.web import Role, UserSettings, WebSettings
from gatewayd.web import passwords
from gatewayd.web.doors import (
    ADDRESSES_MAX,
    SESSIONS_MAX,
    TRIES_ALL_MAX,
    TRIES_MAX,
    TRIES_S,
    Doors,
    Tries,
)
from gatewayd.web.terms import ROLES, Login

BOSS = UserSettings(password="boss-boss-boss", role="supervisor")  # noqa: S106 - of a test


def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 1, tzinfo=UTC))


def doors(at: ManualClock, listen: str = "127.0.0.1:8080", *, users: bool = True) -> Doors:
    named = {"boss": BOSS} if users else {}
    return Doors(WebSettings(listen=listen, users=named, names=("panel.example",)), at)


@pytest.mark.parametrize(
    ("host", "on_loopback", "on_the_net"),
    [
        ("127.0.0.1:8080", True, True),
        ("127.8.8.8", True, True),
        ("[::1]:8080", True, True),
        ("localhost:8080", True, True),
        ("panel.example:443", True, True),
        ("PANEL.example", True, True),
        ("192.0.2.7:8080", False, True),
        ("[2001:db8::1]", False, True),
        ("evil.example", False, False),
        ("127.0.0.1.evil.example", False, False),
        ("localhost.evil.example", False, False),
        ("", False, False),
        ("[::1", False, False),
        ("a b", False, False),
    ],
)
def test_a_name_that_anybody_could_point_at_us_is_foreign(
    *, host: str, on_loopback: bool, on_the_net: bool
) -> None:
    assert doors(clock()).knows_host(host) is on_loopback
    assert doors(clock(), "0.0.0.0:8080").knows_host(host) is on_the_net


def test_tries_are_counted_by_address_and_together_and_forgotten() -> None:
    at = clock()
    tries = Tries(at)
    for _ in range(TRIES_MAX - 1):
        tries.wrong("a")
    assert not tries.too_many("a")
    tries.wrong("a")
    assert tries.too_many("a")
    assert not tries.too_many("b")
    at.advance(seconds=TRIES_S)
    assert not tries.too_many("a")
    for number in range(TRIES_ALL_MAX):
        assert not tries.too_many("other")
        tries.wrong(str(number))
    assert tries.too_many("other")
    for number in range(ADDRESSES_MAX + 1):
        tries.wrong(str(number))
    assert len(tries._by_address) == ADDRESSES_MAX


async def test_a_session_ends_by_time_by_log_out_and_when_there_are_too_many() -> None:
    at = clock()
    door = doors(at)
    first = await door.log_in("boss", "boss-boss-boss", "here")
    assert isinstance(first, str)
    assert door.who(first) == Login("boss", "supervisor")
    assert door.who(first + "x") is None
    assert door.who("") is None
    at.advance(seconds=8 * 3600 - 1)
    assert door.who(first) is not None
    at.advance(seconds=1)
    assert door.who(first) is None
    tokens = [door._begin("boss", "supervisor") for _ in range(SESSIONS_MAX + 1)]
    assert [door.who(token) is None for token in tokens] == [True] + [False] * SESSIONS_MAX
    door.log_out(tokens[-1])
    assert door.who(tokens[-1]) is None


async def test_who_guesses_has_to_wait_also_with_the_right_password() -> None:
    at = clock()
    door = doors(at)
    for user in ("boss", "nobody", "boss", "nobody", "boss"):
        told = await door.log_in(user, "guess-guess", "there")
        assert isinstance(told, No)
        assert told.code == "wrong_password"
    told = await door.log_in("boss", "boss-boss-boss", "there")
    assert isinstance(told, No)
    assert told.code == "wait"
    assert isinstance(await door.log_in("boss", "boss-boss-boss", "elsewhere"), str)
    at.advance(seconds=TRIES_S)
    assert isinstance(await door.log_in("boss", "boss-boss-boss", "there"), str)


def test_without_users_whoever_sits_here_has_one_role() -> None:
    assert doors(clock(), users=False).who("") == Login("", "operator")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_what_the_lesser_ones_may(role: Role) -> None:
    may = [Login("", role).may(each) for each in ROLES]
    assert may == [ROLES.index(each) <= ROLES.index(role) for each in ROLES]


@pytest.mark.parametrize("kept", [passwords.made("a-good-password"), "a-good-password"])
def test_only_the_right_password_matches(kept: str) -> None:
    assert passwords.matches("a-good-password", kept)
    for wrong in ("", "a-good-password ", kept + "x"):
        assert not passwords.matches(wrong, kept)
    assert passwords.made("a-good-password") != kept
