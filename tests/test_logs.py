"""Logs are events on stderr: readable for a person, JSON for a machine, and without secrets."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from gatewayd import logs
from gatewayd.logs import FIELD_CHARS_MAX, MASK


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    names = ("gatewayd", *logs.NOISY)
    levels = [logging.getLogger(name).level for name in names]
    yield
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)
    for name, old in zip(names, levels, strict=True):
        logging.getLogger(name).setLevel(old)


def events(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_json_is_one_object_a_line_with_time_level_and_fields() -> None:
    out = io.StringIO()
    logs.setup(format="json", level="info", stream=out)
    logs.logger("rigs").warning("device.down", device="gun-1", error="没有应答", retry_s=1.5)
    (event,) = events(out)
    assert event["event"] == "device.down"
    assert event["logger"] == "gatewayd.rigs"
    assert event["level"] == "warning"
    assert (event["device"], event["error"], event["retry_s"]) == ("gun-1", "没有应答", 1.5)
    assert str(event["t"]).endswith("Z")
    assert "没有应答" in out.getvalue()


def test_console_says_the_same_to_a_person() -> None:
    out = io.StringIO()
    logs.setup(format="console", level="info", stream=out)
    logs.logger("rigs").info("rig.locked", rig="rig-1")
    assert "rig.locked" in out.getvalue()
    assert "rig=rig-1" in out.getvalue()
    assert "\x1b" not in out.getvalue()


def test_a_level_below_the_chosen_one_is_silent() -> None:
    out = io.StringIO()
    logs.setup(format="json", level="warning", stream=out)
    logs.logger("rigs").info("rig.locked")
    logs.logger("rigs").error("rig.fault")
    assert [event["event"] for event in events(out)] == ["rig.fault"]


def test_libraries_speak_in_the_same_form_and_only_when_they_must() -> None:
    out = io.StringIO()
    logs.setup(format="json", level="info", stream=out)
    logging.getLogger("some.library").info("chatter")
    logging.getLogger("some.library").warning("careful %s", 7)
    logging.getLogger("pymodbus.logging").error("told as device.down already")
    assert [(e["event"], e["logger"]) for e in events(out)] == [("careful 7", "some.library")]


@pytest.mark.parametrize("format_", ["console", "json"])
def test_a_secret_never_reaches_the_output(format_: logs.Format) -> None:
    out = io.StringIO()
    logs.setup(format=format_, level="info", stream=out)
    log = logs.logger("upstreams")
    log.info("a", password="hunter2", mqtt_token="hunter2")  # noqa: S106 - the secret of the test
    log.info("b", url="mqtt://station:hunter2@broker:1883", error="at mqtt://:hunter2@broker")
    assert "hunter2" not in out.getvalue()
    assert out.getvalue().count(MASK) == 4
    assert "station" in out.getvalue()


def test_an_endless_field_is_cut() -> None:
    out = io.StringIO()
    logs.setup(format="json", level="info", stream=out)
    logs.logger("rigs").info("noise", raw="x" * (FIELD_CHARS_MAX + 5))
    (event,) = events(out)
    assert event["raw"] == "x" * FIELD_CHARS_MAX + "… (5 more)"


@pytest.mark.parametrize("format_", ["console", "json"])
def test_an_exception_keeps_its_trace_without_its_secrets(format_: logs.Format) -> None:
    out = io.StringIO()
    logs.setup(format=format_, level="info", stream=out)
    try:
        int("mqtt://u:hunter2@broker")
    except ValueError:
        logs.logger("app").exception("bug")
    assert "Traceback" in out.getvalue()
    assert "hunter2" not in out.getvalue()


def test_something_json_cannot_hold_is_still_logged() -> None:
    out = io.StringIO()
    logs.setup(format="json", level="info", stream=out)
    logs.logger("app").info("where", path=Path("/x"))
    assert events(out)[0]["path"] == "/x"


def test_the_default_is_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup(format="json", level="info")
    logs.logger("app").info("ready")
    captured = capsys.readouterr()
    assert not captured.out
    assert "ready" in captured.err
    assert sys.stderr is not None
