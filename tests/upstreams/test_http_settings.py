"""What a technician may write for an HTTP upstream, and what is refused with a hint."""

import json
from importlib.metadata import entry_points
from typing import Any

import pytest
from pydantic import ValidationError

from gatewayd.settings.kinds import UPSTREAMS_GROUP
from gatewayd.upstreams.http import UPSTREAM
from gatewayd.upstreams.http_settings import OURS, HttpSettings

URL = "https://platform.example/records"


def settings(**values: Any) -> HttpSettings:
    return HttpSettings.model_validate_json(json.dumps({"url": URL, **values}))


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("", "expected https://"),
        ("platform.example/records", "expected https://"),
        ("mqtt://platform.example", "expected https://"),
        ("https://", "expected https://"),
        ("https://p:0/", "expected https://"),
        ("https://p:70000/", "expected https://"),
        ("https://p/a b", "no blank"),
        ("https://p/\r\nX: y", "expected https://"),
        ("https://p/#part", "no fragment"),
        ("https://user:word@p/", "!secret"),
    ],
)
def test_a_wrong_url_is_refused_with_what_was_expected(url: str, hint: str) -> None:
    with pytest.raises(ValidationError, match=hint):
        settings(url=url)


@pytest.mark.parametrize(
    "values",
    [
        {"batch_max": 0},
        {"batch_max": 101},
        {"batch_max": "10"},
        {"answer": "ignore"},
        {"answer_within_s": 0},
        {"answer_within_s": 601},
        {"records_per_s": 0},
        {"bearer": ""},
        {"bearer": "two\nlines"},
        {"hmac_secret": "fifteen letters"},
        {"hmac_secret": "whsec_c2hvcnQga2V5"},
        {"hmac_secret": "whsec_!!!!!!!!!!!!"},
        {"headers": {"X-Y": "a\r\nb: c"}},
        {"headers": {"X Y": "a"}},
        {"headers": {"x-y": "a", "X-Y": "b"}},
        {"headers": {"Content-Length": "1"}},
        {"url": "http://p/", "tls": {}},
        {"codes": {"field": "code", "accepted": []}},
        {"codes": {"field": "code", "accepted": ["0"], "rejected": [0]}},
        {"codes": {"field": "code", "accepted": ["0"]}, "answer": "status"},
        {"method": "PUT"},
    ],
)
def test_a_wrong_value_is_an_error_and_never_changed(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**values)


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_header_that_we_set_cannot_be_set(name: str) -> None:
    with pytest.raises(ValidationError, match="set by gatewayd"):
        settings(headers={name.title(): "x"})


@pytest.mark.parametrize(
    "values",
    [
        {"url": "http://10.0.0.9:8080/in?station=1"},
        {"url": "https://[2001:db8::1]/x"},
        {"batch_max": 100},
        {"answer": "status"},
        {"codes": {"field": "data.code", "accepted": [0, "00"], "rejected": ["07"]}},
        {"records_per_s": 50},
        {"bearer": "a.b.c=="},
        {"hmac_secret": "sixteen letters!"},
        {"headers": {"X-Api-Key": "k 1"}},
        {"tls": {"ca_file": "ca.pem"}},
    ],
)
def test_a_right_value_is_kept(values: dict[str, Any]) -> None:
    assert settings(**values).model_dump(exclude_unset=True).keys() == {"url", *values}


def test_no_secret_shows() -> None:
    values = {"bearer": "tok-en", "hmac_secret": "sixteen letters!", "headers": {"X-K": "a-key"}}
    shown = repr(settings(**values))
    assert not any(secret in shown for secret in ("tok-en", "sixteen", "a-key"))


def test_the_entry_point_of_pyproject_is_the_row() -> None:
    (entry,) = entry_points(group=UPSTREAMS_GROUP, name="http")
    assert entry.load() is UPSTREAM
