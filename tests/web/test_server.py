"""The server by itself, on a real socket: slow pages, floods, silent connections, bad requests."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from gatewayd.board import Board
from gatewayd.clock import SystemClock
from gatewayd.errors import GatewayError
from gatewayd.settings.web import WebSettings, WebTls
from gatewayd.web.connections import CONNECTIONS_MAX, REQUESTS_AT_ONCE_MAX, REQUESTS_S_MAX
from gatewayd.web.doors import Doors
from gatewayd.web.feed import Feed
from gatewayd.web.server import Server
from gatewayd.web.terms import Answer, Asked, Route
from tests.support.certificates import make_certificates
from tests.support.waiting import LOOK_EVERY_S, until
from tests.web.site import free_port

RECEIVE_BYTES = 4096


async def broken(asked: Asked) -> Answer:
    """A route that shows a bug."""
    raise ZeroDivisionError(asked.login.role)


async def fine(asked: Asked) -> Answer:
    """A route without one."""
    return Answer({"role": asked.login.role})


@asynccontextmanager
async def serving(board: Board, tls: WebTls | None = None) -> AsyncIterator[tuple[Feed, int]]:
    """The server with an empty station; its feed and its port."""
    settings = WebSettings(listen=f"127.0.0.1:{free_port()}", tls=tls)
    clock = SystemClock()
    feed = Feed(board, clock, stamp=lambda: "now", more=dict)
    routes = (
        Route("GET", "/broken", "viewer", broken),
        Route("GET", "/fine", "viewer", fine),
    )
    server = Server(settings, routes, Doors(settings, clock), feed)
    try:
        await server.start(Path())
    except GatewayError:
        await server.stop()
        raise
    task = asyncio.get_running_loop().create_task(feed.run())
    try:
        yield feed, settings.port
    finally:
        task.cancel()
        await asyncio.wait([task])
        await server.stop()


async def test_a_slow_page_is_dropped_and_one_beside_it_hears_everything() -> None:
    board = Board()
    async with serving(board) as (feed, port), aiohttp.ClientSession() as session:
        good = await session.get(f"http://127.0.0.1:{port}/api/v1/events")
        loop = asyncio.get_running_loop()
        slow = socket.socket()
        slow.setblocking(False)  # noqa: FBT003 - its only form
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        await loop.sock_connect(slow, ("127.0.0.1", port))
        request = f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
        await loop.sock_sendall(slow, request.encode())
        await until(lambda: feed.pages == 2)
        number = 0
        async with asyncio.timeout(20):
            while feed.dropped == 0:
                number += 1
                board.post("much", {"is": number, "text": "x" * 50_000})
                await good.content.readuntil(b"\n\n")
        assert feed.pages == 1
        board.post("last", {"is": 1})
        while b'"last"' not in await good.content.readuntil(b"\n\n"):
            pass
        slow.close()
        good.close()


async def test_a_flood_of_requests_waits_and_a_bug_is_told_without_its_words() -> None:
    async with serving(Board()) as (_, port):
        url = f"http://127.0.0.1:{port}/api/v1"
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            loop = asyncio.get_running_loop()
            began_s = loop.time()

            async def ask(path: str = "fine") -> tuple[int, str]:
                async with session.get(f"{url}/{path}") as response:
                    return response.status, await response.text()

            many = REQUESTS_AT_ONCE_MAX + REQUESTS_S_MAX // 2
            await asyncio.gather(*(ask() for _ in range(many)))
            assert loop.time() - began_s >= 0.4
            status, told = await ask("broken")
            assert (status, "ZeroDivision" in told, "page failed" in told) == (500, False, True)
            assert (await ask())[0] == 200


async def test_one_connection_more_than_there_may_be_is_closed_and_the_next_is_served() -> None:
    async with serving(Board()) as (_, port):
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS_MAX)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()
        for _, each in opened:
            each.close()
        async with asyncio.timeout(10), aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.get(f"http://127.0.0.1:{port}/") as response:
                        assert response.status == 200
                        break
                except aiohttp.ClientError:
                    await asyncio.sleep(LOOK_EVERY_S)


async def test_a_request_without_a_name_asks_no_name_server() -> None:
    """Aiohttp would look up the name of this machine, on the loop."""
    async with serving(Board()) as (_, port):
        for request in (b"GET / HTTP/1.0\r\n\r\n", b"GET /api/v1/events HTTP/1.0\r\n\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            head = await reader.readline()
            assert b" 403 " in head
            writer.close()


async def test_tls_is_what_the_certificate_says_or_there_is_no_page(tmp_path: Path) -> None:
    made = make_certificates(tmp_path)
    trusting = ssl.create_default_context(cafile=made.ca)
    tls = WebTls(cert_file=str(made.server_cert), key_file=str(made.server_key))
    async with serving(Board(), tls) as (_, port), aiohttp.ClientSession() as session:
        async with session.get(f"https://127.0.0.1:{port}/api/v1/fine", ssl=trusting) as response:
            assert response.status == 200
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"http://127.0.0.1:{port}/")
    wrong = WebTls(cert_file=str(made.server_cert), key_file=str(made.client_key))
    missing = WebTls(cert_file="nowhere.pem", key_file="nowhere.key")
    for bad in (wrong, missing):
        with pytest.raises(GatewayError, match="cannot listen"):
            async with serving(Board(), bad):
                pass
