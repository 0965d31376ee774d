"""What a technician may write for an MQTT upstream, and what is refused with a hint."""

from importlib.metadata import EntryPoint
from typing import Any

import pytest
from pydantic import ValidationError

from gatewayd.settings.kinds import UPSTREAMS_GROUP, UpstreamType
from gatewayd.upstreams.mqtt import UPSTREAM
from gatewayd.upstreams.mqtt_settings import MqttSettings

URL = "mqtt://10.0.0.9"


def settings(**values: Any) -> MqttSettings:
    return MqttSettings.model_validate({"url": URL, **values})


@pytest.mark.parametrize(
    ("url", "address", "secure"),
    [
        ("mqtt://127.0.0.1:1883", ("127.0.0.1", 1883), False),
        ("mqtt://broker.example", ("broker.example", 1883), False),
        ("mqtts://broker.example/", ("broker.example", 8883), True),
        ("mqtts://[2001:db8::1]:9000", ("2001:db8::1", 9000), True),
    ],
)
def test_a_url_names_host_port_and_tls(url: str, address: tuple[str, int], *, secure: bool) -> None:
    made = MqttSettings(url=url)
    assert (made.addresses, made.secure) == ((address,), secure)


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("", "expected mqtt://"),
        ("127.0.0.1:1883", "expected mqtt://"),
        ("http://broker", "expected mqtt://"),
        ("mqtt://", "expected mqtt://"),
        ("mqtt://broker:0", "expected mqtt://"),
        ("mqtt://broker:70000", "expected mqtt://"),
        ("mqtt://broker/path", "nothing may follow the host"),
        ("mqtt://broker?x=1", "nothing may follow the host"),
        ("mqtt://user:word@broker", "!secret"),
    ],
)
def test_a_wrong_url_is_refused_with_what_was_expected(url: str, hint: str) -> None:
    with pytest.raises(ValidationError, match=hint):
        MqttSettings(url=url)


@pytest.mark.parametrize(
    "values",
    [
        {"prefix": "gatewayd/+/v1"},
        {"prefix": "gatewayd/#"},
        {"prefix": "/gatewayd"},
        {"prefix": "gatewayd/"},
        {"prefix": "$SYS"},
        {"prefix": ""},
        {"version": "4"},
        {"version": 3},
        {"keepalive_s": 4},
        {"keepalive_s": 1201},
        {"keepalive_s": "30"},
        {"in_flight_max": 0},
        {"in_flight_max": 1001},
        {"password": "alone"},
        {"tls": {"ca_file": "ca.pem"}},
        {"qos": 0},
        {"client_id": ""},
    ],
)
def test_a_wrong_value_is_an_error_and_never_changed(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**values)


@pytest.mark.parametrize(
    "values",
    [
        {"prefix": "监管/v1"},
        {"version": "3.1.1"},
        {"version": 5},
        {"keepalive_s": 5},
        {"keepalive_s": 1200},
        {"in_flight_max": 1},
        {"in_flight_max": 1000},
        {"username": "gw"},
        {"username": "gw", "password": ""},
        {"url": "mqtts://b", "tls": {}},
        {"url": "mqtts://b", "tls": {"cert_file": "c.pem", "key_file": "c.key"}},
    ],
)
def test_a_right_value_is_kept(values: dict[str, Any]) -> None:
    made = settings(**values).model_dump(exclude_unset=True, exclude={"url"})
    assert made == {name: value for name, value in values.items() if name != "url"}


@pytest.mark.parametrize("tls", [{"cert_file": "c.pem"}, {"key_file": "c.key"}])
def test_half_a_client_certificate_is_refused(tls: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="belong together"):
        settings(url="mqtts://b", tls=tls)


def test_the_entry_point_of_pyproject_is_the_row() -> None:
    named = EntryPoint("mqtt", "gatewayd.upstreams.mqtt:UPSTREAM", UPSTREAMS_GROUP).load()
    assert named is UPSTREAM
    assert isinstance(UPSTREAM, UpstreamType)
    assert UPSTREAM.name == "mqtt"
