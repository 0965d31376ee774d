"""The API of the real daemon: who may ask what, from where, how much, and what happens at limits."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gatewayd.web.doors import TRIES_MAX
from gatewayd.web.feed import PAGES_MAX
from gatewayd.web.passwords import made
from gatewayd.web.server import BODY_BYTES_MAX
from tests.support.waiting import until
from tests.web.site import CARD, Site

pytestmark = pytest.mark.e2e

USERS = (
    "users: {look: {password: look-look-look, role: viewer},"
    f' wang: {{password: "{made("right-password")}"}},'
    " boss: {password: boss-boss-boss, role: supervisor}}"
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """A station whose page asks nobody to log in."""
    async with Site(tmp_path_factory.mktemp("site")) as made_one:
        yield made_one


def code(told: dict[str, dict[str, str]]) -> str:
    return told["error"]["code"]


@pytest.mark.asyncio(loop_scope="module")
async def test_only_the_page_itself_may_ask_for_something(site: Site) -> None:
    lock = ("/rigs/rig-1/lock", {"reason": "why"})
    for headers, refused in (
        ({"Origin": "http://evil.example"}, "foreign_origin"),
        ({"Origin": ""}, "foreign_origin"),
        ({"Origin": "null"}, "foreign_origin"),
        ({"Host": f"evil.example:{site.port}"}, "foreign_host"),
        ({"Host": "192.0.2.7"}, "foreign_host"),
        ({"Host": ""}, "foreign_host"),
        ({"Content-Type": "text/plain"}, "not_json"),
    ):
        status, told = await site.post(*lock, **headers)
        assert (status, code(told)) == (400 if refused == "not_json" else 403, refused)
        assert told["error"]["message"].keys() == {"zh", "en"}
    for host in (f"evil.example:{site.port}", "127.0.0.1.evil.example"):
        assert (await site.get("/state", headers={"Host": host}))[0] == 403
    assert (await site.get("/state", headers={"Host": "localhost:1"}))[0] == 200
    assert (await site.topic("rigs/rig-1/state"))["lock"] is None

    async with site.session.get("/") as page:
        policy = page.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        tag = page.headers["ETag"]
    async with site.session.get("/", headers={"If-None-Match": tag}) as page:
        assert page.status == 304

    big = {"reason": "x" * BODY_BYTES_MAX}
    assert await codes(site.post("/rigs/rig-1/lock", big)) == (413, "too_large")
    assert await codes(site.post("/rigs/rig-1/lock", [])) == (400, "not_json")
    assert await codes(site.post("/rigs/rig-1/lock", {"reason": 1})) == (400, "bad_field")
    assert await codes(site.post("/rigs/rig-1/lock", {"reason": "a\nb"})) == (400, "bad_field")
    assert await codes(site.post("/rigs/rig-9/lock", lock[1])) == (404, "no_rig")
    assert await codes(site.post("/rigs/rig-1/unlock", lock[1])) == (409, "not_locked")
    assert await codes(site.get("/nothing")) == (404, "not_found")
    assert await codes(site.get("/records/999")) == (404, "no_record")
    assert await codes(site.post("/rigs/rig-1/open")) == (404, "not_found")
    check = {"form": "lpg-prefill", "answers": {"stamp": ["yes"]}}
    assert await codes(site.post("/rigs/rig-1/check", check)) == (400, "bad_field")
    check = {"form": "lpg-prefill", "answers": {"stamp": "yes"}}
    assert await codes(site.post("/rigs/rig-1/check", check)) == (409, "no_cylinder")

    for _ in range(TRIES_MAX):
        told = await codes(site.post("/rigs/rig-1/login", {"card": "guess"}))
        assert told == (409, "unknown_card")
    assert await codes(site.post("/rigs/rig-1/login", {"card": CARD})) == (429, "wait")

    scanned = "http%3A%2F%2Fteshe.org.cn%2FQ%3Fid%3D" + site.legal[0].code
    _, told = await site.get(f"/cylinders/{scanned}")
    assert [one["code"] for one in told["cylinders"]] == [site.legal[0].code]
    hold = (f"/cylinders/{site.legal[0].code}/hold", {"reason": "leak", "name": "inspector"})
    assert (await site.post(*hold))[0] == 200
    (held,) = await site.records("hold")
    assert held["gist"]["en"] == "held  inspector: leak"


async def codes(asking: object) -> tuple[int, str]:
    status, told = await asking  # type: ignore[misc]
    return status, code(told)


async def test_people_log_in_and_may_do_what_their_role_says(tmp_path: Path) -> None:
    async with Site(tmp_path, web=USERS, asks=False) as site:
        for path in ("/me", "/state", "/station", "/records", "/records/1", "/cylinders/x"):
            assert await codes(site.get(path)) == (401, "log_in")
        async with site.session.get("/api/v1/events") as events:
            assert events.status == 401
        lock, ack = ("/rigs/rig-1/lock", {"reason": "why"}), "/rigs/rig-1/acknowledge"
        assert await codes(site.post(*lock)) == (401, "log_in")

        async def log_in(user: str, password: str) -> int:
            status, _ = await site.post("/login", {"user": user, "password": password})
            return status

        assert await log_in("look", "wrong-password") == 401
        assert await log_in("nobody", "wrong-password") == 401
        assert await log_in("look", "look-look-look") == 200
        (cookie,) = site.session.cookie_jar
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
        assert (await site.get("/state"))[0] == 200
        assert await codes(site.post(ack)) == (403, "may_not")
        assert await log_in("wang", "right-password") == 200
        assert await codes(site.post(ack)) == (409, "nothing_refused")
        assert await codes(site.post(*lock)) == (403, "may_not")
        assert await log_in("boss", "boss-boss-boss") == 200
        assert (await site.post(lock[0], {"reason": "why", "name": "another"}))[0] == 200
        assert (await site.topic("rigs/rig-1/state"))["lock"]["by"] == "boss"
        live = await site.session.get("/api/v1/events")
        assert (await live.content.readline()) == b"event: all\n"
        assert (await site.post("/logout"))[0] == 200
        while await live.content.readline():  # the session is over, so are its events
            pass
        assert await codes(site.get("/me")) == (401, "log_in")
        for _ in range(TRIES_MAX - 2):
            assert await log_in("boss", "wrong-password") == 401
        assert await log_in("boss", "boss-boss-boss") == 429

        assert await log_in("look", "look-look-look") == 429
        shown = json.dumps(await site.get("/texts")) + site.daemon.log()
        assert await site.daemon.stop() == 0
        for secret in ("look-look-look", "boss-boss-boss", "right-password", "wrong-password"):
            assert secret not in shown


@pytest.mark.asyncio(loop_scope="module")
async def test_pages_are_bounded_and_one_more_is_told_so(site: Site) -> None:
    events = [await site.session.get("/api/v1/events") for _ in range(PAGES_MAX)]
    assert await codes(site.get("/events")) == (503, "too_many_pages")
    assert (await site.get("/me"))[1]["full"] is True
    first = await events[0].content.readuntil(b"\n\n")
    assert first.startswith(b"event: all\n")
    assert "rigs/rig-1/state" in json.loads(first.split(b"data: ")[1])["topics"]
    for each in events:
        each.close()
    async with asyncio.timeout(10):
        while (await site.get("/me"))[1]["full"]:
            await site.topic("info")


async def test_a_page_that_cannot_listen_is_told_and_stops_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with Site(tmp_path, asks=False, port=port) as site:
            await until(lambda: bool(site.daemon.events("web.not_listening")))
            site.rig.bring(site.legal[0])
            await until(lambda: bool(site.daemon.events("permit.issued")))
