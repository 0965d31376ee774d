"""Records in a platform's own words reach a real HTTP platform; what it answers decides their fate."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest
from aiohttp import web

from gatewayd.ids import new_id
from gatewayd.mapping.load import load
from gatewayd.mapping.mapping import Tongue
from gatewayd.settings.shipped import shipped_dir
from gatewayd.shapes.kinds import RecordKind
from gatewayd.store.model import Record, RecordDraft
from gatewayd.upstreams.contract import Upstream
from gatewayd.upstreams.http import UPSTREAM
from gatewayd.upstreams.http_settings import HttpSettings
from tests.mapping.records import fill
from tests.support.city_platform import CityPlatform, Heard, saying
from tests.support.outpost import QUICK, Outpost, drained, running

TOKEN = "s3cret-s3cret"  # noqa: S105 - of a test
VOUCHER = "1d3201a133be410ba8351b1100d5f674"


@pytest.fixture
async def platform() -> AsyncIterator[CityPlatform]:
    async with CityPlatform() as made:
        yield made


def tongue(name: str, values: Mapping[str, Any], tables: Mapping[str, Any] | None = None) -> Tongue:
    path = shipped_dir() / "upstreams" / f"{name}.yaml"
    mapping = load(path.read_text(encoding="utf-8"), str(path), "Asia/Shanghai")
    defaults = {key: value.default for key, value in mapping.file.values.items()}
    return Tongue(mapping, {**defaults, **values}, dict(tables or {}))


def city() -> Tongue:
    values = {"station_num": "3701042", "sq_code": TOKEN}
    return tongue("city-platform-b", values, {"number": {"rig-1": "1"}})


def things() -> Tongue:
    return tongue("thingsboard", {"token": TOKEN})


def speaking(outpost: Outpost, url: str, told: Tongue, **settings: Any) -> Upstream:
    told_values: dict[str, bool | int | str] = dict.fromkeys(told.values, "-")
    made = HttpSettings(url=url, mapping=told.mapping.id, values=told_values, **settings)
    upstream: Upstream = UPSTREAM.make("platform", made.speaking(told), outpost.context(), QUICK)
    return upstream


async def commit(outpost: Outpost, data: dict[str, Any], kind: RecordKind = "fill") -> Record:
    draft = RecordDraft(new_id(), kind, "rig-1", outpost.clock.wall(), data)
    return await outpost.store.append(draft)


def with_voucher(**changes: Any) -> dict[str, Any]:
    return fill(voucher={"number": VOUCHER, "valid": True, "code": "200"}, **changes)


def says(value: Any, status: int = 200) -> Callable[[Heard], web.StreamResponse]:
    return lambda _heard: web.json_response(value, status=status)


async def test_a_fill_arrives_as_the_platform_wants_it(
    outpost: Outpost, platform: CityPlatform
) -> None:
    record = await commit(outpost, with_voucher())
    upstream = speaking(outpost, platform.url, city())
    async with running(upstream):
        await drained(upstream)
    (heard,) = platform.heard
    assert (heard.method, heard.path) == ("POST", "/api/upload")
    assert heard.headers["Content-Type"] == "application/json"
    assert heard.headers["Idempotency-Key"] == record.id
    assert heard.value["record_voucher"] == VOUCHER
    assert (heard.value["pz"], heard.value["jz"]) == ("16.60", "14.80")
    assert outpost.store.dead_count("platform", retrying=False) == 0


async def test_what_is_not_for_the_platform_is_settled_and_the_rest_keeps_its_order(
    outpost: Outpost, platform: CityPlatform
) -> None:
    numbers = []
    for number in range(12):
        await commit(outpost, {"number": number}, "session")
        await commit(outpost, with_voucher(outcome="not_started", net_g=0))
        await commit(outpost, with_voucher(net_g=1_000 + 10 * number))
        numbers.append(f"1.{number:02}")
    upstream = speaking(outpost, platform.url, city())
    async with running(upstream):
        await drained(upstream)
    assert [heard.value["jz"] for heard in platform.heard] == numbers
    assert outpost.store.cursor("platform") == 36
    assert outpost.store.dead_count("platform", retrying=False) == 0


async def test_a_record_that_cannot_be_said_is_a_dead_letter_and_holds_up_nobody(
    outpost: Outpost, platform: CityPlatform
) -> None:
    await commit(outpost, fill())
    after = await commit(outpost, with_voucher())
    upstream = speaking(outpost, platform.url, city())
    async with running(upstream):
        await drained(upstream)
    (letter,) = outpost.store.dead_letters("platform", limit=10)
    assert letter.sequence == 1
    assert letter.reason == (
        "mapping city-platform-b: record_voucher: the record has no voucher.number"
    )
    assert [heard.headers["Idempotency-Key"] for heard in platform.heard] == [after.id]


@pytest.mark.parametrize(
    ("code", "words"),
    [(206, "超期未检"), (210, "无效的充装凭证"), (400, "参数错误"), (204, "条码编号不存在")],
)
async def test_a_code_that_never_changes_is_a_dead_letter_in_words(
    outpost: Outpost, platform: CityPlatform, code: int, words: str
) -> None:
    await commit(outpost, with_voucher())
    platform.replies.append(says({"code": code, "msg": f"refused {TOKEN}"}))
    upstream = speaking(outpost, platform.url, city())
    async with running(upstream):
        await drained(upstream)
    (letter,) = outpost.store.dead_letters("platform", limit=10)
    assert f"code {code}: {words}" in letter.reason
    assert "refused ********" in letter.reason
    assert TOKEN not in letter.reason


IN_DOUBT = {
    "a code to try again": says({"code": 213, "msg": "later"}),
    "a code that nobody knows": says({"code": 999}),
    "no code": says({"state": "fine"}),
    "an error inside": says({"error": "database"}),
    "another type": says({"code": None}),
    "a list": says([200]),
    "an error status": says({"code": 200}, 500),
    "a redirect": lambda _: web.Response(status=302, headers={"Location": "/login"}),
    "not allowed": says({"code": 200}, 401),
    "nothing": lambda _: web.Response(status=200),
    "html": lambda _: web.Response(text="<html>please log in</html>"),
    "garbage": lambda _: web.Response(body=b"\xff\xfe\x00{"),
    "ten megabytes": lambda _: web.Response(body=b"<html>" + b" " * 10_485_760),
}


@pytest.mark.parametrize("doubt", IN_DOUBT)
async def test_in_doubt_a_record_is_kept_and_sent_again_with_its_key(
    outpost: Outpost, platform: CityPlatform, doubt: str
) -> None:
    record = await commit(outpost, with_voucher())
    platform.replies += [IN_DOUBT[doubt]] * 2
    upstream = speaking(outpost, platform.url, city())
    async with running(upstream):
        await outpost.until_state("refused")
        assert outpost.state()["error"]
        assert outpost.store.cursor("platform") == 0
        await drained(upstream)
    assert [heard.headers["Idempotency-Key"] for heard in platform.heard] == [record.id] * 3
    assert len({heard.body for heard in platform.heard}) == 1
    assert outpost.store.dead_count("platform", retrying=False) == 0


@pytest.mark.parametrize(
    "chunks",
    [
        [],
        [b"\x00\xff garbage \r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b'{"code": 200'],
    ],
    ids=["nothing", "garbage", "half"],
)
async def test_half_an_answer_is_no_answer(outpost: Outpost, chunks: list[bytes]) -> None:
    await commit(outpost, with_voucher())
    async with saying(*chunks) as url, running(speaking(outpost, url, city())):
        await outpost.until_state("down", error="no whole answer")
    assert outpost.store.cursor("platform") == 0


async def test_records_of_one_request_go_as_a_list_and_the_token_is_in_no_text(
    outpost: Outpost, platform: CityPlatform
) -> None:
    for number in range(5):
        await commit(outpost, fill(net_g=1_000 + number))
    await commit(outpost, {"rig_id": "rig-1", "code": "overfilled", "action": "raised"}, "alarm")
    platform.replies.append(lambda _: web.Response(status=401, text=f"{TOKEN} is not known"))
    upstream = speaking(outpost, platform.url, things(), batch_max=3)
    async with running(upstream):
        await outpost.until_state("refused", error="********")
        assert TOKEN not in json.dumps(outpost.state())
        await drained(upstream)
    assert {heard.path for heard in platform.heard} == {f"/api/api/v1/{TOKEN}/telemetry"}
    lists = [heard.value for heard in platform.heard if len(heard.value) > 1]
    assert all(len(each) <= 3 for each in lists)
    assert max(len(each) for each in lists) > 1
    sent = [each["values"].get("fill_net_kg") for heard in platform.heard for each in heard.value]
    assert sent[-6:] == [1, 1.001, 1.002, 1.003, 1.004, None] or 1.004 in sent
    (letter,) = outpost.store.dead_letters("platform", limit=10)
    assert "alarm_severity: the record has no severity" in letter.reason


async def test_a_platform_that_answers_a_repetition_with_duplicate_has_the_record(
    outpost: Outpost, platform: CityPlatform
) -> None:
    values = {"api_key": "k", "api_secret": TOKEN, "company": "c"}
    values |= {"bulk_warehouse": "b", "filled_warehouse": "f"}
    await commit(outpost, fill())
    platform.replies += [
        says({"exc_type": "SomethingElse"}, 500),
        says({"exc_type": "UniqueValidationError", "exception": "there already"}, 417),
    ]
    told = tongue("erpnext-stock-entry", values, {"item": {"LPG": "GAS"}})
    upstream = speaking(outpost, platform.url, told)
    async with running(upstream):
        await drained(upstream)
    assert len(platform.heard) == 2
    assert platform.heard[0].headers["Authorization"] == f"token k:{TOKEN}"
    assert platform.heard[0].path == "/api/api/resource/Stock%20Entry"
    assert outpost.store.dead_count("platform", retrying=False) == 0


async def test_odoo_says_no_inside_a_yes(outpost: Outpost, platform: CityPlatform) -> None:
    values = {"database": "d", "uid": 2, "api_key": TOKEN, "location_id": "8"}
    values |= {"location_dest_id": "15", "product_uom": "12"}
    await commit(outpost, fill())
    await commit(outpost, fill())
    platform.replies += [
        says({"jsonrpc": "2.0", "result": {"ids": False, "messages": [{"message": "no product"}]}}),
        says({"jsonrpc": "2.0", "error": {"message": "Access Denied"}}),
        says({"jsonrpc": "2.0", "result": {"ids": [7], "messages": []}}),
    ]
    told = tongue("odoo-stock-move", values, {"product": {"LPG": "42"}})
    upstream = speaking(outpost, platform.url, told)
    async with running(upstream):
        await drained(upstream)
    (letter,) = outpost.store.dead_letters("platform", limit=10)
    assert (letter.sequence, "no product" in letter.reason) == (1, True)
    assert len(platform.heard) == 3


async def test_a_dead_letter_that_is_retried_is_said_anew(
    outpost: Outpost, platform: CityPlatform
) -> None:
    await commit(outpost, with_voucher())
    platform.replies.append(says({"code": 208, "msg": "no check"}))
    upstream = speaking(outpost, platform.url, city())
    async with running(upstream):
        await drained(upstream)
        assert outpost.store.dead_count("platform", retrying=False) == 1
        await outpost.store.retry_dead("platform", ())
        await outpost.until(lambda: outpost.state().get("dead_letters") == 0)
    assert len(platform.heard) == 2
