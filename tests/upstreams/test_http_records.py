"""Records reach a real HTTP platform: whole, in order, once unless in doubt, signed and bounded."""

import asyncio
import hashlib
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gatewayd.upstreams.backoff import Pace
from gatewayd.upstreams.contract import Upstream
from gatewayd.upstreams.http import REQUEST_BYTES_MAX, UPSTREAM, parts
from gatewayd.upstreams.http_answers import ANSWER_BYTES_MAX
from gatewayd.upstreams.http_headers import signature
from gatewayd.upstreams.http_wire import RETRY_AFTER_S_MAX, retry_after_s
from tests.support.certificates import Certificates, make_certificates
from tests.support.http_platform import HttpPlatform, Reply, Request
from tests.support.outpost import QUICK, Outpost, bodies, drained, ids, running
from tests.support.waiting import until

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PATIENT = Pace(first_s=5.0, max_s=5.0, look_s=0.05)


@pytest.fixture
async def platform() -> AsyncIterator[HttpPlatform]:
    async with HttpPlatform() as made:
        yield made


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("authority"))


def http(outpost: Outpost, url: str, *, pace: Pace = QUICK, **settings: Any) -> Upstream:
    return outpost.upstream_of(UPSTREAM, pace=pace, url=url, **settings)


def answers(status: int, body: str = "", **headers: str) -> Reply:
    return lambda _request: web.Response(status=status, text=body, headers=headers)


# What is sent


async def test_a_record_is_the_body_and_its_id_the_idempotency_key(
    outpost: Outpost, platform: HttpPlatform
) -> None:
    committed = await outpost.commit(5)
    upstream = http(outpost, platform.url, bearer="token", headers={"X-Api-Key": "k"})
    async with running(upstream):
        await drained(upstream)
    assert platform.arrived == bodies(committed)
    for request, record in zip(platform.requests, committed, strict=True):
        assert request.headers["Idempotency-Key"] == record.id
        assert request.headers["Content-Type"] == "application/cloudevents+json"
        assert request.headers["Authorization"] == "Bearer token"
        assert request.headers["X-Api-Key"] == "k"
        assert request.headers["Accept-Encoding"] == "identity"


async def test_a_batch_is_an_array_and_its_key_the_hash_of_its_ids(
    outpost: Outpost, platform: HttpPlatform
) -> None:
    committed = await outpost.commit(25)
    upstream = http(outpost, platform.url, batch_max=10)
    async with running(upstream):
        await drained(upstream)
    assert platform.arrived == bodies(committed)
    assert [len(request.records) for request in platform.requests] == [10, 10, 5]
    for request in platform.requests:
        text = "".join(f"{each}\n" for each in request.ids)
        assert request.headers["Idempotency-Key"] == hashlib.sha256(text.encode()).hexdigest()


async def test_a_batch_is_cut_before_it_grows_too_large(outpost: Outpost) -> None:
    large = "x" * (REQUEST_BYTES_MAX // 3)
    batch = await outpost.commit(4, note=large)
    batch += await outpost.commit(1, note="x" * (REQUEST_BYTES_MAX + 1))
    batch += await outpost.commit(2)
    cut = list(parts(batch, 100))
    assert [len(part) for part in cut] == [2, 2, 1, 2]
    assert [record for part in cut for record in part] == batch


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The vector of the reference libraries of Standard Webhooks 1.0.0."""
    now = datetime.fromtimestamp(1_614_265_330, UTC)
    headers = signature(KEY, "msg_p5jXN8AQM9LWM0D4loKWxJek", now, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-timestamp"] == "1614265330"


@pytest.mark.parametrize("secret", [KEY, "sixteen letters!"])
async def test_every_request_is_signed_over_its_exact_bytes(
    outpost: Outpost, platform: HttpPlatform, secret: str
) -> None:
    await outpost.commit(2)
    upstream = http(outpost, platform.url, hmac_secret=secret)
    async with running(upstream):
        await drained(upstream)
    for request in platform.requests:
        sent = {name.lower(): value for name, value in request.headers.items()}
        now = datetime.fromtimestamp(int(sent["webhook-timestamp"]), UTC)
        assert sent["webhook-id"] == request.ids[0]
        assert signature(secret, request.ids[0], now, request.body).items() <= sent.items()


# Who we talk to


async def test_tls_trusts_the_named_authority_alone(
    outpost: Outpost, tmp_path: Path, certificates: Certificates
) -> None:
    strangers = make_certificates(tmp_path / "strangers")
    await outpost.commit(1)
    async with HttpPlatform(certificates) as platform:
        for ca in (str(strangers.ca), None):
            async with running(http(outpost, platform.url, tls={"ca_file": ca})):
                await outpost.until_state("down", error="CERTIFICATE_VERIFY_FAILED")
        assert not platform.requests
        upstream = http(outpost, platform.url, tls={"ca_file": str(certificates.ca)})
        async with running(upstream):
            await drained(upstream)


async def test_a_client_certificate_is_shown_to_a_platform_that_asks(
    outpost: Outpost, certificates: Certificates
) -> None:
    await outpost.commit(1)
    ca = {"ca_file": str(certificates.ca)}
    ours = {"cert_file": str(certificates.client_cert), "key_file": str(certificates.client_key)}
    async with HttpPlatform(certificates, ask_client=True) as platform:
        async with running(http(outpost, platform.url, tls=ca)):
            await outpost.until_state("down")
        assert not platform.requests
        upstream = http(outpost, platform.url, tls={**ca, **ours})
        async with running(upstream):
            await drained(upstream)


async def test_missing_tls_files_are_named(outpost: Outpost) -> None:
    async with running(http(outpost, "https://127.0.0.1:9", tls={"ca_file": "none.pem"})):
        await outpost.until_state("down", error="none.pem")


# What is answered


async def test_an_answer_without_a_yes_keeps_the_record_until_there_is_one(
    outpost: Outpost, platform: HttpPlatform
) -> None:
    (record,) = await outpost.commit(1)
    reasons = {
        401: "answered 401 Unauthorized",
        403: "answered 403",
        404: "answered 404",
        429: "answered 429",
        500: "answered 500",
        503: "closed",
    }
    platform.replies = [answers(status, "closed") for status in reasons for _ in range(2)]
    platform.replies += [answers(200, '{"code": 17}'), answers(200, "<html>log in</html>")]
    upstream = http(outpost, platform.url)
    async with running(upstream):
        for why in (*reasons.values(), '{"code": 17}', "a page of HTML"):
            await outpost.until_state("refused", error=why)
        await drained(upstream)
    assert platform.arrived == bodies([record])
    assert {request.headers["Idempotency-Key"] for request in platform.requests} == {record.id}


async def test_a_redirect_is_not_followed(outpost: Outpost, platform: HttpPlatform) -> None:
    await outpost.commit(1)
    async with HttpPlatform() as elsewhere:
        platform.replies = [answers(status, Location=elsewhere.url) for status in (301, 307, 308)]
        upstream = http(outpost, platform.url)
        async with running(upstream):
            await outpost.until_state("refused", error=f"redirects to {elsewhere.url}")
            await drained(upstream)
        assert not elsewhere.requests


async def test_retry_after_is_waited_for(outpost: Outpost, platform: HttpPlatform) -> None:
    await outpost.commit(1)
    at: list[float] = []

    def noted(request: Request) -> web.StreamResponse:
        at.append(asyncio.get_running_loop().time())
        return answers(429, **{"Retry-After": "1"})(request)

    platform.replies = [noted]
    upstream = http(outpost, platform.url)
    async with running(upstream):
        await drained(upstream)
        assert asyncio.get_running_loop().time() - at[0] >= 1


NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0),
        ("120", 120),
        (" 5 ", 5),
        ("0", 0),
        ("-5", 0),
        ("1.5", 0),
        ("soon", 0),
        ("٣", 0),
        ("9" * 5000, RETRY_AFTER_S_MAX),
        ("Wed, 01 Jul 2026 12:00:30 GMT", 30),
        ("Wed, 01 Jul 2026 11:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", RETRY_AFTER_S_MAX),
        ("Fri, 99 Dec 9999 23:59:59 GMT", 0),
    ],
)
def test_retry_after_is_read_or_ignored(text: str, seconds: float) -> None:
    assert retry_after_s(text, NOW) == seconds


# Platforms that are none


@asynccontextmanager
async def saying(*chunks: bytes, then_hang: bool = False) -> AsyncIterator[str]:
    """A server that reads a little, says this, and hangs up (or never does)."""
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        try:
            for chunk in chunks:
                writer.write(chunk)
                await writer.drain()
            if then_hang:
                await done.wait()
        except ConnectionError:
            pass  # the client had enough
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        done.set()
        server.close()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("chunks", "why"),
    [
        ([], "no whole answer"),
        ([b"\x00\xff garbage \r\n\r\n"], "no whole answer"),
        ([b"SSH-2.0-OpenSSH_9\r\n"], "no whole answer"),
        ([HEAD], "no whole answer"),
        ([HEAD, b"Content-Length: 100\r\n\r\n", b'{"results"'], "no whole answer"),
        ([HEAD, b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\n{}"], "no whole answer"),
        ([HEAD, b"Transfer-Encoding: chunked\r\n\r\n", b"zz\r\n{}"], "no whole answer"),
        ([HEAD, b"X: " + b"y" * 100_000 + b"\r\n\r\n"], "no whole answer"),
    ],
)
async def test_half_an_answer_is_no_answer(outpost: Outpost, chunks: list[bytes], why: str) -> None:
    await outpost.commit(1)
    async with saying(*chunks) as url, running(http(outpost, url)):
        await outpost.until_state("down", error=why)
    assert outpost.store.cursor("platform") == 0


@pytest.mark.parametrize("status", [b"200 OK", b"500 Oops"])
async def test_ten_megabytes_of_html_are_not_read(outpost: Outpost, status: bytes) -> None:
    await outpost.commit(1)
    head = b"HTTP/1.1 " + status + b"\r\nContent-Length: 10485760\r\n\r\n<html><h1>Hello"
    page = [head, *[b" " * 65_536] * 200]
    async with saying(*page) as url, running(http(outpost, url, pace=PATIENT)):
        await outpost.until_state("refused", error="a page of HTML")
    assert str(ANSWER_BYTES_MAX) in outpost.state()["error"]
    assert outpost.store.cursor("platform") == 0


async def test_a_compressed_answer_is_not_unpacked(outpost: Outpost) -> None:
    await outpost.commit(1)
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"
    async with saying(head) as url, running(http(outpost, url, pace=PATIENT)):
        await outpost.until_state("refused", error="compressed")


async def test_a_platform_that_never_answers_is_left_in_time(outpost: Outpost) -> None:
    await outpost.commit(1)
    async with (
        saying(HEAD, then_hang=True) as url,
        running(http(outpost, url, answer_within_s=1)),
    ):
        await outpost.until_state("down", error="no whole answer within 1 s")


async def test_stopping_does_not_wait_for_an_answer(
    outpost: Outpost, platform: HttpPlatform
) -> None:
    await outpost.commit(1)
    platform.open.clear()
    async with running(http(outpost, platform.url)):
        await until(lambda: platform.asked)
        begun = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - begun < 2
    platform.open.set()


async def test_a_batch_with_one_bad_record_costs_that_record_alone(
    outpost: Outpost, platform: HttpPlatform
) -> None:
    """A platform that refuses the whole batch for one of its records."""
    committed = await outpost.commit(12)
    bad = committed[5].id

    def whole(request: Request) -> web.StreamResponse:
        platform.replies.append(whole)
        if bad in request.ids:
            return web.Response(status=422, text="bad record")
        platform.arrived += request.records
        return web.Response(status=204)

    platform.replies = [whole]
    upstream = http(outpost, platform.url, batch_max=12)
    async with running(upstream):
        await drained(upstream)
    (letter,) = outpost.store.dead_letters("platform")
    assert letter.record_id == bad
    assert "bad record" in letter.reason
    assert ids(platform.arrived) == [record.id for record in committed if record.id != bad]


def test_a_station_without_http_does_not_load_aiohttp() -> None:
    code = (
        "import sys; from gatewayd.settings.upstreams import upstream_table as t; "
        "t().get('http'); t().get('mqtt'); sys.exit('aiohttp' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_tls_below_1_2(tmp_path: Path, certificates: Certificates) -> None:
    settings = UPSTREAM.settings.model_validate(
        {"url": "https://b/", "tls": {"ca_file": str(certificates.ca)}}
    )
    context = settings.model_copy().tls.context(tmp_path)  # type: ignore[attr-defined] # http's own
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
