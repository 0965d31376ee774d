"""Logging for the person on call: one event a state change, with fields, on stderr.

`console` is for a person, `json` is one object a line for a machine. Nothing here writes a file.
A field whose name says secret, and a password inside a URL, never reach the output.
"""

import logging
import re
import sys
from collections.abc import MutableMapping, Sequence
from typing import Any, Literal, TextIO

_DECORATION = "rich"
"""An optional library of structlog for coloured tracebacks, which we never show: 66 modules, 4 MB."""
_absent = _DECORATION not in sys.modules
if _absent:
    sys.modules[_DECORATION] = None  # type: ignore[assignment]  # as if it were not installed
import structlog  # noqa: E402 - it looks for the library while it is imported
from structlog.typing import Processor  # noqa: E402 - after it

if _absent:
    del sys.modules[_DECORATION]

Format = Literal["console", "json"]
Level = Literal["debug", "info", "warning", "error"]

MASK = "********"
FIELD_CHARS_MAX = 2_000
"""A longer text in one field is cut: a log line is read by a person."""
NOISY = ("pymodbus", "paho", "aiomqtt", "mqtt", "asyncio")
"""Libraries whose events we tell ourselves, as a device or upstream going down or up."""

_SECRET_NAME = re.compile(r"(^|_)(password|passphrase|passwd|secret|token|pin)$", re.IGNORECASE)
_USERINFO = re.compile(r"(://[^/@:\s]*:)[^/@\s]*@")


def setup(*, format: Format, level: Level, stream: TextIO | None = None) -> None:  # noqa: A002 - the key of gateway.yaml
    """Route our events and those of libraries to `stream` (default stderr). Call once a process.

    `level` is for our own events; libraries are heard from `warning`, noisy ones not at all,
    unless `level` is `debug`.
    """
    out = sys.stderr if stream is None else stream
    shared = _shared()
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(format, colors=out.isatty()),
            ],
        )
    )
    _route(handler, level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of one part of the daemon, e.g. `logger("rigs")` logs as `gatewayd.rigs`."""
    bound: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(f"gatewayd.{name}")
    return bound


def _route(handler: logging.Handler, level: Level) -> None:
    chosen = logging.getLevelName(level.upper())
    root = logging.getLogger()
    root.handlers = [handler]
    debug = level == "debug"
    root.setLevel(logging.DEBUG if debug else max(logging.WARNING, chosen))
    logging.getLogger("gatewayd").setLevel(chosen)
    for name in NOISY:
        quiet = logging.NOTSET if debug else logging.CRITICAL
        logging.getLogger(name).setLevel(quiet)


def _shared() -> Sequence[Processor]:
    return (
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="t"),
        structlog.processors.StackInfoRenderer(),
    )


def _rendering(format_: Format, *, colors: bool) -> Sequence[Processor]:
    """Redaction comes last before the text, so that traces and library events pass it too."""
    renderer: Processor
    if format_ == "json":
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=colors,
            timestamp_key="t",
            exception_formatter=structlog.dev.plain_traceback,
        )
    return (structlog.processors.format_exc_info, redact, renderer)


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask secret fields and passwords in URLs, and cut what is too long."""
    for key, value in event.items():
        if _SECRET_NAME.search(key):
            event[key] = MASK
        elif isinstance(value, str):
            hidden = _USERINFO.sub(rf"\1{MASK}@", value)
            event[key] = hidden if key == "exception" else _cut(hidden)
    return event


def _cut(value: str) -> str:
    if len(value) <= FIELD_CHARS_MAX:
        return value
    return f"{value[:FIELD_CHARS_MAX]}… ({len(value) - FIELD_CHARS_MAX} more)"
