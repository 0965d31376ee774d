"""What is peculiar to NATS JetStream; what every kind must do is in test_contract.py."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gatewayd.upstreams.contract import Upstream
from gatewayd.upstreams.nats import UPSTREAM, subject_token
from gatewayd.upstreams.nats_settings import NatsSettings
from tests.support.certificates import Certificates, make_certificates
from tests.support.nats_server import STREAM, Look, NatsServer, Stream
from tests.support.outpost import STATION, Outpost, bodies, drained, running

INFO = b'INFO {"server_id":"x","version":"2.10.0","headers":true,"max_payload":1000000%s}\r\n'


def to(outpost: Outpost, url: str | tuple[str, ...], **settings: Any) -> Upstream:
    return outpost.upstream_of(UPSTREAM, url=url, **settings)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("authority"))


def tls_lines(certificates: Certificates) -> str:
    cert, key = (json.dumps(str(p)) for p in (certificates.server_cert, certificates.server_key))
    return f"tls {{ cert_file: {cert}, key_file: {key} }}"


class Pretender:
    """Something that says `greeting` where a server should be, and notes what it hears."""

    def __init__(self, greeting: bytes, *, hangs_up: bool = False) -> None:
        self.heard = bytearray()
        self.port = 0
        self._greeting = greeting
        self._hangs_up = hangs_up

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self._greeting)
        while not self._hangs_up and (data := await reader.read(4096)):
            self.heard += data
        writer.transport.abort()


@asynccontextmanager
async def pretending(greeting: bytes, *, hangs_up: bool = False) -> AsyncIterator[Pretender]:
    pretender = Pretender(greeting, hangs_up=hangs_up)
    server = await asyncio.start_server(pretender.serve, "127.0.0.1", 0)
    async with server:
        pretender.port = server.sockets[0].getsockname()[1]
        yield pretender


async def test_a_record_is_kept_while_no_stream_takes_it_and_says_which_subject(
    outpost: Outpost, tmp_path: Path
) -> None:
    committed = await outpost.commit(2, "refusal")
    with NatsServer(tmp_path) as server:
        upstream = to(outpost, server.url)
        async with running(upstream):
            subject = f"gatewayd.v1.{STATION}.records.refusal"
            await outpost.until_state("refused", error=f"no stream at the server takes {subject}")
            stream = Stream(server.port)
            stream.make()
            await drained(upstream)
        assert stream.bodies() == bodies(committed)


async def test_another_stream_than_the_one_named_is_refused(
    outpost: Outpost, tmp_path: Path
) -> None:
    await outpost.commit(1)
    with NatsServer(tmp_path) as server:
        Stream(server.port).make()
        async with running(to(outpost, server.url, stream="OTHER")):
            await outpost.until_state("refused", error="expected stream does not match")
        assert Stream(server.port).bodies() == []


async def test_a_repeated_id_is_in_the_stream_once(outpost: Outpost, tmp_path: Path) -> None:
    (record,) = await outpost.commit(1)
    with NatsServer(tmp_path) as server:
        stream = Stream(server.port)
        stream.make()
        for name in ("platform", "again"):
            upstream = outpost.upstream_of(UPSTREAM, name=name, url=server.url)
            async with running(upstream):
                await drained(upstream)
        assert stream.bodies() == bodies([record])


async def test_a_message_above_the_limit_of_the_stream_is_a_dead_letter(
    outpost: Outpost, tmp_path: Path
) -> None:
    (large,) = await outpost.commit(1, note="x" * 4000)
    (small,) = await outpost.commit(1)
    with NatsServer(tmp_path) as server:
        stream = Stream(server.port)
        stream.make(max_msg_size=2000)
        upstream = to(outpost, server.url)
        async with running(upstream):
            await drained(upstream)
        assert stream.bodies() == bodies([small])
    (letter,) = outpost.store.dead_letters("platform")
    assert (letter.record_id, "10054" in letter.reason) == (large.id, True)


async def test_a_full_stream_keeps_records_until_there_is_room(
    outpost: Outpost, tmp_path: Path
) -> None:
    committed = await outpost.commit(6)
    with NatsServer(tmp_path) as server:
        stream = Stream(server.port)
        stream.make(max_msgs=3, discard="new")
        upstream = to(outpost, server.url, in_flight_max=4)
        async with running(upstream):
            await outpost.until_state("refused", error="maximum messages exceeded")
            assert outpost.store.cursor("platform") == 3
            stream.make(max_msgs=10, discard="new")
            await drained(upstream)
        assert stream.bodies() == bodies(committed)


async def test_the_next_server_of_the_list_is_tried_when_one_is_away(
    outpost: Outpost, tmp_path: Path
) -> None:
    committed = await outpost.commit(3)
    with NatsServer(tmp_path) as server:
        stream = Stream(server.port)
        stream.make()
        upstream = to(outpost, ("nats://127.0.0.1:1", server.url))
        async with running(upstream):
            await drained(upstream)
        assert stream.bodies() == bodies(committed)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ({"token": "right"}, {"token": "wrong"}),
        (
            {"username": "gateway", "password": "right"},
            {"username": "gateway", "password": "wrong"},
        ),
    ],
)
async def test_who_may_not_is_told_and_waited_out(
    outpost: Outpost, tmp_path: Path, right: dict[str, str], wrong: dict[str, str]
) -> None:
    await outpost.commit(1)
    who = {"token": "token", "username": "user", "password": "password"}
    lines = ", ".join(f"{who[key]}: {json.dumps(value)}" for key, value in right.items())
    with NatsServer(tmp_path, more=f"authorization {{ {lines} }}") as server:
        async with running(to(outpost, server.url, **wrong)):
            await outpost.until_state("down", error="Authorization Violation")
        async with running(to(outpost, server.url, **right)):
            await outpost.until_state("refused", error="no stream")


async def test_tls_carries_records_and_a_stranger_gets_nothing(
    outpost: Outpost, tmp_path: Path, certificates: Certificates
) -> None:
    committed = await outpost.commit(2)
    with NatsServer(tmp_path, more=tls_lines(certificates)) as server:
        url = server.url.replace("nats://", "tls://")
        async with running(to(outpost, url)):
            await outpost.until_state("down", error="certificate verify failed")
        upstream = to(outpost, url, tls={"ca_file": str(certificates.ca)})
        async with running(upstream):
            await outpost.until_state("refused", error="no stream")
    assert outpost.store.cursor("platform") == 0
    assert committed


@pytest.mark.parametrize(
    "secret", [{}, {"token": "geheim"}, {"username": "u", "password": "geheim"}]
)
async def test_a_server_that_offers_no_tls_where_tls_is_asked_hears_no_secret_and_no_record(
    outpost: Outpost, secret: dict[str, str]
) -> None:
    await outpost.commit(1)
    async with pretending(INFO % b',"auth_required":true') as pretender:
        async with running(to(outpost, f"tls://127.0.0.1:{pretender.port}", **secret)):
            await outpost.until_state("down", error="offers no TLS" if secret else "")
        assert b"geheim" not in pretender.heard
        assert b"PUB" not in pretender.heard


@pytest.mark.parametrize(
    "greeting",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"INFO nonsense\r\n", b"INFO []\r\n", b"\xff" * 3000],
)
async def test_whatever_is_no_nats_server_is_down_with_a_reason(
    outpost: Outpost, greeting: bytes
) -> None:
    await outpost.commit(1)
    async with (
        pretending(greeting, hangs_up=True) as pretender,
        running(to(outpost, f"nats://127.0.0.1:{pretender.port}")),
    ):
        await outpost.until_state("down", error="cannot connect")
    assert outpost.store.cursor("platform") == 0


# A connection that opens while its opening is cancelled is left to the collector by asyncio.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_stop_at_any_moment_of_connecting_is_heeded(outpost: Outpost) -> None:
    """nats-py waits with asyncio.wait_for, which may swallow a cancellation before 3.12."""
    async with pretending(b"", hangs_up=True) as pretender:
        for turns in range(60):
            upstream = to(outpost, f"nats://127.0.0.1:{pretender.port}")
            async with asyncio.timeout(5), running(upstream):
                for _ in range(turns):
                    await asyncio.sleep(0)
        gc.collect()  # here, where it is ignored, and not in somebody else's test


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ({"url": "mqtt://h"}, "expected nats://"),
        ({"url": "nats://"}, "expected nats://"),
        ({"url": "nats://h:0"}, "expected nats://"),
        ({"url": "nats://u:p@h"}, "!secret"),
        ({"url": []}, "1 to 16 servers"),
        ({"url": ["nats://a", "tls://b"]}, "all alike"),
        ({"tls": {}}, "expected tls://"),
        ({"username": "u"}, "both or neither"),
        ({"token": "t", "credentials_file": "x.creds"}, "expected one of"),
        ({"stream": "a.b"}, "pattern"),
        ({"subject": "a.*"}, "pattern"),
    ],
)
def test_wrong_settings_are_refused_with_what_was_expected(
    wrong: dict[str, Any], hint: str
) -> None:
    with pytest.raises(ValidationError, match=hint):
        NatsSettings.model_validate_json(json.dumps({"url": "nats://h", **wrong}))


def test_a_station_id_is_one_token_of_a_subject() -> None:
    assert subject_token("3701.00*4>2 x") == "3701_00_4_2_x"


def test_the_look_into_the_stream_is_a_client_of_its_own(tmp_path: Path) -> None:
    with NatsServer(tmp_path) as server:
        Stream(server.port).make()
        look = Look(server.port)
        assert look.ask(f"STREAM.INFO.{STREAM}")["config"]["name"] == STREAM
        look.close()
