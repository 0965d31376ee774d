"""The way in by HTTP: the only file of the page that knows aiohttp, imported when there is a page.

Every request passes `_guarded`: a known host, for a question that asks for something an origin that
is ourselves, a bounded body, somebody who may. The page may hang, flood or fail: it has no queue,
no lock and no thread in common with a rig.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from gatewayd.errors import GatewayError
from gatewayd.logs import logger
from gatewayd.settings.web import WebSettings
from gatewayd.web.api import PREFIX
from gatewayd.web.assets_read import Asset, assets
from gatewayd.web.connections import CONNECTIONS_MAX, Pace, Refusing, bound, tls
from gatewayd.web.doors import Doors
from gatewayd.web.feed import Feed
from gatewayd.web.scrapes import PATH as METRICS_PATH
from gatewayd.web.scrapes import Scrapes
from gatewayd.web.terms import (
    BAD,
    FORBIDDEN,
    UNAVAILABLE,
    UNKNOWN_USER,
    Answer,
    Asked,
    Login,
    RefusedError,
    Route,
    refusal,
)

BODY_BYTES_MAX = 64 * 1024
BODY_WITHIN_S = 10.0
FIRST_REQUEST_WITHIN_S = 10.0
"""A connection that has not asked anything by then is closed."""
STOP_WITHIN_S = 0.5
COOKIE = "gatewayd"
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "gatewayd",
}
Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = logger("web")


class Server:
    """One page at one address. `start` it, wait, `stop` it; on one loop."""

    def __init__(
        self,
        settings: WebSettings,
        routes: tuple[Route, ...],
        doors: Doors,
        feed: Feed,
        scrapes: Scrapes | None = None,
    ) -> None:
        self._settings = settings
        self._doors = doors
        self._feed = feed
        self._scrapes = scrapes
        self._silent: set[RequestHandler] = set()
        self._pace = Pace()
        self._complaint = ""
        app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[self._guarded])
        for route in routes:
            app.router.add_route(route.method, PREFIX + route.path, self._answering(route))
        app.router.add_get(f"{PREFIX}/events", self._events)
        if scrapes is not None:
            app.router.add_get(METRICS_PATH, self._metrics)
        for path, asset in assets().items():
            app.router.add_get(path, _giving(asset))
        self._runner = web.AppRunner(
            app, access_log=None, handle_signals=False, shutdown_timeout=STOP_WITHIN_S
        )
        self._listening: asyncio.Server | None = None

    async def start(self, directory: Path) -> None:
        """Listen; raises GatewayError with the reason when that cannot be."""
        await self._runner.setup()
        try:
            context = await asyncio.to_thread(tls, self._settings, directory)
            loop = asyncio.get_running_loop()
            self._listening = await loop.create_server(
                self._accept, self._settings.host, self._settings.port, ssl=context
            )
        except (OSError, ValueError) as exc:
            raise GatewayError(f"the page cannot listen at {self._settings.listen}: {exc}") from exc

    async def stop(self) -> None:
        """Listen no more, and let go of who is there."""
        if self._listening is not None:
            self._listening.close()
        await self._runner.cleanup()

    # --- connections ---

    def _accept(self) -> asyncio.Protocol:
        server = self._runner.server
        assert server is not None, "set up before it listens"
        if len(server.connections) >= CONNECTIONS_MAX:
            return Refusing()
        handler: RequestHandler = server()
        self._silent.add(handler)
        loop = asyncio.get_running_loop()
        loop.call_later(FIRST_REQUEST_WITHIN_S, self._close_silent, handler)
        return handler

    def _close_silent(self, handler: RequestHandler) -> None:
        if handler in self._silent:
            self._silent.discard(handler)
            handler.force_close()

    # --- every request ---

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handle) -> web.StreamResponse:
        self._silent.discard(request.protocol)
        try:
            await self._pace.turn()
            self._admit(request)
            response = await handler(request)
        except RefusedError as exc:
            response = _json(exc.answer())
        except web.HTTPRequestEntityTooLarge:
            why = refusal("too_large", most=BODY_BYTES_MAX)
            response = _json(Answer({"error": why.as_json()}, 413))
        except web.HTTPException as exc:
            why = refusal("not_found")
            response = _json(Answer({"error": why.as_json()}, exc.status))
        except Exception as exc:  # noqa: BLE001 - a bug of the page is told; the rigs go on
            self._complain(request.path, exc)
            response = _json(Answer({"error": refusal("failed").as_json()}, 500))
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    def _complain(self, path: str, bug: Exception) -> None:
        """Once for as long as it is the same path: a traceback costs the loop milliseconds."""
        if path != self._complaint:
            self._complaint = path
            log.error("web.failed", path=path, exc_info=bug)

    def _admit(self, request: web.Request) -> None:
        """Refuse who calls us by a foreign name, and who asks from a foreign page."""
        host = request.headers.get("Host", "")  # request.host may ask a name server, and wait.
        if not self._doors.knows_host(host):
            log.warning("web.foreign_host", host=host[:64])
            raise RefusedError(FORBIDDEN, refusal("foreign_host"))
        if request.method in {"GET", "HEAD"}:
            return
        origin = request.headers.get("Origin", "").rpartition("://")[2]
        if origin != host:
            log.warning("web.foreign_origin", origin=origin[:64])
            raise RefusedError(FORBIDDEN, refusal("foreign_origin"))
        if request.content_type != "application/json":
            raise RefusedError(BAD, refusal("not_json"))

    def _answering(self, route: Route) -> Handle:
        async def handle(request: web.Request) -> web.StreamResponse:
            login = self._login(request, route)
            body = await _body(request) if request.method == "POST" else {}
            asked = Asked(
                login=login,
                address=request.remote or "?",
                parts=dict(request.match_info),
                query=dict(request.query),
                body=body,
            )
            answer = await route.handler(asked)
            response = _json(answer)
            if answer.token is not None:
                self._remember(request, response, answer.token)
            return response

        return handle

    def _login(self, request: web.Request, route: Route | None) -> Login:
        """Who asks; refuses who is not logged in, or may not."""
        role = "viewer" if route is None else route.role
        login = self._doors.who(request.cookies.get(COOKIE, ""))
        if role is None:
            return login or Login("", "viewer")
        if login is None:
            raise RefusedError(UNKNOWN_USER, refusal("log_in"))
        if not login.may(role):
            raise RefusedError(FORBIDDEN, refusal("may_not", role=role))
        return login

    def _remember(self, request: web.Request, response: web.Response, token: str) -> None:
        if not token:
            self._doors.log_out(request.cookies.get(COOKIE, ""))
            response.del_cookie(COOKIE)
            return
        response.set_cookie(
            COOKIE,
            token,
            max_age=self._settings.session_min * 60,
            httponly=True,
            samesite="Strict",
            secure=self._settings.tls is not None,
        )

    async def _metrics(self, request: web.Request) -> web.StreamResponse:
        """Everything a monitoring system may know."""
        scrapes, headers = self._scrapes, request.headers
        assert scrapes is not None, "there is no such path without"
        if scrapes.asks:
            scrapes.admit(headers.get("Authorization", ""), request.remote or "?")
        else:
            self._login(request, None)
        body, kind = await scrapes.scrape(headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": kind, "Cache-Control": "no-store"})

    # --- the live page ---

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events until the page leaves, or does not take them."""
        self._login(request, None)
        transport = request.transport
        assert transport is not None, "there is a request"
        client = self._feed.join(transport.abort)
        if client is None:
            raise RefusedError(UNAVAILABLE, refusal("too_many_pages"))
        try:
            response = web.StreamResponse(headers={**HEADERS, "Cache-Control": "no-store"})
            response.content_type = "text/event-stream"
            bound(transport)
            await response.prepare(request)
            token = request.cookies.get(COOKIE, "")
            while (message := await client.waiting.get()) and self._doors.who(token):
                await response.write(message)
        except (ConnectionError, RuntimeError):
            log.debug("web.page_left")  # aiohttp: a transport that is closing raises either.
        finally:
            self._feed.leave(client)
        return response


async def _body(request: web.Request) -> Mapping[str, Any]:
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            body = json.loads(await request.text() or "{}")
    except (ValueError, LookupError, RecursionError, TimeoutError) as exc:
        raise RefusedError(BAD, refusal("not_json")) from exc
    if not isinstance(body, dict):
        raise RefusedError(BAD, refusal("not_json"))
    return body


def _json(answer: Answer) -> web.Response:
    text = json.dumps(answer.body, ensure_ascii=False, separators=(",", ":"))
    headers = {"Cache-Control": "no-store"}
    return web.json_response(text=text, status=answer.status, headers=headers)


def _giving(asset: Asset) -> Handle:
    async def handle(request: web.Request) -> web.StreamResponse:
        headers = {"ETag": asset.tag, "Cache-Control": "no-cache"}
        if request.headers.get("If-None-Match") == asset.tag:
            return web.Response(status=304, headers=headers)
        return web.Response(
            body=asset.body, content_type=asset.kind, charset="utf-8", headers=headers
        )

    return handle
