"""`/metrics`: who may ask, and what a station in service tells a monitoring system."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path

import aiohttp
import apsw
import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed
from pydantic import ValidationError

from gatewayd.board import Board
from gatewayd.clock import SystemClock
from gatewayd.metrics.catalogue import METRICS
from gatewayd.settings.web import MetricsSettings, UserSettings, WebSettings
from gatewayd.store.beside import import_cylinders
from gatewayd.web.doors import TRIES_MAX, Doors
from gatewayd.web.feed import Feed
from gatewayd.web.scrapes import Scrapes
from gatewayd.web.server import Server
from tests.web.site import ASK_EVERY_S, Site, free_port

MIB = 1_048_576
QUOTA_MB = 16
"""The least that may be asked for."""
STORE = "store:\n  path: gatewayd.db\n"
TOKEN = "a-token-of-32-characters-or-so-1"  # noqa: S105 - a test's
WANG = {"wang": UserSettings(password="password-1", role="viewer")}  # noqa: S106 - a test's


@asynccontextmanager
async def serving(metrics: MetricsSettings, *, users: bool) -> AsyncIterator[str]:
    """The server alone, which tells `told 1`; its address."""
    listen = f"127.0.0.1:{free_port()}"
    settings = WebSettings(listen=listen, users=WANG if users else {}, metrics=metrics)
    clock = SystemClock()
    doors, feed = Doors(settings, clock), Feed(Board(), clock, stamp=lambda: "now", more=dict)

    async def scrape(accept: str) -> tuple[bytes, str]:
        return b"told 1\n", f"text/{'open' if 'openmetrics' in accept else 'plain'}"

    scrapes = Scrapes(metrics, doors, scrape) if metrics.serve else None
    server = Server(settings, (), doors, feed, scrapes)
    await server.start(Path())
    try:
        yield f"http://{listen}"
    finally:
        await server.stop()


async def ask(base: str, path: str = "/metrics", **headers: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{base}{path}", headers=headers) as response,
    ):
        return response.status, await response.text()


async def test_on_loopback_whoever_may_look_at_the_page_may_ask() -> None:
    async with serving(MetricsSettings(), users=False) as base:
        assert await ask(base) == (200, "told 1\n")
        assert (await ask(base, Host="foreign.example"))[0] == 403
        assert (await ask(base, Authorization="Bearer whatever"))[0] == 200


async def test_where_people_log_in_a_stranger_may_not() -> None:
    async with serving(MetricsSettings(), users=True) as base:
        status, told = await ask(base)
        assert (status, "told" in told) == (401, False)


@pytest.mark.parametrize("users", [False, True])
async def test_where_there_is_a_token_it_alone_opens_and_guessing_is_slow(*, users: bool) -> None:
    async with serving(MetricsSettings(token=TOKEN), users=users) as base:
        assert await ask(base, Authorization=f"Bearer {TOKEN}") == (200, "told 1\n")
        wrong = ["", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN[:-1]}", "Bearer \xff"]
        assert len(wrong) == TRIES_MAX
        for each in wrong:
            status, told = await ask(base, Authorization=each)
            assert (status, "told" in told, TOKEN in told) == (401, False, False)
        assert (await ask(base, Authorization=f"Bearer {TOKEN}"))[0] == 429


async def test_bytes_that_are_no_text_are_a_wrong_token_like_any() -> None:
    async with serving(MetricsSettings(token=TOKEN), users=False) as base:
        host = base.removeprefix("http://")
        for number in range(TRIES_MAX + 1):
            reader, writer = await asyncio.open_connection(*host.split(":"))
            head = f"GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
            writer.write(head.encode() + b"Authorization: Bearer \xff\r\n\r\n")
            status = int((await reader.read()).split()[1])
            writer.close()
            await writer.wait_closed()
            assert status == (429 if number == TRIES_MAX else 401)


async def test_what_is_turned_off_is_not_there() -> None:
    async with serving(MetricsSettings(serve=False), users=False) as base:
        assert (await ask(base))[0] == 404


@pytest.mark.parametrize("token", ["short", "with a blank in its middle", "x" * 257])
def test_a_token_that_is_none_is_refused(token: str) -> None:
    with pytest.raises(ValidationError):
        MetricsSettings(token=token)


def grow(path: Path) -> int:
    """Make a store that was once more than QUOTA_MB large; its size in bytes."""
    import_cylinders(path, (), station_id="3701000042", replace=True)
    with closing(apsw.Connection(str(path))) as store:
        store.execute("CREATE TABLE large (blob BLOB)")
        store.execute("INSERT INTO large VALUES (zeroblob(?))", (QUOTA_MB * MIB,))
        store.execute("DROP TABLE large")
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.stat().st_size


def with_platform(grown: list[int], config: Path) -> None:
    """A platform, and a store that was once larger than its quota; its size goes into `grown`."""
    gateway = config / "gateway.yaml"
    (config / "out").mkdir()
    text = gateway.read_text("utf-8")
    assert "upstreams:" not in text
    assert STORE in text
    extra = "upstreams: {stick: {driver: files, directory: out}}\n"
    gateway.write_text(text.replace(STORE, f"{STORE}  quota_mb: {QUOTA_MB}\n") + extra, "utf-8")
    grown.append(grow(config / "gatewayd.db"))


async def _recorded(site: Site) -> None:
    while not await site.records("fill"):  # noqa: ASYNC110 - of another process
        await asyncio.sleep(ASK_EVERY_S)


async def test_a_station_in_service_tells_what_its_records_say(tmp_path: Path) -> None:
    grown: list[int] = []
    async with Site(tmp_path, asks=False, edit=partial(with_platform, grown)) as site:
        legal, overdue = site.legal[0], site.illegal("OVERDUE")
        for cylinder, state in ((overdue, "refused"), (legal, "filling")):
            site.rig.bring(cylinder)
            if state == "filling":
                await site.rig_state("rig-1", "permitted")
                site.rig.press_start()
            await site.rig_state("rig-1", state)
            if state == "refused":
                site.rig.take_away()
                await site.rig_state("rig-1", "locked")
        await asyncio.sleep(0.5)  # It flows meanwhile, and the lease is renewed.
        site.rig.press_stop()
        async with asyncio.timeout(60):
            await _recorded(site)
        await asyncio.sleep(1.0)  # A scrape is given again for so long, and a record counted soon.
        _, text = await ask(site.base)
        fill = (await site.records("fill"))[0]
        _, whole = await site.get(f"/records/{fill['sequence']}")
    values = {
        (one.name, frozenset(one.labels.values())): one.value
        for family in parsed(text)
        for one in family.samples
    }

    def value(name: str, *labels: str) -> float:
        return values[f"gatewayd_{name}", frozenset(labels)]

    data = whole["record"]["data"]
    assert value("fills_total", "rig-1", data["outcome"]) == 1
    assert value("filled_grams_total", "rig-1") == data["net_g"] > 0
    assert value("refusals_total", "rig-1", "OVERDUE") == 1
    assert value("records_total", "fill") == 1
    assert value("upstream_backlog_records", "stick") == 0
    assert value("upstream_delivered_total", "stick") >= 2
    assert value("upstream_state", "stick", "up") == 1
    assert value("scan_to_permit_seconds_count", "rig-1") == 1
    assert value("lease_renewal_seconds_count", "rig-1") >= 1
    assert value("store_commit_seconds_count") > 3
    assert value("store_quota_bytes") == grown[0] > QUOTA_MB * MIB, (
        "a file never shrinks to a quota"
    )
    assert value("loop_lag_seconds_count") > 3
    assert sum(v for k, v in values.items() if k[0] == "gatewayd_rig_phase") == 1
    assert sum(v for k, v in values.items() if k[0] == "gatewayd_wire_requests_total") > 10
    named = {name[0] for name in values}
    told = {m.name for m in METRICS if {m.name, f"{m.name}_count"} & named}
    silent = {m.name for m in METRICS} - told
    assert silent <= {"gatewayd_commands_total", "gatewayd_device_troubles"} | {
        f"gatewayd_alarms_{what}" for what in ("active", "unacknowledged")
    }
    assert not re.search(f"{legal.entry.code}|{overdue.entry.code}", text)
