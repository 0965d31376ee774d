"""A real platform is asked within a deadline, a bounded number of times; whatever it is, it answers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gatewayd.mapping.load import load
from gatewayd.mapping.mapping import Tongue
from gatewayd.rigs.model import Identity, State
from gatewayd.rigs.sources import Asked
from gatewayd.rigs.vouched import Answer, Vouchers
from gatewayd.settings.model import UpstreamSettings
from gatewayd.settings.shipped import shipped_dir
from gatewayd.settings.vouchers import VoucherSettings
from gatewayd.upstreams.http_settings import HttpSettings
from gatewayd.vouchers.asker import Asker
from tests.rigs.bench import LEGAL, QUIET, bench
from tests.support.city_platform import CityPlatform, Heard, saying
from tests.support.outpost import Outpost
from tests.support.stores import NOON
from tests.support.waiting import until

WHO = Identity("one", LEGAL, uid="E2806801")
SECRET = "s3cret-of-the-city"  # noqa: S105 - of a test
YES = {"code": 200, "status": "true", "record_voucher": "1d32", "msg": "ok"}
WAIT_S = 10.0


@dataclass
class People:
    """Who is told that a rig should judge again."""

    told: asyncio.Event = field(default_factory=asyncio.Event)

    def changed(self) -> None:
        self.told.set()


@dataclass
class Standing:
    """A rig as the asker sees it: who stands there."""

    state: State = field(default_factory=lambda: State(identity=WHO))
    people: People = field(default_factory=People)


class Office:
    """Vouchers, one rig, one upstream that speaks platform B."""

    def __init__(self, outpost: Outpost, url: str, tables: Mapping[str, Any], **asked: Any) -> None:
        path = shipped_dir() / "upstreams" / "city-platform-b.yaml"
        mapping = load(path.read_text(encoding="utf-8"), str(path), "Asia/Shanghai")
        defaults = {name: value.default for name, value in mapping.file.values.items()}
        values = {**defaults, "station_num": "42", "sq_code": SECRET}
        settings = HttpSettings(url=url, mapping=mapping.id).speaking(
            Tongue(mapping, values, dict(tables))
        )
        self.upstreams = {"city": UpstreamSettings("city", "http", settings)}
        self.settings = VoucherSettings(upstream="city", **asked)
        self.vouchers, self.rig = Vouchers(), Standing()
        rigs = {bench().rig_id: self.rig}
        self.asker = Asker(self.vouchers, rigs, lambda: self.upstreams, outpost.context())

    def facts(self, presence: int = 1) -> Mapping[str, Any]:
        """As a judgement of the rig asks."""
        made = bench()
        rig = made.rig.model_copy(update={"voucher": self.settings})
        sample = replace(QUIET, cylinder_on=True, stable=True)
        return self.vouchers.facts(
            Asked(made.rig_id, rig, made.station, WHO, sample, NOON, presence)
        )

    async def answer(self) -> Answer:
        """Ask, and wait until the rig is told to judge again."""
        assert self.facts() == {}
        asking = asyncio.ensure_future(self.asker.run())
        try:
            async with asyncio.timeout(WAIT_S):
                await self.rig.people.told.wait()
        finally:
            asking.cancel()
        ask = self.vouchers.of(bench().rig_id, LEGAL.code)
        assert ask is not None
        assert ask.answer is not None
        return ask.answer


TABLES = {"number": {bench().rig_id: "1"}}


@pytest.fixture
async def outpost(tmp_path: Path) -> AsyncIterator[Outpost]:
    async with Outpost(tmp_path) as made:
        yield made


@pytest.fixture
async def platform() -> AsyncIterator[CityPlatform]:
    async with CityPlatform() as made:
        made.usual = lambda _heard: web.json_response(YES)
        yield made


async def test_a_yes_is_a_fact_and_it_was_asked_once(
    outpost: Outpost, platform: CityPlatform
) -> None:
    office = Office(outpost, platform.url, TABLES)
    answer = await office.answer()
    assert (answer.valid, answer.number) == (True, "1d32")
    assert office.facts() == {"checks.voucher_valid": True}
    (heard,) = platform.heard
    assert (heard.method, heard.path) == ("POST", "/api/check")
    assert heard.value == {
        "station_num": "42",
        "number": "1",
        "qrcode": LEGAL.code,
        "sq_code": SECRET,
    }


async def test_a_cylinder_that_comes_back_at_once_is_asked_for_anew(
    outpost: Outpost, platform: CityPlatform
) -> None:
    office = Office(outpost, platform.url, TABLES)
    await office.answer()
    assert office.facts(presence=2) == {}
    (ask,) = office.vouchers.waiting()
    assert (ask.code, ask.answer) == (LEGAL.code, None)
    assert office.facts(presence=0) == {}, (
        "asked beside the rig: by what is known of who stands there"
    )


DOUBTS: dict[str, Callable[[Heard], web.StreamResponse]] = {
    "html": lambda _: web.Response(text="<html>log in</html>"),
    "ten megabytes": lambda _: web.Response(body=b"<html>" + b" " * 10_485_760),
    "redirect": lambda _: web.Response(status=302, headers={"Location": "/login"}),
    "error inside": lambda _: web.json_response({"error": f"{SECRET} is wrong"}),
    "garbage": lambda _: web.Response(body=b"\xff\xfe{"),
    "nothing": lambda _: web.Response(),
    "refused": lambda _: web.json_response({"code": 201, "msg": SECRET}, status=200),
    "an error": lambda _: web.json_response(YES, status=500),
}


@pytest.mark.parametrize("doubt", DOUBTS)
async def test_in_every_doubt_it_is_a_no_with_a_reason_and_without_a_secret(
    outpost: Outpost, platform: CityPlatform, doubt: str
) -> None:
    platform.usual = DOUBTS[doubt]
    office = Office(outpost, platform.url, TABLES)
    answer = await office.answer()
    assert not answer.valid
    assert answer.reason
    assert SECRET not in answer.reason
    assert office.facts() == {"checks.voucher_valid": False}
    assert len(platform.heard) == 1


async def test_silence_ends_at_the_deadline(outpost: Outpost, platform: CityPlatform) -> None:
    platform.open.clear()
    answer = await Office(outpost, platform.url, TABLES, within_s=1).answer()
    assert answer == Answer(valid=False, reason="no answer within 1 s", offline=True)
    platform.open.set()


async def test_a_try_without_a_whole_answer_is_repeated_with_its_key_and_not_for_ever(
    outpost: Outpost,
) -> None:
    async with saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b'{"code": 200') as url:
        answer = await Office(outpost, url, TABLES, tries=3).answer()
    assert not answer.valid
    assert answer.offline
    assert "no whole answer" in answer.reason


async def test_nobody_there_is_no_answer(outpost: Outpost) -> None:
    answer = await Office(outpost, "http://127.0.0.1:1/api", TABLES, tries=1).answer()
    assert (answer.valid, answer.offline) == (False, True)


async def test_a_question_that_cannot_be_said_is_a_no_that_no_site_can_loosen(
    outpost: Outpost, platform: CityPlatform
) -> None:
    answer = await Office(outpost, platform.url, {"number": {"rig-9": "9"}}).answer()
    assert (answer.valid, answer.offline) == (False, False)
    assert "no code for" in answer.reason
    office = Office(outpost, platform.url, TABLES)
    office.upstreams = {}
    answer = await office.answer()
    assert (answer.valid, answer.offline) == (False, False)
    assert "cannot be asked" in answer.reason
    assert platform.heard == []


async def test_a_cylinder_that_left_is_asked_for_no_more(
    outpost: Outpost, platform: CityPlatform
) -> None:
    platform.open.clear()
    office = Office(outpost, platform.url, TABLES)
    assert office.facts() == {}
    asking = asyncio.ensure_future(office.asker.run())
    await until(lambda: bool(platform.heard))
    office.rig.state = State()
    await until(lambda: office.vouchers.of(bench().rig_id, LEGAL.code) is None)
    platform.open.set()
    asking.cancel()
    assert not office.rig.people.told.is_set()
